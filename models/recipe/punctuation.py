"""Train a small tagger that gives recognized words their marks and their case.

    python punctuation.py data/spoken/*.txt --names first-names.txt cities.txt --minutes 45 --out data/punctuation
    python punctuation.py data/spoken/*.txt --from data/punctuation/punctuation.pt --minutes 60 --out data/punctuation
    python punctuation.py --from data/punctuation/punctuation.pt --only-export --out data/punctuation

Two bidirectional gated recurrent units on embedded words and the pauses after them; per word a softmax over marks, one over cases, and
whether it is a mark that was spoken. Files that end with `.aside.txt` are measured on and never trained on. Towards the end the embeddings are
rounded to 4 bits as they are read. `--out` receives `punctuation.pt` every few minutes, from which `--from` goes on, `log.jsonl`, and at last
`punctuation.bin`.
"""

import argparse
import json
import os
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from punctuation_data import (
    CASES, END_GAP, GAP_SHARES, GAPS, MARKS, MASKED, NO_GAP, SPOKEN_MARKS, SPOKEN_WORDS, UNKNOWN_GAP,
    Text, Vocabulary, cut, make_vocabulary, numbered, read_documents,
)  # fmt: skip
from recurrent_lm_file import four_bit_rows

SEED, LOG_EVERY_STEPS, SAVE_EVERY_SECONDS = 1, 100, 300
# So many utterances are measured on while training.
JUDGED = 3_000
# What may be added to the logits of a mark.
SHIFTS = [round(-0.5 + 0.1 * step, 1) for step in range(16)]
BATCH_WORDS, POOL_UTTERANCES = 6_000, 40_000
PEAK_RATE, LEAST_RATE_SHARE, WARMUP_STEPS, CONSTANT_SHARE = 3e-3, 0.02, 200, 0.4
DROPOUT = 0.1
# The shares of words that become unknown, frequent and rare ones, and of words that become others, as recognition has them.
UNKNOWN_SHARE, RARE_UNKNOWN_SHARE, RARE_COUNT, WRONG_SHARE = 0.01, 0.3, 60, 0.03
# The share of utterances whose pauses are known, and of those whose marks are spoken.
GAPS_KNOWN, MARKS_SPOKEN = 0.5, 0.03
# Of the loss; words that could be spoken marks and are not are few.
NOUN_WEIGHT, CASE_WEIGHT, SPOKEN_WEIGHT = 10.0, 1.0, 0.5
# How many documents of a text are read; of the others all.
SHARES = {"changelog": 0.6, "wh": 0.5, "sgd": 0.5, "tatoeba_en": 0.5}


class Tagger(nn.Module):
    def __init__(self, rows: int, width: int, hidden: int):
        super().__init__()
        self.emb = nn.Embedding(rows, width)
        nn.init.normal_(self.emb.weight, std=0.3)
        self.gru = nn.GRU(width + GAPS, hidden, num_layers=2, bidirectional=True, batch_first=True)
        self.out = nn.Linear(2 * hidden, len(MARKS) + len(CASES) + 1)

    @classmethod
    def of(cls, weights: dict[str, Tensor]) -> "Tagger":
        rows, width = weights["emb.weight"].shape
        model = cls(rows, width, weights["gru.weight_hh_l0"].shape[1])
        model.load_state_dict(weights)
        return model

    def forward(self, rows: Tensor, gaps: Tensor, rounded: bool = False) -> tuple[Tensor, Tensor, Tensor]:
        """Of (utterances, words): the logits of marks, of cases, and of being a spoken mark."""
        if rounded:
            used, places = torch.unique(rows, return_inverse=True)
            weights = F.embedding(used, self.emb.weight)
            codes, scales = four_bit_rows(weights.detach())
            # The gradient passes the rounding as if there were none.
            embedded = F.embedding(places, weights + (codes * scales - weights).detach())
        else:
            embedded = self.emb(rows)
        embedded = F.dropout(embedded, DROPOUT, self.training)
        states = self.gru(torch.cat([embedded, F.one_hot(gaps, GAPS).to(embedded.dtype)], 2))[0]
        marks, cases, spoken = self.out(states).split([len(MARKS), len(CASES), 1], 2)
        return marks, cases, spoken.squeeze(2)


