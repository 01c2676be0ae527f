"""k-means with k-means++ seeding, for HuBERT's units."""

import torch
from torch import Tensor

from precision import exact

BLOCK = 8192


def nearest(points: Tensor, centroids: Tensor) -> Tensor:
    """The nearest centroid of each of the points (…, dim): indices (…)."""
    flat = points.reshape(-1, points.shape[-1]).float()
    half = 0.5 * centroids.square().sum(-1)
    with exact(points.device):
        found = [(half - part @ centroids.T).argmin(-1) for part in flat.split(BLOCK)]
    return torch.cat(found).view(points.shape[:-1])


def seed_centroids(points: Tensor, count: int, generator: torch.Generator) -> Tensor:
    """k-means++ (Arthur and Vassilvitskii 2007): each seed drawn with the squared distance to those before it."""
    chosen = [points[torch.randint(len(points), (1,), generator=generator).item()]]
    distance = (points - chosen[0]).square().sum(-1)
    while len(chosen) < count:
        weight = distance.double().clamp(min=1e-12)
        chosen.append(points[torch.multinomial(weight / weight.sum(), 1, generator=generator).item()])
        distance = torch.minimum(distance, (points - chosen[-1]).square().sum(-1))
    return torch.stack(chosen)


def fit(points: Tensor, count: int, seed: int, rounds: int = 30) -> Tensor:
    """Centroids (count, dim) of points (points, dim). A cluster that loses all its points takes the farthest one of another."""
    if len(points) < count:
        raise ValueError(f"{len(points)} frames can't make {count} units: fit them on more rows (unit_rows)")
    generator = torch.Generator().manual_seed(seed)
    points = points.float().cpu()
    # Beyond 2^24 points a draw would fail, and no seeding needs so many.
    centroids = seed_centroids(points[:200_000], count, generator)
    for _ in range(rounds):
        label = nearest(points, centroids)
        size = torch.bincount(label, minlength=count)
        total = torch.zeros_like(centroids).index_add_(0, label, points)
        moved = total / size.clamp(min=1).unsqueeze(1)
        empty = (size == 0).nonzero().squeeze(1)
        if len(empty):
            far = (points - centroids[label]).square().sum(-1).topk(len(empty)).indices
            moved[empty] = points[far]
        if torch.allclose(moved, centroids, atol=1e-5):
            break
        centroids = moved
    return centroids
