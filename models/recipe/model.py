"""A streaming Conformer encoder with a CTC head, whose lower half starts as Whisper tiny.en's encoder.

`forward` sees whole rows under a chunk mask and is for training; `forward_chunk` takes one chunk and its
caches, is what gets exported, and gives the same log-probabilities.

    log-mel frames (100 Hz)
      → two convolutions (50 Hz) + sinusoidal positions
      → `lower_blocks` pretrained blocks → pairs averaged, if `output_rate` is 25
      → `upper_blocks` pretrained blocks, each with a causal convolution module (Conformer, arXiv 2005.08100)
      → `fresh_blocks` new blocks of the same kind → CTC over characters, and over phones if `phones`

Attention reads the frames of its own chunk and `left_context` frames before the chunk.
"""

import math
from dataclasses import asdict, dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from features import FeatureConfig
from lexicon import PHONES
from text import TOKENS

# Whisper's encoder was trained on windows of 1,500 positions (30 s), after which they begin anew.
POSITION_PERIOD = 1500
# Mel frames before and after a chunk that the two convolutions (kernel 3, strides 1 and 2) read.
STEM_LEFT_FRAMES, STEM_LOOKAHEAD_FRAMES = 2, 1
MASKED = -1e4


@dataclass
class ModelConfig:
    mel_bins: int = 80
    dim: int = 384
    heads: int = 6
    ffn: int = 1536
    lower_blocks: int = 2
    upper_blocks: int = 2
    fresh_blocks: int = 2
    fresh_ffn: int = 768
    kernel: int = 15
    output_rate: int = 25  # encoder frames a second: 25, or 50 for letters and phones that follow each other faster
    left_context: int = 64  # in 40 ms, as the lengths of chunks are, whatever the rate
    phones: bool = False  # a second head, for the phones of `lexicon.py`
    dropout: float = 0.1

    def as_dict(self) -> dict:
        return asdict(self)


