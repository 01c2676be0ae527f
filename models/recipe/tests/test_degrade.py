"""What is asked for is what recordings get."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

PROGRAM = Path(__file__).parents[1] / "degrade.py"


@pytest.fixture
def manifest(tmp_path) -> Path:
    time = np.arange(32000) / 16000
    soundfile.write(tmp_path / "a.wav", 0.2 * np.sin(2 * np.pi * 1000 * time) + 0.2 * np.sin(2 * np.pi * 6000 * time), 16000)
    path = tmp_path / "all.jsonl"
    path.write_text(json.dumps({"audio": "a.wav", "text": "BEEP"}) + "\n")
    return path


def degraded(manifest: Path, *options: str) -> tuple[np.ndarray, int]:
    out = manifest.parent / "out"
    subprocess.run([sys.executable, PROGRAM, manifest, *options, "--out", out], check=True)
    entry = json.loads((out / "manifest.jsonl").read_text())
    assert entry["text"] == "BEEP"
    return soundfile.read(out / entry["audio"])


def power_at(samples: np.ndarray, rate: int, hertz: float) -> float:
    time = np.arange(len(samples)) / rate
    return abs(np.mean(samples * np.exp(-2j * np.pi * hertz * time))) ** 2


def test_noise_has_its_ratio(manifest):
    clean, _ = soundfile.read(manifest.parent / "a.wav")
    noisy, rate = degraded(manifest, "--noise", "10")
    assert rate == 16000
    assert 10 * np.log10(np.mean(clean**2) / np.mean((noisy - clean) ** 2)) == pytest.approx(10, abs=0.1)


def test_a_telephone_has_no_high_tones(manifest):
    samples, rate = degraded(manifest, "--telephone")
    assert rate == 8000 and len(samples) == 16000
    assert power_at(samples, rate, 1000) == pytest.approx(0.01, rel=0.1)
    assert power_at(samples, rate, 2000) < 1e-5


def test_gain_clips_at_full_scale(manifest):
    samples, _ = degraded(manifest, "--gain", "20")
    assert np.abs(samples).max() > 0.99
    quiet, _ = degraded(manifest, "--gain", "-20")
    assert np.sqrt(np.mean(quiet**2)) == pytest.approx(0.02, rel=0.02)
