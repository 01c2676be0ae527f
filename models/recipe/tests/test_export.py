"""The folder that an export writes: its lexicon, its columns, its golden data."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from export import export, phones_of
from fixtures import RANDOM, synthetic_frames, write_golden
from lexicon import PHONES
from model import StreamingEncoder
from text import TOKENS


@pytest.fixture
def model() -> StreamingEncoder:
    torch.manual_seed(0)
    return StreamingEncoder(replace(RANDOM, phones=True)).eval()


@pytest.fixture
def lexicon(tmp_path) -> dict:
    files = {"pronunciations": tmp_path / "words.txt", "letter_to_sound": tmp_path / "rules.txt"}
    files["pronunciations"].write_text("BEE\tGQ\n")
    files["letter_to_sound"].write_text("unit\n")
    return files


def test_a_folder_has_its_lexicon_and_golden_data_of_all_columns(model, lexicon, tmp_path):
    out = tmp_path / "out"
    config = export(model, "bees", 16, (8, 16, 64), None, out, lexicon)
    assert json.loads((out / "config.json").read_text()) == config
    assert config["encoder"]["chunk_choices"] == [32, 64, 256] and config["encoder"]["offline_chunk_frames"] == 256
    assert config["phones"] == {"file": "phones.txt", "pronunciations": "pronunciations.txt", "letter_to_sound": "letter-to-sound.txt"}
    assert (out / "phones.txt").read_text().splitlines() == PHONES
    assert (out / "pronunciations.txt").read_text() == "BEE\tGQ\n" and (out / "letter-to-sound.txt").read_text() == "unit\n"
    write_golden(model, out)
    for name in ("f32", "int8"):
        rows = np.exp(np.array(json.loads((out / "golden.json").read_text())[name]))
        assert rows.shape == (len(synthetic_frames(config)) // 4, len(TOKENS) + len(PHONES))
        for columns in (rows[:, : len(TOKENS)], rows[:, len(TOKENS) :]):
            assert np.allclose(columns.sum(1), 1, atol=1e-4), name


def test_a_folder_may_have_int8_only(model, lexicon, tmp_path):
    out = tmp_path / "out"
    config = export(model, "bees", 16, (16,), None, out, lexicon, int8_only=True)
    assert "f32" not in config["encoder"] and json.loads((out / "config.json").read_text()) == config
    assert (out / "encoder.int8.onnx").exists() and not (out / "encoder.onnx").exists()


def test_pronunciations_are_needed_and_rules_are_not(model, lexicon, tmp_path):
    rules = lexicon.pop("letter_to_sound")
    out = tmp_path / "out"
    with pytest.raises(SystemExit, match="needs --pronunciations"):
        phones_of(model, {"letter_to_sound": rules}, out)
    assert phones_of(model, lexicon, out) == {"phones": {"file": "phones.txt", "pronunciations": "pronunciations.txt"}}
    with pytest.raises(SystemExit, match="is no file"):
        phones_of(model, {"pronunciations": tmp_path / "lost.txt"}, out)


def test_what_the_folder_has_stays(model, tmp_path):
    (tmp_path / "pronunciations.txt").write_text("BEE\tGQ\n")
    assert phones_of(model, {}, tmp_path)["phones"]["pronunciations"] == "pronunciations.txt"


def test_a_model_of_letters_takes_no_lexicon(lexicon, tmp_path):
    letters = StreamingEncoder(RANDOM)
    assert phones_of(letters, {}, tmp_path) == {}
    with pytest.raises(SystemExit, match="has no phones"):
        phones_of(letters, lexicon, tmp_path)
