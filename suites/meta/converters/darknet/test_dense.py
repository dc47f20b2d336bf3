"""[connected], [local] and [softmax]: flat memory order, weights by version, groups, trees."""

from pathlib import Path

import numpy as np
import pytest

from fixtures.converters.darknet.convert import convert
from fixtures.converters.errors import ConversionError
from suites.meta.networks.darknet_layers import OLD_HEADER, check, normalized, random, write

X = random(2, 3, 4, 5)
FLAT = X.reshape(2, 60).astype(np.float64)
WEIGHT, BIAS = random(7, 60, seed=1), random(7, seed=2)
CONNECTED = "[connected]\noutput=7\nactivation=linear\n"


@pytest.mark.parametrize("x", [X, X.reshape(2, 60)], ids=["image", "inputs="])
def test_connected(x: np.ndarray, tmp_path: Path) -> None:
    """The image is flattened channel by channel; biases are stored before weights."""
    check(tmp_path, CONNECTED, x, FLAT @ WEIGHT.T + BIAS, [BIAS, WEIGHT])


def test_old_files_hold_the_matrix_transposed(tmp_path: Path) -> None:
    """A header version above 1000 says so."""
    check(tmp_path, CONNECTED, X, FLAT @ WEIGHT.T + BIAS, [BIAS, WEIGHT.T], header=OLD_HEADER)
    with pytest.raises(AssertionError, match="opset 10"):
        check(tmp_path, CONNECTED, X, FLAT @ WEIGHT.T + BIAS, [BIAS, WEIGHT], header=OLD_HEADER)


def test_old_files_may_have_the_shorter_header(tmp_path: Path) -> None:
    """Pjreddie's count of images seen has 4 bytes in files with transposed matrices."""
    expected = FLAT @ WEIGHT.T + BIAS
    check(tmp_path, CONNECTED, X, expected, [BIAS, WEIGHT.T], header=OLD_HEADER[:4])


@pytest.mark.parametrize("kept", [False, True])
@pytest.mark.parametrize("header", [(0, 2, 5, 0, 0), OLD_HEADER], ids=["new", "old"])
def test_connected_with_batch_normalization(kept: bool, header: tuple[int, ...], tmp_path: Path) -> None:
    """Scales, means and variances are stored after the weights."""
    norm = [random(7, seed=3), random(7, seed=4), random(7, seed=5, positive=True) * 1e-3]
    stored = WEIGHT.T if header == OLD_HEADER else WEIGHT
    expected = normalized(FLAT @ WEIGHT.T, [BIAS, *norm])
    layer = CONNECTED + "batch_normalize=1"
    check(tmp_path, layer, X, expected, [BIAS, stored, *norm], keep_batchnorm=kept, header=header)


def test_layers_after_a_flat_one(tmp_path: Path) -> None:
    """Dropout leaves it flat, a route takes it for an image of one pixel, a convolution too."""
    made = FLAT @ WEIGHT.T + BIAS
    check(tmp_path, CONNECTED + "[dropout]\n[cost]", X, made, [BIAS, WEIGHT])
    both = np.concatenate([made, made], axis=1)[:, :, None, None]
    check(tmp_path, CONNECTED + "[route]\nlayers=-1,0", X, both, [BIAS, WEIGHT])
    kernel = random(4, 7, seed=3)
    conv = "[convolutional]\nfilters=4\nsize=1\nactivation=linear"
    expected = (made @ kernel.T)[:, :, None, None]
    check(tmp_path, CONNECTED + conv, X, expected, [BIAS, WEIGHT, np.zeros(4), kernel])
    second = "[connected]\noutput=4\nactivation=linear"
    check(tmp_path, CONNECTED + second, X, made @ kernel.T, [BIAS, WEIGHT, np.zeros(4), kernel])


