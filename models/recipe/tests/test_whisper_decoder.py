"""Whisper's decoder against transformers', on the tiny random model of `test_label.py`, read back from CTranslate2's file."""

import pytest
import torch
from ctranslate2.converters import TransformersConverter
from transformers import WhisperForConditionalGeneration

from suggest import pairs, states_of, streaming_encoder
from test_label import write_whisper
from whisper_decoder import WhisperDecoder
from whisper_weights import read_variables


@pytest.fixture(scope="module")
def whisper(tmp_path_factory) -> tuple[WhisperForConditionalGeneration, dict]:
    folder, converted = tmp_path_factory.mktemp("whisper"), tmp_path_factory.mktemp("converted") / "model"
    write_whisper(folder)
    TransformersConverter(str(folder)).convert(str(converted))
    return WhisperForConditionalGeneration.from_pretrained(folder).eval(), read_variables(converted / "model.bin")


@torch.no_grad()
def test_logits_are_those_of_transformers_at_once_and_step_by_step(whisper):
    model, variables = whisper
    decoder = WhisperDecoder(variables, heads=2).eval()
    torch.manual_seed(0)
    states, tokens = torch.randn(1, 20, 16), torch.tensor([[5, 9, 200, 31]])
    expected = model(encoder_outputs=(states,), decoder_input_ids=tokens).logits
    memory = decoder.memory(states)
    logits, _ = decoder(tokens, memory)
    assert torch.allclose(logits, expected, atol=1e-4)
    cache = None
    for place in range(tokens.shape[1]):
        logits, cache = decoder(tokens[:, place : place + 1], memory, cache)
        assert torch.allclose(logits[:, 0], expected[:, place], atol=1e-4)


def test_states_are_whole_chunks(whisper):
    _, variables = whisper
    encoder = streaming_encoder(variables, left=16)
    assert states_of(encoder, torch.zeros(16000), chunk=16).shape == (1, 96, 16)


def test_pairs_are_of_words_as_they_are_spoken():
    assert pairs("Mr. Brown's dog, Mr. Brown's") == ["BROWN'S DOG", "DOG MISTER", "MISTER BROWN'S"]
    assert pairs("Yes.") == ["YES"] and pairs("") == []
