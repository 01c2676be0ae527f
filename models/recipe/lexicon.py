"""Words to ARPAbet phones: PocketSphinx's dictionary, and Flite's letter-to-sound rules for the words it lacks.

    python lexicon.py data/train/index.jsonl data/sentences.txt --out data/lexicon.txt
    python lexicon.py vocabulary.txt --more more-pronunciations.txt --out data/words.txt --pronunciations ../en-small/pronunciations.txt

`--out` has one pronunciation a line, `WORD PH PH …`; words with several have several lines. `--pronunciations` is the same
as Mynah reads it: a line a word, a tab, and a character a phone, `A` for the first of `PHONES` after the blank.
"""

import argparse
import json
import re
import subprocess
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from dataset import Stretch
from text import spell

# The CTC blank is phone 0; the others are CMUdict's, without stress.
PHONES = ["<blank>", *"AA AE AH AO AW AY B CH D DH EH ER EY F G HH IH IY JH K L M N NG OW OY P R S SH T TH UH UW V W Y Z ZH".split()]
PHONE_IDS = {phone: index for index, phone in enumerate(PHONES)}
# Said as the words that they stand for, and written so.
ABBREVIATIONS = frozenset("DR ESQ ETC FT JR LT LTD MR MRS MT ST".split())
# How many of the words outside the dictionary one call of Flite reads.
BATCH = 50
# Parts of a compound have so many letters or more.
SHORTEST_PART = 3


class Lexicon:
    """Pronunciations of words, as phone ids. Of several one is drawn at random."""

    def __init__(self, path: Path, seed: int = 0):
        self.rng = np.random.default_rng(seed)
        self.pronunciations: dict[str, list[list[int]]] = {}
        for line in path.read_text().splitlines():
            word, *phones = line.split()
            self.pronunciations.setdefault(word, []).append([PHONE_IDS[p] for p in phones])

    def phones(self, text: str) -> list[int] | None:
        """The phones of a text; nothing if one of its words has no pronunciation."""
        words = [self.pronunciations.get(word) for word in text.split()]
        if not all(words):
            return None
        return [phone for said in words for phone in said[self.rng.integers(len(said))]]


def pronounced(stretches: list[Stretch], lexicon: Lexicon) -> list[Stretch]:
    """The stretches whose words all have pronunciations, with phones in place of tokens."""
    phones = [lexicon.phones(spell(s.tokens.tolist())) for s in stretches]
    return [replace(s, tokens=torch.tensor(p, dtype=torch.int32), frames=[]) for s, p in zip(stretches, phones) if p is not None]


def write_pronunciations(entries: dict[str, list[list[str]]], path: Path) -> None:
    """Write what Mynah reads: without abbreviations, so that MISTER is not MR by chance."""

    def line(word: str) -> str:
        said = dict.fromkeys("".join(chr(ord("@") + PHONE_IDS[p]) for p in phones) for phones in entries[word])
        return f"{word}\t{' '.join(said)}\n"

    path.write_text("".join(line(word) for word in sorted(entries.keys() - ABBREVIATIONS)))


def read_pronunciations(path: Path) -> dict[str, list[list[str]]]:
    """What `write_pronunciations` wrote."""
    rows = (line.split("\t") for line in path.read_text().splitlines())
    return {word: [[PHONES[ord(c) - ord("@")] for c in phones] for phones in said.split(" ")] for word, said in rows}


def read_words(path: Path) -> Counter:
    lines = path.read_text().splitlines()
    texts = (json.loads(line)["text"] for line in lines) if path.suffix == ".jsonl" else lines
    return Counter(word for text in texts for word in text.split())


def dictionary() -> dict[str, list[list[str]]]:
    import pocketsphinx

    path = Path(pocketsphinx.get_model_path()) / "en-us" / "cmudict-en-us.dict"
    entries: dict[str, list[list[str]]] = {}
    for line in path.read_text().splitlines():
        word, *phones = line.split()
        entries.setdefault(re.sub(r"\(\d+\)$", "", word).upper(), []).append(phones)
    return entries


