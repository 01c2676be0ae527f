"""The file of a recurrent language model that Mynah reads, `words.rnn`: embeddings in 4 bits, matrices in 8.

After `MAGIC`, the version, the body's length (u64) and its CRC-32, all little-endian as what follows, the body has:

    u32 words V, u32 width D (even), u32 hidden H, u32 bytes of the text
    text              the words of rows 2 to V − 1 in bytewise order, a line break between two; row 0 is `</s>`, row 1 `<unk>`
    embeddings        V · D/2 bytes, row by row, the even column in the low nibble: (nibble − 8) · the row's scale
    scales, biases    V bf16 each: of the embeddings; of the words' scores
    input             3H · D i8, 3H f32 scales of the rows, 3H f32 biases; rows in PyTorch's order of gates, r, z and n
    recurrent         3H · H i8, and the same
    projection        D · H i8, D f32 scales, D f32 biases

Weights go by the names that `recurrent_lm.py` gives them.
"""

import io
import os
import struct
import zlib
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

MAGIC, VERSION = b"mynah-rn", 1
HEADER, SIZES = struct.Struct("<8sIQI"), struct.Struct("<4I")
SPECIAL = ["</s>", "<unk>"]
END, UNKNOWN = 0, 1
# Each with its biases, in the file's order.
MATRICES = {
    "gru.weight_ih_l0": "gru.bias_ih_l0",
    "gru.weight_hh_l0": "gru.bias_hh_l0",
    "proj.weight": "proj.bias",
}
LARGEST_4_BIT, LARGEST_8_BIT = 7, 127
# Where a row's scale may clip it, as shares of its largest value.
CLIPS = torch.tensor([0.6, 0.7, 0.8, 0.9, 1.0])
# In place of the largest value of a row of zeros.
SMALLEST = 1e-30


def four_bit_rows(rows: Tensor) -> tuple[Tensor, Tensor]:
    """Codes from −7 to 7 (rows, width) and scales (rows, 1), exact in bf16: of a few, those of the least squared error."""
    largest = rows.abs().amax(1, keepdim=True).clamp(min=SMALLEST)
    scales = (largest * CLIPS / LARGEST_4_BIT).bfloat16().float()[..., None]  # (rows, clips, 1)
    codes = (rows[:, None] / scales).round().clamp(-LARGEST_4_BIT, LARGEST_4_BIT)
    best = (codes * scales - rows[:, None]).square().sum(2).argmin(1)
    each = torch.arange(len(rows))
    return codes[each, best], scales[each, best]


def eight_bit_rows(rows: Tensor) -> tuple[Tensor, Tensor]:
    """Codes from −127 to 127 (rows, width), and scales (rows, 1)."""
    scales = rows.abs().amax(1, keepdim=True).clamp(min=SMALLEST) / LARGEST_8_BIT
    return (rows / scales).round(), scales


def bf16_bytes(values: Tensor) -> bytes:
    return values.bfloat16().view(torch.int16).numpy().astype("<i2").tobytes()


def write_recurrent_lm(path: Path, words: list[str], weights: dict[str, Tensor]) -> None:
    """Write a model whose rows are of `words`, `</s>` and `<unk>` first and the others in any order."""
    weights = {name: values.detach().float() for name, values in weights.items()}
    embeddings, hidden = weights["emb.weight"], weights["proj.weight"].shape[1]
    if words[: len(SPECIAL)] != SPECIAL or len(set(words)) < len(words) or any(word.split() != [word] for word in words):
        raise ValueError(f"the words must be {', '.join(SPECIAL)} and then others, each once and without spaces")
    if len(words) != len(embeddings):
        raise ValueError(f"{len(words)} words, but {len(embeddings)} embeddings")
    if embeddings.shape[1] % 2:
        raise ValueError(f"embeddings of width {embeddings.shape[1]}; two share a byte, so it must be even")
    order = [END, UNKNOWN, *sorted(range(len(SPECIAL), len(words)), key=lambda row: words[row].encode())]
    text = "\n".join(words[row] for row in order[len(SPECIAL) :]).encode()
    codes, scales = four_bit_rows(embeddings[order])
    nibbles = (codes + 8).to(torch.uint8)
    body = io.BytesIO()
    body.write(SIZES.pack(*embeddings.shape, hidden, len(text)) + text)
    body.write((nibbles[:, 0::2] | nibbles[:, 1::2] << 4).numpy().tobytes())
    body.write(bf16_bytes(scales) + bf16_bytes(weights["bias"][order]))
    for name, bias in MATRICES.items():
        codes, scales = eight_bit_rows(weights[name])
        body.write(codes.to(torch.int8).numpy().tobytes())
        body.write(scales.numpy().astype("<f4").tobytes() + weights[bias].numpy().astype("<f4").tobytes())
    content = body.getvalue()
    header = HEADER.pack(MAGIC, VERSION, len(content), zlib.crc32(content))
    part = path.with_name(path.name + ".part")
    part.write_bytes(header + content)
    os.replace(part, path)


def read_recurrent_lm(path: Path) -> tuple[list[str], dict[str, Tensor]]:
    """The words in the file's order, and the weights as their codes give them, in f32."""
    content = path.read_bytes()
    if len(content) < HEADER.size or not content.startswith(MAGIC):
        raise ValueError(f"{path}: not a recurrent language model")
    _, version, length, checksum = HEADER.unpack_from(content)
    if version != VERSION:
        raise ValueError(f"{path}: of version {version}; this reads version {VERSION}")
    if len(content) != HEADER.size + length or zlib.crc32(content[HEADER.size :]) != checksum:
        raise ValueError(f"{path}: damaged; its length or checksum is not what it says")
    body = io.BytesIO(content[HEADER.size :])

    def take(kind: str, rows: int, columns: int = 1) -> np.ndarray:
        values = np.frombuffer(body.read(rows * columns * np.dtype(kind).itemsize), kind)
        return values.reshape(rows, columns).astype(kind[1:])

    def take_bf16(rows: int) -> np.ndarray:
        return (take("<u2", rows).astype(np.uint32) << 16).view(np.float32)

    count, width, hidden, text_bytes = SIZES.unpack(body.read(SIZES.size))
    words = [*SPECIAL, *body.read(text_bytes).decode().split("\n")]
    pairs = take("<u1", count, width // 2)
    codes = np.stack([pairs & 15, pairs >> 4], 2).reshape(count, width).astype(np.float32) - 8
    weights = {"emb.weight": codes * take_bf16(count), "bias": take_bf16(count)[:, 0]}
    shapes = ((3 * hidden, width), (3 * hidden, hidden), (width, hidden))
    for (name, bias), (rows, columns) in zip(MATRICES.items(), shapes):
        weights[name] = take("<i1", rows, columns) * take("<f4", rows)
        weights[bias] = take("<f4", rows)[:, 0]
    return words, {name: torch.from_numpy(values) for name, values in weights.items()}
