"""Choose the words of the language models by how often the styles have them, and what lists add.

    python vocabulary.py data/*/full.arpa --lists first_names.txt cities.tsv --frequencies wordfreq.tsv --size 150000 --out vocabulary.txt

A style is its n-gram model, whose unigrams tell after how many different words a word comes (Kneser and Ney 1995): what templates
and boilerplate repeat does not count again. The shares are of a style, so that a large one does not outvote the others. A word
that no dictionary and no frequency list knows must be seen in three styles, or often: misspellings are frequent in typed talk.
"""

import argparse
import re
from collections import Counter
from pathlib import Path

from acronyms import LOWER_LETTERS
from verbalize import plain_letters

WORD = re.compile("'?[A-Z]+(?:'[A-Z]+)*'?")
# The frequency list counts as a style whose words are at least this common (Zipf, per billion in tens).
LEAST_ZIPF, LONGEST = 1.2, 24
OFTEN = 25
# An apostrophe that other words begin with opened a quotation.
ELIDED = frozenset("'BOUT 'CAUSE 'EM 'N 'N' 'ROUND 'TIL 'TIS 'TWAS".split())


def count_contexts(path: Path) -> Counter:
    """Of each word of an unpruned ARPA file the number of words that it comes after, about: in units of the rarest."""
    log_probs = {}
    with open(path) as lines:
        for line in lines:
            if line.startswith("\\2-grams"):
                break
            fields = line.split("\t")
            if len(fields) == 3:
                log_probs[fields[1]] = float(fields[0])
    base = 10 ** min(log_probs.values())
    return Counter({word: max(1, round(10**value / base - 1)) for word, value in log_probs.items()})


def read_frequencies(path: Path) -> dict[str, float]:
    rows = (line.split("\t") for line in path.read_text().splitlines())
    return {word.upper(): float(zipf) for word, zipf in rows if WORD.fullmatch(word.upper())}


def read_list(path: Path, most: int) -> set[str]:
    rows = path.read_text().splitlines()[:most]
    return {w for row in rows for w in re.split("[^A-Z']+", plain_letters(row.split("\t")[0]).upper()) if len(w) > 1 and WORD.fullmatch(w)}


def is_a_word(word: str, dictionary: set[str]) -> bool:
    """Not so are words with the mark that opens a quotation, and initialisms, which are written letter by letter."""
    base = word.removesuffix("'S")
    said = len(base) > 3 and re.search("[AEIOUY]", base) or base in dictionary
    return word in ELIDED if word.startswith("'") else bool(said)


def choose(styles: list[Counter], frequencies: dict[str, float], listed: set[str], dictionary: set[str], size: int) -> list[str]:
    score, seen, total = Counter(), Counter(), Counter()
    for counts in styles:
        words = counts.total()
        for word, count in counts.items():
            if WORD.fullmatch(word) and len(word) <= LONGEST:
                score[word] += 1e6 * count / words / len(styles)
                seen[word] += 1
                total[word] += count
    for word, zipf in frequencies.items():
        if zipf >= LEAST_ZIPF and (word in dictionary or zipf >= 2.45):
            score[word] += 10 ** (zipf - 3) / len(styles)

    def trusted(word: str) -> bool:
        base = word.removesuffix("'S")
        known = base in dictionary or frequencies.get(base, 0) >= 2.0 or base in listed
        return total[word] >= 2 if known else seen[word] >= 3 and total[word] >= 5 or total[word] >= OFTEN or word not in total

    ranked = [word for word, _ in sorted(score.items(), key=lambda item: (-item[1], item[0])) if trusted(word) or word not in total]
    kept = dict.fromkeys([w for w in sorted(listed) if score[w] > 0 or w in dictionary])
    for word in ranked:
        if len(kept) >= size:
            break
        kept.setdefault(word)
    return sorted(kept)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="+", type=Path, help="full.arpa of language_model.py, one a style")
    parser.add_argument("--lists", nargs="*", type=Path, default=[], help="words that are taken too, if anything has them")
    parser.add_argument("--most", type=int, default=12_000, help="lines of each list")
    parser.add_argument("--frequencies", type=Path, required=True, help="word, tab, Zipf frequency")
    parser.add_argument("--before", type=Path, help="pronunciations.txt of a model whose words stay, but for spellings of dialect")
    parser.add_argument("--more", type=Path, help="more-pronunciations.txt, whose words are words")
    parser.add_argument("--size", type=int, default=150_000)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    from lexicon import ABBREVIATIONS, dictionary, read_more

    listed = set().union(*(read_list(path, args.most) for path in args.lists))
    styles = [count_contexts(path) for path in args.models]
    words = choose(styles, read_frequencies(args.frequencies), listed, set(dictionary()), args.size)
    rows = args.before.read_text().splitlines() if args.before else []
    before = [word for word in (row.split("\t")[0] for row in rows) if re.fullmatch("[A-Z]+('S)?", word)]
    spelled = {letters.upper() for letters in LOWER_LETTERS}
    said = set(dictionary()) | set(read_more(args.more))
    words = sorted({w for w in [*words, *before] if w not in ABBREVIATIONS | spelled and is_a_word(w, said)})
    args.out.write_text("\n".join(words) + "\n")
    known, total = set(words), sum(styles, Counter())
    missed = sum(count for word, count in total.items() if word not in known)
    print(f"{args.out}: {len(words)} words; {100 * missed / total.total():.2f} % of all contexts are of others")


if __name__ == "__main__":
    main()
