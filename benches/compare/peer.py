"""What the recognizers beside Mynah have in common: a manifest in, lines as `mynah eval --hypotheses` writes them out.

A recording is simulated to arrive in real time, as in `mynah eval`: what is computed begins when its audio has arrived
and what came before is done, and takes the processor time that it took here.
"""

import argparse
import json
import time
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from recordings import SAMPLE_RATE, read_manifest


@dataclass
class RealTime:
    """The simulated clock of one recording, in seconds from its beginning."""

    now: float = 0.0
    compute: float = 0.0
    first_words: float | None = None

    def wait_until(self, arrival: float) -> None:
        self.now = max(self.now, arrival)

    @contextmanager
    def computing(self):
        begin = time.process_time()
        yield
        spent = time.process_time() - begin
        self.now += spent
        self.compute += spent

    def show(self, text: str) -> None:
        if self.first_words is None and text.strip():
            self.first_words = self.now


# Recognizes samples on a clock of their own and returns the text.
Recognize = Callable[[np.ndarray, RealTime], str]


def run(parser: argparse.ArgumentParser, load: Callable[[argparse.Namespace], Recognize]) -> None:
    """Recognizes the recordings that the arguments name and writes a line for each."""
    parser.add_argument("manifest", type=Path)
    parser.add_argument("--hypotheses", type=Path, required=True)
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--limit", type=int)
    args = parser.parse_args()
    recognize = load(args)
    with args.hypotheses.open("w") as out:
        for recording in read_manifest(args.manifest, args.every, args.limit):
            samples, clock = recording.samples(), RealTime()
            text = recognize(samples, clock)
            clock.show(text)
            seconds = len(samples) / SAMPLE_RATE
            line = {
                "line": recording.line,
                "hypothesis": text.strip(),
                "audio_seconds": seconds,
                "compute_seconds": clock.compute,
                "first_words_seconds": clock.first_words,
                "end_latency_seconds": clock.now - seconds,
            }
            print(json.dumps(line), file=out, flush=True)
