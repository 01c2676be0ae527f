"""Books become sentences as they are read aloud."""

import subprocess
import sys
from pathlib import Path

from sentences import read_sentences

PLAIN = """The Project Gutenberg EBook of Nothing, by Nobody, which anyone may copy

*** START OF THIS PROJECT GUTENBERG EBOOK NOTHING ***

CHAPTER I. IN WHICH NOTHING HAPPENS TO ANYBODY

Mr. Fogg--a _very_ punctual man [1]--left the club at
half-past eleven, etc. "Was it you, Dr. Ox?" he asked in 1872.

42

[Illustration: a club]

It was the 3rd of 80 days that Messrs. Stuart & Co. would wait.

*** END OF THIS PROJECT GUTENBERG EBOOK NOTHING ***

Donations are gratefully accepted, and we thank you for each of them.
"""
SENTENCES = [
    "MISTER FOGG A VERY PUNCTUAL MAN LEFT THE CLUB AT HALF PAST ELEVEN ET CETERA WAS IT YOU DOCTOR OX HE ASKED IN EIGHTEEN SEVENTY TWO",
    "IT WAS THE THIRD OF EIGHTY DAYS THAT MESSIEURS STUART AND CO WOULD WAIT",
]


def write_book(folder: Path) -> Path:
    book = folder / "nothing.txt"
    book.write_text(PLAIN)
    return book


def test_plain_text_keeps_its_prose_alone(tmp_path):
    assert list(read_sentences(write_book(tmp_path))) == SENTENCES


def test_the_command_takes_plain_text(tmp_path):
    book, out = write_book(tmp_path), tmp_path / "out.txt"
    program = Path(__file__).parents[1] / "sentences.py"
    subprocess.run([sys.executable, program, book, "--out", out], check=True)
    assert out.read_text().splitlines() == SENTENCES


def test_a_folder_that_is_no_book_is_named(tmp_path):
    program = Path(__file__).parents[1] / "sentences.py"
    done = subprocess.run([sys.executable, program, tmp_path, "--out", tmp_path / "out.txt"], capture_output=True, text=True)
    assert done.returncode != 0 and str(tmp_path) in done.stderr and "or *.txt" in done.stderr
