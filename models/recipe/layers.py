"""What each layer of encoders carries: correlation with log-mels and with words (CCA), and a linear phone probe, as a picture.

    python layers.py my-recordings/dev.jsonl --encoders ours=runs/hubert/pretrained.pt tiny.en=model.bin wav2vec2=wav2vec2-base/ --out layers.svg

Word and phone times come from forced alignment (`phone_times.py`), encoders from `layer_states.py`. All three figures are of recordings other than
those that they were fitted on: every third one. The layer with the most phones is marked, the one to distil from. `layers.json` beside the
picture has the figures.
"""

import argparse
import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import matplotlib
import numpy as np
import torch
import torch.nn.functional as F
from tqdm import tqdm

import cca
from features import LogMel
from layer_states import SAMPLE_RATE, States, open_encoder
from lexicon import PHONE_IDS
from phone_times import Segment, aligned, make_decoder
from prepare import read_audio
from text import normalize

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402

HELD_EVERY = 3
FEWEST_OF_A_WORD = 5
MEASURES = {"mel": "CCA with log-mels", "word": "CCA with words", "phone": "phone probe, % of phones right"}


@dataclass
class Recording:
    samples: np.ndarray
    words: list[Segment]
    phones: list[Segment]
    held: bool


@dataclass
class Labels:
    """What the states are compared with: a row a phone or a word, in the order of the recordings."""

    mels: np.ndarray  # (phones, mel), around the middle of each
    phones: np.ndarray  # (phones,) ids
    phone_held: np.ndarray
    words: np.ndarray  # (words, vocabulary), one-hot
    word_kept: np.ndarray  # (all words,) whether a word is frequent enough
    word_held: np.ndarray


def load(manifest: Path, every: int) -> list[Recording]:
    recordings, decoder = [], make_decoder()
    for line in tqdm(manifest.read_text().splitlines()[::every], desc="aligning", mininterval=5):
        item = json.loads(line)
        samples = read_audio(manifest.parent / item["audio"])
        words, phones = aligned(decoder, samples, normalize(item["text"]))
        if words and phones:
            recordings.append(Recording(samples, words, phones, len(recordings) % HELD_EVERY == HELD_EVERY - 1))
    if len(recordings) < HELD_EVERY:
        raise SystemExit(f"{manifest}: {len(recordings)} recordings could be aligned, too few for an analysis")
    return recordings


def label(recordings: list[Recording]) -> Labels:
    log_mel, mels = LogMel(), []
    for recording in recordings:
        frames = log_mel(torch.from_numpy(recording.samples)).numpy()
        middles = [round(50 * (phone.start + phone.end)) for phone in recording.phones]
        mels += [frames[max(0, min(m, len(frames) - 1) - 2) : m + 3].mean(0) for m in middles]
    phones = [(PHONE_IDS[p.label], r.held) for r in recordings for p in r.phones]
    words = [(w.label, r.held) for r in recordings for w in r.words]
    count = Counter(word for word, held in words if not held)
    vocabulary = {word: i for i, word in enumerate(sorted(w for w, n in count.items() if n >= FEWEST_OF_A_WORD))}
    kept = np.array([word in vocabulary for word, _ in words])
    ids = np.array([vocabulary[word] for word, _ in words if word in vocabulary], int)
    return Labels(
        np.stack(mels), np.array([p for p, _ in phones]), np.array([h for _, h in phones]), np.eye(len(vocabulary))[ids], kept,
        np.array([h for _, h in words])[kept],
    )


def segment_states(encoder: States, recordings: list[Recording]) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """By layer: the state in the middle of each phone (phones, dim), and the mean state of each word (words, dim)."""
    of_phones, of_words = [], []
    for recording in tqdm(recordings, desc="encoding", mininterval=5):
        layers = encoder(recording.samples)
        seconds = len(recording.samples) / SAMPLE_RATE
        of_phones.append([layer[[at((p.start + p.end) / 2, layer, seconds) for p in recording.phones]] for layer in layers])
        of_words.append([np.stack([mean_of(w, layer, seconds) for w in recording.words]) for layer in layers])
    return [np.concatenate(layer) for layer in zip(*of_phones)], [np.concatenate(layer) for layer in zip(*of_words)]


