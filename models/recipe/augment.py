"""Augmentation, drawn at random: what microphones, rooms and codecs do to speech, other voices, and masks."""

import numpy as np
from scipy.signal import butter, fftconvolve, sosfilt

SAMPLE_RATE = 16000


def change_speed(samples: np.ndarray, factor: float) -> np.ndarray:
    """Resample linearly, which moves tempo and pitch together."""
    at = np.arange(0, len(samples) - 1, factor)
    return np.interp(at, np.arange(len(samples)), samples).astype(np.float32)


def add_room(samples: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Convolve with exponentially decaying noise after a direct path (reverberation time 0.1–0.6 s)."""
    seconds = rng.uniform(0.1, 0.6)
    tail = rng.standard_normal(int(seconds * SAMPLE_RATE)) * np.exp(-6.9 * np.linspace(0, 1, int(seconds * SAMPLE_RATE)))
    response = tail * rng.uniform(0.02, 0.12)
    response[0] = 1.0
    return fftconvolve(samples, response)[: len(samples)].astype(np.float32)


def limit_band(samples: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Low-pass at 3–7 kHz; half the time also high-pass at 80–300 Hz, as telephones and small microphones do."""
    sos = butter(6, rng.uniform(3000, 7000), fs=SAMPLE_RATE, output="sos")
    if rng.random() < 0.5:
        sos = np.vstack([sos, butter(2, rng.uniform(80, 300), "high", fs=SAMPLE_RATE, output="sos")])
    return sosfilt(sos, samples).astype(np.float32)


def add_noise(samples: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Add noise between white and brown at 5–35 dB under the speech."""
    noise = rng.standard_normal(len(samples)).astype(np.float32)
    colour = rng.uniform(0, 0.98)
    noise = sosfilt([[1, 0, 0, 1, -colour, 0]], noise).astype(np.float32)
    level = np.sqrt(np.mean(samples**2) / (np.mean(noise**2) + 1e-12)) * 10 ** (-rng.uniform(5, 35) / 20)
    return samples + level * noise


def augment(samples: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Room, band, noise and gain on one row of training audio."""
    if rng.random() < 0.3:
        samples = add_room(samples, rng)
    if rng.random() < 0.35:
        samples = limit_band(samples, rng)
    if rng.random() < 0.5:
        samples = add_noise(samples, rng)
    peak = np.abs(samples).max() + 1e-6
    return np.clip(samples * (10 ** (rng.uniform(-26, 0) / 20) / peak), -1, 1)


def warp_frequencies(frames: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Stretch or squeeze the mel axis by up to a tenth, as shorter and longer vocal tracts do (Jaitly and Hinton 2013)."""
    last = frames.shape[1] - 1
    at = np.clip(np.arange(last + 1) * rng.uniform(0.9, 1.1), 0, last)
    low = np.minimum(at.astype(int), last - 1)
    share = (at - low).astype(np.float32)
    return frames[:, low] * (1 - share) + frames[:, low + 1] * share


def mask_frames(frames: np.ndarray, rng: np.random.Generator, fill: float) -> np.ndarray:
    """SpecAugment (arXiv 1904.08779): two bands of up to 20 mel bins, and spans of up to 0.3 s, one per 2.5 s."""
    time, mel = frames.shape
    for _ in range(2):
        width = rng.integers(0, 21)
        low = rng.integers(0, mel - width + 1)
        frames[:, low : low + width] = fill
    for _ in range(time // 250):
        width = rng.integers(0, 31)
        start = rng.integers(0, time - width + 1)
        frames[start : start + width] = fill
    return frames