def speak(words: list[str]) -> list[list[str]]:
    """Flite's phones of each word; nothing for all of them if it reads a word as two phrases or none."""
    text = ", ".join(word.lower() for word in words)
    output = subprocess.run(["flite", "-ps", "-t", f"{text},", "none"], capture_output=True, text=True, check=True).stdout
    phrases = [[{"AX": "AH"}.get(p.upper(), p.upper()) for p in part.split()] for part in output.split("pau")]
    phrases = [phrase for phrase in phrases if phrase]
    return phrases if len(phrases) == len(words) and all(p in PHONE_IDS for phrase in phrases for p in phrase) else []


def letter_to_sound(words: list[str]) -> dict[str, list[str]]:
    found = {}
    for at in tqdm(range(0, len(words), BATCH), desc="letter to sound", mininterval=5):
        batch = words[at : at + BATCH]
        if spoken := speak(batch):
            found.update(zip(batch, spoken))
            continue
        for word in batch:
            if spoken := speak([word]):
                found[word] = spoken[0]
    return found


def possessive(word: str, entries: dict[str, list[list[str]]]) -> list[list[str]]:
    """How X'S is said, from X."""
    said = entries.get(word.removesuffix("'S"), []) if word.endswith("'S") else []
    return [[*phones, *possessive_ending(phones[-1])] for phones in said]


def possessive_ending(last: str) -> list[str]:
    if last in ("S", "Z", "SH", "ZH", "CH", "JH"):
        return ["IH", "Z"]
    return ["S"] if last in ("P", "T", "K", "F", "TH") else ["Z"]


def compound(word: str, entries: dict[str, list[list[str]]]) -> list[list[str]]:
    """How a word is said that is two of the dictionary's, of the splits the evenest; nothing if it is not."""
    splits = sorted(range(SHORTEST_PART, len(word) - SHORTEST_PART + 1), key=lambda at: abs(2 * at - len(word)))
    for at in splits:
        if word[:at] in entries and word[at:] in entries:
            return [entries[word[:at]][0] + entries[word[at:]][0]]
    return []


def read_more(path: Path | None) -> dict[str, list[list[str]]]:
    """Lines of a word and its phones; of a word with several pronunciations several lines."""
    entries: dict[str, list[list[str]]] = {}
    for line in path.read_text().splitlines() if path else []:
        word, *phones = line.split()
        if not set(phones) <= PHONE_IDS.keys():
            raise SystemExit(f"{path}: {line!r} has what is no phone")
        entries.setdefault(word, []).append(phones)
    return entries


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("texts", nargs="+", type=Path, help="index.jsonl of prepare.py, or sentences")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--more", type=Path, help="pronunciations beside the dictionary's, as --out has them")
    parser.add_argument("--known", type=Path, help="a pronunciations.txt made before, in place of Flite for its words")
    parser.add_argument("--pronunciations", type=Path, help="also write them in Mynah's form")
    args = parser.parse_args()
    wanted = sum(map(read_words, args.texts), Counter())
    entries, more = dictionary(), read_more(args.more)
    for word, said in more.items():
        entries[word] = [*entries.get(word, []), *said]
    known = {word: entries[word] for word in wanted if word in entries}
    known.update((word, said) for word in wanted if word not in known and (said := possessive(word, entries)))
    unknown = sorted(word for word in wanted if word not in known and re.search("[A-Z]", word))
    before = read_pronunciations(args.known) if args.known else {}
    spoken = {word: before[word][-1] for word in unknown if word in before}
    spoken |= letter_to_sound([word for word in unknown if word not in spoken])
    known.update((word, [*compound(word, entries), phones]) for word, phones in spoken.items())
    with open(args.out, "w") as file:
        for word, pronunciations in sorted(known.items()):
            file.writelines(f"{word} {' '.join(phones)}\n" for phones in pronunciations)
    if args.pronunciations:
        write_pronunciations(known, args.pronunciations)
    print(f"{args.out}: {len(known)} words, {len(spoken)} of them by rule; {len(wanted) - len(known)} left out")


if __name__ == "__main__":
    main()
