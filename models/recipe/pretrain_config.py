"""What defines a pre-training run. One JSON file per run overrides these defaults."""

import json
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path

from model import ModelConfig


@dataclass
class PretrainConfig:
    objective: str = "wav2vec2"  # or hubert, siamese
    model: ModelConfig = field(default_factory=ModelConfig)
    # Rows of `row_blocks` × left context, and how many an update reads.
    row_blocks: int = 4
    batch_rows: int = 8
    # Chunk lengths in 40 ms, one drawn per update.
    chunks: tuple[int, ...] = (8, 16, 16, 32, 64)
    # The peak of the learning rate, and the share of the updates in which it rises; then it falls linearly to zero.
    lr: float = 1e-3
    warmup_share: float = 0.08
    weight_decay: float = 0.01
    clip: float = 1.0
    # Masks: the share of frames (40 ms) at which a span starts, and the frames of a span.
    mask_start: float = 0.065
    mask_span: int = 10
    # Probability of each augmentation of `augmentations.py` by name, for a row that the context network reads.
    augmentations: dict[str, float] = field(default_factory=dict)
    # Whether targets are computed from the augmented row too, in place of the clean one.
    augment_targets: bool = False
    # wav2vec 2.0 and c-siam: distractors of the same utterance, temperature of the cosine similarities, dimensions that they are taken in.
    distractors: int = 100
    logit_temperature: float = 0.1
    projection: int = 128
    # wav2vec 2.0: groups of the product quantizer, entries of each, its first and last Gumbel temperature, weights of the other losses.
    groups: int = 2
    entries: int = 64
    gumbel_temperatures: tuple[float, float] = (2.0, 0.5)
    diversity_weight: float = 0.1
    penalty_weight: float = 0.0
    # wav2vec-Aug: a multi-layer perceptron in place of the linear projection of contexts, and before the quantizer.
    context_mlp: bool = False
    target_mlp: bool = False
    # HuBERT: units of k-means, the rows that they are fitted on, and a checkpoint whose block they are fitted on in place of log-mels.
    units: int = 64
    unit_rows: int = 64
    teacher: str | None = None
    teacher_block: int = 3
    # HuBERT and c-siam: the weight of the loss on frames without a mask.
    unmasked_weight: float = 0.0
    # c-siam: the largest shift of the augmented view's time axis in seconds.
    time_shift: float = 0.12
    # How often a corpus is drawn, relative to its recordings.
    corpus_weights: dict[str, float] = field(default_factory=dict)
    seed: int = 1

    @classmethod
    def load(cls, path: Path | None, **changes) -> "PretrainConfig":
        values = (json.loads(path.read_text()) if path else {}) | changes
        if unknown := set(values) - {f.name for f in fields(cls)}:
            raise ValueError(f"{path}: unknown keys {', '.join(sorted(unknown))}")
        if isinstance(values.get("model"), dict):
            values["model"] = ModelConfig(**values["model"])
        return cls(**values)

    def as_dict(self) -> dict:
        return asdict(self)

    def row_frames(self) -> int:
        """The log-mel frames of a row; the encoder reads one beyond its blocks."""
        return 4 * self.model.left_context * self.row_blocks + 1
