"""[deconvolutional] spreads every pixel by its kernel, with BatchNorm folded or kept."""

from pathlib import Path

import numpy as np
import pytest

from fixtures.converters.darknet.convert import convert
from fixtures.converters.errors import ConversionError
from suites.meta.networks.darknet_layers import check, normalized, random, write

X = random(2, 3, 4, 5)


def spread(x: np.ndarray, weight: np.ndarray, stride: int, pad: int) -> np.ndarray:
    """Add each pixel times its kernel (C, F, K, K) at its place, then cut `pad` off every side."""
    size, (height, width) = weight.shape[2], x.shape[2:]
    sides = [(length - 1) * stride + size for length in (height, width)]
    out = np.zeros((len(x), weight.shape[1], *sides))
    for i in range(height):
        for j in range(width):
            top, left = i * stride, j * stride
            block = np.einsum("nc,cfkl->nfkl", x[:, :, i, j].astype(np.float64), weight)
            out[:, :, top : top + size, left : left + size] += block
    return out[:, :, pad : sides[0] - pad, pad : sides[1] - pad]


@pytest.mark.parametrize("kept", [False, True])
@pytest.mark.parametrize("name", ["deconv", "deconvolutional"])
def test_deconvolution_with_batch_normalization(name: str, kept: bool, tmp_path: Path) -> None:
    """Bias, scale, mean, variance, weights; kernels lie by input channel, BatchNorm is of the output's."""
    weight, bias = random(3, 6, 4, 4, seed=1), random(6, seed=2)
    norm = [random(6, seed=3), random(6, seed=4), random(6, seed=5, positive=True) * 1e-3]
    expected = np.maximum(normalized(spread(X, weight, 2, 1), [bias, *norm]), 0)
    keys = "filters=6\nsize=4\nstride=2\npadding=1\nbatch_normalize=1\nactivation=relu"
    check(tmp_path, f"[{name}]\n{keys}", X, expected, [bias, *norm, weight], keep_batchnorm=kept)


@pytest.mark.parametrize(("size", "stride", "pad"), [(3, 2, 1), (1, 3, 0), (5, 1, 2), (2, 2, 1)])
def test_deconvolution(size: int, stride: int, pad: int, tmp_path: Path) -> None:
    """``pad=1`` cuts off half the kernel; a stride may be larger than the kernel."""
    weight, bias = random(3, 4, size, size, seed=1), random(4, seed=2)
    expected = spread(X, weight, stride, pad) + bias.reshape(1, -1, 1, 1)
    keys = f"filters=4\nsize={size}\nstride={stride}\npad={int(pad > 0)}\nactivation=linear"
    check(tmp_path, f"[deconvolutional]\n{keys}", X, expected, [bias, weight])


@pytest.mark.parametrize(
    "keys", ["size=3\npadding=9", "size=3\npadding=-1", "size=0", "groups=3", "activation=a"]
)
def test_what_does_not_fit_is_refused(keys: str, tmp_path: Path) -> None:
    """Each defect is one error with the line."""
    with pytest.raises(ConversionError, match=r"net\.cfg:[5-8]: layer 0 \[deconvolutional\]"):
        convert(*write(tmp_path, f"[deconvolutional]\n{keys}", X), 13)
