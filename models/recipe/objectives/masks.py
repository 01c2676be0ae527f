"""Which frames are masked: spans within utterances, never none."""

import numpy as np


def utterances(owner: np.ndarray) -> list[tuple[int, int]]:
    """Start and end of each run of frames with the same owner; frames without speech (-1) belong to none."""
    edges = np.flatnonzero(np.diff(owner)) + 1
    starts, ends = [0, *edges], [*edges, len(owner)]
    return [(start, end) for start, end in zip(starts, ends) if owner[start] >= 0]


def span_mask(owner: np.ndarray, start_share: float, span: int, rng: np.random.Generator) -> np.ndarray:
    """Mask (time) of spans that start at `start_share` of an utterance's frames, at least one span in each, cut at its end.

    A row without an utterance counts as one.
    """
    mask = np.zeros(len(owner), bool)
    for start, end in utterances(owner) or [(0, len(owner))]:
        # The fraction is rounded at random, so that short utterances have the same share.
        count = min(max(1, int(start_share * (end - start) + rng.random())), end - start)
        for at in rng.choice(np.arange(start, end), count, replace=False):
            mask[at : min(at + span, end)] = True
    return mask
