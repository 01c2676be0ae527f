"""Archives on Ray: every file once, whatever happens to workers."""

import json
import os
import signal
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import ray

import mynah
import mynah.ray
from mynah.ray import _worker


def rows(output: Path) -> list[dict]:
    """The rows of the JSON lines, which are those of the Parquet files."""
    lines = [json.loads(line) for file in sorted((output / "jsonl").iterdir()) for line in file.open()]
    tables = [row for file in sorted((output / "parquet").iterdir()) for row in pq.read_table(file).to_pylist()]
    assert lines == tables
    manifest = [json.loads(line) for line in (output / "manifest.jsonl").open()]
    assert [path for part in manifest for path in part["paths"]] == [row["path"] for row in lines]
    return lines


def test_a_worker_killed_in_mid_run_loses_nothing(recordings, tmp_path, text):
    output = tmp_path / "out"
    killed = []

    def kill_a_worker_once_it_has_done_a_file() -> None:
        while not (parts := list((output / "jsonl").glob("*.jsonl"))):
            time.sleep(0.01)
        worker = json.loads(parts[0].open().readline())["worker"]
        os.kill(int(worker.rpartition(":")[2]), signal.SIGKILL)
        killed.append((worker, len(list((output / "jsonl").glob("*.jsonl")))))

    thread = threading.Thread(target=kill_a_worker_once_it_has_done_a_file, daemon=True)
    thread.start()
    summary = mynah.ray.transcribe(recordings, output, workers=2, flush_seconds=0.0)
    ((worker, parts),) = killed
    assert parts < len(recordings), "it was killed too late to matter"
    done = rows(output)
    assert Counter(row["path"] for row in done) == Counter(recordings)
    assert all(row["text"] == text and row["error"] is None for row in done)
    assert len({row["worker"] for row in done} - {worker}) >= 1
    assert (summary.transcribed, summary.failed, summary.skipped) == (12, 0, 0)
    assert summary.audio_seconds == pytest.approx(12 * 4.585, abs=0.1)


def test_a_rerun_does_the_rest_only_and_failures_are_rows(recordings, recording, tmp_path, text):
    output = tmp_path / "out"
    first = mynah.ray.transcribe(recordings[:4], output, workers=2, flush_seconds=0.0)
    assert first == mynah.ray.Summary(4, 0, 0, first.audio_seconds)
    # Parts that an interrupted call has left: the line in the manifest is torn.
    lines = (output / "manifest.jsonl").read_bytes().splitlines(keepends=True)
    (output / "manifest.jsonl").write_bytes(b"".join(lines[:-1]) + lines[-1][:10])
    (output / "parquet" / "part-00099.parquet.new").write_text("half")
    redone = len(json.loads(lines[-1])["paths"])
    whole = recording(2, silence=1.5).read_bytes()
    (tmp_path / "broken.wav").write_bytes(whole[: len(whole) * 2 // 3])
    (tmp_path / "notes.txt").write_text("no audio")
    names = [Path(path).name for path in recordings[:8]] + ["none.flac", "notes.txt", "broken.wav"]
    (tmp_path / "list.jsonl").write_text("".join(json.dumps({"audio": name}) + "\n" for name in names))
    second = mynah.ray.transcribe(tmp_path / "list.jsonl", output)
    assert (second.transcribed, second.failed, second.skipped) == (4 + redone, 3, 4 - redone)
    done = {Path(row["path"]).name: row for row in rows(output)}
    assert sorted(done) == sorted(names) and len(rows(output)) == len(names)
    assert "No such file" in done["none.flac"]["error"] and done["none.flac"]["text"] is None
    assert "give WAV" in done["notes.txt"]["error"]
    assert done["broken.wav"]["error"] and done["broken.wav"]["text"].startswith(text)
    assert all(row["text"] == text and not row["error"] for name, row in done.items() if name in names[:8])
    assert mynah.ray.transcribe(tmp_path / "list.jsonl", output) == mynah.ray.Summary(0, 0, 11, 0.0)

    # Bytes need no files that every worker can read.
    dataset = ray.data.read_binary_files(recordings[7:9], include_paths=True)
    third = mynah.ray.transcribe(dataset, output)
    assert (third.transcribed, third.failed, third.skipped) == (1, 0, 1) and rows(output)[-1]["path"] == recordings[8]
    assert rows(output)[-1]["text"] == text and len(rows(output)) == 12


class Killed(_worker.Transcriber):
    """A worker that one of the files kills, as a defect in native code may."""

    attempts = 2

    def _row(self, path, audio):
        if path.endswith("03.flac"):
            os.kill(os.getpid(), signal.SIGKILL)
        return super()._row(path, audio)


@pytest.mark.parametrize("most_single_files", [10_000, 0], ids=["a task each", "one task"])
def test_a_file_that_kills_its_workers_fails_and_the_others_do_not(recordings, tmp_path, monkeypatch, most_single_files, text):
    """Those of its task are transcribed again, however often it kills a worker."""
    # The workers have no path to this module.
    ray.cloudpickle.register_pickle_by_value(sys.modules[__name__])
    monkeypatch.setattr(mynah.ray, "Transcriber", Killed)
    monkeypatch.setattr(mynah.ray, "_MOST_SINGLE_FILES", most_single_files)
    summary = mynah.ray.transcribe(recordings[:6], tmp_path / "out", workers=2)
    done = rows(tmp_path / "out")
    assert Counter(row["path"] for row in done) == Counter(recordings[:6])
    ((path, error),) = [(row["path"], row["error"]) for row in done if row["error"]]
    assert path == recordings[3] and "each of 2 workers ended" in error
    assert [row["text"] for row in done if not row["error"]] == [text] * 5
    assert (summary.transcribed, summary.failed) == (5, 1)


def test_a_wrong_option_is_an_error_before_anything_runs(recordings, tmp_path):
    with pytest.raises(mynah.ConfigError, match="nbest is 0"):
        mynah.ray.transcribe(recordings, tmp_path / "out", nbest=0)
    with pytest.raises(mynah.ConfigError, match="workers is 0"):
        mynah.ray.transcribe(recordings, tmp_path / "out", workers=0)
    (tmp_path / "list.jsonl").write_text('{"path": "a.wav"}\n{"text": "b"}\n')
    with pytest.raises(mynah.ConfigError, match="list.jsonl: line 2"):
        mynah.ray.transcribe(tmp_path / "list.jsonl", tmp_path / "out")
    dataset = ray.data.read_binary_files(recordings[:2], include_paths=True)
    with pytest.raises(mynah.ConfigError, match="workers is 2, and the cluster's cores are 2"):
        mynah.ray.transcribe(dataset, tmp_path / "out", workers=2)
    assert not (tmp_path / "out").exists()
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "manifest.jsonl").write_text("[1]\n")
    with pytest.raises(mynah.ConfigError, match="manifest.jsonl: line 1"):
        mynah.ray.transcribe(recordings, tmp_path / "out")