def at(time: float, layer: np.ndarray, seconds: float) -> int:
    return min(int(time * len(layer) / seconds), len(layer) - 1)


def mean_of(word: Segment, layer: np.ndarray, seconds: float) -> np.ndarray:
    first = at(word.start, layer, seconds)
    return layer[first : max(first + 1, at(word.end, layer, seconds))].mean(0)


def probe(states: np.ndarray, phones: np.ndarray, held: np.ndarray, updates: int = 200) -> float:
    """Percent of held-out phones that a linear classifier of standardized states names."""
    torch.manual_seed(0)
    mean, scale = states[~held].mean(0), states[~held].std(0) + 1e-5
    x, y = torch.from_numpy((states - mean) / scale).float(), torch.from_numpy(phones)
    classifier = torch.nn.Linear(x.shape[1], len(PHONE_IDS))
    optimizer = torch.optim.AdamW(classifier.parameters(), 0.02, weight_decay=0.1)
    rates = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.02, updates)
    for _ in range(updates):
        optimizer.zero_grad()
        F.cross_entropy(classifier(x[~held]), y[~held]).backward()
        optimizer.step()
        rates.step()
    with torch.no_grad():
        return 100 * (classifier(x[held]).argmax(-1) == y[held]).float().mean().item()


def analyze(encoder: States, recordings: list[Recording], labels: Labels) -> dict[str, list[float]]:
    """Each measure of each layer; without two frequent words none of words."""
    figures = {measure: [] for measure in MEASURES}
    held, word_held = labels.phone_held, labels.word_held
    for phones, words in zip(*segment_states(encoder, recordings)):
        figures["mel"].append(round(cca.similarity(phones[~held], labels.mels[~held], phones[held], labels.mels[held]), 4))
        figures["phone"].append(round(probe(phones, labels.phones, held), 2))
        if labels.words.shape[1] > 1:
            x, y = words[labels.word_kept], labels.words
            figures["word"].append(round(cca.similarity(x[~word_held], y[~word_held], x[word_held], y[word_held]), 4))
    return figures


def draw(figures: dict[str, dict[str, list[float]]], out: Path) -> None:
    plt.rcParams["svg.fonttype"] = "none"
    figure, axes = plt.subplots(1, len(MEASURES), figsize=(10, 3), layout="constrained")
    for axis, (measure, title) in zip(axes, MEASURES.items()):
        for name, values in figures.items():
            (line,) = axis.plot(values[measure], marker=".", linewidth=0.9, label=name)
            if measure == "phone":
                best = int(np.argmax(values[measure]))
                axis.plot(best, values[measure][best], "o", markersize=9, fillstyle="none", color=line.get_color())
        axis.set(xlabel="layer", title=title, ylim=(0, None))
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=len(figures), frameon=False)
    figure.savefig(out, dpi=90, metadata={"Date": None} if out.suffix == ".svg" else None)
    plt.close(figure)


def read_encoder(text: str) -> tuple[str, Path]:
    name, _, path = text.partition("=")
    if not path:
        raise argparse.ArgumentTypeError(f"{text!r}: expected NAME=PATH")
    return name, Path(path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("manifest", type=Path)
    parser.add_argument("--encoders", type=read_encoder, nargs="+", required=True, metavar="NAME=PATH")
    parser.add_argument("--every", type=int, default=1, help="read every Nth recording")
    parser.add_argument("--out", type=Path, required=True, help=".svg or .png")
    args = parser.parse_args()
    recordings = load(args.manifest, args.every)
    labels, figures = label(recordings), {}
    print(f"{len(recordings)} recordings, {len(labels.phones)} phones, {labels.words.shape[1]} frequent words")
    for name, path in args.encoders:
        figures[name] = analyze(open_encoder(path), recordings, labels)
        best = int(np.argmax(figures[name]["phone"]))
        print(f"{name}: layer {best} of {len(figures[name]['phone']) - 1} names {figures[name]['phone'][best]:.1f} % of phones")
        args.out.with_suffix(".json").write_text(json.dumps(figures, indent=1) + "\n")
    draw(figures, args.out)


if __name__ == "__main__":
    main()
