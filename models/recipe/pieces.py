"""Choose which of an English Whisper's tokens a decoder keeps: the most frequent in mixed-case text, one a line as GPT-2 writes bytes.

    python pieces.py books/* text/*.txt --tokenizer tokenizer.json --rendered data/train/rendered.jsonl --out data/pieces.txt

Special tokens other than three, and what has digits, brackets or letters beyond ASCII, are dropped: numbers are spelled out. A dropped token is
written as the two that byte-pair encoding made it of.
"""

import argparse
import json
import re
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from tokenizers import Tokenizer
from tqdm import tqdm

from sentences import SILENT, chapters, read_text

LINES_AT_ONCE = 10_000
SPECIAL = ("<|startoftranscript|>", "<|notimestamps|>", "<|endoftext|>")
START, NO_TIMES, END = range(3)
# `Ġ` is a space, `Ċ` a line feed.
PLAIN = str.maketrans({"’": "'", "‘": "'", "“": '"', "”": '"', "—": "-", "…": "."})
SPOKEN = re.compile(r"Ġ?[A-Za-z]+|Ġ?[.,;:?!'\"–-]+|Ġ?'[a-z]+|Ġ")


class Pieces:
    """The kept tokens: ids in a decoder made smaller, and in Whisper's own."""

    def __init__(self, tokenizer: Path, kept: list[str]):
        self.tokens = kept
        self.ids = {token: index for index, token in enumerate(kept)}
        self.tokenizer = Tokenizer.from_file(str(tokenizer))
        self.halves = halves_of(tokenizer)
        self.whisper_ids = [self.tokenizer.token_to_id(token) for token in kept]

    def encode(self, text: str) -> list[int]:
        tokens = self.tokenizer.encode(" " + text.strip(), add_special_tokens=False).tokens
        return [self.ids[piece] for token in tokens for piece in split(token, self.ids, self.halves)]

    def text(self, ids: list[int]) -> str:
        """All that is kept is ASCII."""
        return "".join(self.tokens[i] for i in ids if i > END).replace("Ġ", " ").strip()


def halves_of(tokenizer: Path) -> dict[str, tuple[str, str]]:
    merges = json.loads(tokenizer.read_text())["model"]["merges"]
    pairs = [tuple(merge.split(" ") if isinstance(merge, str) else merge) for merge in merges]
    return {first + second: (first, second) for first, second in pairs}


def split(token: str, kept: dict, halves: dict[str, tuple[str, str]]) -> list[str]:
    """The kept pieces of a token; a character of which none is kept is lost."""
    if token in kept:
        return [token]
    return [piece for half in halves.get(token, ()) for piece in split(half, kept, halves)]


def lines_of(source: Path) -> Iterator[str]:
    """The lines of a text, or the paragraphs of a book's folder."""
    if source.is_dir():
        return (text for chapter in chapters(source) for text in read_text(chapter))
    return iter(open(source, errors="replace"))


def count_tokens(model: Tokenizer, source: Path) -> Counter:
    seen, lines = Counter(), lines_of(source)
    while batch := list(islice(lines, LINES_AT_ONCE)):
        plain = [" " + " ".join(SILENT.sub("", line).translate(PLAIN).split()) for line in batch]
        for encoding in model.encode_batch(plain, add_special_tokens=False):
            seen.update(encoding.tokens)
    return seen


def choose(tokenizer: Path, sources: list[Path], transcripts: list[str], count: int) -> list[str]:
    """All single characters that may be spoken, the tokens of the transcripts, then the most frequent; what no source has, as GPT-2 merged it.

    They come in the order of Whisper's ids, which is that of the merges: byte-pair encoding needs nothing else."""
    model, halves, seen = Tokenizer.from_file(str(tokenizer)), halves_of(tokenizer), Counter()
    for source in tqdm(sources, unit="text"):
        seen += count_tokens(model, source)
    transcribed = sorted({token for text in transcripts for token in model.encode(" " + text, add_special_tokens=False).tokens if SPOKEN.fullmatch(token)})
    vocabulary = [token for token in model.get_vocab() if SPOKEN.fullmatch(token)]
    single = [token for token in vocabulary if token not in halves]
    frequent = sorted(set(vocabulary) - set(single), key=lambda token: (-seen[token], model.token_to_id(token)))
    kept = list(dict.fromkeys([*sorted(single), *transcribed, *frequent]))[: count - len(SPECIAL)]
    return [*SPECIAL, *sorted(kept, key=model.token_to_id)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sources", nargs="+", type=Path, help="texts with a sentence a line in their original form, and books as sentences.py reads them")
    parser.add_argument("--tokenizer", type=Path, required=True, help="Whisper's tokenizer.json")
    parser.add_argument("--rendered", type=Path, help="transcripts by render.py, whose tokens are kept first")
    parser.add_argument("--count", type=int, default=18000)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    lines = args.rendered.read_text().splitlines() if args.rendered else []
    transcripts = [json.loads(line)["rendered"] for line in lines]
    args.out.write_text("\n".join(choose(args.tokenizer, args.sources, transcripts, args.count)) + "\n")


if __name__ == "__main__":
    main()
