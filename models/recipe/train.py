"""Train the streaming encoder with CTC, on a time budget, resumable.

    python train.py --data data/train --whisper model.bin --hours 2 --out runs/first

`--out` receives `last.pt` (everything needed to go on) every few minutes, `average.pt` (averaged weights,
for export), `log.jsonl` and at the end `curves.png`. Running the same command again resumes.
"""

import argparse
import os
import time
from pathlib import Path
from statistics import mode

import torch
from torch import Tensor
from torch.utils.data import DataLoader

from checkpoint import load_checkpoint, take_weights
from config import TrainConfig
from dataset import Corpus, RowDataset, collate
from distill import Distillation
from evaluate import greedy_errors, load_recordings, phone_errors
from lexicon import Lexicon, pronounced
from losses import alignment_loss, ctc_loss
from model import StreamingEncoder
from plot import draw
from precision import autocast, best_device
from run_log import log_line
from shards import unpack
from teachers import Teacher, open_teacher
from whisper_weights import read_variables

LOG_EVERY_STEPS = 10


def parameter_groups(model: StreamingEncoder, config: TrainConfig, pretrained: bool) -> list[dict]:
    """One group per learning rate; a rate of zero freezes. What does not come from Whisper learns at `lr_new`."""

    def rate(name: str) -> float:
        stage = name.split(".")[0]
        if not pretrained or stage in ("fresh", "head", "phone_head", "head_norm") or ".convolution." in name:
            return config.lr_new
        return config.lr_upper if stage in ("upper", "bridge_norm") else config.lr_lower

    rates = {}
    for name, parameter in model.named_parameters():
        parameter.requires_grad = rate(name) > 0
        if parameter.requires_grad:
            rates.setdefault(rate(name), []).append(parameter)
    return [{"params": parameters, "lr": lr, "peak": lr} for lr, parameters in rates.items()]


def row_frames(config: TrainConfig) -> int:
    """The frames of a training row; the encoder reads one beyond its blocks."""
    return 4 * config.model.left_context * config.row_blocks + 1


def longest_samples(config: TrainConfig) -> int:
    """The longest recording that fits into a row at its slowest, with a pause."""
    return int((row_frames(config) * 160 - 8000) * 0.88)


def open_lexicon(path: Path | None, config: TrainConfig) -> Lexicon | None:
    """The lexicon, if phones are to be learned."""
    if path and not config.model.phones:
        raise ValueError(f'{path}: the config\'s model has no "phones" to learn from it')
    if not config.model.phones or config.phone_ctc_weight == 0:
        return None
    if path is None:
        raise ValueError("phones can't be learned without --lexicon, see lexicon.py")
    return Lexicon(path, config.seed)


def schedule(config: TrainConfig, step: int, progress: float) -> float:
    """Linear warm-up in steps, then constant, then linear to zero over the last share of the budget."""
    warmup = min(1.0, (step + 1) / config.warmup_steps)
    return warmup * min(1.0, max(0.0, (1 - progress) / config.decay_share))


class Average:
    """Exponential moving average of the weights."""

    def __init__(self, model: torch.nn.Module, decay: float):
        self.decay, self.steps = decay, 0
        self.weights = {k: v.detach().clone() for k, v in model.state_dict().items()}

    @torch.no_grad()
    def update(self, model: torch.nn.Module) -> None:
        self.steps += 1
        decay = min(self.decay, self.steps / (self.steps + 10))
        for name, value in model.state_dict().items():
            self.weights[name].lerp_(value, 1 - decay)


def update(model: StreamingEncoder, loss: Tensor, optimizer: torch.optim.Optimizer, average: Average) -> None:
    """One step down the loss's gradient, clipped."""
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    average.update(model)


