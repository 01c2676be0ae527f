"""What the tests recognize: the example of the repository, a sentence of four seconds."""

import subprocess
import wave
from pathlib import Path

import numpy as np
import pytest

import mynah

EXAMPLES = Path(__file__).resolve().parents[3] / "examples"


@pytest.fixture(scope="session")
def speech() -> Path:
    return EXAMPLES / "speech.flac"


@pytest.fixture(scope="session")
def text() -> str:
    return (EXAMPLES / "speech.txt").read_text().rstrip("\n")


@pytest.fixture(scope="session")
def samples(speech, tmp_path_factory) -> np.ndarray:
    """The example in int16 at 16 kHz, and a second of silence."""
    file = tmp_path_factory.mktemp("samples") / "speech.wav"
    subprocess.run(["sox", speech, "-r", "16000", "-c", "1", "-b", "16", file], check=True)
    with wave.open(str(file)) as audio:
        spoken = np.frombuffer(audio.readframes(audio.getnframes()), np.int16)
    return np.concatenate([spoken, np.zeros(16_000, np.int16)])


@pytest.fixture(scope="session")
def recording(samples, tmp_path_factory):
    """Writes so many repetitions, each with seconds of silence behind it, into a WAV file."""

    def write(repetitions: int, silence: float = 0.0) -> Path:
        once = np.concatenate([samples, np.zeros(int(silence * 16_000), np.int16)])
        file = tmp_path_factory.mktemp("recording") / "long.wav"
        with wave.open(str(file), "wb") as audio:
            audio.setparams((1, 2, 16_000, 0, "NONE", ""))
            audio.writeframes(np.tile(once, repetitions).tobytes())
        return file

    return write


@pytest.fixture(scope="session")
def model() -> mynah.Model:
    return mynah.Model.builtin()


@pytest.fixture(scope="session")
def recognizer(model) -> mynah.Recognizer:
    return mynah.Recognizer(model)
