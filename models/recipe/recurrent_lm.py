"""Train a small recurrent word model on sentences, which re-ranks the hypotheses of finals beside the n-gram model.

    python recurrent_lm.py data/sentences.txt --minutes 95 --dev my-recordings/dev.jsonl --out data/recurrent
    python recurrent_lm.py data/sentences.txt --from data/recurrent/recurrent.pt --minutes 120 --out data/recurrent
    python recurrent_lm.py --from data/recurrent/recurrent.pt --only-export --out data/recurrent

A word's score is the product of its embedding with a projection of a GRU's state. The softmax is learned on words drawn at
random, and a penalty on the squared logarithm of the normalizer Z holds it at 0, so that scores are taken as log-probabilities
without a sum over the vocabulary (Devlin et al. 2014). Towards the end the embeddings are rounded to 4 bits as they are read.
`--out` receives `recurrent.pt` every few minutes, from which `--from` goes on, `log.jsonl`, and at last `words.rnn`.
"""

import argparse
import math
import os
import random
import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from tqdm import tqdm

from language_model import read_transcripts
from recurrent_lm_file import END, SPECIAL, UNKNOWN, four_bit_rows, read_recurrent_lm, write_recurrent_lm
from run_log import log_line

SEED, LOG_EVERY_STEPS, SAVE_EVERY_SECONDS = 1, 200, 180
# An update reads so many words of each of so many places of the text.
STREAMS, STREAM_WORDS = 128, 24
# Words drawn for all of an update's places, by their counts to this power.
NEGATIVES, COUNT_POWER = 2048, 0.75
NORMALIZER_WEIGHT = 0.1
PEAK_RATE, LEAST_RATE_SHARE, WARMUP_STEPS, CONSTANT_SHARE = 2e-3, 0.02, 200, 0.3


