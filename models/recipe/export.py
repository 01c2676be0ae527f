"""Export a checkpoint as the folder that Mynah loads: f32 and int8 ONNX, tokens and config.

The graphs take chunks of any whole number of encoder frames; config.json lists the lengths trained with.

    python export.py runs/first/average.pt --calibrate data/train --out ../en-small --name en-small
    python export.py runs/head/average.pt --calibrate data/train --out ../en-small --name en-small --pronunciations data/pronunciations.txt

A model with phones needs pronunciations: those given, else those that the folder has from before. The same goes for `--letter-to-sound`,
which may be lacking. Nothing is written when ten streamed chunks differ from PyTorch by more than 5e-4 (f32).
"""

import argparse
import json
import shutil
import tempfile
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch

from checkpoint import load_mean, name_weights, read_chunks
from features import LogMel
from lexicon import PHONES
from model import STEM_LOOKAHEAD_FRAMES, StreamingEncoder
from quantize import quantize, streaming
from text import TOKENS

OPSET = 17
# Sums in another order move log-probabilities of −20 and less by up to 2e-4.
PARITY_CHUNKS, PARITY_TOLERANCE = 10, 5e-4
PHONES_FILE = "phones.txt"
# The first is written by lexicon.py, the second, which may be left out, by letter_to_sound.py.
LEXICON_FILES = {"pronunciations": "pronunciations.txt", "letter_to_sound": "letter-to-sound.txt"}


class Chunk(torch.nn.Module):
    """`forward_chunk` as a module's forward, which is what the exporter takes."""

    def __init__(self, model: StreamingEncoder):
        super().__init__()
        self.model = model

    def forward(self, frames, *caches):
        return self.model.forward_chunk(frames, *caches)


def phones_of(model: StreamingEncoder, lexicon: dict[str, Path], out: Path) -> dict:
    """The `phones` section: the files of `lexicon`, by their keys, and those that the folder has already."""
    if not model.config.phones:
        if lexicon:
            raise SystemExit(f"refused: the model has no phones for {next(iter(lexicon.values()))}")
        return {}
    if missing := [path for path in lexicon.values() if not path.is_file()]:
        raise SystemExit(f"refused: {missing[0]} is no file")
    found = {key: name for key, name in LEXICON_FILES.items() if key in lexicon or (out / name).exists()}
    if "pronunciations" not in found:
        raise SystemExit(f"refused: a model with phones needs --pronunciations, see lexicon.py; {out} has none yet")
    return {"phones": {"file": PHONES_FILE, **found}}


def config_of(model: StreamingEncoder, name: str, chunk: int, chunks: tuple[int, ...]) -> dict:
    """What the runtime must know of the model, but for its lexicon; `chunk` in 40 ms by default, `chunks` by choice, the longest for files."""
    caches = model.initial_caches()
    return {
        "name": name,
        "language": "en",
        "features": model.features.as_dict(),
        "encoder": {
            "f32": "encoder.onnx",
            "int8": "encoder.int8.onnx",
            "chunk_frames": 4 * chunk,
            "chunk_choices": [4 * choice for choice in sorted({chunk, *chunks})],
            "offline_chunk_frames": 4 * max(chunk, *chunks),
            "lookahead_frames": STEM_LOOKAHEAD_FRAMES,
            "subsampling_factor": 4 // model.per_step,
            "left_context_frames": 4 * model.config.left_context,
            "caches": [
                {"name": n, "shape": list(c.shape), "initial": float(c.flatten()[0])} for n, c in caches.items()
            ],
        },
        "tokens": "tokens.txt",
        "blank": 0,
    }


def with_each_chunk(config: dict) -> list[dict]:
    """The config with each of its chunk lengths in turn."""
    return [
        {**config, "encoder": {**config["encoder"], "chunk_frames": size}} for size in config["encoder"]["chunk_choices"]
    ]


def export_f32(model: StreamingEncoder, config: dict, path: Path) -> None:
    encoder = config["encoder"]
    frames = torch.zeros(1, encoder["chunk_frames"] + encoder["lookahead_frames"], config["features"]["mel_bins"])
    caches = model.initial_caches()
    torch.onnx.export(
        Chunk(model).eval(),
        (frames, *caches.values()),
        path,
        input_names=["frames", *caches],
        output_names=["log_probs", *(f"new_{name}" for name in caches)],
        dynamic_axes={"frames": {1: "input_frames"}},
        opset_version=OPSET,
        dynamo=False,
    )
    # Exporter and machine leave no trace in the file.
    graph = onnx.load(path)
    for node in graph.graph.node:
        node.ClearField("doc_string")
    name_weights(graph, model)
    onnx.save(graph, path)


def random_frames(config: dict, chunks: int, seed: int = 0) -> np.ndarray:
    """Speech-like frames for parity: (frames, mel)."""
    encoder, features = config["encoder"], config["features"]
    count = chunks * encoder["chunk_frames"] + encoder["lookahead_frames"]
    return np.random.default_rng(seed).normal(-6, 3, (count, features["mel_bins"])).astype(np.float32)


