"""[maxpool], [local_avgpool] and [avgpool] see the windows that Darknet's loops see."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fixtures.converters.darknet import config, network, pooling
from fixtures.converters.darknet.convert import convert
from fixtures.converters.errors import ConversionError
from suites.meta.networks.darknet_layers import check, convolved, random, write

X = random(2, 3, 11, 8)
Reduce = Callable[[np.ndarray], np.ndarray]


def quotient(a: int, b: int) -> int:
    """Divide as C does."""
    return int(a / b)


def pooled(x: np.ndarray, size: int, strides: tuple[int, int], padding: int, reduce: Reduce) -> np.ndarray:
    """Loop over windows as Darknet does: offset -padding / 2, what lies outside is left out."""
    sides = [quotient(n + padding - size, s) + 1 for n, s in zip(x.shape[2:], strides, strict=True)]
    out = np.full((*x.shape[:2], *sides), np.nan)
    for i in range(sides[0]):
        for j in range(sides[1]):
            top, left = quotient(-padding, 2) + i * strides[0], quotient(-padding, 2) + j * strides[1]
            seen = x[:, :, max(top, 0) : top + size, max(left, 0) : left + size]
            out[:, :, i, j] = reduce(seen.astype(np.float64))
    return out


def largest(seen: np.ndarray) -> np.ndarray:
    """Maximum over the window."""
    return seen.max(axis=(2, 3))


def mean(seen: np.ndarray) -> np.ndarray:
    """Mean over what of the window lies within the image."""
    return seen.mean(axis=(2, 3))


WINDOWS = {
    "2/2": ("size=2\nstride=2", 2, (2, 2), 1),
    "2/1, pads at the end alone": ("size=2\nstride=1", 2, (1, 1), 1),
    "3/1": ("size=3\nstride=1", 3, (1, 1), 2),
    "3/2": ("size=3\nstride=2", 3, (2, 2), 2),
    "5/1": ("size=5\nstride=1", 5, (1, 1), 4),
    "size is the stride": ("stride=3", 3, (3, 3), 2),
    "unequal strides": ("size=3\nstride_x=1\nstride_y=2", 3, (2, 1), 2),
    "no padding": ("size=3\nstride=2\npadding=0", 3, (2, 2), 0),
    "odd padding": ("size=4\nstride=3\npadding=3", 4, (3, 3), 3),
    "less padding than the window": ("size=5\nstride=2\npadding=1", 5, (2, 2), 1),
    "negative padding crops": ("size=2\nstride=1\npadding=-3", 2, (1, 1), -3),
    "window larger than the image": ("size=13\nstride=6\npadding=0", 13, (6, 6), 0),
}


@pytest.mark.parametrize(("keys", "size", "strides", "padding"), WINDOWS.values(), ids=WINDOWS)
@pytest.mark.parametrize(("name", "reduce"), [("maxpool", largest), ("local_avgpool", mean)])
def test_windows(
    name: str, reduce: Reduce, keys: str, size: int, strides: tuple[int, int], padding: int, tmp_path: Path
) -> None:
    """Asymmetric padding, odd sizes, unequal strides and crops are Darknet's; a mean counts no padding."""
    x = X - np.float32(5)  # so that padding with 0 would win
    check(tmp_path, f"[{name}]\n{keys}", x, pooled(x, size, strides, padding, reduce))


def test_pads_as_large_as_the_window(tmp_path: Path) -> None:
    """A window of padding alone is the lowest float, as in Darknet."""
    x = random(1, 2, 4, 4)
    inner = pooled(x, 2, (1, 1), 0, largest)
    expected = np.full((1, 2, 9, 9), np.finfo(np.float32).min)
    expected[:, :, 2:7, 2:7] = pooled(
        np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)), constant_values=-99), 2, (1, 1), 0, largest
    )
    assert (expected[:, :, 3:6, 3:6] == inner).all()
    check(tmp_path, "[maxpool]\nsize=2\nstride=1\npadding=6", x, expected)


@pytest.mark.parametrize(("channels", "out"), [(6, 2), (6, 6), (7, 3), (3, 1)])
def test_maximum_over_channels(channels: int, out: int, tmp_path: Path) -> None:
    """Output channel g is the maximum of channels g, g + out, g + 2 out ..."""
    x = random(2, channels, 3, 4) - np.float32(5)
    expected = np.stack([x[:, g::out].max(axis=1) for g in range(out)], axis=1)
    check(tmp_path, f"[maxpool]\nmaxpool_depth=1\nout_channels={out}\nsize=1\nstride=1", x, expected)


@pytest.mark.parametrize("stride", [1, 2])
def test_antialiasing(stride: int, tmp_path: Path) -> None:
    """The pool has stride 1 and a fixed blur the stride."""
    row = np.array([1, 2, 1]) / 4
    blur = np.broadcast_to(np.outer(row, row), (3, 1, 3, 3))
    expected = convolved(pooled(X, 2, (1, 1), 1, largest), blur, np.zeros(3), (stride, stride), 1, groups=3)
    check(tmp_path, f"[maxpool]\nsize=2\nstride={stride}\nantialiasing=1", X, expected)


def test_global_average(tmp_path: Path) -> None:
    """[avgpool] is the mean of each channel, an image of one pixel."""
    check(tmp_path, "[avgpool]", X, X.mean(axis=(2, 3), keepdims=True, dtype=np.float64))


@given(
    length=st.integers(1, 40), size=st.integers(1, 9), stride=st.integers(1, 6), padding=st.integers(-6, 20)
)
@settings(max_examples=300)
def test_every_window_starts_and_ends_as_in_darknet(
    length: int, size: int, stride: int, padding: int
) -> None:
    """Pads and crops put exactly Darknet's windows on the image, whatever the numbers."""
    keys = f"size={size}\nstride={stride}\npadding={padding}"
    text = f"[net]\nwidth={length}\nheight={length}\nchannels=1\n[maxpool]\n{keys}"
    out = quotient(length + padding - size, stride) + 1
    if out < 1:
        with pytest.raises(ConversionError, match="output would be"):
            network.resolve(config.parse(text, Path("net.cfg")))
        return
    (layer,) = network.resolve(config.parse(text, Path("net.cfg"))).layers
    top, _, bottom, _ = pooling.pool_pads(layer.section, (1, length, length))
    assert layer.shape == (1, out, out)
    assert top == -quotient(-padding, 2)
    assert (length + top + bottom - size) // stride + 1 == out


@pytest.mark.parametrize("layer", ["[local_avgpool]\nsize=2\npadding=6", "[maxpool]\nmaxpool_zero_nonmax=1"])
def test_what_is_no_number_in_darknet_is_refused(layer: str, tmp_path: Path) -> None:
    """A mean over nothing and a layer that rewrites its input are errors with their line."""
    with pytest.raises(ConversionError, match=r"net\.cfg:[67]: layer 0"):
        convert(*write(tmp_path, f"{layer}\nstride=1", X), 13)