class RecurrentLM(nn.Module):
    """A GRU on embedded words, whose projected state scores each word by the same embeddings."""

    def __init__(self, words: int, width: int, hidden: int):
        super().__init__()
        self.emb = nn.Embedding(words, width)
        nn.init.normal_(self.emb.weight, std=width**-0.5)
        self.gru = nn.GRU(width, hidden, batch_first=True)
        self.proj = nn.Linear(hidden, width)
        self.bias = nn.Parameter(torch.zeros(words))

    @classmethod
    def of(cls, weights: dict[str, Tensor]) -> "RecurrentLM":
        model = cls(*weights["emb.weight"].shape, weights["proj.weight"].shape[1])
        model.load_state_dict(weights)
        return model

    def forward(self, embedded: Tensor, state: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """What is compared with the embeddings of the words that may follow, (batch, time, width), and the last state."""
        states, last = self.gru(embedded, state)
        return self.proj(states), last

    def scores(self, ids: Tensor) -> Tensor:
        """Each word's score after each of a sentence's, which begins with `</s>`: (time) → (time, words)."""
        return self(self.emb(ids)[None])[0][0] @ self.emb.weight.T + self.bias


def read_sentences(path: Path) -> list[str]:
    """The sentences in the order of training, which is random."""
    sentences = [line for line in path.read_text().splitlines() if line.strip()]
    if not sentences:
        raise SystemExit(f"{path}: no sentences")
    random.Random(SEED).shuffle(sentences)
    return sentences


def most_frequent(sentences: Iterable[str], most: int, allowed: set[str] | None) -> list[str]:
    """The model's words: `</s>`, `<unk>` and the text's most frequent, of those allowed."""
    counts = Counter()
    for sentence in sentences:
        counts.update(sentence.split())
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return [*SPECIAL, *(word for word, _ in ranked if allowed is None or word in allowed)][:most]


def numbered(sentences: Iterable[str], words: list[str]) -> np.ndarray:
    """The rows of all sentences' words, `</s>` after each."""
    rows = {word: row for row, word in enumerate(words)}
    each = (rows.get(word, UNKNOWN) for sentence in sentences for word in (*sentence.split(), SPECIAL[END]))
    return np.fromiter(each, np.uint16 if len(words) <= 2**16 else np.uint32)


def rate_share(step: int, progress: float) -> float:
    """Linear warm-up in steps, constant, then linear almost to zero."""
    decay = (1 - progress) / (1 - CONSTANT_SHARE)
    return min(1, (step + 1) / WARMUP_STEPS) * max(LEAST_RATE_SHARE, min(1, decay))


class Training:
    """A model that learns a text, read at `STREAMS` places at once."""

    def __init__(self, model: RecurrentLM, text: np.ndarray):
        self.model, self.text = model, text
        self.optimizer = torch.optim.Adam(model.parameters(), lr=PEAK_RATE, betas=(0.9, 0.99))
        self.step, self.seconds = 0, 0.0
        self.state = torch.zeros(1, STREAMS, model.gru.hidden_size)
        # Of a word that only a checkpoint knows, one.
        counts = torch.from_numpy(np.bincount(text, minlength=len(model.bias))).double().clamp(min=1)
        self.proposal = F.normalize(counts**COUNT_POWER, p=1, dim=0).float()
        model.bias.data = (counts / counts.sum()).log().float()

    def restore(self, saved: dict) -> None:
        self.model.load_state_dict(saved["weights"])
        self.optimizer.load_state_dict(saved["optimizer"])
        self.step, self.seconds = saved["step"], saved["seconds"]

    def save(self, words: list[str], path: Path) -> None:
        content = {
            "words": words,
            "weights": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "step": self.step,
            "seconds": self.seconds,
        }
        part = path.with_name(path.name + ".part")
        torch.save(content, part)
        os.replace(part, path)

    def next_words(self) -> Tensor:
        """Each stream's next words, and before them the one that the last update ended with: (STREAMS, STREAM_WORDS + 1)."""
        starts = np.arange(STREAMS) * (len(self.text) // STREAMS) + self.step * STREAM_WORDS
        places = starts[:, None] + np.arange(STREAM_WORDS + 1)
        return torch.from_numpy(self.text[places % len(self.text)].astype(np.int64))

    def losses(self, ids: Tensor, rounded: bool) -> tuple[Tensor, Tensor]:
        """The mean negative log-probability of each next word, and the mean of ln² Z, with Z estimated from the words drawn."""
        targets, drawn = ids[:, 1:].flatten(), torch.multinomial(self.proposal, NEGATIVES, replacement=True)
        used, places = torch.unique(torch.cat([ids[:, :-1].flatten(), targets, drawn]), return_inverse=True)
        rows = F.embedding(used, self.model.emb.weight)
        if rounded:
            codes, scales = four_bit_rows(rows.detach())
            # The gradient passes the rounding as if there were none.
            rows = rows + (codes * scales - rows).detach()
        embedded, sought, others = F.embedding(places, rows).split([len(targets), len(targets), NEGATIVES])
        projected, state = self.model(embedded.view(*ids[:, 1:].shape, -1), self.state)
        # A sentence that the next update begins with begins as it does in use.
        self.state, projected = state.detach() * (ids[:, -1:] != END), projected.flatten(0, 1)
        scores = (projected * sought).sum(1) + self.model.bias[targets]
        sampled = projected @ others.T + self.model.bias[drawn] - (NEGATIVES * self.proposal[drawn]).log()
        # The words drawn stand for all but the one sought, which counts as itself: else its score would rise without end.
        sampled = sampled.masked_fill(targets[:, None] == drawn, -torch.inf)
        normalizer = torch.logaddexp(sampled.logsumexp(1), scores)
        return (normalizer - scores).mean(), normalizer.square().mean()

    def update(self, progress: float, rounded: bool = False) -> tuple[float, float]:
        """Take a step and return its losses."""
        for group in self.optimizer.param_groups:
            group["lr"] = PEAK_RATE * rate_share(self.step, progress)
        negative_log_prob, squared = self.losses(self.next_words(), rounded)
        self.optimizer.zero_grad(set_to_none=True)
        (negative_log_prob + NORMALIZER_WEIGHT * squared).backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()
        self.step += 1
        return negative_log_prob.item(), squared.item()


def train(training: Training, words: list[str], minutes: float, rounded_share: float, out: Path) -> None:
    """Train until it has taken so many minutes in all."""
    began, saved, losses = time.monotonic() - training.seconds, training.seconds, []
    while training.seconds < 60 * minutes:
        progress = training.seconds / (60 * minutes)
        losses.append(training.update(progress, rounded=progress >= 1 - rounded_share))
        training.seconds = time.monotonic() - began
        if training.step % LOG_EVERY_STEPS == 0:
            negative_log_prob, squared = np.mean(losses, 0)
            read = round(training.step * STREAMS * STREAM_WORDS / 1e6, 2)
            figures = {"perplexity": round(math.exp(negative_log_prob), 1), "squared_ln_z": round(squared, 4)}
            log_line(out, step=training.step, seconds=round(training.seconds), million_words=read, **figures)
            losses = []
        if training.seconds - saved > SAVE_EVERY_SECONDS:
            saved = training.seconds
            training.save(words, out / "recurrent.pt")
    training.save(words, out / "recurrent.pt")


@torch.no_grad()
def judge(model: RecurrentLM, text: np.ndarray) -> dict[str, float]:
    """Of a text: the perplexity by the whole softmax with unknown words left out, their share in percent, and what ln Z comes to."""
    log_probs, normalizers = [], []
    for sentence in np.split(text.astype(np.int64), np.flatnonzero(text == END)[:-1] + 1):
        ids = torch.from_numpy(sentence)
        scores = model.scores(F.pad(ids[:-1], (1, 0), value=END))
        normalizer = scores.logsumexp(1, keepdim=True)
        log_probs.append((scores - normalizer).gather(1, ids[:, None])[ids != UNKNOWN])
        normalizers.append(normalizer)
    normalizers = torch.cat(normalizers)
    return {
        "perplexity": torch.cat(log_probs).mean().neg().exp().item(),
        "unknown": 100 * float((text == UNKNOWN).sum() / (text != END).sum()),
        "ln_z": normalizers.mean().item(),
        "ln_z_deviation": normalizers.std(correction=0).item(),
    }


def print_perplexity(path: Path, words: list[str], weights: dict[str, Tensor], manifest: Path) -> None:
    judged = judge(RecurrentLM.of(weights), numbered(read_transcripts([manifest]), words))
    known = f"perplexity {judged['perplexity']:.1f}, {judged['unknown']:.2f} % of the words unknown"
    print(f"{path} on {manifest.name}: {known}, ln Z {judged['ln_z']:.3f} ± {judged['ln_z_deviation']:.3f}")


def read_checkpoint(path: Path) -> dict:
    saved = torch.load(path, weights_only=True)
    if missing := {"words", "weights", "optimizer", "step", "seconds"} - saved.keys():
        raise SystemExit(f"{path}: no {min(missing)} in it; not a checkpoint of this program")
    return saved


def copy_weights(known: list[str], weights: dict[str, Tensor], words: list[str], model: RecurrentLM) -> None:
    """Let a model begin with the matrices of another, and with its embeddings of the words that both have."""
    shapes = {name: values.shape for name, values in model.state_dict().items() if name not in ("emb.weight", "bias")}
    if any(weights[name].shape != shape for name, shape in shapes.items()) or weights["emb.weight"].shape[1] != model.emb.embedding_dim:
        raise SystemExit("--weights are of another width or size of the state")
    model.load_state_dict({**model.state_dict(), **{name: weights[name] for name in shapes}})
    rows = {word: row for row, word in enumerate(known)}
    shared = [(row, rows[word]) for row, word in enumerate(words) if word in rows]
    here, there = torch.tensor(shared).T
    model.emb.weight.data[here] = weights["emb.weight"][there]
    # The others begin as small as the rarest of those that are known.
    new = torch.ones(len(words), dtype=torch.bool)
    new[here] = False
    model.emb.weight.data[new] *= weights["emb.weight"].std() / model.emb.weight.data[new].std().clamp(min=1e-6)


def begin(args: argparse.Namespace, saved: dict | None) -> tuple[Training, list[str]]:
    """A new training, or the one that a checkpoint has kept, and the words."""
    torch.manual_seed(SEED + (saved["step"] if saved else 0))
    sentences = read_sentences(args.sentences)
    if saved:
        words, model = saved["words"], RecurrentLM.of(saved["weights"])
    else:
        allowed = set(args.vocabulary.read_text().split()) if args.vocabulary else None
        words = most_frequent(tqdm(sentences, desc="counting", mininterval=5), args.words, allowed)
        model = RecurrentLM(len(words), args.width, args.hidden)
        if args.weights:
            copy_weights(*read_recurrent_lm(args.weights), words, model)
    training = Training(model, numbered(tqdm(sentences, desc="numbering", mininterval=5), words))
    if saved:
        training.restore(saved)
    return training, words


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sentences", type=Path, nargs="?", help="what sentences.py wrote")
    parser.add_argument("--from", type=Path, dest="start", help="a recurrent.pt to go on from, with its words and sizes")
    parser.add_argument("--weights", type=Path, help="a words.rnn of the same width and state to begin with, in place of random weights")
    parser.add_argument("--only-export", action="store_true", help="write words.rnn from it as it is")
    parser.add_argument("--vocabulary", type=Path, help="a list of the words that may be known, one a line (default: any)")
    parser.add_argument("--words", type=int, default=16000, help="how many are known, the most frequent")
    parser.add_argument("--width", type=int, default=128, help="of the embeddings")
    parser.add_argument("--hidden", type=int, default=384, help="the size of the GRU's state")
    parser.add_argument("--minutes", type=float, help="training time in all, over every resumption")
    parser.add_argument("--quantized-share", type=float, default=0.2, help="of it, at its end, with embeddings in 4 bits")
    parser.add_argument("--dev", type=Path, help="a manifest to print the perplexity of; never trained on")
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    if args.only_export and not args.start:
        raise SystemExit("--only-export needs --from, the checkpoint to write")
    if not args.only_export and (args.sentences is None or args.minutes is None):
        raise SystemExit("training needs sentences and --minutes")
    if args.width % 2:
        raise SystemExit("--width must be even: two values of an embedding share a byte")

    args.out.mkdir(parents=True, exist_ok=True)
    saved = read_checkpoint(args.start) if args.start else None
    if not args.only_export:
        training, words = begin(args, saved)
        train(training, words, args.minutes, args.quantized_share, args.out)
        saved = read_checkpoint(args.out / "recurrent.pt")
    file = args.out / "words.rnn"
    write_recurrent_lm(file, saved["words"], saved["weights"])
    print(f"{file}: {len(saved['words'])} words, {file.stat().st_size / 1e6:.2f} MB")
    if args.dev:
        print_perplexity(args.start if args.only_export else args.out / "recurrent.pt", saved["words"], saved["weights"], args.dev)
        print_perplexity(file, *read_recurrent_lm(file), args.dev)


if __name__ == "__main__":
    main()
