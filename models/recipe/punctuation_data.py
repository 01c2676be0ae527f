"""What the punctuation model learns from: text of `spoken_form.py` as numbers, cut into utterances."""

import random
import zlib
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tqdm import tqdm

SEED = 1
# Labels. A word of mixed case counts as capital: the list of forms says how it is written.
MARKS, CASES = ["", ",", ".", "?"], ["lower", "capital", "upper"]
MASKED = -1
# Rows of words that the model does not know, by their last three letters: the first half for words, the second for names.
SUFFIX_ROWS, SUFFIX_LETTERS = 512, 3
# How long the recognizer found it silent after a word: unknown, below 0.15 s, below 0.4 s, longer, and the utterance's end.
UNKNOWN_GAP, NO_GAP, SHORT_GAP, LONG_GAP, END_GAP = range(5)
GAPS = 5
# What is drawn for a word without a mark, with a comma, a full stop, a question mark. A judgement: no recordings with marks were at hand.
GAP_SHARES = np.array([[0.90, 0.08, 0.02], [0.55, 0.30, 0.15], [0.25, 0.40, 0.35], [0.25, 0.40, 0.35]])
NAME_SHARE, MIXED_SHARE, LEAST_FORMS = 0.6, 0.6, 3
CONTEXT_WORDS, LONGEST_UTTERANCE = 8, 64
# What is said for a mark, and how often among those said.
SPOKEN_MARKS = {
    1: [("comma", 0.8), ("semicolon", 0.05), ("colon", 0.06), ("dash", 0.05), ("hyphen", 0.04)],
    2: [("period", 0.5), ("full stop", 0.32), ("exclamation mark", 0.04), ("exclamation point", 0.04), ("new line", 0.06), ("new paragraph", 0.04)],
    3: [("question mark", 1.0)],
}
SPOKEN_WORDS = sorted({word for said in SPOKEN_MARKS.values() for text, _ in said for word in text.split()})


@dataclass
class Vocabulary:
    """The words that have rows of their own, the names that have none, and the forms of words of mixed case."""

    words: list[str]
    names: set[str]
    forms: dict[str, str]

    def __post_init__(self) -> None:
        self.rows = {word: row for row, word in enumerate(self.words)}

    def __len__(self) -> int:
        return len(self.words) + 2 * SUFFIX_ROWS

    def suffix_row(self, word: str, name: bool) -> int:
        return len(self.words) + SUFFIX_ROWS * name + zlib.crc32(word.encode()[-SUFFIX_LETTERS:]) % SUFFIX_ROWS

    def row(self, word: str) -> int:
        row = self.rows.get(word)
        return self.suffix_row(word, word in self.names) if row is None else row


@dataclass
class Text:
    """Words in a row, with their labels."""

    rows: np.ndarray
    # The rows that they have if the model is not to know them.
    suffix_rows: np.ndarray
    marks: np.ndarray
    cases: np.ndarray
    # Whether a sentence ends after the word.
    ends: np.ndarray
    # Where documents begin, and where the last one ends.
    documents: np.ndarray


def split_token(token: str) -> tuple[list[str], int]:
    """A token's words, initialisms letter by letter, and its mark."""
    mark = MASKED if token[-1] == "~" else max(MARKS.index(token[-1]) if token[-1] in ",.?" else 0, 0)
    word = token[:-1] if token[-1] in ",.?~" else token
    return word.split("_"), mark


def case_of(word: str, letters: bool, begins: bool) -> int:
    """A word's case; unknown where a sentence's beginning hides it."""
    if letters or (len(word) > 1 and word.isupper() and word.isalpha()):
        return 2
    if word == "I" or word.startswith("I'"):
        return 1
    if word == word.lower():
        return 0
    if begins and word[1:] == word[1:].lower():
        return MASKED
    if len(word) > 2 and word[:-2].isupper() and word.endswith("'s") and len(word) > 3:
        return 2
    return 1


def read_documents(path: Path, share: float = 1.0) -> list[list[str]]:
    """Each document's lines, of a share of the documents."""
    documents = [document.strip().split("\n") for document in path.read_text().split("\n\n") if document.strip()]
    return random.Random(SEED).sample(documents, round(share * len(documents)))


