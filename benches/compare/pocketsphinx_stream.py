"""PocketSphinx with the acoustic model, the dictionary and the language model in its package, in blocks of 100 ms.

    pip install pocketsphinx==5.1.1 soundfile
    python benches/compare/pocketsphinx_stream.py MANIFEST --hypotheses FILE
"""

import argparse

import numpy as np
from pocketsphinx import Decoder

import peer
from recordings import SAMPLE_RATE, as_int16

BLOCK_SAMPLES = SAMPLE_RATE // 10


def text_of(decoder: Decoder) -> str:
    hypothesis = decoder.hyp()
    return hypothesis.hypstr if hypothesis else ""


def load(_: argparse.Namespace) -> peer.Recognize:
    decoder = Decoder(samprate=SAMPLE_RATE, loglevel="FATAL")

    def recognize(samples: np.ndarray, clock: peer.RealTime) -> str:
        decoder.start_utt()
        for start in range(0, len(samples), BLOCK_SAMPLES):
            block = samples[start : start + BLOCK_SAMPLES]
            clock.wait_until((start + len(block)) / SAMPLE_RATE)
            with clock.computing():
                decoder.process_raw(as_int16(block))
                text = text_of(decoder)
            clock.show(text)
        with clock.computing():
            decoder.end_utt()
            text = text_of(decoder)
        return text

    return recognize


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    peer.run(parser, load)
