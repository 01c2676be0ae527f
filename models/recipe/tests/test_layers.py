"""The layer-wise analysis: canonical correlation, the phone probe, and encoders' states."""

import numpy as np
import torch
from ctranslate2.converters import TransformersConverter
from transformers import Wav2Vec2Config, Wav2Vec2FeatureExtractor, Wav2Vec2Model, WhisperForConditionalGeneration

import cca
from layer_states import open_encoder
from layers import Recording, analyze, draw, label, probe, segment_states
from lexicon import PHONE_IDS
from phone_times import Segment
from pretrain import Run
from test_label import write_whisper
from test_pretrain import CONFIG
from test_teachers import TINY as TINY_WAV2VEC2


def test_linear_maps_correlate_fully_and_noise_does_not():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((1500, 12))
    y = x @ rng.standard_normal((12, 20))
    assert cca.similarity(x[:1000], y[:1000], x[1000:], y[1000:]) > 0.99
    noise = rng.standard_normal((1500, 20))
    assert cca.similarity(x[:1000], noise[:1000], x[1000:], noise[1000:]) < 0.15
    half = np.concatenate([x[:, :6], rng.standard_normal((1500, 6))], 1)
    assert 0.3 < cca.similarity(x[:1000], half[:1000], x[1000:], half[1000:]) < 0.7


def test_the_probe_names_phones_that_states_separate():
    rng = np.random.default_rng(0)
    phones, held = rng.integers(1, 6, 600), np.arange(600) % 3 == 2
    states = np.eye(6)[phones] @ rng.standard_normal((6, 16)) + 0.05 * rng.standard_normal((600, 16))
    assert probe(states, phones, held) > 95
    assert probe(rng.standard_normal((600, 16)), phones, held) < 40


def recordings() -> list[Recording]:
    rng = np.random.default_rng(0)
    words = [Segment(word, at, at + 0.3) for at, word in ((0.1, "THE"), (0.5, "CAT"), (0.9, "SEAT"))]
    phones = [Segment(phone, at, at + 0.1) for at, phone in ((0.11, "DH"), (0.21, "AH"), (0.61, "AE"), (1.01, "IY"))]
    return [Recording(rng.standard_normal(20000).astype(np.float32) * 0.1, [*words], phones, n % 3 == 2) for n in range(12)]


def test_labels_leave_rare_words_out_and_hold_recordings_back():
    spoken = recordings()
    spoken[0].words.append(Segment("AARDVARK", 1.1, 1.2))
    labels = label(spoken)
    assert labels.mels.shape == (48, 80) and labels.phones[0] == PHONE_IDS["DH"]
    assert labels.phone_held.sum() == 16 and labels.words.shape == (36, 3) and len(labels.word_kept) == 37
    assert not labels.word_kept[3]


def test_every_layer_of_every_kind_of_encoder_is_analyzed(tmp_path):
    run = Run(CONFIG, 4, tmp_path, torch.device("cpu"))
    run.save()
    torch.manual_seed(0)
    Wav2Vec2Model(Wav2Vec2Config(**TINY_WAV2VEC2)).save_pretrained(tmp_path / "wav2vec2")
    Wav2Vec2FeatureExtractor(return_attention_mask=False).save_pretrained(tmp_path / "wav2vec2")
    spoken = recordings()
    labels, figures = label(spoken), {}
    for name, path, layers in (("ours", "pretrained.pt", 4), ("wav2vec2", "wav2vec2", 3)):
        figures[name] = analyze(open_encoder(tmp_path / path), spoken, labels)
        assert all(len(values) == layers for values in figures[name].values())
        assert all(0 <= v <= 1 for measure in ("mel", "word") for v in figures[name][measure])
    spoken = [Recording(r.samples, r.words[:1], r.phones, r.held) for r in spoken]
    assert analyze(open_encoder(tmp_path / "pretrained.pt"), spoken, label(spoken))["word"] == []
    draw(figures, tmp_path / "layers.svg")
    assert "phone probe" in (tmp_path / "layers.svg").read_text()


def test_states_are_of_the_recording_alone_and_in_time(tmp_path):
    run = Run(CONFIG, 4, tmp_path, torch.device("cpu"))
    run.save()
    layers = open_encoder(tmp_path / "pretrained.pt")(np.zeros(20000, np.float32))
    assert [len(layer) for layer in layers] == [61, 61, 30, 30]
    of_phones, of_words = segment_states(lambda _: [np.arange(50.0)[:, None]], recordings()[:1])
    assert of_phones[0][:, 0].tolist() == [6, 10, 26, 42] and of_words[0][0] == np.arange(4, 16).mean()


def test_whispers_layers_are_read_from_its_file(tmp_path):
    write_whisper(tmp_path / "published")
    TransformersConverter(str(tmp_path / "published")).convert(str(tmp_path / "converted"))
    layers = open_encoder(tmp_path / "converted" / "model.bin")(np.zeros(20000, np.float32))
    published = WhisperForConditionalGeneration.from_pretrained(tmp_path / "published").config
    assert len(layers) == published.encoder_layers + 1
    assert all(layer.shape == (61, published.d_model) for layer in layers)