class Run:
    """The state of a training run, saved and restored as one."""

    def __init__(
        self, config: TrainConfig, model: StreamingEncoder, pretrained: bool, out: Path, teacher: Teacher | None = None,
        lexicon: Lexicon | None = None,
    ):
        self.config, self.model, self.out, self.lexicon = config, model, out, lexicon
        self.optimizer = torch.optim.AdamW(
            parameter_groups(model, config, pretrained), betas=(0.9, 0.98), weight_decay=config.weight_decay
        )
        self.distillation = Distillation(teacher, model, config).to(model.head.weight.device) if teacher else None
        if self.distillation and (learned := list(self.distillation.parameters())):
            self.optimizer.add_param_group({"params": learned, "lr": config.lr_new, "peak": config.lr_new})
        self.average = Average(model, config.average_decay)
        self.step, self.seconds = 0, 0.0

    def save(self) -> None:
        last = {
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "average": self.average.weights,
            "average_steps": self.average.steps,
            "distillation": self.distillation.state_dict() if self.distillation else {},
            "step": self.step,
            "seconds": self.seconds,
        }
        average = {"config": self.config.as_dict(), "weights": self.average.weights, "step": self.step}
        for name, content in (("last.pt", last), ("average.pt", average)):
            torch.save(content, self.out / f"{name}.part")
            os.replace(self.out / f"{name}.part", self.out / name)

    def restore(self) -> None:
        last = torch.load(self.out / "last.pt", map_location=self.model.head.weight.device, weights_only=True)
        self.model.load_state_dict(last["model"])
        self.optimizer.load_state_dict(last["optimizer"])
        self.average.weights, self.average.steps = last["average"], last["average_steps"]
        if self.distillation:
            self.distillation.load_state_dict(last.get("distillation", {}))
        self.step, self.seconds = last["step"], last["seconds"]

    def log(self, **values) -> None:
        log_line(self.out, step=self.step, seconds=round(self.seconds), **values)


