"""A cluster of this machine alone, with two cores."""

import os
import shutil

import pytest

ray = pytest.importorskip("ray", reason="NOT TESTED: Ray is not installed")


@pytest.fixture(scope="session", autouse=True)
def cluster():
    # Workers that give way to all else would take long beside other checks.
    os.environ["RAY_worker_niceness"] = "0"
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    ray.data.DataContext.get_current().enable_progress_bars = False
    yield
    ray.shutdown()


@pytest.fixture
def recordings(speech, tmp_path) -> list[str]:
    """Twelve files."""
    files = [tmp_path / f"{number:02}.flac" for number in range(12)]
    for file in files:
        shutil.copy(speech, file)
    return [str(file) for file in files]
