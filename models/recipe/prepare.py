"""Pack recordings into one file of 16 kHz samples and an index, so that training reads no audio format.

    python prepare.py MANIFEST.jsonl … --out data/train

A manifest's lines are `{"audio": path relative to the manifest, "text": …}`; other keys are kept.
Silence beyond 0.2 s is cut at both ends. Recordings outside 0.3–24 s and lines without text are left out. Some hours are
aligned word by word: training begins with those.
"""

import argparse
import json
from pathlib import Path

import numpy as np
import soundfile
import soxr
from tqdm import tqdm

from align import add_word_times
from text import normalize

SAMPLE_RATE = 16000
MARGIN_SAMPLES = SAMPLE_RATE // 5
SECONDS = (0.3, 24.0)


def read_audio(path: Path) -> np.ndarray:
    """Return mono float32 samples at 16 kHz."""
    samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    samples = samples.mean(1)
    return samples if rate == SAMPLE_RATE else soxr.resample(samples, rate, SAMPLE_RATE)


def trim(samples: np.ndarray) -> np.ndarray:
    """Cut both ends where 25 ms energies stay 35 dB under the loudest, leaving a margin."""
    width = SAMPLE_RATE // 40
    if len(samples) < width:
        return samples
    energy = np.square(samples[: len(samples) // width * width]).reshape(-1, width).mean(1)
    loud = np.flatnonzero(energy > energy.max() * 10**-3.5)
    if len(loud) == 0:
        return samples
    return samples[max(0, loud[0] * width - MARGIN_SAMPLES) : (loud[-1] + 1) * width + MARGIN_SAMPLES]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("manifests", nargs="+", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--align-hours", type=float, default=1.5)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    at, kept, left_out = 0, 0, 0
    with open(args.out / "samples.i16", "wb") as samples_file, open(args.out / "index.jsonl", "w") as index:
        for manifest in args.manifests:
            for line in tqdm(manifest.read_text().splitlines(), desc=manifest.name, mininterval=5):
                item = json.loads(line)
                text = normalize(item.get("text") or "")
                samples = trim(read_audio(manifest.parent / item["audio"])) if text else np.zeros(0)
                if not SECONDS[0] <= len(samples) / SAMPLE_RATE <= SECONDS[1]:
                    left_out += 1
                    continue
                samples_file.write((samples.clip(-1, 1) * 32767).astype("<i2").tobytes())
                line = {**item, "text": text, "offset": at, "length": len(samples)}
                index.write(json.dumps(line) + "\n")
                at, kept = at + len(samples), kept + 1
    print(f"{args.out}: {kept} recordings, {at / SAMPLE_RATE / 3600:.2f} hours; {left_out} left out")
    if args.align_hours > 0:
        print(f"{add_word_times(args.out, args.align_hours)} recordings have word times")


if __name__ == "__main__":
    main()
