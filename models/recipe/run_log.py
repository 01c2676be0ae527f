"""The log of a run, JSON lines in its folder."""

import json
from pathlib import Path


def log_line(out: Path, **values) -> None:
    """Print a line of JSON and append it to the run's log."""
    line = json.dumps(values)
    print(line, flush=True)
    with open(out / "log.jsonl", "a") as file:
        file.write(line + "\n")
