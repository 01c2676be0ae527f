"""The contrastive Siamese network c-siam (arXiv 2205.14054): an augmented, masked, warped view predicts the encoding of the clean one."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from model import StreamingEncoder
from objectives.base import Objective, context_states, projection, spread
from objectives.contrast import contrastive_loss, draw_distractors, masked_groups
from pretrain_config import PretrainConfig
from unlabelled import Batch


def read_states(states: Tensor, at: Tensor) -> Tensor:
    """States (batch, time, dim) at fractional positions (batch, time), linearly interpolated."""
    low = at.floor().clamp(0, states.shape[1] - 2).long()
    share = (at - low).unsqueeze(-1).to(states.dtype)
    wide = low.unsqueeze(-1).expand(-1, -1, states.shape[-1])
    return states.gather(1, wide) * (1 - share) + states.gather(1, wide + 1) * share


class Siamese(Objective):
    """Both branches share encoder and projection. The target branch passes no gradient; the augmented one has a predictor beyond."""

    warps = True

    def __init__(self, encoder: StreamingEncoder, config: PretrainConfig):
        super().__init__(encoder, config)
        self.project = projection(encoder.config.dim, config.projection, True)
        self.predictor = projection(config.projection, config.projection, True)

    def target(self, batch: Batch, chunk: int) -> Tensor:
        """What the target branch makes of the clean view, at the positions that the augmented one shows: (batch, time, projection).

        It begins at positions of its own, so that positions alone match nothing.
        """
        with torch.no_grad():
            features = self.encoder.subsampled(batch.clean)
            states = self.last_frames(context_states(self.encoder, features, chunk, self.starts(batch, chunk)))
            return read_states(self.project(states), batch.aligned)

    def forward(self, batch: Batch, chunk: int, progress: float) -> tuple[Tensor, dict[str, Tensor]]:
        features = self.encoder.subsampled(batch.context)
        states = self.last_frames(self.masked_states(features, batch.mask, chunk, self.starts(batch, chunk)))
        target = self.target(batch, chunk)
        index, group = masked_groups(batch.owner, batch.mask)
        predicted = self.predictor(self.project(states.flatten(0, 1)[index]))
        target = target.flatten(0, 1)[index]
        loss, accuracy = contrastive_loss(
            predicted, target, draw_distractors(group, self.config.distractors), self.config.logit_temperature
        )
        match = F.cosine_similarity(predicted.float(), target.float(), dim=-1).mean()
        return loss, {"accuracy": accuracy, "match": match, "spread": spread(target), "state_spread": spread(states.flatten(0, 1)[index])}
