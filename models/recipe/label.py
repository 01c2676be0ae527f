"""Write transcripts for speech that has none: a manifest of what a teacher is sure enough of.

    python label.py unlabelled.jsonl --teacher whisper:whisper-base --out labelled.jsonl

Every line keeps its keys and gains the teacher's text, its confidence and `"text_source"`. Recordings in which the teacher hears
nothing, or of which it is less sure than `--min-confidence`, are left out.
"""

import argparse
import json
import os
from collections.abc import Iterator
from pathlib import Path

import torch
from tqdm import tqdm

from prepare import SECONDS, read_audio
from teachers import SAMPLE_RATE, Teacher, open_teacher


def label(manifest: Path, teacher: Teacher, source: str, min_confidence: float, out: Path) -> Iterator[dict | None]:
    """Yield each recording's line for a manifest at `out`, or nothing where it is left out."""
    for line in manifest.read_text().splitlines():
        item = json.loads(line)
        path = manifest.parent / item["audio"]
        samples = torch.from_numpy(read_audio(path))
        if not SECONDS[0] <= len(samples) / SAMPLE_RATE <= SECONDS[1]:
            yield None
            continue
        heard = teacher.hear(samples[None])
        text, confidence = heard.texts[0], heard.confidences[0]
        if not text or confidence < min_confidence:
            yield None
            continue
        audio = os.path.relpath(path.absolute(), out.absolute().parent)
        yield {**item, "audio": audio, "text": text, "text_source": source, "confidence": round(confidence, 3)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("manifest", type=Path)
    parser.add_argument("--teacher", required=True, help="KIND:PATH, see teachers.py")
    parser.add_argument("--min-confidence", type=float, default=0.6, help="0 to 1 (default: 0.6)")
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    kept = left_out = 0
    with open(args.out, "w") as out:
        lines = label(args.manifest, open_teacher(args.teacher), args.teacher, args.min_confidence, args.out)
        for line in tqdm(lines, unit="recording"):
            kept, left_out = kept + bool(line), left_out + (not line)
            if line:
                out.write(json.dumps(line) + "\n")
    print(f"{args.out}: {kept} recordings; {left_out} left out")


if __name__ == "__main__":
    main()
