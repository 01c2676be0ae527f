"""HuBERT (arXiv 2106.07447): predicting the k-means units of masked frames, of log-mels first, then of a block of the model that this gave."""

from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.data import DataLoader, Subset

from checkpoint import load_checkpoint
from model import StreamingEncoder
from objectives import kmeans
from objectives.base import Objective, context_states, in_pairs, perplexity, spread
from precision import exact
from pretrain_config import PretrainConfig
from unlabelled import MELS_PER_FRAME, Batch, UnlabelledRows, collate


class Hubert(Objective):
    def __init__(self, encoder: StreamingEncoder, config: PretrainConfig):
        super().__init__(encoder, config)
        dim, mel = encoder.config.dim, encoder.config.mel_bins
        # Outside the module tree: neither saved nor trained with the objective.
        self.teacher = [load_checkpoint(Path(config.teacher)).requires_grad_(False)] if config.teacher else []
        width = self.teacher[0].config.dim if self.teacher else MELS_PER_FRAME * mel
        if self.teacher and not 0 <= config.teacher_block <= count_blocks(self.teacher[0]):
            raise ValueError(f"{config.teacher}: no block {config.teacher_block}; it has {count_blocks(self.teacher[0])}")
        self.register_buffer("centroids", torch.zeros(config.units, width))
        self.register_buffer("mean", torch.zeros(width))
        self.register_buffer("scale", torch.ones(width))
        self.project = nn.Linear(dim, config.projection)
        self.unit_embeddings = nn.Parameter(torch.empty(config.units, config.projection).normal_())

    def prepare(self, rows: UnlabelledRows) -> None:
        """Fit the units on the speech of the first `unit_rows` rows."""
        device, points = self.centroids.device, []
        loader = DataLoader(Subset(rows, range(min(self.config.unit_rows, len(rows)))), self.config.batch_rows, collate_fn=collate)
        for batch in loader:
            batch = batch.to(device)
            points.append(self.described(batch.clean)[batch.owner >= 0].cpu())
        points = torch.cat(points).float()
        self.mean.copy_(points.mean(0))
        self.scale.copy_(1 / points.std(0).clamp(min=1e-4))
        normed = (points - self.mean.cpu()) * self.scale.cpu()
        self.centroids.copy_(kmeans.fit(normed, self.config.units, self.config.seed))

    @torch.no_grad()
    def described(self, frames: Tensor) -> Tensor:
        """What the units are clusters of (batch, time, width): four log-mels side by side, or the states of the teacher's block."""
        if not self.teacher:
            return frames[:, :-1].unflatten(1, (-1, MELS_PER_FRAME)).flatten(2)
        teacher = self.teacher[0] = self.teacher[0].to(frames.device)
        left = teacher.config.left_context
        start = torch.zeros(len(frames), 1, dtype=torch.long, device=frames.device)
        states = context_states(teacher, teacher.subsampled(frames), left, start)[self.config.teacher_block]
        return in_pairs(states) if states.shape[1] > frames.shape[1] // MELS_PER_FRAME else states

    @torch.no_grad()
    def units(self, frames: Tensor) -> Tensor:
        """The unit of each frame of 40 ms: (batch, time)."""
        # As they were fitted.
        with exact(frames.device):
            described = self.described(frames).float()
        return kmeans.nearest((described - self.mean) * self.scale, self.centroids)

    def forward(self, batch: Batch, chunk: int, progress: float) -> tuple[Tensor, dict[str, Tensor]]:
        speech, units = batch.owner >= 0, self.units(batch.clean)
        features = self.encoder.subsampled(batch.context)
        states = self.last_frames(self.masked_states(features, batch.mask, chunk, self.starts(batch, chunk)))
        projected = self.project(states).float()
        with exact(states.device):
            similar = F.normalize(projected, dim=-1) @ F.normalize(self.unit_embeddings.float(), dim=-1).T
        logits, masked = similar / self.config.logit_temperature, batch.mask & speech
        loss = F.cross_entropy(logits[masked], units[masked])
        total, open_frames = loss, speech & ~batch.mask
        if self.config.unmasked_weight > 0 and open_frames.any():
            total = total + self.config.unmasked_weight * F.cross_entropy(logits[open_frames], units[open_frames])
        found = logits[masked].argmax(-1)
        shares = F.one_hot(found, self.config.units).float().mean(0)
        of_targets = F.one_hot(units[masked], self.config.units).float().mean(0)
        return total, {
            "accuracy": (found == units[masked]).float().mean(), "perplexity": perplexity(shares),
            "target_perplexity": perplexity(of_targets), "spread": spread(states[speech]),
        }


def count_blocks(model: StreamingEncoder) -> int:
    return len(model.lower) + len(model.upper) + len(model.fresh)
