"""Mynah beside other recognizers that PyPI has: errors, processor time, latency and memory on the same recordings, on one core.

    pip install -r benches/compare/requirements.txt
    python benches/compare/compare.py target/release/mynah MANIFEST --json results.json --plot results.svg

Every recognizer is a process of its own on the same single core (Linux). Processor time and peak memory are the whole
process's, start-up and model included, as the system counts them. For the recognizers in Python the memory includes that of the
interpreter, NumPy and soundfile, which is measured and told. Latencies are simulated as `mynah eval --help` says, from the
recording's beginning to the first text and from its end to the last; what is computed takes the time it took here, wall-clock
time in Mynah and processor time in the others. References and results are normalized alike, by Whisper's normalizer.

`--reuse FILE` takes the other recognizers' rows from an earlier run's JSON if recordings and commands are the same, so that
only Mynah runs. sherpa-onnx is not in it: its package brings no model, and PyPI has none.
"""

import argparse
import hashlib
import json
import os
import platform
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

from recordings import Recording, read_manifest
from report import INTERPRETER, Row, markdown, plot
from score import score

HERE = Path(__file__).parent
MYNAH = ["mynah", "eval", "--jobs", "1"]
RECOGNIZERS = {
    "Mynah": MYNAH,
    "Mynah, greedy": [*MYNAH, "--decoding", "greedy"],
    "faster-whisper tiny.en int8, window every second": ["python", "whisper_windows.py"],
    "faster-whisper tiny.en int8, once at the end": ["python", "whisper_windows.py", "--once"],
    "PocketSphinx": ["python", "pocketsphinx_stream.py"],
}


def measured(command: list[str], core: int) -> tuple[float, float]:
    """Runs on one core; the seconds of processor time and the greatest resident memory in millions of bytes."""
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(["taskset", "-c", str(core), *command], stdout=subprocess.DEVNULL, env=environment)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"exit status {os.waitstatus_to_exitcode(status)}: {shlex.join(command)}")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024 / 1e6


def programs(command: list[str], mynah: Path) -> list[str]:
    """The command with the paths of this machine."""
    if command[0] == "mynah":
        return [str(mynah), *command[1:]]
    return [sys.executable, str(HERE / command[1]), *command[2:]]


def digest(recordings: list[Recording]) -> str:
    told = "\n".join(f"{r.audio.name}\t{r.audio.stat().st_size}\t{r.text}" for r in recordings)
    return hashlib.sha256(told.encode()).hexdigest()


def reusable(files: list[Path], key: dict) -> dict[str, Row]:
    """Rows of other recognizers than Mynah from earlier runs on the same recordings."""
    rows = {}
    for run in (json.loads(file.read_text()) for file in files):
        if run["recordings"] != key:
            raise SystemExit("--reuse: those are results on other recordings")
        rows |= {row["name"]: row for row in run["rows"] if row["command"][0] != "mynah"}
    return {name: row for name, row in rows.items() if row["command"] == RECOGNIZERS.get(name)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("mynah", type=Path)
    parser.add_argument("manifest", type=Path)
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--limit", type=int)
    parser.add_argument("--core", type=int, default=0)
    parser.add_argument("--only", action="append", choices=RECOGNIZERS, help="run these recognizers alone")
    parser.add_argument("--reuse", type=Path, action="append", default=[], metavar="JSON")
    parser.add_argument("--json", type=Path, help="where the results go")
    parser.add_argument("--plot", type=Path, help="where the plot goes (.svg or .png)")
    args = parser.parse_args()
    recordings = read_manifest(args.manifest, args.every, args.limit)
    key = {"manifest": args.manifest.name, "count": len(recordings), "sha256": digest(recordings)}
    reused = reusable(args.reuse, key)
    selection = ["--every", str(args.every)] + (["--limit", str(args.limit)] if args.limit else [])
    rows = []
    with tempfile.TemporaryDirectory() as scratch:
        lines = Path(scratch) / "lines.jsonl"
        _, interpreter = measured([sys.executable, "-c", "import numpy, soundfile"], args.core)
        for name in args.only or RECOGNIZERS:
            row = reused.get(name)
            if row is None:
                print(f"running {name}", file=sys.stderr)
                command = [*programs(RECOGNIZERS[name], args.mynah), *selection, "--hypotheses", str(lines), str(args.manifest)]
                cpu_seconds, peak_mb = measured(command, args.core)
                row = {"name": name, "command": RECOGNIZERS[name], "cpu_seconds": round(cpu_seconds, 1), "peak_mb": round(peak_mb, 1)}
                row |= score(recordings, [json.loads(line) for line in lines.read_text().splitlines()])
            rows.append(row)
    machine = {"processor": processor(), "system": platform.platform(), INTERPRETER: round(interpreter, 1)}
    results = {"recordings": key, "machine": machine, "rows": rows}
    if args.json:
        args.json.write_text(json.dumps(results, indent=1) + "\n")
    if args.plot:
        plot(results, args.plot)
    print(markdown(results))


def processor() -> str:
    info = Path("/proc/cpuinfo").read_text().splitlines()
    return next((line.split(":")[1].strip() for line in info if line.startswith("model name")), platform.machine())


if __name__ == "__main__":
    main()
