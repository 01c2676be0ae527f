"""Let Whisper's decoder suggest to the beam what was said: a manifest whose hotwords are the word pairs of its text.

    python suggest.py dev.jsonl --whisper model.bin --vocabulary vocabulary.txt --boost 0.4 --out data/suggested.jsonl
    mynah eval data/suggested.jsonl

The decoder reads Whisper's encoder under the chunk mask of a stream, in chunks of `--chunk` encoder frames with as much left context,
with Mynah's frames and both as published: it tells what a decoder beside the encoder would bring, before there is one.
"""

import argparse
import json
import math
import os
from pathlib import Path

import torch
import torch.nn.functional as F
from tqdm import tqdm

from features import LogMel
from model import ModelConfig, StreamingEncoder
from prepare import SAMPLE_RATE, read_audio
from text import normalize
from whisper_decoder import Vocabulary, WhisperDecoder, greedy
from whisper_weights import read_variables

BEFORE, AFTER = 0.3, 0.5  # seconds of silence around a recording
TOKENS_PER_SECOND = 5
HEAD_DIM = 64
SPOKEN = {"MR": "MISTER", "MRS": "MISSUS", "DR": "DOCTOR"}


def streaming_encoder(variables: dict, left: int) -> StreamingEncoder:
    """Whisper's encoder with nothing new; `left` in encoder frames."""
    dim = variables["decoder/embeddings/weight"].shape[1]
    ffn = len(variables["encoder/layer_0/ffn/linear_0/weight"])
    blocks = sum(name.startswith("encoder/layer_") and name.endswith("/ffn/layer_norm/gamma") for name in variables)
    config = ModelConfig(
        dim=dim, heads=max(1, dim // HEAD_DIM), ffn=ffn, lower_blocks=blocks, upper_blocks=0, fresh_blocks=0, left_context=left
    )
    encoder = StreamingEncoder(config)
    encoder.load_whisper(variables)
    return encoder.eval()


@torch.no_grad()
def states_of(encoder: StreamingEncoder, samples: torch.Tensor, chunk: int) -> torch.Tensor:
    """samples → (1, time, dim), 50 a second, up to the end of a chunk's left context."""
    samples = F.pad(samples, (int(BEFORE * SAMPLE_RATE), int(AFTER * SAMPLE_RATE)))
    frames = LogMel()(samples)
    block = 4 * encoder.config.left_context
    blocks = -(-len(frames) // block)
    silence = math.log(encoder.features.energy_floor)
    frames = F.pad(frames, (0, 0, 0, blocks * block + 1 - len(frames)), value=silence)
    return encoder.bridge_norm(encoder.bottom_states(frames[None], chunk, torch.zeros(1, 1, dtype=torch.long), 0))


def pairs(text: str) -> list[str]:
    """A text's word pairs, each once; its word if it has one alone."""
    words = [SPOKEN.get(word, word) for word in normalize(text).split()]
    return sorted({" ".join(pair) for pair in zip(words, words[1:])}) if len(words) > 1 else words


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("manifest", type=Path)
    parser.add_argument("--whisper", type=Path, required=True, help="an English Whisper's model.bin in CTranslate2's format")
    parser.add_argument("--vocabulary", type=Path, required=True, help="the vocabulary.txt beside it")
    parser.add_argument("--chunk", type=int, default=128, help="in encoder frames of 40 ms (default: 128, 5.12 s)")
    parser.add_argument("--boost", type=float, default=0.4, help="per letter, in natural logarithm (default: 0.4)")
    parser.add_argument("--every", type=int, default=1, help="take every Nth recording")
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    variables, vocabulary = read_variables(args.whisper), Vocabulary(args.vocabulary)
    encoder = streaming_encoder(variables, args.chunk)
    decoder = WhisperDecoder(variables, encoder.config.heads).eval()
    with open(args.out, "w") as out:
        for line in tqdm(args.manifest.read_text().splitlines()[:: args.every], unit="recording"):
            item = json.loads(line)
            path = args.manifest.parent / item["audio"]
            samples = torch.from_numpy(read_audio(path))
            states = states_of(encoder, samples, args.chunk)
            text = greedy(decoder, vocabulary, states, 8 + int(TOKENS_PER_SECOND * states.shape[1] / 50))
            hotwords = [f"{pair}:{args.boost}" for pair in pairs(text)]
            audio = os.path.relpath(path.absolute(), args.out.absolute().parent)
            out.write(json.dumps({**item, "audio": audio, "suggested": text, "hotwords": hotwords}) + "\n")


if __name__ == "__main__":
    main()
