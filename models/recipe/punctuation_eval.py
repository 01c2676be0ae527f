"""Measure a punctuation model's marks and capitals on text that was put aside.

    python punctuation_eval.py ../en-small/punctuation.bin data/spoken/*.aside.txt --skip 8

Utterances are cut from the text as for training, with up to eight words before them and without pauses. Words that have no mark for sure
count for none. Capitals are counted in the text as it is written: of names, and where a sentence begins by the model's own marks. F1 is in
percent. `--truecase` measures the package `truecase` (PyPI, with its weights) on the same utterances.
"""

import argparse
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from punctuation import Tagger
from punctuation_data import END_GAP, MASKED, UNKNOWN_GAP, Vocabulary, cut, numbered, read_documents, split_token
from punctuation_file import read_punctuation

SEED, KINDS = 1, ("full stop", "comma", "question mark", "capital")
MARK_KINDS = {1: "comma", 2: "full stop", 3: "question mark"}


class Counts:
    """How many were right, found and wanted of each kind."""

    def __init__(self) -> None:
        self.counts = defaultdict(lambda: np.zeros(3, int))

    def add(self, kind: str, found: np.ndarray, wanted: np.ndarray) -> None:
        self.counts[kind] += (found & wanted).sum(), found.sum(), wanted.sum()

    def __iadd__(self, other: "Counts") -> "Counts":
        for kind, counts in other.counts.items():
            self.counts[kind] += counts
        return self

    def row(self) -> str:
        cells = []
        for kind in KINDS:
            right, found, wanted = self.counts[kind]
            figures = right / max(found, 1), right / max(wanted, 1), 2 * right / max(found + wanted, 1)
            cells.append(" / ".join(f"{100 * figure:.1f}" for figure in figures))
        return " | ".join(cells)


def written_words(documents: list[list[str]]) -> list[str]:
    """The words as they are written, one by one as `numbered` has them."""
    tokens = (token for document in documents for line in document for token in line.split())
    return [word for token in tokens for word in split_token(token)[0]]


def is_capital(words: list[str]) -> np.ndarray:
    return np.array([word[:1].isupper() for word in words], bool)


@torch.no_grad()
def measure(model: Tagger, vocabulary: Vocabulary, documents: list[list[str]]) -> Counts:
    text, words, counts, begins = numbered([documents], vocabulary), written_words(documents), Counts(), True
    for context, begin, end in cut(text, np.random.default_rng(SEED)):
        rows = torch.from_numpy(text.rows[None, context:end].astype(np.int64))
        gaps = torch.full_like(rows, UNKNOWN_GAP)
        gaps[0, -1] = END_GAP
        if begin > context:
            gaps[0, begin - context - 1] = END_GAP
        marks, cases, _ = (logits[0, begin - context :] for logits in model(rows, gaps))
        marks, cases = marks.argmax(1).numpy(), cases.argmax(1).numpy()
        wanted = text.marks[begin:end]
        known = wanted != MASKED
        for mark, kind in MARK_KINDS.items():
            counts.add(kind, (marks == mark) & known, (wanted == mark) & known)
        ends = np.isin(marks, (2, 3))
        begins = bool(begin in text.documents) or begins
        pronouns = np.array([word == "I" or word.startswith("I'") for word in words[begin:end]])
        found = (cases > 0) | np.concatenate([[begins], ends[:-1]]) | pronouns
        counts.add("capital", found, is_capital(words[begin:end]))
        begins = bool(ends[-1])
    return counts


def measure_truecase(vocabulary: Vocabulary, documents: list[list[str]], true_case: Callable[[list[str]], list[str]]) -> Counts:
    """The capitals of a truecaser that is given each utterance's words."""
    text, words, counts = numbered([documents], vocabulary), written_words(documents), Counts()
    for _, begin, end in cut(text, np.random.default_rng(SEED)):
        found = true_case([word.lower() for word in words[begin:end]])
        counts.add("capital", is_capital(found), is_capital(words[begin:end]))
    return counts


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path, help="a punctuation.bin")
    parser.add_argument("texts", type=Path, nargs="+", help="what spoken_form.py put aside")
    parser.add_argument("--skip", type=int, default=0, help="the first documents of each text, measured while training")
    parser.add_argument("--documents", type=int, help="take no more of each text")
    parser.add_argument("--truecase", action="store_true")
    args = parser.parse_args()
    words, names, forms, weights = read_punctuation(args.model)
    vocabulary, model = Vocabulary(words, set(names), forms), Tagger.of(weights).eval()
    if args.truecase:
        from truecase import get_truecaser

        true_case = get_truecaser().get_true_case_from_tokens
    print("precision / recall / F1 in percent\ntext | words | " + " | ".join(KINDS))
    total, total_words = Counts(), 0
    for path in args.texts:
        documents = read_documents(path)[args.skip :][: args.documents]
        if not documents:
            continue
        size = len(written_words(documents))
        counts = measure_truecase(vocabulary, documents, true_case) if args.truecase else measure(model, vocabulary, documents)
        print(f"{path.name.split('.')[0]} | {size} | {counts.row()}", flush=True)
        total += counts
        total_words += size
    print(f"all | {total_words} | {total.row()}")


if __name__ == "__main__":
    main()
