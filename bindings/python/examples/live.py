"""Captions samples of standard input: 16-bit mono at 16 kHz.

    arecord -q -f S16_LE -r 16000 -c 1 | python live.py
"""

import sys

import numpy as np

import mynah

BLOCK = 3_200  # bytes: a tenth of a second


def blocks():
    while data := sys.stdin.buffer.read(BLOCK):
        yield np.frombuffer(data[: len(data) // 2 * 2], np.int16)


recognizer = mynah.Recognizer(mynah.Model.builtin(), early_endpoint=0.64, gate=True)
for event in mynah.recognize(recognizer, blocks()):
    print(f"\r\x1b[K{event.text}", end="\n" if event.is_final else "", flush=True)
