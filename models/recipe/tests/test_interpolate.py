import numpy as np

from interpolate import MARKUP, component, expectation_maximization, grams_of, key_of, mixture, prune_to
from prune_arpa import sort_level

WORDS = [*MARKUP, "A", "B", "C"]
IDS = {word: index for index, word in enumerate(WORDS)}


def model(name: str, unigrams: dict[str, float], bigrams: dict[str, float]):
    """A trigram model without trigrams, but for the one that all share."""
    levels = []
    for grams in (unigrams, bigrams, {"A B C": 0.5}):
        rows = np.array([[IDS[w] for w in gram.split()] for gram in grams])
        levels.append(sort_level(rows, np.log(list(grams.values())), np.zeros(len(rows)), levels, len(WORDS)))
    return component(name, WORDS, levels, [np.full(6, 1 / 6), np.full(len(bigrams), 0.1)], IDS)


UNIGRAMS = {"<unk>": 0.1, "<s>": 1e-30, "</s>": 0.2, "A": 0.4, "B": 0.2, "C": 0.1}
ONE = model("one", UNIGRAMS, {"A B": 0.6, "B C": 0.3})
OTHER = model("other", UNIGRAMS, {"A B": 0.2, "B C": 0.5, "B A": 0.3})


def test_keys_come_back():
    grams = np.array([[3, 4, 5], [0, 1, 2]])
    assert (grams_of(key_of(grams, 6), 3, 6) == grams).all()


def test_the_mixture_is_the_weighted_mean():
    levels, shares = mixture([ONE, OTHER], np.array([0.25, 0.75]), len(WORDS))
    bigram = {(int(p), int(w)): q for p, w, q in zip(levels[1].prefix, levels[1].word, np.exp(levels[1].log_prob))}
    assert np.isclose(bigram[IDS["A"], IDS["B"]], 0.25 * 0.6 + 0.75 * 0.2)
    # The first backs off for B A.
    assert np.isclose(bigram[IDS["B"], IDS["A"]], 0.25 * 0.4 + 0.75 * 0.3)
    assert len(levels[2].word) == 1 and len(shares) == 2


def test_pruned_models_stay_normalized():
    levels, shares = mixture([ONE, OTHER], np.array([0.5, 0.5]), len(WORDS))
    _, pruned = prune_to(levels, shares, 1.0)
    after_a = pruned[1].prefix == IDS["A"]
    explicit = dict(zip(pruned[1].word[after_a].tolist(), np.exp(pruned[1].log_prob[after_a])))
    backed = [np.exp(pruned[0].backoff[IDS["A"]] + q) for w, q in enumerate(pruned[0].log_prob) if w not in explicit]
    assert np.isclose(sum(explicit.values()) + sum(backed), 1, atol=1e-6)


def test_weights_go_to_what_fits():
    scores = {"set": np.log(np.array([[0.5, 0.4], [0.1, 0.1]]))}
    weights = expectation_maximization(scores, 0.1)
    assert weights[0] > 0.9 and np.isclose(weights.sum(), 1)
