"""Read a model back, from training's `average.pt` or from an exported `encoder.onnx`."""

import json
from pathlib import Path

import onnx
import torch
from onnx import numpy_helper

from config import TrainConfig
from model import ModelConfig, StreamingEncoder

CONFIG_KEY = "model_config"
# The exported module holds the encoder as its `model`.
PREFIX = "model."
# Matrix products store weights as (in, out); PyTorch as (out, in).
TRANSPOSED = ".transposed"


def load_checkpoint(path: Path) -> StreamingEncoder:
    """Return the model in evaluation mode."""
    config, weights = read_weights(path)
    model = StreamingEncoder(ModelConfig(**config))
    model.load_state_dict(weights)
    return model.eval()


def load_mean(paths: list[Path]) -> StreamingEncoder:
    """The model whose weights are the means of several checkpoints' of one architecture, in evaluation mode."""
    models = [load_checkpoint(path) for path in paths]
    states = [model.state_dict() for model in models]
    if odd := [path for path, state in zip(paths, states) if {n: w.shape for n, w in state.items()} != {n: w.shape for n, w in states[0].items()}]:
        raise ValueError(f"{odd[0]}: not of the architecture of {paths[0]}; there is no mean of them")
    models[0].load_state_dict({name: sum(state[name] for state in states) / len(states) for name in states[0]})
    return models[0]


def read_weights(path: Path) -> tuple[dict, dict]:
    """The model's configuration and its weights by name."""
    return read_onnx(path) if path.suffix == ".onnx" else read_saved(path)


def read_saved(path: Path) -> tuple[dict, dict]:
    saved = torch.load(path, map_location="cpu", weights_only=True)
    weights = saved["weights"]
    # Whether there is a phone head is read from the weights: configurations from before it don't say.
    return {**saved["config"]["model"], "phones": "phone_head.weight" in weights}, weights


def read_chunks(path: Path) -> tuple[int, ...]:
    """The chunk lengths, in 40 ms, that the checkpoint was trained in; where it doesn't say, those of `TrainConfig`."""
    config = {} if path.suffix == ".onnx" else torch.load(path, map_location="cpu", weights_only=True)["config"]
    return tuple(config.get("chunks", TrainConfig().chunks))


def take_weights(model: StreamingEncoder, weights: dict, source: Path, may_lack: tuple[str, ...]) -> None:
    """Start the model from a checkpoint's weights; those of the stages `may_lack` stay random where the checkpoint has none that fit."""
    own = model.state_dict()
    fitting = {name: w for name, w in weights.items() if name in own and own[name].shape == w.shape}
    optional = {name for name in own if name.split(".")[0] in may_lack}
    if odd := sorted(own.keys() - fitting.keys() - optional):
        raise ValueError(f"{source}: {odd[0]} is missing or of another shape; is this the config that it was trained with?")
    if dropped := sorted(name for name in weights.keys() - own.keys() if name.split(".")[0] not in may_lack):
        raise ValueError(f"{source}: {dropped[0]} has no place in this model; is this the config that it was trained with?")
    model.load_state_dict({**own, **fitting})


def read_onnx(path: Path) -> tuple[dict, dict]:
    exported = onnx.load(path)
    properties = {p.key: p.value for p in exported.metadata_props}
    if CONFIG_KEY not in properties:
        raise ValueError(f"{path}: no {CONFIG_KEY} in its metadata; only the f32 file of this recipe can be read back")
    weights = {}
    for initializer in exported.graph.initializer:
        values = torch.from_numpy(numpy_helper.to_array(initializer).copy())
        name = initializer.name.removeprefix(PREFIX)
        if name.endswith(TRANSPOSED):
            name, values = name.removesuffix(TRANSPOSED), values.T.contiguous()
        weights[name] = values
    config = json.loads(properties[CONFIG_KEY])
    known = StreamingEncoder(ModelConfig(**config)).state_dict()
    return config, {name: value for name, value in weights.items() if name in known}


def name_weights(exported: onnx.ModelProto, model: StreamingEncoder) -> None:
    """Give the exporter's anonymous matrices their parameters' names, and the file the model's configuration."""
    matrices = {n: p.detach().T.numpy() for n, p in model.named_parameters() if p.dim() == 2}
    renamed = {}
    for initializer in exported.graph.initializer:
        if len(initializer.dims) == 2:
            values = numpy_helper.to_array(initializer)
            for name, matrix in matrices.items():
                if matrix.shape == values.shape and (matrix == values).all():
                    renamed[initializer.name] = name + TRANSPOSED
                    initializer.name = name + TRANSPOSED
                    del matrices[name]
                    break
    for node in exported.graph.node:
        node.input[:] = [renamed.get(name, name) for name in node.input]
    exported.metadata_props.add(key=CONFIG_KEY, value=json.dumps(model.config.as_dict()))
