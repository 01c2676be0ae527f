"""Learn how words are said from how they are spelled: one decision tree per letter, grown on a pronouncing lexicon.

    python letter_to_sound.py lexicon.txt --out letter-to-sound.txt

The lexicon has lines of a word and its phones, ARPAbet without stress; `--within` keeps to the words of another
dictionary. EM aligns letters with phones, none, one or two to a letter (Black, Lenzo and Pagel 1998). A tree asks for the
letters around its letter and for the sounds of the letters before it. The question that most lowers the entropy for its
length in text comes first, in whichever tree, until the file is full.

The file has lines of these forms:

    unit K S          a sound of one letter; the first has no phones. Its number among the units, from 0, is written as
                      the character that many after `?`, `_` not counted.
    letter X          the tree of a letter follows, each question before its two branches, the one for yes first
    +1EIY             question: is the letter one further on among E, I and Y? `-2` is the letter two before;
                      `<1` is the sound of the letter before, `<2` that of the one before it. `_` is beyond the word.
    A@3               answer: sounds with their costs, -2 log2 of the probability as a digit (none for 0), the likeliest first
"""

import argparse
import heapq
import re
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from tqdm import tqdm

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ'"
# What a question finds where there is no letter and no sound.
BEYOND = "_"
FIRST_UNIT = ord("?")
# So many have a character between `?` and `~`, without `_`.
MOST_UNITS = 63
ASKED = ("-4", "-3", "-2", "-1", "+1", "+2", "+3", "+4", "<1", "<2")
LONGEST = 24
EM_PASSES = 8
# Alignments rarer than this among those of a letter are errors and abbreviations.
RAREST = 2e-4
LEAST_WEIGHT = 3.0
# Dearer sounds are left out, which leaves room for more questions.
LARGEST_COST = 6
BEAM = 12
MOST_PRONUNCIATIONS = 3
# A second or third pronunciation costs at most this much more than the first: half as likely.
MARGIN = 2

Entry = tuple[str, tuple[str, ...]]


def read_lexicon(path: Path) -> list[Entry]:
    entries = {}
    for line in path.read_text().splitlines():
        word, *phones = line.split()
        word = re.sub(r"\(\d+\)$", "", word).upper()
        if phones and set(word) <= set(LETTERS) and re.search("[A-Z]", word):
            entries[word, tuple(phones)] = None
    return list(entries)


