"""Draw a run's loss and error rates over its updates: `python plot.py runs/first` writes `runs/first/curves.png`.

    python plot.py runs/fourth --out ../en-small/curves.png
"""

import argparse
import json
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402


def read_curve(lines: list[dict], key: str) -> tuple[list[int], list[float]]:
    points = [(line["step"], line[key]) for line in lines if key in line]
    return [step for step, _ in points], [value for _, value in points]


def draw(log: Path, out: Path) -> None:
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    figure, losses = plt.subplots(figsize=(7, 3.5), layout="constrained")
    losses.plot(*read_curve(lines, "loss"), color="tab:gray", linewidth=0.8, label="training loss")
    losses.set(xlabel="updates", ylabel="CTC loss per token", ylim=(0, None))
    rates = losses.twinx()
    for key, colour in (("wer", "tab:red"), ("cer", "tab:blue")):
        rates.plot(*read_curve(lines, key), color=colour, marker=".", label=key.upper())
    rates.set(ylabel="errors, %", ylim=(0, None))
    figure.legend(loc="outside upper right", ncols=3, frameon=False)
    figure.savefig(out, dpi=90)
    plt.close(figure)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path, help="a folder that train.py wrote")
    parser.add_argument("--out", type=Path, help="default: curves.png in that folder")
    args = parser.parse_args()
    draw(args.run / "log.jsonl", args.out or args.run / "curves.png")


if __name__ == "__main__":
    main()
