import pytest
import torch

from losses import FeatureMatch, distillation_loss, frames_per_frame, our_token, pool_frames, vocabulary_map
from text import IDS, TOKENS

# wav2vec 2.0's vocabulary, in its order.
WAV2VEC2 = ["<pad>", "<s>", "</s>", "<unk>", "|", *"ETAONIHSRDLUMWCFGYPBVK", "'", *"XJQZ"]


def spikes(ids: list[int], tokens: int = len(TOKENS), sure: float = 0.9) -> torch.Tensor:
    probs = torch.full((1, len(ids), tokens), (1 - sure) / (tokens - 1))
    probs[0, range(len(ids)), ids] = sure
    return probs


def test_nothing_is_lost_where_student_equals_teacher():
    log_probs = torch.randn(2, 7, len(TOKENS)).log_softmax(-1)
    for temperature in (1.0, 3.0):
        assert distillation_loss(log_probs, log_probs.exp(), temperature).item() == pytest.approx(0, abs=1e-6)


def test_loss_is_the_divergence_from_the_teacher():
    teacher, student = torch.tensor([[[0.5, 0.5]]]), torch.tensor([[[0.25, 0.75]]])
    expected = 0.5 * torch.tensor(0.5 / 0.25).log() + 0.5 * torch.tensor(0.5 / 0.75).log()
    assert distillation_loss(student.log(), teacher).item() == pytest.approx(expected.item(), abs=1e-6)


def test_a_student_may_be_late_by_the_delay_and_no_more():
    teacher, late = spikes([5, 0, 6, 0, 0]), spikes([0, 0, 5, 0, 6])
    assert distillation_loss(late.log(), teacher, max_delay=2).item() == pytest.approx(0, abs=1e-6)
    assert distillation_loss(late.log(), teacher, max_delay=1).item() > 1


def test_each_row_has_its_own_delay():
    teacher = torch.cat([spikes([5, 0, 0]), spikes([0, 6, 0])])
    student = torch.cat([spikes([0, 5, 0]), spikes([0, 6, 0])])
    assert distillation_loss(student.log(), teacher, max_delay=1).item() == pytest.approx(0, abs=1e-6)


def test_symbols_find_our_tokens():
    for symbol, token in {"|": "▁", " ": "▁", "e": "E", "É": "E", "’": "'", "'": "'", "<pad>": "<blank>", "7": "<blank>", "ж": "<blank>"}.items():
        assert TOKENS[our_token(symbol)] == token, symbol


def test_wav2vec2s_vocabulary_covers_every_token_and_keeps_probability():
    matrix = vocabulary_map(WAV2VEC2, blank=0)
    assert (matrix.sum(0) > 0).all()
    assert matrix[:4, 0].tolist() == [1, 1, 1, 1]
    ours = torch.rand(3, len(WAV2VEC2)).softmax(-1) @ matrix
    assert torch.allclose(ours.sum(-1), torch.ones(3))


def test_lower_case_letters_and_capitals_add_up():
    matrix = vocabulary_map(["a", "A", "_"], blank=2)
    assert (torch.tensor([0.3, 0.5, 0.2]) @ matrix)[IDS["A"]].item() == pytest.approx(0.8)


def test_a_vocabulary_without_letters_is_refused():
    with pytest.raises(ValueError, match="none of the teacher's 2 symbols"):
        vocabulary_map(["<pad>", "字"], blank=0)


def test_pairs_of_frames_keep_their_spike():
    pooled = pool_frames(spikes([0, 5, 6, 0, 0, 0]), 2, 3)
    assert pooled.argmax(-1).tolist() == [[5, 6, 0]]
    assert pooled[0, 0, 5].item() == pytest.approx(0.9)


def test_frames_past_the_teachers_end_are_blank_and_those_past_the_students_go():
    assert pool_frames(spikes([5, 0, 6]), 2, 3).argmax(-1).tolist() == [[5, 6, 0]]
    assert pool_frames(spikes([5, 0, 6, 0]), 2, 1).argmax(-1).tolist() == [[5]]


def test_frame_rates_must_divide():
    assert (frames_per_frame(50, 25), frames_per_frame(25, 25)) == (2, 1)
    for rate in (20, 33.3):
        with pytest.raises(ValueError, match="no multiple"):
            frames_per_frame(rate, 25)


def test_gradients_reach_the_student_and_the_projection_only():
    student = torch.randn(2, 6, 8, requires_grad=True)
    teacher = torch.randn(2, 13, 4, requires_grad=False)
    match = FeatureMatch(8, 4)
    distillation = distillation_loss(student.log_softmax(-1), torch.rand(2, 6, 8).softmax(-1), max_delay=1)
    (distillation + match(student, teacher, 2)).backward()
    assert student.grad.abs().sum() > 0 and match.project.weight.grad.abs().sum() > 0


def test_features_match_where_the_projection_gives_the_teachers():
    match = FeatureMatch(4, 4)
    torch.nn.init.eye_(match.project.weight)
    torch.nn.init.zeros_(match.project.bias)
    student = torch.randn(1, 5, 4)
    assert match(student, student.repeat_interleave(2, 1), 2).item() == pytest.approx(0, abs=1e-6)
