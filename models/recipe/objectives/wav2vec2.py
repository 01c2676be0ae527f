"""wav2vec 2.0 on log-mels: the w2v-Conformer of Zhang et al. (arXiv 2010.10504), with wav2vec-Aug's options (arXiv 2206.13654)."""

from torch import Tensor, nn

from model import StreamingEncoder
from objectives.base import Objective, in_pairs, projection, spread
from objectives.contrast import contrastive_loss, draw_distractors, masked_groups
from objectives.quantizer import GumbelQuantizer
from pretrain_config import PretrainConfig
from unlabelled import Batch


class Wav2Vec2(Objective):
    """The context network picks the quantized features of a masked frame among those of other masked frames."""

    def __init__(self, encoder: StreamingEncoder, config: PretrainConfig):
        super().__init__(encoder, config)
        dim = encoder.config.dim
        self.feature_norm = nn.LayerNorm(dim)
        self.target_mlp = projection(dim, dim, True) if config.target_mlp else nn.Identity()
        self.quantizer = GumbelQuantizer(dim, config.projection, config.groups, config.entries)
        self.project_target = nn.Linear(config.projection, config.projection)
        self.project_context = projection(dim, config.projection, config.context_mlp)

    def forward(self, batch: Batch, chunk: int, progress: float) -> tuple[Tensor, dict[str, Tensor]]:
        config = self.config
        features = self.encoder.subsampled(batch.context)
        clean = self.encoder.subsampled(batch.clean) if batch.augmented else features
        states = self.last_frames(self.masked_states(features, batch.mask, chunk, self.starts(batch, chunk)))
        index, group = masked_groups(batch.owner, batch.mask)
        if len(index) == 0:
            nothing = states.sum() * 0
            names = ("contrastive", "diversity", "accuracy", "perplexity", "soft_perplexity", "spread")
            return nothing, dict.fromkeys(names, nothing.detach())
        context = states.flatten(0, 1)[index]
        target = in_pairs(clean).flatten(0, 1)[index]
        penalty = target.float().square().mean()
        quantized = self.quantizer(self.target_mlp(self.feature_norm(target)), self.temperature(progress))
        loss, accuracy = contrastive_loss(
            self.project_context(context), self.project_target(quantized.vectors), draw_distractors(group, config.distractors),
            config.logit_temperature, quantized.codes,
        )
        diversity = self.quantizer.diversity_loss(quantized)
        total = loss + config.diversity_weight * diversity + config.penalty_weight * penalty
        return total, {
            "contrastive": loss, "diversity": diversity, "accuracy": accuracy, "perplexity": quantized.code_perplexity,
            "soft_perplexity": quantized.soft_perplexity.mean(), "spread": spread(states[batch.owner >= 0]),
        }

    def temperature(self, progress: float) -> float:
        """Of the Gumbel softmax: from the first to the last by equal factors."""
        first, last = self.config.gumbel_temperatures
        return first * (last / first) ** progress
