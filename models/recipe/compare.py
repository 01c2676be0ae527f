"""Fine-tune from pre-trained checkpoints and from scratch on 10 minutes, 1 hour and all of the labels: the table of the field, at any scale.

    python compare.py --data data/train --lexicon data/lexicon.txt --config configs/finetune-nano.json --steps 2000 --dev my-recordings/dev.jsonl \
        --rows wav2vec2=runs/wav2vec2/pretrained.pt hubert=runs/hubert/pretrained.pt --out runs/table

Each cell is a run of `train.py` with the same number of updates, and greedy error rates without a language model. The first row starts from
random weights. Running the same command again goes on where it stopped. `table.md` and `table.json` in `--out` have the rates.
"""

import argparse
import json
import os
from contextlib import redirect_stdout
from pathlib import Path
from statistics import mode

import train
from checkpoint import load_checkpoint, read_chunks
from evaluate import greedy_errors, load_recordings, phone_errors
from lexicon import Lexicon

SCRATCH = "scratch"


def column_name(hours: float | None) -> str:
    if hours is None:
        return "all"
    return f"{hours:g} h" if hours >= 1 else f"{60 * hours:.0f} min"


def read_row(text: str) -> tuple[str, Path]:
    name, _, path = text.partition("=")
    if not path or name == SCRATCH:
        raise argparse.ArgumentTypeError(f"{text!r}: expected NAME=CHECKPOINT, and {SCRATCH} is taken")
    return name, Path(path)


def read_hours(text: str) -> float | None:
    return None if text == "all" else float(text)


def training(args: argparse.Namespace, start: Path | None, hours: float | None, out: Path) -> list[str]:
    """The arguments of `train.py` for a cell."""
    words = ["--config", args.config, "--steps", args.steps, "--out", out, "--data", *args.data]
    words += ["--lexicon", args.lexicon] if args.lexicon else []
    words += ["--start", start] if start else []
    words += ["--label-hours", hours, "--label-seed", args.label_seed] if hours is not None else []
    return [str(word) for word in words]


def cell_settings(args: argparse.Namespace, start: Path | None, hours: float | None) -> dict:
    """What a cell's result depends on."""
    trained = [word for word in training(args, start, hours, Path()) if word != "."]
    return {"training": trained, "dev": str(args.dev), "every": args.every, "chunk": args.chunk}


def fill_cell(args: argparse.Namespace, start: Path | None, hours: float | None, out: Path) -> dict:
    """Train and evaluate a cell, unless its result is there."""
    settings, file = cell_settings(args, start, hours), out / "settings.json"
    if file.exists() and (before := json.loads(file.read_text())) != settings:
        raise SystemExit(f"{out}: a cell of other settings, {before}; choose another --out")
    file.write_text(json.dumps(settings) + "\n")
    if (out / "result.json").exists():
        return json.loads((out / "result.json").read_text())
    # The lines of its log are in the cell's folder.
    with open(os.devnull, "w") as nowhere, redirect_stdout(nowhere):
        train.main(training(args, start, hours, out))
    model, chunk = load_checkpoint(out / "average.pt"), args.chunk or mode(read_chunks(out / "average.pt"))
    recordings = load_recordings(args.dev)[:: args.every]
    rates = greedy_errors(model, recordings, chunk)
    if model.phone_head is not None and args.lexicon:
        rates |= phone_errors(model, recordings, chunk, Lexicon(args.lexicon))
    result = {"steps": args.steps, "hours": hours, "chunk": chunk, "recordings": len(recordings), **rates}
    (out / "result.json").write_text(json.dumps(result) + "\n")
    return result


def table(results: dict[str, dict[str, dict]], steps: int) -> str:
    """A Markdown table: phone and word error rates of each row and column that are there."""
    columns = list(dict.fromkeys(column for row in results.values() for column in row))
    lines = [f"| PER / WER after {steps} updates | " + " | ".join(columns) + " |", "| --- |" + " --- |" * len(columns)]
    for name, row in results.items():
        cells = [f"{row[c].get('per', '–')} / {row[c]['wer']}" if c in row else "" for c in columns]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, nargs="+", required=True, help="transcribed speech, as for train.py")
    parser.add_argument("--rows", type=read_row, nargs="*", default=[], metavar="NAME=CHECKPOINT")
    parser.add_argument("--hours", type=read_hours, nargs="+", default=[1 / 6, 1.0, None], help='of labels; "all" for all')
    parser.add_argument("--config", type=Path, required=True)
    parser.add_argument("--lexicon", type=Path)
    parser.add_argument("--steps", type=int, required=True, help="updates of each cell")
    parser.add_argument("--label-seed", type=int, default=1)
    parser.add_argument("--dev", type=Path, required=True, help="a manifest for the error rates, never for training")
    parser.add_argument("--every", type=int, default=1, help="of the manifest, read every Nth recording")
    parser.add_argument("--chunk", type=int, help="in 40 ms; default: the one trained on most")
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    results: dict[str, dict[str, dict]] = {}
    # Column by column, so that an interrupted table has whole columns.
    for hours in args.hours:
        for name, start in [(SCRATCH, None), *args.rows]:
            cell = args.out / f"{name}-{column_name(hours).replace(' ', '')}"
            cell.mkdir(parents=True, exist_ok=True)
            results.setdefault(name, {})[column_name(hours)] = fill_cell(args, start, hours, cell)
            (args.out / "table.json").write_text(json.dumps(results, indent=1) + "\n")
            (args.out / "table.md").write_text(table(results, args.steps))
    print(table(results, args.steps), end="")


if __name__ == "__main__":
    main()
