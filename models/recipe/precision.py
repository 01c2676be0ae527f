"""What training computes in: bf16 where the processor multiplies it, else f32."""

from contextlib import AbstractContextManager, nullcontext
from functools import cache
from pathlib import Path

import torch


@cache
def has_bf16() -> bool:
    """Whether Linux tells of such instructions (avx512_bf16, amx_bf16, ARM's bf16). Without them PyTorch takes a hundred times as long as in f32."""
    try:
        return "bf16" in Path("/proc/cpuinfo").read_text()
    except OSError:
        return False


def autocast() -> AbstractContextManager:
    return torch.autocast("cpu", torch.bfloat16) if has_bf16() else nullcontext()
