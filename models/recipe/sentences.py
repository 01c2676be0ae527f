"""Turn books into normalized sentences, one a line, for the language model.

    while read -r book; do git clone --depth 1 https://github.com/standardebooks/$book books/$book; done < books.txt
    python sentences.py books/* --exclude held-out-8grams.txt --out data/sentences.txt

A book is a repository of Standard Ebooks, whose chapters are `src/epub/text/*.xhtml`, or a plain text file (`*.txt`). Abbreviations, numbers and roman numerals are written
as they are read aloud, as LibriSpeech's transcripts have them.
"""

import argparse
import hashlib
import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

from num2words import num2words
from tqdm import tqdm

from plain_text import read_paragraphs
from text import normalize

XHTML = "{http://www.w3.org/1999/xhtml}"
EPUB_TYPE = "{http://www.idpf.org/2007/ops}type"
NOT_PROSE = {
    *("colophon", "dedication", "dramatis-personae", "endnotes", "epigraph", "frontispiece", "glossary"),
    *("halftitlepage", "imprint", "loi", "titlepage", "toc", "uncopyright", "units-of-measure"),
}
# Elements whose text nobody reads aloud.
SKIPPED = {XHTML + tag for tag in ("h1", "h2", "h3", "h4", "h5", "h6", "table", "figure", "head", "header", "cite")}
ABBREVIATIONS = {
    "Mr.": "Mister",
    "Mrs.": "Missus",
    "Dr.": "Doctor",
    "St.": "Saint",
    "Messrs.": "Messieurs",
    "Rev.": "Reverend",
    "Capt.": "Captain",
    "Captn.": "Captain",
    "Col.": "Colonel",
    "Lieut.": "Lieutenant",
    "Gen.": "General",
    "Prof.": "Professor",
    "Hon.": "Honorable",
    "Esq.": "Esquire",
    "Bart.": "Baronet",
    "Geo.": "George",
    "Wm.": "William",
    "Thos.": "Thomas",
    "Co.": "Company",
    "No.": "Number",
    "Nos.": "Numbers",
    "etc.": "et cetera",
    "viz.": "namely",
    "i.e.": "that is",
    "e.g.": "for example",
    "p.m.": "P M",
    "a.m.": "A M",
}
# In plain text, where nothing marks them; `Co.` and `No.` end sentences as well.
ABBREVIATION = re.compile(
    "|".join(rf"(?<![A-Za-z]){re.escape(a)}" for a in sorted(ABBREVIATIONS, key=len, reverse=True) if a not in ("Co.", "No."))
)
# A roman numeral after one of these is a number; after any other capitalized word a king's or pope's rank.
NUMBERED = {"Act", "Book", "Canto", "Chapter", "Letter", "No", "Number", "Part", "Scene", "Section", "Volume"}
ROMAN_VALUES = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100, "D": 500, "M": 1000}
# Typography without a sound: soft hyphens, zero-width characters, word joiners.
SILENT = re.compile("[\u00ad\u200b-\u200f\u2060\ufeff]")
SENTENCE_END = re.compile("(?<=[.!?…])[\"”’)\\]]*\\s+(?=[\"“‘(\\[]*[A-Z])")
RUN_WORDS = 8


def roman_value(numeral: str) -> int:
    values = [ROMAN_VALUES[c] for c in numeral.upper()]
    return sum(-v if v < after else v for v, after in zip(values, [*values[1:], 0]))


def spell_roman(numeral: str, before: str) -> str:
    """Return a roman numeral as it is read after the text before it: "the second", or "two"."""
    if not re.fullmatch("[IVXLCDMivxlcdm]+", numeral):
        return numeral
    last = (before.split() or [""])[-1]
    is_rank = last[:1].isupper() and last not in NUMBERED
    return f"the {num2words(roman_value(numeral), to='ordinal')}" if is_rank else num2words(roman_value(numeral))


def spell_abbreviation(text: str, ends_clause: bool) -> str:
    """Return an abbreviation in full, or letter by letter; its period stays only where it ends a sentence."""
    words = ABBREVIATIONS.get(text) or re.sub(r"\.\s*", " ", text).strip()
    return words + "." if ends_clause else words


def read_element(element: ElementTree.Element, before: str = "") -> str:
    """Return the text of an element as it is read aloud."""
    types, text = element.get(EPUB_TYPE, "").split(), element.text or ""
    if element.tag in SKIPPED or "noteref" in types:
        return ""
    if element.tag == XHTML + "abbr" and not len(element):
        return spell_abbreviation(text, "eoc" in element.get("class", ""))
    if "z3998:roman" in types and not len(element):
        return spell_roman(text, before)
    if element.tag == XHTML + "br":
        return " "
    for child in element:
        text += read_element(child, text) + (child.tail or "")
    return text