def located(x: np.ndarray, weight: np.ndarray, bias: np.ndarray, stride: int, pad: int) -> np.ndarray:
    """Convolve with weights (places, F, C*K*K) of every place of the output."""
    size = round((weight.shape[2] / x.shape[1]) ** 0.5)
    wide = np.pad(x.astype(np.float64), ((0, 0), (0, 0), (pad, pad + size), (pad, pad + size)))
    out = np.zeros((len(x), *bias.shape))
    for place in range(len(weight)):
        i, j = divmod(place, bias.shape[2])
        seen = wide[:, :, i * stride : i * stride + size, j * stride : j * stride + size]
        out[:, :, i, j] = seen.reshape(len(x), -1) @ weight[place].T + bias[:, i, j]
    return out


@pytest.mark.parametrize(
    ("keys", "pad", "size", "stride", "sides"),
    [
        ("size=3\nstride=1\npad=1", 1, 3, 1, (4, 5)),
        ("size=3\nstride=2\npad=1", 1, 3, 2, (2, 3)),
        ("size=2\nstride=2", 0, 2, 2, (2, 2)),
        ("size=5\npad=1", 2, 5, 1, (4, 5)),
    ],
)
def test_local(keys: str, pad: int, size: int, stride: int, sides: tuple[int, int], tmp_path: Path) -> None:
    """Every place has weights and a bias of its own; padding is half the kernel."""
    weight = random(sides[0] * sides[1], 6, 3 * size * size, seed=1)
    bias = random(6, *sides, seed=2)
    expected = np.maximum(located(X, weight, bias, stride, pad), 0)
    check(tmp_path, f"[local]\nfilters=6\nactivation=relu\n{keys}", X, expected, [bias, weight])


def soft(x: np.ndarray, axis: int = -1) -> np.ndarray:
    """Softmax in float64."""
    wide = np.exp(x.astype(np.float64) - x.max(axis=axis, keepdims=True))
    return wide / wide.sum(axis=axis, keepdims=True)


def test_softmax(tmp_path: Path) -> None:
    """Over everything there is, over groups of it, at a temperature, over the channels of each pixel."""
    check(tmp_path, "[softmax]", X, soft(FLAT))
    check(tmp_path, "[softmax]\ngroups=4", X, soft(FLAT.reshape(2, 4, 15)).reshape(2, 60))
    check(tmp_path, "[softmax]\ntemperature=3", X, soft(FLAT / 3))
    check(tmp_path, "[softmax]\nspatial=1", X, soft(X, axis=1).reshape(2, 60))


TREE = "animal -1\nthing -1\ncat 0\ndog 0\nfish 0\ncup 1\nplate 1\n"


@pytest.mark.parametrize("given", ["classes.tree", "data/classes.tree"])
def test_softmax_by_the_groups_of_a_tree(given: str, tmp_path: Path) -> None:
    """Children of one parent are a group; the file is found beside the cfg."""
    (tmp_path / "classes.tree").write_text(TREE)
    x = random(2, 7, 1, 1)
    flat = x.reshape(2, 7)
    expected = np.concatenate([soft(flat[:, a:b]) for a, b in ((0, 2), (2, 5), (5, 7))], axis=1)
    check(tmp_path, f"[softmax]\ntree={given}\ntemperature=1", x, expected)


BAD = {
    "groups that do not divide": "[softmax]\ngroups=7",
    "no temperature": "[softmax]\ntemperature=0",
    "tree that is not there": "[softmax]\ntree=none.tree",
    "tree of another size": "[softmax]\ntree=classes.tree",
    "no outputs": "[connected]\noutput=0",
    "local kernel larger than the image": "[local]\nsize=9\nfilters=1",
}


@pytest.mark.parametrize("layers", BAD.values(), ids=BAD)
def test_what_does_not_fit_is_refused(layers: str, tmp_path: Path) -> None:
    """Each defect is one error with the line."""
    (tmp_path / "classes.tree").write_text(TREE)
    with pytest.raises(ConversionError, match=r"net\.cfg:[56]: layer 0"):
        convert(*write(tmp_path, layers, X), 13)


def test_a_tree_that_is_none_is_refused_with_its_line(tmp_path: Path) -> None:
    """The error names the tree's line."""
    (tmp_path / "classes.tree").write_text("animal -1\ncat zero\n")
    with pytest.raises(ConversionError, match=r"classes\.tree:2.*'zero'"):
        convert(*write(tmp_path, "[softmax]\ntree=classes.tree", X), 13)
