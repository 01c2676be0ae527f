"""Reads Mynah's compact n-gram file (`words.lm`, as `mynah lm` writes it) back into levels.

Log-probabilities and backoffs are as exact as their 8 bits. So a model whose text is no longer at hand can be a component
of an interpolation (`interpolate.py`).
"""

import struct
import zlib
from pathlib import Path

import numpy as np

from prune_arpa import Level, sort_level

MAGIC, VERSION = b"mynah-lm", 1
HEADER = struct.Struct("<8sIQI")


class Body:
    def __init__(self, content: bytes):
        self.content, self.at = content, 0

    def take(self, kind: str, count: int) -> np.ndarray:
        values = np.frombuffer(self.content, kind, count, self.at)
        self.at += values.nbytes
        return values

    def u32(self) -> int:
        return int(self.take("<u4", 1)[0])

    def bits(self, words: int) -> np.ndarray:
        """The bits of 64-bit words, the lowest first."""
        return np.unpackbits(self.take("u1", 8 * words), bitorder="little")

    def words(self) -> list[str]:
        """Front-coded: bytes shared with the word before, bytes that follow, and these."""
        words, before = [], b""
        for _ in range(self.u32()):
            shared, rest = self.take("u1", 2).tolist()
            before = before[:shared] + self.take("u1", rest).tobytes()
            words.append(before.decode())
        return words

    def values(self, count: int) -> np.ndarray:
        if count == 0:
            return np.zeros(0)
        codebook = self.take("<f4", 256).astype(np.float64)
        return codebook[self.take("u1", count)]

    def packed(self, count: int, width: int) -> np.ndarray:
        """Integers of `width` bits side by side."""
        bits = self.bits((count * width + 63) // 64)[: count * width].reshape(count, width)
        return bits @ (1 << np.arange(width, dtype=np.int64))


def read_compact(path: Path) -> tuple[list[str], list[Level]]:
    """Return the words and the levels, natural logarithms throughout."""
    content = path.read_bytes()
    magic, version, _, checksum = HEADER.unpack_from(content)
    if magic != MAGIC or version != VERSION or zlib.crc32(content[HEADER.size :]) != checksum:
        raise SystemExit(f"{path}: not a compact n-gram model of version {VERSION}, or damaged")
    body = Body(content[HEADER.size :])
    order, _ = body.u32(), body.take("<u4", 3)
    words, levels, grams, owners = body.words(), [], np.zeros((1, 0), np.int64), None
    for n in range(1, order + 1):
        count, width = body.u32(), body.u32()
        last = np.arange(count) if n == 1 else body.packed(count, width)
        log_prob = body.values(count)
        backoff = body.values(count) if n < order else np.zeros(count)
        grams = np.column_stack([grams[owners] if n > 1 else np.zeros((count, 0), np.int64), last])
        levels.append(sort_level(grams, log_prob, backoff, levels, len(words)))
        bits = body.bits(body.u32())
        # For each n-gram as many zeros as others go on from it, then a one.
        ends = np.flatnonzero(bits)[:count]
        owners = np.repeat(np.arange(count), np.diff(ends, prepend=-1) - 1) if n < order else None
    return words, levels