class OnnxStream:
    """One stream through an exported encoder."""

    def __init__(self, path: Path, config: dict):
        self.session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        self.config = config
        self.caches = {
            c["name"]: np.full(c["shape"], c["initial"], np.float32) for c in config["encoder"]["caches"]
        }

    def run(self, frames: np.ndarray) -> np.ndarray:
        """All whole chunks of (frames, mel) → (encoder frames, token and phone)."""
        size, lookahead = self.config["encoder"]["chunk_frames"], self.config["encoder"]["lookahead_frames"]
        outputs = []
        for start in range(0, len(frames) - lookahead - size + 1, size):
            inputs = {"frames": frames[None, start : start + size + lookahead], **self.caches}
            log_probs, *new = self.session.run(None, inputs)
            self.caches = dict(zip(self.caches, new))
            outputs.append(log_probs[0])
        return np.concatenate(outputs)


@torch.no_grad()
def torch_log_probs(model: StreamingEncoder, config: dict, frames: np.ndarray) -> np.ndarray:
    """The same chunks through PyTorch's streaming step."""
    size, lookahead = config["encoder"]["chunk_frames"], config["encoder"]["lookahead_frames"]
    caches, outputs = list(model.initial_caches().values()), []
    for start in range(0, len(frames) - lookahead - size + 1, size):
        log_probs, *caches = model.forward_chunk(torch.from_numpy(frames[None, start : start + size + lookahead]), *caches)
        outputs.append(log_probs[0].numpy())
    return np.concatenate(outputs)


def calibration_frames(folder: Path, seconds: float, config: dict) -> np.ndarray:
    """Frames of some training recordings laid end to end, as loud as augmentation makes them."""
    lines = (folder / "index.jsonl").read_text().splitlines()
    samples = np.memmap(folder / "samples.i16", "<i2", "r")
    rng = np.random.default_rng(0)
    picked = [json.loads(line) for line in rng.permutation(lines)]
    pieces, total = [], 0
    for item in picked:
        piece = samples[item["offset"] : item["offset"] + item["length"]].astype(np.float32)
        pieces.append(piece * (10 ** (rng.uniform(-26, 0) / 20) / (np.abs(piece).max() + 1)))
        total += len(piece)
        if total > seconds * config["features"]["sample_rate"]:
            break
    return LogMel()(torch.from_numpy(np.concatenate(pieces))).numpy()


def export(
    model: StreamingEncoder, name: str, chunk: int, chunks: tuple[int, ...], calibration: np.ndarray | None, out: Path,
    lexicon: dict[str, Path] | None = None, int8_only: bool = False,
) -> dict:
    """Write the model folder and return its config. `lexicon` has files by the keys of LEXICON_FILES."""
    lexicon = lexicon or {}
    config = {**config_of(model, name, chunk, chunks), **phones_of(model, lexicon, out)}
    with tempfile.TemporaryDirectory() as scratch:
        f32, int8 = Path(scratch) / "encoder.onnx", Path(scratch) / "encoder.int8.onnx"
        export_f32(model, config, f32)
        for choice in with_each_chunk(config):
            frames = random_frames(choice, PARITY_CHUNKS)
            difference = np.abs(OnnxStream(f32, choice).run(frames) - torch_log_probs(model, choice, frames)).max()
            print(f"{PARITY_CHUNKS} chunks of {choice['encoder']['chunk_frames']} frames differ from PyTorch by {difference:.1e}")
            if not difference <= PARITY_TOLERANCE:
                raise SystemExit(f"refused: more than {PARITY_TOLERANCE:.0e} apart; nothing was written to {out}")
        frames = random_frames(config, PARITY_CHUNKS)
        quantize(f32, int8, streaming(config, frames if calibration is None else calibration))
        out.mkdir(parents=True, exist_ok=True)
        for path in (int8,) if int8_only else (f32, int8):
            shutil.copyfile(path, out / path.name)
    if int8_only:
        del config["encoder"]["f32"]
    (out / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    (out / "tokens.txt").write_text("\n".join(TOKENS) + "\n")
    if model.config.phones:
        (out / PHONES_FILE).write_text("\n".join(PHONES) + "\n")
    for key, source in lexicon.items():
        target = out / LEXICON_FILES[key]
        if source.resolve() != target.resolve():
            shutil.copyfile(source, target)
    return config


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoints", type=Path, nargs="+", metavar="checkpoint", help="of several the mean is exported, in the chunks of the last")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--name", required=True)
    parser.add_argument("--chunk", type=int, default=16, help="in 40 ms (default: 16, 640 ms)")
    parser.add_argument("--calibrate", type=Path, required=True, help="a folder written by prepare.py, for int8 ranges")
    parser.add_argument("--seconds", type=float, default=300, help="how much of it to listen to")
    parser.add_argument("--pronunciations", type=Path, help="by lexicon.py, for a model with phones")
    parser.add_argument("--letter-to-sound", type=Path, help="rules by letter_to_sound.py, for words that the pronunciations lack")
    parser.add_argument("--phone-scale", type=float, default=1, help="of the phones' logits: below 1, less sure of them, for a search that drops too much")
    parser.add_argument("--int8-only", action="store_true", help="leave the f32 graph out of the folder")
    args = parser.parse_args()
    model, chunks = load_mean(args.checkpoints), read_chunks(args.checkpoints[-1])
    if model.phone_head:
        for parameter in model.phone_head.parameters():
            parameter.data *= args.phone_scale
    lexicon = {key: path for key in LEXICON_FILES if (path := getattr(args, key))}
    phones_of(model, lexicon, args.out)  # refuses before the long part
    calibration = calibration_frames(args.calibrate, args.seconds, config_of(model, args.name, args.chunk, chunks))
    export(model, args.name, args.chunk, chunks, calibration, args.out, lexicon, args.int8_only)
    for file in sorted(args.out.iterdir()):
        print(f"{file}: {file.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
