"""Export a tuned decoder and its encoder as the folder that Mynah loads beside another model: int8 graphs, pieces and config.

    python export_decoder.py runs/decoder/average.pt --calibrate data/train --name en-decoder --out ../en-decoder

`encoder.int8.onnx` makes keys and values of a chunk of frames, `decoder.int8.onnx` log-probabilities of what follows each of some pieces.
A mask gives the pieces that each attends to, so that the graph takes one piece after the other, a text at once, or a tree of texts.
"""

import argparse
import json
import tempfile
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import helper, numpy_helper
from torch import Tensor, nn

from attention import MOST_CHUNKS, SILENT_CHUNKS, TOKENS_PER_SECOND, AttentionModel
from export import OPSET, calibration_frames
from model import MASKED, POSITION_PERIOD, STEM_LOOKAHEAD_FRAMES, Attention, ModelConfig
from pieces import END, NO_TIMES, START
from quantize import Drive, Run, find_products, inline_identities, quantize, streaming
from render import SPOKEN
from whisper_decoder import DecoderBlock

# Pieces that a decoder looks back on; an utterance's most are fewer than this and the start's two.
LEFT = 8 + TOKENS_PER_SECOND * MOST_CHUNKS * 512 // 100 + 2
WEIGHT, WORD_BONUS = 2.0, 3.0  # of the decoder's log-probabilities in the score of a hypothesis; see the model card


class MemoryChunk(nn.Module):
    """A chunk's frames and caches → keys and values of all blocks side by side, (1, time, blocks · 2 · dim), and new caches."""

    def __init__(self, model: AttentionModel):
        super().__init__()
        self.encoder = model.encoder
        layers = [block.attention.key_value for block in model.decoder.blocks]
        self.keys_values = nn.Linear(self.encoder.config.dim, sum(layer.out_features for layer in layers))
        self.keys_values.weight.data = torch.cat([layer.weight.data for layer in layers])
        self.keys_values.bias.data = torch.cat([layer.bias.data for layer in layers])

    def initial_caches(self) -> dict[str, Tensor]:
        return {name: cache for name, cache in self.encoder.initial_caches().items() if name != "upper_mask_cache"}

    def forward(self, frames: Tensor, *caches: Tensor) -> tuple[Tensor, ...]:
        named = dict(zip(self.initial_caches(), caches))
        x, new = self.encoder.lower_chunk(frames, named)
        return (self.keys_values(self.encoder.bridge_norm(x)), *(new[name] for name in named))


