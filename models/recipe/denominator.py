"""`denominator.c` for PyTorch: the sum over all paths with its gradient. Compiled by `cc` when it is first used."""

import ctypes
import hashlib
import os
import shutil
import subprocess
from functools import cache
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.autograd import Function

SOURCE = Path(__file__).with_name("denominator.c")
FLAGS = ("-O3", "-march=native", "-ffast-math", "-fopenmp", "-shared", "-fPIC")
# Values of a vector.
LANES = 16


@cache
def library() -> ctypes.CDLL | None:
    """The compiled file, kept beside Python's; nothing without a C compiler that can make it."""
    if shutil.which("cc") is None:
        return None
    digest = hashlib.sha256(SOURCE.read_bytes()).hexdigest()[:16]
    path = SOURCE.parent / "__pycache__" / f"denominator-{digest}.so"
    if not path.exists():
        path.parent.mkdir(exist_ok=True)
        part = path.with_suffix(f".{os.getpid()}")
        if subprocess.run(["cc", *FLAGS, str(SOURCE), "-o", str(part), "-lm"]).returncode != 0:
            return None
        os.replace(part, path)
    return ctypes.CDLL(str(path))


class LogPartition(Function):
    @staticmethod
    def forward(ctx, log_probs: Tensor, lengths: list[int], trigram: np.ndarray) -> Tensor:
        probs = np.ascontiguousarray(log_probs.detach().float().exp().numpy())
        shares, sums, counts = np.zeros_like(probs), np.zeros(len(lengths)), np.array(lengths, np.int32)
        pointers = [array.ctypes.data_as(ctypes.c_void_p) for array in (trigram, probs, counts, shares, sums)]
        _, phones, width = trigram.shape
        library().log_partition(pointers[0], phones, width, *pointers[1:3], len(lengths), *pointers[3:])
        ctx.save_for_backward(torch.from_numpy(shares), torch.from_numpy(counts).long())
        return torch.from_numpy(sums).float()

    @staticmethod
    def backward(ctx, gradient: Tensor) -> tuple[Tensor, None, None]:
        shares, lengths = ctx.saved_tensors
        return shares * gradient.repeat_interleave(lengths)[:, None], None, None


def padded(trigram: Tensor) -> np.ndarray:
    """P(c | a, b) as (b, a, c), rows filled up with zeros."""
    phones = len(trigram)
    rows = torch.zeros(phones, phones, -(-phones // LANES) * LANES)
    rows[..., :phones] = trigram.transpose(0, 1)
    return rows.contiguous().numpy()


def log_partition(log_probs: Tensor, lengths: list[int], trigram: np.ndarray) -> Tensor:
    """log_probs (frames, phone) of sequences laid end to end, the trigram `padded` → the log of each one's sum (sequence)."""
    return LogPartition.apply(log_probs, lengths, trigram)
