"""[convolutional] computes what Darknet's documented semantics say, key by key, at every form of opset."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fixtures.converters.darknet.convert import convert
from fixtures.converters.errors import ConversionError
from suites.meta.networks.darknet_layers import check, convolved, normalized, random, run, write

X = random(2, 4, 9, 8)
GEOMETRY = {
    "pad is half the kernel": ("size=3\npad=1", 3, {"pad": 1}),
    "pad outranks padding": ("size=5\npad=1\npadding=7", 5, {"pad": 2}),
    "padding is a number": ("size=3\npadding=2", 3, {"pad": 2}),
    "even kernel": ("size=4\npad=1\nstride=2", 4, {"pad": 2, "stride": (2, 2)}),
    "stride": ("size=3\nstride=2\npad=1", 3, {"pad": 1, "stride": (2, 2)}),
    "unequal strides": ("size=3\nstride_x=3\nstride_y=2\npad=1", 3, {"pad": 1, "stride": (2, 3)}),
    "one stride given apart": ("size=3\nstride=2\nstride_x=1\npad=1", 3, {"pad": 1, "stride": (2, 1)}),
    "1x1, stride in one direction": ("size=1\nstride_x=2", 1, {"stride": (1, 2)}),
    "1x1 with padding": ("size=1\npadding=1", 1, {"pad": 1}),
    "dilation": ("size=3\npad=1\ndilation=2", 3, {"pad": 2, "dilation": 2}),
    "dilation and stride": (
        "size=3\npad=1\ndilation=3\nstride=2", 3, {"pad": 3, "dilation": 3, "stride": (2, 2)},
    ),
    "1x1 has no dilation": ("size=1\ndilation=4", 1, {}),
    "groups": ("size=3\npad=1\ngroups=2", 3, {"pad": 1, "groups": 2}),
    "depthwise": ("size=3\ngroups=4", 3, {"groups": 4}),
    "kernel larger than the image": ("size=10\nstride=4\npadding=0", 10, {"stride": (4, 4), "size": (1, 1)}),
}  # fmt: skip


@pytest.mark.parametrize(("keys", "kernel", "reference"), GEOMETRY.values(), ids=GEOMETRY)
def test_geometry(keys: str, kernel: int, reference: dict[str, Any], tmp_path: Path) -> None:
    """Padding, strides, dilation and groups are Darknet's."""
    weight = random(8, 4 // reference.get("groups", 1), kernel, kernel, seed=1)
    bias = random(8, seed=2)
    expected = convolved(X, weight, bias, **reference)
    check(tmp_path, f"[convolutional]\nfilters=8\nactivation=linear\n{keys}", X, expected, [bias, weight])


NORM = [random(6, seed=3), random(6, seed=4), random(6, seed=5), random(6, seed=6, positive=True) * 1e-4]
WEIGHT = random(6, 4, 3, 3, seed=7)
CONV = "[convolutional]\nfilters=6\nsize=3\npad=1\nactivation=linear\n"


@pytest.mark.parametrize("key", ["batch_normalize=1", "cbn=1"])
@pytest.mark.parametrize("kept", [False, True])
def test_batch_normalization(key: str, kept: bool, tmp_path: Path) -> None:
    """Folded or kept, BatchNorm has Darknet's epsilon, with variances so small that another shows."""
    bare = convolved(X, WEIGHT, np.zeros(6), pad=1)
    arrays = [*NORM, WEIGHT]
    check(tmp_path, CONV + key, X, normalized(bare, NORM), arrays, keep_batchnorm=kept)
    with pytest.raises(AssertionError, match="opset 10"):
        check(tmp_path, CONV + key, X, normalized(bare, NORM, 1e-6), arrays, keep_batchnorm=kept)


@pytest.mark.parametrize("kept", [False, True])
def test_batch_normalization_nodes_are_there_on_request_alone(kept: bool, tmp_path: Path) -> None:
    """A folded network has none."""
    files = write(tmp_path, CONV + "batch_normalize=1", X, [*NORM, WEIGHT])
    kinds = [node.op_type for node in convert(*files, 13, keep_batchnorm=kept).graph.node]
    assert kinds == (["Conv", "BatchNormalization"] if kept else ["Conv"])


def test_flipped_weights_are_stored_with_filters_last(tmp_path: Path) -> None:
    """``flipped=1`` reads a (C*K*K, F) matrix."""
    bias = random(6, seed=1)
    stored = WEIGHT.reshape(6, -1).T
    check(tmp_path, CONV + "flipped=1", X, convolved(X, WEIGHT, bias, pad=1), [bias, stored])


def signs(weight: np.ndarray) -> np.ndarray:
    """Mean magnitude of each filter, with the signs of its weights."""
    size = np.abs(weight.astype(np.float64)).mean(axis=(1, 2, 3), keepdims=True)
    return np.where(weight > 0, size, -size)


def test_binary_weights(tmp_path: Path) -> None:
    """``binary=1`` takes each filter's mean magnitude with the signs of its weights."""
    bias = random(6, seed=1)
    check(tmp_path, CONV + "binary=1", X, convolved(X, signs(WEIGHT), bias, pad=1), [bias, WEIGHT])


def test_xnor_layers_see_signs_alone(tmp_path: Path) -> None:
    """``xnor=1`` also turns inputs into -1 and 1, zero into -1, and has no groups."""
    bias, x = random(6, seed=1), X * (X > -0.5)
    expected = convolved(np.where(x > 0, 1.0, -1.0), signs(WEIGHT), bias, pad=1)
    check(tmp_path, CONV + "xnor=1\ngroups=2", x, expected, [bias, WEIGHT])


@pytest.mark.parametrize(("kind", "side"), [(1, 3), (2, 2)])
@pytest.mark.parametrize("stride", [1, 2])
def test_antialiasing_blurs_after_the_activation(kind: int, side: int, stride: int, tmp_path: Path) -> None:
    """The stride moves to a fixed blur, for which nothing is stored."""
    bias = random(6, seed=1)
    row = np.array([1, 2, 1]) / 4 if side == 3 else np.array([1, 1]) / 2
    blur = np.broadcast_to(np.outer(row, row), (6, 1, side, side))
    before = np.maximum(convolved(X, WEIGHT, bias, pad=1), 0)
    expected = convolved(before, blur, np.zeros(6), (stride, stride), 1 if side == 3 else 0, groups=6)
    layer = CONV.replace("linear", "relu") + f"antialiasing={kind}\nstride={stride}"
    check(tmp_path, layer, X, expected, [bias, WEIGHT])


def test_shared_weights_are_stored_once(tmp_path: Path) -> None:
    """``share_index`` takes weights, bias and BatchNorm of an earlier layer."""
    square = random(4, 4, 3, 3, seed=1)
    norm = [array[:4] for array in NORM]
    layer = CONV.replace("=6", "=4") + "batch_normalize=1\n"
    once = normalized(convolved(X, square, np.zeros(4), pad=1), norm)
    expected = normalized(convolved(once, square, np.zeros(4), pad=2, dilation=2), norm) / 1e4
    scale = "[normalization]\nalpha=0\nbeta=1\nkappa=10000\n"  # keeps the numbers of a tiny variance small
    for share in ("share_index=-1", "share_index=0"):
        cfg = f"{layer}{layer}{share}\ndilation=2\n{scale}"
        check(tmp_path, cfg, X, expected, [*norm, square])
    model = convert(*write(tmp_path, f"{layer}{layer}{share}", X, [*norm, square]), 13)
    assert len(model.graph.initializer) == 2


BAD = {
    "dilation that does not keep the size": (CONV + "dilation=2\nsize=4", "dilation=2"),
    "share with another size": (CONV + "[convolutional]\nsize=1\nfilters=6\nshare_index=0", "share_index"),
    "share with a layer to come": (CONV + "share_index=1", "share_index"),
    "share with no convolution": ("[maxpool]\n" + CONV + "share_index=0", "share_index"),
    "weights left out": (CONV + "dontload=1", "dontload"),
    "some weights left out": (CONV + "numload=2", "numload=2"),
    "negative padding": (CONV.replace("pad=1", "padding=-1"), "padding=-1"),
    "too many pixels": (CONV.replace("pad=1", "padding=1000000"), "output would be"),
}


@pytest.mark.parametrize(("layers", "named"), BAD.values(), ids=BAD)
def test_what_cannot_be_meant_is_refused(layers: str, named: str, tmp_path: Path) -> None:
    """Each defect is one error that names the key and its line."""
    if "size=4" in layers:
        layers = layers.replace("size=3", "", 1)
    with pytest.raises(ConversionError, match=named) as caught:
        convert(*write(tmp_path, layers, X, [random(4000)]), 13)
    assert caught.value.where.startswith(f"{tmp_path / 'net.cfg'}:")


def test_a_wrong_epsilon_is_seen(tmp_path: Path) -> None:
    """The comparison trips on a planted epsilon."""
    files = write(tmp_path, CONV + "batch_normalize=1", X, [*NORM, WEIGHT])
    right, wrong = (
        run(convert(*files, 13, batch=2, epsilon=epsilon), X, tmp_path)["layer_0"] for epsilon in (1e-5, 1e-6)
    )
    assert np.abs(right - wrong).max() > 1e-3
