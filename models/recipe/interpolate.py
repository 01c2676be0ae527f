"""Interpolate n-gram models of several styles into one: the weights by EM on transcripts, the n-grams of all, pruned.

    python interpolate.py data/talk data/podcasts data/novels --compact words.lm --vocabulary vocabulary.txt \\
        --dev dev-modern.jsonl dev-librispeech.jsonl --megabytes 16 --out data/mixture

Each folder has `full.arpa` and `text.txt` as `language_model.py` leaves them; a `--compact` model is a component too. A word that a
component lacks has the probability of its `<unk>` there. The mixture's probability of an n-gram is the weighted mean of the
components', each with its own backoff; then n-grams go by relative entropy (`prune_arpa.py`), with the histories' shares of the
mixture, until the file is small enough. EM takes each dev set, or each of its domains, with the same weight, however long.
"""

import argparse
import json
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from compact_lm import read_compact
from prune_arpa import LOG_10, Level, count_histories, prune, read_arpa, write_arpa
from text import normalize

MARKUP = ["<unk>", "<s>", "</s>"]
EM_STEPS, SEARCH_STEPS = 60, 12
# What an n-gram takes in Mynah's compact form: its last word, the probability, a backoff, and its bit of the spans.
BITS_PER_GRAM = (40, 36, 27)
NEVER = -60.0


@dataclass
class Component:
    """A model over the words of the mixture. Keys are n-grams in base of their number."""

    name: str
    keys: list[np.ndarray]
    log_prob: list[np.ndarray]
    backoff: list[np.ndarray]
    shares: list[np.ndarray]

    def find(self, n: int, keys: np.ndarray) -> np.ndarray:
        at = np.searchsorted(self.keys[n], keys).clip(max=len(self.keys[n]) - 1)
        return np.where(self.keys[n][at] == keys, at, -1)

    def scores(self, grams: np.ndarray, words: int) -> np.ndarray:
        """The log-probability of the last word of each n-gram after the others."""
        order = grams.shape[1]
        result, open_ = np.zeros(len(grams)), np.ones(len(grams), bool)
        for n in range(order - 1, 0, -1):
            at = self.find(n, key_of(grams[:, order - 1 - n :], words))
            found = open_ & (at >= 0)
            result[found] += self.log_prob[n][at[found]]
            open_ &= ~found
            history = self.find(n - 1, key_of(grams[:, order - 1 - n : -1], words))
            backs = open_ & (history >= 0)
            result[backs] += self.backoff[n - 1][history[backs]]
        result[open_] += self.log_prob[0][grams[open_, -1]]
        return result

    def history_shares(self, n: int, keys: np.ndarray) -> np.ndarray:
        at = self.find(n, keys)
        return np.where(at >= 0, self.shares[n][at], 0)


def key_of(grams: np.ndarray, words: int) -> np.ndarray:
    key = grams[:, 0].astype(np.int64)
    for column in grams.T[1:]:
        key = key * words + column
    return key


def grams_of(key: np.ndarray, order: int, words: int) -> np.ndarray:
    columns = []
    for _ in range(order):
        columns.append(key % words)
        key = key // words
    return np.column_stack(columns[::-1])


def expand(levels: list[Level]) -> list[np.ndarray]:
    """The words of each level's n-grams."""
    grams = [levels[0].word[:, None]]
    for level in levels[1:]:
        grams.append(np.column_stack([grams[-1][level.prefix], level.word]))
    return grams


def component(name: str, own_words: list[str], levels: list[Level], shares: list[np.ndarray], ids: dict[str, int]) -> Component:
    """Number a model's n-grams by the words of the mixture; those with other words are left out."""
    words, place = len(ids), np.array([ids.get(word, -1) for word in own_words])
    made = Component(name, [], [], [], [])
    for n, (level, grams) in enumerate(zip(levels, expand(levels))):
        mapped = place[grams]
        kept = np.flatnonzero((mapped >= 0).all(1))
        keys = key_of(mapped[kept], words)
        kept, keys = kept[np.argsort(keys)], np.sort(keys)
        made.keys.append(keys)
        made.log_prob.append(level.log_prob[kept])
        made.backoff.append(level.backoff[kept])
        made.shares.append(shares[n][kept] if n < len(shares) else np.zeros(len(kept)))
    fill_unigrams(made, words, own_words.index("<unk>") if "<unk>" in own_words else None, levels[0])
    return made


