"""One recognizer's lines to the figures of its row."""

import statistics

import jiwer
from whisper_normalizer.english import EnglishTextNormalizer

from recordings import Recording


def score(recordings: list[Recording], lines: list[dict]) -> dict:
    """Error rate in percent, real-time factor, and latencies in seconds."""
    by_line = {line["line"]: line for line in lines}
    if by_line.keys() != {r.line for r in recordings}:
        raise SystemExit("the recognizer did not tell of every recording")
    normalize = EnglishTextNormalizer()
    references = [normalize(r.text) for r in recordings]
    hypotheses = [normalize(by_line[r.line]["hypothesis"]) for r in recordings]
    audio = sum(line["audio_seconds"] for line in lines)
    shown = [line["first_words_seconds"] for line in lines if line["first_words_seconds"] is not None]
    return {
        "word_error_rate": round(100 * jiwer.wer(references, hypotheses), 1),
        "audio_seconds": round(audio, 1),
        "real_time_factor": round(sum(line["compute_seconds"] for line in lines) / audio, 4),
        "first_text_seconds": percentiles(shown),
        "end_latency_seconds": percentiles([line["end_latency_seconds"] for line in lines]),
    }


def percentiles(seconds: list[float]) -> dict:
    if len(seconds) < 2:
        return {"p50": seconds[0], "p95": seconds[0]} if seconds else {}
    hundredths = statistics.quantiles(seconds, n=100, method="inclusive")
    return {"p50": round(hundredths[49], 3), "p95": round(hundredths[94], 3)}
