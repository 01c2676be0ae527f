"""Prune an n-gram model by relative entropy (Stolcke 1998, arXiv cs/0006025).

    python prune_arpa.py full.arpa data/lm-text.txt --threshold 1.5e-7 --out pruned.arpa

An n-gram goes where its loss raises the perplexity by less than the threshold, as a fraction. Prefixes and suffixes
of kept n-grams stay. How often a history occurs is counted in the training text: the lower orders of a Kneser-Ney model
do not say it (Chelba et al. 2010).
"""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

LOG_10 = np.log(10)


@dataclass
class Level:
    """The n-grams of one order, sorted by (index of the first n - 1 words in the level below, last word)."""

    prefix: np.ndarray
    word: np.ndarray
    log_prob: np.ndarray
    backoff: np.ndarray
    # Index in the level below of the last n - 1 words.
    suffix: np.ndarray

    def find(self, prefix: np.ndarray, word: np.ndarray, words: int) -> np.ndarray:
        """Return where n-grams stand, and -1 where they are not in the model."""
        keys, wanted = self.prefix * words + self.word, prefix * words + word
        at = np.searchsorted(keys, wanted).clip(max=len(keys) - 1)
        return np.where((keys[at] == wanted) & (prefix >= 0), at, -1)

    def take(self, kept: np.ndarray) -> "Level":
        return Level(self.prefix[kept], self.word[kept], self.log_prob[kept], self.backoff[kept], self.suffix[kept])


