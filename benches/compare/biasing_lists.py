"""Writes a manifest with lists of hotwords, for the errors of rare words and of others.

    python biasing_lists.py dev.jsonl train.jsonl lists.jsonl --distractors 100
    mynah eval lists.jsonl

A recording's rare words are those outside the most frequent of the training text; its list has them
and as many distractors: rare words of other recordings, and where those are too few, of the training
text. As in Le et al., "Contextualized Streaming End-to-End Speech Recognition with Trie-Based Deep
Biasing and Shallow Fusion" (2021, arXiv 2104.02194).
"""

import argparse
import collections
import json
import pathlib
import random


def read(path: pathlib.Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("manifest", type=pathlib.Path, help="the recordings: JSON lines with `audio` and `text`")
    parser.add_argument("training", type=pathlib.Path, help="what counts words: JSON lines with `text`")
    parser.add_argument("output", type=pathlib.Path)
    parser.add_argument("--distractors", type=int, default=100, help="per recording")
    parser.add_argument("--boost", type=float, help="of every hotword, instead of the default")
    parser.add_argument("--no-hotwords", action="store_true", help="only name the rare words")
    parser.add_argument("--frequent", type=int, default=5000, help="words that are not rare")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()

    rows = read(options.manifest)
    counts = collections.Counter(word for row in read(options.training) for word in row["text"].split())
    frequent = {word for word, _ in counts.most_common(options.frequent)}
    rare = [sorted(set(row["text"].split()) - frequent) for row in rows]
    pool = {word for words in rare for word in words}
    if len(pool) < 2 * options.distractors:
        pool |= set(counts) - frequent
    pool = sorted(pool)
    chance = random.Random(options.seed)
    folder = options.manifest.resolve().parent
    with options.output.open("w", encoding="utf-8") as out:
        for row, own in zip(rows, rare):
            distractors = chance.sample([word for word in pool if word not in own], options.distractors)
            hotwords = [] if options.no_hotwords else own + distractors
            if options.boost is not None:
                hotwords = [f"{word}:{options.boost}" for word in hotwords]
            line = {
                "audio": str(folder / row["audio"]),
                "text": row["text"],
                "hotwords": hotwords,
                "rare_words": own,
            }
            out.write(json.dumps(line, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
