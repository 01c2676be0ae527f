"""Maximum mutual information of phones: what is said against all that could be, as a phone trigram weighs it.

CTC takes the phones of a transcript as independent, and a model trained with it is surer than it is right, which a lexicon and a
language model can't mend. Here the paths of the transcript compete with the paths of every phone sequence (CTC-CRF, Xiang and Ou
2019, see arXiv 1911.08747; LF-MMI, Povey et al. 2016). A sequence's paths are CTC's: repeats and blanks between them.
"""

from collections.abc import Iterable
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

import denominator
from dataset import Stretch
from lexicon import PHONES, Lexicon
from losses import BLANK, ctc_loss

# Absolute discounting: what each n-gram seen gives to those not seen.
DISCOUNT = 0.75
SENTENCES = 150_000


def discounted(counts: np.ndarray, lower: np.ndarray) -> np.ndarray:
    """Probabilities of the last axis, interpolated with those of a shorter history."""
    total, kinds = counts.sum(-1, keepdims=True), (counts > 0).sum(-1, keepdims=True)
    rest = np.where(total > 0, DISCOUNT * kinds / np.maximum(total, 1), 1)
    return np.maximum(counts - DISCOUNT, 0) / np.maximum(total, 1) + rest * lower


def phone_trigram(sequences: Iterable[list[int]], phones: int) -> Tensor:
    """P(c | a, b) as (phones, phones, phones); the blank stands for what is before the first phone."""
    counts = np.zeros((phones, phones, phones))
    for sequence in sequences:
        before, last = BLANK, BLANK
        for phone in sequence:
            counts[before, last, phone] += 1
            before, last = last, phone
    unigram = counts.sum((0, 1)) + (np.arange(phones) != BLANK)
    bigram = discounted(counts.sum(0), unigram / unigram.sum())
    return torch.from_numpy(discounted(counts, bigram[None])).float()


def trigram_of_text(sentences: Path, lexicon: Lexicon) -> Tensor:
    """The trigram of a text's first sentences whose words all have pronunciations."""
    with open(sentences) as lines:
        spoken = (lexicon.phones(line.strip()) for line in islice(lines, SENTENCES))
        return phone_trigram((phones for phones in spoken if phones), len(PHONES))


def log_partition(log_probs: Tensor, lengths: Tensor, trigram: Tensor) -> Tensor:
    """log_probs (time, batch, phone) of which `lengths` frames count → the log of all paths' summed probabilities (batch).

    A state is the last two phones, and whether the last frame was the last phone or a blank. `denominator.c` does the same
    several times as fast; this is for machines without a C compiler that can make it, and says what it does.
    """
    time, batch, phones = log_probs.shape
    probs = log_probs.exp()
    by_last = trigram.transpose(0, 1).contiguous()  # (last, before, next)
    repeated = trigram.diagonal(dim1=1, dim2=2)  # P(b | a, b)
    on_phone = log_probs.new_zeros(batch, phones, phones)
    on_blank = log_probs.new_zeros(batch, phones, phones)
    on_blank[:, BLANK, BLANK] = 1
    total = log_probs.new_zeros(batch)
    for t in range(time):
        either = on_phone + on_blank
        begun = torch.bmm(either.permute(2, 0, 1), by_last).transpose(0, 1)  # (batch, last, next)
        # A phone repeated without a blank between only goes on.
        begun = begun - torch.diag_embed((on_phone * repeated).sum(1))
        on_phone = (begun + on_phone) * probs[t, :, None, :]
        on_blank = either * probs[t, :, BLANK, None, None]
        scale = (on_phone + on_blank).sum((1, 2))
        total = total + torch.where(t < lengths, scale, 1.0).log()
        on_phone, on_blank = on_phone / scale[:, None, None], on_blank / scale[:, None, None]
    return total


def mutual_information_loss(log_probs: Tensor, stretches: list[Stretch], trigram: Tensor) -> Tensor:
    """Mean loss per phone over the stretches, but for the trigram's own score of the transcripts, which teaches nothing."""
    if not stretches:
        return log_probs.new_zeros(())
    parts = [log_probs[s.row, s.start : s.end] for s in stretches]
    lengths = [len(part) for part in parts]
    phones = sum(len(s.tokens) for s in stretches)
    if denominator.library():
        sums = denominator.log_partition(torch.cat(parts), lengths, denominator.padded(trigram))
    else:
        sums = log_partition(pad_sequence(parts), torch.tensor(lengths), trigram)
    return ctc_loss(log_probs, stretches) + sums.sum() / max(phones, 1)
