"""Archives of recordings to transcripts on Ray: one model for each worker, one core for each model.

>>> import mynah.ray
>>> mynah.ray.transcribe(["a.flac", "b.mp3"], "transcripts")

Needs Ray: ``pip install 'mynah[ray]'``. docs/cluster.md says what a cluster transcribes and what limits it.
"""

from __future__ import annotations

try:
    import ray
    import ray.data
except ImportError as _error:
    raise ImportError("mynah.ray needs Ray with its data library: pip install 'mynah[ray]'") from _error

import os
from collections.abc import Iterable
from contextlib import closing
from typing import TYPE_CHECKING, Any

from ray.data.dataset import MaterializedDataset

from mynah._errors import ConfigError
from mynah.ray._archive import Archive, Summary, read_manifest
from mynah.ray._worker import Ledger, Transcriber

if TYPE_CHECKING:
    from mynah._mynah import _RecognizerOptions
    from typing_extensions import Unpack

__all__ = ["Summary", "transcribe"]

_MOST_SINGLE_FILES = 10_000
"""Each file of a list is a task of its own, whose result comes when it ends. A list of more files has tasks of several."""
_FILES_PER_TASK = 8
"""So many then."""


def transcribe(
    source: ray.data.Dataset | Iterable[str | os.PathLike[str]] | str | os.PathLike[str],
    output: str | os.PathLike[str],
    *,
    workers: int | None = None,
    model: str | os.PathLike[str] | None = None,
    model_options: dict[str, Any] | None = None,
    flush_seconds: float = 30.0,
    **options: Unpack[_RecognizerOptions],
) -> Summary:
    """Transcribes recordings on Ray's workers, and writes the transcripts into the folder `output` of this machine.

    `source` is an iterable of paths that every worker can read; the path of a manifest, JSON lines with a `path` or
    an `audio`, relative to the manifest's folder; or a dataset with the column `path` and, where workers can't read
    those, `bytes`. Relative paths of an iterable are of this process's folder; rows have absolute ones. Paths of a
    dataset stay as they are.

    The folder gets `parquet/part-*.parquet` and `jsonl/part-*.jsonl` with the same rows: `path`, `text`, `duration` in
    seconds, `utterances` with their times, `error`, `began` in seconds since 1970, `compute_seconds` and `worker`. A
    file that can't be transcribed, or kills three workers, is a row with an `error`. `manifest.jsonl` lists the parts
    that are complete with their files: what is in it is left out when the call is repeated. What has come is written
    every `flush_seconds`; with 0, as it comes. The result of a task comes when it ends: a task is a file, 8 files of a
    list of more than 10,000, or a block of a dataset.

    `workers` is the size of the actor pool, the cluster's cores unless given, but one for a dataset that reads, which
    needs a core for that. Each worker has the model in the folder `model`, the built-in one without it, loaded with
    `model_options`, those of `Model.load`. `options` are those of `Recognizer`.

    Returns how many files were transcribed, failed and were done before. Raises `ConfigError` for options that the
    model can't take, for a manifest that can't be read, for workers that leave a dataset no core, and for a folder
    that another call writes into, before anything is run.
    """
    if not ray.is_initialized():
        ray.init()
    workers = _pool_size(workers, isinstance(source, ray.data.Dataset) and not isinstance(source, MaterializedDataset))
    model_options = dict(model_options or {})
    if model_options.get("second_model") is not None:
        model_options["second_model"] = os.path.abspath(model_options["second_model"])
    settings = (None if model is None else os.path.abspath(model), model_options, dict(options))
    # What is wrong with the options is found here, and not by each worker.
    Transcriber(*settings)
    if isinstance(source, ray.data.Dataset):
        with closing(Archive(output)) as archive:
            return _run(source, archive, workers, settings, flush_seconds)
    paths = read_manifest(source) if isinstance(source, (str, os.PathLike)) else map(os.path.abspath, source)
    wanted = dict.fromkeys(paths)
    with closing(Archive(output)) as archive:
        rest = [path for path in wanted if path not in archive.done]
        archive.summary.skipped = len(wanted) - len(rest)
        if not rest:
            return archive.summary
        tasks = len(rest) if len(rest) <= _MOST_SINGLE_FILES else -(-len(rest) // _FILES_PER_TASK)
        dataset = ray.data.from_items([{"path": path} for path in rest], override_num_blocks=tasks)
        return _run(dataset, archive, min(workers, len(rest)), settings, flush_seconds)


def _pool_size(workers: int | None, reads: bool) -> int:
    """The number of workers, of which those of a dataset that reads leave it a core."""
    cores = max(1, int(ray.cluster_resources().get("CPU", 1)))
    if workers is None:
        workers = max(1, cores - 1) if reads else cores
    if workers < 1:
        raise ConfigError(f"workers is {workers}; it must be at least 1")
    if reads and workers >= cores:
        raise ConfigError(
            f"workers is {workers}, and the cluster's cores are {cores}: none is left for the dataset's reading; "
            "give fewer workers, or the dataset's materialize()"
        )
    return workers


def _run(
    dataset: ray.data.Dataset,
    archive: Archive,
    workers: int,
    settings: tuple[Any, ...],
    flush_seconds: float,
) -> Summary:
    """Transcribes the rows of a dataset that are not in the archive."""
    ledger = ray.remote(num_cpus=0, max_restarts=-1, max_task_retries=-1)(Ledger).remote(archive.done)
    # A task whose worker dies is tried again by another one: so Ray has it for actors of its data library.
    transcripts = dataset.map_batches(
        Transcriber,
        fn_constructor_args=(*settings, ledger),
        batch_size=1,
        batch_format="pyarrow",
        compute=ray.data.ActorPoolStrategy(size=workers),
        num_cpus=1,
    )
    try:
        with archive.written_every(flush_seconds):
            for table in transcripts.iter_batches(batch_size=None, batch_format="pyarrow", prefetch_batches=0):
                archive.add(table)
        archive.summary.skipped += ray.get(ledger.skipped.remote())
    finally:
        ray.kill(ledger)
    return archive.summary
