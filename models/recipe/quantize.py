"""Static int8 for the encoder's matrix products: weights per output channel, activations per tensor, both symmetric.

Each `MatMul` by a constant becomes the form that tract computes in int8 (field experience: QDQ graphs run in f32
there, and dynamic quantization spends what it gains):

    QuantizeLinear(constant scale, zero point 0, i8) → MatMulInteger → Cast → Mul(scale of each channel)

Depthwise convolutions, normalizations, attention scores and softmax stay in f32.
"""

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

LEVELS = 127
# Candidate clipping points for an activation's range, as shares of the largest value seen.
SHARES = np.linspace(0.3, 1.0, 29)
SAMPLES_PER_TENSOR = 200_000


def constant_products(graph: onnx.GraphProto) -> list[onnx.NodeProto]:
    """The MatMul nodes whose second input is a two-dimensional constant."""
    ranks = {i.name: len(i.dims) for i in graph.initializer}
    return [n for n in graph.node if n.op_type == "MatMul" and ranks.get(n.input[1]) == 2]


def observe(path: Path, config: dict, frames: np.ndarray, names: list[str]) -> dict[str, np.ndarray]:
    """Stream the frames through the f32 graph and return a sample of each named tensor's values."""
    model = onnx.load(path)
    known = {o.name for o in model.graph.output}
    model.graph.output.extend(helper.make_empty_tensor_value_info(n) for n in names if n not in known)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    encoder = config["encoder"]
    caches = {c["name"]: np.full(c["shape"], c["initial"], np.float32) for c in encoder["caches"]}
    size, lookahead = encoder["chunk_frames"], encoder["lookahead_frames"]
    chunks = range(0, len(frames) - lookahead - size + 1, size)
    seen, rng = {n: [] for n in names}, np.random.default_rng(0)
    for start in chunks:
        fetched = ["log_probs", *(f"new_{n}" for n in caches), *names]
        values = session.run(fetched, {"frames": frames[None, start : start + size + lookahead], **caches})
        caches = dict(zip(caches, values[1:]))
        for name, value in zip(names, values[1 + len(caches) :]):
            kept = rng.choice(value.ravel(), min(value.size, SAMPLES_PER_TENSOR // len(chunks) + 1), replace=False)
            seen[name].append(np.append(kept, [value.min(), value.max()]))
    return {name: np.concatenate(values) for name, values in seen.items()}


def activation_scale(values: np.ndarray) -> float:
    """The step that loses least, by mean squared error over candidate clipping points."""
    largest = np.abs(values).max()
    errors = []
    for share in SHARES:
        scale = largest * share / LEVELS
        errors.append(np.mean((values - np.clip(np.round(values / scale), -LEVELS, LEVELS) * scale) ** 2))
    return float(largest * SHARES[int(np.argmin(errors))] / LEVELS)


def quantize(source: Path, target: Path, config: dict, frames: np.ndarray) -> None:
    """Write the int8 twin of an exported encoder."""
    model = onnx.load(source)
    graph = model.graph
    products = constant_products(graph)
    if not products:
        raise ValueError(f"{source}: no matrix product by a constant to quantize")
    inputs = sorted({n.input[0] for n in products})
    scales = {name: activation_scale(v) for name, v in observe(source, config, frames, inputs).items()}
    weights = {i.name: i for i in graph.initializer}
    added, replaced = {}, {id(n): [] for n in products}
    used = set()
    for index, node in enumerate(products):
        activation, weight = node.input[0], numpy_helper.to_array(weights[node.input[1]])
        steps = np.maximum(np.abs(weight).max(0), 1e-8) / LEVELS
        integers = np.clip(np.round(weight / steps), -LEVELS, LEVELS).astype(np.int8)
        name = f"int8_{index}"
        scale, zero, quantized = f"{activation}_scale", "int8_zero", f"{activation}_int8"
        added[scale] = numpy_helper.from_array(np.float32(scales[activation]), scale)
        added[zero] = numpy_helper.from_array(np.int8(0), zero)
        added[f"{name}_weight"] = numpy_helper.from_array(integers, f"{name}_weight")
        added[f"{name}_steps"] = numpy_helper.from_array((steps * scales[activation]).astype(np.float32), f"{name}_steps")
        new = replaced[id(node)]
        if quantized not in used:
            used.add(quantized)
            new.append(helper.make_node("QuantizeLinear", [activation, scale, zero], [quantized], quantized))
        new += [
            helper.make_node("MatMulInteger", [quantized, f"{name}_weight"], [f"{name}_sum"], name),
            helper.make_node("Cast", [f"{name}_sum"], [f"{name}_float"], f"{name}_cast", to=TensorProto.FLOAT),
            helper.make_node("Mul", [f"{name}_float", f"{name}_steps"], [node.output[0]], f"{name}_scale"),
        ]
    nodes = [new for node in graph.node for new in replaced.get(id(node), [node])]
    quantized_weights = {n.input[1] for n in products}
    kept = [i for i in graph.initializer if i.name not in quantized_weights]
    del graph.node[:], graph.initializer[:]
    graph.node.extend(nodes)
    graph.initializer.extend([*kept, *added.values()])
    onnx.checker.check_model(model)
    onnx.save(model, target)
