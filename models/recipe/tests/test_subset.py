"""Labels chosen by speaker, and the table of fine-tuning runs."""

import argparse
from collections import Counter

import pytest

from compare import column_name, read_row, table
from subset import by_speaker

MINUTE = 60 * 16000


def items(speakers: int, each: int) -> list[dict]:
    return [{"audio": f"{s}-{i}", "speaker": f"s{s}", "length": MINUTE // 6} for s in range(speakers) for i in range(each)]


def test_hours_are_met_by_several_speakers_and_the_seed_decides_which():
    chosen = by_speaker(items(40, 60), 1 / 6, seed=1)
    assert 10 * MINUTE <= sum(item["length"] for item in chosen) < 10 * MINUTE + MINUTE // 6
    counts = Counter(item["speaker"] for item in chosen)
    assert len(counts) == 8 and max(counts.values()) <= 8
    assert chosen == by_speaker(items(40, 60), 1 / 6, seed=1)
    assert {i["speaker"] for i in by_speaker(items(40, 60), 1 / 6, seed=2)} != set(counts)


def test_fewer_labels_come_of_a_part_of_the_speakers():
    small, large = (by_speaker(items(40, 60), hours, 1) for hours in (0.05, 0.5))
    assert {item["speaker"] for item in small} <= {item["speaker"] for item in large}
    assert {item["audio"] for item in small} <= {item["audio"] for item in large}


def test_few_speakers_give_all_that_they_have():
    assert len(by_speaker(items(2, 30), 1 / 6, 1)) == 60
    assert len({i["audio"] for i in by_speaker(items(2, 30), 1 / 12, 1)}) == 30
    assert len(by_speaker([{"length": MINUTE}] * 3, 1, 1)) == 3


def test_the_table_has_empty_cells_for_what_has_not_run():
    results = {"scratch": {"1 h": {"per": 50.0, "wer": 90.0}, "all": {"wer": 80.0}}, "hubert": {"1 h": {"per": 40.0, "wer": 85.0}}}
    lines = table(results, 300).splitlines()
    assert lines[0] == "| PER / WER after 300 updates | 1 h | all |"
    assert lines[2:] == ["| scratch | 50.0 / 90.0 | – / 80.0 |", "| hubert | 40.0 / 85.0 |  |"]
    assert [column_name(hours) for hours in (1 / 6, 1.0, None)] == ["10 min", "1 h", "all"]
    with pytest.raises(argparse.ArgumentTypeError, match="scratch is taken"):
        read_row("scratch=x.pt")
