"""The folder that transcripts are written into: parts, and the manifest of the parts that are complete."""

from __future__ import annotations

import json
import os
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import pyarrow as pa
import pyarrow.parquet as pq

from mynah._errors import ConfigError

_FORMATS = ("parquet", "jsonl")
_LARGEST_PART = 10_000
"""The rows of a part, at most."""


@dataclass
class Summary:
    """What became of the files of a call."""

    transcribed: int = 0
    """Files with a text and without an error."""
    failed: int = 0
    """Files with an error, which their rows have."""
    skipped: int = 0
    """Files that the manifest had already."""
    audio_seconds: float = 0.0
    """The length of the audio that was transcribed."""


class Archive:
    """A folder of parts. A part counts once the manifest has it: all before that is made anew."""

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        """Opens a folder, made if it is not there, and removes what an earlier call left half written."""
        self._folder = Path(folder)
        self._manifest = self._folder / "manifest.jsonl"
        for name in _FORMATS:
            (self._folder / name).mkdir(parents=True, exist_ok=True)
        self.done: set[str] = set()
        self._next = 0
        self._read()
        self._remove_leftovers()
        self._waiting: list[pa.Table] = []
        self._lock = threading.RLock()
        self._flush_seconds = 0.0
        self._failure: Exception | None = None
        self.summary = Summary()

    def add(self, table: pa.Table) -> None:
        """Adds rows to the part that is to be written. A file that is there already is left out."""
        if self._failure:
            raise self._failure
        fresh = []
        for path in table.column("path").to_pylist():
            fresh.append(path not in self.done)
            self.done.add(path)
        with self._lock:
            if any(fresh):
                self._waiting.append(table.filter(pa.array(fresh)))
            rows = sum(len(waiting) for waiting in self._waiting)
            if rows >= _LARGEST_PART or self._flush_seconds <= 0:
                self._write()

    @contextmanager
    def written_every(self, seconds: float) -> Iterator[None]:
        """Writes every so many seconds what has come meanwhile, and at the end, after an error too."""
        self._flush_seconds = seconds
        ended = threading.Event()
        writer = threading.Thread(target=self._write_until, args=(ended,), daemon=True)
        if seconds > 0:
            writer.start()
        try:
            yield
        finally:
            ended.set()
            if seconds > 0:
                writer.join()
            self._write()

    def _write_until(self, ended: threading.Event) -> None:
        while not ended.wait(self._flush_seconds):
            try:
                self._write()
            except Exception as error:  # `add` raises it.
                self._failure = error
                return

    def _write(self) -> None:
        """Writes the rows that wait as a part, then its line of the manifest."""
        with self._lock:
            if self._waiting:
                self._write_part()

    def _write_part(self) -> None:
        table = pa.concat_tables(self._waiting)
        name = f"part-{self._next:05}"
        parquet, jsonl = (self._folder / kind / f"{name}.{kind}" for kind in _FORMATS)
        with _replaced(parquet) as file:
            pq.write_table(table, file)
        rows = table.to_pylist()
        with _replaced(jsonl) as file:
            file.writelines(_line(row) for row in rows)
        line = {"part": name, "paths": [row["path"] for row in rows], "failed": sum(bool(row["error"]) for row in rows)}
        with self._manifest.open("ab") as file:
            file.write(_line(line))
            file.flush()
            os.fsync(file.fileno())
        self._next += 1
        self._waiting = []
        self._count(rows)

    def _count(self, rows: list[dict[str, object]]) -> None:
        failed = sum(bool(row["error"]) for row in rows)
        self.summary.failed += failed
        self.summary.transcribed += len(rows) - failed
        self.summary.audio_seconds += sum(float(str(row["duration"] or 0.0)) for row in rows)

    def _read(self) -> None:
        """Reads the manifest. Its last line may be torn: then its part does not count."""
        if not self._manifest.exists():
            return
        complete = 0
        with self._manifest.open("rb") as file:
            for number, line in enumerate(file, 1):
                if not line.endswith(b"\n"):
                    break
                try:
                    part = json.loads(line)
                    self.done.update(part["paths"])
                    self._next = max(self._next, int(part["part"].removeprefix("part-")) + 1)
                except (ValueError, TypeError, KeyError, AttributeError) as error:
                    raise ConfigError(f"{self._manifest}: line {number} is of no manifest: {error}") from error
                complete += len(line)
        if complete < self._manifest.stat().st_size:
            os.truncate(self._manifest, complete)

    def _remove_leftovers(self) -> None:
        for kind in _FORMATS:
            for file in (self._folder / kind).iterdir():
                part = re.fullmatch(rf"part-(\d+)\.{kind}(\.new)?", file.name)
                if part and (part[2] or int(part[1]) >= self._next):
                    file.unlink()


@contextmanager
def _replaced(path: Path) -> Iterator[IO[bytes]]:
    """A file that has its name once it is complete and on the disk."""
    new = path.with_name(path.name + ".new")
    with new.open("wb") as file:
        yield file
        file.flush()
        os.fsync(file.fileno())
    os.replace(new, path)


def read_manifest(path: str | os.PathLike[str]) -> list[str]:
    """The recordings of a manifest: JSON lines with a `path` or an `audio`, relative to the manifest's folder."""
    manifest = Path(path)
    recordings = []
    with manifest.open("rb") as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            try:
                entry = json.loads(line)
                recordings.append(str(manifest.parent / (entry["path"] if "path" in entry else entry["audio"])))
            except (ValueError, TypeError, KeyError) as error:
                reason = "must be a JSON object with a path or an audio"
                raise ConfigError(f"{manifest}: line {number} {reason}") from error
    return recordings


def _line(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode() + b"\n"
