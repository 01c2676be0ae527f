#!/usr/bin/env python3
"""Pipes hours of audio into `mynah listen`, and watches its memory, its computing and its clock.

    benches/soak.py [OPTIONS] [-- OPTION OF mynah listen...]

Speech, silence and noise are repeated, faster than real time or at its pace. The program fails if memory grows or exceeds a limit, if
times of words move against the audio, if audio is lost, or if an utterance lacks its final. Needs: sox.
"""

import argparse
import json
import os
import random
import statistics
import struct
import subprocess
import sys
import threading
import time
from pathlib import Path

from soak_plot import draw

ROOT = Path(__file__).resolve().parent.parent
RATE = 16_000
# Seconds of silence behind speech, which end its utterance, and of noise behind that.
SILENCE, NOISE = 2.0, 3.0
# Some 50 dB below full scale.
NOISE_LEVEL = 100
# Seconds of speech where endpoints are counted.
BURST = 1.0
# What words may move against the audio: two encoder frames of the model.
MOST_SHIFT_MS = 80
# Bytes that are written at a time.
BLOCK = RATE // 10 * 2
COLUMNS = ["audio_s", "wall_s", "resident_mb", "own_mb", "finals", "computing", "shift_ms", "delay_ms"]


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mynah", default=os.environ.get("CARGO_TARGET_DIR", ROOT / "target") / Path("release/mynah"))
    parser.add_argument("--hours", type=float, default=8, help="of audio (8)")
    parser.add_argument("--endpoints", type=int, help="instead of hours: the first second of the speech so often, each an utterance")
    parser.add_argument("--realtime", action="store_true", help="write the audio at the pace of real time")
    parser.add_argument("--audio", type=Path, default=ROOT / "examples/speech.flac", help="the speech (the example)")
    parser.add_argument("--every", type=float, default=60, help="seconds of audio between two rows (60)")
    parser.add_argument("--csv", type=Path, default=Path("soak.csv"), help="where rows go (soak.csv)")
    parser.add_argument("--svg", type=Path, help="where a plot goes")
    parser.add_argument("--max-growth", type=float, help="MB that the process's own memory may grow by after a quarter of the time")
    parser.add_argument("--max-memory", type=float, help="MB that may ever be resident")
    parser.add_argument("options", nargs="*", help="of mynah listen")
    return parser.parse_args()


def tape(args):
    """What is repeated, as 16-bit samples."""
    command = ["sox", args.audio, "-r", str(RATE), "-c", "1", "-b", "16", "-e", "signed", "-t", "raw", "-"]
    speech = subprocess.run(command, check=True, capture_output=True).stdout
    if args.endpoints:
        return speech[:int(BURST * RATE) * 2] + bytes(int(SILENCE * RATE) * 2)
    noise = random.Random(1)
    samples = [noise.randint(-NOISE_LEVEL, NOISE_LEVEL) for _ in range(int(NOISE * RATE))]
    return speech + bytes(int(SILENCE * RATE) * 2) + struct.pack(f"<{len(samples)}h", *samples)


