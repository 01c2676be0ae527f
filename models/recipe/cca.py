"""Canonical correlation of two sets of frames, weighted by projection (PWCCA, Morcos et al., arXiv 1806.05759), measured on other frames than fitted."""

import numpy as np

# The share of the variance that is kept before correlating (SVCCA, arXiv 1706.05806), and what is added to the diagonals.
KEPT_VARIANCE = 0.99
RIDGE = 1e-3


def reduced(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The mean of (frames, dim) and the directions (dim, kept) that hold `KEPT_VARIANCE`."""
    mean = values.mean(0)
    _, sizes, directions = np.linalg.svd(values - mean, full_matrices=False)
    share = np.cumsum(sizes**2) / max(np.sum(sizes**2), 1e-12)
    kept = min(int(np.searchsorted(share, KEPT_VARIANCE)) + 1, len(sizes))
    return mean, directions[:kept].T


def whitening(values: np.ndarray) -> np.ndarray:
    """A matrix that makes the covariance of centred (frames, dim) the identity."""
    covariance = values.T @ values / len(values)
    sizes, directions = np.linalg.eigh(covariance)
    return directions / np.sqrt(sizes.clip(min=0) + RIDGE * sizes.max())


def similarity(x: np.ndarray, y: np.ndarray, x_held: np.ndarray, y_held: np.ndarray) -> float:
    """0 to 1: how well linear maps of x (frames, dim) and y (frames, other dim) correlate on held-out frames.

    Directions are fitted on `x` and `y`. Each correlation counts with the share of the states x that its direction accounts for.
    """
    x_mean, x_kept = reduced(x.astype(np.float64))
    y_mean, y_kept = reduced(y.astype(np.float64))
    x_small, y_small = (x - x_mean) @ x_kept, (y - y_mean) @ y_kept
    x_white, y_white = whitening(x_small), whitening(y_small)
    left, _, right = np.linalg.svd((x_small @ x_white).T @ (y_small @ y_white) / len(x), full_matrices=False)
    x_map, y_map = x_white @ left, y_white @ right.T
    weight = np.abs((x_small @ x_map).T @ x_small).sum(1)
    weight /= weight.sum()
    a, b = (x_held - x_mean) @ x_kept @ x_map, (y_held - y_mean) @ y_kept @ y_map
    a, b = a - a.mean(0), b - b.mean(0)
    correlation = (a * b).sum(0) / np.sqrt((a**2).sum(0) * (b**2).sum(0)).clip(min=1e-12)
    return float((weight * correlation.clip(min=0)).sum())
