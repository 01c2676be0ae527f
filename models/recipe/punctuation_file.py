"""The file of a punctuation model that Mynah reads, `punctuation.bin`: embeddings in 4 bits, matrices in 8.

After `MAGIC`, the version, the body's length (u64) and its CRC-32, all little-endian as what follows, the body has:

    u32 width D (even), u32 hidden H, u32 suffix rows S, u32 bytes of the words, of the names, of the forms
    words, names      lower case, in bytewise order, a line break between two; the V words have the rows 0 to V − 1
    forms             words of mixed case as they are written, in the order of their lower case
    embeddings        (V + 2S) · D/2 bytes, row by row, the even column in the low nibble: (nibble − 8) · the row's scale;
                      row V + CRC-32 of a word's last three bytes modulo S is that of a word without one, S further that of a name
    scales            V + 2S bf16
    for the first layer and the second, for the direction forward and backward:
        input         3H · D i8 (2H in the second), 3H f32 scales of the rows, 3H f32 biases; gates r, z and n, as PyTorch has them
        gaps          the first layer only: 5 · 3H f32, what a pause adds
        recurrent     3H · H i8, and scales and biases
    output            8 · 2H i8, and scales and biases: four marks, three cases, whether it is a spoken mark

Weights go by the names that `punctuation.py` gives them.
"""

import io
import os
import struct
import zlib
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from punctuation_data import GAPS, SUFFIX_ROWS
from recurrent_lm_file import HEADER, bf16_bytes, eight_bit_rows, four_bit_rows

MAGIC, VERSION = b"mynah-pm", 1
SIZES = struct.Struct("<6I")
DIRECTIONS = [f"l{layer}{direction}" for layer in (0, 1) for direction in ("", "_reverse")]
OUTPUTS = 8


def f32_bytes(values: Tensor) -> bytes:
    return values.contiguous().numpy().astype("<f4").tobytes()


def matrix_bytes(weight: Tensor, bias: Tensor) -> bytes:
    codes, scales = eight_bit_rows(weight)
    return codes.to(torch.int8).numpy().tobytes() + f32_bytes(scales) + f32_bytes(bias)


def listed(words: list[str]) -> bytes:
    return "\n".join(words).encode()


def write_punctuation(path: Path, words: list[str], names: list[str], forms: dict[str, str], weights: dict[str, Tensor]) -> None:
    """Write a model whose first rows are of `words`."""
    weights = {name: values.detach().float() for name, values in weights.items()}
    embeddings, hidden = weights["emb.weight"], weights["gru.weight_hh_l0"].shape[1]
    width = embeddings.shape[1]
    if words != sorted(set(words), key=str.encode) or len(words) + 2 * SUFFIX_ROWS != len(embeddings):
        raise ValueError(f"{len(words)} words, which must be sorted, and {len(embeddings)} embeddings")
    if width % 2:
        raise ValueError(f"embeddings of width {width}; two share a byte, so it must be even")
    texts = listed(words), listed(sorted(names, key=str.encode)), listed([forms[word] for word in sorted(forms, key=str.encode)])
    body = io.BytesIO()
    body.write(SIZES.pack(width, hidden, SUFFIX_ROWS, *map(len, texts)) + b"".join(texts))
    codes, scales = four_bit_rows(embeddings)
    nibbles = (codes + 8).to(torch.uint8)
    body.write((nibbles[:, 0::2] | nibbles[:, 1::2] << 4).numpy().tobytes() + bf16_bytes(scales))
    for direction in DIRECTIONS:
        inputs, first = weights[f"gru.weight_ih_{direction}"], direction.startswith("l0")
        body.write(matrix_bytes(inputs[:, :width] if first else inputs, weights[f"gru.bias_ih_{direction}"]))
        if first:
            body.write(f32_bytes(inputs[:, width:].T))
        body.write(matrix_bytes(weights[f"gru.weight_hh_{direction}"], weights[f"gru.bias_hh_{direction}"]))
    body.write(matrix_bytes(weights["out.weight"], weights["out.bias"]))
    content = body.getvalue()
    header = HEADER.pack(MAGIC, VERSION, len(content), zlib.crc32(content))
    part = path.with_name(path.name + ".part")
    part.write_bytes(header + content)
    os.replace(part, path)


def read_punctuation(path: Path) -> tuple[list[str], list[str], dict[str, str], dict[str, Tensor]]:
    """The words, names and forms, and the weights as their codes give them, in f32."""
    content = path.read_bytes()
    if len(content) < HEADER.size or not content.startswith(MAGIC):
        raise ValueError(f"{path}: not a punctuation model")
    _, version, length, checksum = HEADER.unpack_from(content)
    if version != VERSION:
        raise ValueError(f"{path}: of version {version}; this reads version {VERSION}")
    if len(content) != HEADER.size + length or zlib.crc32(content[HEADER.size :]) != checksum:
        raise ValueError(f"{path}: damaged; its length or checksum is not what it says")
    body = io.BytesIO(content[HEADER.size :])

    def take(kind: str, rows: int, columns: int = 1) -> np.ndarray:
        values = np.frombuffer(body.read(rows * columns * np.dtype(kind).itemsize), kind)
        return values.reshape(rows, columns).astype(kind[1:])

    def take_matrix(rows: int, columns: int) -> tuple[np.ndarray, np.ndarray]:
        weight = take("<i1", rows, columns) * take("<f4", rows)
        return weight.astype(np.float32), take("<f4", rows)[:, 0]

    width, hidden, suffix_rows, *lengths = SIZES.unpack(body.read(SIZES.size))
    words, names, forms = (body.read(length).decode().split("\n") if length else [] for length in lengths)
    rows = len(words) + 2 * suffix_rows
    pairs = take("<u1", rows, width // 2)
    codes = np.stack([pairs & 15, pairs >> 4], 2).reshape(rows, width).astype(np.float32) - 8
    weights = {"emb.weight": codes * (take("<u2", rows).astype(np.uint32) << 16).view(np.float32)}
    for direction in DIRECTIONS:
        first = direction.startswith("l0")
        inputs, weights[f"gru.bias_ih_{direction}"] = take_matrix(3 * hidden, width if first else 2 * hidden)
        weights[f"gru.weight_ih_{direction}"] = np.concatenate([inputs, take("<f4", GAPS, 3 * hidden).T], 1) if first else inputs
        weights[f"gru.weight_hh_{direction}"], weights[f"gru.bias_hh_{direction}"] = take_matrix(3 * hidden, hidden)
    weights["out.weight"], weights["out.bias"] = take_matrix(OUTPUTS, 2 * hidden)
    return words, names, {form.lower(): form for form in forms}, {name: torch.from_numpy(values) for name, values in weights.items()}
