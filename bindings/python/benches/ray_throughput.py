#!/usr/bin/env python3
"""The files per second of Ray workers, as a multiple of one process's on one core, measured in one run.

    bindings/python/benches/ray_throughput.py [--workers 2] [--files 120] [--rounds 3] [--least RATIO] [MANIFEST]

Each round first runs a process that is bound to one core, then the workers. Both take the same files, the first ones
of the manifest, or the example of the repository that often. Loading does not count: the time of the process begins with
its first file, and that of the workers is while all of them have files. With --least it fails below that ratio.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path

EXAMPLE = Path(__file__).resolve().parents[3] / "examples" / "speech.flac"

ONE_PROCESS = """
import json, sys, time
import mynah
recognizer = mynah.Recognizer(mynah.Model.builtin(chunk="offline"))
files = json.load(sys.stdin)
began = time.perf_counter()
for file in files:
    recognizer.transcribe(file)
print(time.perf_counter() - began)
"""


def files_of(manifest: str | None, count: int, folder: Path) -> list[str]:
    if manifest:
        from mynah.ray._archive import read_manifest

        return read_manifest(manifest)[:count]
    files = [folder / f"{number:04}.flac" for number in range(count)]
    for file in files:
        shutil.copy(EXAMPLE, file)
    return [str(file) for file in files]


def one_process(files: list[str]) -> float:
    """Files per second."""
    core = min(os.sched_getaffinity(0))
    command = ["taskset", "--cpu-list", str(core), sys.executable, "-c", ONE_PROCESS]
    done = subprocess.run(command, input=json.dumps(files), stdout=subprocess.PIPE, text=True, check=True)
    return len(files) / float(done.stdout)


def on_ray(files: list[str], workers: int, output: Path) -> tuple[float, float]:
    """Files per second, and the seconds of audio of a file."""
    import mynah.ray

    summary = mynah.ray.transcribe(files, output, workers=workers, flush_seconds=5.0)
    if summary.transcribed != len(files):
        sys.exit(f"of {len(files)} files {summary.transcribed} were transcribed")
    rows = [json.loads(line) for part in (output / "jsonl").iterdir() for line in part.open()]
    return steady_rate(rows, workers), summary.audio_seconds / len(files)


def steady_rate(rows: list[dict], workers: int) -> float:
    """Files per second from when the last worker begins to when the first one ends; parts of files count as such."""
    spans = defaultdict(list)
    for row in rows:
        spans[row["worker"]].append((row["began"], row["began"] + row["compute_seconds"]))
    if len(spans) != workers:
        sys.exit(f"{len(spans)} of {workers} workers had files; give more --files")
    began = max(min(begin for begin, _ in of_worker) for of_worker in spans.values())
    ended = min(max(end for _, end in of_worker) for of_worker in spans.values())
    if ended <= began:
        sys.exit("the workers had no files at the same time; give more --files")
    within = [(min(end, ended) - max(begin, began)) / (end - begin) for of_worker in spans.values() for begin, end in of_worker]
    return sum(part for part in within if part > 0) / (ended - began)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("manifest", nargs="?", help="JSON lines with the audio of each recording")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--files", type=int, default=120)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--least", type=float, help="the ratio that must be reached")
    args = parser.parse_args()

    # Both at the same priority: Ray's workers give way to all else otherwise.
    os.environ["RAY_worker_niceness"] = "0"
    import ray

    ray.init(num_cpus=args.workers, include_dashboard=False, log_to_driver=False)
    ray.data.DataContext.get_current().enable_progress_bars = False
    ratios = []
    with tempfile.TemporaryDirectory() as folder:
        files = files_of(args.manifest, args.files, Path(folder))
        for round_ in range(args.rounds):
            single = one_process(files)
            time.sleep(1)
            several, seconds = on_ray(files, args.workers, Path(folder) / f"out-{round_}")
            ratios.append(several / single)
            print(
                f"one process {single:.2f} files/s, a real-time factor of {1 / (single * seconds):.3f}; "
                f"{args.workers} workers {several:.2f} files/s; ratio {ratios[-1]:.2f}",
                flush=True,
            )
    ratio = statistics.median(ratios)
    print(f"median ratio {ratio:.2f}")
    if args.least and ratio < args.least:
        sys.exit(f"the ratio is below {args.least}")


if __name__ == "__main__":
    main()
