"""Find word times of packed recordings by forced alignment, for the first minutes of training.

    python align.py data/train --hours 1.5 --out data/aligned

PocketSphinx's US English model aligns each transcript; recordings with words that its dictionary lacks are left out.
The index gains `"words": [[start, end], …]` in samples of the packed recording, one pair a word.
"""

import argparse
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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="written by prepare.py")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--hours", type=float, default=1.5, help="of speech to align, drawn at random")
    args = parser.parse_args()
    items = [json.loads(line) for line in (args.folder / "index.jsonl").read_text().splitlines()]
    samples = np.memmap(args.folder / "samples.i16", "<i2", "r")
    decoder = Decoder(samprate=16000, lm=None, loglevel="FATAL")
    args.out.mkdir(parents=True, exist_ok=True)
    link = args.out / "samples.i16"
    link.unlink(missing_ok=True)
    os.link(args.folder / "samples.i16", link)
    wanted, aligned = args.hours * 3600 * 16000, 0
    with open(args.out / "index.jsonl", "w") as index:
        for item in tqdm(random.Random(0).sample(items, len(items)), mininterval=5):
            if wanted <= 0:
                break
            part = samples[item["offset"] : item["offset"] + item["length"]]
            if words := align(decoder, part, item["text"]):
                index.write(json.dumps({**item, "words": words}) + "\n")
                aligned += 1
                wanted -= item["length"]
    print(f"{args.out}: {aligned} of {len(items)} recordings have word times")


if __name__ == "__main__":
    main()