def count_forms(texts: list[list[list[str]]]) -> tuple[Counter, dict[str, Counter]]:
    """How often each word was met, and how often in which form where no sentence begins."""
    counts, forms = Counter(), defaultdict(Counter)
    for documents in tqdm(texts, desc="counting"):
        for line in (line for document in documents for line in document):
            begins = True
            for token in line.split():
                words, mark = split_token(token)
                if len(words) == 1:
                    word = words[0]
                    key = word.lower()
                    counts[key] += 1
                    if not begins or word[1:] != word[1:].lower():
                        forms[key][word] += 1
                else:
                    counts.update(word.lower() for word in words)
                begins = mark in (2, 3)
    return counts, forms


def is_mixed(form: str) -> bool:
    return form != form.lower() and form != form.upper() and (form[0].islower() or form[1:] != form[1:].lower())


def make_vocabulary(texts: list[list[list[str]]], names: list[str], most: int, most_names: int) -> tuple[Vocabulary, Counter]:
    counts, forms = count_forms(texts)
    ranked = [word for word, _ in sorted(counts.items(), key=lambda item: (-item[1], item[0]))]
    words = sorted({*SPOKEN_WORDS, *ranked[: most - len(SPOKEN_WORDS)]})
    known = set(words)
    learned = [
        word
        for word in ranked
        if word not in known and (all_forms := sum(forms[word].values())) >= 2 and sum(n for form, n in forms[word].items() if form[0].isupper()) >= NAME_SHARE * all_forms
    ]
    of_list = set(names)
    listed = [name for name in ranked if name in of_list and name not in known]
    rest = [name for name in names if name not in known and name not in counts]
    mixed = {}
    for word, of_word in forms.items():
        form, count = (of_word.most_common(1) or [("", 0)])[0]
        if is_mixed(form) and count >= LEAST_FORMS and count >= MIXED_SHARE * counts[word] and not form.endswith(("'S", "s'")) and form.isascii():
            # IDs and the like are initialisms.
            if not form[:-1].isupper() and not (form.endswith("'s") and form[:-2].isupper()):
                mixed[word] = form
    chosen = list(dict.fromkeys([*listed, *learned, *rest]))[:most_names]
    return Vocabulary(words, set(chosen), mixed), counts


def numbered(texts: list[list[list[str]]], vocabulary: Vocabulary) -> Text:
    rows, suffix_rows, marks, cases, ends, documents = [], [], [], [], [], [0]
    # Each token's columns where a sentence begins and elsewhere, and its mark.
    memo: dict[str, tuple] = {}

    def columns(token: str) -> tuple:
        words, mark = split_token(token)
        keys, several = [word.lower() for word in words], len(words) > 1
        found = [vocabulary.row(key) for key in keys], [vocabulary.suffix_row(key, key in vocabulary.names) for key in keys]
        each = [0] * (len(words) - 1) + [mark]
        in_place, beginning = ([case_of(word, several, begins) for word in words] for begins in (False, True))
        return *found, each, in_place, beginning, mark

    for document in (document for documents_ in texts for document in tqdm(documents_, mininterval=10)):
        for line in document:
            begins = True
            for token in line.split():
                if (found := memo.get(token)) is None:
                    found = memo[token] = columns(token)
                rows += found[0]
                suffix_rows += found[1]
                marks += found[2]
                cases += found[4] if begins else found[3]
                begins = found[5] in (2, 3)
                ends += [False] * (len(found[0]) - 1) + [begins] if len(found[0]) > 1 else [begins]
            ends[-1] = True
            marks[-1] = marks[-1] or MASKED
        documents.append(len(rows))
    return Text(
        np.array(rows, np.int32), np.array(suffix_rows, np.int32), np.array(marks, np.int8), np.array(cases, np.int8), np.array(ends, bool), np.array(documents)
    )  # fmt: skip


def cut(text: Text, random: np.random.Generator) -> np.ndarray:
    """Utterances, (count, 3): where the context begins, where the utterance begins, and where it ends.

    Three in four end where a sentence does.
    """
    places = np.flatnonzero(text.ends) + 1
    next_end = np.append(places, len(text.rows))[np.searchsorted(places, np.arange(len(text.rows) + 1))]
    utterances = []
    for begin, end in zip(text.documents[:-1], text.documents[1:]):
        at = begin
        while at < end:
            length = int(np.exp(2.6 + 0.8 * random.standard_normal()))
            to = min(at + max(2, min(length, LONGEST_UTTERANCE)), end)
            if random.random() < 0.75:
                sentence = next_end[to]
                to = sentence if sentence <= min(end, at + LONGEST_UTTERANCE) else to
            context = 0 if random.random() < 0.3 else random.integers(1, CONTEXT_WORDS + 1)
            utterances.append((max(begin, at - context), at, to))
            at = to
    return np.array(utterances, np.int64)
