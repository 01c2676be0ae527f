"""Text as people write it → the words that are said, in the alphabet of the lexicon: A–Z, apostrophe, space.

    python verbalize.py text/changelog.txt --exclude held-out-8grams.txt --keep-out dev-*.jsonl --out spoken/changelog.txt

Numbers, money, times, dates, units, abbreviations, acronyms, addresses of pages and of mail are written as they are said. A
sentence with a sign that nobody knows how to say is left out, and so is one that touches a run of eight words of
`--exclude` or of the transcripts of `--keep-out`. With `--join` neighbouring sentences of a turn often stand on one line, as
utterances run on. With `--dictate` the marks of some sentences are words, as who dictates says them.
"""

import argparse
import hashlib
import json
import random
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path

from acronyms import EMPHATIC, LETTERS, LOWER_LETTERS, SPELLED, TYPED, WORDS
from spoken_numbers import CURRENCIES, MONTH, digits, say_numbers
from text import normalize

RUN_WORDS, SHORTEST_KEPT_OUT = 8, 5
QUOTES = str.maketrans({"’": "'", "‘": "'", "ʼ": "'", "`": "'", "“": '"', "”": '"', "–": "-", "—": " - ", "…": "... ", "\u00a0": " "})
QUOTES |= {c: None for c in [0x00AD, 0x200B, 0x200C, 0x200D, 0xFEFF]}
TITLES = {
    **{"Mr": "mister", "Mrs": "missus", "Ms": "miss", "Dr": "doctor", "Prof": "professor", "Sen": "senator", "Rep": "representative"},
    **{"Gov": "governor", "Gen": "general", "Lt": "lieutenant", "Col": "colonel", "Capt": "captain", "Sgt": "sergeant"},
    **{"St": "saint", "Rev": "reverend", "Hon": "honorable", "Messrs": "messieurs", "Mt": "mount", "Ft": "fort"},
}
ENDINGS = {
    **{"Inc": "incorporated", "Corp": "corporation", "Ltd": "limited", "Co": "company", "Jr": "junior", "Sr": "senior"},
    **{"Ave": "avenue", "Blvd": "boulevard", "St": "street", "Rd": "road", "Dept": "department", "Bros": "brothers"},
}
PLAIN = {"vs": "versus", "etc": "et cetera", "approx": "approximately", "e.g": "for example", "i.e": "that is", "a.k.a": "A K A"}
SIGNS = {"&": " and ", "%": " percent ", "=": " equals ", "@": " at ", "+": " plus ", "°": " degrees "}
TITLE = re.compile(rf"\b({'|'.join(TITLES)})\.(?=\s+[A-Z])|\b(Mr|Mrs|Ms|Dr)\b(?=\s+[A-Z])")
ENDING = re.compile(rf"(?<=[\w,] )({'|'.join(ENDINGS)})\.?(?=[\s,.;!?]|$)")
SMALL = re.compile(rf"\b({'|'.join(map(re.escape, PLAIN))})\b\.?", re.IGNORECASE)
HALVES = re.compile(r"\b([AaPp])\.[Mm]\.?(?=\W|$)")
MAIL = re.compile(r"\b[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
PAGE = re.compile(r"\b(?:https?://)?((?:www\.)?[A-Za-z0-9-]+(?:\.[a-z0-9-]+)*\.(?:com|org|net|gov|io|dev|edu|co|uk|fm|app|us|ai|tv|me))\b(/\S*)?")
NAMED_FILE = re.compile(r"(?<=[A-Za-z])\.(js|net|py|go|io|html?|css|md|txt|json|yml|yaml|pdf|exe|rb|rs|ts|sh|xml|csv|png|jpe?g)\b", re.IGNORECASE)
DOTTED = re.compile(r"\b(?:[A-Za-z]\.){2,}(?:[A-Za-z]\b)?")
SPLIT_CONTRACTION = re.compile(r"(?<=[A-Za-z]) (n't|'(?:re|s|ll|ve|d|m))\b", re.IGNORECASE)
SPECIAL = re.compile(r"[^A-Za-z ,.?!'\"-]")
TOKEN = re.compile(r"C\+\+|[CF]#|w/o?(?![a-z])|b/c\b|[A-Za-z']+(?:[-.][A-Za-z]+)*|[^\sA-Za-z]")
NOT_SAID = set(",.?!\"'-:;()[]{}*_~/|<>\\^#$\t")
# A mark before a space or the end of the sentence, and what is said for it, how often.
MARK = re.compile(r"(?<=[\w\")])(\.{3}|[,.?!:;]|\s+-{1,2})(?=[\s\")]|$)")
SPOKEN_MARKS = {
    **{",": [("comma", 1)], ".": [("period", 5), ("full stop", 3)], "?": [("question mark", 1)]},
    **{"!": [("exclamation mark", 1), ("exclamation point", 1)], ":": [("colon", 1)], ";": [("semicolon", 1)]},
    **{"...": [("ellipsis", 1), ("dot dot dot", 1)], "-": [("dash", 3), ("hyphen", 1)]},
}
SPOKEN_QUOTES = [("open quote", "close quote"), ("quote", "unquote"), ("open quotes", "close quotes")]
SPOKEN_ENDS, SHARE_OF_ENDS = ["new line", "new paragraph", "next line"], 0.12
CAMEL = re.compile(r"[A-Z]{2,}(?=[A-Z][a-z])|[A-Z]?[a-z']+|[A-Z']+")
VOWELS = re.compile("[AEIOUY]")


class Speller:
    """Tokens → spoken words, decided once a token."""

    def __init__(self, dictionary: set[str]):
        self.dictionary = dictionary
        self.say = lru_cache(1 << 20)(self._say)

    def _say(self, token: str) -> str:
        if (said := SPELLED.get(token)) is not None:
            return said
        token = token.strip("'") if token.strip("'") not in ("em", "til", "cause", "bout", "Em", "Til", "Cause") else token.rstrip("'")
        if token in TYPED:
            return TYPED[token]
        if "-" in token or "." in token:
            return " ".join(filter(None, (self.say(part) for part in re.split("[-.]", token) if part)))
        stem, tail = (token[:-2], "'S") if token[-2:] in ("'s", "'S") and len(token) > 3 else (token, "")
        if not tail and len(token) > 2 and token[-1] == "s" and token[:-1].isupper():
            stem, tail = token[:-1], "'S" if self.is_letters(token[:-1]) else "S"
        if self.is_letters(stem):
            return " ".join(stem.upper()) + tail
        return normalize(stem) + tail

    def is_letters(self, token: str) -> bool:
        """Whether a token is said letter by letter."""
        if token.islower():
            return token in LOWER_LETTERS
        if not token.isupper() or len(token) < 2 or "'" in token or token in WORDS:
            return False
        if token in LETTERS:
            return True
        if token in EMPHATIC or token in self.dictionary and len(token) > 2:
            return False
        return len(token) <= 3 or len(token) <= 5 and (not VOWELS.search(token) or token not in self.dictionary)


def say_page(match: re.Match) -> str:
    """Name dot com; what follows the name is not read."""
    parts = match[1].split(".")
    suffix = {"com": "com", "org": "org", "net": "net", "gov": "gov", "dev": "dev", "app": "app"}
    parts = ["W W W" if p == "www" else p for p in parts[:-1]] + [suffix.get(parts[-1], " ".join(parts[-1].upper()))]
    return " " + " dot ".join(p.replace("-", " dash ") for p in parts) + " "


def say_mail(match: re.Match) -> str:
    name, place = match[0].split("@")
    name = re.sub(r"\d+", lambda m: f" {digits(m[0])} ", name)
    name = name.replace(".", " dot ").replace("_", " underscore ").replace("-", " dash ").replace("+", " plus ")
    return f" {name} at {' dot '.join(place.split('.'))} "


def say_specials(text: str) -> str:
    """Replace what is not letters and full stops: addresses, figures, signs."""
    if "@" in text:
        text = MAIL.sub(say_mail, text)
    text = NAMED_FILE.sub(r" dot \1 ", PAGE.sub(say_page, text))
    if re.search(r"\d|[½¼¾⅓⅔]", text):
        text = say_numbers(text)
    text = re.sub(r"(?<=\w)/(?=\w)", " slash ", text) if text.count("/") == 1 and "and/or" not in text else text.replace("/", " ")
    for sign, said in SIGNS.items():
        if sign in text:
            text = text.replace("C++", "C plus plus").replace(sign, said)
    return text


def plain_letters(text: str) -> str:
    if text.isascii():
        return text
    text = text.translate(QUOTES).replace("æ", "ae").replace("œ", "oe").replace("ø", "o").replace("ß", "ss").replace("ł", "l")
    return "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))


def verbalize(sentence: str, speller: Speller) -> str:
    """The words of a sentence; empty where it cannot be said."""
    text = plain_letters(sentence).replace("&amp;", "&").replace("&nbsp;", " ")
    if "." in text:
        text = HALVES.sub(lambda m: f"{m[1]}m", text) if re.search(r"\d\s*[AaPp]\.[Mm]", text) else HALVES.sub(lambda m: f"{m[1].upper()} M", text)
        text = TITLE.sub(lambda m: TITLES[m[1] or m[2]], text)
        text = SMALL.sub(lambda m: PLAIN[m[1].lower()], text)
        text = ENDING.sub(lambda m: ENDINGS[m[1]], text)
        text = PAGE.sub(say_page, text) if ".com" in text or ".org" in text or ".gov" in text or ".io" in text else text
        text = NAMED_FILE.sub(r" dot \1 ", DOTTED.sub(lambda m: " ".join(m[0].replace(".", " ").upper().split()) + " ", text))
    text = SPLIT_CONTRACTION.sub(r"\1", text) if " '" in text or " n't" in text else text
    if SPECIAL.search(text):
        text = say_specials(text)
    # A sentence in capitals has no acronyms that could be told.
    letters = [c for c in text if c.isalpha()]
    if len(letters) > 12 and sum(map(str.isupper, letters)) > 0.7 * len(letters):
        text = text.lower()
    said = []
    for token in TOKEN.findall(text):
        if token[0].isalpha() or token[0] == "'" and len(token) > 1:
            said.append(speller.say(token))
        elif token not in NOT_SAID:
            return ""
    return " ".join(filter(None, said))


def dictate(sentence: str, rng: random.Random) -> str:
    """The sentence with its marks as words."""

    def spoken(match: re.Match) -> str:
        words, weights = zip(*SPOKEN_MARKS[match[1].strip()[:3].replace("--", "-")])
        return f" {rng.choices(words, weights)[0]} "

    text = MARK.sub(spoken, sentence.translate(QUOTES))
    quotes = rng.choice(SPOKEN_QUOTES)
    text = re.sub(r'"([^"]+)"', lambda m: f" {quotes[0]} {m[1]} {quotes[1]} ", text)
    text = re.sub(r"\(([^()]+)\)", r" open parenthesis \1 close parenthesis ", text)
    return f"{text} {rng.choice(SPOKEN_ENDS)}" if rng.random() < SHARE_OF_ENDS else text


def read_dictionary() -> set[str]:
    """The words of PocketSphinx's dictionary that are not said letter by letter."""
    from lexicon import dictionary

    names = {letter: " ".join(said[0]) for letter, said in dictionary().items() if len(letter) == 1}
    names["A"] = "EY"
    spelled = {w for w, said in dictionary().items() if w.isalpha() and any(" ".join(p) == " ".join(names[c] for c in w) for p in said)}
    return set(dictionary()) - {w for w in spelled if len(w) > 1}


def run_hashes(words: list[str]) -> Iterator[str]:
    for at in range(len(words) - RUN_WORDS + 1):
        yield hashlib.sha1(" ".join(words[at : at + RUN_WORDS]).encode()).hexdigest()[:12]


class KeptOut:
    """What no training text may share: runs of eight words, and short transcripts as whole sentences."""

    def __init__(self, hashes: Iterable[str], transcripts: Iterable[str]):
        self.hashes, self.whole = set(hashes), set()
        for text in transcripts:
            words = normalize(text).split()
            self.hashes.update(run_hashes(words))
            if len(words) >= SHORTEST_KEPT_OUT:
                self.whole.add(" ".join(words))

    def __contains__(self, sentence: str) -> bool:
        return sentence in self.whole or any(run in self.hashes for run in run_hashes(sentence.split()))


def join(sentences: Iterable[str], share: float, rng: random.Random) -> Iterator[str]:
    """Put neighbours of a turn on one line so often; an empty sentence ends a turn."""
    running = ""
    for sentence in sentences:
        if running and (not sentence or rng.random() >= share):
            yield running
            running = ""
        running = f"{running} {sentence}".strip()
    if running:
        yield running


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("texts", nargs="+", type=Path, help="one sentence a line")
    parser.add_argument("--exclude", type=Path, help="as of sentences.py")
    parser.add_argument("--keep-out", nargs="*", type=Path, default=[], help="manifests whose texts must not be learned")
    parser.add_argument("--join", type=float, default=0.0, help="share of sentences that the next one follows on the line")
    parser.add_argument("--dictate", type=float, default=0.0, help="share of sentences whose marks are said")
    parser.add_argument("--distinct", action="store_true", help="a sentence once")
    parser.add_argument("--cap", nargs=2, metavar=("WORDS", "COUNT"), help="of sentences with a word of WORDS (TOM,MARY) keep COUNT")
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    hashes = args.exclude.read_text().split() if args.exclude else []
    transcripts = [json.loads(line)["text"] or "" for path in args.keep_out for line in path.read_text().splitlines()]
    kept_out, speller, tally = KeptOut(hashes, transcripts), Speller(read_dictionary()), Counter()
    draw = random.Random(2)
    capped, left = (set(args.cap[0].split(",")), int(args.cap[1])) if args.cap else (set(), 0)

    def spoken() -> Iterator[str]:
        nonlocal left
        seen = set()
        for path in args.texts:
            for line in open(path, errors="replace"):
                if draw.random() < args.dictate:
                    line = dictate(line.strip(), draw)
                if not (said := verbalize(line.strip(), speller)) or said in kept_out or args.distinct and said in seen:
                    tally["left out"] += line.strip() != ""
                    yield ""
                    continue
                if capped and capped & {w.removesuffix("'S") for w in said.split()}:
                    left -= 1
                    if left < 0:
                        continue
                seen.add(said) if args.distinct else None
                tally["words"] += said.count(" ") + 1
                yield said

    with open(args.out, "w") as out:
        out.writelines(line + "\n" for line in join(spoken(), args.join, random.Random(1)))
    print(f"{args.out}: {tally['words']} words, {tally['left out']} sentences left out")


if __name__ == "__main__":
    main()