def train_step(run: Run, batch: tuple, chunk: int, progress: float) -> list[float]:
    """Take a step and return the CTC losses: on letters and, if they are learned, on phones."""
    config, model = run.config, run.model
    for group in run.optimizer.param_groups:
        group["lr"] = group["peak"] * schedule(config, run.step, progress)
    frames, stretches, clean = batch
    start = model.random_starts(len(frames), frames.shape[1] // 2, chunk)
    device = model.head.weight.device
    with autocast(device.type):
        log_probs, middle, phones = model(frames.to(device), chunk, start.to(device))
    losses = [ctc_loss(log_probs, stretches)]
    total = config.letter_ctc_weight * losses[0] + config.middle_ctc_weight * ctc_loss(middle, stretches)
    if run.lexicon:
        losses.append(ctc_loss(phones, pronounced(stretches, run.lexicon)))
        total = total + config.phone_ctc_weight * losses[1]
    if run.step < config.letter_steps:
        total = total + alignment_loss(log_probs, stretches) + alignment_loss(middle, stretches)
    if run.distillation:
        total = total + run.distillation(log_probs, clean)
    update(model, total, run.optimizer, run.average)
    run.step += 1
    return [loss.item() for loss in losses]


def mean_losses(losses: list[list[float]]) -> dict[str, float]:
    """The means of what `train_step` has returned, for the log."""
    return {key: round(sum(values) / len(values), 4) for key, values in zip(("loss", "phone_loss"), zip(*losses))}


def evaluate_average(config: TrainConfig, average: Average, recordings: list, lexicon: Lexicon | None = None) -> dict:
    """Greedy error rates of the averaged weights, by letters and with a lexicon of phones, in the chunks trained on most."""
    model = StreamingEncoder(config.model)
    model.load_state_dict(average.weights)  # on the processor, wherever it trains
    chunk = mode(config.chunks)
    phones = phone_errors(model.eval(), recordings, chunk, lexicon) if lexicon else {}
    return phones | greedy_errors(model.eval(), recordings, chunk)


def main(arguments: list[str] | None = None) -> None:
    """Train as the arguments say, by default those of the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, nargs="+", required=True, help="folders written by prepare.py or shards.py")
    parser.add_argument("--out", type=Path, required=True)
    budget = parser.add_mutually_exclusive_group(required=True)
    budget.add_argument("--hours", type=float, help="training time in all, over every resumption")
    budget.add_argument("--steps", type=int, help="updates in all: a run of a fixed length on any machine")
    parser.add_argument("--config", type=Path)
    parser.add_argument("--whisper", type=Path, help="a CTranslate2 model.bin of Whisper (tiny.en, base) to start from")
    parser.add_argument("--start", type=Path, help="an average.pt, a pretrained.pt or an exported encoder.onnx to start from")
    parser.add_argument("--teacher", help="KIND:PATH of a CTC model to learn from, see teachers.py")
    parser.add_argument("--lexicon", type=Path, help="pronunciations by lexicon.py, for a model with phones")
    parser.add_argument("--label-hours", type=float, help="learn from so many hours, chosen by speaker")
    parser.add_argument("--label-seed", type=int, default=1)
    parser.add_argument("--dev", type=Path, help="a manifest to report error rates on while training")
    parser.add_argument("--save-minutes", type=float, default=5)
    args = parser.parse_args(arguments)

    config = TrainConfig.load(args.config)
    torch.manual_seed(config.seed)
    model = StreamingEncoder(config.model)
    if args.whisper:
        model.load_whisper(read_variables(args.whisper))
    if args.start:
        # A phone head may begin at random, but none is thrown away.
        take_weights(model, load_checkpoint(args.start).state_dict(), args.start, ("phone_head",) if config.model.phones else ())
    model.to(best_device())
    args.out.mkdir(parents=True, exist_ok=True)
    teacher = open_teacher(args.teacher) if args.teacher else None
    lexicon = open_lexicon(args.lexicon, config)
    run = Run(config, model, bool(args.whisper or args.start), args.out, teacher, lexicon)
    if (args.out / "last.pt").exists():
        run.restore()

    for folder in args.data:
        unpack(folder)
    corpus = Corpus(args.data, config.corpus_weights, longest_samples(config), args.label_hours, args.label_seed)
    letter_rows = max(0, config.letter_steps - run.step) * config.batch_rows
    seed = config.seed + 1000 * run.step
    rows = RowDataset(corpus, row_frames(config), seed, config.augmented_share, letter_rows, config.warped_share, config.model.output_rate)
    rows.keeps_clean = teacher is not None
    loader = DataLoader(rows, config.batch_rows, num_workers=1, collate_fn=collate, prefetch_factor=4)
    recordings = load_recordings(args.dev)[::6] if args.dev else []

    model.train()
    began, losses, saved = time.monotonic() - run.seconds, [], run.seconds
    generator = torch.Generator().manual_seed(config.seed + run.step)
    for batch in loader:
        if run.step == 0 and config.scale_stem and not (args.whisper or args.start):
            model.stem.scale(batch[0].to(model.head.weight.device))
        progress = run.step / args.steps if args.steps else run.seconds / (args.hours * 3600)
        if progress >= 1:
            break
        chunk = config.chunks[int(torch.randint(len(config.chunks), (1,), generator=generator))]
        losses.append(train_step(run, batch, chunk, progress))
        run.seconds = time.monotonic() - began
        if run.step % LOG_EVERY_STEPS == 0:
            heard = LOG_EVERY_STEPS * config.batch_rows * row_frames(config) / 100
            run.log(**mean_losses(losses), audio_hours=round(run.step / LOG_EVERY_STEPS * heard / 3600, 2))
            losses = []
        if run.seconds - saved > args.save_minutes * 60:
            saved = run.seconds
            run.save()
            if recordings:
                run.log(**evaluate_average(config, run.average, recordings, lexicon))
    run.save()
    if recordings:
        run.log(**evaluate_average(config, run.average, recordings, lexicon))
    # A run of a few steps has logged nothing.
    if (args.out / "log.jsonl").exists():
        draw(args.out / "log.jsonl", args.out / "curves.png")


if __name__ == "__main__":
    main()
