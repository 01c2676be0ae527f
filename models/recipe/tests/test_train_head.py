from pathlib import Path

import pytest
import torch

from checkpoint import load_mean
from config import TrainConfig
from model import POSITION_PERIOD, ModelConfig, StreamingEncoder
from train_head import load

TINY = {"dim": 32, "heads": 2, "ffn": 48, "fresh_blocks": 1, "fresh_ffn": 16, "left_context": 16}


def saved(path: Path, **sizes) -> StreamingEncoder:
    config = TrainConfig(model=ModelConfig(**{**TINY, **sizes}))
    model = StreamingEncoder(config.model)
    torch.save({"config": config.as_dict(), "weights": model.state_dict(), "step": 0}, path)
    return model


def test_new_blocks_and_heads_may_come_from_another_encoder(tmp_path):
    below = saved(tmp_path / "below.pt", lower_blocks=2, upper_blocks=1)
    heads = saved(tmp_path / "heads.pt", lower_blocks=1, upper_blocks=1)
    model = load(tmp_path / "below.pt", TrainConfig(model=below.config), "pretrained", tmp_path / "heads.pt")
    for name, value in model.state_dict().items():
        source = heads if name.split(".")[0] in ("fresh", "head_norm", "head") else below
        assert torch.equal(value, source.state_dict()[name]), name
    assert all(p.requires_grad == n.startswith(("fresh", "head")) for n, p in model.named_parameters())


def test_only_vectors_learn_beside_frozen_matrices(tmp_path):
    whole = saved(tmp_path / "whole.pt")
    model = load(tmp_path / "whole.pt", TrainConfig(model=whole.config), "matrices")
    learn = {name for name, parameter in model.named_parameters() if parameter.requires_grad}
    assert learn == {name for name, parameter in model.named_parameters() if name.endswith(("bias", "norm.weight"))}


def test_heads_of_another_shape_are_refused(tmp_path):
    below = saved(tmp_path / "below.pt")
    saved(tmp_path / "heads.pt", fresh_ffn=24)
    with pytest.raises(ValueError, match="fresh.0.ffn_in.weight is missing or of another shape"):
        load(tmp_path / "below.pt", TrainConfig(model=below.config), "pretrained", tmp_path / "heads.pt")


def test_rows_of_long_chunks_end_within_whispers_window():
    model = StreamingEncoder(ModelConfig(**TINY))
    starts = model.random_starts(1000, 1024, TINY["left_context"])
    assert starts.max() <= POSITION_PERIOD - 1024
    assert model.random_starts(1000, 1024, 4).max() > POSITION_PERIOD - 1024


def test_the_mean_of_checkpoints_is_that_of_their_weights(tmp_path):
    models = [saved(tmp_path / f"{index}.pt") for index in range(2)]
    mean = load_mean([tmp_path / "0.pt", tmp_path / "1.pt"]).state_dict()
    for name, value in mean.items():
        assert torch.allclose(value, (models[0].state_dict()[name] + models[1].state_dict()[name]) / 2), name
    saved(tmp_path / "other.pt", fresh_ffn=24)
    with pytest.raises(ValueError, match="other.pt: not of the architecture"):
        load_mean([tmp_path / "0.pt", tmp_path / "other.pt"])


def test_fifty_outputs_a_second_stream_as_they_train(tmp_path):
    model = StreamingEncoder(ModelConfig(**TINY, output_rate=50)).eval()
    frames = torch.randn(1, 4 * 32 + 1, 80)
    expected = model(frames, 16, torch.zeros(1, 1, dtype=torch.long)).tokens[0]
    assert len(expected) == 2 * 32
    caches = list(model.initial_caches().values())
    for half in range(2):
        log_probs, *caches = model.forward_chunk(frames[:, 64 * half : 64 * half + 65], *caches)
        assert torch.allclose(log_probs[0], expected[32 * half : 32 * half + 32], atol=1e-4)
