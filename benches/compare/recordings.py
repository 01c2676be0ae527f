"""Recordings of a manifest, as `mynah eval` and `mynah spot --eval` read them."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

SAMPLE_RATE = 16_000


@dataclass(frozen=True)
class Recording:
    line: int
    audio: Path
    text: str

    def samples(self) -> np.ndarray:
        """16 kHz mono in [-1, 1]."""
        samples, rate = soundfile.read(self.audio, dtype="float32")
        if rate != SAMPLE_RATE or samples.ndim != 1:
            raise SystemExit(f"{self.audio}: not 16 kHz mono")
        return samples


def read_manifest(manifest: Path, every: int = 1, limit: int | None = None) -> list[Recording]:
    """Every so-manieth recording, the first included, and no more than `limit`."""
    recordings = []
    for number, line in enumerate(manifest.read_text().splitlines(), 1):
        if line.strip():
            row = json.loads(line)
            recordings.append(Recording(number, manifest.parent / row["audio"], row["text"]))
    return recordings[::every][:limit]


def as_int16(samples: np.ndarray) -> bytes:
    return (np.clip(samples, -1, 1) * 32767).astype(np.int16).tobytes()
