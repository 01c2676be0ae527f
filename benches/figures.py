#!/usr/bin/env python3
"""Measures the figures of README.md, docs/measurements.md and models/README.md, and writes them there.

    benches/figures.py errors   # word error rates, on all cores
    benches/figures.py costs    # real-time factors, latencies, memory: on a quiet machine alone
    benches/figures.py write    # the tables between the marks `<!-- figures: NAME -->` and `<!-- end -->`
    benches/figures.py check    # fails if a table is not that of the results

Results are kept in benches/figures.json. MYNAH names the program, MYNAH_SPEECH the folder of the manifests. Error rates have
95 % confidence intervals by speaker: speakers are drawn with replacement 10,000 times (Bisani and Ney 2004), and
recordings without a speaker are speakers of their own.
"""

import json
import os
import random
import re
import statistics
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benches" / "figures.json"
PAGES = [ROOT / "README.md", ROOT / "docs" / "measurements.md", ROOT / "models" / "README.md"]
MYNAH = os.environ.get("MYNAH", str(ROOT / "target" / "release" / "mynah"))
SPEECH = Path(os.environ.get("MYNAH_SPEECH", ROOT.parent / "shared" / "speech"))

MODES = {
    "default": [],
    "en-decoder": ["--second-model", str(ROOT / "models" / "en-decoder")],
    "single-pass": ["--single-pass"],
    "greedy": ["--single-pass", "--decoding", "greedy"],
}
SETS = {"today's speech": "dev-modern.jsonl", "audiobooks": "dev-librispeech.jsonl"}
# The modes of which each set's errors are measured.
ERROR_MODES = {"today's speech": ["default", "en-decoder"], "audiobooks": ["default", "en-decoder", "single-pass", "greedy"]}
DOMAINS = {
    "dictation": "dictation",
    "commands": "command",
    "spelled aloud": "spelled",
    "talks": "talk",
    "read texts": "read-modern",
    "Common Voice": "common-voice",
}
SPEAKER_DRAWS = 10_000
RUNS = 3
# Every so many recordings, for the real-time factors: some three minutes of audio each.
COST_EVERY = {"today's speech": "4", "audiobooks": "10"}


def run(*arguments):
    command = [MYNAH, *map(str, arguments)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"figures: {' '.join(command)} failed")
    return done.stdout


def load():
    return json.loads(RESULTS.read_text()) if RESULTS.exists() else {}


def save(results):
    RESULTS.write_text(json.dumps(results, indent=2, sort_keys=True) + "\n")


def speaker_of(entry):
    """The recording's speaker; LibriSpeech's files are named after theirs."""
    name = re.match(r".*/ls(\d+)/", entry["audio"])
    return entry.get("speaker") or (name and name.group(1)) or entry["audio"]