class Usage:
    """What a process has taken of the machine."""

    def __init__(self, pid):
        self.pid = pid
        self.ticks = os.sysconf("SC_CLK_TCK")

    def memory_mb(self, key):
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith(key + ":"):
                return int(line.split()[1]) * 1024 / 1e6
        return float("nan")

    def processor_s(self):
        fields = Path(f"/proc/{self.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / self.ticks


class Soak:
    def __init__(self, args):
        self.args, self.tape = args, tape(args)
        self.period = len(self.tape) / 2 / RATE
        self.length = args.endpoints * self.period if args.endpoints else args.hours * 3600
        self.rows, self.finals, self.position, self.peak = [], 0, 0.0, 0.0
        # The word by which repetitions are compared, and where it first stood in its own.
        self.anchor = None
        self.shifts, self.delays, self.lost = [], [], []

    def run(self):
        args = self.args
        command = [args.mynah, "listen", "--file", "-", "--raw-rate", str(RATE), "--format", "jsonl"]
        command += ["--partials"] if args.realtime else []
        self.process = subprocess.Popen(
            command + args.options, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=False)
        self.usage, self.began = Usage(self.process.pid), time.monotonic()
        self.before = (0.0, self.usage.processor_s())
        threading.Thread(target=self.write, daemon=True).start()
        threading.Thread(target=self.watch_errors, daemon=True).start()
        with open(args.csv, "w") as csv:
            csv.write(",".join(COLUMNS) + "\n")
            for line in self.process.stdout:
                self.take(json.loads(line))
                if self.position >= args.every * (len(self.rows) + 1) and self.add_row():
                    csv.write(",".join("" if value is None else f"{value:.3f}" for value in self.rows[-1]) + "\n")
                    csv.flush()
        status = self.process.wait()
        if args.svg:
            args.svg.write_text(draw(self.rows, COLUMNS))
        self.check(status)

    def write(self):
        left, at = int(self.length * RATE) * 2, 0
        try:
            while left > 0:
                block = self.tape[at:at + min(BLOCK, left)]
                self.process.stdin.write(block)
                left, at = left - len(block), (at + len(block)) % len(self.tape)
                if self.args.realtime:
                    self.process.stdin.flush()
                    due = self.began + (int(self.length * RATE) * 2 - left) / 2 / RATE
                    time.sleep(max(0.0, due - time.monotonic()))
            self.process.stdin.close()
        except BrokenPipeError:
            pass

    def watch_errors(self):
        for line in self.process.stderr:
            self.lost.append(line.decode(errors="replace").strip())

    def take(self, event):
        self.position = max(self.position, event.get("end") or 0.0)
        if event["type"] == "partial" and event.get("words"):
            self.delays.append(1e3 * (time.monotonic() - self.began - event["words"][-1]["end"]))
        if event["type"] != "final":
            return
        self.finals += 1
        for word in event["words"]:
            place = word["start"] % self.period
            self.anchor = self.anchor or (word["text"], place)
            shift = (place - self.anchor[1] + 1.5 * self.period) % self.period - 0.5 * self.period
            # The word may stand elsewhere in the speech too.
            if word["text"] == self.anchor[0] and abs(shift) < 1:
                self.shifts.append(1e3 * shift)

    def add_row(self):
        """Gives whether there is one: not once the process has ended."""
        try:
            self.peak = max(self.peak, self.usage.memory_mb("VmHWM"))
            processor, memory = self.usage.processor_s(), [self.usage.memory_mb(key) for key in ("VmRSS", "RssAnon")]
        except OSError:
            return False
        if not all(value > 0 for value in memory):
            return False
        audio = self.position
        computing = (processor - self.before[1]) / max(audio - self.before[0], 1e-9)
        self.before = (audio, processor)
        self.rows.append([
            audio, time.monotonic() - self.began, *memory, self.finals, computing,
            statistics.median(self.shifts) if self.shifts else None,
            statistics.quantiles(self.delays, n=20)[-1] if len(self.delays) > 1 else None,
        ])
        self.shifts, self.delays = [], []
        return True

    def check(self, status):
        if len(self.rows) < 4:
            sys.exit(f"soak: {len(self.rows)} rows are too few; status {status}; {self.lost}")
        growth = self.rows[-1][3] - self.rows[len(self.rows) // 4][3]
        shift = max(abs(row[6]) for row in self.rows if row[6] is not None)
        print(f"{self.rows[-1][0] / 3600:.2f} h of audio in {self.rows[-1][1] / 3600:.2f} h, {self.finals} finals: at most {self.peak:.0f} MB "
              f"resident, {growth:+.1f} MB after the first quarter, words within {shift:.0f} ms of their place")
        failures = [
            (status != 0, f"exit status {status}"),
            (bool(self.lost), f"it warns: {self.lost[:3]}"),
            (self.position < self.length - self.period - 1, f"only {self.position:.0f} of {self.length:.0f} s were recognized"),
            (shift > MOST_SHIFT_MS, "times of words move"),
            (self.args.endpoints not in (None, self.finals), f"{self.finals} finals of {self.args.endpoints} utterances"),
            (self.args.max_growth is not None and growth > self.args.max_growth, "memory grows"),
            (self.args.max_memory is not None and self.peak > self.args.max_memory, "too much memory"),
        ]
        if reasons := [reason for failed, reason in failures if failed]:
            sys.exit("soak: " + "; ".join(reasons))


if __name__ == "__main__":
    Soak(parse()).run()
