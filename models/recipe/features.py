"""The one definition of the log-mel frames, pinned by the Rust tests through `fixtures.py`.

Frame t covers samples 160·t to 160·t + 400 (25 ms every 10 ms at 16 kHz, no padding): a periodic Hann
window, the power spectrum of a 400-point DFT, 80 triangular mel filters on the Slaney scale with unit
area (the filters Whisper was trained with), and the natural logarithm floored at `LOG_FLOOR`.
"""

from dataclasses import asdict, dataclass

import numpy as np
import torch


@dataclass(frozen=True)
class FeatureConfig:
    sample_rate: int = 16000
    frame_length_samples: int = 400
    frame_shift_samples: int = 160
    mel_bins: int = 80
    low_hz: float = 0.0
    high_hz: float = 8000.0
    energy_floor: float = 1e-7

    def as_dict(self) -> dict:
        return asdict(self)


def slaney_hz(mel: np.ndarray) -> np.ndarray:
    """Slaney's scale (Auditory Toolbox, 1998): linear to 1 kHz at 3 mel per 200 Hz, then 27 steps per factor of 6.4."""
    return np.where(mel < 15, mel * 200 / 3, 1000 * np.exp((mel - 15) * np.log(6.4) / 27))


def slaney_mel(hz: float) -> float:
    return hz * 3 / 200 if hz < 1000 else 15 + 27 * np.log(hz / 1000) / np.log(6.4)


def mel_filters(config: FeatureConfig) -> np.ndarray:
    """Return the filters as (mel, frequency)."""
    edges = slaney_hz(np.linspace(slaney_mel(config.low_hz), slaney_mel(config.high_hz), config.mel_bins + 2))
    bins = np.arange(config.frame_length_samples // 2 + 1) * config.sample_rate / config.frame_length_samples
    left, centre, right = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    triangles = np.minimum((bins - left) / (centre - left), (right - bins) / (right - centre)).clip(0)
    return (triangles * 2 / (right - left)).astype(np.float32)


class LogMel:
    """Turns samples in [-1, 1] into log-mel frames."""

    def __init__(self, config: FeatureConfig = FeatureConfig()):
        self.config = config
        self.window = torch.hann_window(config.frame_length_samples)
        self.filters = torch.from_numpy(mel_filters(config)).T.contiguous()  # (frequency, mel)

    def __call__(self, samples: torch.Tensor) -> torch.Tensor:
        """(…, samples) → (…, frames, mel)."""
        config = self.config
        frames = samples.unfold(-1, config.frame_length_samples, config.frame_shift_samples)
        power = torch.fft.rfft(frames * self.window).abs().square()
        return (power @ self.filters).clamp(min=config.energy_floor).log()
