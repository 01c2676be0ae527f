"""Speak sentences of public-domain books with Debian's `flite`, for vocabulary that little recorded speech has.

    python synthesize.py --hours 20 --exclude held-out-8grams.txt --out data/synthetic BOOK.txt …

Writes one manifest line a sentence, as `prepare.py` reads them. Sentences with digits or foreign
letters are skipped, so that the text is what was spoken.
"""

import argparse
import hashlib
import json
import random
import re
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import soundfile
from tqdm import tqdm

from text import normalize

VOICES = ["awb", "rms", "slt", "kal16"]
WORDS_PER_SENTENCE = (3, 24)


def read_sentences(path: Path) -> list[str]:
    """Return the book's sentences that are spelled in plain ASCII without digits or abbreviations."""
    page = re.sub(r"<[^>]+>", " ", path.read_text(errors="replace"))
    page = page.replace("’", "'").replace("‘", " ").replace("“", " ").replace("”", " ").replace("—", ", ")
    page = re.sub(r"[\u2000-\u206f\u00a0\s]+", " ", page)
    sentences = re.split(r"(?<=[.!?;])\s+", page)
    plain = re.compile(r"[A-Za-z',;:.!? -]+")
    abbreviated = re.compile(r"\b(?:Mrs?|Dr|St|Esq|etc|[A-Z])\.")
    return [s for s in sentences if plain.fullmatch(s) and not abbreviated.search(s)]


def is_held_out(words: list[str], excluded: set[str]) -> bool:
    """Tell whether any run of eight words hashes into the excluded set."""
    runs = (" ".join(words[i : i + 8]) for i in range(len(words) - 7))
    return any(hashlib.sha1(run.encode()).hexdigest()[:12] in excluded for run in runs)


def speak(index: int, sentence: str, voice: str, stretch: float, out: Path) -> dict | None:
    """Write one FLAC file and return its manifest line, or nothing where flite fails."""
    wav, flac = out / f"{index:06}.wav", out / f"{index:06}.flac"
    command = ["flite", "-voice", voice, "--setf", f"duration_stretch={stretch:.2f}", "-t", sentence, "-o", str(wav)]
    if subprocess.run(command, capture_output=True).returncode != 0 or not wav.exists():
        return None
    samples, rate = soundfile.read(wav, dtype="float32")
    wav.unlink()
    soundfile.write(flac, samples, rate)
    return {
        "audio": flac.name,
        "duration": round(len(samples) / rate, 3),
        "text": normalize(sentence),
        "speaker": f"flite-{voice}",
        "corpus": "synthetic",
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("books", nargs="+", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--hours", type=float, default=20)
    parser.add_argument("--exclude", type=Path, help="first 12 hex digits of SHA-1 of 8-word runs to keep out")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()

    excluded = set(args.exclude.read_text().split()) if args.exclude else set()
    rng = random.Random(args.seed)
    sentences = [s for book in args.books for s in read_sentences(book)]
    rng.shuffle(sentences)
    args.out.mkdir(parents=True, exist_ok=True)
    seconds, wanted = 0.0, args.hours * 3600
    with open(args.out / "manifest.jsonl", "w") as manifest, ThreadPoolExecutor(2) as pool:
        jobs = []
        for index, sentence in enumerate(sentences):
            words = normalize(sentence).split()
            if not WORDS_PER_SENTENCE[0] <= len(words) <= WORDS_PER_SENTENCE[1] or is_held_out(words, excluded):
                continue
            # About 0.4 s a word; a tenth more for safety.
            wanted -= 0.36 * len(words)
            if wanted < 0:
                break
            voice, stretch = rng.choice(VOICES), rng.uniform(0.85, 1.15)
            jobs.append(pool.submit(speak, index, sentence, voice, stretch, args.out))
        for job in tqdm(jobs, unit="sentence"):
            line = job.result()
            if line:
                seconds += line["duration"]
                manifest.write(json.dumps(line) + "\n")
    print(f"{seconds / 3600:.1f} hours of synthetic speech in {args.out}")


if __name__ == "__main__":
    main()
