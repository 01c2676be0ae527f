"""The losses of training: CTC on transcripts, letters on known frames, and what a teacher heard.

A teacher's posteriors are brought to the student's tokens and frames in three steps:

- *Tokens* (`vocabulary_map`): each of the teacher's symbols gives its probability to one of ours. Letters go to their capital,
  without accents; the word delimiter (`|`, `▁` or a space) to the word boundary; padding, special symbols and whatever else we cannot
  write to the blank.
- *Frames* (`pool_frames`): of the teacher's frames that fall into one of the student's (two of 20 ms in 40 ms) the one with the least
  blank stands for all. A mean would halve CTC's one-frame spikes.
- *Delay* (`distillation_loss`): a streaming student may write up to `max_delay` frames later than a teacher that hears the whole
  recording. Each row counts with the delay that fits it best.
"""

import unicodedata

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

from dataset import Stretch
from text import IDS, TOKENS

BLANK = 0
WORD_DELIMITERS = ("|", "▁", " ")


def ctc_loss(log_probs: Tensor, stretches: list[Stretch]) -> Tensor:
    """Mean CTC loss per token over the stretches. One spoken faster than the encoder's frames counts nothing."""
    if not stretches:
        return log_probs.new_zeros(())
    parts = pad_sequence([log_probs[s.row, s.start : s.end] for s in stretches])  # (time, stretch, token)
    times = torch.tensor([s.end - s.start for s in stretches], device=parts.device)
    lengths = torch.tensor([len(s.tokens) for s in stretches], device=parts.device)
    tokens = torch.cat([s.tokens for s in stretches]).to(parts.device)
    losses = F.ctc_loss(parts, tokens, times, lengths, reduction="none", zero_infinity=True)
    return losses.sum() / lengths.sum().clamp(min=1)


def alignment_loss(log_probs: Tensor, stretches: list[Stretch], blank_weight: float = 0.3) -> Tensor:
    """Mean cross-entropy per frame of the stretches whose tokens have frames; the frames between are blank."""
    targets = torch.full(log_probs.shape[:2], -1)
    for s in stretches:
        if s.frames:
            targets[s.row, s.start : s.end] = BLANK
            targets[s.row, s.frames] = s.tokens.long()
    if (targets < 0).all():
        return log_probs.new_zeros(())
    weight = torch.ones(log_probs.shape[-1])
    weight[BLANK] = blank_weight
    device = log_probs.device
    return F.nll_loss(log_probs.flatten(0, 1), targets.flatten().to(device), weight.to(device), ignore_index=-1)


def our_token(symbol: str) -> int:
    """Return the id of the token that a teacher's symbol stands for; the blank where none does."""
    if symbol in WORD_DELIMITERS:
        return IDS["▁"]
    letters = [c for c in unicodedata.normalize("NFKD", symbol.replace("’", "'")) if not unicodedata.combining(c)]
    return IDS.get(letters[0].upper(), BLANK) if len(letters) == 1 else BLANK


def vocabulary_map(symbols: list[str], blank: int) -> Tensor:
    """Return a matrix of zeros and ones that takes the teacher's probabilities (…, symbol) to ours (…, token)."""
    ids = torch.tensor([BLANK if index == blank else our_token(symbol) for index, symbol in enumerate(symbols)])
    if not (ids != BLANK).any():
        raise ValueError(f"none of the teacher's {len(symbols)} symbols is a letter A to Z, an apostrophe or a word delimiter")
    return F.one_hot(ids, len(TOKENS)).float()


def frames_per_frame(teacher_rate: float, student_rate: float) -> int:
    """How many of the teacher's frames fall into one of the student's."""
    ratio = teacher_rate / student_rate
    if ratio < 1 or abs(ratio - round(ratio)) > 1e-6:
        raise ValueError(f"the teacher's {teacher_rate:g} frames a second are no multiple of the student's {student_rate:g}")
    return round(ratio)


def pool_frames(probs: Tensor, ratio: int, time: int) -> Tensor:
    """(batch, teacher frames, token) → (batch, time, token): the least blank of each `ratio` frames; past the end, blanks."""
    missing = time * ratio - probs.shape[1]
    if missing > 0:
        silence = F.one_hot(torch.full((len(probs), missing), BLANK), probs.shape[-1])
        probs = torch.cat([probs, silence.to(probs.dtype)], 1)
    groups = probs[:, : time * ratio].unflatten(1, (time, ratio))
    chosen = groups[..., BLANK].argmin(-1)
    return groups.gather(2, chosen[..., None, None].expand(-1, -1, 1, probs.shape[-1])).squeeze(2)


def distillation_loss(log_probs: Tensor, teacher_probs: Tensor, temperature: float = 1.0, max_delay: int = 0) -> Tensor:
    """Mean KL divergence per frame of the student (batch, time, token) from the teacher, both softened by the temperature.

    Scaled by the squared temperature, so that gradients keep their size (arXiv 1503.02531).
    """
    student = (log_probs / temperature).log_softmax(-1)
    teacher = (teacher_probs.clamp(min=1e-8).log() / temperature).log_softmax(-1)
    time = student.shape[1]
    by_delay = []
    for delay in range(max_delay + 1):
        divergence = F.kl_div(student[:, delay:], teacher[:, : time - delay], reduction="none", log_target=True)
        by_delay.append(divergence.sum(-1).mean(-1))
    return torch.stack(by_delay).amin(0).mean() * temperature**2


class FeatureMatch(nn.Module):
    """Cosine distance between the student's hidden states, linearly projected, and the teacher's."""

    def __init__(self, student_dim: int, teacher_dim: int):
        super().__init__()
        self.project = nn.Linear(student_dim, teacher_dim)

    def forward(self, student: Tensor, teacher: Tensor, ratio: int) -> Tensor:
        """student (batch, time, dim), teacher (batch, teacher frames, teacher dim), averaged over each `ratio` frames."""
        time = min(student.shape[1], teacher.shape[1] // ratio)
        target = teacher[:, : time * ratio].unflatten(1, (time, ratio)).mean(2)
        return 1 - F.cosine_similarity(self.project(student[:, :time].float()), target, dim=-1).mean()
