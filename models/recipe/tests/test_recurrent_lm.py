import json
import math
import struct
import sys
import zlib

import numpy as np
import pytest
import torch

import recurrent_lm
from fixtures import write_recurrent
from recurrent_lm import RecurrentLM, Training, judge, main, most_frequent, numbered, read_sentences
from recurrent_lm_file import HEADER, SPECIAL, eight_bit_rows, four_bit_rows, read_recurrent_lm, write_recurrent_lm

WORDS = [*SPECIAL, "THE", "CAT", "CAT'S", "A", "ÉTUDE"]
SENTENCES = ["THE CAT SAT ON A MAT", "A DOG RAN", "THE DOG SAT", "HE RAN TO THE CAT"] * 50


@pytest.fixture
def model():
    torch.manual_seed(1)
    model = RecurrentLM(len(WORDS), width=8, hidden=6)
    torch.nn.init.normal_(model.bias)
    return model


@pytest.fixture
def small(monkeypatch):
    """Updates that take milliseconds."""
    sizes = {"STREAMS": 16, "STREAM_WORDS": 8, "NEGATIVES": 512, "WARMUP_STEPS": 20, "PEAK_RATE": 1e-2, "LOG_EVERY_STEPS": 5}
    for name, value in sizes.items():
        monkeypatch.setattr(recurrent_lm, name, value)


def test_the_file_gives_back_the_words_and_the_weights_rounded(model, tmp_path):
    write_recurrent_lm(tmp_path / "words.rnn", WORDS, model.state_dict())
    words, weights = read_recurrent_lm(tmp_path / "words.rnn")
    assert words == [*SPECIAL, "A", "CAT", "CAT'S", "THE", "ÉTUDE"]
    order = [WORDS.index(word) for word in words]
    expected = {**model.state_dict(), "bias": model.bias.detach()[order].bfloat16().float()}
    codes, scales = four_bit_rows(model.emb.weight.detach()[order])
    expected["emb.weight"] = codes * scales
    for name in ("gru.weight_ih_l0", "gru.weight_hh_l0", "proj.weight"):
        codes, scales = eight_bit_rows(expected[name])
        expected[name] = codes * scales
    assert weights.keys() == expected.keys()
    for name, values in weights.items():
        assert torch.equal(values, expected[name]), name


def test_its_bytes_are_where_they_are_said_to_be(tmp_path):
    model = RecurrentLM(3, width=2, hidden=1)
    model.emb.weight.data = torch.tensor([[7.0, -7.0], [0.0, 0.0], [3.5, 1.0]])
    model.bias.data = torch.tensor([-1.0, -2.0, 0.5])
    write_recurrent_lm(tmp_path / "words.rnn", [*SPECIAL, "HÉ"], model.state_dict())
    content = (tmp_path / "words.rnn").read_bytes()
    body = content[24:]
    assert content[:24] == b"mynah-rn" + struct.pack("<IQI", 1, len(body), zlib.crc32(body))
    assert body[:19] == struct.pack("<4I", 3, 2, 1, 3) + "HÉ".encode()
    assert body[19:22] == bytes([0x1F, 0x88, 0xAF])
    assert np.frombuffer(body[22:34], "<u2").tolist()[::2] == [0x3F80, 0x3F00, 0xC000]
    input_matrix, recurrent, projection = (3 * (columns + 8) for columns in (2, 1)), 3, 2
    assert len(body) == 34 + sum(input_matrix) + 2 * (1 + 8)


def test_scores_of_the_file_are_near_the_models(model, tmp_path):
    write_recurrent_lm(tmp_path / "words.rnn", WORDS, model.state_dict())
    words, weights = read_recurrent_lm(tmp_path / "words.rnn")
    read, sentence = RecurrentLM.of(weights), ["</s>", "THE", "CAT'S", "<unk>", "A"]
    before, after = (m.scores(torch.tensor([w.index(word) for word in sentence])) for m, w in ((model, WORDS), (read, words)))
    apart = (before[:, [WORDS.index(word) for word in words]] - after).abs().max()
    assert 0 < apart < 0.1


