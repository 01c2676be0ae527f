"""Speak the toy set, with Debian's flite: `python tests/toy.py FOLDER` writes recordings and `toy.jsonl`."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import soundfile

SENTENCES = {
    "slt": ["the quick brown fox jumps over the lazy dog", "turn on the light in the kitchen"],
    "rms": ["call my sister at seven this evening", "it is raining and the streets are wet"],
    "awb": ["please put two cups of flour in the bowl", "he walked along the river until dark"],
}
# Training without augmentation hears every recording at this level.
PEAK = 0.3


def main() -> None:
    if len(sys.argv) != 2:
        raise SystemExit("usage: python tests/toy.py FOLDER")
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "toy.jsonl", "w") as manifest:
        for voice, sentences in SENTENCES.items():
            for index, sentence in enumerate(sentences):
                path = folder / f"{voice}-{index}.wav"
                subprocess.run(["flite", "-voice", voice, "-t", sentence, "-o", path], check=True)
                samples, rate = soundfile.read(path, dtype="float32")
                soundfile.write(path, samples * (PEAK / np.abs(samples).max()), rate)
                manifest.write(json.dumps({"audio": path.name, "text": sentence}) + "\n")


if __name__ == "__main__":
    main()
