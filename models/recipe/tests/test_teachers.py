"""Each family: a tiny random model, written by the library that publishes such models and read back by the teacher."""

import json

import pytest
import torch
from safetensors.torch import save_file
from transformers import (
    HubertConfig,
    HubertForCTC,
    Wav2Vec2Config,
    Wav2Vec2ConformerConfig,
    Wav2Vec2ConformerForCTC,
    Wav2Vec2CTCTokenizer,
    Wav2Vec2FeatureExtractor,
    Wav2Vec2ForCTC,
)

from fixtures import random_model
from losses import frames_per_frame, pool_frames, vocabulary_map
from teachers import best_path, open_teacher
from text import TOKENS

SYMBOLS = ["<pad>", "<s>", "</s>", "<unk>", "|", *"ETAONIHSRDLUMWCFGYPBVK", "'", *"XJQZ"]
VOCABULARY = {symbol: index for index, symbol in enumerate(SYMBOLS)}
TINY = dict(
    hidden_size=16,
    num_hidden_layers=2,
    num_attention_heads=2,
    intermediate_size=32,
    conv_dim=[8] * 7,
    num_conv_pos_embeddings=16,
    num_conv_pos_embedding_groups=2,
    vocab_size=len(SYMBOLS),
    pad_token_id=0,
)
LARGE = dict(do_stable_layer_norm=True, feat_extract_norm="layer", conv_bias=True)
FAMILIES = {
    "wav2vec 2.0": lambda: Wav2Vec2ForCTC(Wav2Vec2Config(**TINY)),
    "XLS-R": lambda: Wav2Vec2ForCTC(Wav2Vec2Config(**TINY, **LARGE)),
    "HuBERT": lambda: HubertForCTC(HubertConfig(**TINY)),
    "wav2vec2-Conformer": lambda: Wav2Vec2ConformerForCTC(
        Wav2Vec2ConformerConfig(**TINY, conv_depthwise_kernel_size=3, position_embeddings_type="relative")
    ),
}


@pytest.fixture
def samples() -> torch.Tensor:
    return 0.1 * torch.randn(2, 16000, generator=torch.Generator().manual_seed(1))


def write_processor(folder, vocabulary: dict, normalizes: bool = True, **options) -> Wav2Vec2FeatureExtractor:
    (folder / "written.json").write_text(json.dumps(vocabulary))
    Wav2Vec2CTCTokenizer(str(folder / "written.json"), **options).save_pretrained(folder)
    extractor = Wav2Vec2FeatureExtractor(do_normalize=normalizes, return_attention_mask=False)
    extractor.save_pretrained(folder)
    return extractor


def logits_of(model, extractor, samples: torch.Tensor) -> torch.Tensor:
    values = extractor(list(samples.numpy()), sampling_rate=16000, return_tensors="pt").input_values
    with torch.no_grad():
        return model.eval()(values).logits


@pytest.mark.parametrize("family", FAMILIES)
def test_transformers_family(family, samples, tmp_path):
    torch.manual_seed(2)
    model = FAMILIES[family]()
    model.save_pretrained(tmp_path)
    extractor = write_processor(tmp_path, VOCABULARY)

    teacher = open_teacher(f"transformers:{tmp_path}")
    heard = teacher.hear(samples)

    assert teacher.symbols == SYMBOLS and teacher.blank == 0 and teacher.frame_rate == 50
    expected = logits_of(model, extractor, samples).log_softmax(-1)
    assert torch.allclose(heard.log_probs, expected, atol=1e-4)
    assert heard.hidden.shape == (2, expected.shape[1], teacher.hidden_dim) and len(heard.texts) == 2
    ours = pool_frames(heard.log_probs.exp() @ vocabulary_map(teacher.symbols, teacher.blank), frames_per_frame(50, 25), 25)
    assert ours.shape == (2, 25, len(TOKENS)) and torch.allclose(ours.sum(-1), torch.ones(2, 25), atol=1e-5)


def test_mms_hears_through_the_adapter_of_its_language(samples, tmp_path):
    other = {symbol: index for index, symbol in enumerate(["<pad>", "<s>", "</s>", "<unk>", "|", "ж", "д"])}
    torch.manual_seed(3)
    english = Wav2Vec2ForCTC(Wav2Vec2Config(**TINY, **LARGE, adapter_attn_dim=4))
    save_file({k: v.contiguous() for k, v in english._get_adapters().items()}, tmp_path / "adapter.eng.safetensors")
    # What is saved as the model itself speaks another language, with a vocabulary of another size.
    shared = {k: v for k, v in english.state_dict().items() if k not in english._get_adapters()}
    published = Wav2Vec2ForCTC(Wav2Vec2Config(**{**TINY, "vocab_size": len(other)}, **LARGE, adapter_attn_dim=4))
    published.load_state_dict({**published.state_dict(), **shared})
    published.save_pretrained(tmp_path)
    extractor = write_processor(tmp_path, {"rus": other, "eng": VOCABULARY}, target_lang="rus")
    expected = logits_of(english, extractor, samples).log_softmax(-1)

    teacher = open_teacher(f"transformers:{tmp_path}@eng")

    assert teacher.symbols == SYMBOLS
    assert torch.allclose(teacher.hear(samples).log_probs, expected, atol=1e-4)
    with pytest.raises(Exception, match="fra"):
        open_teacher(f"transformers:{tmp_path}@fra")


def test_encoder_of_this_recipe(samples, tmp_path):
    model = random_model()
    path = tmp_path / "average.pt"
    torch.save({"config": {"model": model.config.as_dict()}, "weights": model.state_dict(), "step": 1}, path)

    teacher = open_teacher(f"recipe:{path}")
    heard = teacher.hear(samples)

    assert teacher.symbols == TOKENS and teacher.frame_rate == 25 and teacher.hidden_dim == model.config.dim
    assert heard.log_probs.shape[0] == 2 and heard.log_probs.shape[1] >= 24
    assert torch.allclose(model.token_log_probs(heard.hidden), heard.log_probs, atol=1e-5)
    assert torch.equal(vocabulary_map(teacher.symbols, teacher.blank), torch.eye(len(TOKENS)))


def test_best_path_collapses_repeats_and_tells_how_sure_it_was():
    said = [8, 8, 0, 10, 4, 0, 5, 5]  # T T _ I | _ E E by the places of SYMBOLS
    symbols = ["<pad>", "<s>", "</s>", "<unk>", "|", "E", "A", "O", "T", "N", "I"]
    probs = torch.full((len(said), len(symbols)), 0.01)
    probs[range(len(said)), said] = 0.9
    text, confidence = best_path(probs.log(), symbols, blank=0)
    assert text == "TI E" and confidence == pytest.approx(0.9)
    assert best_path(probs[[2, 2]].log(), symbols, blank=0) == ("", 0.0)


@pytest.mark.parametrize("name", ["wav2vec2", "transformers:", "hubert:folder"])
def test_unknown_names_are_refused(name):
    with pytest.raises(ValueError, match="a teacher is"):
        open_teacher(name)