@dataclass
class Aligner:
    """Probabilities of a letter's sounds. Letter 0 is padding; sound 0 is silence, the last one impossible."""

    phones: list[str]
    table: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        count = len(self.phones)
        self.table = np.full((len(LETTERS) + 1, 2 + count + count**2), 0.02 / count**2)
        self.table[:, 1 : 1 + count] = 0.8 / count
        self.table[:, 0] = 0.18
        self.table[:, -1] = 0
        self.table[0] = 0
        self.table[0, 0] = 1

    def encode(self, entries: list[Entry]) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Return letters, the sounds of one and of two phones that begin at each place, and how many phones there are."""
        ids, count = {phone: i for i, phone in enumerate(self.phones)}, len(self.phones)
        width = max(map(length, entries))
        letters = np.zeros((len(entries), width), int)
        ones, twos = (np.full((len(entries), width + 1), 1 + count + count**2) for _ in range(2))
        for row, (word, phones) in enumerate(entries):
            letters[row, : len(word)] = [1 + LETTERS.index(letter) for letter in word]
            said = np.array([ids[phone] for phone in phones])
            ones[row, : len(said)] = 1 + said
            twos[row, : len(said) - 1] = 1 + count + said[:-1] * count + said[1:]
        return letters, ones, twos, np.array([len(phones) for _, phones in entries])

    def steps(self, letters: np.ndarray, ones: np.ndarray, twos: np.ndarray) -> list[np.ndarray]:
        """Return the probabilities that a letter says none, one or two phones from each place on."""
        return [self.table[letters[:, None], units] for units in (np.zeros_like(ones), ones, twos)]

    def expected(self, entries: list[Entry]) -> np.ndarray:
        """Return how often each letter says each sound, over all alignments."""
        letters, ones, twos, ends = self.encode(entries)
        alpha = [np.eye(1, ones.shape[1]).repeat(len(entries), 0)]
        for i in range(letters.shape[1]):
            after = [advance(alpha[-1] * step, by) for by, step in enumerate(self.steps(letters[:, i], ones, twos))]
            alpha.append(sum(after))
        total = alpha[-1][np.arange(len(entries)), ends]
        beta = np.eye(ones.shape[1])[ends] / np.where(total > 0, total, np.inf)[:, None]
        counts = np.zeros(self.table.size)
        for i in reversed(range(letters.shape[1])):
            paths = [step * advance(beta, -by) for by, step in enumerate(self.steps(letters[:, i], ones, twos))]
            for units, path in zip((np.zeros_like(ones), ones, twos), paths):
                at = letters[:, i, None] * self.table.shape[1] + units
                counts += np.bincount(at.ravel(), (alpha[i] * path).ravel(), counts.size)
            beta = sum(paths)
        return counts.reshape(self.table.shape)

    def fit(self, entries: list[Entry]) -> None:
        for last in tqdm(range(EM_PASSES), desc="aligning", mininterval=5):
            counts = sum(self.expected(part) for part in parts(entries))
            counts[0] = np.eye(1, counts.shape[1])
            self.table = counts / counts.sum(1, keepdims=True).clip(1e-9)
            if last >= EM_PASSES // 2:
                self.prune(counts)

    def prune(self, counts: np.ndarray) -> None:
        """Drop rare sounds, of each letter and beyond as many as there are characters for."""
        self.table[self.table < RAREST] = 0
        uses = np.where(self.table > 0, counts, 0)[1:].sum(0)
        uses[0] = np.inf
        self.table[:, np.argsort(-uses, kind="stable")[MOST_UNITS:]] = 0

    def align(self, entries: list[Entry]) -> list[list[int]]:
        """Return the likeliest sound of each letter; nothing for a word that has no alignment."""
        letters, ones, twos, ends = self.encode(entries)
        best, choices = np.eye(1, ones.shape[1]).repeat(len(entries), 0), []
        for i in range(letters.shape[1]):
            after = [advance(best * step, by) for by, step in enumerate(self.steps(letters[:, i], ones, twos))]
            choices.append(np.argmax(after, 0))
            best = np.max(after, 0)
        rows, place = np.arange(len(entries)), ends.copy()
        found = best[rows, ends] > 0
        sounds = np.zeros_like(letters)
        for i in reversed(range(letters.shape[1])):
            by = choices[i][rows, place]
            place = place - by
            sounds[:, i] = np.choose(by, (np.zeros_like(by), ones[rows, place], twos[rows, place]))
        return [list(sounds[row, : len(word)]) if found[row] else [] for row, (word, _) in enumerate(entries)]

    def name(self, sound: int) -> tuple[str, ...]:
        count = len(self.phones)
        if sound == 0:
            return ()
        if sound <= count:
            return (self.phones[sound - 1],)
        first, second = divmod(sound - 1 - count, count)
        return self.phones[first], self.phones[second]


def advance(values: np.ndarray, by: int) -> np.ndarray:
    """Shift along the phones, forwards or (if negative) backwards."""
    shifted = np.zeros_like(values)
    if by > 0:
        shifted[:, by:] = values[:, :-by]
    elif by < 0:
        shifted[:, :by] = values[:, -by:]
    else:
        shifted = values
    return shifted


def length(entry: Entry) -> int:
    return max(map(len, entry))


def parts(entries: list[Entry], size: int = 2048) -> list[list[Entry]]:
    """Return entries of like length together, the shortest first."""
    entries = sorted(entries, key=length)
    return [entries[at : at + size] for at in range(0, len(entries), size)]


@dataclass
class Node:
    """A question with its two branches, or an answer."""

    asked: str = ""
    among: str = ""
    yes: "Node | None" = None
    no: "Node | None" = None
    # Costs by unit, the likeliest first.
    costs: dict[int, int] = field(default_factory=dict)

    def lines(self) -> list[str]:
        if not self.asked:
            return ["".join(f"{character(unit)}{cost or ''}" for unit, cost in self.costs.items())]
        return [f"{self.asked}{self.among}", *self.yes.lines(), *self.no.lines()]

    def length(self) -> int:
        """Return the bytes of an answer."""
        return 1 + sum(2 if cost else 1 for cost in self.costs.values())


def character(unit: int) -> str:
    at = FIRST_UNIT + unit
    return chr(at + (at >= ord(BEYOND)))


def read_around(word: str, at: int, before: list[int]) -> list[str]:
    """Return what each question of `ASKED` finds at a letter, given the units of the letters before it."""
    found = []
    for asked in ASKED:
        if asked[0] == "<":
            offset = int(asked[1])
            found.append(character(before[-offset]) if offset <= len(before) else BEYOND)
        else:
            there = at + int(asked)
            found.append(word[there] if 0 <= there < len(word) else BEYOND)
    return found


def entropy(counts: np.ndarray) -> np.ndarray:
    """Return the nats that the last axis takes to say, times its sum."""
    total = counts.sum(-1)
    terms = counts * np.log(np.where(counts > 0, counts, 1))
    return total * np.log(np.where(total > 0, total, 1)) - terms.sum(-1)


def divide(counts: np.ndarray) -> tuple[float, np.ndarray]:
    """Return the entropy saved by telling some values (rows) from the others, and which ones they are."""
    total = counts.sum(0)
    # Each value alone, and those in which the most frequent unit is more frequent than in the rest.
    order = np.argsort(-counts[:, total.argmax()] / counts.sum(1), kind="stable")
    rank = np.argsort(order)
    sides = np.concatenate([np.eye(len(counts), dtype=bool), rank[None] <= np.arange(len(counts) - 1)[:, None]])
    inside = sides @ counts
    rests = entropy(inside) + entropy(total - inside)
    side, least = sides[rests.argmin()], rests.min()
    # Then each value goes where it is likelier, as in k-means.
    for _ in range(8):
        halves = np.stack([counts[~side].sum(0), counts[side].sum(0)]) + 0.01
        likely = counts @ np.log(halves / halves.sum(1, keepdims=True)).T
        moved = likely[:, 1] > likely[:, 0]
        if moved.all() or not moved.any():
            break
        rest = entropy(counts[moved].sum(0)) + entropy(counts[~moved].sum(0))
        if rest >= least - 1e-9:
            break
        side, least = moved, rest
    return float(entropy(total) - least), side


@dataclass
class Grower:
    """Grows the trees of all letters at once."""

    # What the questions find, (letters of the lexicon, questions), as characters' codes.
    found: np.ndarray
    units: np.ndarray
    weights: np.ndarray
    bytes_left: int
    open: list = field(default_factory=list)

    def answer(self, rows: np.ndarray) -> dict[int, int]:
        counts = np.bincount(self.units[rows], self.weights[rows])
        costs = np.round(-2 * np.log2(np.maximum(counts / counts.sum(), 1e-9))).astype(int)
        likeliest = np.argsort(-counts, kind="stable")
        return {int(unit): int(costs[unit]) for i, unit in enumerate(likeliest) if i == 0 or costs[unit] <= LARGEST_COST}

    def add(self, rows: np.ndarray) -> Node:
        """Make an answer, and find the question that may take its place."""
        node = Node(costs=self.answer(rows))
        self.bytes_left -= node.length()
        if len(node.costs) > 1 or len(np.unique(self.units[rows])) > 1:
            self.propose(node, rows)
        return node

    def propose(self, node: Node, rows: np.ndarray) -> None:
        kinds, units = np.unique(self.units[rows], return_inverse=True)
        best = (0.0, "", "", rows)
        for question, asked in enumerate(ASKED):
            values, at = np.unique(self.found[rows, question], return_inverse=True)
            if len(values) < 2:
                continue
            counts = np.bincount(at * len(kinds) + units, self.weights[rows], len(values) * len(kinds))
            counts = counts.reshape(len(values), len(kinds))
            saved, side = divide(counts)
            if side.sum() > len(side) / 2:
                side = ~side
            if min(counts[side].sum(), counts[~side].sum()) < LEAST_WEIGHT:
                continue
            # The question's own line, and an answer more.
            saved /= 3 + side.sum() + 5
            if saved > best[0]:
                best = (saved, asked, "".join(map(chr, values[side])), side[at])
        if best[0] > 0:
            # The second is unlike any other's, so that nodes are never compared.
            heapq.heappush(self.open, (-best[0], len(self.open) + rows[0] * 1e-9, node, rows, *best[1:]))

    def grow(self) -> None:
        with tqdm(total=self.bytes_left, desc="growing", unit="B", mininterval=5) as bar:
            while self.open and self.bytes_left > 0:
                before = self.bytes_left
                _, _, node, rows, asked, among, side = heapq.heappop(self.open)
                self.bytes_left += node.length() - (3 + len(among))
                node.asked, node.among = asked, among
                node.yes, node.no = self.add(rows[side]), self.add(rows[~side])
                bar.update(before - self.bytes_left)


# The tree of a letter that the lexicon lacks.
SILENT = Node(costs={0: 0})


@dataclass
class Rules:
    """What the file says. Sound 0 is that of silent letters."""

    units: list[tuple[str, ...]]
    trees: dict[str, Node]

    def text(self) -> str:
        lines = [" ".join(["unit", *unit]) for unit in self.units]
        for letter, tree in self.trees.items():
            lines += [f"letter {letter}", *tree.lines()]
        return "\n".join(lines) + "\n"

    def pronounce(self, word: str) -> list[tuple[str, ...]]:
        beam = [(0, [])]
        for at, letter in enumerate(word):
            longer = []
            for cost, before in beam:
                around = dict(zip(ASKED, read_around(word, at, before)))
                node = self.trees.get(letter, SILENT)
                while node.asked:
                    node = node.yes if around[node.asked] in node.among else node.no
                longer += [(cost + more, [*before, unit]) for unit, more in node.costs.items()]
            beam = sorted(longer, key=lambda path: path[0])[:BEAM]
        said = {}
        for cost, units in beam:
            if phones := tuple(phone for unit in units for phone in self.units[unit]):
                said.setdefault(phones, cost)
        least = min(said.values(), default=0)
        return [phones for phones, cost in said.items() if cost <= least + MARGIN][:MOST_PRONUNCIATIONS]


def learn(entries: list[Entry], max_bytes: int) -> Rules:
    phones = sorted({phone for _, said in entries for phone in said})
    short = [entry for entry in entries if length(entry) <= LONGEST]
    aligner = Aligner(phones)
    aligner.fit(short)
    aligned = [(word, sounds) for part in parts(short) for (word, _), sounds in zip(part, aligner.align(part)) if sounds]
    numbers = {sound: unit for unit, sound in enumerate(sorted({0}.union(*(sounds for _, sounds in aligned))))}
    units = [aligner.name(sound) for sound in numbers]
    print(f"{len(aligned)} of {len(entries)} pronunciations aligned, {len(units)} sounds")
    return Rules(units, grow_trees(aligned, numbers, max_bytes - sum(6 + len(" ".join(unit)) for unit in units)))


def grow_trees(aligned: list[tuple[str, list[int]]], numbers: dict[int, int], max_bytes: int) -> dict[str, Node]:
    several = defaultdict(int)
    for word, _ in aligned:
        several[word] += 1
    found, units, weights, rows = [], [], [], defaultdict(list)
    for word, sounds in tqdm(aligned, desc="reading", mininterval=5):
        said = [numbers[sound] for sound in sounds]
        for at, letter in enumerate(word):
            rows[letter].append(len(units))
            found.append("".join(read_around(word, at, said[:at])).encode())
            units.append(said[at])
            weights.append(1 / several[word])
    codes = np.frombuffer(b"".join(found), np.uint8).reshape(-1, len(ASKED))
    # What a file's fullest line overruns is left free.
    grower = Grower(codes, np.array(units), np.array(weights), max_bytes - 9 * len(rows) - 100)
    trees = {letter: grower.add(np.array(rows[letter])) for letter in LETTERS if letter in rows}
    grower.grow()
    return trees


def edits(a: tuple[str, ...], b: tuple[str, ...]) -> int:
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        above, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            above, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, above + (x != y))
    return row[-1]


def judge(rules: Rules, entries: list[Entry]) -> dict[str, float]:
    """Compare with the nearest of a word's pronunciations."""
    words = defaultdict(list)
    for word, phones in entries:
        words[word].append(phones)
    errors = phones = right = among = given = 0
    for word, references in words.items():
        said = rules.pronounce(word) or [()]
        distance, length = min((edits(reference, said[0]), len(reference)) for reference in references)
        errors, phones = errors + distance, phones + length
        right += said[0] in references
        among += any(s in references for s in said)
        given += len(said)
    count = len(words)
    return {"phone errors": errors / phones, "right": right / count, "among": among / count, "given": given / count}