def interval(recordings):
    """The 2.5th and 97.5th percentile of the error rate, with speakers drawn anew."""
    speakers = defaultdict(lambda: [0, 0])
    for speaker, wrong, words in recordings:
        speakers[speaker][0] += wrong
        speakers[speaker][1] += words
    speakers = list(speakers.values())
    draw = random.Random(1)
    rates = []
    for _ in range(SPEAKER_DRAWS):
        drawn = draw.choices(speakers, k=len(speakers))
        rates.append(sum(wrong for wrong, _ in drawn) / sum(words for _, words in drawn))
    rates.sort()
    return rates[SPEAKER_DRAWS // 40], rates[-SPEAKER_DRAWS // 40]


def rate(recordings):
    wrong = sum(wrong for _, wrong, _ in recordings)
    words = sum(words for _, _, words in recordings)
    low, high = interval(recordings)
    return {"rate": wrong / words, "low": low, "high": high, "words": words, "recordings": len(recordings)}


def measure_errors(results):
    cores = str(os.cpu_count())
    for name, manifest in SETS.items():
        path = SPEECH / manifest
        lines = path.read_text().splitlines()
        of_line = {number: json.loads(line) for number, line in enumerate(lines, 1) if line.strip()}
        for mode in ERROR_MODES[name]:
            with tempfile.NamedTemporaryFile(suffix=".jsonl") as file:
                run("eval", path, "-j", cores, "--hypotheses", file.name, *MODES[mode])
                hypotheses = [json.loads(line) for line in Path(file.name).read_text().splitlines()]
            rows = defaultdict(list)
            for hypothesis in hypotheses:
                entry = of_line[hypothesis["line"]]
                errors = hypothesis["words"]
                wrong = errors["substitutions"] + errors["deletions"] + errors["insertions"]
                row = (speaker_of(entry), wrong, errors["reference"])
                rows["all"].append(row)
                rows[entry.get("domain", "all of one")].append(row)
            table = results.setdefault("errors", {}).setdefault(name, {})
            table[mode] = {domain: rate(recordings) for domain, recordings in rows.items()}
            print(f"{name}, {mode}: {table[mode]['all']['rate']:.2%}", flush=True)
            save(results)


def measure_costs(results):
    factors = defaultdict(list)
    benches = defaultdict(list)
    for _ in range(RUNS):
        for name, manifest in SETS.items():
            for mode, options in MODES.items():
                report = json.loads(run("eval", SPEECH / manifest, "--every", COST_EVERY[name], "--json", *options))
                factors[name, mode].append(report["real_time_factor"])
        for mode in ["default", "en-decoder"]:
            benches[mode].append(json.loads(run("bench", "--json", *MODES[mode])))
    costs = results["costs"] = {"real_time_factor": defaultdict(dict), "bench": {}}
    for (name, mode), values in factors.items():
        costs["real_time_factor"][name][mode] = statistics.median(values)
    for mode, reports in benches.items():
        costs["bench"][mode] = median_report(reports)
    costs["machine"] = benches["default"][0]["machine"]
    costs["program_mb"] = Path(MYNAH).stat().st_size / 1e6
    save(results)


def median_report(reports):
    """Of reports of one form the median of each number."""
    first = reports[0]
    if isinstance(first, dict):
        return {key: median_report([report[key] for report in reports]) for key in first}
    if isinstance(first, (int, float)) and not isinstance(first, bool):
        return statistics.median(reports)
    return first


def percent(figure, with_interval=True):
    text = f"{100 * figure['rate']:.1f} %"
    if figure["low"] == figure["high"]:
        return f"{text} (one speaker)"
    return f"{text} ({100 * figure['low']:.1f}–{100 * figure['high']:.1f})" if with_interval else text


def error_table(results):
    today, books = results["errors"]["today's speech"], results["errors"]["audiobooks"]
    lines = ["| word error rate (95 % interval by speaker) | Mynah | with `en-decoder` |", "| --- | --- | --- |"]
    recordings = today["default"]["all"]["recordings"]
    rows = [(f"`dev-modern`: mixed speech, {recordings} recordings", today, "all")]
    rows += [(f"– {label}", today, domain) for label, domain in DOMAINS.items()]
    rows += [(f"`dev-librispeech`: audiobooks, {books['default']['all']['recordings']} recordings", books, "all")]
    for label, table, domain in rows:
        lines.append(f"| {label} | {percent(table['default'][domain])} | {percent(table['en-decoder'][domain])} |")
    return lines


def baseline_table(results):
    books = results["errors"]["audiobooks"]
    lines = ["| audiobooks | word error rate |", "| --- | --- |"]
    labels = {"single-pass": "`--single-pass`", "greedy": "`--single-pass --decoding greedy`"}
    return lines + [f"| {label} | {percent(books[mode]['all'])} |" for mode, label in labels.items()]


def cost_table(results):
    costs = results["costs"]
    factors = costs["real_time_factor"]["today's speech"]
    bench = costs["bench"]
    machine = costs["machine"]

    def both(of):
        return f"{of(bench['default'])} | | {of(bench['en-decoder'])}"

    def memory(report):
        return f"{report['memory']['resident_mb']:.0f} MB, {report['memory']['own_mb']:.0f} MB"

    return [
        "| cost | Mynah | `--single-pass` | with `en-decoder` |",
        "| --- | --- | --- | --- |",
        f"| real-time factor on one core ({machine['cpu']}, {machine['features'][0].upper()}) "
        f"| {factors['default']:.3f} | {factors['single-pass']:.3f} | {factors['en-decoder']:.3f} |",
        f"| final after the end of the audio | {both(lambda b: format(b['latency_seconds']['flushed_final']['p50'], '.2f') + ' s')} |",
        f"| start-up | {both(lambda b: format(b['start_up_seconds'], '.2f') + ' s')} |",
        f"| resident memory; anonymous memory | {both(memory)} |",
        f"| program | {costs['program_mb']:.1f} MB | | 36.9 MB more |",
    ]


def factor_table(results):
    factors = results["costs"]["real_time_factor"]
    labels = {
        "greedy": "`--single-pass --decoding greedy`: features and encoder",
        "single-pass": "`--single-pass`",
        "default": "default",
        "en-decoder": "`--second-model models/en-decoder`",
    }
    heads = [f"`{SETS[name]} --every {COST_EVERY[name]}` | ratio" for name in factors]
    lines = ["| | " + " | ".join(heads) + " |", "| --- | " + "--- | --- | " * len(heads)]
    for mode, label in labels.items():
        cells = [f"{table[mode]:.3f} | {table[mode] / table['greedy']:.1f}" for table in factors.values()]
        lines.append(f"| {label} | " + " | ".join(cells) + " |")
    return [line.rstrip() for line in lines]


def bench_table(results):
    bench = results["costs"]["bench"]

    def row(label, of):
        return f"| {label} | {of(bench['default'])} | {of(bench['en-decoder'])} |"

    def milliseconds(seconds):
        return f"{1000 * seconds:.0f}"

    def final(b):
        return b["latency_seconds"]["flushed_final"]

    return [
        "| | default | with `en-decoder` |",
        "| --- | --- | --- |",
        row("start-up", lambda b: milliseconds(b["start_up_seconds"]) + " ms"),
        row("second pass ready", lambda b: milliseconds(b["second_pass_seconds"]) + " ms"),
        row(
            "computing per 640 ms chunk, p50 / p99",
            lambda b: f"{b['chunk_compute']['p50_ms']:.1f} / {b['chunk_compute']['p99_ms']:.1f} ms",
        ),
        row("latency of a word in a partial result, p50", lambda b: milliseconds(b["latency_seconds"]["partial"]["p50"]) + " ms"),
        row(
            "final after the end of the audio, p50 / p95",
            lambda b: f"{milliseconds(final(b)['p50'])} / {milliseconds(final(b)['p95'])} ms",
        ),
        row("of it computing, p50", lambda b: milliseconds(final(b)["compute"]["p50"]) + " ms"),
        row("resident memory", lambda b: f"{b['memory']['resident_mb']:.0f} MB"),
        row("of it not backed by a file", lambda b: f"{b['memory']['own_mb']:.0f} MB"),
        row(
            "share of encoder / search / finals in the computing",
            lambda b: " / ".join(f"{100 * b['stages'][stage]:.0f}" for stage in ["encoder", "search", "finals"]) + " %",
        ),
    ]


TABLES = {
    "errors": error_table,
    "baselines": baseline_table,
    "costs": cost_table,
    "factors": factor_table,
    "bench": bench_table,
}


def rendered(text, results):
    def table(mark):
        needed = "errors" if mark.group(2) in ("errors", "baselines") else "costs"
        if needed not in results:
            return mark.group(0)
        return mark.group(1) + "\n" + "\n".join(TABLES[mark.group(2)](results)) + "\n<!-- end -->"

    return re.sub(r"(<!-- figures: (\w+) -->)\n.*?<!-- end -->", table, text, flags=re.DOTALL)


def main():
    command = sys.argv[1] if len(sys.argv) == 2 else None
    results = load()
    if command == "errors":
        measure_errors(results)
    elif command == "costs":
        measure_costs(results)
    elif command in ("write", "check"):
        for page in PAGES:
            text = page.read_text()
            new = rendered(text, results)
            if command == "write":
                page.write_text(new)
            elif new != text:
                sys.exit(f"figures: {page.relative_to(ROOT)} does not show the results; run benches/figures.py write")
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
