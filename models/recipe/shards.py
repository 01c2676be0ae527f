"""Speech in pieces of bounded size, to be carried to another machine: Ogg Opus recordings end to end.

    python shards.py my-recordings/unlabelled.jsonl data/train --out data/pieces --megabytes 64

Sources are manifests, with or without transcripts, and folders of `prepare.py`. The output has `piece-000.bin` and so on, and `pieces.jsonl` with
each recording's piece, offset and bytes. `pretrain.py` and `train.py` take such a folder as `--data`: its first use decodes
it to what `prepare.py` writes.
"""

import argparse
import io
import json
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soundfile
from tqdm import tqdm

from prepare import SAMPLE_RATE, read_audio, trim
from text import normalize

SHORTEST_SECONDS = 0.3


def recordings(source: Path) -> Iterator[tuple[dict, np.ndarray]]:
    """Each recording's line and samples at 16 kHz, silence beyond 0.2 s cut at both ends."""
    if source.is_dir():
        samples = np.memmap(source / "samples.i16", "<i2", "r")
        for line in (source / "index.jsonl").read_text().splitlines():
            item = json.loads(line)
            yield item, samples[item["offset"] : item["offset"] + item["length"]].astype(np.float32) / 32768
        return
    for line in source.read_text().splitlines():
        item = json.loads(line)
        yield {**item, "text": normalize(item.get("text") or "")}, trim(read_audio(source.parent / item["audio"]))


def encode(samples: np.ndarray) -> bytes:
    """Ogg Opus, mono."""
    file = io.BytesIO()
    soundfile.write(file, samples.clip(-1, 1), SAMPLE_RATE, format="OGG", subtype="OPUS", compression_level=0.9)
    return file.getvalue()


def decode(data: bytes, length: int) -> np.ndarray:
    """16-bit samples, `length` of them."""
    samples, rate = soundfile.read(io.BytesIO(data), dtype="float32")
    if rate != SAMPLE_RATE:
        raise ValueError(f"a recording of {rate} Hz in a piece; expected {SAMPLE_RATE}: write the pieces anew")
    return (np.pad(samples, (0, max(0, length - len(samples))))[:length].clip(-1, 1) * 32767).astype("<i2")


def pack(sources: list[Path], out: Path, most_bytes: int) -> tuple[int, float]:
    """Write the pieces; return how many there are and their hours."""
    if out.resolve() in (source.resolve() for source in sources):
        raise ValueError(f"{out}: a source; the pieces need a folder of their own")
    out.mkdir(parents=True, exist_ok=True)
    # What an earlier call's pieces were decoded to.
    (out / "index.jsonl").unlink(missing_ok=True)
    piece, at, total = 0, 0, 0
    with open(out / "pieces.jsonl", "w") as index:
        file = open(out / "piece-000.bin", "wb")
        for source in sources:
            for item, samples in tqdm(recordings(source), desc=source.name, mininterval=5):
                if len(samples) < SHORTEST_SECONDS * SAMPLE_RATE:
                    continue
                data = encode(samples)
                if at + len(data) > most_bytes and at > 0:
                    file.close()
                    piece, at = piece + 1, 0
                    file = open(out / f"piece-{piece:03}.bin", "wb")
                file.write(data)
                index.write(json.dumps({**item, "piece": piece, "offset": at, "bytes": len(data), "length": len(samples)}) + "\n")
                at, total = at + len(data), total + len(samples)
        file.close()
    return piece + 1, total / SAMPLE_RATE / 3600


def unpack(folder: Path) -> None:
    """Decode a folder of pieces to `samples.i16` and `index.jsonl`, as `prepare.py` writes them, unless that was done."""
    if (folder / "index.jsonl").exists() or not (folder / "pieces.jsonl").exists():
        return
    at, pieces = 0, {}
    with open(folder / "samples.i16", "wb") as samples_file, open(folder / "index.jsonl.part", "w") as index:
        for line in tqdm((folder / "pieces.jsonl").read_text().splitlines(), desc=f"decoding {folder.name}", mininterval=5):
            item = json.loads(line)
            piece = item.pop("piece")
            if piece not in pieces:
                pieces = {piece: (folder / f"piece-{piece:03}.bin").read_bytes()}
            start = item["offset"]
            samples = decode(pieces[piece][start : start + item.pop("bytes")], item["length"])
            samples_file.write(samples.tobytes())
            index.write(json.dumps({**item, "offset": at}) + "\n")
            at += len(samples)
    os.replace(folder / "index.jsonl.part", folder / "index.jsonl")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sources", nargs="+", type=Path, help="manifests, or folders of prepare.py")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--megabytes", type=float, default=64, help="of a piece, at most")
    args = parser.parse_args()
    pieces, hours = pack(args.sources, args.out, int(args.megabytes * 1e6))
    print(f"{args.out}: {hours:.2f} hours in {pieces} pieces")


if __name__ == "__main__":
    main()
