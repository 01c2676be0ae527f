"""What a student in training learns from a teacher that hears the same rows clean."""

import torch
from torch import Tensor, nn

from config import TrainConfig
from losses import FeatureMatch, distillation_loss, frames_per_frame, pool_frames, vocabulary_map
from model import StreamingEncoder
from precision import autocast
from teachers import Teacher


class Distillation(nn.Module):
    """The teacher's share of the loss. Its parameters, if any, project the student's hidden states and learn with it."""

    def __init__(self, teacher: Teacher, student: StreamingEncoder, config: TrainConfig):
        super().__init__()
        if teacher.frame_rate is None:
            raise ValueError("this teacher gives text alone: let label.py write transcripts with it")
        self.teacher, self.config = teacher, config
        self.ratio = frames_per_frame(teacher.frame_rate, float(student.config.output_rate))
        self.symbols_to_tokens = vocabulary_map(teacher.symbols, teacher.blank)
        self.match = FeatureMatch(student.config.dim, teacher.hidden_dim) if config.feature_weight > 0 else None
        if self.match is not None:
            student.head_norm.register_forward_hook(self.keep_hidden)

    def keep_hidden(self, _module, _inputs, output: Tensor) -> None:
        self.hidden = output

    def forward(self, log_probs: Tensor, clean: Tensor) -> Tensor:
        """log_probs (batch, time, token) of the student, clean (batch, samples) of the same rows."""
        config = self.config
        with torch.no_grad(), autocast():
            heard = self.teacher.hear(clean)
        probs = heard.log_probs.float().exp() @ self.symbols_to_tokens
        probs = pool_frames(probs, self.ratio, log_probs.shape[1]).to(log_probs.device)
        loss = config.teacher_weight * distillation_loss(
            log_probs, probs, config.teacher_temperature, config.teacher_max_delay
        )
        if self.match is not None:
            loss = loss + config.feature_weight * self.match(self.hidden, heard.hidden.to(log_probs.device), self.ratio)
        return loss
