"""Write the golden data that the Rust tests hold the runtime to.

    python fixtures.py frames ../../tests/data/frames.json
    python fixtures.py random ../../tests/data/random
    python fixtures.py model ../en-small --checkpoint runs/first/average.pt

`frames.json` holds signals and their log-mel frames. A model's `golden.json` holds the log-probabilities of ten
chunks of synthetic frames, from PyTorch (`f32`) and from ONNX Runtime on the int8 file (`int8`); `golden-N.json` those
of ten chunks of N frames, where N is another choice. `random` also writes the small random-weight model of the true
architecture.
"""

import argparse
import json
from pathlib import Path

import numpy as np
import torch

from checkpoint import load_checkpoint
from export import OnnxStream, PARITY_CHUNKS, export, torch_log_probs, with_each_chunk
from features import LogMel
from model import ModelConfig, StreamingEncoder

RANDOM = ModelConfig(
    dim=32, heads=2, ffn=64, lower_blocks=1, upper_blocks=1, fresh_blocks=1, fresh_ffn=48, kernel=7, left_context=16
)


def synthetic_frames(config: dict, chunks: int = PARITY_CHUNKS) -> np.ndarray:
    """Frames that both languages can compute: −6 + 3·sin(0.1·t·(1 + m / 7)) at frame t and mel bin m."""
    encoder, mel_bins = config["encoder"], config["features"]["mel_bins"]
    time = np.arange(chunks * encoder["chunk_frames"] + encoder["lookahead_frames"])[:, None]
    return (-6 + 3 * np.sin(0.1 * time * (1 + np.arange(mel_bins) / 7))).astype(np.float32)


def signals() -> dict[str, np.ndarray]:
    """Half a second each, as 16-bit integers."""
    time = np.arange(8000) / 16000
    rng = np.random.default_rng(3)
    # A voiced sound: a glottal pulse train through three formants.
    voice = np.zeros(8000)
    voice[::131] = 1.0
    for hz, width in ((700, 90), (1220, 110), (2600, 160)):
        radius, angle = np.exp(-np.pi * width / 16000), 2 * np.pi * hz / 16000
        filtered = np.zeros(8002)
        for n in range(8000):
            filtered[n + 2] = voice[n] + 2 * radius * np.cos(angle) * filtered[n + 1] - radius**2 * filtered[n]
        voice = filtered[2:]
    waves = {
        "sine at 1 kHz": 0.5 * np.sin(2 * np.pi * 1000 * time),
        "chirp from 100 Hz to 7.9 kHz": 0.5 * np.sin(2 * np.pi * (100 * time + 7800 * time**2)),
        "white noise": 0.1 * rng.standard_normal(8000),
        "voiced vowel": 0.6 * voice / np.abs(voice).max(),
        "digital silence": np.zeros(8000),
    }
    return {name: np.round(wave * 32767).clip(-32768, 32767).astype(int) for name, wave in waves.items()}


def write_frames(path: Path) -> None:
    cases = []
    for name, samples in signals().items():
        frames = LogMel()(torch.from_numpy(samples.astype(np.float32) / 32768)).numpy()
        cases.append({"name": name, "samples": samples.tolist(), "frames": np.round(frames, 5).astype(float).tolist()})
    path.write_text(json.dumps(cases, separators=(",", ":")).replace('{"name"', '\n{"name"') + "\n")


def write_golden(model: StreamingEncoder, folder: Path) -> None:
    default = json.loads((folder / "config.json").read_text())
    for config in with_each_chunk(default):
        size = config["encoder"]["chunk_frames"]
        is_default = size == default["encoder"]["chunk_frames"]
        frames = synthetic_frames(config)
        golden = {
            "f32": torch_log_probs(model, config, frames),
            "int8": OnnxStream(folder / "encoder.int8.onnx", config).run(frames),
        }
        rows = {name: np.round(values.astype(float), 6).tolist() for name, values in golden.items()}
        path = folder / ("golden.json" if is_default else f"golden-{size}.json")
        path.write_text(json.dumps(rows, separators=(",", ":")) + "\n")


def random_model() -> StreamingEncoder:
    torch.manual_seed(7)
    model = StreamingEncoder(RANDOM).eval()
    for block in (*model.upper, *model.fresh):
        torch.nn.init.normal_(block.convolution.out.weight, std=0.1)
    # Peaky enough for text to come out.
    torch.nn.init.normal_(model.head.weight, std=0.6)
    return model


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["frames", "random", "model"])
    parser.add_argument("path", type=Path)
    parser.add_argument("--checkpoint", type=Path, help="of the model")
    args = parser.parse_args()
    if args.what == "frames":
        write_frames(args.path)
    elif args.what == "random":
        model = random_model()
        export(model, "random", 16, (8, 16, 32), None, args.path)
        write_golden(model, args.path)
    else:
        write_golden(load_checkpoint(args.checkpoint), args.path)


if __name__ == "__main__":
    main()
