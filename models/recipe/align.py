"""Word times by forced alignment with PocketSphinx's US English model, for the first minutes of training."""

import json
import os
import random
from pathlib import Path

import numpy as np
from pocketsphinx import Decoder
from tqdm import tqdm

FRAME_SAMPLES = 160


def align(decoder: Decoder, samples: np.ndarray, text: str) -> list[list[int]] | None:
    """Return (start, end) of each word in samples, or nothing where the alignment fails."""
    try:
        decoder.set_align_text(text.lower())
        decoder.start_utt()
        decoder.process_raw(samples.tobytes(), full_utt=True)
        decoder.end_utt()
        spoken = [s for s in decoder.seg() or [] if s.word[0] not in "<[+"]
    except RuntimeError:
        return None
    times = [[s.start_frame * FRAME_SAMPLES, (s.end_frame + 1) * FRAME_SAMPLES] for s in spoken]
    return times if len(times) == len(text.split()) else None


def add_word_times(folder: Path, hours: float) -> int:
    """Align recordings of a packed folder, drawn at random, and return how many now have word times.

    Their lines of `index.jsonl` gain `"words": [[start, end], …]` in samples of the recording, one pair a word. A
    recording with a word that PocketSphinx's dictionary lacks stays as it is.
    """
    items = [json.loads(line) for line in (folder / "index.jsonl").read_text().splitlines()]
    samples = np.memmap(folder / "samples.i16", "<i2", "r")
    decoder = Decoder(samprate=16000, lm=None, loglevel="FATAL")
    wanted, aligned = hours * 3600 * 16000, 0
    for item in tqdm(random.Random(0).sample(items, len(items)), desc="aligning", mininterval=5):
        if wanted <= 0:
            break
        part = samples[item["offset"] : item["offset"] + item["length"]]
        if words := align(decoder, part, item["text"]):
            item["words"] = words
            aligned += 1
            wanted -= item["length"]
    part = folder / "index.jsonl.part"
    part.write_text("".join(json.dumps(item) + "\n" for item in items))
    os.replace(part, folder / "index.jsonl")
    return aligned