class RowsBlock(nn.Module):
    """A decoder block that takes some pieces."""

    def __init__(self, block: DecoderBlock, dim: int, heads: int):
        super().__init__()
        own = block.self_attention
        self.own = Attention(ModelConfig(dim=dim, heads=heads))
        self.own.norm, self.own.out = own.norm, own.out
        self.own.qkv.weight.data = torch.cat([own.query.weight.data, own.key_value.weight.data])
        self.own.qkv.bias.data = torch.cat([own.query.bias.data, own.key_value.bias.data])
        self.block = block

    def forward(self, x: Tensor, mask: Tensor, cache: Tensor, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        """x (1, rows, dim), mask (rows, left + rows), keys (heads, dim / heads, time), values (heads, time, dim / heads)."""
        y, new = self.own.forward_chunk(x, mask, cache)
        x, cross = x + y, self.block.attention
        width = values.shape[-1]
        queries = (cross.query(cross.norm(x)) * self.own.scale).view(-1, cross.heads, width).transpose(0, 1)
        y = torch.softmax(queries @ keys, -1) @ values
        x = x + cross.out(y.transpose(0, 1).reshape(1, -1, cross.heads * width))
        return x + self.block.ffn_out(nn.functional.gelu(self.block.ffn_in(self.block.ffn_norm(x)))), new


class Rows(nn.Module):
    """Pieces and their places, what each attends to, and what the audio gave → log-probabilities of what follows each, (1, rows, pieces)."""

    def __init__(self, model: AttentionModel):
        super().__init__()
        decoder = model.decoder
        self.dim = decoder.embedding.embedding_dim
        self.blocks = nn.ModuleList(RowsBlock(block, self.dim, model.encoder.config.heads) for block in decoder.blocks)
        self.norm = decoder.norm
        # One table for what comes in and what goes out.
        self.table = nn.Parameter(decoder.embedding.weight.data.T.contiguous())
        self.bias = nn.Parameter(torch.zeros(self.table.shape[1]))
        self.positions = nn.Parameter(decoder.positions[:LEFT].clone())

    def initial_caches(self) -> dict[str, Tensor]:
        return {f"block_{index}_att_cache": torch.zeros(2, LEFT, self.dim) for index in range(len(self.blocks))}

    def memory_names(self) -> list[str]:
        return [f"{kind}_{index}" for index in range(len(self.blocks)) for kind in ("keys", "values")]

    def forward(self, pieces: Tensor, places: Tensor, mask: Tensor, *others: Tensor) -> tuple[Tensor, ...]:
        """pieces and places (rows), mask (rows, LEFT + rows) over the caches' rows and these, the blocks' caches, then the memory by
        `memory_names`. New caches have these rows last."""
        count = len(self.blocks)
        caches, memory = others[:count], others[count:]
        x, new = (self.table[:, pieces].T + self.positions[places])[None], []
        for index, block in enumerate(self.blocks):
            x, cache = block(x, mask, caches[index], memory[2 * index], memory[2 * index + 1])
            new.append(cache)
        return (torch.log_softmax(self.norm(x) @ self.table + self.bias, -1), *new)


def causal_mask(rows: int, before: int = 0) -> np.ndarray:
    """For rows of one text, the first after so many that are in the caches."""
    mask = np.full((rows, LEFT + rows), MASKED, np.float32)
    mask[:, LEFT - before : LEFT] = 0
    mask[:, LEFT:] = np.triu(np.full((rows, rows), MASKED, np.float32), 1)
    return mask


def export_graph(module: nn.Module, inputs: tuple, names: list[str], outputs: list[str], axes: dict, path: Path) -> None:
    torch.onnx.export(
        module.eval(), inputs, path, input_names=names, output_names=outputs, dynamic_axes=axes, opset_version=OPSET, dynamo=False
    )
    graph = onnx.load(path)
    for node in graph.graph.node:
        node.ClearField("doc_string")
    onnx.save(graph, path)


def export_encoder(module: MemoryChunk, config: dict, path: Path) -> None:
    encoder = config["encoder"]
    frames = torch.zeros(1, encoder["chunk_frames"] + encoder["lookahead_frames"], config["features"]["mel_bins"])
    caches = module.initial_caches()
    names = [f"new_{name}" for name in caches]
    export_graph(module, (frames, *caches.values()), ["frames", *caches], ["memory", *names], {}, path)


def export_rows(module: Rows, path: Path) -> None:
    caches, memory = module.initial_caches(), module.memory_names()
    heads, width = module.blocks[0].own.heads, module.dim // module.blocks[0].own.heads
    shape = {"keys": (heads, width, 16), "values": (heads, 16, width)}
    rows = torch.zeros(3, dtype=torch.long)
    inputs = (rows, rows, torch.from_numpy(causal_mask(3)), *caches.values())
    inputs += tuple(torch.zeros(shape[name.split("_")[0]]) for name in memory)
    axes = {name: {2 if name.startswith("keys") else 1: "time"} for name in memory}
    axes |= {"pieces": {0: "rows"}, "places": {0: "rows"}, "mask": {0: "rows", 1: "masked"}}
    names = ["pieces", "places", "mask", *caches, *memory]
    export_graph(module, inputs, names, ["log_probs", *(f"new_{name}" for name in caches)], axes, path)


def split_memory(rows: np.ndarray, heads: int, dim: int) -> dict[str, np.ndarray]:
    """An utterance's rows (time, blocks · 2 · dim) as the step takes them."""
    parts = rows.reshape(len(rows), -1, heads, dim // heads)  # (time, blocks · 2, head, width)
    named = {}
    for index in range(parts.shape[1] // 2):
        named[f"keys_{index}"] = np.ascontiguousarray(parts[:, 2 * index].transpose(1, 2, 0))
        named[f"values_{index}"] = np.ascontiguousarray(parts[:, 2 * index + 1].transpose(1, 0, 2))
    return named


def saying(module: Rows, utterances: list[tuple[dict, list[int]]]) -> Drive:
    """Each utterance's memory and pieces through the graph."""

    def drive(run: Run) -> None:
        caches = {name: cache.numpy() for name, cache in module.initial_caches().items()}
        for memory, pieces in utterances:
            at = {"pieces": np.array(pieces), "places": np.arange(len(pieces)), "mask": causal_mask(len(pieces))}
            run(["log_probs"], {**at, **caches, **memory})

    return drive


def narrow_table(path: Path) -> None:
    """Let what looks pieces up read the integers of the last product too, in place of a table in f32."""
    model = onnx.load(path)
    graph = model.graph
    constants = {i.name: i for i in graph.initializer}
    (look_up,) = [n for n in graph.node if n.op_type == "Gather" and n.input[0].endswith("table")]
    product = [n for n in graph.node if n.op_type == "MatMulInteger"][-1]
    value = lambda name: numpy_helper.to_array(constants[name])
    table, integers = value(look_up.input[0]), value(product.input[1])
    name = product.name  # as quantize.py named it
    steps = value(f"{name}_steps") / value(f"{name}_scale")
    # The last normalization's channels were evened out into the integers.
    factors = ((integers * steps).astype(np.float64) * table).sum(1) / np.square(table, dtype=np.float64).sum(1)
    graph.initializer.extend([
        numpy_helper.from_array(steps.astype(np.float32), "piece_steps"),
        numpy_helper.from_array((1 / factors).astype(np.float32)[:, None], "piece_factors"),
    ])
    make, output = helper.make_node, look_up.output[0]
    new = [
        make("Gather", [product.input[1], look_up.input[1]], ["piece_integers"], "piece_gather", axis=1),
        make("Cast", ["piece_integers"], ["piece_float"], "piece_cast", to=onnx.TensorProto.FLOAT),
        make("Gather", ["piece_steps", look_up.input[1]], ["piece_step"], "piece_step_gather", axis=0),
        make("Mul", ["piece_float", "piece_step"], ["piece_scaled"], "piece_scale"),
        make("Mul", ["piece_scaled", "piece_factors"], [output], "piece_even"),
    ]
    nodes = [part for node in graph.node for part in (new if node is look_up else [node])]
    unread = [i for i in graph.initializer if i.name == look_up.input[0]]
    del graph.node[:]
    graph.node.extend(nodes)
    for initializer in unread:
        graph.initializer.remove(initializer)
    onnx.checker.check_model(model)
    onnx.save(model, path)


def config_of(model: AttentionModel, name: str) -> dict:
    memory, rows = MemoryChunk(model), Rows(model)
    caches = lambda module: [{"name": n, "shape": list(c.shape), "initial": float(c.flatten()[0])} for n, c in module.initial_caches().items()]
    chunk = 4 * model.encoder.config.left_context
    return {
        "name": name,
        "language": "en",
        "features": model.encoder.features.as_dict(),
        "encoder": {
            "int8": "encoder.int8.onnx",
            "chunk_frames": chunk,
            "lookahead_frames": STEM_LOOKAHEAD_FRAMES,
            "subsampling_factor": 2,
            "left_context_frames": chunk,
            "caches": caches(memory),
        },
        "decoder": {
            "int8": "decoder.int8.onnx",
            "pieces": "pieces.txt",
            "start": [START, NO_TIMES],
            "end": END,
            "heads": model.encoder.config.heads,
            "caches": caches(rows),
            "longest_frames": chunk * (MOST_CHUNKS - SILENT_CHUNKS),
            "longest_rows": POSITION_PERIOD,
            "padding_chunks": SILENT_CHUNKS,
            "pieces_per_second": TOKENS_PER_SECOND,
            "weight": WEIGHT,
            "word_insertion_bonus": WORD_BONUS,
            "spoken": {short: long for short, long in SPOKEN.items()},
        },
    }


@torch.no_grad()
def heard(model: AttentionModel, frames: np.ndarray, heads: int, dim: int, seconds: float = 10) -> list[tuple[dict, list[int]]]:
    """Stretches of the frames as utterances: their memory, and what the decoder says of them."""
    size, utterances = int(seconds * 100), []
    module = MemoryChunk(model)
    for start in range(0, len(frames) - size, size):
        states = model.read(model.filled(torch.from_numpy(frames[start : start + size])))
        utterances.append((split_memory(module.keys_values(states)[0].numpy(), heads, dim), [START, NO_TIMES, *model.write(states)]))
    return utterances


def export(model: AttentionModel, pieces: list[str], name: str, calibration: np.ndarray, out: Path) -> dict:
    """Write the model folder and return its config."""
    config, heads = config_of(model, name), model.encoder.config.heads
    memory, rows = MemoryChunk(model).eval(), Rows(model).eval()
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        encoder, decoder = Path(scratch) / "encoder.onnx", Path(scratch) / "decoder.onnx"
        export_encoder(memory, config, encoder)
        quantize(encoder, out / "encoder.int8.onnx", streaming(config, calibration))
        export_rows(rows, decoder)
        quantize(decoder, out / "decoder.int8.onnx", saying(rows, heard(model, calibration, heads, rows.dim)))
        narrow_table(out / "decoder.int8.onnx")
    (out / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    (out / "pieces.txt").write_text("\n".join(pieces) + "\n")
    return config


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint", type=Path, help="average.pt of train_decoder.py")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--name", required=True)
    parser.add_argument("--calibrate", type=Path, required=True, help="a folder written by prepare.py, for int8 ranges")
    parser.add_argument("--seconds", type=float, default=300, help="how much of it to listen to")
    args = parser.parse_args()
    model, pieces = AttentionModel.load(args.checkpoint)
    frames = calibration_frames(args.calibrate, args.seconds, {"features": model.encoder.features.as_dict()})
    export(model, pieces, args.name, frames, args.out)
    for file in sorted(args.out.iterdir()):
        print(f"{file}: {file.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
