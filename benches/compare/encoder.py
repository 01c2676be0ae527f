"""One encoder chunk in Mynah and in ONNX Runtime, in turns, on one thread.

    pip install onnx onnxruntime
    python benches/compare/encoder.py target/release/mynah

Both times are of the encoder alone; `all` is Mynah's with features and decoding. `dynamic int8` is the f32 file
after `onnxruntime.quantization.quantize_dynamic`, the form that ONNX Runtime is fastest with.
"""

import argparse
import json
import statistics
import subprocess
import tempfile
import time
from collections import defaultdict
from pathlib import Path

import numpy as np
import onnxruntime
from onnxruntime.quantization import QuantType, quantize_dynamic

MODEL = Path(__file__).parents[2] / "models" / "en-small"
SECONDS_PER_ROUND = 12


class OnnxStream:
    """A stream through an ONNX file, its caches carried from chunk to chunk."""

    def __init__(self, path: Path, config: dict):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        encoder, features = config["encoder"], config["features"]
        self.caches = {c["name"]: np.full(c["shape"], c["initial"], np.float32) for c in encoder["caches"]}
        shape = 1, encoder["chunk_frames"] + encoder["lookahead_frames"], features["mel_bins"]
        self.frames = np.random.default_rng(0).normal(-6, 3, shape).astype(np.float32)
        self.outputs = ["log_probs", *(f"new_{name}" for name in self.caches)]

    def median_ms(self, chunks: int) -> float:
        times = []
        for _ in range(chunks):
            begin = time.perf_counter()
            _, *new = self.session.run(self.outputs, {"frames": self.frames, **self.caches})
            self.caches = dict(zip(self.caches, new))
            times.append(1000 * (time.perf_counter() - begin))
        return statistics.median(times)


def mynah_medians_ms(mynah: Path, precision: str) -> dict[str, float]:
    command = [mynah, "bench", "--json", "--seconds", str(SECONDS_PER_ROUND), "--model", MODEL, "--precision", precision, "--single-pass"]
    report = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    alone, whole = (report[key]["p50_ms"] for key in ("encoder_compute", "chunk_compute"))
    return {f"mynah, {precision}": alone, f"mynah, {precision}, all": whole}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("mynah", type=Path)
    parser.add_argument("--rounds", type=int, default=10)
    args = parser.parse_args()
    config = json.loads((MODEL / "config.json").read_text())
    chunk_seconds = config["encoder"]["chunk_frames"] * config["features"]["frame_shift_samples"] / config["features"]["sample_rate"]
    chunks = round(SECONDS_PER_ROUND / chunk_seconds)
    with tempfile.TemporaryDirectory() as scratch:
        dynamic = Path(scratch) / "dynamic.onnx"
        quantize_dynamic(
            MODEL / "encoder.onnx", dynamic, op_types_to_quantize=["MatMul"], weight_type=QuantType.QInt8, per_channel=True
        )
        files = {"f32": MODEL / "encoder.onnx", "static int8": MODEL / "encoder.int8.onnx", "dynamic int8": dynamic}
        streams = {name: OnnxStream(path, config) for name, path in files.items()}
    medians = defaultdict(list)
    for _ in range(args.rounds):
        measured = {f"onnxruntime, {name}": stream.median_ms(chunks) for name, stream in streams.items()}
        for precision in ("int8", "f32"):
            measured |= mynah_medians_ms(args.mynah, precision)
        for name, value in measured.items():
            medians[name].append(value)
    print(f"{'per chunk of ' + format(chunk_seconds * 1000, '.0f') + ' ms':28}{'median ms':>10}{'least ms':>10}{'to mynah int8':>15}")
    for name, values in medians.items():
        ratio = statistics.median(value / mynah for value, mynah in zip(values, medians["mynah, int8"]))
        print(f"{name:28}{statistics.median(values):10.2f}{min(values):10.2f}{ratio:15.2f}")


if __name__ == "__main__":
    main()
