"""[upsample], [reorg], [reorg3d] and [crop] put every pixel where Darknet's loops put it."""

from pathlib import Path

import numpy as np
import pytest

from fixtures.converters.darknet.convert import convert
from fixtures.converters.errors import ConversionError
from suites.meta.networks.darknet_layers import check, random, run, write

X = random(2, 8, 4, 6)


@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("scale", [1, 0.5])
def test_upsample_repeats(stride: int, scale: float, tmp_path: Path) -> None:
    """Every pixel becomes a block of itself, times ``scale``."""
    expected = scale * X.repeat(stride, 2).repeat(stride, 3)
    check(tmp_path, f"[dropout]\n[upsample]\nstride={stride}\nscale={scale}", X, expected)


@pytest.mark.parametrize("scale", [1, 0.25])
def test_a_negative_stride_sums(scale: float, tmp_path: Path) -> None:
    """``stride=-2`` sums blocks; a rest that makes no block is left out."""
    expected = scale * X.reshape(2, 8, 2, 2, 3, 2).sum(axis=(3, 5), dtype=np.float64)
    check(tmp_path, f"[upsample]\nstride=-2\nscale={scale}", X, expected)
    odd = random(2, 8, 5, 7)
    cut = odd[:, :, :4, :6].reshape(2, 8, 2, 2, 3, 2).sum(axis=(3, 5), dtype=np.float64)
    check(tmp_path, f"[upsample]\nstride=-2\nscale={scale}", odd, scale * cut)


def reorganized(
    x: np.ndarray, stride: int, *, width: int, height: int, channels: int, forward: bool
) -> np.ndarray:
    """Run Darknet's loop over flat memory: `width`, `height`, `channels` are what it is told."""
    flat = x.reshape(len(x), -1)
    out = np.zeros_like(flat)
    few = channels // (stride * stride)
    for k in range(channels):
        for j in range(height):
            for i in range(width):
                here = i + width * (j + height * k)
                offset, c2 = divmod(k, few)
                column, row = i * stride + offset % stride, j * stride + offset // stride
                there = column + width * stride * (row + height * stride * c2)
                if forward:
                    out[:, there] = flat[:, here]
                else:
                    out[:, here] = flat[:, there]
    return out


def test_reorg_is_that_of_yolov2(tmp_path: Path) -> None:
    """The loop runs over the input's sizes, so it is no SpaceToDepth of the input."""
    flat = reorganized(X, 2, width=6, height=4, channels=8, forward=False)
    check(tmp_path, "[reorg]\nstride=2", X, flat.reshape(2, 32, 2, 3))
    straight = reorganized(X, 2, width=3, height=2, channels=32, forward=False)
    assert not np.array_equal(flat, straight)


def test_reorg_backwards(tmp_path: Path) -> None:
    """``reverse=1`` moves channels to blocks."""
    flat = reorganized(X, 2, width=6, height=4, channels=8, forward=True)
    check(tmp_path, "[reorg]\nstride=2\nreverse=1", X, flat.reshape(2, 2, 8, 12))


def test_reorg3d(tmp_path: Path) -> None:
    """The newer layer is SpaceToDepth; its reverse undoes it."""
    flat = reorganized(X, 2, width=3, height=2, channels=32, forward=False)
    check(tmp_path, "[reorg3d]\nstride=2", X, flat.reshape(2, 32, 2, 3))
    check(tmp_path, "[reorg3d]\nstride=2\n[reorg3d]\nstride=2\nreverse=1", X, X)


@pytest.mark.parametrize("name", ["reorg", "reorg3d"])
def test_a_stride_of_one_changes_nothing(name: str, tmp_path: Path) -> None:
    """It may stand in a cfg."""
    check(tmp_path, f"[{name}]\nstride=1", X, X)


@pytest.mark.parametrize(("noadjust", "scale", "shift"), [(0, 2, -1), (1, 1, 0)])
def test_crop_takes_the_centre(noadjust: int, scale: float, shift: float, tmp_path: Path) -> None:
    """Half of the spare pixels, rounded down, is cut before; values go from 0..1 to -1..1 unless told."""
    training = "flip=1\nangle=5\nsaturation=2\nexposure=2\nshift=.2"
    keys = f"crop_height=3\ncrop_width=3\nnoadjust={noadjust}"
    check(tmp_path, f"[crop]\n{training}\n{keys}", X, scale * X[:, :, 0:3, 1:4] + shift)


BAD = {
    "upsample by nothing": "[upsample]\nstride=0",
    "sum of more than there is": "[upsample]\nstride=-7",
    "reorg of odd sides": "[reorg]\nstride=4",
    "reorg of few channels": "[reorg]\nstride=3",
    "reorg back of few channels": "[reorg3d]\nstride=3\nreverse=1",
    "crop larger than the image": "[crop]\ncrop_height=5\ncrop_width=5",
    "crop of nothing": "[crop]\ncrop_height=0\ncrop_width=5",
}


@pytest.mark.parametrize("layers", BAD.values(), ids=BAD)
def test_sizes_that_do_not_fit_are_refused(layers: str, tmp_path: Path) -> None:
    """Where Darknet reads askew there is an error with a line."""
    with pytest.raises(ConversionError, match=r"net\.cfg:[5-7]: layer 0"):
        convert(*write(tmp_path, layers, X), 13)


def test_a_swapped_block_order_is_seen(tmp_path: Path) -> None:
    """Reorg and reorg3d give equal shapes and unequal numbers."""
    made = [
        run(convert(*write(tmp_path, f"[{name}]\nstride=2", X), 13, batch=2), X, tmp_path)["layer_0"]
        for name in ("reorg", "reorg3d")
    ]
    assert made[0].shape == made[1].shape
    assert np.abs(made[0] - made[1]).max() > 0.1


def test_reorg_with_pjreddies_keys(tmp_path: Path) -> None:
    """Channels behind pixels, and back, in the shape that a plain reorg has; zeros behind everything."""
    pixels = X.transpose(0, 2, 3, 1).reshape(X.shape)
    check(tmp_path, "[reorg]\nflatten=1", X, pixels)
    check(tmp_path, "[reorg]\nflatten=1\n[reorg]\nflatten=1\nreverse=1", X, X)
    check(tmp_path, "[reorg]\nflatten=1\nstride=2", X, pixels.reshape(2, 32, 2, 3))
    extended = np.pad(X.reshape(2, -1), ((0, 0), (0, 3)))[:, :, None, None]
    check(tmp_path, "[reorg]\nextra=3\nstride=5", X, extended)


@pytest.mark.parametrize("keys", ["extra=-1", "extra=2\nflatten=1"])
def test_zeros_that_cannot_be_appended_are_refused(keys: str, tmp_path: Path) -> None:
    """With both keys Darknet reads past its input."""
    with pytest.raises(ConversionError, match=r"net\.cfg:6: layer 0 \[reorg\]: extra="):
        convert(*write(tmp_path, f"[reorg]\n{keys}", X), 13)
