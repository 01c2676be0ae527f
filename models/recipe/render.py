"""Write transcripts as Whisper writes, with its capitals, punctuation and numerals: an index `rendered.jsonl` beside a prepared folder's own.

    python render.py data/train --whisper tiny.en

Recordings are laid end to end up to Whisper's 30 s and heard by faster-whisper; where it heard the transcript's word, its way of writing that word
is taken, elsewhere the transcript's word in lower case. What was heard decides no word.
"""

import argparse
import json
from difflib import SequenceMatcher
from pathlib import Path

import numpy as np
from faster_whisper import WhisperModel
from tqdm import tqdm

from prepare import SAMPLE_RATE
from text import normalize

# How what Whisper abbreviates is read aloud.
SPOKEN = {"MR": "MISTER", "MRS": "MISSUS", "DR": "DOCTOR", "ETC": "ET CETERA"}
WINDOW, GAP = 28 * SAMPLE_RATE, SAMPLE_RATE // 2


def windows(items: list[dict]) -> list[list[dict]]:
    """Neighbours that fit into one window together."""
    groups, length = [[]], 0
    for item in items:
        if groups[-1] and length + item["length"] > WINDOW:
            groups.append([])
            length = 0
        groups[-1].append(item)
        length += item["length"] + GAP
    return groups


def rendered(words: list[str], heard: list[str]) -> list[str]:
    """The words as they were written where they were heard."""
    written = [word.lower() for word in words]
    keys = [SPOKEN.get(key, key) for key in map(normalize, heard)]
    for first, second, count in SequenceMatcher(None, words, keys, autojunk=False).get_matching_blocks():
        written[first : first + count] = heard[second : second + count]
    return written


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="written by prepare.py")
    parser.add_argument("--whisper", default="tiny.en", help="a name of faster-whisper's or a folder (default: tiny.en)")
    args = parser.parse_args()
    items = [json.loads(line) for line in (args.folder / "index.jsonl").read_text().splitlines()]
    samples = np.memmap(args.folder / "samples.i16", "<i2", "r")
    model = WhisperModel(args.whisper, device="cpu", compute_type="int8")
    gap, matched, count = np.zeros(GAP, np.float32), 0, 0
    with open(args.folder / "rendered.jsonl", "w") as out:
        for group in tqdm(windows(items), unit="window", mininterval=5):
            pieces = [samples[item["offset"] :][: item["length"]].astype(np.float32) / 32768 for item in group]
            audio = np.concatenate([part for piece in pieces for part in (piece, gap)])
            segments, _ = model.transcribe(audio, beam_size=1, temperature=0.0, language="en", without_timestamps=True)
            words = [word for item in group for word in item["text"].split()]
            written = rendered(words, " ".join(segment.text for segment in segments).split())
            matched, count = matched + sum(a != b.lower() for a, b in zip(written, words)), count + len(words)
            for item in group:
                size = len(item["text"].split())
                out.write(json.dumps({**item, "rendered": " ".join(written[:size])}) + "\n")
                written = written[size:]
    print(f"{matched} of {count} words are not written in lower case alone")


if __name__ == "__main__":
    main()
