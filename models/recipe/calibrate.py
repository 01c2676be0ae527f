"""Make word times and confidences true: fit the `words` section of a model's `config.json`.

    python calibrate.py MANIFEST.jsonl --model ../en-small --plot reliability.png

The recognizer transcribes the manifest's recordings. Times are compared with PocketSphinx's forced alignment of the
references, confidences with which words are right. Shifts are medians; confidence is fitted by logistic regression on
the log-odds of the product of a word's token probabilities (Platt 1999).
"""

import argparse
import json
import subprocess
from pathlib import Path

import matplotlib
import numpy as np
import soundfile
from pocketsphinx import Decoder

from align import align
from prepare import SAMPLE_RATE
from text import normalize

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402

BINS = 10
UNCALIBRATED = {"start_shift_ms": 0.0, "end_shift_ms": 0.0, "confidence_slope": 1.0, "confidence_offset": 0.0}


def transcribe(program: str, model: Path, files: list[Path]) -> dict[str, list[dict]]:
    """Return the words that the recognizer finds in each file."""
    command = [program, "transcribe", "--format", "jsonl", "--model", model, *files]
    words = {str(file): [] for file in files}
    for line in subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True).stdout.splitlines():
        utterance = json.loads(line)
        words[utterance["file"]] += utterance["words"]
    return words


def matches(reference: list[str], found: list[str]) -> list[tuple[int, int]]:
    """Return the index pairs of equal words in an alignment with the fewest edits."""
    costs = np.zeros((len(reference) + 1, len(found) + 1), int)
    costs[:, 0], costs[0] = range(len(reference) + 1), range(len(found) + 1)
    for i, r in enumerate(reference, 1):
        for j, f in enumerate(found, 1):
            costs[i, j] = min(costs[i - 1, j - 1] + (r != f), costs[i - 1, j] + 1, costs[i, j - 1] + 1)
    pairs, i, j = [], len(reference), len(found)
    while i and j:
        equal = reference[i - 1] == found[j - 1]
        if costs[i, j] == costs[i - 1, j - 1] + (not equal):
            i, j = i - 1, j - 1
            pairs += [(i, j)] if equal else []
        elif costs[i, j] == costs[i - 1, j] + 1:
            i -= 1
        else:
            j -= 1
    return pairs


def gather(manifest: Path, found: dict[str, list[dict]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return (start error, end error) of the right words in seconds, and each word's confidence and whether it is right."""
    decoder = Decoder(samprate=SAMPLE_RATE, lm=None, loglevel="FATAL")
    errors, confidences, right = [], [], []
    for item in map(json.loads, manifest.read_text().splitlines()):
        path = manifest.parent / item["audio"]
        words, reference = found[str(path)], normalize(item["text"]).split()
        pairs = matches(reference, [word["text"] for word in words])
        hits = {j for _, j in pairs}
        confidences += [word["confidence"] for word in words]
        right += [j in hits for j in range(len(words))]
        samples, rate = soundfile.read(path, dtype="int16")
        if rate != SAMPLE_RATE or samples.ndim > 1:
            raise ValueError(f"{path}: expected one channel of {SAMPLE_RATE} Hz")
        times = align(decoder, samples, " ".join(reference))
        for i, j in pairs if times else []:
            start, end = (t / SAMPLE_RATE for t in times[i])
            errors.append([words[j]["start"] - start, words[j]["end"] - end])
    return np.array(errors), np.array(confidences), np.array(right, float)


def log_odds(probability: np.ndarray) -> np.ndarray:
    clipped = np.clip(probability, 1e-3, 1 - 1e-3)  # the program writes three places
    return np.log(clipped / (1 - clipped))


def fit_logistic(x: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    """Return slope and offset of the likeliest logistic curve, by Newton's method."""
    design, weights = np.stack([x, np.ones_like(x)], 1), np.zeros(2)
    for _ in range(50):
        p = 1 / (1 + np.exp(-design @ weights))
        curvature = (design * (p * (1 - p))[:, None]).T @ design + 1e-9 * np.eye(2)
        weights += np.linalg.solve(curvature, design.T @ (y - p))
    return tuple(weights)


def bins(confidence: np.ndarray, right: np.ndarray) -> list[tuple[float, float, float]]:
    """Return (mean confidence, share that is right, share of all words) of each bin that holds words."""
    index = np.minimum((confidence * BINS).astype(int), BINS - 1)
    held = [index == i for i in range(BINS) if (index == i).any()]
    return [(confidence[h].mean(), right[h].mean(), h.mean()) for h in held]


def expected_error(confidence: np.ndarray, right: np.ndarray) -> float:
    """Expected calibration error (Naeini et al. 2015)."""
    return sum(abs(mean - share) * weight for mean, share, weight in bins(confidence, right))


def plot(path: Path, curves: dict[str, np.ndarray], right: np.ndarray) -> None:
    figure, axes = plt.subplots(figsize=(4.5, 4.5))
    axes.plot([0, 1], [0, 1], color="grey", linewidth=0.8)
    for label, confidence in curves.items():
        means, shares, _ = zip(*bins(confidence, right))
        axes.plot(means, shares, marker="o", label=f"{label}: error {expected_error(confidence, right):.3f}")
    axes.set(xlabel="confidence", ylabel="share of words that are right", xlim=(0, 1), ylim=(0, 1))
    axes.legend()
    figure.tight_layout()
    figure.savefig(path, dpi=120)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("manifest", type=Path, help="recordings at 16 kHz that the model has not been trained on")
    parser.add_argument("--model", type=Path, required=True, help="the folder whose config.json is completed")
    parser.add_argument("--mynah", default="mynah", help="the program")
    parser.add_argument("--plot", type=Path, help="where to draw the reliability diagram")
    args = parser.parse_args()

    config_path = args.model / "config.json"
    config = json.loads(config_path.read_text())
    config["words"] = UNCALIBRATED
    config_path.write_text(json.dumps(config, indent=2) + "\n")
    items = map(json.loads, args.manifest.read_text().splitlines())
    found = transcribe(args.mynah, args.model, [args.manifest.parent / item["audio"] for item in items])
    errors, confidence, right = gather(args.manifest, found)

    shifts = -np.median(errors, 0)
    # Fitted on one half of the words and judged on the other; what is written is fitted on all.
    odds, half = log_odds(confidence), np.arange(len(right)) % 2 == 0
    slope, offset = fit_logistic(odds[half], right[half])
    judged = 1 / (1 + np.exp(-(slope * odds[~half] + offset)))
    slope, offset = fit_logistic(odds, right)
    config["words"] = {
        "start_shift_ms": round(1000 * shifts[0]),
        "end_shift_ms": round(1000 * shifts[1]),
        "confidence_slope": round(slope, 3),
        "confidence_offset": round(offset, 3),
    }
    config_path.write_text(json.dumps(config, indent=2) + "\n")
    for name, error, shift in zip(("start", "end"), errors.T, shifts):
        before, after = (1000 * np.median(np.abs(e)) for e in (error, error + shift))
        print(f"word {name}: median error {before:.0f} ms before, {after:.0f} ms after a shift of {1000 * shift:.0f} ms")
    before, after = expected_error(confidence[~half], right[~half]), expected_error(judged, right[~half])
    print(f"confidence of {len(right)} words: expected calibration error {before:.3f} before, {after:.3f} after")
    if args.plot:
        plot(args.plot, {"before": confidence[~half], "after": judged}, right[~half])


if __name__ == "__main__":
    main()
