"""Whisper as a labeller: a tiny random model with a tokenizer of bytes, written by transformers and CTranslate2's converter."""

import json

import numpy as np
import pytest
import soundfile
import torch
from ctranslate2.converters import TransformersConverter
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast, WhisperConfig, WhisperFeatureExtractor, WhisperForConditionalGeneration

from label import label
from teachers import WhisperTeacher, open_teacher

SPECIAL = "endoftext startoftranscript en translate transcribe startoflm startofprev nospeech notimestamps".split()
TIMES = [f"<|{0.02 * step:.2f}|>" for step in range(1501)]
TINY = {"layers": 1, "attention_heads": 2, "ffn_dim": 32}


def write_whisper(folder) -> None:
    letters = {letter: index for index, letter in enumerate(sorted(pre_tokenizers.ByteLevel.alphabet()))}
    tokenizer = Tokenizer(models.BPE(vocab=letters, merges=[]))
    tokenizer.pre_tokenizer, tokenizer.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
    tokenizer.add_special_tokens([*(f"<|{name}|>" for name in SPECIAL), *TIMES])
    end = "<|endoftext|>"
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token=end, bos_token=end, unk_token=end).save_pretrained(folder)
    layers = {f"{part}_{key}": value for part in ("encoder", "decoder") for key, value in TINY.items()}
    ids = {name: tokenizer.token_to_id(f"<|{name}|>") for name in SPECIAL}
    config = WhisperConfig(
        vocab_size=tokenizer.get_vocab_size(),
        d_model=16,
        decoder_start_token_id=ids["startoftranscript"],
        **{f"{kind}_token_id": ids["endoftext"] for kind in ("eos", "pad", "bos")},
        **layers,
    )
    torch.manual_seed(3)
    model = WhisperForConditionalGeneration(config)
    options = dict(no_timestamps_token_id=ids["notimestamps"], suppress_tokens=[], begin_suppress_tokens=[])
    model.generation_config.update(**options)
    model.save_pretrained(folder)
    WhisperFeatureExtractor().save_pretrained(folder)
    files = ["tokenizer.json", "preprocessor_config.json"]
    TransformersConverter(str(folder), copy_files=files).convert(str(folder / "converted"))


@pytest.fixture(scope="module")
def whisper(tmp_path_factory) -> WhisperTeacher:
    folder = tmp_path_factory.mktemp("whisper")
    write_whisper(folder)
    return open_teacher(f"whisper:{folder / 'converted'}")


@pytest.fixture
def manifest(tmp_path):
    (tmp_path / "in").mkdir()
    for name, seconds in (("noise", 2), ("click", 0.1)):
        samples = 0.1 * np.random.default_rng(1).standard_normal(int(16000 * seconds))
        soundfile.write(tmp_path / "in" / f"{name}.wav", samples, 16000)
    lines = [{"audio": f"{name}.wav", "text": "", "corpus": "here"} for name in ("noise", "click")]
    (tmp_path / "in" / "unlabelled.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return tmp_path / "in" / "unlabelled.jsonl"


def test_whisper_gives_text_and_confidence_alone(whisper):
    heard = whisper.hear(0.1 * torch.randn(1, 32000, generator=torch.Generator().manual_seed(1)))
    assert len(heard.texts) == 1 and heard.texts[0] and 0 < heard.confidences[0] < 1
    assert heard.log_probs is None and whisper.frame_rate is None


def test_lines_gain_what_the_teacher_is_sure_enough_of(whisper, manifest, tmp_path):
    first, second = label(manifest, whisper, "whisper:tiny", 0.0, tmp_path / "labelled.jsonl")
    assert first["audio"] == "in/noise.wav" and first["corpus"] == "here" and first["text_source"] == "whisper:tiny"
    assert first["text"] and 0 < first["confidence"] < 1
    assert second is None, "0.1 s is too short to be packed"
    assert list(label(manifest, whisper, "whisper:tiny", 0.99, tmp_path / "labelled.jsonl")) == [None, None]
