"""Matrices that learn nothing but a product of two thin ones (LoRA, arXiv 2106.09685): too little to learn recordings by heart."""

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

WEIGHT = ".parametrizations.weight"


class LowRank(nn.Module):
    """A matrix (out, in) plus `up` (out, rank) times `down` (rank, in), which begins as nothing."""

    def __init__(self, matrix: Tensor, rank: int):
        super().__init__()
        self.down = nn.Parameter(torch.randn(rank, matrix.shape[1]) * matrix.shape[1] ** -0.5)
        self.up = nn.Parameter(torch.zeros(matrix.shape[0], rank))

    def forward(self, matrix: Tensor) -> Tensor:
        return matrix + self.up @ self.down


def adapt(module: nn.Module, rank: int) -> None:
    """Let the matrices of a module's linear layers learn so, and no longer as they are."""
    for layer in [layer for layer in module.modules() if isinstance(layer, nn.Linear)]:
        layer.weight.requires_grad = False
        parametrize.register_parametrization(layer, "weight", LowRank(layer.weight, rank))


def merged(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """The weights by the names that they have without `adapt`."""
    plain = {name: value for name, value in weights.items() if WEIGHT not in name}
    for name in weights:
        if name.endswith(f"{WEIGHT}.original"):
            layer = name.removesuffix(f"{WEIGHT}.original")
            up, down = (weights[f"{layer}{WEIGHT}.0.{factor}"] for factor in ("up", "down"))
            plain[f"{layer}.weight"] = weights[name] + up @ down
    return plain
