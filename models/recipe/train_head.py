r"""Train the encoder's upper part on cached states of the part below, which stays as it is.

    python train_head.py runs/adapted/average.pt --data data/train --lexicon data/lexicon.txt --states data/states --minutes 30 \
        --config configs/en-small-6.json --out runs/head

What is frozen is all that is pretrained, or with `--frozen lower` the stem and the lower blocks, or with `--frozen bottom` these but for
the config's `head_lower_blocks` topmost lower blocks, or with `--frozen nothing` nothing, or with `--frozen matrices` everywhere
all but biases and norms, and with `--rank` products of that rank beside the pretrained matrices. The states of `--hours` of augmented
rows are computed once and kept in `--states`, 69 MB an hour (twice that below lower blocks), for one checkpoint. Reading them, a step takes a quarter of the time of
one through the whole encoder, with `--frozen lower` half of it. The loss of the phones is CTC, or with `--sentences` that of
`sequence_loss.py`, for a model that CTC has taught. Small heads learn cached rows by heart in an hour; without `--states` each step draws new
rows, augmented anew, and takes them through the frozen part. `--out` receives `average.pt` every few minutes, and `log.jsonl`.
"""

import argparse
import hashlib
import os
import pickle
import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import cycle
from pathlib import Path

import numpy as np
import torch
from torch.utils.data import DataLoader
from tqdm import tqdm

from checkpoint import read_weights, take_weights
from config import TrainConfig
from dataset import Corpus, RowDataset, Stretch, collate
from evaluate import load_recordings
from lexicon import pronounced
from losses import ctc_loss
from low_rank import adapt, merged
from model import StreamingEncoder
from precision import autocast, has_bf16
from sequence_loss import mutual_information_loss, trigram_of_text
from train import Average, evaluate_average, log_line, longest_samples, mean_losses, open_lexicon, row_frames, schedule, update
from whisper_weights import read_variables

LOG_EVERY_STEPS, SAVE_EVERY_SECONDS = 50, 240
WARMUP_STEPS, WEIGHT_DECAY, AVERAGE_DECAY = 100, 0.03, 0.997
HEADS = ("fresh", "head_norm", "head", "phone_head")
UPPER = ("upper", "bridge_norm")
ALL = (*HEADS, *UPPER, "stem", "lower")
# What learns, by what is frozen; with "matrices" only vectors of it.
LEARNED = {"pretrained": HEADS, "lower": HEADS + UPPER, "bottom": HEADS + UPPER, "matrices": ALL, "nothing": ALL}
# What is read whole in each step.
WHOLE = ("matrices", "nothing")
# What the states lose in training: spans of up to so many frames, and one band of dimensions.
LONGEST_SPAN, WIDEST_BAND = 12, 48


# The frozen part's states (rows, time, dim), their chunk length, and what is said in them. Where all is read whole the states are the frames.
Batch = tuple[torch.Tensor, int, list[Stretch]]


def load(path: Path, config: TrainConfig, frozen: str, heads: Path | None = None) -> StreamingEncoder:
    """The encoder of a checkpoint or of a Whisper, whose new blocks and heads may be missing or of another kind, or be another checkpoint's."""
    model = StreamingEncoder(config.model)
    if path.suffix == ".bin":
        model.load_whisper(read_variables(path))
    else:
        take_weights(model, read_weights(path)[1], path, HEADS)
    if heads:
        take_heads(model, heads)
    for name, parameter in model.named_parameters():
        parameter.requires_grad = name.split(".")[0] in LEARNED[frozen] and (frozen != "matrices" or parameter.ndim == 1)
    for block in model.lower[len(model.lower) - topmost(model, config, frozen) :]:
        block.requires_grad_(True)
    return model


def take_heads(model: StreamingEncoder, path: Path) -> None:
    """Start the new blocks and heads from a checkpoint of any encoder as wide."""
    own, weights = model.state_dict(), read_weights(path)[1]
    names = [name for name in own if name.split(".")[0] in HEADS]
    if odd := [name for name in names if name not in weights or weights[name].shape != own[name].shape]:
        raise ValueError(f"{path}: {odd[0]} is missing or of another shape; is this the config that it was trained with?")
    model.load_state_dict({**own, **{name: weights[name] for name in names}})


def topmost(model: StreamingEncoder, config: TrainConfig, frozen: str) -> int:
    """How many lower blocks learn on the states of those below."""
    return min(config.head_lower_blocks, len(model.lower)) if frozen == "bottom" else 0


