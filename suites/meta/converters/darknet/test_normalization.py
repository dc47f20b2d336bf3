"""[batchnorm] and [normalization] compute what Darknet computes, its slip in the running sum included."""

from pathlib import Path

import numpy as np
import pytest

from fixtures.converters.darknet.normalization import response_sums
from suites.meta.networks.darknet_layers import check, normalized, random

X = random(2, 6, 3, 4)


@pytest.mark.parametrize("kept", [False, True])
def test_batchnorm_stands_alone(kept: bool, tmp_path: Path) -> None:
    """Biases, scales, means and variances are stored in this order; epsilon is 1e-5."""
    norm = [random(6, seed=k) for k in (1, 2, 3)] + [random(6, seed=4, positive=True) * 1e-3]
    check(tmp_path, "[batchnorm]", X, normalized(X, norm), norm, keep_batchnorm=kept)


def test_l2norm_is_of_the_channels_of_each_pixel(tmp_path: Path) -> None:
    """Darknet divides by the norm alone, without an epsilon."""
    check(tmp_path, "[l2norm]", X, X / np.sqrt((X.astype(np.float64) ** 2).sum(axis=1, keepdims=True)))


def response(x: np.ndarray, size: int, alpha: float, beta: float, kappa: float) -> np.ndarray:
    """Run Darknet's loop over channels: a running sum that never adds channel size / 2."""
    squares = x.astype(np.float64) ** 2
    norms = np.zeros(x.shape)
    norms[:, 0] = kappa + alpha * squares[:, : size // 2].sum(axis=1)
    for k in range(1, x.shape[1]):
        norms[:, k] = norms[:, k - 1]
        leaving, entering = k - (size - 1) // 2 - 1, k + size // 2
        if leaving >= 0:
            norms[:, k] -= alpha * squares[:, leaving]
        if entering < x.shape[1]:
            norms[:, k] += alpha * squares[:, entering]
    return x * norms**-beta


@pytest.mark.parametrize("size", [1, 2, 3, 5, 8, 12])
def test_response_normalization(size: int, tmp_path: Path) -> None:
    """Darknet's window, divisor and defaults, for windows small and larger than the image has channels."""
    keys = f"size={size}\nalpha=.01\nbeta=.75\nkappa=2"
    check(tmp_path, f"[normalization]\n{keys}", X, response(X, size, 0.01, 0.75, 2))


def test_defaults_of_response_normalization(tmp_path: Path) -> None:
    """Alpha 1e-4, beta 0.75, kappa 1, size 5."""
    x = X * np.float32(30)
    check(tmp_path, "[lrn]", x, response(x, 5, 1e-4, 0.75, 1))


def test_darknets_sum_is_not_that_of_onnx() -> None:
    """Channel size / 2 is left out, and later taken away: what an LRN node would not do."""
    sums = response_sums(8, 5)
    window = np.array([[1.0 if -2 <= j - k <= 2 else 0.0 for j in range(8)] for k in range(8)])
    assert (sums != window).any(axis=1).all()
    np.testing.assert_array_equal(window - sums, np.eye(8)[np.full(8, 2)])
