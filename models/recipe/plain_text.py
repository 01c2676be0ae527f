"""The prose of a plain text book, as Project Gutenberg publishes them."""

import re
from collections.abc import Iterator
from pathlib import Path

# What Project Gutenberg puts around a book, in the forms of the last thirty years.
BEGINS = re.compile(r"^\*{3} ?START OF .*$|^\*END.{0,3}THE SMALL PRINT.*$", re.MULTILINE)
ENDS = re.compile(r"^\*{3} ?END OF .*$|^End of (?:the |this )?Project Gutenberg.*$", re.MULTILINE)
# Notes of transcribers and illustrators; runs of hyphens, which are dashes; underscores around italics.
NOTES, DASHES, ITALICS = re.compile(r"\[[^\]]*\]"), re.compile("-{2,}"), re.compile("_")
# Shorter paragraphs are headings, page numbers and lines of tables.
SHORTEST_PARAGRAPH = 40
# Of the first letters of a paragraph, more capitals than this are a heading.
HEADING_LETTERS, HEADING_CAPITALS = 200, 0.3


def read_paragraphs(path: Path) -> Iterator[str]:
    """Yield the paragraphs that are prose, each on one line, without the publisher's words around the book."""
    text = path.read_text(encoding="utf-8", errors="replace").replace("\r", "")
    begins = list(BEGINS.finditer(text))
    text = text[begins[-1].end() :] if begins else text
    ends = ENDS.search(text)
    text = text[: ends.start()] if ends else text
    for paragraph in re.split(r"\n\s*\n", text):
        paragraph = " ".join(DASHES.sub(" – ", ITALICS.sub("", NOTES.sub("", paragraph))).split())
        if is_prose(paragraph):
            yield paragraph


def is_prose(paragraph: str) -> bool:
    beginning = paragraph[:HEADING_LETTERS]
    capitals = sum(map(str.isupper, beginning))
    return len(paragraph) >= SHORTEST_PARAGRAPH and "|" not in paragraph and capitals <= HEADING_CAPITALS * len(beginning)
