"""The interface of objectives, and what they share: the context network and the collapse detector."""

from abc import ABC, abstractmethod

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from model import StreamingEncoder
from pretrain_config import PretrainConfig
from unlabelled import Batch


def in_pairs(x: Tensor) -> Tensor:
    """States at 50 Hz to frames of 40 ms: the means of pairs."""
    return (x[:, ::2] + x[:, 1::2]) * 0.5


def context_states(model: StreamingEncoder, x: Tensor, chunk: int, start: Tensor) -> list[Tensor]:
    """The states after the stem and after each block, under chunk masks; the last one normed as the heads read it.

    x (batch, 2·time, dim) as `subsampled` gives it, chunk in 40 ms, start (batch, 1) in 50 Hz frames. The states have 50 Hz below the
    change of rate, and the output's rate above it.
    """
    x = x + model.positions(start, x.shape[1])
    states = [x]
    for index in range(len(model.lower)):
        states.append(model.through_lower(states[-1], chunk, slice(index, index + 1)))
    x = model.at_output_rate(states[-1])
    left = model.per_step * model.config.left_context
    mask = model.chunk_mask(x.shape[1] // left, left, model.per_step * chunk).to(x.device)
    for block in model.upper:
        x = block(x, mask, left)
        states.append(x)
    x = model.bridge_norm(x)
    for block in model.fresh:
        x = block(x, mask, left)
        states.append(x)
    return [*states[:-1], model.head_norm(x)]


def spread(states: Tensor) -> Tensor:
    """How far apart frames (frames, dim) are: the standard deviation of unit vectors times the root of dim. 1 is isotropic, 0 is collapse."""
    unit = F.normalize(states.detach().float(), dim=-1)
    return unit.std(0).mean() * states.shape[-1] ** 0.5


def perplexity(probabilities: Tensor) -> Tensor:
    """The exponential of the entropy of distributions (…, entry)."""
    return (-(probabilities * (probabilities + 1e-9).log()).sum(-1)).exp()


def projection(dim_in: int, dim_out: int, mlp: bool) -> nn.Module:
    """A linear projection, or wav2vec-Aug's perceptron in its place."""
    if not mlp:
        return nn.Linear(dim_in, dim_out)
    return nn.Sequential(nn.Linear(dim_in, 2 * dim_in), nn.LayerNorm(2 * dim_in), nn.GELU(), nn.Linear(2 * dim_in, dim_out))


class Objective(nn.Module, ABC):
    """A loss on unlabelled rows. Its parameters beside the encoder's learn with it and are dropped afterwards."""

    # Whether the context view has its time axis warped.
    warps = False

    def __init__(self, encoder: StreamingEncoder, config: PretrainConfig):
        super().__init__()
        self.encoder, self.config = encoder, config
        self.mask_embedding = nn.Parameter(torch.empty(encoder.config.dim).uniform_())

    def prepare(self, rows) -> None:
        """What is computed once before the first update, from `rows` of `UnlabelledRows`."""

    @abstractmethod
    def forward(self, batch: Batch, chunk: int, progress: float) -> tuple[Tensor, dict[str, Tensor]]:
        """The loss, and figures for the log: `accuracy` on masked frames, `perplexity`, `spread` and more. progress is 0 to 1."""

    def starts(self, batch: Batch, chunk: int) -> Tensor:
        return self.encoder.random_starts(len(batch.owner), 2 * batch.owner.shape[1], chunk).to(batch.context.device)

    def masked_states(self, features: Tensor, mask: Tensor, chunk: int, start: Tensor) -> list[Tensor]:
        """`context_states` of the stem's features (batch, 2·time, dim) with `mask` (batch, time) of them replaced by the embedding."""
        wide = mask.repeat_interleave(2, 1).unsqueeze(-1)
        return context_states(self.encoder, torch.where(wide, self.mask_embedding.to(features.dtype), features), chunk, start)

    def last_frames(self, states: list[Tensor]) -> Tensor:
        """The last states as frames of 40 ms: (batch, time, dim)."""
        return states[-1] if self.encoder.per_step == 1 else in_pairs(states[-1])
