"""Rows of speech for pre-training: recordings laid end to end, with their augmented view, owners and masks.

Row `index` depends on the seed and the index alone, whatever the number of workers, so that a resumed run reads what an unbroken one does.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from dataset import FRAME_SHIFT_SAMPLES, Corpus
from features import LogMel
from objectives.augmentations import augment_view, check, read_at, warped_times
from objectives.masks import span_mask
from pretrain_config import PretrainConfig
from shards import unpack

SAMPLE_RATE = 16000
SHORTEST_SAMPLES = SAMPLE_RATE
PAUSE_SAMPLES = SAMPLE_RATE // 5
MELS_PER_FRAME = 4
PEAK = 0.3


@dataclass
class Batch:
    """Rows of `time` frames of 40 ms.

    `context` and `clean` are log-mels (batch, 4·time + 1, mel), augmented and not. `owner` (batch, time) numbers the recording of a row that a
    frame belongs to, -1 where there is none; `mask` (batch, time) is true for masked frames; `aligned` (batch, time) is the position in
    `clean`, in frames, of what a frame of `context` shows.
    """

    context: Tensor
    clean: Tensor
    owner: Tensor
    mask: Tensor
    aligned: Tensor

    def to(self, device: torch.device) -> "Batch":
        return Batch(*(value.to(device, non_blocking=True) for value in vars(self).values()))

    @property
    def augmented(self) -> bool:
        return self.context is not self.clean


class UnlabelledRows(Dataset):
    def __init__(self, folders: list[Path], config: PretrainConfig, rows: int, warps: bool = False):
        for folder in folders:
            unpack(folder)
        check(config.augmentations)
        self.corpus = Corpus(folders, config.corpus_weights, longest_samples=2**62, transcribed=False)
        self.config, self.rows = config, rows
        self.shift = config.time_shift * SAMPLE_RATE / FRAME_SHIFT_SAMPLES if warps else 0.0
        self.log_mel = LogMel()

    def __len__(self) -> int:
        return self.rows

    def __getitem__(self, index: int) -> tuple[np.ndarray, ...]:
        config, rng = self.config, np.random.default_rng([self.config.seed, index])
        samples, owner = self.row(rng)
        clean = self.log_mel(torch.from_numpy(samples)).numpy()
        context = clean
        if config.augmentations:
            context = self.log_mel(torch.from_numpy(augment_view(samples, config.augmentations, rng))).numpy()
        if config.augment_targets:
            clean = context
        at = warped_times(len(clean), self.shift, rng)
        if self.shift > 0:
            context = read_at(context, at)
        mask = span_mask(owner, config.mask_start, config.mask_span, rng)
        aligned = (at[: -1 : MELS_PER_FRAME] / MELS_PER_FRAME).astype(np.float32)
        return context, clean, owner, mask, aligned

    def row(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Samples of a row, and the recording that each frame of 40 ms belongs to."""
        features, time = self.log_mel.config, (self.config.row_frames() - 1) // MELS_PER_FRAME
        length = features.frame_shift_samples * (self.config.row_frames() - 1) + features.frame_length_samples
        frame = MELS_PER_FRAME * FRAME_SHIFT_SAMPLES
        samples, owner, at, count = np.zeros(length, np.float32), np.full(time, -1, np.int64), 0, 0
        while length - at >= SHORTEST_SAMPLES or count == 0:
            item = self.corpus.items[rng.choice(len(self.corpus.items), p=self.corpus.probability)]
            part = self.corpus.read(item)
            if len(part) > length - at:
                skipped = rng.integers(0, len(part) - (length - at) + 1)
                part = part[skipped : skipped + length - at]
            samples[at : at + len(part)] = part * (PEAK / (np.abs(part).max() + 1e-3))
            owner[at // frame : (at + len(part)) // frame] = count
            at, count = at + len(part) + PAUSE_SAMPLES, count + 1
        return samples, owner


def collate(rows: list[tuple[np.ndarray, ...]]) -> Batch:
    contexts, cleans, owners, masks, aligned = zip(*rows)
    same = all(context is clean for context, clean in zip(contexts, cleans))
    context = torch.from_numpy(np.stack(contexts))
    clean = context if same else torch.from_numpy(np.stack(cleans))
    return Batch(context, clean, *(torch.from_numpy(np.stack(part)) for part in (owners, masks, aligned)))
