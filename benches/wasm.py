#!/usr/bin/env python3
"""Compares the WebAssembly package in Node with the native program: computing time per second of audio, in turns on one core.

    bindings/wasm/build site && benches/wasm.py site RECORDING [--runs N] [--tract SITE]

A run recognizes the recording, and then the recording twice: the difference of the processor times leaves the start out,
and other work on the machine changes it little. MYNAH names the native program. `--tract` names a second package, to be
compared with the first one in greedy decoding. Needs: node, sox, taskset.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MYNAH = os.environ.get("MYNAH", str(ROOT / "target" / "release" / "mynah"))
MODES = {
    "greedy, single pass": (["--single-pass", "--decoding", "greedy"], {"decoding": "greedy"}),
    "words, single pass": (["--single-pass"], {}),
    "words, second pass": ([], {"finals": "second-pass"}),
}


def processor_seconds(command):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(["taskset", "-c", "0", *map(str, command)], check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def native(options):
    return lambda audio: [MYNAH, "transcribe", "--no-config", "--raw", "-j", 1, "--chunk", 640, *options, audio.with_suffix(".wav")]


def wasm(package, options):
    script = ROOT / "bindings/wasm/tests/measure.mjs"
    return lambda audio: ["node", script, package, audio.with_suffix(".f32"), json.dumps(options)]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("package")
    parser.add_argument("recording")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--tract", help="a package whose integer products are computed by tract's kernel")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        once, twice = Path(folder) / "once", Path(folder) / "twice"
        for audio, copies in ((once, 1), (twice, 2)):
            recording = [arguments.recording] * copies + ["-r", "16000", "-c", "1"]
            subprocess.run(["sox", *recording, "-b", "16", audio.with_suffix(".wav")], check=True)
            subprocess.run(["sox", audio.with_suffix(".wav"), *"-t raw -e float -b 32 -L".split(), audio.with_suffix(".f32")], check=True)
        seconds = once.with_suffix(".f32").stat().st_size / 4 / 16_000
        commands = {}
        for mode, (options, choices) in MODES.items():
            commands[f"{mode}: native"], commands[f"{mode}: wasm"] = native(options), wasm(arguments.package, choices)
        if arguments.tract:
            commands["greedy, single pass: wasm, tract's kernel"] = wasm(arguments.tract, {"decoding": "greedy"})
        factors = {name: [] for name in commands}
        for _ in range(arguments.runs):
            for name, command in commands.items():
                factors[name].append((processor_seconds(command(twice)) - processor_seconds(command(once))) / seconds)
    for name, values in factors.items():
        print(f"{name}: {statistics.median(values):.4f} s per second of audio ({', '.join(f'{value:.4f}' for value in values)})")
    for mode in MODES:
        print(f"{mode}: wasm : native {statistics.median(factors[f'{mode}: wasm']) / statistics.median(factors[f'{mode}: native']):.1f}")


main()
