"""Folders of transcripts: what is complete stays, whatever happens to a call."""

import json
import os
from contextlib import closing
from pathlib import Path

import pyarrow as pa
import pytest

import mynah
from mynah.ray import _archive
from mynah.ray._archive import Archive, read_manifest
from mynah.ray._worker import SCHEMA


def table(*paths: str) -> pa.Table:
    return pa.Table.from_pylist([{"path": path, "text": "A", "duration": 1.0} for path in paths], schema=SCHEMA)


def paths(folder: Path) -> list[list[str]]:
    return [json.loads(line)["paths"] for line in (folder / "manifest.jsonl").open()]


def test_a_line_that_a_failed_append_has_left_torn_is_replaced(tmp_path, monkeypatch):
    with closing(Archive(tmp_path)) as archive:
        archive.add(table("a"))

        def full(descriptor: int) -> None:
            if os.readlink(f"/proc/self/fd/{descriptor}").endswith("manifest.jsonl"):
                os.truncate(tmp_path / "manifest.jsonl", os.fstat(descriptor).st_size - 5)
                monkeypatch.undo()
                raise OSError("the disk is full")

        monkeypatch.setattr(_archive.os, "fsync", full)
        with pytest.raises(OSError, match="full"):
            archive.add(table("b"))
        archive.add(table("c"))
    assert paths(tmp_path) == [["a"], ["b", "c"]]
    with closing(Archive(tmp_path)) as archive:
        assert archive.done == {"a", "b", "c"}


def test_a_folder_is_of_one_call_at_a_time(tmp_path):
    with closing(Archive(tmp_path)) as archive:
        archive.add(table("a"))
        with pytest.raises(mynah.ConfigError, match="is in use by another call"):
            Archive(tmp_path)
        with pytest.raises(mynah.ConfigError, match="is in use by another call"):
            mynah.ray.transcribe(["none.flac"], tmp_path)
    with closing(Archive(tmp_path)) as archive:
        assert archive.done == {"a"}


def test_a_part_that_is_not_there_is_an_error(tmp_path):
    with closing(Archive(tmp_path)) as archive:
        archive.add(table("a"))
        archive.add(table("b"))
    (tmp_path / "parquet" / "part-00001.parquet").unlink()
    for _ in range(2):  # The folder is free again after the error.
        with pytest.raises(mynah.ConfigError, match="line 2: .*part-00001.parquet is not there"):
            Archive(tmp_path)


def test_a_manifest_gives_absolute_paths(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("list.jsonl").write_text('{"path": "a.wav"}\n{"audio": "../b.wav"}\n{"path": "/c.wav"}\n')
    assert read_manifest("list.jsonl") == [f"{tmp_path}/a.wav", f"{tmp_path.parent}/b.wav", "/c.wav"]
