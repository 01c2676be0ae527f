"""Static int8 for the encoder's matrix products, in the form that tract computes in int8.

QDQ graphs run in f32 there, and dynamic quantization spends what it gains; so each `MatMul` by a constant becomes

    QuantizeLinear(constant scale and zero point, i8) → MatMulInteger → Cast → Mul(step of each channel) → Add(bias)

Weights are symmetric per output channel. Activations are per tensor: symmetric after a LayerNorm, elsewhere from the smallest to the
largest value, because what GELU and SiLU give is nearly all positive. What a zero point adds to a sum does not depend on the frame
and goes into the bias, so it costs nothing; so does the mean error of the rounding (Nagel et al., arXiv 1906.04721). Channels
that a LayerNorm makes large are evened out between its gain and the weights (SmoothQuant, arXiv 2211.10438).

Depthwise convolutions, normalizations, attention scores and softmax stay in f32.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

LOW, HIGH = -128, 127
# Shares of the smallest and largest value seen that are tried as ends of an activation's range.
SHARES = np.linspace(0.4, 1.0, 25)
# Shares of a channel's largest weight that are tried as its range.
WEIGHT_SHARES = np.linspace(0.7, 1.0, 16)
# How much of the difference between channels moves into the weights: 0 nothing, 1 all.
EVENING = 0.7
ROWS_PER_RUN = 8
SAMPLES_PER_TENSOR = 200_000

# Runs the graph: the outputs' names and the inputs give the outputs' values.
Run = Callable[[list[str], dict[str, np.ndarray]], list[np.ndarray]]
Drive = Callable[[Run], None]


@dataclass
class Product:
    """A `MatMul` by a constant, the Add of its bias, and what it reads."""

    node: onnx.NodeProto
    add: onnx.NodeProto
    norm: onnx.NodeProto | None  # the LayerNormalization it reads, and alone reads

    @property
    def activation(self) -> str:
        return self.node.input[0]

    @property
    def weight(self) -> str:
        return self.node.input[1]


def inline_identities(graph: onnx.GraphProto) -> None:
    """Name equal constants directly, where the exporter kept one and points to it."""
    constants = {i.name for i in graph.initializer}
    same = {n.output[0]: n.input[0] for n in graph.node if n.op_type == "Identity" and n.input[0] in constants}
    for node in graph.node:
        node.input[:] = [same.get(name, name) for name in node.input]


def find_products(graph: onnx.GraphProto) -> list[Product]:
    ranks = {i.name: len(i.dims) for i in graph.initializer}
    writers = {name: node for node in graph.node for name in node.output}
    readers: dict[str, list[onnx.NodeProto]] = {}
    for node in graph.node:
        for name in node.input:
            readers.setdefault(name, []).append(node)
    products = []
    for node in graph.node:
        if node.op_type != "MatMul" or ranks.get(node.input[1]) != 2:
            continue
        (add,) = readers[node.output[0]]
        if add.op_type != "Add" or 1 not in [ranks.get(name) for name in add.input]:
            raise ValueError(f"{node.input[1]}: no bias is added to this product")
        before = writers.get(node.input[0])
        is_norm = before is not None and before.op_type == "LayerNormalization" and len(readers[node.input[0]]) == 1
        products.append(Product(node, add, before if is_norm else None))
    return products


def observe(path: Path, drive: Drive, names: list[str]) -> dict[str, np.ndarray]:
    """Let `drive` run the f32 graph and return (rows, channel) of each named tensor: some rows of each run, and last the smallest and the
    largest value of every channel."""
    model = onnx.load(path)
    known = {o.name for o in model.graph.output}
    model.graph.output.extend(helper.make_empty_tensor_value_info(n) for n in names if n not in known)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    seen, ends, rng = {n: [] for n in names}, {}, np.random.default_rng(0)

    def run(outputs: list[str], inputs: dict[str, np.ndarray]) -> list[np.ndarray]:
        values = session.run([*outputs, *names], inputs)
        for name, value in zip(names, values[len(outputs) :]):
            rows = value.reshape(-1, value.shape[-1])
            seen[name].append(rng.choice(rows, min(len(rows), ROWS_PER_RUN), replace=False))
            low, high = ends.get(name, (np.inf, -np.inf))
            ends[name] = np.minimum(low, rows.min(0)), np.maximum(high, rows.max(0))
        return values[: len(outputs)]

    drive(run)
    return {name: np.concatenate([*rows, np.stack(ends[name])]) for name, rows in seen.items()}


def streaming(config: dict, frames: np.ndarray) -> Drive:
    """The frames (frames, mel) through an encoder of this config, chunk by chunk."""
    encoder = config["encoder"]
    size, lookahead = encoder["chunk_frames"], encoder["lookahead_frames"]

    def drive(run: Run) -> None:
        caches = {c["name"]: np.full(c["shape"], c["initial"], np.float32) for c in encoder["caches"]}
        for start in range(0, len(frames) - lookahead - size + 1, size):
            chunk = {"frames": frames[None, start : start + size + lookahead], **caches}
            caches = dict(zip(caches, run([f"new_{n}" for n in caches], chunk)))

    return drive


def replace_constant(node: onnx.NodeProto, index: int, name: str, value: np.ndarray, constants: dict) -> None:
    """Give a node a constant of its own; equal ones are shared in an exported graph."""
    constants[name] = value.astype(np.float32)
    node.input[index] = name


def even_out(name: str, product: Product, constants: dict, seen: dict) -> np.ndarray:
    """Move the differences between a LayerNorm's channels into the weights that read them, which are returned."""
    weights = constants[product.weight]
    activation = np.abs(seen[product.activation]).max(0).clip(1e-3)
    weight = np.abs(weights).max(1).clip(1e-5)
    factors = activation**EVENING / weight ** (1 - EVENING)
    factors /= np.exp(np.log(factors).mean())
    for index, part in ((1, "gain"), (2, "offset")):
        value = constants[product.norm.input[index]] / factors
        replace_constant(product.norm, index, f"{name}_{part}", value, constants)
    seen[product.activation] = seen[product.activation] / factors
    return weights * factors[:, None]