def spell_number(match: re.Match) -> str:
    """Return digits as words: money, ordinals, years between 1100 and 2099, other numbers."""
    currency, digits, suffix = match["currency"], match["digits"].replace(",", ""), match["suffix"]
    if len(digits) > 12:
        return " "
    if suffix:
        words = num2words(int(digits), to="ordinal")
    elif not currency and re.fullmatch("(1[1-9]|20)[0-9]{2}", match["digits"]):
        words = num2words(int(digits), to="year")
    else:
        words = num2words(int(digits))
    return f" {words} {'pounds' if currency == '£' else 'dollars' if currency else ''} "


NUMBER = re.compile(r"(?P<currency>[£$]?)(?P<digits>[0-9]+(?:,[0-9]{3})*)(?P<suffix>st|nd|rd|th|d)?(?![0-9A-Za-z])")


def clean(sentence: str, in_quotes: bool) -> str:
    """Normalize a sentence; empty where digits stay that nobody knows how to read."""
    sentence = NUMBER.sub(spell_number, sentence.replace("&", " and "))
    if re.search("[0-9]", sentence):
        return ""
    # A ligature or an accented letter is its plain letters.
    sentence = sentence.replace("æ", "ae").replace("Æ", "Ae").replace("œ", "oe").replace("Œ", "Oe")
    plain = "".join(c for c in unicodedata.normalize("NFKD", sentence) if not unicodedata.combining(c))
    words = normalize(plain).split()
    # Inside ‘…’ a closing quote looks like the apostrophe of a plural's genitive.
    words = [w.rstrip("'") for w in words] if in_quotes else words
    return " ".join(w for w in words if w.strip("'"))


def read_text(path: Path) -> Iterator[str]:
    """Yield the paragraphs of a chapter, or of a plain text book, with abbreviations in full."""
    if path.suffix == ".txt":
        for paragraph in read_paragraphs(path):
            yield ABBREVIATION.sub(lambda match: ABBREVIATIONS[match[0]], paragraph)
    else:
        for paragraph in ElementTree.parse(path).iter(XHTML + "p"):
            yield read_element(paragraph)


def read_sentences(path: Path) -> Iterator[str]:
    """Yield the normalized sentences of a chapter or of a plain text book."""
    for text in read_text(path):
        text = re.sub(r"\s+", " ", SILENT.sub("", text))
        for sentence in SENTENCE_END.split(text):
            if words := clean(sentence, "‘" in text):
                yield words


def read_excluded(path: Path | None) -> set[str]:
    return set(path.read_text().split()) if path else set()


def without_held_out(sentences: list[str], excluded: set[str]) -> list[str]:
    """Drop every sentence that an excluded run of eight words touches; runs may cross sentences."""
    if not excluded:
        return sentences
    words = [(word, index) for index, sentence in enumerate(sentences) for word in sentence.split()]
    hit = set()
    for at in range(len(words) - RUN_WORDS + 1):
        run = words[at : at + RUN_WORDS]
        if hashlib.sha1(" ".join(word for word, _ in run).encode()).hexdigest()[:12] in excluded:
            hit.update(index for _, index in run)
    return [s for index, s in enumerate(sentences) if index not in hit]


def chapters(book: Path) -> list[Path]:
    if book.suffix == ".txt":
        return [book]
    found = [c for c in sorted(book.glob("src/epub/text/*.xhtml")) if c.stem not in NOT_PROSE]
    if not found:
        raise SystemExit(f"{book}: no src/epub/text/*.xhtml; give folders of Standard Ebooks repositories, or *.txt")
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("books", nargs="+", type=Path, help="folders of Standard Ebooks repositories, or plain text files")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--exclude", type=Path, help="first 12 hex digits of SHA-1 of 8-word runs to keep out")
    args = parser.parse_args()

    excluded = read_excluded(args.exclude)
    sentences_kept = words_kept = dropped = 0
    with open(args.out, "w") as out:
        for book in tqdm(args.books, unit="book", mininterval=5):
            dropped_before = dropped
            for chapter in chapters(book):
                sentences = list(read_sentences(chapter))
                kept = without_held_out(sentences, excluded)
                dropped += len(sentences) - len(kept)
                sentences_kept, words_kept = sentences_kept + len(kept), words_kept + sum(len(s.split()) for s in kept)
                out.writelines(s + "\n" for s in kept)
            if dropped > dropped_before:
                tqdm.write(f"{book.name}: {dropped - dropped_before} sentences dropped")
    print(f"{args.out}: {sentences_kept} sentences, {words_kept} words of {len(args.books)} books; {dropped} dropped")


if __name__ == "__main__":
    main()
