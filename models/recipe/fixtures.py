"""Write the golden data that the Rust tests hold the runtime to.

    python fixtures.py frames ../../tests/data/frames.json
    python fixtures.py random ../../tests/data/random
    python fixtures.py decoder ../../tests/data/random-decoder
    python fixtures.py recurrent ../../tests/data/words.rnn
    python fixtures.py punctuation ../../tests/data/punctuation.bin
    python fixtures.py model ../en-small --checkpoint runs/first/average.pt

`frames.json` holds signals and their log-mel frames. A model's `golden.json` holds the log-probabilities of ten
chunks of synthetic frames, from PyTorch (`f32`) and from ONNX Runtime on the int8 file (`int8`); `golden-N.json` those
of ten chunks of N frames, where N is another choice. `random` and `decoder` also write small random-weight models of the true
architectures; the golden data of the latter are what its decoder writes for some rows, by ONNX Runtime. `recurrent` writes a recurrent
language model of random weights, and beside it `words-rnn.json`: sentences, and the scores of their words and of the `</s>` after them, in
double precision from the weights as the file has them. A word that the model lacks has the score of `<unk>`. `punctuation` does the same for
a punctuation model: `punctuation.json` has words, the gaps after them, and the eight outputs of each.
"""

import argparse
import json
from pathlib import Path

import numpy as np
import onnxruntime
import torch

import export_decoder
from attention import AttentionModel
from checkpoint import load_checkpoint
from export import OnnxStream, PARITY_CHUNKS, export, random_frames, torch_log_probs, with_each_chunk
from export_decoder import split_memory
from features import LogMel
from model import ModelConfig, StreamingEncoder
from pieces import SPECIAL
from punctuation import Tagger
from punctuation_data import END_GAP, GAPS, SUFFIX_ROWS, Vocabulary
from punctuation_file import read_punctuation, write_punctuation
from recurrent_lm import RecurrentLM, numbered
from recurrent_lm_file import END, read_recurrent_lm, write_recurrent_lm
from whisper_decoder import WhisperDecoder

RANDOM = ModelConfig(
    dim=32, heads=2, ffn=64, lower_blocks=1, upper_blocks=1, fresh_blocks=1, fresh_ffn=48, kernel=7, left_context=16
)


def synthetic_frames(config: dict, chunks: int = PARITY_CHUNKS) -> np.ndarray:
    """Frames that both languages can compute: −6 + 3·sin(0.1·t·(1 + m / 7)) at frame t and mel bin m."""
    encoder, mel_bins = config["encoder"], config["features"]["mel_bins"]
    time = np.arange(chunks * encoder["chunk_frames"] + encoder["lookahead_frames"])[:, None]
    return (-6 + 3 * np.sin(0.1 * time * (1 + np.arange(mel_bins) / 7))).astype(np.float32)


def signals() -> dict[str, np.ndarray]:
    """Half a second each, as 16-bit integers."""
    time = np.arange(8000) / 16000
    rng = np.random.default_rng(3)
    # A voiced sound: a glottal pulse train through three formants.
    voice = np.zeros(8000)
    voice[::131] = 1.0
    for hz, width in ((700, 90), (1220, 110), (2600, 160)):
        radius, angle = np.exp(-np.pi * width / 16000), 2 * np.pi * hz / 16000
        filtered = np.zeros(8002)
        for n in range(8000):
            filtered[n + 2] = voice[n] + 2 * radius * np.cos(angle) * filtered[n + 1] - radius**2 * filtered[n]
        voice = filtered[2:]
    waves = {
        "sine at 1 kHz": 0.5 * np.sin(2 * np.pi * 1000 * time),
        "chirp from 100 Hz to 7.9 kHz": 0.5 * np.sin(2 * np.pi * (100 * time + 7800 * time**2)),
        "white noise": 0.1 * rng.standard_normal(8000),
        "voiced vowel": 0.6 * voice / np.abs(voice).max(),
        "digital silence": np.zeros(8000),
    }
    return {name: np.round(wave * 32767).clip(-32768, 32767).astype(int) for name, wave in waves.items()}


def write_frames(path: Path) -> None:
    cases = []
    for name, samples in signals().items():
        frames = LogMel()(torch.from_numpy(samples.astype(np.float32) / 32768)).numpy()
        cases.append({"name": name, "samples": samples.tolist(), "frames": np.round(frames, 5).astype(float).tolist()})
    path.write_text(json.dumps(cases, separators=(",", ":")).replace('{"name"', '\n{"name"') + "\n")


def write_golden(model: StreamingEncoder, folder: Path) -> None:
    default = json.loads((folder / "config.json").read_text())
    for config in with_each_chunk(default):
        size = config["encoder"]["chunk_frames"]
        is_default = size == default["encoder"]["chunk_frames"]
        frames = synthetic_frames(config)
        golden = {
            "f32": torch_log_probs(model, config, frames),
            "int8": OnnxStream(folder / "encoder.int8.onnx", config).run(frames),
        }
        rows = {name: np.round(values.astype(float), 6).tolist() for name, values in golden.items()}
        path = folder / ("golden.json" if is_default else f"golden-{size}.json")
        path.write_text(json.dumps(rows, separators=(",", ":")) + "\n")


def random_model() -> StreamingEncoder:
    torch.manual_seed(7)
    model = StreamingEncoder(RANDOM).eval()
    for block in (*model.upper, *model.fresh):
        torch.nn.init.normal_(block.convolution.out.weight, std=0.1)
    # Peaky enough for text to come out.
    torch.nn.init.normal_(model.head.weight, std=0.6)
    return model


