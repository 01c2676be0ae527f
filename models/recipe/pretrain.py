"""Pre-train the streaming encoder on speech without transcripts, resumable.

    python pretrain.py --data data/pieces --config configs/pretrain-small.json --steps 20000 --out runs/wav2vec2
    python pretrain.py --data data/pieces --config configs/pretrain-small.json --set objective=hubert --steps 20000 --out runs/hubert
    python train.py --data data/train --start runs/wav2vec2/pretrained.pt …

`--out` receives `last.pt` (everything needed to go on), `pretrained.pt` (the encoder in f16, for `train.py --start`, further pre-training and
`layers.py`) and `log.jsonl`, which `plot_pretraining.py` draws. Running the same command again resumes. It uses a GPU in bf16 if there is one.
"""

import argparse
import json
import os
import time
from pathlib import Path

import torch
from torch.utils.data import DataLoader, Subset

from checkpoint import read_weights, take_weights
from model import StreamingEncoder
from objectives.base import Objective
from objectives.hubert import Hubert
from objectives.siamese import Siamese
from objectives.wav2vec2 import Wav2Vec2
from precision import autocast, best_device
from pretrain_config import PretrainConfig
from run_log import log_line
from unlabelled import Batch, UnlabelledRows, collate

OBJECTIVES = {"wav2vec2": Wav2Vec2, "hubert": Hubert, "siamese": Siamese}
LOG_EVERY_STEPS = 10


def make_objective(config: PretrainConfig, encoder: StreamingEncoder) -> Objective:
    if config.objective not in OBJECTIVES:
        raise ValueError(f"objective {config.objective!r} unknown; there are {', '.join(OBJECTIVES)}")
    return OBJECTIVES[config.objective](encoder, config)


def rate(config: PretrainConfig, step: int, steps: int) -> float:
    """The learning rate of an update: linear to its peak, then linear to zero."""
    warmup = max(1.0, config.warmup_share * steps)
    return config.lr * min((step + 1) / warmup, (steps - step) / max(1.0, steps - warmup))


class Run:
    """A pre-training run of `steps` updates, saved and restored as one."""

    def __init__(self, config: PretrainConfig, steps: int, out: Path, device: torch.device, start: Path | None = None):
        torch.manual_seed(config.seed)
        self.config, self.steps, self.out, self.device, self.start = config, steps, out, device, start
        encoder = StreamingEncoder(config.model)
        if start:
            take_weights(encoder, read_weights(start)[1], start, ("head", "phone_head"))
        self.objective = make_objective(config, encoder).to(device).train()
        self.optimizer = torch.optim.AdamW(self.objective.parameters(), config.lr, (0.9, 0.98), weight_decay=config.weight_decay)
        self.step, self.seconds = 0, 0.0

    def prepare(self, rows: UnlabelledRows) -> None:
        """What comes before the first update: the scale of a random stem, and what the objective computes from the rows."""
        if self.start is None:
            batch = collate([rows[index] for index in range(min(self.config.batch_rows, len(rows)))])
            self.objective.encoder.stem.scale(batch.clean.to(self.device))
        self.objective.prepare(rows)

    def update(self, batch: Batch) -> dict[str, float]:
        """Take a step; return the figures for the log."""
        config, batch = self.config, batch.to(self.device)
        chunk = config.chunks[int(torch.randint(len(config.chunks), (1,)))]
        for group in self.optimizer.param_groups:
            group["lr"] = rate(config, self.step, self.steps)
        with autocast(self.device.type):
            loss, figures = self.objective(batch, chunk, self.step / self.steps)
        if not torch.isfinite(loss):
            raise FloatingPointError(f"update {self.step}: the loss is {loss.item()}; resume from last.pt with a lower lr")
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.objective.parameters(), config.clip)
        self.optimizer.step()
        self.step += 1
        return {"loss": loss.item()} | {name: value.item() for name, value in figures.items()}

    def save(self) -> None:
        last = {
            "objective": self.objective.state_dict(), "optimizer": self.optimizer.state_dict(), "step": self.step, "seconds": self.seconds,
            "random": torch.get_rng_state(), "cuda_random": torch.cuda.get_rng_state_all() if self.device.type == "cuda" else [],
            "config": self.config.as_dict(), "steps": self.steps,
        }
        weights = {name: value.half() for name, value in self.objective.encoder.state_dict().items()}
        carried = {"config": self.config.as_dict(), "weights": weights, "step": self.step}
        for name, content in (("last.pt", last), ("pretrained.pt", carried)):
            torch.save(content, self.out / f"{name}.part")
            os.replace(self.out / f"{name}.part", self.out / name)

    def restore(self) -> None:
        path = self.out / "last.pt"
        last = torch.load(path, map_location="cpu", weights_only=True)
        if (last["config"], last["steps"]) != (self.config.as_dict(), self.steps):
            raise ValueError(f"{path}: of another config or number of updates; choose another --out")
        self.objective.load_state_dict(last["objective"])
        self.optimizer.load_state_dict(last["optimizer"])
        self.step, self.seconds = last["step"], last["seconds"]
        torch.set_rng_state(last["random"])
        if self.device.type == "cuda" and last["cuda_random"]:
            torch.cuda.set_rng_state_all(last["cuda_random"])


