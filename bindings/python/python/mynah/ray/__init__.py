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
from typing import TYPE_CHECKING, Any

from mynah._errors import ConfigError
from mynah.ray._archive import Archive, Summary, read_manifest
from mynah.ray._worker import Ledger, Transcriber

if TYPE_CHECKING:
    from mynah._mynah import _RecognizerOptions
    from typing_extensions import Unpack

__all__ = ["Summary", "transcribe"]

_BLOCKS_PER_WORKER = 16
"""Into so many tasks for each worker a list is cut, or into one for each file."""


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
    those, `bytes`.

    The folder gets `parquet/part-*.parquet` and `jsonl/part-*.jsonl` with the same rows: `path`, `text`, `duration` in
    seconds, `utterances` with their times, `error`, `began` in seconds since 1970, `compute_seconds` and `worker`. A
    file that can't be transcribed, or kills three workers, is a row with an `error`. `manifest.jsonl` lists the parts
    that are complete with their files: what is in it is left out when the call is repeated. What has come is written
    every `flush_seconds`; with 0, as it comes.

    `workers` is the size of the actor pool, the cluster's cores unless given; with a dataset that reads, leave cores
    to its reading. Each worker has the model in the folder `model`, the built-in one without it, loaded with
    `model_options`, those of `Model.load`. `options` are those of `Recognizer`.

    Returns how many files were transcribed, failed and were done before. Raises `ConfigError` for options that the
    model can't take, before anything is run.
    """
    archive = Archive(output)
    if not ray.is_initialized():
        ray.init()
    if workers is None:
        workers = max(1, int(ray.cluster_resources().get("CPU", 1)))
    if workers < 1:
        raise ConfigError(f"workers is {workers}; it must be at least 1")
    settings = (None if model is None else os.fspath(model), model_options or {}, dict(options))
    # What is wrong with the options is found here, and not by each worker.
    Transcriber(*settings)
    if isinstance(source, ray.data.Dataset):
        return _run(source, archive, workers, settings, flush_seconds)
    paths = read_manifest(source) if isinstance(source, (str, os.PathLike)) else map(os.fspath, source)
    wanted = dict.fromkeys(paths)
    rest = [path for path in wanted if path not in archive.done]
    archive.summary.skipped = len(wanted) - len(rest)
    if not rest:
        return archive.summary
    blocks = min(len(rest), workers * _BLOCKS_PER_WORKER)
    dataset = ray.data.from_items([{"path": path} for path in rest], override_num_blocks=blocks)
    return _run(dataset, archive, min(workers, len(rest)), settings, flush_seconds)


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
    finally:
        ray.kill(ledger)
    return archive.summary
