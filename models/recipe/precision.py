"""What training computes on, and in: a GPU in bf16 if there is one; else the processor, in bf16 where it multiplies it and in f32 elsewhere."""

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


def best_device() -> torch.device:
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def exact(device: torch.device) -> AbstractContextManager:
    """Products in f32 within `autocast`, which computes them in bf16 whatever type its factors have."""
    return torch.autocast(device.type, enabled=False)


def autocast(device: str = "cpu") -> AbstractContextManager:
    """`device` is a `torch.device`'s type."""
    return torch.autocast(device, torch.bfloat16) if device == "cuda" or has_bf16() else nullcontext()
