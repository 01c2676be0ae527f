"""What defines a training run. One JSON file per shipped model overrides these defaults."""

import json
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path

from model import ModelConfig


@dataclass
class TrainConfig:
    model: ModelConfig = field(default_factory=ModelConfig)
    # Rows of `row_blocks` × left context: 7 × 64 × 40 ms = 17.92 s.
    row_blocks: int = 7
    batch_rows: int = 4
    # Chunk lengths in 40 ms, one drawn per batch: 320, 640, 1280 and 2560 ms. The longest is for audio that is there as a whole.
    chunks: tuple[int, ...] = (8, 16, 16, 16, 32, 64)
    # Learning rates of the stem and lower blocks, of the pretrained upper blocks, and of what is new.
    lr_lower: float = 5e-5
    lr_upper: float = 2e-4
    lr_new: float = 1e-3
    weight_decay: float = 0.01
    warmup_steps: int = 50
    # The last share of the time over which the rates fall linearly to zero.
    decay_share: float = 0.6
    # Weights of the CTC losses: on letters, on letters straight after the pretrained blocks, and, in a model with phones, on these.
    letter_ctc_weight: float = 1.0
    middle_ctc_weight: float = 0.3
    phone_ctc_weight: float = 1.0
    # With a teacher: the weight of the divergence from its posteriors, the temperature of both, and how many encoder frames later
    # than the teacher the student may write; the weight of the distance to its hidden states.
    teacher_weight: float = 1.0
    teacher_temperature: float = 1.0
    teacher_max_delay: int = 8
    feature_weight: float = 0.0
    # Whether a stem of random weights is scaled to unit variance on the first batch.
    scale_stem: bool = False
    # First steps, which hear only recordings with word times, clean, and learn where each letter falls: from CTC on
    # augmented speech alone, the model writes nothing but blanks for several hundred steps.
    letter_steps: int = 350
    average_decay: float = 0.998
    # What train_head.py does otherwise: its rates for what is new and for what comes from Whisper, the last share of the time over which
    # they fall, rows a step, spans of the states masked in each row, and how many of the topmost lower blocks learn with `--frozen bottom`.
    head_lr: float = 8e-4
    head_lr_pretrained: float = 2e-4
    head_decay_share: float = 0.6
    head_batch_rows: int = 8
    head_masked_spans: int = 6
    head_lower_blocks: int = 2
    # How many of the later rows are augmented.
    augmented_share: float = 0.5
    # How many of the augmented rows have their frequencies warped.
    warped_share: float = 0.6
    # How often a corpus is drawn, relative to its hours.
    corpus_weights: dict[str, float] = field(default_factory=dict)
    seed: int = 1

    @classmethod
    def load(cls, path: Path | None) -> "TrainConfig":
        values = json.loads(path.read_text()) if path else {}
        known = {f.name for f in fields(cls)}
        if unknown := set(values) - known:
            raise ValueError(f"{path}: unknown keys {', '.join(sorted(unknown))}")
        if "model" in values:
            values["model"] = ModelConfig(**values["model"])
        return cls(**values)

    def as_dict(self) -> dict:
        return asdict(self)
