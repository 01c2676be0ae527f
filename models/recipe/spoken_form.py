"""Turn written text into the words that a recognizer would give, with their case and marks kept.

    python spoken_form.py transcripts/ web.txt.xz --aside 0.02 --out data/spoken

Takes folders of Markdown transcripts (`**Speaker:** text` or `SPEAKER:  text`), a document each, and texts of a sentence a line. Writes
`NAME.txt` for training and `NAME.aside.txt` for measurement: a sentence or turn a line, an empty line between documents. Numbers are spelled
as they are spoken, the letters of an initialism are joined by `_` (`A_P_I`), and a word may end with one mark: `,` `.` `?`, or `~` where
nobody knows which one belongs there.
"""

import argparse
import lzma
import random
import re
import zlib
from collections.abc import Iterator
from pathlib import Path

from num2words import num2words
from tqdm import tqdm

SEED = 1
# A document of a text without documents, in lines.
BLOCK_LINES = 400
# The share of initialisms that are given as one word, as a lexicon may have them.
WHOLE_INITIALISMS = 0.4

ABBREVIATIONS = {
    "mr.": "Mister", "mrs.": "Missus", "ms.": "Miss", "dr.": "Doctor", "st.": "Saint", "prof.": "Professor", "sen.": "Senator",
    "gov.": "Governor", "gen.": "General", "rep.": "Representative", "lt.": "Lieutenant", "sgt.": "Sergeant", "jr.": "Junior",
    "sr.": "Senior", "vs.": "versus", "etc.": "et cetera", "e.g.": "for example", "i.e.": "that is", "&": "and",
    "w/": "with", "+": "plus", "=": "equals", "%": "percent", "@": "at", "°": "degrees",
}  # fmt: skip
# Initialisms that are said as words.
SAID_AS_WORDS = {"NATO", "NASA", "COVID", "AIDS", "OPEC", "UNICEF", "MAGA", "FEMA", "ASCII", "JSON", "YAML", "LASER", "OSHA", "SCOTUS", "POTUS", "SWAT", "DACA", "BIOS", "JPEG", "SCUBA", "CRUD", "SOAP", "REST", "RAM", "ROM", "GIF", "NIST", "PIN", "SIM", "VIN", "HIPAA", "CAPTCHA"}  # fmt: skip
SPELLED = re.compile(r"[A-Z]{2,5}(?:'?s)?")
DOTTED = re.compile(r"(?:[A-Za-z]\.){2,}(?:'s)?")
WORD = re.compile(r"[A-Za-z]+(?:'[A-Za-z]+)*'?")
NUMBER = re.compile(r"([$€£]?)(\d{1,3}(?:,\d{3})+|\d+)(?:\.(\d+))?(%|st|nd|rd|th|s|k|K|M|B|am|pm|AM|PM)?")
TIME = re.compile(r"(\d{1,2}):(\d{2})(am|pm|AM|PM)?")
CURRENCIES = {"$": "dollars", "€": "euros", "£": "pounds"}
SUFFIXES = {"%": ["percent"], "k": ["thousand"], "K": ["K"], "M": ["million"], "B": ["billion"]}
SCALES = {"million", "billion", "trillion", "thousand"}


def spelled(number: int, to: str = "cardinal") -> list[str]:
    return num2words(number, to=to).replace(",", "").replace("-", " ").split()


