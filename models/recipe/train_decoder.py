"""Tune Whisper's decoder, and its encoder's topmost blocks, to chunks and to the pieces that are kept.

    python train_decoder.py --data data/train --whisper model.bin --tokenizer tokenizer.json --pieces data/pieces.txt --minutes 60 \
        --dev my-recordings/dev.jsonl --out runs/decoder

Reads what `render.py` has written. The states below what learns are computed when a recording is first drawn, augmented `--copies` ways, and kept in
memory, 1.1 GB an hour and copy. `--out` receives `average.pt` every few minutes, and `log.jsonl`; the same command again begins anew, and `--start average.pt` goes on from
one.
"""

import argparse
import json
import os
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from attention import AttentionModel
from augment import augment, change_speed
from evaluate import load_recordings
from pieces import END, NO_TIMES, START, Pieces
from prepare import SAMPLE_RATE
from render import SPOKEN
from text import edit_distance, normalize
from train import Average, log_line
from whisper_weights import read_variables

LOG_EVERY_STEPS, SAVE_EVERY_SECONDS = 50, 600
WARMUP_STEPS, WEIGHT_DECAY, AVERAGE_DECAY, DECAY_SHARE = 60, 0.01, 0.998, 0.7
LONGEST_SECONDS = 20
IGNORED = -100


class Rows:
    """Recordings of a prepared folder as states and pieces, drawn with a weight per corpus."""

    def __init__(self, args: argparse.Namespace, model: AttentionModel, pieces: Pieces):
        lines = (args.data / "rendered.jsonl").read_text().splitlines()
        self.items = [item for item in map(json.loads, lines) if item["length"] <= LONGEST_SECONDS * SAMPLE_RATE]
        weight = np.array([args.weights.get(item.get("corpus", ""), 1.0) for item in self.items])
        self.probability = weight / weight.sum()
        self.samples = np.memmap(args.data / "samples.i16", "<i2", "r")
        self.model, self.pieces, self.topmost, self.copies = model, pieces, args.topmost, args.copies
        self.augmented_share, self.rng = args.augmented_share, np.random.default_rng(args.seed)
        self.kept: dict[int, list[Tensor]] = defaultdict(list)

    @torch.no_grad()
    def states(self, index: int) -> Tensor:
        """One of a recording's copies, (time, dim)."""
        if len(self.kept[index]) < self.copies:
            item, rng = self.items[index], self.rng
            samples = self.samples[item["offset"] :][: item["length"]].astype(np.float32) / 32768
            samples = change_speed(samples, rng.uniform(0.9, 1.1)) * (0.3 / (np.abs(samples).max() + 1e-3))
            samples = augment(samples, rng) if rng.random() < self.augmented_share else samples
            frames = self.model.chunked(torch.from_numpy(samples.astype(np.float32)), rng.uniform(0, 0.8))
            self.kept[index].append(self.model.below(frames, self.topmost)[0].bfloat16())
            return self.kept[index][-1].float()
        return self.kept[index][self.rng.integers(self.copies)].float()

    def batches(self, size: int) -> Iterator[tuple[Tensor, Tensor]]:
        """States (batch, time, dim) of one length, and pieces (batch, time) from the first to the end's."""
        waiting = defaultdict(list)
        while True:
            index = self.rng.choice(len(self.items), p=self.probability)
            states = self.states(index)
            tokens = [START, NO_TIMES, *self.pieces.encode(self.items[index]["rendered"]), END]
            rows = waiting[len(states)]
            rows.append((states, torch.tensor(tokens)))
            if len(rows) == size:
                states, tokens = zip(*rows)
                rows.clear()
                yield torch.stack(states), torch.nn.utils.rnn.pad_sequence(tokens, batch_first=True, padding_value=IGNORED)


def loss_of(model: AttentionModel, states: Tensor, tokens: Tensor, topmost: int, smoothing: float) -> Tensor:
    """Cross entropy of each piece after those before it."""
    logits, _ = model.decoder(tokens[:, :-1].clamp(min=0), model.decoder.memory(model.states(states, topmost)))
    target = tokens[:, 1:].clone()
    target[target == NO_TIMES] = IGNORED  # always given
    return F.cross_entropy(logits.flatten(0, 1), target.flatten(), ignore_index=IGNORED, label_smoothing=smoothing)


