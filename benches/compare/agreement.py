"""Words of a recognizer that transcribes a growing window again and again.

Local agreement (Liu et al. 2020, "Low-latency sequence-to-sequence speech recognition and translation by partial hypothesis
selection"), with two transcriptions, as in Macháček et al. 2023, "Turning Whisper into real-time transcription system": a word
is confirmed once two transcriptions in succession begin alike up to it.
"""

import re


def key(word: str) -> str:
    """What of a word must agree: neither case nor punctuation."""
    return re.sub(r"[^\w']", "", word.lower())


class LocalAgreement:
    """The words of one window, the confirmed ones first."""

    def __init__(self):
        self.confirmed: list[str] = []
        self.tail: list[str] = []

    def update(self, words: list[str]) -> None:
        """Takes the window's newest transcription; what was confirmed stays as it was."""
        rest = words[len(self.confirmed) :]
        agreed = 0
        while agreed < min(len(rest), len(self.tail)) and key(rest[agreed]) == key(self.tail[agreed]):
            agreed += 1
        self.confirmed += rest[:agreed]
        self.tail = rest[agreed:]

    def drop(self, count: int) -> list[str]:
        """Takes away the first words, whose audio leaves the window."""
        dropped, self.confirmed = self.confirmed[:count], self.confirmed[count:]
        return dropped

    @property
    def words(self) -> list[str]:
        return self.confirmed + self.tail
