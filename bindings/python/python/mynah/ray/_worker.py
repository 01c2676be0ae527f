"""What runs in a worker: a model, and files through it."""

from __future__ import annotations

import os
import socket
import time
from collections import Counter
from typing import Any

import pyarrow as pa
import ray

from mynah._errors import Error
from mynah._mynah import Model, Recognizer, Transcript

SCHEMA = pa.schema(
    [
        pa.field("path", pa.string(), nullable=False),
        pa.field("text", pa.string()),
        pa.field("duration", pa.float64()),
        pa.field(
            "utterances",
            pa.list_(
                pa.struct(
                    [
                        ("text", pa.string()),
                        ("start", pa.float64()),
                        ("end", pa.float64()),
                        ("confidence", pa.float32()),
                    ]
                )
            ),
        ),
        pa.field("error", pa.string()),
        pa.field("began", pa.float64()),
        pa.field("compute_seconds", pa.float64()),
        pa.field("worker", pa.string()),
    ]
)
"""The columns of a transcript."""


class Ledger:
    """What has been begun, for all workers: an actor of the cluster."""

    def __init__(self, done: set[str]) -> None:
        """`done` are the paths that need no worker."""
        self._done = done
        self._begun: Counter[str] = Counter()
        self._skipped: set[str] = set()

    def begin(self, path: str) -> int:
        """The number of this attempt at a file, from 1 on; 0 for a file that is done."""
        if path in self._done:
            self._skipped.add(path)
            return 0
        self._begun[path] += 1
        return self._begun[path]

    def end(self, path: str) -> None:
        """A worker has outlived a file. If it dies later, the file is begun again, but that death is not the file's."""
        self._begun.pop(path, None)

    def skipped(self) -> int:
        """How many files were asked for that are done."""
        return len(self._skipped)


class Transcriber:
    """A model in a process of its own. Recognition takes one core."""

    attempts = 3
    """So many workers may die of a file before it is left alone."""

    def __init__(
        self,
        model: str | None,
        model_options: dict[str, Any],
        options: dict[str, Any],
        ledger: Any = None,
    ) -> None:
        """Loads a model. The ledger says which files are to be left out."""
        # Files need no partials: the longest chunks alone.
        model_options = {"chunk": "offline", **model_options}
        loaded = Model.builtin(**model_options) if model is None else Model.load(model, **model_options)
        self._recognizer = Recognizer(loaded, **options)
        self._ledger = ledger
        self._name = f"{socket.gethostname()}:{os.getpid()}"

    def __call__(self, batch: pa.Table) -> pa.Table:
        """Transcribes the files of a batch."""
        paths = batch.column("path").to_pylist()
        contents = batch.column("bytes").to_pylist() if "bytes" in batch.column_names else [None] * len(paths)
        rows = [self._attempt(path, audio) for path, audio in zip(paths, contents)]
        return pa.Table.from_pylist([row for row in rows if row is not None], schema=SCHEMA)

    def _attempt(self, path: str, audio: bytes | None) -> dict[str, Any] | None:
        attempt = ray.get(self._ledger.begin.remote(path))
        if attempt == 0:
            return None
        if attempt > self.attempts:
            return _failed(path, f"{path}: each of {self.attempts} workers ended while it transcribed this file")
        row = self._row(path, audio)
        # Waited for: the next file may end this process before the call is sent.
        ray.get(self._ledger.end.remote(path))
        return row

    def _row(self, path: str, audio: bytes | None) -> dict[str, Any]:
        began, clock = time.time(), time.perf_counter()
        transcript, reason = None, None
        try:
            transcript = self._recognizer.transcribe(path if audio is None else audio)
        except Error as error:
            transcript, reason = error.transcript, str(error)
        except Exception as error:  # One file must not end the others.
            reason = f"{type(error).__name__}: {error}"
        row = _failed(path, reason) if transcript is None else _transcribed(path, transcript, reason)
        took = time.perf_counter() - clock
        return {**row, "began": began, "compute_seconds": took, "worker": self._name}


def _transcribed(path: str, transcript: Transcript, reason: str | None) -> dict[str, Any]:
    utterances = [
        {"text": event.text, "start": event.start, "end": event.end, "confidence": event.confidence}
        for event in transcript.utterances
    ]
    row = {"path": path, "text": transcript.text, "duration": transcript.duration}
    return {**row, "utterances": utterances, "error": reason}


def _failed(path: str, reason: str | None) -> dict[str, Any]:
    """The row of a file of which nothing was recognized."""
    return {"path": path, "text": None, "duration": None, "utterances": None, "error": reason}
