"""Transcribes recordings on Ray, and prints what became of them.

    python archive.py OUTPUT FILE...

Without a cluster, Ray runs on this machine's cores. Run again, it does what is not done yet.
"""

import sys

import pyarrow.parquet as pq

import mynah.ray


def main() -> None:
    if len(sys.argv) < 3:
        sys.exit("usage: python archive.py OUTPUT FILE...")
    output, *files = sys.argv[1:]
    summary = mynah.ray.transcribe(files, output)
    for row in pq.read_table(f"{output}/parquet").sort_by("path").to_pylist():
        print(f"{row['path']}: {row['error'] or row['text']}")
    hours = summary.audio_seconds / 3600
    print(
        f"{summary.transcribed} transcribed ({hours:.2f} h), {summary.failed} failed, {summary.skipped} done before",
        file=sys.stderr,
    )


if __name__ == "__main__":
    main()