def of_number(match: re.Match, following: str) -> list[str]:
    """The words of a number; years in two halves, sums of money with their currency."""
    sign, digits, decimals, suffix = match.groups()
    value = int(digits.replace(",", "")) if len(digits) < 16 else 0
    if suffix in ("st", "nd", "rd", "th"):
        return spelled(value, "ordinal")
    if suffix == "s":
        words = spelled(value, "year" if 1100 <= value < 2100 else "cardinal")
        return [*words[:-1], words[-1][:-1] + "ies" if words[-1].endswith("y") else words[-1] + "s"]
    if decimals and sign and len(decimals) == 2 and following not in SCALES:
        return [*spelled(value), CURRENCIES[sign], *(["and", *spelled(int(decimals)), "cents"] if int(decimals) else [])]
    if not sign and not suffix and "," not in digits and (len(digits) > 4 or digits.startswith("0") and len(digits) > 1):
        words = [word for digit in digits for word in spelled(int(digit))]
    elif not sign and not decimals and len(digits) == 4 and 1100 <= value < 2100:
        words = spelled(value, "year")
    else:
        words = [word for word in spelled(value) if word != "and" or value % 3]
    if decimals:
        words += ["point", *(word for digit in decimals for word in spelled(int(digit)))]
    if suffix in ("am", "pm", "AM", "PM"):
        words += [suffix[0].lower(), "m"]
    else:
        words += SUFFIXES.get(suffix, [])
    if sign and following not in SCALES:
        words.append(CURRENCIES[sign])
    return words


def of_time(match: re.Match) -> list[str]:
    hour, minute, half = int(match[1]), int(match[2]), match[3]
    minutes = [] if minute == 0 else ["oh", *spelled(minute)] if minute < 10 else spelled(minute)
    return [*spelled(hour), *minutes, *([half[0].lower(), "m"] if half else [])]


class Speaker:
    """Says text; what may be said in two ways is drawn at random."""

    def __init__(self) -> None:
        self.random = random.Random(SEED)

    def initialism(self, letters: str, ending: str) -> list[str]:
        word = letters + ending
        if letters in SAID_AS_WORDS or self.random.random() < WHOLE_INITIALISMS:
            return [word]
        return ["_".join(letters) + ending]

    def core(self, core: str, following: str) -> list[str] | None:
        """The words of a token without the marks around it; none where it is not to be said."""
        if WORD.fullmatch(core) and not SPELLED.fullmatch(core):
            return [core.rstrip("'")]
        if SPELLED.fullmatch(core):
            letters = re.match("[A-Z]+", core)[0]
            return self.initialism(letters, core[len(letters) :].replace("'s", "s").replace("s", "'s"))
        if DOTTED.fullmatch(core + "."):
            core += "."
        if DOTTED.fullmatch(core):
            letters = core.replace("'s", "").replace(".", "")
            if letters in ("am", "pm", "AM", "PM"):
                return list(letters.lower())
            return self.initialism(letters.upper(), "'s" if core.endswith("'s") else "")
        if match := TIME.fullmatch(core):
            return of_time(match)
        if match := NUMBER.fullmatch(core):
            return of_number(match, following)
        parts = [part for part in re.split(r"[-/–_]", core) if part]
        if len(parts) > 1:
            said = [self.core(part, "") for part in parts]
            return None if None in said else [word for part in said for word in part]
        if match := re.fullmatch(r"([A-Za-z]+)\.([a-z]{2,3})", core):
            ending = [match[2]] if match[2] in ("com", "org", "net", "gov", "edu", "dev", "app") else ["_".join(match[2].upper())]
            return [match[1], "dot", *ending]
        if match := re.fullmatch(r"([A-Z]{1,4})(\d{1,3})", core):
            return ["_".join(match[1]), *spelled(int(match[2]))]
        return None

    def line(self, text: str) -> str | None:
        """A sentence or turn as it is spoken; none if much of it can't be."""
        text = re.sub(r"[“”\"*`()\[\]\\]", " ", text.replace("’", "'").replace("‘", "'").replace("…", "..."))
        text = re.sub(r"\s*(?:—|--+|\s[-–])(?:\s|$|(?=\w))", "~ ", text)
        tokens, words = text.split(), []
        for index, token in enumerate(tokens):
            following = tokens[index + 1] if index + 1 < len(tokens) else ""
            upper = following[:1].isupper() or not following
            abbreviation = ABBREVIATIONS.get(token.lower().rstrip("~"))
            if abbreviation:
                words += abbreviation.split()
                continue
            core = token.lstrip("'<>").rstrip(".,?!:;~'<>")
            if not core:
                # Behind a quotation mark, or in place of what can't be said.
                if words and (mark := self.mark(token, "", upper)):
                    words[-1] = words[-1].rstrip(",.?~") + mark
                continue
            tail = token.lstrip("'<>")[len(core) :]
            if tail.startswith("'") and core.endswith("s"):
                tail = tail[1:]
            said = self.core(core, following.lower().strip(".,?!"))
            if not said:
                return None
            words += said
            words[-1] += self.mark(tail, core, upper)
        return " ".join(words) if words else None

    def mark(self, tail: str, core: str, upper: bool) -> str:
        if "." in core and tail.startswith("."):
            # The last one may be the abbreviation's alone.
            return "" if not upper else "~"
        if "..." in tail:
            return "." if upper else ","
        for mark in tail:
            if mark in "?":
                return "?"
            if mark in ".!":
                return "." if upper else "~"
            if mark in ",;:":
                return ","
            if mark == "~":
                return "~"
        return ""


