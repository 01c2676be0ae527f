"""Make Whisper's encoder stream: match its own full-context states, without transcripts.

    python adapt.py --data data/train data/synth --whisper model.bin --config configs/en-small-5.json --minutes 20 --out runs/adapted

The student is the pretrained half of `model.py` and hears augmented rows in chunks; the teacher is Whisper's encoder as published,
hears the same rows clean and whole, and gives the mean of each two of its 50 Hz states. The loss is the mean squared difference,
each dimension in units of the teacher's variance. `--out` receives `average.pt`, whose new blocks and heads are random.
"""

import argparse
import math
import time
from dataclasses import replace
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.utils.data import DataLoader

from config import TrainConfig
from dataset import Corpus, RowDataset, collate
from features import LogMel
from model import StreamingEncoder
from precision import autocast
from train import Average, log_line, longest_samples, row_frames, schedule, update
from whisper_weights import read_variables

LOG_EVERY_STEPS = 20
# Learning rates of what comes from Whisper and of the convolution modules, which are new.
LR_PRETRAINED, LR_NEW = 2e-4, 1e-3
SCHEDULE, AVERAGE_DECAY = {"warmup_steps": 30, "decay_share": 0.5}, 0.995


class WhisperEncoder:
    """The published encoder, from CTranslate2's variables, in bf16."""

    def __init__(self, path: Path, heads: int):
        variables = {k: v for k, v in read_variables(path).items() if k.startswith("encoder/")}
        self.weights = {k.removeprefix("encoder/"): torch.from_numpy(v).bfloat16() for k, v in variables.items()}
        self.heads, self.dim = heads, len(self.weights["layer_norm/gamma"])
        self.layers = sum(name.endswith("ffn/linear_0/weight") for name in self.weights)
        exponent = torch.arange(self.dim // 2) * (math.log(10000) / (self.dim // 2 - 1))
        angle = torch.arange(1500)[:, None] * torch.exp(-exponent)
        self.positions = torch.cat([angle.sin(), angle.cos()], 1).bfloat16()

    def norm(self, x: Tensor, name: str) -> Tensor:
        return F.layer_norm(x, (self.dim,), self.weights[f"{name}/gamma"], self.weights[f"{name}/beta"])

    def linear(self, x: Tensor, name: str) -> Tensor:
        return F.linear(x, self.weights[f"{name}/weight"], self.weights.get(f"{name}/bias"))

    def conv(self, x: Tensor, name: str, stride: int) -> Tensor:
        return F.gelu(F.conv1d(x, self.weights[f"{name}/weight"], self.weights[f"{name}/bias"], padding=1, stride=stride))

    @torch.no_grad()
    def __call__(self, frames: Tensor) -> Tensor:
        """Natural log-mel frames (batch, 2·time, mel) → (batch, time, dim)."""
        x = frames * (1 / (4 * math.log(10))) + 1  # Whisper's (log10(mel) + 4) / 4
        x = torch.maximum(x, x.amax((1, 2), keepdim=True) - 2).transpose(1, 2).bfloat16()
        x = self.conv(self.conv(x, "conv1", 1), "conv2", 2).transpose(1, 2)
        x = x + self.positions[: x.shape[1]]
        for layer in range(self.layers):
            x = self.block(x, f"layer_{layer}")
        return self.norm(x, "layer_norm").float()

    def block(self, x: Tensor, name: str) -> Tensor:
        batch, time, dim = x.shape
        qkv = self.linear(self.norm(x, f"{name}/self_attention/layer_norm"), f"{name}/self_attention/linear_0")
        q, k, v = qkv.view(batch, time, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        y = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(batch, time, dim)
        x = x + self.linear(y, f"{name}/self_attention/linear_1")
        y = F.gelu(self.linear(self.norm(x, f"{name}/ffn/layer_norm"), f"{name}/ffn/linear_0"))
        return x + self.linear(y, f"{name}/ffn/linear_1")


def pretrained_groups(model: StreamingEncoder) -> list[dict]:
    """Groups of the parameters below the new blocks; the others are frozen."""
    groups: dict[float, list] = {LR_PRETRAINED: [], LR_NEW: []}
    for name, parameter in model.named_parameters():
        parameter.requires_grad = name.split(".")[0] in ("stem", "lower", "upper", "bridge_norm")
        if parameter.requires_grad:
            groups[LR_NEW if ".convolution." in name else LR_PRETRAINED].append(parameter)
    return [{"params": parameters, "lr": lr, "peak": lr} for lr, parameters in groups.items()]


def save(model: StreamingEncoder, config: TrainConfig, average: Average, out: Path) -> None:
    weights = {**model.state_dict(), **average.weights}
    torch.save({"config": config.as_dict(), "weights": weights, "step": average.steps}, out / "average.pt")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, nargs="+", required=True, help="folders written by prepare.py")
    parser.add_argument("--whisper", type=Path, required=True, help="a CTranslate2 model.bin of Whisper's")
    parser.add_argument("--config", type=Path)
    parser.add_argument("--minutes", type=float, required=True)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    config = replace(TrainConfig.load(args.config), **SCHEDULE)
    torch.manual_seed(config.seed)
    args.out.mkdir(parents=True, exist_ok=True)
    model = StreamingEncoder(config.model).train()
    model.load_whisper(read_variables(args.whisper))
    teacher, log_mel = WhisperEncoder(args.whisper, config.model.heads), LogMel()
    optimizer = torch.optim.AdamW(pretrained_groups(model), betas=(0.9, 0.98), weight_decay=config.weight_decay)
    average = Average(model, AVERAGE_DECAY)
    corpus = Corpus(args.data, config.corpus_weights, longest_samples(config))
    # Not warped: the teacher hears the voice as it is.
    rows = RowDataset(corpus, row_frames(config), config.seed, config.augmented_share, 0)
    rows.keeps_clean = True
    loader = DataLoader(rows, config.batch_rows, num_workers=1, collate_fn=collate, prefetch_factor=4)
    began, losses, variance = time.monotonic(), [], None
    for step, (frames, _, clean) in enumerate(loader, 1):
        progress = (time.monotonic() - began) / (60 * args.minutes)
        if progress >= 1:
            break
        for group in optimizer.param_groups:
            group["lr"] = group["peak"] * schedule(config, step - 1, progress)
        target = teacher(log_mel(clean)[:, :-1])
        target = model.at_output_rate(target)
        variance = target.flatten(0, 1).var(0) + 1e-4 if variance is None else variance
        chunk = config.chunks[int(torch.randint(len(config.chunks), (1,)))]
        with autocast():
            states = model.pretrained_states(frames, chunk, model.random_starts(len(frames), frames.shape[1] // 2, chunk))
        loss = ((states.float() - target) ** 2 / variance).mean()
        update(model, loss, optimizer, average)
        losses.append(loss.item())
        if step % LOG_EVERY_STEPS == 0:
            log_line(args.out, step=step, seconds=round(time.monotonic() - began), loss=round(sum(losses) / len(losses), 4))
            losses = []
            save(model, config, average, args.out)
    save(model, config, average, args.out)


if __name__ == "__main__":
    main()
