"""Print a manifest of an unpacked LibriSpeech subset: `python librispeech.py LibriSpeech/train-clean-100`.

Paths are relative to the subset's parent folder's manifest, that is, to where the printed file is meant to stand:
`LibriSpeech/train-clean-100.jsonl`.
"""

import json
import sys
from pathlib import Path


def main() -> None:
    if len(sys.argv) != 2 or not Path(sys.argv[1]).is_dir():
        raise SystemExit("usage: python librispeech.py LibriSpeech/SUBSET")
    subset = Path(sys.argv[1])
    for transcripts in sorted(subset.glob("*/*/*.trans.txt")):
        for line in transcripts.read_text().splitlines():
            name, text = line.split(" ", 1)
            audio = transcripts.with_name(f"{name}.flac").relative_to(subset.parent)
            print(json.dumps({"audio": str(audio), "text": text, "corpus": subset.name}))


if __name__ == "__main__":
    main()
