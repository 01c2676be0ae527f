"""Whisper's decoder against transformers', on the tiny random model of `test_label.py` read back from CTranslate2's file; its export against it."""

import json
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from ctranslate2.converters import TransformersConverter
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import WhisperForConditionalGeneration

from attention import AttentionModel
from export_decoder import LEFT, MASKED, MemoryChunk, Rows, causal_mask, config_of, export_encoder, export_rows, split_memory
from fixtures import random_decoder
from pieces import END, NO_TIMES, SPECIAL, START, Pieces
from render import rendered, windows
from test_label import write_whisper
from train_decoder import IGNORED, freeze, loss_of
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
    decoder = WhisperDecoder.from_whisper(variables, heads=2).eval()
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
    kept = [7, 200, 3]
    decoder.keep(kept)
    assert decoder.embedding.weight.shape == (3, 16)
    assert torch.equal(decoder.embedding.weight[1], torch.from_numpy(variables["decoder/embeddings/weight"])[200])


@torch.no_grad()
def test_the_encoder_has_whispers_positions(whisper):
    model, variables = whisper
    ours = AttentionModel.from_whisper(variables, [0, 1, 2], chunk=16)
    expected = model.model.encoder.embed_positions.weight
    positions = ours.encoder.positions(torch.zeros(1, 1), len(expected))[0]
    assert torch.allclose(positions, expected, atol=1e-3)
    assert ours.read(ours.chunked(torch.zeros(16000))).shape == (1, 128, 16)


@torch.no_grad()
def test_exported_graphs_are_the_model(tmp_path):
    model, _ = random_decoder()
    memory, rows_of = MemoryChunk(model).eval(), Rows(model).eval()
    config = config_of(model, "random")
    export_encoder(memory, config, tmp_path / "encoder.onnx")
    export_rows(rows_of, tmp_path / "decoder.onnx")
    open_graph = lambda name: onnxruntime.InferenceSession(str(tmp_path / name), providers=["CPUExecutionProvider"])
    start = lambda module: {name: cache.numpy() for name, cache in module.initial_caches().items()}

    torch.manual_seed(1)
    frames = model.filled(torch.randn(300, 80) * 3 - 6)
    states = model.read(frames)
    encoder, caches, rows = open_graph("encoder.onnx"), start(memory), []
    for at in range(0, frames.shape[1] - 1, 128):
        chunk, *new = encoder.run(None, {"frames": frames[:, at : at + 129].numpy(), **caches})
        caches = dict(zip(caches, new))
        rows.append(chunk[0])
    assert np.allclose(np.concatenate(rows), memory.keys_values(states)[0].numpy(), atol=1e-3)

    pieces = [START, NO_TIMES, 8, 30, 12]
    expected, _ = model.decoder(torch.tensor([pieces]), model.decoder.memory(states))
    decoder, caches, heard = open_graph("decoder.onnx"), start(rows_of), split_memory(np.concatenate(rows), 2, 128)
    expected = expected[0].log_softmax(-1).numpy()
    # All at once, and a piece after the others.
    at = {"pieces": np.array(pieces), "places": np.arange(5), "mask": causal_mask(5)}
    log_probs, *_ = decoder.run(None, {**at, **caches, **heard})
    assert np.allclose(log_probs[0], expected, atol=1e-3)
    for place, piece in enumerate(pieces):
        at = {"pieces": np.array([piece]), "places": np.array([place]), "mask": causal_mask(1, before=place)}
        log_probs, *new = decoder.run(None, {**at, **caches, **heard})
        caches = dict(zip(caches, new))
        assert np.allclose(log_probs[0, 0], expected[place], atol=1e-3)

    # Two texts that begin alike, as a tree.
    other = torch.tensor([[START, NO_TIMES, 8, 11, 12]])
    expected_other = model.decoder(other, model.decoder.memory(states))[0][0].log_softmax(-1).numpy()
    mask = np.full((7, LEFT + 7), MASKED, np.float32)
    for row, before in enumerate([[0], [0, 1], [0, 1, 2], [0, 1, 2, 3], [0, 1, 2, 3, 4], [0, 1, 2, 5], [0, 1, 2, 5, 6]]):
        mask[row, LEFT + np.array(before)] = 0
    at = {"pieces": np.array([*pieces, 11, 12]), "places": np.array([0, 1, 2, 3, 4, 3, 4]), "mask": mask}
    log_probs, *_ = decoder.run(None, {**at, **start(rows_of), **heard})
    assert np.allclose(log_probs[0], np.concatenate([expected, expected_other[3:]]), atol=1e-3)


def test_what_learns_learns_and_what_is_frozen_stays():
    model, pieces = random_decoder()
    torch.manual_seed(2)
    states, tokens = torch.randn(2, 64, 128), torch.tensor([[START, NO_TIMES, 9, 8, END], [START, NO_TIMES, 5, END, IGNORED]])
    freeze(model, topmost=1)
    table = model.decoder.embedding.weight.clone()
    learned = [p for p in model.parameters() if p.requires_grad]
    optimizer, losses = torch.optim.Adam(learned, 3e-3), []
    for _ in range(15):
        losses.append(loss_of(model, states, tokens, topmost=1, smoothing=0.0))
        optimizer.zero_grad()
        losses[-1].backward()
        optimizer.step()
    assert losses[-1] < 0.5 * losses[0]
    assert torch.equal(model.decoder.embedding.weight, table)
    assert all(p.grad is not None for p in model.encoder.lower.parameters())


def test_a_checkpoint_is_read_back(tmp_path):
    model, pieces = random_decoder()
    model.save(tmp_path / "average.pt", pieces)
    again, kept = AttentionModel.load(tmp_path / "average.pt")
    assert kept == pieces
    samples = torch.randn(8000, generator=torch.Generator().manual_seed(3)) * 0.1
    assert again.hear(samples) == model.hear(samples)


def test_dropped_tokens_become_the_pieces_they_were_merged_of(tmp_path):
    merges = [("Ġ", "c"), ("a", "t"), ("Ġc", "at"), ("Ġcat", "s")]
    vocabulary = [*SPECIAL, *"Ġcats", *(first + second for first, second in merges)]
    tokenizer = Tokenizer(models.BPE({token: index for index, token in enumerate(vocabulary)}, merges))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    path = tmp_path / "tokenizer.json"
    tokenizer.save(str(path))
    kept = [*SPECIAL, "Ġ", "c", "a", "t", "s", "Ġc", "at"]
    pieces = Pieces(path, kept)
    ids = pieces.encode("cats at")
    assert [kept[i] for i in ids] == ["Ġc", "at", "s", "Ġ", "at"]
    assert pieces.text([START, *ids, END]) == "cats at"
    assert pieces.whisper_ids[3:5] == [vocabulary.index("Ġ"), vocabulary.index("c")]


def test_words_are_written_as_they_were_heard_and_stay_what_they_are():
    words = "MISTER BROWN SAID WELL KNOWN THINGS".split()
    assert rendered(words, 'Mr. Brown sad, "Well, known! things."'.split()) == ["Mr.", "Brown", "said", '"Well,', "known!", 'things."']
    assert rendered(words, []) == "mister brown said well known things".split()
    items = [{"length": seconds * 16000} for seconds in (10, 17, 3, 30, 2)]
    assert [len(group) for group in windows(items)] == [2, 1, 1, 1]
