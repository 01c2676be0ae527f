"""Augmentations of wav2vec-Aug (arXiv 2206.13654) and of Kharitonov et al. (2020) for pre-training on little speech, one function each.

Each takes a row's samples in [-1, 1] and a generator, and returns as many samples.
"""

from collections.abc import Callable

import numpy as np
from scipy.signal import butter, sosfilt

from augment import SAMPLE_RATE, add_noise, add_room, change_speed

WINDOW, HOP = 512, 128


def fit(samples: np.ndarray, length: int) -> np.ndarray:
    return np.pad(samples, (0, max(0, length - len(samples))))[:length]


def stretch(samples: np.ndarray, factor: float) -> np.ndarray:
    """Make speech `factor` times as long at the same pitch, by a phase vocoder."""
    window = np.hanning(WINDOW + 1)[:-1].astype(np.float32)
    frames = np.lib.stride_tricks.sliding_window_view(np.pad(samples, WINDOW, "reflect"), WINDOW)[::HOP]
    spectrum = np.fft.rfft(frames * window)
    at = np.arange(0, len(spectrum) - 1, 1 / factor)
    low, share = at.astype(int), (at % 1)[:, None]
    magnitude = np.abs(spectrum)
    magnitude = magnitude[low] * (1 - share) + magnitude[low + 1] * share
    # Phases advance by what the two frames around each position differ in.
    phase = np.angle(spectrum)
    advance = phase[low + 1] - phase[low]
    turned = phase[:1] + np.concatenate([np.zeros_like(advance[:1]), np.cumsum(advance[:-1], 0)])
    pieces = np.fft.irfft(magnitude * np.exp(1j * turned), WINDOW) * window
    out = np.zeros(HOP * len(pieces) + WINDOW, np.float32)
    for index, piece in enumerate(pieces):
        out[index * HOP : index * HOP + WINDOW] += piece
    out = out / (np.square(window).sum() / HOP)
    skip = int(WINDOW * factor)
    return out[skip : skip + int(len(samples) * factor)].astype(np.float32)


def shift_pitch(samples: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Up to four semitones up or down, at the same tempo."""
    factor = 2 ** (rng.uniform(-4, 4) / 12)
    return fit(change_speed(stretch(samples, factor), factor), len(samples))


def reject_band(samples: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Remove a band of up to 600 Hz."""
    low = rng.uniform(100, 6500)
    sos = butter(4, [low, low + rng.uniform(100, 600)], "bandstop", fs=SAMPLE_RATE, output="sos")
    return sosfilt(sos, samples).astype(np.float32)


def drop_time(samples: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Silence one span of up to 50 ms per second."""
    samples = samples.copy()
    for _ in range(max(1, len(samples) // SAMPLE_RATE)):
        start, width = rng.integers(0, len(samples)), rng.integers(0, SAMPLE_RATE // 20)
        samples[start : start + width] = 0
    return samples


def change_gain(samples: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Up to 12 dB less."""
    return samples * np.float32(10 ** (-rng.uniform(0, 12) / 20))


AUGMENTATIONS: dict[str, Callable[[np.ndarray, np.random.Generator], np.ndarray]] = {
    "pitch": shift_pitch,
    "reverb": add_room,
    "band_reject": reject_band,
    "noise": add_noise,
    "time_drop": drop_time,
    "gain": change_gain,
}


def check(probabilities: dict[str, float]) -> None:
    if unknown := set(probabilities) - AUGMENTATIONS.keys():
        raise ValueError(f"augmentations: {', '.join(sorted(unknown))} unknown; there are {', '.join(AUGMENTATIONS)}")


def augment_view(samples: np.ndarray, probabilities: dict[str, float], rng: np.random.Generator) -> np.ndarray:
    """Apply each augmentation with its probability, in the order of `AUGMENTATIONS`."""
    for name, function in AUGMENTATIONS.items():
        if rng.random() < probabilities.get(name, 0.0):
            samples = function(samples, rng)
    return samples.clip(-1, 1).astype(np.float32)


def warped_times(time: int, most: float, rng: np.random.Generator) -> np.ndarray:
    """A random monotone map of `time` frames on themselves: the position in the row that each frame of the warped row shows.

    Knots every 5 · `most` frames move by up to `most`; both ends stay.
    """
    at = np.arange(time, dtype=np.float64)
    if most <= 0:
        return at
    knots = np.linspace(0, time - 1, max(2, round(time / (5 * most)) + 1))
    moved = knots + rng.uniform(-most, most, len(knots))
    moved[0], moved[-1] = 0, time - 1
    return np.interp(at, knots, np.maximum.accumulate(moved.clip(0, time - 1)))


def read_at(frames: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Rows of `frames` (time, …) at fractional positions, linearly interpolated."""
    low = np.minimum(at.astype(int), len(frames) - 2)
    share = (at - low)[:, None].astype(frames.dtype)
    return frames[low] * (1 - share) + frames[low + 1] * share