def spoken_words(text: str) -> list[str]:
    return [SPOKEN.get(word, word) for word in normalize(text).split()]


def word_errors(model: AttentionModel, pieces: Pieces, recordings: list) -> dict:
    errors = words = 0
    for samples, text in recordings:
        reference = text.split()
        errors += edit_distance(reference, spoken_words(pieces.text(model.hear(samples))))
        words += len(reference)
    return {"wer": round(100 * errors / words, 2)}


def freeze(model: AttentionModel, topmost: int) -> None:
    """Let the topmost blocks of the encoder learn, its last norm and the decoder but for its table of tokens."""
    model.requires_grad_(False)
    for part in (*model.encoder.lower[len(model.encoder.lower) - topmost :], model.encoder.bridge_norm, model.decoder.blocks, model.decoder.norm):
        part.requires_grad_(True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="a folder written by prepare.py and render.py")
    parser.add_argument("--whisper", type=Path, required=True, help="an English Whisper's model.bin in CTranslate2's format")
    parser.add_argument("--tokenizer", type=Path, required=True)
    parser.add_argument("--pieces", type=Path, required=True, help="by pieces.py")
    parser.add_argument("--start", type=Path, help="an average.pt to go on from")
    parser.add_argument("--topmost", type=int, default=1, help="how many of the encoder's blocks learn")
    parser.add_argument("--rate", type=float, default=1.5e-5)
    parser.add_argument("--batch", type=int, default=12)
    parser.add_argument("--copies", type=int, default=2)
    parser.add_argument("--augmented-share", type=float, default=0.3)
    parser.add_argument("--smoothing", type=float, default=0.05)
    parser.add_argument("--weights", type=json.loads, default={}, help='how often each corpus is drawn, as JSON: {"speechocean762": 0.3}')
    parser.add_argument("--minutes", type=float, required=True, help="0 keeps Whisper's weights")
    parser.add_argument("--dev", type=Path, help="a manifest to report word error rates on while training")
    parser.add_argument("--every", type=int, default=8, help="take every Nth of its recordings")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    pieces = Pieces(args.tokenizer, args.pieces.read_text().split("\n")[:-1])
    model = AttentionModel.from_whisper(read_variables(args.whisper), pieces.whisper_ids)
    if args.start:
        model.load_state_dict(torch.load(args.start, weights_only=True)["weights"])
    freeze(model, args.topmost)
    recordings = load_recordings(args.dev)[:: args.every] if args.dev else []
    args.out.mkdir(parents=True, exist_ok=True)
    learned = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(learned, args.rate, betas=(0.9, 0.98), weight_decay=WEIGHT_DECAY)
    average = Average(model, AVERAGE_DECAY)
    began, saved, losses, step = time.monotonic(), time.monotonic(), [], 0

    def log(**values) -> None:
        log_line(args.out, step=step, seconds=round(time.monotonic() - began), **values)

    def save() -> None:
        heard = AttentionModel.from_whisper(read_variables(args.whisper), pieces.whisper_ids)
        heard.load_state_dict(average.weights)
        heard.save(args.out / "average.part", pieces.tokens)
        os.replace(args.out / "average.part", args.out / "average.pt")
        if recordings:
            log(**word_errors(heard, pieces, recordings))

    save()
    if args.minutes == 0:
        return
    for states, tokens in Rows(args, model, pieces).batches(args.batch):
        progress = (time.monotonic() - began) / (60 * args.minutes)
        if progress >= 1:
            break
        for group in optimizer.param_groups:
            group["lr"] = args.rate * min(1.0, (step + 1) / WARMUP_STEPS) * min(1.0, (1 - progress) / DECAY_SHARE)
        optimizer.zero_grad(set_to_none=True)
        loss = loss_of(model, states, tokens, args.topmost, args.smoothing)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(learned, 1.0)
        optimizer.step()
        average.update(model)
        step += 1
        losses.append(loss.item())
        if step % LOG_EVERY_STEPS == 0:
            log(loss=round(sum(losses) / len(losses), 4))
            losses = []
        if time.monotonic() - saved > SAVE_EVERY_SECONDS:
            save()
            saved = time.monotonic()
    save()


if __name__ == "__main__":
    main()
