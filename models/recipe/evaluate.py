"""Greedy error rates of a checkpoint in PyTorch, for choosing between runs.

    python evaluate.py runs/first/average.pt MANIFEST.jsonl --chunk 16 [--lexicon data/lexicon.txt]

The figures of the model card come from `mynah eval`, that is, from the product itself.
"""

import argparse
import json
from pathlib import Path

import torch
import torch.nn.functional as F

from checkpoint import load_checkpoint
from features import LogMel
from lexicon import Lexicon
from model import LogProbs, StreamingEncoder
from prepare import SAMPLE_RATE, read_audio
from text import decode, edit_distance, normalize


def load_recordings(manifest: Path) -> list[tuple[torch.Tensor, str]]:
    """Return (samples, normalized text) of each line."""
    items = [json.loads(line) for line in manifest.read_text().splitlines()]
    return [(torch.from_numpy(read_audio(manifest.parent / i["audio"])), normalize(i["text"])) for i in items]


@torch.no_grad()
def read_recording(model: StreamingEncoder, samples: torch.Tensor, chunk: int) -> LogProbs:
    """Encode one recording, padded as the runtime pads it: silence up to whole rows."""
    frames = LogMel(model.features)(F.pad(samples, (0, SAMPLE_RATE // 2)))
    block = 4 * model.config.left_context
    wanted = -(-len(frames) // block) * block + 1
    frames = F.pad(frames, (0, 0, 0, wanted - len(frames)), value=float(frames.min()))
    return model(frames[None], chunk, torch.zeros(1, 1))


def greedy_text(model: StreamingEncoder, samples: torch.Tensor, chunk: int) -> str:
    return decode(read_recording(model, samples, chunk).tokens[0].argmax(-1).tolist())


def phone_errors(model: StreamingEncoder, recordings: list, chunk: int, lexicon: Lexicon) -> dict:
    """The phone error rate in percent, of recordings whose words all have pronunciations, of several the first."""
    errors = phones = 0
    for samples, reference in recordings:
        if not all(words := [lexicon.pronunciations.get(word) for word in reference.split()]):
            continue
        expected = [phone for said in words for phone in said[0]]
        best = read_recording(model, samples, chunk).phones[0].argmax(-1).unique_consecutive().tolist()
        errors += edit_distance(expected, [phone for phone in best if phone])
        phones += len(expected)
    return {"per": round(100 * errors / max(phones, 1), 2)}


def greedy_errors(model: StreamingEncoder, recordings: list, chunk: int) -> dict:
    """Word and character error rates in percent, and an example."""
    words = characters = word_errors = character_errors = 0
    for samples, reference in recordings:
        hypothesis = greedy_text(model, samples, chunk)
        words += len(reference.split())
        characters += len(reference)
        word_errors += edit_distance(reference.split(), hypothesis.split())
        character_errors += edit_distance(list(reference), list(hypothesis))
    wer, cer = 100 * word_errors / words, 100 * character_errors / characters
    return {"wer": round(wer, 2), "cer": round(cer, 2), "reference": reference, "hypothesis": hypothesis}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("manifest", type=Path)
    parser.add_argument("--chunk", type=int, default=16, help="in 40 ms")
    parser.add_argument("--lexicon", type=Path, help="pronunciations by lexicon.py: phone errors too")
    args = parser.parse_args()
    model, recordings = load_checkpoint(args.checkpoint), load_recordings(args.manifest)
    rates = greedy_errors(model, recordings, args.chunk)
    if args.lexicon:
        if not model.phone_head:
            raise SystemExit(f"{args.checkpoint}: a model without phones; leave --lexicon out")
        rates |= phone_errors(model, recordings, args.chunk, Lexicon(args.lexicon))
    print(json.dumps(rates))


if __name__ == "__main__":
    main()
