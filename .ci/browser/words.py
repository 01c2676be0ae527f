"""The words of a text, and how many of them are wrong."""

import re


def words(text):
    return re.findall(r"[a-z0-9']+", text.lower())


def wrong_words(reference, hypothesis):
    """The fewest words substituted, deleted and inserted."""
    row = list(range(len(hypothesis) + 1))
    for i, expected in enumerate(reference, 1):
        diagonal, row[0] = row[0], i
        for j, found in enumerate(hypothesis, 1):
            diagonal, row[j] = row[j], min(diagonal + (expected != found), row[j] + 1, row[j - 1] + 1)
    return row[-1]