class Batches:
    """Utterances as they are learned from: of equal length in a batch, with pauses, wrong words and spoken marks drawn anew."""

    def __init__(self, text: Text, vocabulary: Vocabulary, seed: int):
        self.text, self.random = text, np.random.default_rng(seed)
        counts = np.bincount(text.rows, minlength=len(vocabulary))
        self.unknown_share = np.where(counts < RARE_COUNT, RARE_UNKNOWN_SHARE, UNKNOWN_SHARE)
        self.spoken_rows = {word: vocabulary.row(word) for word in SPOKEN_WORDS}

    def __iter__(self):
        while True:
            utterances = cut(self.text, self.random)
            self.random.shuffle(utterances)
            for start in range(0, len(utterances), POOL_UTTERANCES):
                pool = [self.example(*utterance) for utterance in utterances[start : start + POOL_UTTERANCES]]
                by_length: dict[int, list] = {}
                for example in pool:
                    by_length.setdefault(example.shape[1], []).append(example)
                batches = []
                for length, examples in by_length.items():
                    size = max(1, BATCH_WORDS // length)
                    batches += [examples[at : at + size] for at in range(0, len(examples), size)]
                self.random.shuffle(batches := [batch for batch in batches if len(batch) * batch[0].shape[1] > BATCH_WORDS // 12])
                for batch in batches:
                    yield self.disturb(np.stack(batch).astype(np.int64))

    def example(self, context: int, begin: int, end: int) -> np.ndarray:
        """(5, words): rows, suffix rows, marks, cases, spoken; the context has no labels, and a gap of its end."""
        text, span = self.text, slice(context, end)
        spoken = np.zeros(end - context, np.int32)
        columns = np.stack([text.rows[span], text.suffix_rows[span], text.marks[span], text.cases[span], spoken])
        columns[2:, : begin - context] = MASKED
        if self.random.random() < MARKS_SPOKEN:
            columns = self.with_spoken_marks(columns, begin - context)
        ends = np.zeros((1, columns.shape[1]), np.int32)
        ends[0, -1] = 1
        if begin > context:
            ends[0, begin - context - 1] = 1
        return np.concatenate([columns, ends])

    def with_spoken_marks(self, columns: np.ndarray, begin: int) -> np.ndarray:
        chance, parts = self.random.choice([0.5, 1.0]), [columns[:, :begin]]
        for column in columns[:, begin:].T:
            parts.append(column[:, None])
            mark = column[2]
            if mark > 0 and self.random.random() < chance:
                texts, shares = zip(*SPOKEN_MARKS[mark])
                words = str(self.random.choice(texts, p=shares)).split()
                parts.append(np.array([[self.spoken_rows[word]] * 2 + [MASKED, MASKED, 1] for word in words], np.int32).T)
        columns = np.concatenate(parts, 1)
        columns[2, begin:] = MASKED
        return columns

    def disturb(self, batch: np.ndarray) -> tuple[Tensor, ...]:
        rows, suffix_rows, marks, cases, spoken, ends = batch.transpose(1, 0, 2)
        random, shape = self.random, rows.shape
        unknown = (random.random(shape) < self.unknown_share[rows]) & (spoken < 1)
        wrong = (random.random(shape) < WRONG_SHARE) & (spoken < 1)
        others = self.text.rows[random.integers(0, len(self.text.rows), shape)]
        cases = np.where(wrong, MASKED, cases)
        rows = np.where(wrong, others, np.where(unknown, suffix_rows, rows))
        drawn = random.random((*shape, 1)) > GAP_SHARES[np.maximum(marks, 0)].cumsum(1)
        gaps = np.where(random.random((shape[0], 1)) < GAPS_KNOWN, NO_GAP + drawn[..., :2].sum(2), UNKNOWN_GAP)
        gaps = np.where(ends == 1, END_GAP, gaps)
        return tuple(torch.from_numpy(array) for array in (rows, gaps, marks, cases, spoken))


def log_line(out: Path, **figures: float) -> None:
    line = json.dumps(figures)
    print(line, flush=True)
    with (out / "log.jsonl").open("a") as file:
        file.write(line + "\n")


def rate_share(step: int, progress: float) -> float:
    """Linear warm-up in steps, constant, then linear almost to zero."""
    decay = (1 - progress) / (1 - CONSTANT_SHARE)
    return min(1, (step + 1) / WARMUP_STEPS) * max(LEAST_RATE_SHARE, min(1, decay))


def mean_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """The mean cross entropy of the labels that are known, of which there may be none."""
    losses = F.cross_entropy(logits.flatten(0, 1), labels.flatten(), ignore_index=MASKED, reduction="sum")
    return losses / (labels != MASKED).sum().clamp(min=1)


class Training:
    def __init__(self, model: Tagger, vocabulary: Vocabulary):
        self.model, self.vocabulary = model, vocabulary
        self.optimizer = torch.optim.Adam(model.parameters(), lr=PEAK_RATE, betas=(0.9, 0.99))
        self.step, self.seconds = 0, 0.0
        ambiguous = torch.zeros(len(vocabulary), dtype=torch.bool)
        ambiguous[[vocabulary.row(word) for word in SPOKEN_WORDS]] = True
        self.ambiguous = ambiguous

    def save(self, path: Path) -> None:
        vocabulary = self.vocabulary
        content = {
            "words": vocabulary.words,
            "names": sorted(vocabulary.names),
            "forms": vocabulary.forms,
            "weights": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "step": self.step,
            "seconds": self.seconds,
        }
        part = path.with_name(path.name + ".part")
        torch.save(content, part)
        os.replace(part, path)

    def restore(self, saved: dict) -> None:
        self.optimizer.load_state_dict(saved["optimizer"])
        self.step, self.seconds = saved["step"], saved["seconds"]

    def losses(self, batch: tuple[Tensor, ...], rounded: bool) -> Tensor:
        rows, gaps, marks, cases, spoken = batch
        mark_logits, case_logits, spoken_logits = self.model(rows, gaps, rounded)
        mark_loss, case_loss = mean_loss(mark_logits, marks), mean_loss(case_logits, cases)
        weights = (spoken >= 0) * self.ambiguous[rows] * torch.where(spoken == 1, 1.0, NOUN_WEIGHT)
        spoken_losses = F.binary_cross_entropy_with_logits(spoken_logits, spoken.float().clamp(min=0), reduction="none")
        return torch.stack([mark_loss, case_loss, (weights * spoken_losses).sum() / (weights.sum() + 1)])

    def update(self, batch: tuple[Tensor, ...], progress: float, rounded: bool) -> np.ndarray:
        for group in self.optimizer.param_groups:
            group["lr"] = PEAK_RATE * rate_share(self.step, progress)
        losses = self.losses(batch, rounded)
        self.optimizer.zero_grad(set_to_none=True)
        (losses * torch.tensor([1.0, CASE_WEIGHT, SPOKEN_WEIGHT])).sum().backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()
        self.step += 1
        return losses.detach().numpy()


@torch.no_grad()
def logits_and_labels(model: Tagger, text: Text) -> tuple[Tensor, ...]:
    """The logits of marks and of cases over utterances of a text, without pauses, and the labels."""
    model.eval()
    random, found = np.random.default_rng(SEED), []
    for context, begin, end in random.permutation(cut(text, random))[:JUDGED]:
        rows = torch.from_numpy(text.rows[None, context:end].astype(np.int64))
        gaps = torch.full_like(rows, UNKNOWN_GAP)
        gaps[0, -1] = END_GAP
        if begin > context:
            gaps[0, begin - context - 1] = END_GAP
        marks, cases, _ = (logits[0, begin - context :] for logits in model(rows, gaps))
        found.append((marks, cases, torch.from_numpy(text.marks[begin:end]), torch.from_numpy(text.cases[begin:end])))
    model.train()
    return tuple(map(torch.cat, zip(*found)))


def f1(logits: Tensor, labels: Tensor, wanted: int) -> float:
    """In percent, of one label among those that are known."""
    found, right = logits.argmax(1)[labels != MASKED] == wanted, labels[labels != MASKED] == wanted
    return 200 * float((found & right).sum() / (found.sum() + right.sum()).clamp(min=1))


def judge(model: Tagger, text: Text) -> dict[str, float]:
    """F1 of each mark, and of capitals where no sentence begins."""
    marks, cases, true_marks, true_cases = logits_and_labels(model, text)
    capitals = torch.stack([cases[:, 0], cases[:, 1:].logsumexp(1)], 1), true_cases.clamp(max=1)
    figures = {"names": f1(*capitals, 1), **{name: f1(marks, true_marks, mark) for mark, name in enumerate(("comma", "stop", "question"), 1)}}
    return {name: round(figure, 1) for name, figure in figures.items()}


def balance(model: Tagger, text: Text) -> list[float]:
    """Add to the biases of the marks what gives each its best F1 on a text, and return it: losses are lowest with fewer marks."""
    marks, _, labels, _ = logits_and_labels(model, text)
    added = torch.zeros(len(MARKS))
    for _ in range(2):
        for mark in (1, 2, 3):
            others = added.clone()
            others[mark] = 0
            tried = [(f1(marks + others + shift * F.one_hot(torch.tensor(mark), len(MARKS)), labels, mark), shift) for shift in SHIFTS]
            added[mark] = max(tried)[1]
    model.out.bias.data[: len(MARKS)] += added
    return added.tolist()


def train(training: Training, batches: Batches, aside: Text, minutes: float, rounded_share: float, out: Path) -> None:
    """Train until it has taken so many minutes in all."""
    began, saved, losses, words = time.monotonic() - training.seconds, training.seconds, [], 0
    for batch in batches:
        if training.seconds >= 60 * minutes:
            break
        progress = training.seconds / (60 * minutes)
        losses.append(training.update(batch, progress, rounded=progress >= 1 - rounded_share))
        words += batch[0].numel()
        training.seconds = time.monotonic() - began
        if training.step % LOG_EVERY_STEPS == 0:
            mark, case, spoken = np.mean(losses, 0).round(4).tolist()
            log_line(out, step=training.step, seconds=round(training.seconds), million_words=round(words / 1e6, 2), mark=mark, case=case, spoken=spoken)
            losses = []
        if training.seconds - saved > SAVE_EVERY_SECONDS:
            saved = training.seconds
            training.save(out / "punctuation.pt")
            log_line(out, step=training.step, **judge(training.model, aside))
    log_line(out, step=training.step, **judge(training.model, aside))
    log_line(out, added_to_marks=balance(training.model, aside))
    training.save(out / "punctuation.pt")
    log_line(out, step=training.step, **judge(training.model, aside))


def read_checkpoint(path: Path) -> dict:
    saved = torch.load(path, weights_only=True)
    if missing := {"words", "names", "forms", "weights", "optimizer", "step", "seconds"} - saved.keys():
        raise SystemExit(f"{path}: no {min(missing)} in it; not a checkpoint of this program")
    return saved


def begin(args: argparse.Namespace, saved: dict | None) -> tuple[Training, Batches, Text]:
    torch.manual_seed(SEED + (saved["step"] if saved else 0))
    learned = [path for path in args.texts if not path.name.endswith(".aside.txt")]
    texts = [read_documents(path, SHARES.get(path.stem, 1.0)) for path in learned]
    if saved:
        vocabulary = Vocabulary(saved["words"], set(saved["names"]), saved["forms"])
        model = Tagger.of(saved["weights"])
    else:
        names = [word.lower() for path in args.names for word in path.read_text().split() if word.isascii() and word.isalpha() and len(word) > 2]
        vocabulary, _ = make_vocabulary(texts, names, args.words, args.most_names)
        model = Tagger(len(vocabulary), args.width, args.hidden)
    training = Training(model, vocabulary)
    if saved:
        training.restore(saved)
    aside = [read_documents(path)[: args.aside_documents] for path in args.texts if path.name.endswith(".aside.txt")]
    batches = Batches(numbered(texts, vocabulary), vocabulary, SEED + training.step)
    return training, batches, numbered(aside, vocabulary)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("texts", type=Path, nargs="*", help="what spoken_form.py wrote")
    parser.add_argument("--from", type=Path, dest="start", help="a punctuation.pt to go on from, with its words and sizes")
    parser.add_argument("--only-export", action="store_true", help="write punctuation.bin from it as it is")
    parser.add_argument("--names", type=Path, nargs="*", default=[], help="lists of names, one a line")
    parser.add_argument("--words", type=int, default=36_000, help="how many have embeddings of their own, the most frequent")
    parser.add_argument("--most-names", type=int, default=30_000, help="how many further words are known to be names")
    parser.add_argument("--width", type=int, default=64, help="of the embeddings")
    parser.add_argument("--hidden", type=int, default=96, help="the size of each state")
    parser.add_argument("--minutes", type=float, help="training time in all, over every resumption")
    parser.add_argument("--quantized-share", type=float, default=0.2, help="of it, at its end, with embeddings in 4 bits")
    parser.add_argument("--aside-documents", type=int, default=8, help="of each text that was put aside, to be measured while training")
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    if args.only_export and not args.start:
        raise SystemExit("--only-export needs --from, the checkpoint to write")
    if not args.only_export and (not args.texts or args.minutes is None):
        raise SystemExit("training needs texts and --minutes")
    if args.width % 2:
        raise SystemExit("--width must be even: two values of an embedding share a byte")
    args.out.mkdir(parents=True, exist_ok=True)
    saved = read_checkpoint(args.start) if args.start else None
    if not args.only_export:
        training, batches, aside = begin(args, saved)
        train(training, batches, aside, args.minutes, args.quantized_share, args.out)
        saved = read_checkpoint(args.out / "punctuation.pt")
    from punctuation_file import write_punctuation

    file = args.out / "punctuation.bin"
    write_punctuation(file, saved["words"], saved["names"], saved["forms"], saved["weights"])
    print(f"{file}: {len(saved['words'])} words, {file.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
