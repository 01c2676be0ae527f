import numpy as np
import pytest

from augment import warp_frequencies


class Factor:
    """Draws the same every time."""

    def __init__(self, value: float):
        self.value = value

    def uniform(self, low: float, high: float) -> float:
        assert low <= self.value <= high
        return self.value


@pytest.fixture
def frames() -> np.ndarray:
    """A ridge at mel bin 40."""
    return np.tile(-np.abs(np.arange(80, dtype=np.float32) - 40), (3, 1))


@pytest.mark.parametrize("factor, ridge", [(0.9, 44), (1.0, 40), (1.1, 36)])
def test_a_ridge_moves_by_the_factor(frames, factor, ridge):
    warped = warp_frequencies(frames, Factor(factor))
    assert warped.shape == frames.shape and warped.dtype == np.float32
    assert abs(warped[0].argmax() - ridge) <= 1


def test_nothing_moves_at_one_and_edges_repeat_beyond(frames):
    assert np.array_equal(warp_frequencies(frames, Factor(1.0)), frames)
    assert np.allclose(warp_frequencies(frames, Factor(1.1))[:, 72:], frames[:, -1:])
