"""Copy a manifest's recordings with noise, telephone or another gain, to see what a model bears.

    python degrade.py dev.jsonl --noise 10 --out data/noise-10
    mynah eval data/noise-10/manifest.jsonl

Noise is pink (equal power per octave, above 50 Hz), at a signal-to-noise ratio over the whole recording. `--telephone` keeps 300 to
3400 Hz at 8 kHz, in the 8-bit steps of G.711's µ-law. What a gain drives beyond full scale is clipped.
"""

import argparse
import json
from pathlib import Path

import numpy as np
import soundfile
from scipy.signal import butter, resample_poly, sosfilt
from tqdm import tqdm

from prepare import SAMPLE_RATE, read_audio

LOWEST_NOISE_HZ, TELEPHONE_HZ, TELEPHONE_RATE = 50, (300, 3400), 8000
MU = 255


def pink_noise(count: int, rng: np.random.Generator) -> np.ndarray:
    """Noise of unit power."""
    frequencies = np.fft.rfftfreq(count, 1 / SAMPLE_RATE)
    spectrum = np.fft.rfft(rng.standard_normal(count))
    heard = frequencies >= LOWEST_NOISE_HZ
    spectrum[heard] /= np.sqrt(frequencies[heard])
    spectrum[~heard] = 0
    noise = np.fft.irfft(spectrum, count)
    return noise / np.sqrt(np.mean(noise**2))


def telephone(samples: np.ndarray) -> np.ndarray:
    """At TELEPHONE_RATE."""
    band = butter(4, TELEPHONE_HZ, "band", fs=SAMPLE_RATE, output="sos")
    narrow = np.clip(resample_poly(sosfilt(band, samples), TELEPHONE_RATE, SAMPLE_RATE), -1, 1)
    steps = np.round(np.sign(narrow) * np.log1p(MU * np.abs(narrow)) / np.log1p(MU) * 127) / 127
    return np.sign(steps) * np.expm1(np.abs(steps) * np.log1p(MU)) / MU


def degrade(samples: np.ndarray, args: argparse.Namespace, rng: np.random.Generator) -> np.ndarray:
    if args.noise is not None:
        level = np.sqrt(np.mean(samples**2)) * 10 ** (-args.noise / 20)
        return samples + level * pink_noise(len(samples), rng)
    return telephone(samples) if args.telephone else samples * 10 ** (args.gain / 20)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("manifest", type=Path)
    how = parser.add_mutually_exclusive_group(required=True)
    how.add_argument("--noise", type=float, metavar="DB", help="signal-to-noise ratio")
    how.add_argument("--telephone", action="store_true")
    how.add_argument("--gain", type=float, metavar="DB")
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    rng, entries = np.random.default_rng(0), []
    for index, line in enumerate(tqdm(args.manifest.read_text().splitlines())):
        entry = json.loads(line)
        samples = read_audio(args.manifest.parent / entry["audio"]).astype(np.float64)
        degraded = np.clip(degrade(samples, args, rng), -1, 1)
        name = f"{index}.wav"
        soundfile.write(args.out / name, degraded, TELEPHONE_RATE if args.telephone else SAMPLE_RATE, subtype="PCM_16")
        entries.append(json.dumps({**entry, "audio": name}))
    (args.out / "manifest.jsonl").write_text("\n".join(entries) + "\n")


if __name__ == "__main__":
    main()
