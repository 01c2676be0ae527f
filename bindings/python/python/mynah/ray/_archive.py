"""The folder that transcripts are written into: parts, and the manifest of the parts that are complete."""

from __future__ import annotations

import errno
import fcntl
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
    """A folder of parts, open for one call. A part counts once the manifest has it: all before that is made anew."""

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        """Opens a folder, made if it is not there, and removes what an earlier call left half written.

        Raises `ConfigError` while another archive has the folder open.
        """
        self._folder = Path(folder)
        self._manifest = self._folder / "manifest.jsonl"
        for name in _FORMATS:
            (self._folder / name).mkdir(parents=True, exist_ok=True)
        self.done: set[str] = set()
        self._next = 0
        self._complete = 0
        """The bytes of the manifest's complete lines."""
        self._claim = _claimed(self._folder)
        try:
            self._read()
            self._remove_leftovers()
        except BaseException:
            self.close()
            raise
        self._waiting: list[pa.Table] = []
        self._lock = threading.RLock()
        self._flush_seconds = 0.0
        self._failure: Exception | None = None
        self.summary = Summary()

    def close(self) -> None:
        """Lets other calls use the folder."""
        self._claim.close()

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
        part = {"part": name, "paths": [row["path"] for row in rows], "failed": sum(bool(row["error"]) for row in rows)}
        self._append(_line(part))
        self._next += 1
        self._waiting = []
        self._count(rows)

    def _append(self, line: bytes) -> None:
        with self._manifest.open("ab") as file:
            # An append that failed may have left a part of its line.
            file.truncate(self._complete)
            file.write(line)
            file.flush()
            os.fsync(file.fileno())
        if not self._complete:
            _sync(self._folder)
        self._complete += len(line)

    def _count(self, rows: list[dict[str, object]]) -> None:
        failed = sum(bool(row["error"]) for row in rows)
        self.summary.failed += failed
        self.summary.transcribed += len(rows) - failed
        self.summary.audio_seconds += sum(float(str(row["duration"] or 0.0)) for row in rows)

    def _read(self) -> None:
        """Reads the manifest. Its last line may be torn: then its part does not count."""
        if not self._manifest.exists():
            return
        with self._manifest.open("rb") as file:
            for number, line in enumerate(file, 1):
                if not line.endswith(b"\n"):
                    break
                try:
                    part = json.loads(line)
                    name = part["part"]
                    self.done.update(part["paths"])
                    self._next = max(self._next, int(name.removeprefix("part-")) + 1)
                except (ValueError, TypeError, KeyError, AttributeError) as error:
                    raise ConfigError(f"{self._manifest}: line {number} is of no manifest: {error}") from error
                for kind in _FORMATS:
                    file_of_part = self._folder / kind / f"{name}.{kind}"
                    if not file_of_part.exists():
                        reason = "restore it, or remove the line to transcribe its recordings again"
                        raise ConfigError(f"{self._manifest}: line {number}: {file_of_part} is not there; {reason}")
                self._complete += len(line)
        if self._complete < self._manifest.stat().st_size:
            os.truncate(self._manifest, self._complete)

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
    _sync(path.parent)


def _sync(folder: Path) -> None:
    """Brings the names in a folder to the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        # Some network file systems have no such call.
        if error.errno != errno.EINVAL:
            raise
    finally:
        os.close(descriptor)


def _claimed(folder: Path) -> IO[bytes]:
    """A file whose lock is held until it is closed, or the process ends."""
    file = (folder / ".lock").open("ab")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        file.close()
        raise ConfigError(f"{folder} is in use by another call; wait for its end, or give another folder") from error
    except OSError:
        file.close()
        raise
    return file


def read_manifest(path: str | os.PathLike[str]) -> list[str]:
    """The recordings of a manifest: JSON lines with a `path` or an `audio`, relative to the manifest's folder.

    They are returned as absolute paths.
    """
    manifest = Path(path)
    recordings = []
    with manifest.open("rb") as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            try:
                entry = json.loads(line)
                recording = entry["path"] if "path" in entry else entry["audio"]
                recordings.append(os.path.abspath(manifest.parent / recording))
            except (ValueError, TypeError, KeyError) as error:
                reason = "must be a JSON object with a path or an audio"
                raise ConfigError(f"{manifest}: line {number} {reason}") from error
    return recordings


def _line(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode() + b"\n"
