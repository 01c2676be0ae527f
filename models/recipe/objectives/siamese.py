"""The contrastive Siamese network c-siam (arXiv 2205.14054): an augmented, masked, warped view predicts the encoding of the clean one."""

import torch
import torch.nn.functional as F
from torch import Tensor

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
        target, speech = self.target(batch, chunk), batch.owner >= 0
        loss, accuracy, match = self.contrast(states, target, batch.owner, batch.mask & speech)
        total = loss
        if self.config.unmasked_weight > 0:
            total = total + self.config.unmasked_weight * self.contrast(states, target, batch.owner, speech & ~batch.mask)[0]
        return total, {
            "masked_loss": loss, "accuracy": accuracy, "match": match, "spread": spread(target[speech]), "state_spread": spread(states[speech])
        }

    def contrast(self, states: Tensor, target: Tensor, owner: Tensor, chosen: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Loss, accuracy and mean cosine of the predictions for `chosen` frames (batch, time), among others of them."""
        index, group = masked_groups(owner, chosen)
        predicted = self.predictor(self.project(states.flatten(0, 1)[index]))
        own = target.flatten(0, 1)[index]
        loss, accuracy = contrastive_loss(
            predicted, own, draw_distractors(group, self.config.distractors), self.config.logit_temperature
        )
        return loss, accuracy, F.cosine_similarity(predicted.float(), own.float(), dim=-1).mean()
