"""The states of every layer of encoders at hand, for `layers.py`.

    pretrained.pt, average.pt, encoder.onnx      of this recipe
    model.bin                                    Whisper, in CTranslate2's format
    a folder with a config.json                  wav2vec 2.0, HuBERT and their relatives, by `transformers`

Each encoder reads a whole recording and gives layer by layer states (frames, dim), layer 0 being what enters the first block.
"""

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from attention import HEAD_DIM
from checkpoint import load_checkpoint
from features import LogMel
from model import ModelConfig, StreamingEncoder
from objectives.base import context_states
from whisper_weights import read_variables

SAMPLE_RATE = 16000
States = Callable[[np.ndarray], list[np.ndarray]]


def open_encoder(path: Path) -> States:
    """A function from samples at 16 kHz to the states of each layer."""
    if path.is_dir():
        return transformers_states(path)
    model = whisper_encoder(path) if path.suffix == ".bin" else load_checkpoint(path)

    def states(samples: np.ndarray) -> list[np.ndarray]:
        if path.suffix == ".bin":
            # One chunk, so that every frame reads the whole recording; without Whisper's padding to 30 s.
            model.config.left_context = max(1, math.ceil(len(samples) / SAMPLE_RATE * 25))
        return recipe_states(model, samples, model.config.left_context)

    return states


def whisper_encoder(path: Path) -> StreamingEncoder:
    """Whisper's encoder with its final norm at the end."""
    variables = read_variables(path)
    dim = len(variables["encoder/layer_norm/gamma"])
    blocks = sum(name.startswith("encoder/layer_") and name.endswith("/ffn/layer_norm/gamma") for name in variables)
    config = ModelConfig(
        dim=dim, heads=max(1, dim // HEAD_DIM), ffn=len(variables["encoder/layer_0/ffn/linear_0/weight"]), lower_blocks=blocks,
        upper_blocks=0, fresh_blocks=0, output_rate=50, dropout=0.0,
    )
    model = StreamingEncoder(config)
    model.load_whisper(variables)
    return model.eval()


@torch.no_grad()
def recipe_states(model: StreamingEncoder, samples: np.ndarray, chunk: int) -> list[np.ndarray]:
    """In chunks as long as the left context, silence behind; the frames of the recording alone are returned."""
    frames = LogMel(model.features)(torch.from_numpy(samples))
    block = 4 * model.config.left_context
    wanted = -(-(len(frames) - 1) // block) * block + 1
    padded = F.pad(frames, (0, 0, 0, wanted - len(frames)), value=float(np.log(model.features.energy_floor)))
    states = context_states(model, model.subsampled(padded[None]), chunk, torch.zeros(1, 1, dtype=torch.long))
    return [layer[0, : len(frames) * layer.shape[1] // (wanted - 1)].float().numpy() for layer in states]


def transformers_states(folder: Path) -> States:
    from transformers import AutoFeatureExtractor, AutoModel

    extractor = AutoFeatureExtractor.from_pretrained(folder)
    if extractor.sampling_rate != SAMPLE_RATE:
        raise ValueError(f"{folder}: reads {extractor.sampling_rate} Hz, expected {SAMPLE_RATE}")
    model = AutoModel.from_pretrained(folder).eval()

    @torch.no_grad()
    def states(samples: np.ndarray) -> list[np.ndarray]:
        inputs = extractor([samples], sampling_rate=SAMPLE_RATE, return_tensors="pt")
        return [layer[0].float().numpy() for layer in model(inputs.input_values, output_hidden_states=True).hidden_states]

    return states