def read_setting(setting: str) -> tuple[str, object]:
    """KEY=VALUE, the value in JSON or else as text."""
    key, _, value = setting.partition("=")
    try:
        return key, json.loads(value)
    except json.JSONDecodeError:
        return key, value


def mean_figures(figures: list[dict[str, float]]) -> dict[str, float]:
    return {name: round(sum(f[name] for f in figures) / len(figures), 4) for name in figures[0]}


def train(run: Run, rows: UnlabelledRows, workers: int, minutes: float, save_minutes: float) -> None:
    """Update until the run's steps are done or so many minutes have passed."""
    config = run.config
    left = Subset(rows, range(run.step * config.batch_rows, run.steps * config.batch_rows))
    # A generator of its own: the loader draws a number, and must not move on what a resumed run restores.
    loader = DataLoader(
        left, config.batch_rows, num_workers=workers, collate_fn=collate, pin_memory=run.device.type == "cuda", generator=torch.Generator()
    )
    began, saved, figures = time.monotonic() - run.seconds, run.seconds, []
    until = run.seconds + minutes * 60
    for batch in loader:
        figures.append(run.update(batch))
        run.seconds = time.monotonic() - began
        if run.step % LOG_EVERY_STEPS == 0:
            hours = run.step * config.batch_rows * config.row_frames() / 360_000
            log_line(run.out, step=run.step, seconds=round(run.seconds), audio_hours=round(hours, 3), **mean_figures(figures))
            figures = []
        if run.seconds >= until:
            break
        if run.seconds - saved > save_minutes * 60:
            saved = run.seconds
            run.save()
    run.save()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, nargs="+", required=True, help="folders of shards.py or prepare.py")
    parser.add_argument("--config", type=Path, help="see pretrain_config.py and configs/pretrain-*.json")
    parser.add_argument("--steps", type=int, required=True, help="updates in all; the schedules depend on it")
    parser.add_argument("--minutes", type=float, default=float("inf"), help="stop and save after so many; the same command goes on")
    parser.add_argument("--start", type=Path, help="a checkpoint to start from")
    parser.add_argument("--set", nargs="+", default=[], metavar="KEY=VALUE", help="values of the config, in JSON or as text")
    parser.add_argument("--workers", type=int, default=1, help="processes that prepare rows")
    parser.add_argument("--save-minutes", type=float, default=5)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    config = PretrainConfig.load(args.config, **dict(map(read_setting, args.set)))
    args.out.mkdir(parents=True, exist_ok=True)
    run = Run(config, args.steps, args.out, best_device(), args.start)
    rows = UnlabelledRows(args.data, config, args.steps * config.batch_rows, run.objective.warps)
    if (args.out / "last.pt").exists():
        run.restore()
    else:
        run.prepare(rows)
    train(run, rows, args.workers, args.minutes, args.save_minutes)


if __name__ == "__main__":
    main()
