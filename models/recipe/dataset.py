"""Rows of training audio: recordings laid end to end to a fixed length, so that no batch has padding."""

import json
from pathlib import Path

import numpy as np
import torch

from augment import SAMPLE_RATE, augment, change_speed, mask_frames
from features import LogMel
from text import encode

SPEECHLESS_SHARE = 0.02
MEAN_PAUSE_SECONDS = 0.4


class Corpus:
    """Packed recordings of `prepare.py`, drawn with a weight per corpus."""

    def __init__(self, folders: list[Path], weights: dict[str, float], longest_samples: int):
        self.items, self.samples = [], []
        for source, folder in enumerate(folders):
            self.samples.append(np.memmap(folder / "samples.i16", "<i2", "r"))
            lines = (folder / "index.jsonl").read_text().splitlines()
            items = [{**json.loads(line), "source": source} for line in lines]
            self.items += [item for item in items if item["length"] <= longest_samples]
        if not self.items:
            raise ValueError(f"no recordings in {', '.join(map(str, folders))}")
        weight = np.array([weights.get(item.get("corpus", ""), 1.0) for item in self.items])
        self.probability = weight / weight.sum()

    def read(self, item: dict) -> np.ndarray:
        part = self.samples[item["source"]][item["offset"] : item["offset"] + item["length"]]
        return part.astype(np.float32) / 32768


class RowDataset(torch.utils.data.IterableDataset):
    """Endless (frames, token ids) rows of one length. Each worker draws its own."""

    def __init__(self, corpus: Corpus, row_frames: int, seed: int, augmented: bool = True):
        self.corpus, self.row_frames, self.seed, self.augmented = corpus, row_frames, seed, augmented
        self.log_mel = LogMel()

    def __iter__(self):
        worker = torch.utils.data.get_worker_info()
        rng = np.random.default_rng([self.seed, worker.id if worker else 0])
        # Drawing from 7,000 weighted items is slow one at a time.
        waiting = []
        while True:
            if len(waiting) < 64:
                drawn = rng.choice(len(self.corpus.items), 256, p=self.corpus.probability)
                waiting += [self.corpus.items[i] for i in drawn]
            yield self.row(waiting, rng)

    def row(self, waiting: list, rng: np.random.Generator) -> tuple[torch.Tensor, torch.Tensor]:
        features = self.log_mel.config
        length = features.frame_shift_samples * (self.row_frames - 1) + features.frame_length_samples
        row, texts, at = np.zeros(length, np.float32), [], int(rng.uniform(0, 0.5) * SAMPLE_RATE)
        misses = 0
        # Some rows hold nothing but the room, so that silence gives no text.
        speechless = self.augmented and rng.random() < SPEECHLESS_SHARE
        while misses < 6 and waiting and not speechless:
            item = waiting.pop()
            speed = rng.uniform(0.88, 1.12) if self.augmented else 1.0
            if at + item["length"] / speed > length:
                # Too long for what is left: try a few others before closing the row.
                waiting.insert(0, item)
                misses += 1
                continue
            samples = change_speed(self.corpus.read(item), speed) if self.augmented else self.corpus.read(item)
            samples = samples * (0.3 / (np.abs(samples).max() + 1e-3))
            row[at : at + len(samples)] = samples
            at += len(samples) + int(rng.exponential(MEAN_PAUSE_SECONDS) * SAMPLE_RATE)
            texts.append(item["text"])
        if speechless:
            row = rng.standard_normal(length).astype(np.float32) * 10 ** rng.uniform(-5, -1)
        if self.augmented:
            row = augment(row, rng)
        frames = self.log_mel(torch.from_numpy(row))
        if self.augmented:
            frames = torch.from_numpy(mask_frames(frames.numpy(), rng, float(frames.mean())))
        return frames, torch.tensor(encode(" ".join(texts)), dtype=torch.int32)


def collate(rows: list) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    frames, texts = zip(*rows)
    lengths = torch.tensor([len(t) for t in texts], dtype=torch.int32)
    return torch.stack(frames), torch.nn.utils.rnn.pad_sequence(texts, batch_first=True), lengths
