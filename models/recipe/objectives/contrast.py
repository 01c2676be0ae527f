"""The contrast of a frame's own target with those of other masked frames of its utterance (InfoNCE)."""

import torch
import torch.nn.functional as F
from torch import Tensor

from precision import exact


def masked_groups(owner: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """Which masked frames have another one in their utterance.

    owner, mask (batch, time) → indices (frames,) into the flattened rows in order, and the utterance of each, numbered from 0.
    """
    row = torch.arange(len(owner), device=owner.device).unsqueeze(1)
    key = (row * (owner.max() + 2) + owner + 1).flatten()
    index = (mask & (owner >= 0)).flatten().nonzero().squeeze(1)
    _, group, count = key[index].unique_consecutive(return_inverse=True, return_counts=True)
    kept = count[group] > 1
    _, group = group[kept].unique_consecutive(return_inverse=True)
    return index[kept], group


def draw_distractors(group: Tensor, count: int) -> Tensor:
    """For each of the frames, `count` others of its group, drawn with replacement: (frames, count), indices into the frames.

    group (frames,) is ascending, and each of its values occurs twice or more.
    """
    _, sizes = group.unique_consecutive(return_counts=True)
    first = (sizes.cumsum(0) - sizes)[group]
    own = torch.arange(len(group), device=group.device) - first
    size = sizes[group].unsqueeze(1)
    drawn = (torch.rand(len(group), count, device=group.device) * (size - 1)).long().clamp(max=size - 2)
    drawn = drawn + (drawn >= own.unsqueeze(1))
    return first.unsqueeze(1) + drawn


def contrastive_loss(
    predicted: Tensor, targets: Tensor, distractors: Tensor, temperature: float, codes: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Mean cross-entropy of each frame's own target among its distractors by cosine similarity, and how many frames find it, as a share
    of those that have a distractor.

    predicted, targets (frames, dim), distractors (frames, count) as `draw_distractors` gives them; codes (frames, group) exclude distractors
    that are quantized as the target is. The loss of no frames is 0.
    """
    if len(predicted) == 0:
        return predicted.sum(), predicted.new_zeros(())
    with exact(predicted.device):
        similarity = F.normalize(predicted.float(), dim=-1) @ F.normalize(targets.float(), dim=-1).T / temperature
    negative = similarity.gather(1, distractors)
    if codes is not None:
        same = (codes[distractors] == codes.unsqueeze(1)).all(-1)
        negative = negative.masked_fill(same, float("-inf"))
    positive = similarity.diagonal().unsqueeze(1)
    loss = F.cross_entropy(torch.cat([positive, negative], 1), torch.zeros(len(positive), dtype=torch.long, device=positive.device))
    contested = negative.isfinite().any(1)
    found = contested & (positive.squeeze(1) > negative.amax(1))
    return loss, found.sum() / contested.sum().clamp(min=1)