def test_of_the_scales_that_clip_the_best_is_taken():
    torch.manual_seed(2)
    rows = torch.randn(50, 64)
    codes, scales = four_bit_rows(torch.cat([rows, torch.zeros(1, 64)]))
    assert codes.abs().max() == 7 and not codes[-1].any()
    assert torch.equal(scales, scales.bfloat16().float())
    unclipped = rows.abs().amax(1, keepdim=True) / 7
    error, worse = ((c * s - rows).square().sum() for c, s in ((codes[:-1], scales[:-1]), ((rows / unclipped).round(), unclipped)))
    assert error < 0.9 * worse


@pytest.mark.parametrize(
    "words, width, reason",
    [
        (["<unk>", "</s>", *WORDS[2:]], 8, "</s>, <unk> and then others"),
        ([*WORDS[:-1], "THE"], 8, "each once"),
        ([*WORDS[:-1], "THE CAT"], 8, "without spaces"),
        (WORDS[:-1], 8, "6 words, but 7 embeddings"),
        (WORDS, 7, "width 7"),
    ],
)
def test_what_the_file_cannot_hold_is_refused(words, width, reason, tmp_path):
    with pytest.raises(ValueError, match=reason):
        write_recurrent_lm(tmp_path / "words.rnn", words, RecurrentLM(len(WORDS), width, 6).state_dict())
    assert not list(tmp_path.iterdir())


def test_a_file_of_another_kind_and_a_damaged_one_are_refused(model, tmp_path):
    path = tmp_path / "words.rnn"
    write_recurrent_lm(path, WORDS, model.state_dict())
    content = path.read_bytes()
    newer = HEADER.pack(b"mynah-rn", 2, *HEADER.unpack_from(content)[2:])
    for bytes_, reason in (
        (b"\\data\\", "not a recurrent language model"),
        (newer + content[24:], "of version 2; this reads version 1"),
        (content[:-1], "damaged"),
        (content[:-1] + b"!", "damaged"),
    ):
        path.write_bytes(bytes_)
        with pytest.raises(ValueError, match=f"words.rnn: {reason}"):
            read_recurrent_lm(path)


def test_the_most_frequent_words_are_known():
    words = most_frequent(SENTENCES, 5, None)
    assert words == [*SPECIAL, "THE", "A", "CAT"]
    assert most_frequent(SENTENCES, 5, {"MAT", "TO", "DOG"}) == [*SPECIAL, "DOG", "MAT", "TO"]
    assert numbered(["THE CAT RAN", "A"], words).tolist() == [2, 4, 1, 0, 3, 0]
    assert numbered([], [*SPECIAL, *map(str, range(70000))]).dtype == np.uint32


def test_unknown_words_are_left_out_of_the_perplexity(model):
    with torch.no_grad():
        model.bias[recurrent_lm.UNKNOWN] = -20
        other = RecurrentLM.of(model.state_dict())
        other.bias[recurrent_lm.UNKNOWN] = -30
    text = numbered(["THE CAT", "A DOG"], WORDS)
    judged = judge(model, text)
    assert judged["unknown"] == 25
    assert judged["perplexity"] == pytest.approx(judge(other, text)["perplexity"], rel=1e-4)


@pytest.mark.parametrize("rounded_share", [0, 0.3])
def test_a_repetitive_text_is_learned_and_scores_come_out_normalized(small, rounded_share, tmp_path):
    torch.manual_seed(1)
    words = most_frequent(SENTENCES, 100, None)
    text = numbered(np.random.default_rng(1).permutation(SENTENCES), words)
    training, steps = Training(RecurrentLM(len(words), width=16, hidden=24), text), 400
    for step in range(steps):
        training.update(step / steps, rounded=step >= (1 - rounded_share) * steps)
    write_recurrent_lm(tmp_path / "words.rnn", words, training.model.state_dict())
    rows, weights = read_recurrent_lm(tmp_path / "words.rnn")
    # Nothing is to be guessed but which of the four sentences it is. Four bits of sixteen columns are coarse.
    entropy = 4 * math.log(4) / sum(len(sentence.split()) + 1 for sentence in SENTENCES[:4])
    for judged in (judge(training.model, text), judge(RecurrentLM.of(weights), numbered(SENTENCES, rows))):
        assert judged["perplexity"] < 1.05 * math.exp(entropy)
        assert abs(judged["ln_z"]) < 0.15 and judged["ln_z_deviation"] < 0.5