def read_lines(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield (order, fields) of each n-gram of an ARPA file."""
    order = 0
    with open(path) as lines:
        for line in lines:
            if line.endswith("-grams:\n"):
                order = int(line[1 : line.index("-")])
            elif order and "\t" in line:
                yield order, line.rstrip("\n").split("\t")


def read_arpa(path: Path) -> tuple[list[str], list[Level]]:
    """Return the words and the levels, natural logarithms throughout."""
    words, ids, levels = [], {}, []
    columns = {}
    for order, fields in read_lines(path):
        if order == 1:
            ids[fields[1]] = len(words)
            words.append(fields[1])
        grams, log_probs, backoffs = columns.setdefault(order, ([], [], []))
        grams.extend(ids[word] for word in fields[1].split(" "))
        log_probs.append(float(fields[0]))
        backoffs.append(float(fields[2]) if len(fields) > 2 else 0.0)
    for order in range(1, len(columns) + 1):
        grams, log_probs, backoffs = columns.pop(order)
        grams = np.array(grams, np.int64).reshape(-1, order)
        values = np.array(log_probs) * LOG_10, np.array(backoffs) * LOG_10
        levels.append(sort_level(grams, *values, levels, len(words)))
    return words, levels


def sort_level(grams: np.ndarray, log_prob: np.ndarray, backoff: np.ndarray, below: list[Level], words: int) -> Level:
    """Build a level upon those below it."""
    order = grams.shape[1]
    if order == 1:
        nothing = np.zeros(len(grams), np.int64)
        return Level(nothing, grams[:, 0], log_prob, backoff, nothing)
    prefix, suffix = grams[:, 0], grams[:, 1]
    for n in range(1, order - 1):
        prefix = below[n].find(prefix, grams[:, n], words)
        suffix = below[n].find(suffix, grams[:, n + 1], words)
    if (prefix < 0).any() or (suffix < 0).any():
        raise ValueError(f"an n-gram of order {order} is there without its first or last words; lmplz writes both")
    by_key = np.lexsort((grams[:, -1], prefix))
    return Level(prefix, grams[:, -1], log_prob, backoff, suffix).take(by_key)


def count_histories(text: Path, words: list[str], levels: list[Level]) -> list[np.ndarray]:
    """Return, for every level but the highest, how often each n-gram occurs in the text as a history."""
    ids = {word: index for index, word in enumerate(words)}
    unknown, begin = ids["<unk>"], ids["<s>"]
    running = []
    with open(text) as lines:
        for line in lines:
            running.append(begin)
            running.extend(ids.get(word, unknown) for word in line.split())
    tokens = np.array(running, np.int64)
    at, counts = tokens, []
    for n, level in enumerate(levels[:-1]):
        if n > 0:
            at = level.find(at[:-1], tokens[n:], len(words))
        counts.append(np.bincount(at[at >= 0], minlength=len(level.word)) / len(tokens))
    return counts


def left_over(level: Level, below: Level) -> tuple[np.ndarray, np.ndarray]:
    """Return for each history the mass that its n-grams leave, in this level and as the level below sees them."""
    histories = len(below.word)
    explicit = np.bincount(level.prefix, np.exp(level.log_prob), histories)
    lower = np.bincount(level.prefix, np.exp(below.log_prob[level.suffix]), histories)
    return (1 - explicit).clip(min=1e-9), (1 - lower).clip(min=1e-9)


def perplexity_growth(level: Level, below: Level, history_share: np.ndarray) -> np.ndarray:
    """Return for each n-gram the relative growth of perplexity if it alone were dropped (equations 4 to 6)."""
    mass, lower_mass = left_over(level, below)
    mass, lower_mass = mass[level.prefix], lower_mass[level.prefix]
    lower = below.log_prob[level.suffix]
    prob = np.exp(level.log_prob)
    backoff = np.log(mass) - np.log(lower_mass)
    new_backoff = np.log(mass + prob) - np.log(lower_mass + np.exp(lower))
    change = prob * (lower + new_backoff - level.log_prob) + mass * (new_backoff - backoff)
    return np.expm1(-history_share[level.prefix] * change)


def prune(levels: list[Level], shares: list[np.ndarray], threshold: float) -> list[Level]:
    """Drop n-grams from the highest order down, then make the backoff weights fit what stays."""
    levels, needed = [replace(level) for level in levels], np.zeros(len(levels[-1].word), bool)
    for n in range(len(levels) - 1, 0, -1):
        level, below = levels[n], levels[n - 1]
        kept = needed | (perplexity_growth(level, below, shares[n - 1]) >= threshold)
        levels[n] = level.take(kept)
        if n + 1 < len(levels):
            new_index = np.cumsum(kept) - 1
            above = levels[n + 1]
            above.prefix, above.suffix = new_index[above.prefix], new_index[above.suffix]
        needed = np.zeros(len(below.word), bool)
        needed[levels[n].prefix] = needed[levels[n].suffix] = True
    for level, below in zip(levels[1:], levels):
        mass, lower_mass = left_over(level, below)
        below.backoff = np.where(np.bincount(level.prefix, minlength=len(below.word)) > 0, np.log(mass / lower_mass), 0)
    return levels


def write_arpa(path: Path, words: list[str], levels: list[Level]) -> None:
    with open(path, "w") as out:
        out.write("\\data\\\n" + "".join(f"ngram {n}={len(level.word)}\n" for n, level in enumerate(levels, 1)))
        below = [""]
        for n, level in enumerate(levels, 1):
            out.write(f"\n\\{n}-grams:\n")
            grams = [f"{below[p]} {words[w]}".lstrip() for p, w in zip(level.prefix.tolist(), level.word.tolist())]
            rows = zip((level.log_prob / LOG_10).tolist(), grams, (level.backoff / LOG_10).tolist())
            if n < len(levels):
                out.writelines(f"{p:.5f}\t{gram}\t{backoff:.5f}\n" for p, gram, backoff in rows)
            else:
                out.writelines(f"{p:.5f}\t{gram}\n" for p, gram, _ in rows)
            below = grams
        out.write("\n\\end\\\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("arpa", type=Path)
    parser.add_argument("text", type=Path, help="what the model was trained on, one sentence a line")
    parser.add_argument("--threshold", type=float, default=1.5e-7)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()

    words, levels = read_arpa(args.arpa)
    kept = prune(levels, count_histories(args.text, words, levels), args.threshold)
    write_arpa(args.out, words, kept)
    sizes = " + ".join(f"{len(after.word)} of {len(before.word)}" for before, after in zip(levels, kept))
    print(f"{args.out}: {sizes} n-grams")


if __name__ == "__main__":
    main()
