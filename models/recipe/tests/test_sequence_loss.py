"""The sum over all paths, and the loss made of it."""

from itertools import product

import pytest
import torch

import denominator
from dataset import Stretch
from losses import ctc_loss
from sequence_loss import log_partition, mutual_information_loss, phone_trigram

PHONES, TIME = 4, 5


@pytest.fixture
def trigram() -> torch.Tensor:
    return phone_trigram([[1, 2, 3], [1, 1, 2], [3, 2]], PHONES)


def squashed(path: tuple[int, ...]) -> list[int]:
    kept = [phone for before, phone in zip((None, *path), path) if phone != before]
    return [phone for phone in kept if phone]


def score(sequence: list[int], trigram: torch.Tensor) -> float:
    history = [0, 0, *sequence]
    return torch.stack([trigram[a, b, c] for a, b, c in zip(history, history[1:], sequence)]).prod().item() if sequence else 1.0


def enumerated(log_probs: torch.Tensor, trigram: torch.Tensor) -> float:
    """The log of the sum over every path of (time, phone), one by one."""
    probs = log_probs.exp()
    total = 0.0
    for path in product(range(PHONES), repeat=len(probs)):
        total += score(squashed(path), trigram) * torch.stack([probs[t, p] for t, p in enumerate(path)]).prod().item()
    return torch.tensor(total).log().item()


def test_a_trigram_is_a_distribution_over_phones(trigram):
    assert torch.allclose(trigram.sum(-1), torch.ones(PHONES, PHONES))
    assert (trigram[..., 0] == 0).all()
    assert trigram[1, 2, 3] > trigram[1, 2, 1] > 0


def test_every_path_counts_once_in_recordings_of_any_length(trigram):
    torch.manual_seed(1)
    log_probs = torch.randn(TIME, 2, PHONES).log_softmax(-1)
    sums = log_partition(log_probs, torch.tensor([TIME, 3]), trigram)
    assert sums[0].item() == pytest.approx(enumerated(log_probs[:, 0], trigram), abs=1e-4)
    assert sums[1].item() == pytest.approx(enumerated(log_probs[:3, 1], trigram), abs=1e-4)


def test_the_loss_falls_to_the_trigrams_score_where_nothing_else_is_heard(trigram):
    stretch = Stretch(0, 0, TIME, torch.tensor([1, 2], dtype=torch.int32), [])
    sure = torch.full((1, TIME, PHONES), -20.0)
    for t, phone in enumerate((1, 1, 0, 2, 0)):
        sure[0, t, phone] = 0
    unsure = torch.zeros(1, TIME, PHONES)
    loss = [mutual_information_loss(x.log_softmax(-1), [stretch], trigram).item() for x in (sure, unsure)]
    assert loss[0] == pytest.approx(torch.tensor(score([1, 2], trigram)).log().item() / 2, abs=1e-3)
    assert loss[1] > loss[0] + 0.5


def test_a_constant_added_to_all_scores_changes_nothing(trigram):
    torch.manual_seed(2)
    stretch = Stretch(0, 0, TIME, torch.tensor([3], dtype=torch.int32), [])
    scores = torch.randn(1, TIME, PHONES).log_softmax(-1)
    assert ctc_loss(scores - 1, [stretch]) > ctc_loss(scores, [stretch])
    shifted, plain = (mutual_information_loss(x, [stretch], trigram) for x in (scores - 1, scores))
    assert shifted.item() == pytest.approx(plain.item(), abs=1e-4)


@pytest.mark.skipif(denominator.library() is None, reason="no C compiler")
def test_the_compiled_sum_and_its_gradient_are_those_of_pytorch(trigram):
    torch.manual_seed(3)
    lengths = [TIME, 40, 1]
    scores = torch.randn(sum(lengths), PHONES)
    sums, gradients = [], []
    for compiled in (False, True):
        log_probs = (3 * scores).log_softmax(-1).requires_grad_()
        if compiled:
            sums.append(denominator.log_partition(log_probs, lengths, denominator.padded(trigram)))
        else:
            parts = torch.nn.utils.rnn.pad_sequence(log_probs.split(lengths))
            sums.append(log_partition(parts, torch.tensor(lengths), trigram))
        (sums[-1] * torch.tensor([1.0, 2.0, 3.0])).sum().backward()
        gradients.append(log_probs.grad)
    assert torch.allclose(*sums, atol=1e-4)
    assert torch.allclose(*gradients, atol=1e-5)