def fill_unigrams(made: Component, words: int, unknown: int | None, unigrams: Level) -> None:
    """Give every word of the mixture a unigram."""
    unseen = unigrams.log_prob[unknown] if unknown is not None else unigrams.log_prob[unigrams.log_prob > NEVER].min()
    log_prob, backoff, shares = np.full(words, unseen), np.zeros(words), np.zeros(words)
    log_prob[made.keys[0]], backoff[made.keys[0]], shares[made.keys[0]] = made.log_prob[0], made.backoff[0], made.shares[0]
    log_prob[MARKUP.index("<s>")] = NEVER
    log_prob -= np.log(np.exp(log_prob).sum())
    made.keys[0], made.log_prob[0], made.backoff[0], made.shares[0] = np.arange(words), log_prob, backoff, shares


def read_folder(folder: Path, ids: dict[str, int]) -> Component:
    """A component of `language_model.py`'s folder, kept as `component.npz` for the next time."""
    kept, arpa = folder / "component.npz", folder / "full.arpa"
    if kept.exists() and kept.stat().st_mtime > arpa.stat().st_mtime:
        saved = np.load(kept)
        fields = [[saved[f"{field}{n}"] for n in range(3)] for field in ("keys", "log_prob", "backoff", "shares")]
        if len(fields[0][0]) == len(ids):
            return Component(folder.name, *fields)
    own_words, levels = read_arpa(arpa)
    made = component(folder.name, own_words, levels, count_histories(folder / "text.txt", own_words, levels), ids)
    fields = {"keys": made.keys, "log_prob": made.log_prob, "backoff": made.backoff, "shares": made.shares}
    np.savez(kept, **{f"{field}{n}": values for field, each in fields.items() for n, values in enumerate(each)})
    return made


def read_unigrams(arpa: Path, ids: dict[str, int]) -> np.ndarray:
    """The log-probabilities of the mixture's words by an ARPA file's 1-grams."""
    found = {}
    with open(arpa) as lines:
        for line in lines:
            if line.startswith("\\2-grams"):
                break
            fields = line.split("\t")
            if len(fields) == 3 and fields[1] in ids:
                found[ids[fields[1]]] = float(fields[0]) * LOG_10
    log_prob = np.full(len(ids), found[ids["<unk>"]])
    log_prob[list(found)] = list(found.values())
    log_prob[ids["<s>"]] = NEVER
    return log_prob - np.log(np.exp(log_prob).sum())


def read_compact_component(path: Path, near: Path, ids: dict[str, int]) -> Component:
    """A compact model, whose own text is gone: histories are counted in a text like it, and unigrams, which older files
    have coarsely, are that text's."""
    own_words, levels = read_compact(path)
    # count_histories wants the names of markup, which the file has.
    made = component(path.name, own_words, levels, count_histories(near / "text.txt", own_words, levels), ids)
    made.log_prob[0] = read_unigrams(near / "full.arpa", ids)
    return made


def read_dev(manifests: list[Path], ids: dict[str, int]) -> dict[str, np.ndarray]:
    """Of each set or domain all trigrams of its transcripts, of sentences from `<s>` to `</s>`."""
    grams = defaultdict(list)
    for manifest in manifests:
        for text in {line: None for line in manifest.read_text().splitlines()}:
            row = json.loads(text)
            words = [ids["<s>"], *(ids.get(w, ids["<unk>"]) for w in normalize(row["text"]).split()), ids["</s>"]]
            name = row.get("domain") or manifest.stem
            grams[name] += [[words[max(at - 2, 0)] if at > 1 else -1, words[at - 1], words[at]] for at in range(1, len(words))]
    return {name: np.array(rows) for name, rows in grams.items()}


def dev_scores(components: list[Component], grams: np.ndarray, words: int) -> np.ndarray:
    """Each component's log-probability of each token, without words that the mixture lacks."""
    known = grams[grams[:, 2] != MARKUP.index("<unk>")]
    result = np.zeros((len(components), len(known)))
    short = known[:, 0] < 0
    for row, model in zip(result, components):
        row[~short] = model.scores(known[~short], words)
        row[short] = model.scores(known[short][:, 1:], words)
    return result


def expectation_maximization(scores: dict[str, np.ndarray], prior: float) -> np.ndarray:
    """Weights that make the sets likely, each set counting alike; `prior` keeps every component in use."""
    components = len(next(iter(scores.values())))
    weights = np.full(components, 1 / components)
    for _ in range(EM_STEPS):
        posteriors = [softmax(s + np.log(weights)[:, None]).mean(1) for s in scores.values()]
        weights = (1 - prior) * np.mean(posteriors, 0) + prior / components
    return weights


def softmax(scores: np.ndarray) -> np.ndarray:
    shares = np.exp(scores - scores.max(0))
    return shares / shares.sum(0)


