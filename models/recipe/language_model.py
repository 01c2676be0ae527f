"""Train an n-gram model with modified Kneser-Ney smoothing on sentences, by KenLM's `lmplz`, and prune it.

    python language_model.py data/sentences.txt --transcripts my-recordings/train.jsonl --out data/lm

Writes `text.txt`, `vocabulary.txt`, `full.arpa` and the pruned `en.arpa` to the folder. `lmplz` must be on the PATH;
the README says where it comes from. With `--dev`, KenLM's `query` prints the perplexity of a manifest's transcripts.
"""

import argparse
import json
import shutil
import subprocess
from collections import Counter
from pathlib import Path

from prune_arpa import count_histories, prune, read_arpa, write_arpa
from sentences import read_excluded, without_held_out
from text import normalize


def read_transcripts(manifests: list[Path]) -> list[str]:
    """Return each distinct transcript once."""
    lines = [line for manifest in manifests for line in manifest.read_text().splitlines()]
    return list(dict.fromkeys(filter(None, (normalize(json.loads(line).get("text") or "") for line in lines))))


def write_training_text(sentences: Path, transcripts: list[str], out: Path, min_count: int) -> None:
    """Write the text, and as vocabulary the words seen at least `min_count` times and all words of the transcripts."""
    counts, vocabulary = Counter(), {word for line in transcripts for word in line.split()}
    with open(sentences) as lines, open(out / "text.txt", "w") as text:
        for line in lines:
            counts.update(line.split())
            text.write(line)
        text.writelines(line + "\n" for line in transcripts)
    vocabulary |= {word for word, count in counts.items() if count >= min_count}
    (out / "vocabulary.txt").write_text("\n".join(sorted(vocabulary)) + "\n")
    known = f"{len(vocabulary)} words known"
    print(f"{out / 'text.txt'}: {counts.total()} words of books, {len(transcripts)} transcripts, {known}")


def estimate(out: Path, order: int, counts: list[int], memory: str) -> None:
    """Run `lmplz`; n-grams seen no more often than their order's count are left out."""
    command = ["lmplz", "--order", str(order), "--memory", memory, "--temp_prefix", f"{out}/"]
    command += ["--text", str(out / "text.txt"), "--arpa", str(out / "full.arpa")]
    command += ["--limit_vocab_file", str(out / "vocabulary.txt"), "--prune", *map(str, counts)]
    subprocess.run(command, check=True)


def print_perplexity(arpa: Path, manifest: Path) -> None:
    text = "\n".join(read_transcripts([manifest])) + "\n"
    command = ["query", "-v", "summary", str(arpa)]
    result = subprocess.run(command, input=text, capture_output=True, text=True, check=True)
    print(f"{arpa} on {manifest.name}: {', '.join(result.stdout.split(chr(10))[:4])}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sentences", type=Path, help="what sentences.py wrote")
    parser.add_argument("--transcripts", nargs="*", type=Path, default=[], help="training manifests, as more text")
    parser.add_argument("--exclude", type=Path, help="as of sentences.py, for the transcripts")
    parser.add_argument("--dev", type=Path, help="a manifest to print the perplexity of; never trained on")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--order", type=int, default=3)
    parser.add_argument("--min-count", type=int, default=2, help="how often the books must have a word")
    parser.add_argument("--prune-counts", nargs="+", type=int, default=[0, 0, 1], help="lmplz --prune, before pruning")
    parser.add_argument("--threshold", type=float, default=1.5e-7, help="as of prune_arpa.py; 0 keeps all")
    parser.add_argument("--memory", default="2G", help="for lmplz's sorting")
    args = parser.parse_args()
    if not shutil.which("lmplz"):
        raise SystemExit("lmplz is not on the PATH; build KenLM as README.md says under Language model")

    args.out.mkdir(parents=True, exist_ok=True)
    transcripts = without_held_out(read_transcripts(args.transcripts), read_excluded(args.exclude))
    write_training_text(args.sentences, transcripts, args.out, args.min_count)
    estimate(args.out, args.order, args.prune_counts, args.memory)
    words, levels = read_arpa(args.out / "full.arpa")
    pruned = prune(levels, count_histories(args.out / "text.txt", words, levels), args.threshold)
    write_arpa(args.out / "en.arpa", words, pruned)
    print(f"{args.out / 'en.arpa'}: {' + '.join(str(len(level.word)) for level in pruned)} n-grams")
    for arpa in ("full.arpa", "en.arpa") if args.dev else ():
        print_perplexity(args.out / arpa, args.dev)


if __name__ == "__main__":
    main()