def random_decoder() -> tuple[AttentionModel, list[str]]:
    torch.manual_seed(8)
    pieces = [*SPECIAL, *(space + letter for space in ("", "Ġ") for letter in "abcdefghijklmnopqrstuvwxyz"), ".", "Ġ"]
    sizes = {"tokens": len(pieces), "dim": 128, "heads": 2, "ffn": 96, "blocks": 2, "places": 448}
    config = ModelConfig(
        dim=128, heads=2, ffn=96, lower_blocks=1, upper_blocks=0, fresh_blocks=0, left_context=32, dropout=0.0
    )
    model = AttentionModel(config, WhisperDecoder(**sizes)).eval()
    model.decoder.positions.normal_()
    # Peaky enough for what was heard and written to change what comes.
    for name, parameter in model.decoder.named_parameters():
        if parameter.dim() == 2:
            torch.nn.init.normal_(parameter, std=0.2)
    return model, pieces


def write_decoder(folder: Path) -> None:
    model, pieces = random_decoder()
    frames = random_frames({"encoder": {"chunk_frames": 128, "lookahead_frames": 1}, "features": {"mel_bins": 80}}, 20)
    config = export_decoder.export(model, pieces, "random-decoder", frames, folder)
    rng = np.random.default_rng(4)
    utterances = []
    for time in (20, 33):
        rows = rng.normal(0, 1, (time, 2 * 2 * 128)).round(1).astype(np.float32)
        written = write_pieces(folder / "decoder.int8.onnx", config, split_memory(rows, 2, 128), most=12)
        utterances.append({"rows": rows.astype(float).round(1).tolist(), "written": written})
    (folder / "golden.json").write_text(json.dumps(utterances, separators=(",", ":")) + "\n")


def write_pieces(path: Path, config: dict, memory: dict, most: int) -> list[tuple[int, float]]:
    """What a decoder writes, greedily: each piece and its log-probability."""
    session, decoder = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"]), config["decoder"]
    caches = {c["name"]: np.full(c["shape"], c["initial"], np.float32) for c in decoder["caches"]}
    written, pieces = [], list(decoder["start"])
    for place in range(len(decoder["start"]) + most - 1):
        at = {"pieces": np.array([pieces[place]]), "places": np.array([place]), "mask": export_decoder.causal_mask(1, before=place)}
        log_probs, *new = session.run(None, {**at, **caches, **memory})
        caches = dict(zip(caches, new))
        if place + 1 == len(pieces):
            log_probs[..., [*decoder["start"], *([] if written else [decoder["end"]])]] = -np.inf
            pieces.append(int(log_probs.argmax()))
            if pieces[-1] == decoder["end"]:
                break
            written.append((pieces[-1], round(float(log_probs.max()), 5)))
    return written


def write_recurrent(path: Path) -> None:
    torch.manual_seed(9)
    model = RecurrentLM(12, width=8, hidden=8)
    # Peaky enough for the words before to change the scores.
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.8)
    write_recurrent_lm(path, ["</s>", "<unk>", *"THE CAT SAT CAT'S A DOG AND RAN HE WHO".split()], model.state_dict())
    words, weights = read_recurrent_lm(path)
    model, cases = RecurrentLM.of(weights).double(), []
    for sentence in ("THE CAT SAT AND THE DOG RAN", "A ZEBRA SAT", "HE", "", "WHO RAN " * 10 + "AND THE CAT'S DOG SAT"):
        ids = torch.from_numpy(numbered([sentence], words).astype(np.int64))
        scores = model.scores(torch.tensor([END, *ids[:-1]])).gather(1, ids[:, None])[:, 0]
        cases.append({"words": sentence, "scores": scores.detach().numpy().round(6).tolist()})
    path.with_name("words-rnn.json").write_text(json.dumps(cases, separators=(",", ":")).replace('{"words"', '\n{"words"') + "\n")


def write_punctuation_model(path: Path) -> None:
    torch.manual_seed(9)
    words, names = sorted("a and cat cat's dog he is mcgee met the where".split()), ["mynah", "zoe"]
    model = Tagger(len(words) + 2 * SUFFIX_ROWS, width=4, hidden=6)
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.8)
    write_punctuation(path, words, names, {"iphone": "iPhone", "mcgee": "McGee"}, model.state_dict())
    words, names, forms, weights = read_punctuation(path)
    vocabulary, model, cases = Vocabulary(words, set(names), forms), Tagger.of(weights).double().eval(), []
    for sentence in ("where is the cat", "zoe met mynah and an étude", "he", "the dog and the cat's iphone " * 8):
        keys = sentence.split()
        gaps = [place % (GAPS - 1) for place in range(len(keys) - 1)] + [END_GAP]
        rows = torch.tensor([[vocabulary.row(key) for key in keys]])
        marks, cased, spoken = model(rows, torch.tensor([gaps]))
        outputs = torch.cat([marks, cased, spoken[..., None]], 2)[0].detach().numpy().round(5).tolist()
        cases.append({"words": " ".join(keys), "gaps": gaps, "outputs": outputs})
    path.with_suffix(".json").write_text(json.dumps(cases, separators=(",", ":")).replace('{"words"', '\n{"words"') + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["frames", "random", "decoder", "recurrent", "punctuation", "model"])
    parser.add_argument("path", type=Path)
    parser.add_argument("--checkpoint", type=Path, help="of the model")
    args = parser.parse_args()
    if args.what == "frames":
        write_frames(args.path)
    elif args.what == "decoder":
        write_decoder(args.path)
    elif args.what == "recurrent":
        write_recurrent(args.path)
    elif args.what == "punctuation":
        write_punctuation_model(args.path)
    elif args.what == "random":
        model = random_model()
        export(model, "random", 16, (8, 16, 32), None, args.path)
        write_golden(model, args.path)
    else:
        write_golden(load_checkpoint(args.checkpoint), args.path)


if __name__ == "__main__":
    main()
