"""Pre-training: masks, quantizer, objectives, chunk masks and resumption."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from checkpoint import load_checkpoint
from config import TrainConfig
from model import ModelConfig, StreamingEncoder
from objectives import kmeans
from objectives.augmentations import AUGMENTATIONS, read_at, warped_times
from objectives.base import context_states, spread
from objectives.contrast import contrastive_loss, draw_distractors, masked_groups
from objectives.masks import span_mask, utterances
from objectives.quantizer import GumbelQuantizer
from objectives.siamese import read_states
from plot_pretraining import draw
from pretrain import OBJECTIVES, Run, rate, read_setting, train
from pretrain_config import PretrainConfig
from run_log import log_line
from shards import pack, unpack
from unlabelled import UnlabelledRows, collate

TINY = ModelConfig(
    dim=32, heads=2, ffn=64, lower_blocks=1, upper_blocks=0, fresh_blocks=2, fresh_ffn=48, kernel=5, left_context=16, dropout=0.1
)
CONFIG = PretrainConfig(
    model=TINY, row_blocks=4, batch_rows=2, chunks=(8, 16), lr=3e-3, projection=16, entries=8, distractors=20, units=8, unit_rows=4,
    mask_span=5, warmup_share=0.1,
)
DIFFERENT = {
    "wav2vec2": {},
    "wav2vec2-aug": {"augmentations": {"noise": 1.0, "pitch": 0.5}, "context_mlp": True, "target_mlp": True},
    "hubert": {},
    "siamese": {"augmentations": {"noise": 1.0, "gain": 0.5}, "unmasked_weight": 0.5},
}


def config_of(name: str, **changes) -> PretrainConfig:
    return replace(CONFIG, objective=name.removesuffix("-aug"), **DIFFERENT[name], **changes)


@pytest.fixture(scope="module")
def packed(tmp_path_factory):
    """Six recordings of tones that change every 80 ms, packed as prepare.py packs them."""
    folder, rng, at = tmp_path_factory.mktemp("packed"), np.random.default_rng(0), 0
    with open(folder / "samples.i16", "wb") as samples, open(folder / "index.jsonl", "w") as index:
        for number, seconds in enumerate((1.2, 1.5, 2.0, 1.1, 3.0, 5.0)):
            notes = rng.choice([220, 440, 880, 1760, 3520], int(seconds / 0.08))
            tone = np.concatenate([np.sin(2 * np.pi * note * np.arange(1280) / 16000) for note in notes])
            wave = (tone * 8000 + rng.standard_normal(len(tone)) * 30).astype("<i2")
            samples.write(wave.tobytes())
            line = {"audio": f"{number}.wav", "text": "A", "offset": at, "length": len(wave)}
            index.write(json.dumps(line) + "\n")
            at += len(wave)
    return folder


@pytest.mark.parametrize("seed", range(20))
def test_every_utterance_has_masked_frames_and_no_silence_has(seed):
    rng = np.random.default_rng(seed)
    owner = np.repeat([-1, 0, -1, 1, 2], [3, rng.integers(1, 4), 2, 60, 30])
    mask = span_mask(owner, 0.001, 10, rng)
    for start, end in utterances(owner):
        assert mask[start:end].any()
    assert not mask[owner < 0].any()
    assert span_mask(np.full(40, -1), 0.0, 10, rng).any()


def test_about_half_of_long_utterances_is_masked():
    owner = np.zeros(100_000, np.int64)
    assert 0.45 < span_mask(owner, 0.065, 10, np.random.default_rng(0)).mean() < 0.52


def test_distractors_are_other_masked_frames_of_the_same_utterance():
    owner = torch.tensor([[0, 0, 0, -1, 1, 1, 1, 2], [0, 0, 0, 0, 0, 0, 0, 0]])
    mask = torch.tensor([[1, 0, 1, 1, 1, 1, 1, 1], [0, 0, 1, 1, 0, 0, 0, 1]], dtype=torch.bool)
    index, group = masked_groups(owner, mask)
    assert index.tolist() == [0, 2, 4, 5, 6, 10, 11, 15] and group.tolist() == [0, 0, 1, 1, 1, 2, 2, 2]
    drawn = draw_distractors(group, 200)
    assert (group[drawn] == group.unsqueeze(1)).all()
    assert (drawn != torch.arange(len(group)).unsqueeze(1)).all()
    assert set(drawn[2].tolist()) == {3, 4}


def test_a_frame_finds_its_own_target_and_equal_codes_are_no_distractors():
    vectors, group = torch.eye(4), torch.zeros(4, dtype=torch.long)
    loss, accuracy = contrastive_loss(vectors, vectors, draw_distractors(group, 10), 0.1)
    assert loss < 0.01 and accuracy == 1
    codes = torch.zeros(4, 1, dtype=torch.long)
    loss, accuracy = contrastive_loss(vectors, vectors.flip(0), draw_distractors(group, 10), 0.1, codes)
    assert loss == 0 and accuracy == 0
    loss, _ = contrastive_loss(vectors[:0], vectors[:0], draw_distractors(group[:0], 10), 0.1)
    assert loss == 0


def test_perplexity_lies_between_one_and_the_entries():
    torch.manual_seed(0)
    quantizer = GumbelQuantizer(6, 8, 2, 5)
    for scale in (0.0, 1.0, 100.0):
        quantized = quantizer(torch.randn(300, 6) * scale, 2.0)
        assert (quantized.soft_perplexity >= 1 - 1e-4).all() and (quantized.soft_perplexity <= 5 + 1e-4).all()
        assert 1 - 1e-4 <= quantized.code_perplexity <= 5 + 1e-4
        assert quantized.vectors.shape == (300, 8) and quantized.codes.shape == (300, 2)
    torch.nn.init.zeros_(quantizer.logits.weight)
    assert abs(quantizer.diversity_loss(quantizer(torch.randn(9, 6), 1.0)).item()) < 1e-4
    quantizer.logits.bias.data[::5] = 50.0
    assert abs(quantizer.diversity_loss(quantizer(torch.randn(9, 6), 1.0)).item() - 0.8) < 1e-4


def test_k_means_finds_separate_clusters():
    generator = torch.Generator().manual_seed(1)
    centres = torch.tensor([[0.0, 0.0], [10.0, 0.0], [0.0, 10.0]])
    points = centres.repeat(50, 1) + 0.1 * torch.randn(150, 2, generator=generator)
    found = kmeans.fit(points, 3, seed=0)
    labels = kmeans.nearest(points, found).view(50, 3)
    assert (labels == labels[0]).all() and len(set(labels[0].tolist())) == 3
    with pytest.raises(ValueError, match="2 frames can't make 3 units"):
        kmeans.fit(points[:2], 3, seed=0)


@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_augmentations_change_samples_but_not_their_number(name):
    samples = (0.3 * np.sin(2 * np.pi * 440 * np.arange(16000) / 16000)).astype(np.float32)
    changed = AUGMENTATIONS[name](samples, np.random.default_rng(3))
    assert changed.shape == samples.shape and np.isfinite(changed).all()
    assert np.abs(changed - samples).max() > 1e-3


def test_pitch_shifts_by_semitones_and_keeps_the_level():
    samples = (0.3 * np.sin(2 * np.pi * 440 * np.arange(16000) / 16000)).astype(np.float32)

    class Up:
        def uniform(self, *_):
            return 4.0

    shifted = AUGMENTATIONS["pitch"](samples, Up())
    peak = np.abs(np.fft.rfft(shifted[2000:14000])).argmax() * 16000 / 12000
    assert abs(peak - 440 * 2 ** (4 / 12)) < 6
    assert 0.7 < np.square(shifted[2000:14000]).mean() / np.square(samples[2000:14000]).mean() < 1.3


def test_a_warp_is_monotone_and_the_states_of_the_clean_view_follow_it():
    at = warped_times(400, 12.0, np.random.default_rng(0))
    assert (np.diff(at) >= 0).all() and 3 < np.abs(at - np.arange(400)).max() <= 12
    ramp = np.arange(400, dtype=np.float32)[:, None]
    assert np.allclose(read_at(ramp, at)[:, 0], at, atol=1e-3)
    states = torch.arange(50.0).view(1, 50, 1)
    positions = torch.tensor([[0.0, 3.25, 49.0, 48.5]])
    assert torch.allclose(read_states(states, positions)[0, :, 0], positions[0])


def test_no_state_reads_beyond_its_chunk_and_the_lookahead():
    torch.manual_seed(0)
    model, chunk = StreamingEncoder(TINY).eval(), 8
    frames, start = torch.randn(1, 4 * 64 + 1, 80), torch.zeros(1, 1, dtype=torch.long)
    mask = torch.from_numpy(span_mask(np.zeros(64, np.int64), 0.1, 5, np.random.default_rng(0)))[None]
    objective = OBJECTIVES["siamese"](model, CONFIG)
    before = objective.masked_states(model.subsampled(frames), mask, chunk, start)
    end = 3 * chunk  # of the third chunk; the stem looks one log-mel frame beyond it
    frames[:, 4 * end + 1 :] += torch.randn(frames[:, 4 * end + 1 :].shape)
    after = objective.masked_states(model.subsampled(frames), mask, chunk, start)
    for old, new in zip(before, after):
        cut = end * old.shape[1] // 64
        assert torch.allclose(old[:, :cut], new[:, :cut], atol=1e-5)
        assert not torch.allclose(old[:, cut:], new[:, cut:], atol=1e-3)


def test_the_context_network_ends_in_what_the_heads_read():
    torch.manual_seed(0)
    model = StreamingEncoder(TINY).eval()
    frames, start = torch.randn(1, 4 * 64 + 1, 80), torch.zeros(1, 1, dtype=torch.long)
    states = context_states(model, model.subsampled(frames), 8, start)
    assert len(states) == 4
    assert torch.allclose(model.token_log_probs(states[-1]), model(frames, 8, start).tokens, atol=1e-5)


@pytest.mark.parametrize("name", DIFFERENT)
def test_a_few_steps_on_a_tiny_batch_lower_its_loss(name, packed, tmp_path):
    config = config_of(name)
    run = Run(config, 1000, tmp_path, torch.device("cpu"))
    rows = UnlabelledRows([packed], config, 2000, run.objective.warps)
    run.prepare(rows)
    batch = collate([rows[0], rows[1]])
    run.step = 100  # past the warm-up
    updates = [run.update(batch) for _ in range(25)]
    # Of wav2vec 2.0 without the diversity, which falls by itself.
    losses = [update.get("contrastive", update["loss"]) for update in updates]
    assert np.mean(losses[-5:]) < np.mean(losses[:3]) - 0.02
    assert updates[-1].get("perplexity", 2) > 1.5


@pytest.mark.parametrize("name", DIFFERENT)
def test_a_run_stopped_twice_has_the_weights_of_an_unbroken_one(name, packed, tmp_path):
    config, weights = config_of(name), []
    for folder, minutes in (("whole", [1e9]), ("parts", [0.0, 0.0, 1e9])):
        out = tmp_path / folder
        out.mkdir()
        for limit in minutes:
            run = Run(config, 4, out, torch.device("cpu"))
            rows = UnlabelledRows([packed], config, 8, run.objective.warps)
            if (out / "last.pt").exists():
                run.restore()
            else:
                run.prepare(rows)
            train(run, rows, 0, limit, 1e9)
        assert run.step == 4
        # Too few updates for a line of their own.
        log_line(out, step=run.step, loss=1.0, accuracy=0.5, perplexity=2.0, spread=0.5)
        weights.append(run.objective.state_dict() | load_checkpoint(out / "pretrained.pt").state_dict())
    assert all(torch.equal(value, weights[1][key]) for key, value in weights[0].items())
    draw([tmp_path / "whole", tmp_path / "parts"], tmp_path / "curves.svg")
    assert "codebook perplexity" in (tmp_path / "curves.svg").read_text()


def test_a_run_of_other_length_or_config_is_not_resumed(tmp_path):
    Run(CONFIG, 4, tmp_path, torch.device("cpu")).save()
    for config, steps in ((CONFIG, 5), (replace(CONFIG, lr=1e-4), 4)):
        with pytest.raises(ValueError, match="of another config or number of updates"):
            Run(config, steps, tmp_path, torch.device("cpu")).restore()


def test_the_target_branch_passes_no_gradient(packed):
    torch.manual_seed(0)
    config = config_of("siamese")
    objective = OBJECTIVES["siamese"](StreamingEncoder(TINY), config)
    batch = collate([UnlabelledRows([packed], config, 4, True)[i] for i in range(2)])
    assert batch.augmented
    target = objective.target(batch, 8)
    assert not target.requires_grad
    # The clean view reaches the loss through the target branch alone.
    batch.clean.requires_grad_(True)
    batch.context.requires_grad_(True)
    loss, _ = objective(batch, 8, 0.0)
    loss.backward()
    assert batch.clean.grad is None and batch.context.grad.abs().sum() > 0


def test_collapsed_frames_have_no_spread():
    torch.manual_seed(0)
    assert spread(torch.ones(50, 8)) < 1e-3
    assert abs(spread(torch.randn(5000, 64)) - 1) < 0.05


def test_a_scaled_stem_has_unit_variance_before_its_activations():
    torch.manual_seed(0)
    stem, frames = StreamingEncoder(TINY).stem, torch.randn(2, 103, 80) * 3 - 6
    stem.scale(frames)
    first = stem.first(stem.first_inputs(frames))
    second = stem.second(stem.second_inputs(torch.nn.functional.gelu(first)))
    assert abs(first.std() - 1) < 0.02 and abs(second.std() - 1) < 0.02


def test_settings_replace_values_of_the_config():
    changes = dict(map(read_setting, ["objective=hubert", "lr=2e-4", 'augmentations={"noise": 0.5}']))
    config = PretrainConfig.load(None, **changes)
    assert (config.objective, config.lr, config.augmentations) == ("hubert", 2e-4, {"noise": 0.5})
    with pytest.raises(ValueError, match="unknown keys learning"):
        PretrainConfig.load(None, learning=1)
    assert rate(config, 0, 100) < rate(config, 7, 100) > rate(config, 99, 100) > 0


@pytest.mark.parametrize("size", ["nano", "small"])
def test_a_config_fine_tunes_the_model_that_another_pre_trains(size):
    configs = Path(__file__).parent.parent / "configs"
    before = PretrainConfig.load(configs / f"pretrain-{size}.json")
    after = TrainConfig.load(configs / f"finetune-{size}.json")
    assert before.model == after.model
    # Where everything is new to the labels, one rate serves all, as from scratch.
    assert after.lr_lower == after.lr_upper == after.lr_new


def test_unknown_objectives_and_augmentations_are_refused(packed, tmp_path):
    with pytest.raises(ValueError, match="'bert' unknown; there are wav2vec2, hubert, siamese"):
        Run(replace(CONFIG, objective="bert"), 5, tmp_path, torch.device("cpu"))
    with pytest.raises(ValueError, match="echo unknown; there are pitch"):
        UnlabelledRows([packed], replace(CONFIG, augmentations={"echo": 1.0}), 4)


def test_a_second_round_of_hubert_reads_a_block_of_the_first(packed, tmp_path):
    run = Run(config_of("hubert"), 4, tmp_path, torch.device("cpu"))
    run.save()
    second = config_of("hubert", teacher=str(tmp_path / "pretrained.pt"), teacher_block=1)
    objective = Run(second, 4, tmp_path, torch.device("cpu")).objective
    rows = UnlabelledRows([packed], second, 8)
    objective.prepare(rows)
    batch = collate([rows[0], rows[1]])
    assert objective.units(batch.clean).shape == batch.owner.shape
    assert objective.centroids.shape == (8, TINY.dim) and len(objective.units(batch.clean).unique()) > 1
    assert not any(name.startswith("teacher") for name in objective.state_dict())
    with pytest.raises(ValueError, match="no block 9; it has 3"):
        Run(replace(second, teacher_block=9), 4, tmp_path, torch.device("cpu"))


def test_pieces_are_bounded_and_give_the_recordings_back(packed, tmp_path):
    pieces, hours = pack([packed], tmp_path, 20_000)
    files = sorted(tmp_path.glob("piece-*.bin"))
    assert pieces == len(files) > 1 and all(file.stat().st_size <= 20_000 for file in files)
    assert abs(hours * 3600 - 13.76) < 0.2
    unpack(tmp_path)
    was = [json.loads(line) for line in (packed / "index.jsonl").read_text().splitlines()]
    now = [json.loads(line) for line in (tmp_path / "index.jsonl").read_text().splitlines()]
    assert [item["length"] for item in was] == [item["length"] for item in now]
    assert [item["offset"] for item in was] == [item["offset"] for item in now]
    a, b = (np.fromfile(folder / "samples.i16", "<i2").astype(float) for folder in (packed, tmp_path))
    assert np.corrcoef(a, b)[0, 1] > 0.95
    pack([packed], tmp_path, 20_000)
    assert not (tmp_path / "index.jsonl").exists()
    with pytest.raises(ValueError, match="the pieces need a folder of their own"):
        pack([packed], packed, 20_000)