def hold_out(entries: list[Entry], share: float, seed: int) -> tuple[list[Entry], list[Entry]]:
    words = sorted({word for word, _ in entries})
    chosen = np.random.default_rng(seed).random(len(words)) < share
    held = {word for word, is_held in zip(words, chosen) if is_held}
    return [e for e in entries if e[0] not in held], [e for e in entries if e[0] in held]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("lexicon", type=Path, help="`WORD PH PH …`, a pronunciation a line")
    parser.add_argument("--within", type=Path, help="a dictionary, such as PocketSphinx's: only its words are learned from")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--max-bytes", type=int, default=100_000, help="how long the file may become")
    parser.add_argument("--held-out", type=float, default=0.05, help="share of words that the rules are judged by")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    entries = read_lexicon(args.lexicon)
    if args.within:
        words = {word for word, _ in read_lexicon(args.within)}
        entries = [entry for entry in entries if entry[0] in words]
    kept, held = hold_out(entries, args.held_out, args.seed)
    if held:
        figures = judge(learn(kept, args.max_bytes), held)
        print(f"{len({word for word, _ in held})} words held out: phone error rate {figures['phone errors']:.2%},")
        print(f"{figures['right']:.2%} of words right, {figures['among']:.2%} in {figures['given']:.2f} pronunciations a word")
    # The rules that are written have seen all words.
    text = learn(entries, args.max_bytes).text()
    args.out.write_text(text)
    print(f"{args.out}: {len(text.splitlines())} lines, {len(text)} bytes")


if __name__ == "__main__":
    main()