@torch.no_grad()
def frozen_states(model: StreamingEncoder, config: TrainConfig, frozen: str, frames: torch.Tensor, chunk: int) -> torch.Tensor:
    """What the frozen part makes of the frames: states at the output's rate, 50 a second with "bottom", the frames themselves where it is read whole."""
    if frozen in WHOLE:
        return frames
    start = model.random_starts(len(frames), frames.shape[1] // 2, chunk)
    with autocast():
        if frozen == "bottom":
            return model.bottom_states(frames, chunk, start, topmost(model, config, frozen))
        return (model.lower_states if frozen == "lower" else model.pretrained_states)(frames, chunk, start)


def read_states(
    model: StreamingEncoder, config: TrainConfig, frozen: str, x: torch.Tensor, chunk: int
) -> tuple[torch.Tensor, torch.Tensor | None]:
    """Log-probabilities of tokens and phones from the frozen part's states."""
    if frozen in WHOLE:
        x = model.lower_states(x, chunk, model.random_starts(len(x), x.shape[1] // 2, chunk))
    if frozen == "bottom":
        x = model.topmost_lower_states(x, chunk, topmost(model, config, frozen))
    return model.read(x if frozen == "pretrained" else model.upper_states(x, chunk), chunk)


def parameter_groups(model: StreamingEncoder, config: TrainConfig) -> list[dict]:
    rates: dict[float, list] = {}
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            is_pretrained = name.split(".")[0] in ("stem", "lower", *UPPER) and ".convolution." not in name
            rates.setdefault(config.head_lr_pretrained if is_pretrained else config.head_lr, []).append(parameter)
    return [{"params": parameters, "lr": lr, "peak": lr} for lr, parameters in rates.items()]


def fingerprint(model: StreamingEncoder) -> str:
    """Tells the frozen weights from others."""
    digest = hashlib.sha256()
    for name, parameter in model.named_parameters():
        if not parameter.requires_grad:
            # Averaging turns −0 into 0.
            digest.update(name.encode() + (parameter.detach() + 0.0).numpy().tobytes())
    return digest.hexdigest()


def row_loader(config: TrainConfig, data: list[Path], workers: int) -> DataLoader:
    corpus = Corpus(data, config.corpus_weights, longest_samples(config))
    rows = RowDataset(corpus, row_frames(config), config.seed, config.augmented_share, 0, config.warped_share, config.model.output_rate)
    return DataLoader(rows, config.head_batch_rows, num_workers=workers, collate_fn=collate, prefetch_factor=4)


@torch.no_grad()
def cache_states(model: StreamingEncoder, config: TrainConfig, frozen: str, data: list[Path], hours: float, out: Path) -> None:
    """Write `states.npy` (batch · rows, time, dim), bf16 as 16-bit integers, and `stretches.pkl`: each batch's chunk and stretches."""
    rows = config.head_batch_rows
    batches = int(hours * 3600 * 100 / (rows * row_frames(config)))
    loader = row_loader(config, data, workers=2)
    time = config.row_blocks * config.model.left_context * (2 if frozen == "bottom" else model.per_step)
    shape = (batches * rows, time, config.model.dim)
    out.mkdir(parents=True, exist_ok=True)
    states = np.lib.format.open_memmap(out / "states.npy", mode="w+", dtype=np.int16, shape=shape)
    kept = []
    for index, (frames, stretches, _) in zip(tqdm(range(batches), desc="states"), loader):
        chunk = config.chunks[index % len(config.chunks)]
        x = frozen_states(model, config, frozen, frames, chunk)
        states[index * rows : (index + 1) * rows] = x.bfloat16().view(torch.int16).numpy()
        kept.append((chunk, stretches))
    with open(out / "stretches.part", "wb") as file:
        pickle.dump((fingerprint(model), kept), file)
    # Last, so that its presence says that all is there.
    os.replace(out / "stretches.part", out / "stretches.pkl")


def open_states(model: StreamingEncoder, folder: Path) -> tuple[np.ndarray, list]:
    with open(folder / "stretches.pkl", "rb") as file:
        of, kept = pickle.load(file)
    if of != fingerprint(model):
        raise ValueError(f"{folder}: the states of other weights; remove the folder or name another")
    return np.load(folder / "states.npy", mmap_mode="r"), kept


def cached_batches(model: StreamingEncoder, folder: Path, rng: np.random.Generator) -> Iterator[Batch]:
    states, kept = open_states(model, folder)
    rows = len(states) // len(kept)
    while True:
        for index in rng.permutation(len(kept)):
            chunk, stretches = kept[index]
            x = torch.from_numpy(states[index * rows : (index + 1) * rows].copy()).view(torch.bfloat16)
            yield x if has_bf16() else x.float(), chunk, stretches


def fresh_batches(model: StreamingEncoder, config: TrainConfig, frozen: str, data: list[Path]) -> Iterator[Batch]:
    loader = row_loader(config, data, workers=1)
    for (frames, stretches, _), chunk in zip(loader, cycle(config.chunks)):
        # The frozen part is read as it will run, without dropout.
        model.eval()
        states = frozen_states(model, config, frozen, frames, chunk)
        model.train()
        yield states, chunk, stretches


def mask_states(states: torch.Tensor, spans: int, rng: np.random.Generator) -> torch.Tensor:
    time, dim = states.shape[1:]
    for row in states:
        for _ in range(spans):
            width = int(rng.integers(0, LONGEST_SPAN))
            start = int(rng.integers(0, time - width))
            row[start : start + width] = 0
        width = int(rng.integers(0, WIDEST_BAND))
        start = int(rng.integers(0, dim - width))
        row[:, start : start + width] = 0
    return states


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint", type=Path, help="average.pt of adapt.py, or of this to go on from, an encoder.onnx, or a Whisper's model.bin")
    parser.add_argument("--heads", type=Path, help="a checkpoint or encoder.onnx whose new blocks and heads to begin with")
    parser.add_argument("--data", type=Path, nargs="+", required=True, help="folders written by prepare.py")
    parser.add_argument("--lexicon", type=Path, help="pronunciations by lexicon.py, for a model with phones")
    parser.add_argument("--config", type=Path)
    parser.add_argument("--frozen", choices=LEARNED, default="pretrained")
    parser.add_argument("--rank", type=int, default=0, help="of what the pretrained matrices learn with --frozen matrices")
    parser.add_argument("--states", type=Path, help="the folder of the cache")
    parser.add_argument("--hours", type=float, default=36, help="of audio, to cache the states of")
    parser.add_argument("--minutes", type=float, required=True)
    parser.add_argument("--sentences", type=Path, help="text whose phones compete with what is said")
    parser.add_argument("--ctc-weight", type=float, default=0, help="of the phones' CTC beside --sentences, which holds phone errors back")
    parser.add_argument("--letter-weight", type=float, help="in place of the config's letter_ctc_weight")
    parser.add_argument("--dev", type=Path, help="a manifest to report error rates on while training")
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    config = TrainConfig.load(args.config)
    config = replace(config, warmup_steps=WARMUP_STEPS, decay_share=config.head_decay_share)
    if args.letter_weight is not None:
        config.letter_ctc_weight = args.letter_weight
    lexicon = open_lexicon(args.lexicon, config)
    if args.frozen in WHOLE and args.states:
        raise SystemExit("--states holds what a frozen part makes of rows: leave it out, or freeze something")
    if args.rank and args.frozen != "matrices":
        raise SystemExit("--rank is for --frozen matrices")
    if args.sentences and not lexicon:
        raise SystemExit("--sentences needs a model with phones, and --lexicon")
    trigram = trigram_of_text(args.sentences, lexicon) if args.sentences else None

    def phone_loss(log_probs: torch.Tensor, spoken: list[Stretch]) -> torch.Tensor:
        if trigram is None:
            return ctc_loss(log_probs, spoken)
        loss = mutual_information_loss(log_probs, spoken, trigram)
        return loss + args.ctc_weight * ctc_loss(log_probs, spoken) if args.ctc_weight else loss

    torch.manual_seed(config.seed)
    model = load(args.checkpoint, config, args.frozen, args.heads)
    if args.rank:
        for pretrained in (model.stem, model.lower, model.upper):
            adapt(pretrained, args.rank)
    if args.states and not (args.states / "stretches.pkl").exists():
        cache_states(model.eval(), config, args.frozen, args.data, args.hours, args.states)
    recordings = load_recordings(args.dev) if args.dev else []
    args.out.mkdir(parents=True, exist_ok=True)
    optimizer = torch.optim.AdamW(parameter_groups(model, config), betas=(0.9, 0.98), weight_decay=WEIGHT_DECAY)
    average, rng = Average(model, AVERAGE_DECAY), np.random.default_rng(config.seed)
    began, saved, losses, step = time.monotonic(), time.monotonic(), [], 0

    def log(**values) -> None:
        log_line(args.out, step=step, seconds=round(time.monotonic() - began), **values)

    def save() -> None:
        torch.save({"config": config.as_dict(), "weights": merged(average.weights), "step": step}, args.out / "average.part")
        os.replace(args.out / "average.part", args.out / "average.pt")
        if recordings:
            log(**evaluate_average(config, average, recordings, lexicon))

    model.train()
    cached = args.states and cached_batches(model, args.states, rng)
    for states, chunk, stretches in cached or fresh_batches(model, config, args.frozen, args.data):
        progress = (time.monotonic() - began) / (60 * args.minutes)
        if progress >= 1:
            break
        for group in optimizer.param_groups:
            group["lr"] = group["peak"] * schedule(config, step, progress)
        with autocast():
            # Only what Whisper's last norm has evened out bears it; frames are masked where they are augmented.
            states = mask_states(states, config.head_masked_spans, rng) if args.frozen == "pretrained" else states
            tokens, phones = read_states(model, config, args.frozen, states, chunk)
        by_head = [ctc_loss(tokens, stretches)] + ([phone_loss(phones, pronounced(stretches, lexicon))] if lexicon else [])
        weights = (config.letter_ctc_weight, config.phone_ctc_weight)
        update(model, sum(weight * loss for weight, loss in zip(weights, by_head)), optimizer, average)
        step += 1
        losses.append([loss.item() for loss in by_head])
        if step % LOG_EVERY_STEPS == 0:
            log(**mean_losses(losses))
            losses = []
        if time.monotonic() - saved > SAVE_EVERY_SECONDS:
            saved = time.monotonic()
            save()
    save()


if __name__ == "__main__":
    main()
