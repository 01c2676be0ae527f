"""Whisper's encoder in a stream's chunks, and its decoder, which attends to all of an utterance."""

import math
from dataclasses import asdict
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from features import LogMel
from model import POSITION_PERIOD, ModelConfig, StreamingEncoder
from prepare import SAMPLE_RATE
from whisper_decoder import WhisperDecoder, greedy

HEAD_DIM = 64
# Encoder frames (40 ms) of a chunk and of its left context.
CHUNK = 128
# Seconds of silence before and after a recording, and whole chunks of it then: Whisper's decoder expects some, and repeats itself without.
BEFORE, AFTER, SILENT_CHUNKS = 0.3, 0.5, 1
MOST_CHUNKS = 6  # Whisper's 1,500 positions; beyond, states are dropped
TOKENS_PER_SECOND = 6


class AttentionModel(nn.Module):
    """An encoder with nothing new, and a decoder that keeps some of the tokens."""

    def __init__(self, config: ModelConfig, decoder: WhisperDecoder):
        super().__init__()
        self.encoder, self.decoder = StreamingEncoder(config), decoder

    @classmethod
    def from_whisper(cls, variables: dict, kept: list[int], chunk: int = CHUNK) -> "AttentionModel":
        """`variables` of an English Whisper's `model.bin`, the ids of the tokens that are kept."""
        dim = variables["decoder/embeddings/weight"].shape[1]
        blocks = sum(name.startswith("encoder/layer_") and name.endswith("/ffn/layer_norm/gamma") for name in variables)
        heads = max(1, dim // HEAD_DIM)
        config = ModelConfig(
            dim=dim, heads=heads, ffn=len(variables["encoder/layer_0/ffn/linear_0/weight"]), lower_blocks=blocks, upper_blocks=0,
            fresh_blocks=0, left_context=chunk, dropout=0.0,
        )
        model = cls(config, WhisperDecoder.from_whisper(variables, heads))
        model.encoder.load_whisper(variables)
        model.decoder.keep(kept)
        return model.eval()

    @classmethod
    def load(cls, path: Path) -> tuple["AttentionModel", list[str]]:
        """The model and its pieces."""
        saved = torch.load(path, weights_only=True)
        model = cls(ModelConfig(**saved["config"]), WhisperDecoder(**saved["decoder"]))
        model.load_state_dict(saved["weights"])
        return model.eval(), saved["pieces"]

    def save(self, path: Path, pieces: list[str]) -> None:
        config, sizes = asdict(self.encoder.config), self.decoder.sizes()
        torch.save({"config": config, "decoder": sizes, "weights": self.state_dict(), "pieces": pieces}, path)

    def chunked(self, samples: Tensor, before: float = BEFORE) -> Tensor:
        """The frames of a recording with silence around it, as `filled` gives them."""
        return self.filled(LogMel()(F.pad(samples, (int(before * SAMPLE_RATE), int(AFTER * SAMPLE_RATE)))))

    def filled(self, frames: Tensor) -> Tensor:
        """Frames (time, mel) and silence up to whole chunks and more: (1, time + 1, mel)."""
        block = 4 * self.encoder.config.left_context
        blocks = min(-(-len(frames) // block) + SILENT_CHUNKS, MOST_CHUNKS)
        frames = frames[: blocks * block + 1]
        silence = math.log(self.encoder.features.energy_floor)
        return F.pad(frames, (0, 0, 0, blocks * block + 1 - len(frames)), value=silence)[None]

    def below(self, frames: Tensor, topmost: int) -> Tensor:
        """What all but the `topmost` blocks make of the frames: (batch, time, dim), 50 a second."""
        start = torch.zeros(len(frames), 1, dtype=torch.long)
        return self.encoder.bottom_states(frames, self.encoder.config.left_context, start, topmost)

    def states(self, below: Tensor, topmost: int) -> Tensor:
        """What the decoder reads."""
        blocks = slice(len(self.encoder.lower) - topmost, None)
        states = self.encoder.through_lower(below, self.encoder.config.left_context, blocks)
        return self.encoder.bridge_norm(states[:, :POSITION_PERIOD])

    @torch.no_grad()
    def hear(self, samples: Tensor) -> list[int]:
        """The ids of what is said in a recording."""
        return self.write(self.read(self.chunked(samples)))

    @torch.no_grad()
    def read(self, frames: Tensor) -> Tensor:
        """The states (1, time, dim) of frames (1, 2 · time + 1, mel)."""
        return self.states(self.below(frames, 0), 0)

    def write(self, states: Tensor) -> list[int]:
        return greedy(self.decoder, self.decoder.memory(states), 8 + TOKENS_PER_SECOND * states.shape[1] // 50)
