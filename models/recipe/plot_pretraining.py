"""Draw the curves of pre-training runs: `python plot_pretraining.py runs/wav2vec2 runs/hubert --out curves.svg`.

Loss, accuracy on masked frames, codebook perplexity and the spread of representations over the updates, a line a run.
"""

import argparse
import json
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402

from plot import read_curve  # noqa: E402

PANELS = {
    "loss": "loss",
    "accuracy": "accuracy, masked frames",
    "perplexity": "codebook perplexity",
    "spread": "spread (0: collapse)",
}


def draw(runs: list[Path], out: Path) -> None:
    plt.rcParams["svg.fonttype"] = "none"
    figure, axes = plt.subplots(1, len(PANELS), figsize=(10, 2.6), layout="constrained")
    for run in runs:
        lines = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
        for axis, key in zip(axes, PANELS):
            steps, values = read_curve(lines, key)
            axis.plot(steps, values, linewidth=0.9, label=run.name)
    for axis, title in zip(axes, PANELS.values()):
        axis.set(xlabel="updates", title=title, ylim=(0, None))
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=len(runs), frameon=False)
    # No date, so that the same curves give the same file.
    figure.savefig(out, dpi=90, metadata={"Date": None} if out.suffix == ".svg" else None)
    plt.close(figure)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", type=Path, nargs="+", help="folders that pretrain.py wrote")
    parser.add_argument("--out", type=Path, required=True, help=".svg or .png")
    args = parser.parse_args()
    draw(args.runs, args.out)


if __name__ == "__main__":
    main()