def test_no_word_is_more_than_certain(small):
    words = most_frequent(SENTENCES, 100, None)
    training = Training(RecurrentLM(len(words), width=8, hidden=8), numbered(SENTENCES, words))
    # All that is sought scores much, and none of it is drawn.
    training.model.bias.data[:] = 50
    training.model.bias.data[recurrent_lm.UNKNOWN] = 0
    training.proposal = torch.eye(len(words))[recurrent_lm.UNKNOWN]
    assert training.losses(training.next_words(), rounded=False)[0].item() >= 0


def test_the_program_trains_goes_on_and_exports(small, tmp_path, monkeypatch, capsys):
    (tmp_path / "text.txt").write_text("\n".join(SENTENCES))
    (tmp_path / "dev.jsonl").write_text(json.dumps({"text": "the dog ran to a zebra"}) + "\n")
    out, sizes = tmp_path / "out", ["--words", "20", "--width", "8", "--hidden", "8"]

    def run(*arguments) -> str:
        monkeypatch.setattr(sys, "argv", ["recurrent_lm.py", *map(str, arguments), "--dev", str(tmp_path / "dev.jsonl"), "--out", str(out)])
        main()
        return capsys.readouterr().out

    said = run(tmp_path / "text.txt", "--minutes", "0.02", *sizes)
    assert said.count("16.67 % of the words unknown") == 2
    first = torch.load(out / "recurrent.pt")
    run(tmp_path / "text.txt", "--from", out / "recurrent.pt", "--minutes", "0.03")
    second = torch.load(out / "recurrent.pt")
    assert second["step"] > first["step"] and second["words"] == first["words"] and second["seconds"] >= 1.8
    steps = [json.loads(line)["step"] for line in (out / "log.jsonl").read_text().splitlines()]
    assert steps == sorted(set(steps)) and steps
    content = (out / "words.rnn").read_bytes()
    (out / "words.rnn").unlink()
    run("--from", out / "recurrent.pt", "--only-export")
    assert (out / "words.rnn").read_bytes() == content


@pytest.mark.parametrize(
    "arguments, reason",
    [
        (["--only-export"], "--only-export needs --from"),
        (["text.txt"], "needs sentences and --minutes"),
        (["text.txt", "--minutes", "1", "--width", "7"], "--width must be even"),
        (["--from", "other.pt", "--only-export"], "other.pt: no optimizer in it"),
    ],
)
def test_wrong_arguments_are_named(arguments, reason, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    torch.save({"weights": {}}, "other.pt")
    monkeypatch.setattr(sys, "argv", ["recurrent_lm.py", *arguments, "--out", "out"])
    with pytest.raises(SystemExit, match=reason):
        main()


def test_a_text_without_sentences_is_named(tmp_path):
    (tmp_path / "empty.txt").write_text("\n \n")
    with pytest.raises(SystemExit, match="empty.txt: no sentences"):
        read_sentences(tmp_path / "empty.txt")


def test_the_golden_scores_are_those_of_the_file(tmp_path):
    write_recurrent(tmp_path / "words.rnn")
    words, weights = read_recurrent_lm(tmp_path / "words.rnn")
    cases = json.loads((tmp_path / "words-rnn.json").read_text())
    weights = {name: values.double().numpy() for name, values in weights.items()}
    assert len(words) == 12 and {"", "ZEBRA"} < {word for case in cases for word in [case["words"], *case["words"].split()]}
    for case in cases:
        state, before, scores = np.zeros(8), 0, []
        for word in [*case["words"].split(), "</s>"]:
            state = gru_cell(weights, weights["emb.weight"][before], state)
            before = words.index(word) if word in words else 1
            projected = weights["proj.weight"] @ state + weights["proj.bias"]
            scores.append(projected @ weights["emb.weight"][before] + weights["bias"][before])
        assert case["scores"] == pytest.approx(scores, abs=1e-6)


def gru_cell(weights: dict, x: np.ndarray, state: np.ndarray) -> np.ndarray:
    inputs = np.split(weights["gru.weight_ih_l0"] @ x + weights["gru.bias_ih_l0"], 3)
    recurrent = np.split(weights["gru.weight_hh_l0"] @ state + weights["gru.bias_hh_l0"], 3)
    r, z = (1 / (1 + np.exp(-inputs[gate] - recurrent[gate])) for gate in range(2))
    return (1 - z) * np.tanh(inputs[2] + r * recurrent[2]) + z * state
