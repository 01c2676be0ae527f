"""Phones beside letters: the lexicon, and the second head."""

from dataclasses import replace

import pytest
import torch

from checkpoint import load_checkpoint, take_weights
from config import TrainConfig
from dataset import Stretch
from lexicon import PHONE_IDS, Lexicon, pronounced, write_pronunciations
from losses import ctc_loss
from model import ModelConfig, StreamingEncoder
from text import TOKENS, encode
from train import Run, open_lexicon, train_step

SMALL = ModelConfig(
    dim=32, heads=2, ffn=64, lower_blocks=1, upper_blocks=1, fresh_blocks=1, fresh_ffn=48, kernel=7, left_context=16, phones=True
)


def lexicon(tmp_path) -> Lexicon:
    path = tmp_path / "lexicon.txt"
    path.write_text("A EY\nA AH\nBEE B IY\n")
    return Lexicon(path)


def stretch(text: str) -> Stretch:
    return Stretch(0, 0, 20, torch.tensor(encode(text), dtype=torch.int32), [])


def test_every_pronunciation_is_drawn_and_unknown_words_are_left_out(tmp_path):
    words = lexicon(tmp_path)
    drawn = {tuple(words.phones("A BEE")) for _ in range(50)}
    rest = (PHONE_IDS["B"], PHONE_IDS["IY"])
    assert drawn == {(PHONE_IDS["EY"], *rest), (PHONE_IDS["AH"], *rest)}
    assert words.phones("A WASP") is None
    kept = pronounced([stretch("BEE"), stretch("WASP"), stretch("")], words)
    assert [s.tokens.tolist() for s in kept] == [list(rest), []]


def test_pronunciations_but_of_abbreviations_are_written_a_character_a_phone(tmp_path):
    path = tmp_path / "pronunciations.txt"
    write_pronunciations({"BEE": [["B", "IY"]], "A": [["AA"], ["AE"], ["AA"]], "MR": [["M", "IH", "S", "T", "ER"]]}, path)
    assert path.read_text() == f"A\tA B\nBEE\t{chr(64 + PHONE_IDS['B'])}{chr(64 + PHONE_IDS['IY'])}\n"


def test_a_chunk_gives_phones_after_tokens_as_whole_rows_do():
    torch.manual_seed(0)
    model = StreamingEncoder(SMALL).eval()
    frames = torch.randn(1, 4 * 16 + 1, 80)
    whole = model(frames, 16, torch.zeros(1, 1))
    columns, *_ = model.forward_chunk(frames, *model.initial_caches().values())
    assert torch.allclose(columns[..., : len(TOKENS)], whole.tokens, atol=1e-4)
    assert torch.allclose(columns[..., len(TOKENS) :], whole.phones, atol=1e-4)


def test_no_stretches_lose_nothing():
    assert ctc_loss(torch.zeros(1, 4, 3), []).item() == 0


def test_a_checkpoint_has_a_phone_head_if_its_weights_have(tmp_path):
    torch.manual_seed(0)
    path, model = tmp_path / "average.pt", StreamingEncoder(SMALL)
    config = {key: value for key, value in SMALL.as_dict().items() if key != "phones"}
    torch.save({"config": {"model": config}, "weights": model.state_dict()}, path)
    assert torch.equal(load_checkpoint(path).phone_head.weight, model.phone_head.weight)
    letters = {name: weight for name, weight in model.state_dict().items() if not name.startswith("phone_head")}
    torch.save({"config": {"model": config}, "weights": letters}, path)
    assert load_checkpoint(path).phone_head is None


def test_a_checkpoint_of_letters_starts_a_model_with_phones_but_not_the_other_way_round():
    with_phones, without = StreamingEncoder(SMALL), StreamingEncoder(replace(SMALL, phones=False))
    take_weights(with_phones, without.state_dict(), "letters", ("phone_head",))
    assert torch.equal(with_phones.head.weight, without.head.weight)
    with pytest.raises(ValueError, match="phone_head.bias has no place"):
        take_weights(without, with_phones.state_dict(), "phones", ())


def test_a_checkpoint_of_other_blocks_is_refused_unless_they_are_to_be_learned():
    source, wider = StreamingEncoder(SMALL), StreamingEncoder(replace(SMALL, fresh_ffn=64))
    take_weights(wider, source.state_dict(), "narrow", ("fresh",))
    with pytest.raises(ValueError, match="fresh.0.ffn_in.bias is missing or of another shape"):
        take_weights(wider, source.state_dict(), "narrow", ())
    with pytest.raises(ValueError, match="lower.0.ffn_in.bias"):
        take_weights(StreamingEncoder(replace(SMALL, ffn=96)), source.state_dict(), "narrow", ("fresh",))


def test_a_lexicon_is_asked_for_where_phones_are_learned(tmp_path):
    path = tmp_path / "lexicon.txt"
    path.write_text("A EY\n")
    phones = TrainConfig(model=SMALL)
    assert open_lexicon(path, phones).phones("A") == [PHONE_IDS["EY"]]
    with pytest.raises(ValueError, match="without --lexicon"):
        open_lexicon(None, phones)
    assert open_lexicon(None, replace(phones, phone_ctc_weight=0.0)) is None
    assert open_lexicon(None, TrainConfig()) is None
    with pytest.raises(ValueError, match='no "phones"'):
        open_lexicon(path, TrainConfig())


@pytest.mark.parametrize("weight", [0.0, 1.0])
def test_letters_weigh_what_the_config_says(tmp_path, weight):
    torch.manual_seed(0)
    config = TrainConfig(model=SMALL, letter_ctc_weight=weight, middle_ctc_weight=0.0, letter_steps=0, weight_decay=0.0)
    run = Run(config, StreamingEncoder(SMALL), False, tmp_path, lexicon=lexicon(tmp_path))
    before = run.model.head.weight.clone()
    losses = train_step(run, (torch.randn(1, 4 * 32 + 1, 80), [stretch("A BEE")], None), 16, 0.0)
    assert len(losses) == 2 and min(losses) > 0
    assert torch.equal(before, run.model.head.weight) == (weight == 0)