def mixed(components: list[Component], weights: np.ndarray, grams: np.ndarray, words: int) -> np.ndarray:
    total = np.zeros(len(grams))
    for weight, model in zip(weights, components):
        total += weight * np.exp(model.scores(grams, words))
    return np.log(total)


def mixture(components: list[Component], weights: np.ndarray, words: int) -> tuple[list[Level], list[np.ndarray]]:
    """The levels of the mixture, backoffs still zero, and the histories' shares."""
    levels, shares, below = [], [], None
    for n in range(3):
        keys = np.unique(np.concatenate([model.keys[n] for model in components]))
        if n == 2:
            # A trigram needs its first two and its last two words.
            grams = grams_of(keys, 3, words)
            heads, tails = key_of(grams[:, :2], words), key_of(grams[:, 1:], words)
            kept = np.isin(heads, below) & np.isin(tails, below)
            keys = keys[kept]
        grams = grams_of(keys, n + 1, words)
        log_prob = mixed(components, weights, grams, words)
        prefix = suffix = np.zeros(len(keys), np.int64)
        if n:
            prefix = np.searchsorted(below, key_of(grams[:, :-1], words))
            suffix = np.searchsorted(below, key_of(grams[:, 1:], words))
        levels.append(Level(prefix, grams[:, -1], log_prob, np.zeros(len(keys)), suffix))
        if n < 2:
            shares.append(sum(w * m.history_shares(n, keys) for w, m in zip(weights, components)))
        below = keys
    return levels, shares


def megabytes(levels: list[Level]) -> float:
    return sum(len(level.word) * bits for level, bits in zip(levels, BITS_PER_GRAM)) / 8e6


def prune_to(levels: list[Level], shares: list[np.ndarray], limit: float) -> tuple[float, list[Level]]:
    """Prune with the least threshold of a bisection that makes the file small enough."""
    low, high, best = -20.0, -12.0, (0.0, levels)
    for _ in range(SEARCH_STEPS):
        middle = (low + high) / 2
        pruned = prune([Level(*vars(level).values()) for level in levels], shares, np.exp(middle))
        if megabytes(pruned) <= limit:
            high, best = middle, (float(np.exp(middle)), pruned)
        else:
            low = middle
    return best


def perplexity(log_probs: np.ndarray) -> float:
    return float(np.exp(-log_probs.mean()))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path, help="of language_model.py")
    parser.add_argument("--compact", nargs=2, type=Path, metavar=("FILE", "FOLDER"), help="a words.lm as one more component, and a folder of text like its own")
    parser.add_argument("--vocabulary", type=Path, required=True, help="the words, one a line")
    parser.add_argument("--dev", nargs="+", type=Path, required=True, help="manifests whose transcripts give the weights")
    parser.add_argument("--prior", type=float, default=0.2, help="share of the weights that is the same for all components")
    parser.add_argument("--weights", nargs="+", type=float, help="in place of EM")
    parser.add_argument("--megabytes", type=float, default=16.0)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    vocabulary = [*MARKUP, *(w for w in args.vocabulary.read_text().split() if w not in MARKUP)]
    ids = {word: index for index, word in enumerate(vocabulary)}
    words = len(ids)
    components = [read_folder(folder, ids) for folder in args.folders]
    if args.compact:
        components.append(read_compact_component(*args.compact, ids))
    dev = read_dev(args.dev, ids)
    scores = {name: dev_scores(components, grams, words) for name, grams in dev.items()}
    weights = np.array(args.weights) if args.weights else expectation_maximization(scores, args.prior)
    for name, each in scores.items():
        alone = " ".join(f"{m.name} {perplexity(s):.0f}" for m, s in zip(components, each))
        own = expectation_maximization({name: each}, 0.0)
        total = perplexity(np.logaddexp.reduce(each + np.log(weights)[:, None]))
        unknown = (dev[name][:, 2] == ids["<unk>"]).sum()
        print(f"{name}: {total:.1f}, unknown {unknown}; alone {alone}; own weights {np.round(own, 2).tolist()}")
    print("weights", {m.name: round(float(w), 3) for m, w in zip(components, weights)}, flush=True)
    levels, shares = mixture(components, weights, words)
    print("n-grams", [len(level.word) for level in levels], flush=True)
    threshold, pruned = prune_to(levels, shares, args.megabytes)
    args.out.mkdir(parents=True, exist_ok=True)
    write_arpa(args.out / "en.arpa", vocabulary, pruned)
    print(f"{args.out / 'en.arpa'}: threshold {threshold:.2e}, n-grams {[len(level.word) for level in pruned]}")


if __name__ == "__main__":
    main()
