"""Phones beside letters: the lexicon, and the second head."""

import torch

from dataset import Stretch
from lexicon import PHONE_IDS, Lexicon, pronounced, write_pronunciations
from losses import ctc_loss
from model import ModelConfig, StreamingEncoder
from text import TOKENS, encode

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


def test_pronunciations_are_written_a_character_a_phone(tmp_path):
    path = tmp_path / "pronunciations.txt"
    write_pronunciations({"BEE": [["B", "IY"]], "A": [["AA"], ["AE"], ["AA"]]}, path)
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
