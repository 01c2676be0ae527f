"""Text of the transcripts: the tokens, and the normalization that both reference and hypothesis go through."""

import re

# The CTC blank is token 0. `▁` stands for the space between words.
TOKENS = ["<blank>", "▁", "'", *"ABCDEFGHIJKLMNOPQRSTUVWXYZ"]
IDS = {token: index for index, token in enumerate(TOKENS)}


def normalize(text: str) -> str:
    """Upper case; A–Z, apostrophe and single spaces; every other character separates words."""
    text = text.upper().replace("’", "'")
    return " ".join(re.sub(r"[^A-Z' ]+", " ", text).split())


def encode(text: str) -> list[int]:
    """Return the token ids of a normalized text."""
    return [IDS["▁" if c == " " else c] for c in text]


def spell(ids: list[int]) -> str:
    """Return the text of token ids as `encode` gives them."""
    return "".join(TOKENS[i] for i in ids).replace("▁", " ")


def decode(ids: list[int]) -> str:
    """Return the text of the best path: repeats collapsed, blanks dropped."""
    kept = [i for i, before in zip(ids, [0, *ids]) if i != before and i != 0]
    return " ".join("".join(TOKENS[i] for i in kept).replace("▁", " ").split())


def edit_distance(reference: list, hypothesis: list) -> int:
    """Return the Levenshtein distance with unit costs."""
    row = list(range(len(hypothesis) + 1))
    for i, r in enumerate(reference, 1):
        diagonal, row[0] = row[0], i
        for j, h in enumerate(hypothesis, 1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (r != h))
    return row[-1]
