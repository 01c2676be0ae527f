"""Rows of training audio: recordings laid end to end to a fixed length, so that no batch has padding.

Each recording keeps its own stretch of the row for the loss: from its start to the next one's. CTC over whole rows
stays on its all-blank plateau several times as long.
"""

import itertools
import json
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from augment import SAMPLE_RATE, augment, change_speed, mask_frames, warp_frequencies
from features import LogMel
from subset import by_speaker
from text import encode

FRAME_SHIFT_SAMPLES = 160
SPEECHLESS_SHARE = 0.02
MEAN_PAUSE_SECONDS = 0.4


class Corpus:
    """Packed recordings of `prepare.py`, drawn with a weight per corpus; with `hours`, so many of them, chosen by speaker.

    Recordings without a transcript are left out unless `transcribed` is false.
    """

    def __init__(
        self, folders: list[Path], weights: dict[str, float], longest_samples: int, hours: float | None = None, subset_seed: int = 1,
        transcribed: bool = True,
    ):
        self.items, self.samples = [], []
        for source, folder in enumerate(folders):
            self.samples.append(np.memmap(folder / "samples.i16", "<i2", "r"))
            lines = (folder / "index.jsonl").read_text().splitlines()
            items = [{**json.loads(line), "source": source} for line in lines]
            self.items += [i for i in items if i["length"] <= longest_samples and (i.get("text") or not transcribed)]
        if hours is not None:
            drawn = [item for item in self.items if weights.get(item.get("corpus", ""), 1.0) > 0]
            self.items = by_speaker(drawn, hours, subset_seed)
        if not self.items:
            raise ValueError(f"no recordings in {', '.join(map(str, folders))}")
        weight = np.array([weights.get(item.get("corpus", ""), 1.0) for item in self.items])
        self.probability = weight / weight.sum()
        aligned = weight * ["words" in item for item in self.items]
        # Without any word times the first rows are drawn like the others.
        self.aligned_probability = aligned / aligned.sum() if aligned.any() else self.probability

    def read(self, item: dict) -> np.ndarray:
        part = self.samples[item["source"]][item["offset"] : item["offset"] + item["length"]]
        return part.astype(np.float32) / 32768


@dataclass
class Stretch:
    """Encoder frames `start` to `end` of a row, the token ids spoken there, and each one's frame where it is known."""

    row: int
    start: int
    end: int
    tokens: torch.Tensor
    frames: list[int]


def token_frames(text: str, words: list, offset: int, speed: float, end: int, frame_samples: int) -> list[int]:
    """Spread each word's letters over its time: one encoder frame a token, strictly rising, below `end`; or nothing."""
    at = []
    for word, (start, stop) in zip(text.split(), words):
        step = (stop - start) / len(word)
        at += [start] if at else []
        at += [start + (i + 0.5) * step for i in range(len(word))]
    frames = []
    for sample in at:
        frame = int((offset + sample / speed) / frame_samples)
        frames.append(max(frame, frames[-1] + 1 if frames else 0))
    return frames if frames and frames[-1] < end else []


class RowDataset(torch.utils.data.IterableDataset):
    """Endless rows of one length: frames and their stretches.

    The first `letter_rows` are clean and of recordings with word times. One worker draws them all.
    """

    # Whether rows come with their samples as they were before augmentation, for a teacher.
    keeps_clean = False

    def __init__(
        self, corpus: Corpus, row_frames: int, seed: int, augmented_share: float, letter_rows: int, warped_share: float = 0.0,
        output_rate: int = 25,
    ):
        self.corpus, self.row_frames, self.seed = corpus, row_frames, seed
        self.augmented_share, self.letter_rows, self.warped_share = augmented_share, letter_rows, warped_share
        self.frame_samples = SAMPLE_RATE // output_rate
        self.log_mel = LogMel()

    def __iter__(self):
        rng = np.random.default_rng(self.seed)
        for probability, share, count in (
            (self.corpus.aligned_probability, 0.0, self.letter_rows),
            (self.corpus.probability, self.augmented_share, None),
        ):
            waiting = []
            for _ in range(count) if count is not None else itertools.count():
                # Drawing from thousands of weighted items is slow one at a time.
                if len(waiting) < 64:
                    waiting += [self.corpus.items[i] for i in rng.choice(len(probability), 256, p=probability)]
                yield self.row(waiting, rng, share)

    def row(self, waiting: list, rng: np.random.Generator, share: float) -> tuple:
        """Draw a row: frames, stretches and clean samples, if they are kept."""
        features = self.log_mel.config
        length = features.frame_shift_samples * (self.row_frames - 1) + features.frame_length_samples
        row, starts, spoken, at = np.zeros(length, np.float32), [], [], int(rng.uniform(0, 0.5) * SAMPLE_RATE)
        misses = 0
        augmented = rng.random() < share
        # Some rows hold nothing but the room, so that silence gives no text.
        speechless = augmented and rng.random() < SPEECHLESS_SHARE
        while misses < 6 and waiting and not speechless:
            item = waiting.pop()
            speed = rng.uniform(0.88, 1.12) if share > 0 else 1.0
            if at + item["length"] / speed > length:
                # Too long for what is left: try a few others before closing the row.
                waiting.insert(0, item)
                misses += 1
                continue
            samples = change_speed(self.corpus.read(item), speed) if speed != 1.0 else self.corpus.read(item)
            samples = samples * (0.3 / (np.abs(samples).max() + 1e-3))
            row[at : at + len(samples)] = samples
            offset = at
            starts.append(at // self.frame_samples)
            at += len(samples) + int(rng.exponential(MEAN_PAUSE_SECONDS) * SAMPLE_RATE)
            spoken.append((item, offset, speed))
        if speechless:
            row = rng.standard_normal(length).astype(np.float32) * 10 ** rng.uniform(-5, -1)
        clean = torch.from_numpy(row) if self.keeps_clean else None
        if augmented:
            row = augment(row, rng)
        frames = self.log_mel(torch.from_numpy(row)).numpy()
        if augmented:
            frames = warp_frequencies(frames, rng) if rng.random() < self.warped_share else frames
            frames = mask_frames(frames, rng, float(frames.mean()))
        return torch.from_numpy(frames), self.stretches(starts, spoken), clean

    def stretches(self, starts: list[int], spoken: list[tuple[dict, int, float]]) -> list[Stretch]:
        """Leading silence belongs to the first recording; a speechless row is one stretch without text."""
        row_end = (self.row_frames - 1) * FRAME_SHIFT_SAMPLES // self.frame_samples
        if not spoken:
            return [Stretch(0, 0, row_end, torch.zeros(0, dtype=torch.int32), [])]
        stretches = []
        for start, end, (item, offset, speed) in zip([0, *starts[1:]], [*starts[1:], row_end], spoken):
            known = token_frames(item["text"], item.get("words", []), offset, speed, end, self.frame_samples)
            tokens = torch.tensor(encode(item["text"]), dtype=torch.int32)
            stretches.append(Stretch(0, start, end, tokens, known))
        return stretches


def collate(rows: list) -> tuple[torch.Tensor, list[Stretch], torch.Tensor | None]:
    frames, stretches, clean = zip(*rows)
    flat = [replace(s, row=row) for row, of_row in enumerate(stretches) for s in of_row]
    return torch.stack(frames), flat, torch.stack(clean) if clean[0] is not None else None