def is_prose(line: str) -> bool:
    """Whether a line has the case and marks of a sentence: no heading, no list of names, no careless typing."""
    words = [word for word in re.findall(r"[A-Za-z']+", line) if len(word) > 3]
    capital = sum(word[0].isupper() for word in words)
    shouted = sum(word.isupper() for word in words)
    if re.search(r"\b(i|im|dont|ive)\b", line) or not re.search("[A-Za-z]", line):
        return False
    return line.lstrip("\"'“( ")[:1].isupper() and capital <= 1 + 0.6 * len(words) and shouted <= 0.3 * len(words) + 1


def of_transcript(text: str) -> list[str]:
    """The turns of a Markdown transcript without speakers, times and stage directions."""
    text = re.sub(r"\A---\n.*?\n---\n", "", text, flags=re.S)
    paragraphs = [" ".join(paragraph.split()) for paragraph in re.split(r"\n\s*\n", text)]
    turns = []
    for paragraph in paragraphs:
        paragraph = re.sub(r"\\?\[[^\]]*\]", " ", paragraph)
        paragraph = re.sub(r"\((?:[A-Z][a-z]+|[A-Z][a-z ]+\.|Inaudible|inaudible)[^)]*\)", " ", paragraph)
        paragraph = re.sub(r"^(?:\*\*[^*]{1,60}\*\*:?|[A-Z][A-Z .,'-]{1,60}:|Q(?=  ?))", "", paragraph.strip()).strip()
        paragraph = re.sub(r"!?\[([^\]]*)\]\([^)]*\)|https?://\S+", r"\1", paragraph)
        if re.search(r"[.?!]$|[—-]$", paragraph) and not paragraph.startswith(("#", "|", ">", "- ", "* ")):
            turns.append(paragraph)
    return turns


def documents(path: Path) -> Iterator[tuple[str, list[str]]]:
    """Each document's name and lines."""
    if path.is_dir():
        for file in sorted(path.rglob("*.md")):
            yield str(file.relative_to(path)), of_transcript(file.read_text(errors="replace"))
        return
    with lzma.open(path, "rt") if path.suffix == ".xz" else path.open() as file:
        lines = [line.strip() for line in file]
    for start in range(0, len(lines), BLOCK_LINES):
        yield f"{path.name} {start // BLOCK_LINES}", lines[start : start + BLOCK_LINES]


def convert(path: Path, aside: float, out: Path) -> None:
    speaker, seen = Speaker(), set()
    name = path.name.split(".")[0]
    with (out / f"{name}.txt").open("w") as train, (out / f"{name}.aside.txt").open("w") as kept:
        for document, lines in tqdm(documents(path), desc=name, mininterval=5):
            file = kept if zlib.crc32(document.encode()) % 10_000 < 10_000 * aside else train
            for line in lines:
                # Templates repeat.
                if line in seen or not is_prose(line):
                    continue
                if len(line) > 40:
                    seen.add(line)
                if said := speaker.line(line):
                    file.write(said + "\n")
            file.write("\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("texts", type=Path, nargs="+", help="folders of transcripts, texts of a sentence a line (.txt, .txt.xz)")
    parser.add_argument("--aside", type=float, default=0.02, help="the share of documents for measurement; 1 for all")
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    for path in args.texts:
        convert(path, args.aside, args.out)


if __name__ == "__main__":
    main()
