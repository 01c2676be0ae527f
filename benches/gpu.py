#!/usr/bin/env python3
"""Runs a model's f32 encoder on an NVIDIA GPU and on the processor: compares their transcripts word for word, and times both.

    benches/gpu.py MANIFEST [OPTIONS]

For a machine with an NVIDIA driver (CUDA 13), rustup, gcc and python3-venv. Builds the program with `--features cuda`. CUDA's libraries and
headers, which the program looks for when it starts (LD_LIBRARY_PATH, CUDA_HOME), come from PyPI unless CUDA_HOME is set (1 GB). The first run
compiles the GPU's kernels, and is not timed.

`--devices cpu,cpu --mynah PROGRAM` tries the comparison without a GPU. `mynah eval --help` describes the form of a manifest.
"""

import argparse
import ctypes
import difflib
import json
import os
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# The libraries that tract loads, and those of their wheels that it was built for.
LIBRARIES = ["libcudart.so.13", "libnvrtc.so.13", "libcublas.so.13", "libcudnn.so.9"]
WHEELS = [
    "nvidia-cuda-runtime<13.1", "nvidia-cuda-nvrtc<13.1", "nvidia-cuda-cccl<13.1", "nvidia-cuda-crt<13.1", "nvidia-cublas<13.1",
    "nvidia-cudnn-cu13<10",
]
MODES = [["--single-pass"], []]


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("manifest", type=Path)
    parser.add_argument("--every", type=int, default=4, help="take every Nth recording (4)")
    parser.add_argument("--limit", type=int, default=30, help="take no more than N recordings (30)")
    parser.add_argument("--model", type=Path, default=ROOT / "models/en-small", help="a folder with an f32 encoder (models/en-small)")
    parser.add_argument("--devices", default="cpu,gpu", help="the two that are compared (cpu,gpu)")
    parser.add_argument("--mynah", type=Path, help="a program that was built already")
    parser.add_argument("--most-different", type=float, default=1.0, help="percent of the words that may differ (1)")
    args = parser.parse_args()
    args.devices = args.devices.split(",")
    if len(args.devices) != 2 or not set(args.devices) <= {"cpu", "gpu"}:
        parser.error("--devices: two of cpu and gpu with a comma between")
    return args


def check_driver():
    """Ends the program if the driver finds no GPU."""
    try:
        driver = ctypes.CDLL("libcuda.so.1")
    except OSError as error:
        sys.exit(f"gpu: there is no NVIDIA driver ({error})")
    count, version = ctypes.c_int(0), ctypes.c_int(0)
    if (status := driver.cuInit(0)) or (status := driver.cuDeviceGetCount(ctypes.byref(count))) or count.value == 0:
        sys.exit(f"gpu: the NVIDIA driver gives no GPU (status {status})")
    driver.cuDriverGetVersion(ctypes.byref(version))
    if version.value < 13000:
        sys.exit(f"gpu: the NVIDIA driver supports CUDA {version.value // 1000} at most; 13 is needed")


def cuda_environment(target):
    """What the program needs to find CUDA's libraries and headers, which are installed if no CUDA_HOME names them."""
    if os.environ.get("CUDA_HOME"):
        return {}
    folder = target / "cuda"
    python = folder / "bin/python"
    if not python.exists():
        venv.create(folder, with_pip=True)
    subprocess.run([python, "-m", "pip", "install", "-q", *WHEELS], check=True)
    packages = next(folder.glob("lib/python*/site-packages/nvidia"))
    found = {library: next(packages.glob(f"*/lib/{library}"), None) for library in LIBRARIES}
    headers = next(packages.glob("*/include/cuda_fp16.h"), None)
    if missing := [library for library, path in found.items() if path is None] + ["cuda_fp16.h"] * (headers is None):
        sys.exit(f"gpu: the wheels in {packages} lack {', '.join(missing)}")
    folders = {str(path.parent) for path in found.values()} | set(filter(None, [os.environ.get("LD_LIBRARY_PATH")]))
    return {"LD_LIBRARY_PATH": ":".join(sorted(folders)), "CUDA_HOME": str(headers.parent.parent)}


def build(target):
    # What `mynah eval` needs, without the microphone's headers, in many units: a fresh machine builds all of it once.
    command = [
        "cargo", "build", "--release", "--locked", "--no-default-features", "--features", "measure,cuda",
        "--config", "profile.release.codegen-units=16",
    ]
    subprocess.run(command, cwd=ROOT, check=True, env=os.environ | {"CARGO_TARGET_DIR": str(target)})
    return target / "release/mynah"


class Evaluation:
    """What `mynah eval` gives on a device."""

    def __init__(self, mynah, args, device, mode, environment, limit=None):
        with tempfile.TemporaryDirectory() as folder:
            hypotheses = Path(folder, "hypotheses.jsonl")
            command = [
                mynah, "eval", args.manifest, "--every", str(args.every), "--limit", str(limit or args.limit), "--model", args.model,
                "--precision", "f32", "--run-on", device, "--json", "--hypotheses", hypotheses, *mode,
            ]
            # The program's own error is on the terminal.
            done = subprocess.run(command, stdout=subprocess.PIPE, env=os.environ | environment | {"MYNAH_CONFIG": "/dev/null"})
            if done.returncode:
                sys.exit(f"gpu: mynah eval on the {device} ended with status {done.returncode}")
            self.recordings = [json.loads(line) for line in hypotheses.read_text().splitlines()]
        report = json.loads(done.stdout)
        self.factor, self.error_rate = report["real_time_factor"], report["words"]["error_rate"]


def differing_words(ours, theirs):
    """How many words of the longer text have no counterpart."""
    blocks = difflib.SequenceMatcher(None, ours, theirs, autojunk=False).get_matching_blocks()
    return max(len(ours), len(theirs)) - sum(block.size for block in blocks)


def compare(first, second):
    """Words, words that differ, and recordings that do; prints these."""
    words = different = recordings = 0
    for ours, theirs in zip(first.recordings, second.recordings, strict=True):
        texts = [recording["hypothesis"].split() for recording in (ours, theirs)]
        count = differing_words(*texts)
        words, different, recordings = words + len(texts[0]), different + count, recordings + (count > 0)
        if count:
            print(f"{ours['audio']}:", *("  " + " ".join(text) for text in texts), sep="\n")
    return words, different, recordings


def main():
    args = parse()
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    environment = {}
    if "gpu" in args.devices:
        check_driver()
        environment = cuda_environment(target)
    mynah = args.mynah or build(target)
    for device in args.devices:
        Evaluation(mynah, args, device, [], environment, limit=1)
    rows, worst = [], 0.0
    for mode in MODES:
        first, second = (Evaluation(mynah, args, device, mode, environment) for device in args.devices)
        words, different, recordings = compare(first, second)
        if words == 0:
            sys.exit("gpu: no words were recognized")
        share = 100 * different / words
        worst = max(worst, share)
        rows.append(
            f"| {' '.join(mode) or 'default'} | {words} | {different} ({share:.2f} %) | {recordings} of {len(first.recordings)} | "
            f"{100 * first.error_rate:.1f}, {100 * second.error_rate:.1f} % | {first.factor:.4f} | {second.factor:.4f} | "
            f"{first.factor / second.factor:.2f} |")
    ours, theirs = args.devices
    print(f"\n| mode | words | differing | recordings that differ | word error rates | {ours}: real-time factor | {theirs} | ratio |")
    print("| --- " * 8 + "|", *rows, sep="\n")
    if worst > args.most_different:
        sys.exit(f"gpu: {worst:.2f} % of the words differ, at most {args.most_different} % may")


if __name__ == "__main__":
    main()
