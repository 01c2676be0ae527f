"""Rows as a table in Markdown and as a plot."""

from pathlib import Path

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot  # noqa: E402  the backend comes first

INTERPRETER = "python_mb"
Row = dict

# Title, value of a row, form of the value, whether the axis is logarithmic.
COLUMNS = [
    ("word error rate, %", lambda row: row["word_error_rate"], "{:.1f}", False),
    ("CPU seconds per hour of audio", lambda row: 3600 * row["cpu_seconds"] / row["audio_seconds"], "{:.0f}", True),
    ("first text after, s, p50", lambda row: row["first_text_seconds"]["p50"], "{:.2f}", False),
    ("final text after the end, s, p50", lambda row: row["end_latency_seconds"]["p50"], "{:.2f}", False),
    ("peak memory, MB", lambda row: row["peak_mb"], "{:.0f}", False),
]


def markdown(results: dict) -> str:
    lines = [
        "| | word error rate | CPU time | times Mynah's | first text, p50 / p95 | final text, p50 / p95 | peak memory |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    rows = results["rows"]
    for row in rows:
        first, end = row["first_text_seconds"], row["end_latency_seconds"]
        lines.append(
            f"| {row['name']} | {row['word_error_rate']:.1f} % | {row['cpu_seconds']:.0f} s "
            f"| {row['cpu_seconds'] / rows[0]['cpu_seconds']:.1f} | {first['p50']:.2f} / {first['p95']:.2f} s "
            f"| {end['p50']:.2f} / {end['p95']:.2f} s | {row['peak_mb']:.0f} MB |"
        )
    machine, recordings = results["machine"], results["recordings"]
    lines += [
        "",
        f"{recordings['count']} recordings of {recordings['manifest']}, {rows[0]['audio_seconds']:.0f} s of audio, one core of "
        f"{machine['processor']}; Python with NumPy and soundfile alone takes {machine[INTERPRETER]:.0f} MB.",
    ]
    return "\n".join(lines)


def plot(results: dict, path: Path) -> None:
    """A panel of bars for each column, a bar for each row."""
    rows = results["rows"]
    # Letters as text, so that the drawing stays small and can be searched.
    with pyplot.rc_context({"svg.fonttype": "none", "svg.hashsalt": "mynah", "font.size": 9}):
        figure, panels = pyplot.subplots(1, len(COLUMNS), figsize=(3 * len(COLUMNS), 0.4 * len(rows) + 1), sharey=True)
        names = [row["name"].replace(", ", ",\n") for row in rows]
        colors = ["tab:blue" if row["command"][0] == "mynah" else "tab:gray" for row in rows]
        for panel, (title, value, form, logarithmic) in zip(panels, COLUMNS):
            bars = panel.barh(names, [value(row) for row in rows], color=colors)
            panel.bar_label(bars, fmt=form.format, padding=2)
            panel.set_title(title, fontsize=9)
            if logarithmic:
                panel.set_xscale("log")
            panel.margins(x=0.25)
            panel.spines[["top", "right"]].set_visible(False)
        panels[0].invert_yaxis()
        figure.tight_layout()
        metadata = {"Date": None} if path.suffix == ".svg" else None
        figure.savefig(path, metadata=metadata)
