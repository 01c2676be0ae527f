"""Misses against false alarms of PocketSphinx's keyphrase mode, counted as `mynah spot --eval` does.

    pip install pocketsphinx==5.1.1 soundfile numpy
    python pocketsphinx_keyphrase.py --keyword alexa --keyword "snowboy=S N OW B OY" a.jsonl b.jsonl

Recordings must be 16 kHz mono. The acoustic model and the dictionary are those in the package; a
phrase that the dictionary lacks needs its phones. One pass at the lowest threshold gives every
detection's score, and the thresholds are tried on those. Detections at a phrase's lowest threshold
are rarely hidden by others, as PocketSphinx keeps the better of two that overlap.
"""

import argparse
import tempfile
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
from pocketsphinx import Decoder

from recordings import SAMPLE_RATE, as_int16, read_manifest

RATES = (0.5, 1.0, 2.0, 5.0)
LOWEST_THRESHOLD = 1e-120


def add_noise(samples, snr_db, seed):
    """White noise so many decibels below the recording's mean power."""
    if snr_db is None:
        return samples
    amplitude = np.sqrt(np.mean(samples**2) / 10 ** (snr_db / 10))
    return samples + amplitude * np.random.default_rng(seed).standard_normal(len(samples))


def detections(task):
    """The scores of each phrase's detections and the seconds, per recording."""
    phrases, recordings, snr_db = task
    decoder = Decoder(lm=None, loglevel="FATAL")
    for phrase, phones in phrases:
        if phones:
            decoder.add_word(phrase, phones)
    with tempfile.NamedTemporaryFile("w") as keyphrases:
        keyphrases.writelines(f"{phrase} /{LOWEST_THRESHOLD}/\n" for phrase, _ in phrases)
        keyphrases.flush()
        decoder.add_kws("keyphrase", keyphrases.name)
    decoder.activate_search("keyphrase")
    scores = []
    for seed, recording in recordings:
        samples = add_noise(recording.samples(), snr_db, seed)
        decoder.start_utt()
        decoder.process_raw(as_int16(samples), full_utt=True)
        decoder.end_utt()
        found = {phrase: [] for phrase, _ in phrases}
        for segment in decoder.seg() or []:
            found[segment.word.strip()].append(segment.prob)
        scores.append((found, len(samples) / SAMPLE_RATE))
    return scores


def operating_points(phrase, recordings, scores, durations):
    """The lowest miss rate at each rate of false alarms."""
    words = phrase.upper().split()
    said = []
    for recording in recordings:
        text = recording.text.split()
        said.append(sum(text[i : i + len(words)] == words for i in range(len(text))))
    hours = sum(d for d, n in zip(durations, said) if not n) / 3600
    best = {rate: 1.0 for rate in RATES}
    for threshold in sorted({s for recording in scores for s in recording}):
        hits = [sum(s >= threshold for s in recording) for recording in scores]
        missed = sum(max(n - h, 0) for n, h in zip(said, hits)) / sum(said)
        alarms = sum(max(h - n, 0) for n, h in zip(said, hits)) / hours
        for rate in RATES:
            if alarms <= rate:
                best[rate] = min(best[rate], missed)
    return sum(said), hours, [best[rate] for rate in RATES]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("manifests", nargs="+", type=Path)
    parser.add_argument("--keyword", action="append", required=True, metavar="PHRASE[=PHONES]")
    parser.add_argument("--noise-snr", type=float, metavar="DB")
    parser.add_argument("--jobs", type=int, default=2)
    args = parser.parse_args()
    recordings = [recording for manifest in args.manifests for recording in read_manifest(manifest)]
    phrases = [(k.split("=")[0].lower(), k.partition("=")[2]) for k in args.keyword]
    print(f"{'phrase':12} {'said':>5} {'hours':>6}  misses at {RATES} false alarms/h")
    means = []
    with ProcessPoolExecutor(args.jobs) as pool:
        numbered = list(enumerate(recordings))
        parts = [numbered[i : i + 50] for i in range(0, len(numbered), 50)]
        found = sum(pool.map(detections, [(phrases, p, args.noise_snr) for p in parts]), [])
    durations = [seconds for _, seconds in found]
    for phrase, _ in phrases:
        scores = [scores[phrase] for scores, _ in found]
        said, hours, misses = operating_points(phrase, recordings, scores, durations)
        means.append(misses)
        row = "  ".join(f"{100 * miss:4.1f} %" for miss in misses)
        print(f"{phrase:12} {said:5} {hours:6.2f}  {row}")
    print(f"{'mean':25}  " + "  ".join(f"{100 * miss:4.1f} %" for miss in np.mean(means, axis=0)))


if __name__ == "__main__":
    main()
