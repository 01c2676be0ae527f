import json
import struct
import sys

import numpy as np
import pytest
import torch

import punctuation
from punctuation import Batches, Tagger, main
from punctuation_data import MASKED, SUFFIX_ROWS, case_of, cut, make_vocabulary, numbered, split_token
from punctuation_file import MAGIC, read_punctuation, write_punctuation
from recurrent_lm_file import eight_bit_rows, four_bit_rows

DOCUMENT = ["Where is the iPhone? It is in the A_P_I, I think.", "We met Ann~ and NASA's people", "It was late."] * 20


def test_tokens_have_words_and_a_mark():
    assert split_token("A_P_I,") == (["A", "P", "I"], 1)
    assert split_token("Ann~") == (["Ann"], MASKED)
    assert split_token("it's") == (["it's"], 0)


def test_case_is_unknown_where_a_sentence_hides_it():
    assert [case_of(*each) for each in (("It", False, True), ("It", False, False), ("it", False, True))] == [MASKED, 1, 0]
    assert [case_of(*each) for each in (("I'm", False, True), ("NASA's", False, True), ("A", True, True), ("iPhone", False, True))] == [1, 2, 2, 1]


def test_text_becomes_rows_and_labels():
    vocabulary, _ = make_vocabulary([[DOCUMENT]], ["Zoe", "ann"], most=34, most_names=10)
    assert vocabulary.forms == {"iphone": "iPhone"}
    text = numbered([[DOCUMENT[:2]]], vocabulary)
    assert text.marks[:14].tolist() == [0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 1, 0, 2, 0]
    assert text.cases[:14].tolist() == [MASKED, 0, 0, 1, MASKED, 0, 0, 0, 2, 2, 2, 1, 0, MASKED]
    assert text.marks[15] == MASKED and text.marks[-1] == MASKED
    assert np.flatnonzero(text.ends).tolist() == [3, 12, len(text.rows) - 1]
    assert text.documents.tolist() == [0, len(text.rows)]


def test_utterances_cover_a_text():
    vocabulary, _ = make_vocabulary([[DOCUMENT]], [], most=40, most_names=10)
    text = numbered([[DOCUMENT]], vocabulary)
    utterances = cut(text, np.random.default_rng(1))
    assert utterances[0, 1] == 0 and utterances[-1, 2] == len(text.rows)
    assert (utterances[1:, 1] == utterances[:-1, 2]).all() and (utterances[:, 0] <= utterances[:, 1]).all()


def test_spoken_marks_have_labels_of_their_own():
    vocabulary, _ = make_vocabulary([[DOCUMENT]], [], most=50, most_names=10)
    batches = Batches(numbered([[DOCUMENT]], vocabulary), vocabulary, 1)
    columns = batches.with_spoken_marks(batches.example(0, 0, 13)[:5], 0)
    assert columns.shape[1] > 13 and (columns[2] == MASKED).all()
    spoken = {vocabulary.words[row] for row in columns[0, columns[4] == 1]}
    assert spoken & {"question", "comma", "period", "stop", "line"}


def test_a_batch_without_known_marks_has_a_loss():
    logits, labels = torch.zeros(1, 2, 4), torch.full((1, 2), MASKED)
    assert punctuation.mean_loss(logits, labels) == 0


def test_the_file_gives_back_the_words_and_the_weights_rounded(tmp_path):
    torch.manual_seed(1)
    words, forms = ["a", "b's", "étude"], {"iphone": "iPhone", "mcgee": "McGee"}
    model = Tagger(3 + 2 * SUFFIX_ROWS, width=4, hidden=3)
    write_punctuation(tmp_path / "p.bin", words, ["zoe", "ann"], forms, model.state_dict())
    assert (tmp_path / "p.bin").read_bytes()[:12] == MAGIC + struct.pack("<I", 1)
    found_words, names, found_forms, weights = read_punctuation(tmp_path / "p.bin")
    assert (found_words, names, found_forms) == (words, ["ann", "zoe"], forms)
    for name, values in model.state_dict().items():
        codes, scales = four_bit_rows(values) if name == "emb.weight" else eight_bit_rows(values) if values.dim() == 2 else (values, 1)
        if name.startswith("gru.weight_ih_l0"):
            codes, scales = eight_bit_rows(values[:, :4])
            assert torch.equal(weights[name], torch.cat([codes * scales, values[:, 4:]], 1)), name
        else:
            assert torch.allclose(weights[name], codes * scales), name
    (tmp_path / "p.bin").write_bytes((tmp_path / "p.bin").read_bytes()[:-1])
    with pytest.raises(ValueError, match="damaged"):
        read_punctuation(tmp_path / "p.bin")


def test_a_training_learns_stops_and_resumes(tmp_path, monkeypatch):
    for name, value in {"WARMUP_STEPS": 5, "LOG_EVERY_STEPS": 1, "SAVE_EVERY_SECONDS": 5, "POOL_UTTERANCES": 200, "BATCH_WORDS": 60}.items():
        monkeypatch.setattr(punctuation, name, value)
    text, aside = tmp_path / "text.txt", tmp_path / "text.aside.txt"
    text.write_text("\n\n".join("\n".join(DOCUMENT) for _ in range(20)))
    aside.write_text("\n".join(DOCUMENT))
    for minutes in ("0.05", "0.1"):
        start = ["--from", str(tmp_path / "punctuation.pt")] if minutes == "0.1" else []
        options = ["--words", "60", "--width", "8", "--hidden", "8", "--minutes", minutes, "--out", str(tmp_path)]
        monkeypatch.setattr(sys, "argv", ["punctuation.py", str(text), str(aside), *options, *start])
        main()
    lines = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    losses = [line["mark"] for line in lines if "mark" in line]
    assert min(losses) < losses[0] and "stop" in lines[-1]
    words, *_ = read_punctuation(tmp_path / "punctuation.bin")
    assert "iphone" in words