class SpanDropout(nn.Module):
    """Dropout whose mask is shared by spans of frames: drawing a mask per value takes a quarter of a step on a CPU."""

    SPAN = 16

    def __init__(self, probability: float):
        super().__init__()
        self.probability = probability

    def forward(self, x: Tensor) -> Tensor:
        """x (batch, time, dim), time a multiple of SPAN."""
        if not self.training or self.probability == 0:
            return x
        batch, time, dim = x.shape
        keep = 1 - self.probability
        mask = x.new_empty(batch, time // self.SPAN, 1, dim).bernoulli_(keep) / keep
        return (x.unflatten(1, (-1, self.SPAN)) * mask).flatten(1, 2)


class Attention(nn.Module):
    """Multi-head self-attention over the chunk and its left context. Whisper has no bias on the keys."""

    def __init__(self, config: ModelConfig):
        super().__init__()
        self.heads, self.scale = config.heads, (config.dim // config.heads) ** -0.5
        self.norm = nn.LayerNorm(config.dim)
        self.qkv = nn.Linear(config.dim, 3 * config.dim)
        self.out = nn.Linear(config.dim, config.dim)

    def split(self, x: Tensor) -> Tensor:
        return x.reshape(*x.shape[:-1], self.heads, x.shape[-1] // self.heads).transpose(-3, -2)  # (…, time, dim) → (…, head, time, dim / head)

    def forward(self, x: Tensor, mask: Tensor, left: int) -> Tensor:
        """x (batch, time, dim), mask (blocks, 1, left, 2·left): each block of `left` frames reads the block before it too."""
        batch, time, dim = x.shape
        q, k, v = self.qkv(self.norm(x)).chunk(3, -1)
        q = self.split(q.view(batch, time // left, left, dim))
        k, v = (self.split(self.with_previous_block(y.view(batch, time // left, left, dim))) for y in (k, v))
        y = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        return self.out(y.transpose(-3, -2).reshape(batch, time, dim))

    @staticmethod
    def with_previous_block(y: Tensor) -> Tensor:
        before = F.pad(y, (0, 0, 0, 0, 1, 0))[:, :-1]
        return torch.cat([before, y], 2)

    def forward_chunk(self, x: Tensor, mask: Tensor, cache: Tensor) -> tuple[Tensor, Tensor]:
        """x (1, chunk, dim), mask (1, left + chunk), cache (2, left, dim) of keys and values."""
        q, k, v = self.qkv(self.norm(x)).chunk(3, -1)
        k, v = torch.cat([cache[:1], k], 1), torch.cat([cache[1:], v], 1)
        new_cache = torch.cat([k, v], 0)[:, x.shape[1] :]
        q, k, v = self.split(q), self.split(k), self.split(v)
        scores = (q * self.scale) @ k.transpose(-1, -2) + mask
        y = (torch.softmax(scores, -1) @ v).transpose(-3, -2).reshape(x.shape)
        return self.out(y), new_cache


class Convolution(nn.Module):
    """The Conformer's convolution module, causal, with LayerNorm in place of BatchNorm."""

    def __init__(self, config: ModelConfig, starts_silent: bool):
        super().__init__()
        self.kernel = config.kernel
        self.norm = nn.LayerNorm(config.dim)
        self.expand = nn.Linear(config.dim, 2 * config.dim)
        self.depthwise = nn.Conv1d(config.dim, config.dim, config.kernel, groups=config.dim)
        self.middle_norm = nn.LayerNorm(config.dim)
        self.out = nn.Linear(config.dim, config.dim)
        if starts_silent:
            nn.init.zeros_(self.out.weight)
            nn.init.zeros_(self.out.bias)

    def forward(self, x: Tensor) -> Tensor:
        x = F.pad(F.glu(self.expand(self.norm(x)), -1), (0, 0, self.kernel - 1, 0))
        return self.finish(x)

    def forward_chunk(self, x: Tensor, cache: Tensor) -> tuple[Tensor, Tensor]:
        """x (1, chunk, dim), cache (1, kernel − 1, dim)."""
        values, gates = self.expand(self.norm(x)).chunk(2, -1)
        x = torch.cat([cache, values * torch.sigmoid(gates)], 1)
        return self.finish(x), x[:, x.shape[1] - (self.kernel - 1) :]

    def finish(self, x: Tensor) -> Tensor:
        x = self.depthwise(x.transpose(1, 2)).transpose(1, 2)
        return self.out(F.silu(self.middle_norm(x)))


class Block(nn.Module):
    """Pre-norm attention, convolution (not in the lower blocks) and feed-forward."""

    def __init__(self, config: ModelConfig, ffn: int, convolution: bool, pretrained: bool):
        super().__init__()
        self.attention = Attention(config)
        self.convolution = Convolution(config, starts_silent=pretrained) if convolution else None
        self.ffn_norm = nn.LayerNorm(config.dim)
        self.ffn_in = nn.Linear(config.dim, ffn)
        self.ffn_out = nn.Linear(ffn, config.dim)
        self.dropout = SpanDropout(config.dropout)

    def feed_forward(self, x: Tensor) -> Tensor:
        return self.ffn_out(self.dropout(F.gelu(self.ffn_in(self.ffn_norm(x)))))

    def forward(self, x: Tensor, mask: Tensor, left: int) -> Tensor:
        x = x + self.dropout(self.attention(x, mask, left))
        if self.convolution is not None:
            x = x + self.dropout(self.convolution(x))
        return x + self.dropout(self.feed_forward(x))

    def forward_chunk(self, x: Tensor, mask: Tensor, caches: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
        y, keys_values = self.attention.forward_chunk(x, mask, caches[0])
        x, new_caches = x + y, [keys_values]
        if self.convolution is not None:
            y, left = self.convolution.forward_chunk(x, caches[1])
            x, new_caches = x + y, [keys_values, left]
        return x + self.feed_forward(x), new_caches


class Stem(nn.Module):
    """Whisper's two convolutions as matrix products over three neighbouring frames; 100 Hz to 50 Hz."""

    def __init__(self, config: ModelConfig):
        super().__init__()
        self.first = nn.Linear(3 * config.mel_bins, config.dim)
        self.second = nn.Linear(3 * config.dim, config.dim)

    def forward(self, frames: Tensor) -> Tensor:
        """(batch, STEM_LEFT_FRAMES + 2·time + STEM_LOOKAHEAD_FRAMES, mel) → (batch, time, dim)."""
        x = F.gelu(self.first(self.first_inputs(frames)))
        return F.gelu(self.second(self.second_inputs(x)))

    @staticmethod
    def first_inputs(frames: Tensor) -> Tensor:
        x = frames * (1 / (4 * math.log(10))) + 1  # Whisper's (log10(mel) + 4) / 4 from the natural logarithm
        return torch.cat([x[:, :-2], x[:, 1:-1], x[:, 2:]], -1)

    @staticmethod
    def second_inputs(x: Tensor) -> Tensor:
        return torch.cat([x[:, :-2:2], x[:, 1:-1:2], x[:, 2::2]], -1)

    @torch.no_grad()
    def scale(self, frames: Tensor) -> None:
        """Scale random weights so that both layers have unit variance on `frames` before their activations.

        As PyTorch draws them, the variance of the stem's output is less than a hundredth of that of the positions that are added to it.
        """
        inputs = self.first_inputs(frames)
        for layer in (self.first, self.second):
            deviation = layer(inputs).std()
            layer.weight /= deviation
            layer.bias /= deviation
            if layer is self.first:
                inputs = self.second_inputs(F.gelu(layer(inputs)))


class LogProbs(NamedTuple):
    """Natural log-probabilities, each (batch, time, …)."""

    tokens: Tensor
    middle: Tensor  # of tokens, straight after the pretrained blocks
    phones: Tensor | None


class StreamingEncoder(nn.Module):
    def __init__(self, config: ModelConfig, features: FeatureConfig = FeatureConfig()):
        super().__init__()
        self.config, self.features = config, features
        # Encoder frames in 40 ms.
        self.per_step = config.output_rate // 25
        self.stem = Stem(config)
        self.lower = nn.ModuleList(Block(config, config.ffn, False, True) for _ in range(config.lower_blocks))
        self.upper = nn.ModuleList(Block(config, config.ffn, True, True) for _ in range(config.upper_blocks))
        self.fresh = nn.ModuleList(Block(config, config.fresh_ffn, True, False) for _ in range(config.fresh_blocks))
        # Whisper's last norm, so that the new blocks and the head read what its decoder was trained to read.
        self.bridge_norm = nn.LayerNorm(config.dim)
        self.head_norm = nn.LayerNorm(config.dim)
        self.head = nn.Linear(config.dim, len(TOKENS))
        self.phone_head = nn.Linear(config.dim, len(PHONES)) if config.phones else None
        step = math.log(10000) / (config.dim // 2 - 1)
        self.register_buffer("frequencies", torch.exp(-step * torch.arange(config.dim // 2)), persistent=False)

    def random_starts(self, rows: int, time: int, chunk: int) -> Tensor:
        """Positions (rows, 1) at which rows of `time` 50 Hz frames may begin: in long chunks as utterances do, in short ones as streams."""
        latest = max(POSITION_PERIOD - time, 0) + 1 if chunk >= self.config.left_context else POSITION_PERIOD
        return torch.randint(0, latest, (rows, 1))

    def positions(self, start: Tensor, time: int) -> Tensor:
        """start (batch, 1) in 50 Hz frames → Whisper's sinusoids (batch, time, dim)."""
        at = (start + torch.arange(time, device=start.device)) % POSITION_PERIOD
        angle = at.unsqueeze(-1) * self.frequencies
        return torch.cat([angle.sin(), angle.cos()], -1)

    @staticmethod
    def chunk_mask(blocks: int, left: int, chunk: int) -> Tensor:
        """Which keys (previous block, own block) each frame of a block may read: (blocks, 1, left, 2·left)."""
        start = torch.arange(left)[:, None] // chunk * chunk + left  # of the query's chunk, counted in keys
        key = torch.arange(2 * left)[None]
        mask = ((key >= start - left) & (key < start + chunk)).expand(blocks, 1, left, 2 * left).clone()
        mask[0, :, :, :left] = False
        return mask

    def forward(self, frames: Tensor, chunk: int, start: Tensor) -> "LogProbs":
        """frames (batch, 4·time + 1, mel), time a multiple of the left context; chunk in 40 ms."""
        states = self.pretrained_states(frames, chunk, start)
        tokens, phones = self.read(states, chunk)
        return LogProbs(tokens, self.token_log_probs(states), phones)

    def pretrained_states(self, frames: Tensor, chunk: int, start: Tensor) -> Tensor:
        """What the pretrained blocks make of the frames: (batch, time, dim)."""
        return self.upper_states(self.lower_states(frames, chunk, start), chunk)

    def lower_states(self, frames: Tensor, chunk: int, start: Tensor) -> Tensor:
        """What the lower blocks make of the frames, at the output's rate: (batch, time, dim)."""
        return self.topmost_lower_states(self.bottom_states(frames, chunk, start, 0), chunk, 0)

    def bottom_states(self, frames: Tensor, chunk: int, start: Tensor, topmost: int) -> Tensor:
        """What the lower blocks without the `topmost` last ones make of the frames: (batch, 2·time, dim)."""
        x = self.subsampled(frames)
        x = x + self.positions(start, x.shape[1])
        return self.through_lower(x, chunk, slice(0, len(self.lower) - topmost))

    def subsampled(self, frames: Tensor) -> Tensor:
        """What the stem makes of the frames, without positions: (batch, 2·time, dim)."""
        silence = math.log(self.features.energy_floor)
        return self.stem(F.pad(frames, (0, 0, STEM_LEFT_FRAMES, 0), value=silence))

    def topmost_lower_states(self, x: Tensor, chunk: int, topmost: int) -> Tensor:
        """What the `topmost` last lower blocks make of the others' states, at the output's rate: (batch, time, dim)."""
        return self.at_output_rate(self.through_lower(x, chunk, slice(len(self.lower) - topmost, None)))

    def at_output_rate(self, x: Tensor) -> Tensor:
        return x if self.per_step == 2 else (x[:, ::2] + x[:, 1::2]) * 0.5

    def through_lower(self, x: Tensor, chunk: int, blocks: slice) -> Tensor:
        left = 2 * self.config.left_context
        mask = self.chunk_mask(x.shape[1] // left, left, 2 * chunk).to(x.device)
        for block in self.lower[blocks]:
            x = block(x, mask, left)
        return x

    def upper_states(self, x: Tensor, chunk: int) -> Tensor:
        left = self.per_step * self.config.left_context
        mask = self.chunk_mask(x.shape[1] // left, left, self.per_step * chunk).to(x.device)
        for block in self.upper:
            x = block(x, mask, left)
        return self.bridge_norm(x)

    def read(self, states: Tensor, chunk: int) -> tuple[Tensor, Tensor | None]:
        """Log-probabilities of tokens and, if there is a head for them, of phones from the pretrained blocks' states."""
        left = self.per_step * self.config.left_context
        mask = self.chunk_mask(states.shape[1] // left, left, self.per_step * chunk).to(states.device)
        for block in self.fresh:
            states = block(states, mask, left)
        states = self.head_norm(states)
        return self.token_log_probs(states), self.phone_log_probs(states) if self.phone_head else None

    def token_log_probs(self, x: Tensor) -> Tensor:
        return self.head(x).float().log_softmax(-1)

    def phone_log_probs(self, x: Tensor) -> Tensor:
        return self.phone_head(x).float().log_softmax(-1)

    def initial_caches(self) -> dict[str, Tensor]:
        """The caches of a new stream, by name. Padded positions are masked by `*_mask`, not by their values."""
        config = self.config
        left, dim = config.left_context, config.dim
        output_left = self.per_step * left
        caches = {
            "frames_cache": torch.full((1, STEM_LEFT_FRAMES, config.mel_bins), math.log(self.features.energy_floor)),
            "position_cache": torch.zeros(1, 1),
            "lower_mask_cache": torch.full((1, 2 * left), MASKED),
            "upper_mask_cache": torch.full((1, output_left), MASKED),
        }
        for index in range(len(self.lower)):
            caches[f"lower_{index}_att_cache"] = torch.zeros(2, 2 * left, dim)
        for stage, blocks in (("upper", self.upper), ("fresh", self.fresh)):
            for index in range(len(blocks)):
                caches[f"{stage}_{index}_att_cache"] = torch.zeros(2, output_left, dim)
                caches[f"{stage}_{index}_cnn_cache"] = torch.zeros(1, config.kernel - 1, dim)
        return caches

    def forward_chunk(self, frames: Tensor, *caches: Tensor) -> tuple[Tensor, ...]:
        """frames (1, 4·chunk + 1, mel) and the caches in `initial_caches` order → log-probabilities (1, chunk, token), new caches."""
        named = dict(zip(self.initial_caches(), caches))
        x, new = self.lower_chunk(frames, named)
        x = self.at_output_rate(x)
        mask = self.extend_mask("upper_mask_cache", x.shape[1], named, new)
        x = self.bridge_norm(self.run_chunk(x, "upper", mask, named, new))
        x = self.run_chunk(x, "fresh", mask, named, new)
        x = self.head_norm(x)
        columns = [self.token_log_probs(x)] + ([self.phone_log_probs(x)] if self.phone_head else [])
        return (torch.cat(columns, -1), *(new[name] for name in named))

    def lower_chunk(self, frames: Tensor, named: dict) -> tuple[Tensor, dict]:
        """What the lower blocks make of a chunk, 50 states a second, and the caches renewed so far."""
        time = (frames.shape[1] - STEM_LOOKAHEAD_FRAMES) // 2
        frames = torch.cat([named["frames_cache"], frames], 1)
        x = self.stem(frames)
        new = {"frames_cache": frames[:, 2 * time : 2 * time + STEM_LEFT_FRAMES]}
        start = named["position_cache"]
        x = x + self.positions(start, time)
        new["position_cache"] = (start + time) % POSITION_PERIOD
        mask = self.extend_mask("lower_mask_cache", time, named, new)
        return self.run_chunk(x, "lower", mask, named, new), new

    @staticmethod
    def extend_mask(name: str, time: int, named: dict, new: dict) -> Tensor:
        """Append the chunk's own frames, all to be read; what slides out on the left is forgotten."""
        mask = torch.cat([named[name], torch.zeros(1, time)], 1)
        new[name] = mask[:, time:]
        return mask

    def run_chunk(self, x: Tensor, stage: str, mask: Tensor, named: dict, new: dict) -> Tensor:
        for index, block in enumerate(getattr(self, stage)):
            names = [n for n in (f"{stage}_{index}_att_cache", f"{stage}_{index}_cnn_cache") if n in named]
            x, caches = block.forward_chunk(x, mask, [named[n] for n in names])
            new.update(zip(names, caches))
        return x

    def load_whisper(self, variables: dict) -> None:
        """Start the stem and the pretrained blocks from Whisper's encoder variables (CTranslate2 names)."""
        get = lambda name: torch.from_numpy(variables[f"encoder/{name}"])

        def copy(module: nn.Module, name: str) -> None:
            kinds = ("gamma", "beta") if isinstance(module, nn.LayerNorm) else ("weight", "bias")
            module.weight.data.copy_(get(f"{name}/{kinds[0]}"))
            module.bias.data.copy_(get(f"{name}/{kinds[1]}"))

        for linear, name in ((self.stem.first, "conv1"), (self.stem.second, "conv2")):
            # (out, in, 3) convolution → (out, 3·in) over frames laid side by side
            linear.weight.data.copy_(get(f"{name}/weight").permute(0, 2, 1).flatten(1))
            linear.bias.data.copy_(get(f"{name}/bias"))
        for index, block in enumerate([*self.lower, *self.upper]):
            name = f"layer_{index}"
            copy(block.attention.norm, f"{name}/self_attention/layer_norm")
            copy(block.attention.qkv, f"{name}/self_attention/linear_0")
            copy(block.attention.out, f"{name}/self_attention/linear_1")
            copy(block.ffn_norm, f"{name}/ffn/layer_norm")
            copy(block.ffn_in, f"{name}/ffn/linear_0")
            copy(block.ffn_out, f"{name}/ffn/linear_1")
            if block.convolution is not None:
                # It reads the same residual stream as the feed-forward beside it.
                copy(block.convolution.norm, f"{name}/ffn/layer_norm")
        copy(self.bridge_norm, "layer_norm")
