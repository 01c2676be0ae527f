"""A part of the transcribed speech, chosen by speaker, for fine-tuning on 10 minutes or an hour of labels."""

import random

SAMPLE_RATE = 16000
# Of one speaker at most this share of the hours, so that few labels are still of several speakers.
MOST_OF_ONE = 1 / 8


def by_speaker(items: list[dict], hours: float, seed: int) -> list[dict]:
    """Recordings of `hours` in all: speakers in an order drawn with the seed, of each a part drawn too.

    Where the speakers don't suffice, later rounds take more of each. The same seed gives a part of the larger set's speakers. Recordings
    without a `speaker` count as one each.
    """
    rng, speakers = random.Random(seed), {}
    for number, item in enumerate(items):
        speakers.setdefault(item.get("speaker", number), []).append(item)
    of_speaker = [rng.sample(speakers[name], len(speakers[name])) for name in sorted(speakers, key=str)]
    rng.shuffle(of_speaker)
    left, share = hours * 3600 * SAMPLE_RATE, hours * 3600 * SAMPLE_RATE * MOST_OF_ONE
    chosen = []
    while left > 0 and any(of_speaker):
        for recordings in of_speaker:
            mine = share
            while recordings and mine > 0 and left > 0:
                chosen.append(recordings.pop())
                mine, left = mine - chosen[-1]["length"], left - chosen[-1]["length"]
    return chosen
