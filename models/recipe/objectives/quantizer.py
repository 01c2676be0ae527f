"""Product quantization by Gumbel softmax (wav2vec 2.0, arXiv 2006.11477)."""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from objectives.base import perplexity


class Quantized(NamedTuple):
    vectors: Tensor  # (frames, dim)
    codes: Tensor  # (frames, groups), of the hard choice
    soft_perplexity: Tensor  # (groups,) of the mean softmax, 1 to the entries; the diversity loss raises it
    code_perplexity: Tensor  # mean over groups, of the share of frames that each entry has


class GumbelQuantizer(nn.Module):
    """`groups` codebooks of `entries` vectors each; a frame has one of each, laid end to end."""

    def __init__(self, dim_in: int, dim: int, groups: int, entries: int):
        super().__init__()
        if dim % groups:
            raise ValueError(f"a projection of {dim} dimensions can't be divided into {groups} groups")
        self.groups, self.entries = groups, entries
        self.logits = nn.Linear(dim_in, groups * entries)
        nn.init.normal_(self.logits.weight)
        nn.init.zeros_(self.logits.bias)
        self.codebook = nn.Parameter(torch.empty(groups, entries, dim // groups).uniform_())

    def forward(self, x: Tensor, temperature: float) -> Quantized:
        """x (frames, dim_in). In training entries are drawn at the temperature, straight through; else the likeliest are taken."""
        logits = self.logits(x).float().unflatten(-1, (self.groups, self.entries))
        codes = logits.argmax(-1)
        if self.training:
            choice = F.gumbel_softmax(logits, temperature, hard=True)
            codes = choice.argmax(-1)
        else:
            choice = F.one_hot(codes, self.entries).float()
        vectors = torch.einsum("fge,ged->fgd", choice, self.codebook.float()).flatten(1)
        used = F.one_hot(logits.argmax(-1), self.entries).float().mean(0)
        return Quantized(vectors, codes, perplexity(logits.softmax(-1).mean(0)), perplexity(used).mean())

    def diversity_loss(self, quantized: Quantized) -> Tensor:
        """0 where all entries are used alike, nearly 1 where one is used for all."""
        return 1 - quantized.soft_perplexity.mean() / self.entries