def quantized(values: np.ndarray, scale: float, zero: int) -> np.ndarray:
    """What QuantizeLinear makes of the values, as the values it stands for."""
    return ((np.round(values / scale) + zero).clip(LOW, HIGH) - zero) * scale


def activation_range(rows: np.ndarray, symmetric: bool) -> tuple[float, int]:
    """Return the scale and the zero point that lose least, by mean squared error."""
    values = rows.ravel()
    low, high = min(float(values.min()), 0.0), max(float(values.max()), 1e-8)
    if len(values) > SAMPLES_PER_TENSOR:
        values = np.append(np.random.default_rng(0).choice(values, SAMPLES_PER_TENSOR, replace=False), [low, high])

    def error(scale: float, zero: int) -> float:
        return float(np.mean((values - quantized(values, scale, zero)) ** 2))

    if symmetric:
        tried = [(max(high, -low) * share / HIGH, 0) for share in SHARES]
    else:
        # One end at a time: the smallest value matters little where nearly all are positive.
        tried = [spread(low, high * share) for share in SHARES]
        high *= SHARES[int(np.argmin([error(*ends) for ends in tried]))]
        tried = [spread(low * share, high) for share in SHARES]
    return min(tried, key=lambda ends: error(*ends))


def spread(low: float, high: float) -> tuple[float, int]:
    """Return the scale and the zero point at which the 256 steps reach from low to high."""
    scale = (high - low) / (HIGH - LOW)
    return scale, int(np.clip(round(LOW - low / scale), LOW, HIGH))


def quantize_weight(weight: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the integers, and the steps (channel) that lose least of the products with these rows."""
    largest = np.abs(weight).max(0).clip(1e-8) / HIGH
    importance = np.square(rows).mean(0)[:, None]
    errors = []
    for share in WEIGHT_SHARES:
        steps = largest * share
        rounded = np.round(weight / steps).clip(-HIGH, HIGH) * steps
        errors.append((importance * (weight - rounded) ** 2).sum(0))
    steps = largest * WEIGHT_SHARES[np.argmin(errors, 0)]
    return np.round(weight / steps).clip(-HIGH, HIGH).astype(np.int8), steps.astype(np.float32)


def quantize(source: Path, target: Path, drive: Drive) -> None:
    """Write the int8 twin of an exported graph, with the ranges that it has when `drive` runs it."""
    model = onnx.load(source)
    graph = model.graph
    inline_identities(graph)
    products = find_products(graph)
    if not products:
        raise ValueError(f"{source}: no matrix product by a constant to quantize")
    constants = {i.name: numpy_helper.to_array(i) for i in graph.initializer}
    seen = observe(source, drive, sorted({p.activation for p in products}))
    replaced: dict[int, list[onnx.NodeProto]] = {}
    for index, product in enumerate(products):
        name = f"int8_{index}"
        weight = even_out(name, product, constants, seen) if product.norm else constants[product.weight]
        rows = seen[product.activation]
        scale, zero = activation_range(rows, symmetric=product.norm is not None)
        integers, steps = quantize_weight(weight, rows)
        heard = rows[:-2]  # without the ends, which no frame has all at once
        lost = heard.mean(0) @ weight - quantized(heard, scale, zero).mean(0) @ (integers * steps)
        place = next(i for i, bias in enumerate(product.add.input) if bias in constants)
        bias = constants[product.add.input[place]] + lost - zero * scale * integers.sum(0, dtype=np.int64) * steps
        replace_constant(product.add, place, f"{name}_bias", bias, constants)
        constants[f"{name}_scale"], constants[f"{name}_zero"] = np.float32(scale), np.int8(zero)
        constants[f"{name}_weight"], constants[f"{name}_steps"] = integers, (steps * scale).astype(np.float32)
        replaced[id(product.node)] = int8_nodes(name, product)
    rewrite(graph, replaced, constants)
    onnx.checker.check_model(model)
    onnx.save(model, target)


def int8_nodes(name: str, product: Product) -> list[onnx.NodeProto]:
    make = helper.make_node
    return [
        make("QuantizeLinear", [product.activation, f"{name}_scale", f"{name}_zero"], [f"{name}_input"], f"{name}_quantize"),
        make("MatMulInteger", [f"{name}_input", f"{name}_weight"], [f"{name}_sum"], name),
        make("Cast", [f"{name}_sum"], [f"{name}_float"], f"{name}_cast", to=TensorProto.FLOAT),
        make("Mul", [f"{name}_float", f"{name}_steps"], [product.node.output[0]], f"{name}_scale"),
    ]


def rewrite(graph: onnx.GraphProto, replaced: dict[int, list], constants: dict) -> None:
    """Put the new nodes in their places, with the constants that are still read."""
    nodes = [new for node in graph.node for new in replaced.get(id(node), [node])]
    read = {name for node in nodes for name in node.input}
    tensors = [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items() if name in read]
    del graph.node[:], graph.initializer[:]
    graph.node.extend(nodes)
    graph.initializer.extend(tensors)
