"""Phone and word times by forced alignment with PocketSphinx's US English model, the labels of the layer-wise analysis."""

from typing import NamedTuple

import numpy as np
from pocketsphinx import Decoder

from lexicon import PHONE_IDS

FRAME_SECONDS = 0.01


class Segment(NamedTuple):
    """A word or a phone, and its time in seconds."""

    label: str
    start: float
    end: float


def make_decoder() -> Decoder:
    return Decoder(samprate=16000, lm=None, loglevel="FATAL")


def aligned(decoder: Decoder, samples: np.ndarray, text: str) -> tuple[list[Segment], list[Segment]]:
    """Words and phones of a recording (16 kHz, in [-1, 1]) with its normalized text; nothing where the alignment fails."""
    raw = (samples.clip(-1, 1) * 32767).astype("<i2").tobytes()
    try:
        decoder.set_align_text(text.lower())
        decode(decoder, raw)
        decoder.set_alignment()
        decode(decoder, raw)
        alignment = decoder.get_alignment()
    except RuntimeError:
        return [], []
    words, phones = [], []
    for word in alignment or []:
        if word.name[0] in "<[+(":
            continue
        words.append(segment(word.name.split("(")[0].upper(), word))
        phones += [segment(phone.name, phone) for phone in word if phone.name in PHONE_IDS]
    return words, phones


def decode(decoder: Decoder, raw: bytes) -> None:
    decoder.start_utt()
    decoder.process_raw(raw, full_utt=True)
    decoder.end_utt()


def segment(label: str, entry) -> Segment:
    return Segment(label, entry.start * FRAME_SECONDS, (entry.start + entry.duration) * FRAME_SECONDS)
