"""Layers that read others: indices, groups, unequal shapes, weights."""

from pathlib import Path

import numpy as np
import pytest

from fixtures.converters.darknet.convert import convert
from fixtures.converters.errors import ConversionError
from suites.meta.networks.darknet_layers import check, random, run, write

X = random(2, 6, 4, 6)
HALF = "[route]\nlayers=0\ngroups=2\ngroup_id=1\n"
START = "[crop]\ncrop_height=4\ncrop_width=6\nnoadjust=1\n"  # the identity, as layer 0

ROUTES = {
    "one layer": ("[route]\nlayers=-1", [X]),
    "two, relative and absolute": (HALF + "[route]\nlayers=-1,0", [X[:, 3:], X]),
    "blanks": (HALF + "[route]\nlayers = 0 , -1", [X, X[:, 3:]]),
    "a group": (HALF, [X[:, 3:]]),
    "a group of each": (HALF.replace("layers=0", "layers=0,0"), [X[:, 3:], X[:, 3:]]),
    "three": (HALF + "[route]\nlayers=-1,0,1", [X[:, 3:], X, X[:, 3:]]),
}


@pytest.mark.parametrize(("layers", "parts"), ROUTES.values(), ids=ROUTES)
def test_route(layers: str, parts: list[np.ndarray], tmp_path: Path) -> None:
    """Layers are counted from 0 or back from here; a group is cut from each input before they are joined."""
    check(tmp_path, START + layers, X, np.concatenate(parts, axis=1))


def added(total: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Add as pjreddie does: channels that both have, at a stride that leads from one size to the other."""
    total = total.astype(np.float64).copy()
    reads = max(1, other.shape[2] // total.shape[2])
    writes = max(1, total.shape[2] // other.shape[2])
    channels, height, width = (min(a, b) for a, b in zip(total.shape[1:], other.shape[1:], strict=True))
    for i in range(height):
        for j in range(width):
            total[:, :channels, i * writes, j * writes] += other[:, :channels, i * reads, j * reads]
    return total


POOL = "[maxpool]\nsize=1\nstride=2\npadding=0\n"
UP = "[upsample]\nstride=2\n"
SMALL, LARGE = X[:, :, ::2, ::2], X.repeat(2, 2).repeat(2, 3)
SHORTCUTS = {
    "equal": ("[dropout]\n[shortcut]\nfrom=0", added(X, X)),
    "fewer channels are added": (HALF + "[route]\nlayers=0\n[shortcut]\nfrom=1", added(X, X[:, 3:])),
    "more channels are added": (HALF + "[shortcut]\nfrom=0", added(X[:, 3:], X)),
    "a larger image is sampled": (POOL + "[shortcut]\nfrom=0", added(SMALL, X)),
    "a smaller image is spread": (UP + "[shortcut]\nfrom=0", added(LARGE, X)),
    "both unequal": (UP + HALF.replace("=0", "=1", 1) + "[shortcut]\nfrom=0", added(LARGE[:, 3:], X)),
    "two": (HALF + "[route]\nlayers=0\n[shortcut]\nfrom=0,1", added(added(X, X), X[:, 3:])),
    "activated": ("[shortcut]\nfrom=0\nactivation=relu", np.maximum(2.0 * X, 0)),
}


@pytest.mark.parametrize(("layers", "expected"), SHORTCUTS.values(), ids=SHORTCUTS)
def test_shortcut(layers: str, expected: np.ndarray, tmp_path: Path) -> None:
    """The layer before gives the shape; what is added is cut, sampled and spread to fit."""
    check(tmp_path, START + layers, X, expected)


def shares(weights: np.ndarray, kind: str) -> np.ndarray:
    """Normalize over inputs, literally."""
    if kind == "none":
        return weights
    lifted = [[max(w, 0.001) if kind == "relu" else np.exp(w - row.max()) for w in row] for row in weights.T]
    return np.array([[w / (1e-4 + sum(row)) for w in row] for row in lifted]).T


@pytest.mark.parametrize(("kind", "columns"), [("per_feature", 1), ("per_layer", 1), ("per_channel", 6)])
@pytest.mark.parametrize("normalization", ["none", "relu", "softmax"])
def test_weighted_shortcut(kind: str, columns: int, normalization: str, tmp_path: Path) -> None:
    """One weight an input, or one a channel of it, normalized over the inputs with 1e-4 in the divisor."""
    weights = random(3, columns, seed=1)
    first, second, third = shares(weights.astype(np.float64), normalization).reshape(3, 1, -1, 1, 1)
    expected = added(first * X + second * X, third[:, :3] * X[:, 3:] if columns == 6 else third * X[:, 3:])
    keys = f"from=0,1\nweights_type={kind}\nweights_normalization={normalization}"
    layers = f"{HALF}[route]\nlayers=0\n[shortcut]\n{keys}"
    check(tmp_path, START + layers, X, expected, [weights])


def test_weights_of_joins_stand_between_those_of_convolutions(tmp_path: Path) -> None:
    """The weight file is read layer after layer, joins included."""
    conv = "[convolutional]\nfilters=6\nsize=1\nactivation=linear\n"
    eye = np.eye(6, dtype=np.float32)
    arrays: list[np.ndarray] = [np.zeros(6), eye, np.array([2, 3]), np.ones(6), eye]
    layers = conv + "[shortcut]\nfrom=-1\nweights_type=per_feature\n" + conv
    check(tmp_path, layers, X, 5.0 * X + 1, arrays)


def test_sam_and_scale_channels(tmp_path: Path) -> None:
    """Both multiply: pixel by pixel, a value a channel, or a value a pixel; then they activate."""
    check(tmp_path, START + "[activation]\nactivation=relu\n[sam]\nfrom=0", X, np.maximum(X, 0.0) * X)
    gate = X.mean(axis=(2, 3), keepdims=True, dtype=np.float64)
    check(
        tmp_path, START + "[avgpool]\n[scale_channels]\nfrom=-2\nactivation=relu", X, np.maximum(gate * X, 0)
    )
    one = "[maxpool]\nmaxpool_depth=1\nout_channels=1\n[scale_channels]\nfrom=0\nscale_wh=1"
    check(tmp_path, START + one, X, X.max(axis=1, keepdims=True) * X)


def test_implicit_is_the_same_for_every_image(tmp_path: Path) -> None:
    """A learned constant (filters, atoms, 1), as large as the batch."""
    weights = random(6, 1, 1, seed=1)
    scaled = START + "[implicit]\nfilters=6\natoms=1\n[scale_channels]\nfrom=0"
    check(tmp_path, scaled, X, weights * X, [weights])
    weights = random(3, 4, 1, seed=1)
    check(tmp_path, "[implicit]\nfilters=3\natoms=4\nmean=0\nstd=.2", X, np.stack([weights] * 2), [weights])


BAD = {
    "route to itself": ("[route]\nlayers=1", "layers 0 to 0"),
    "route before the first": ("[route]\nlayers=-2", "layers 0 to 0"),
    "route without layers": ("[route]", "layers 0 to 0"),
    "group beyond the last": ("[route]\nlayers=0\ngroups=2\ngroup_id=2", "group 2 of 2"),
    "groups that do not divide": ("[route]\nlayers=0\ngroups=4", "group 0 of 4"),
    "sizes that no stride joins": ("[maxpool]\nstride_x=2\nsize=1\n[shortcut]\nfrom=0", "no one stride"),
    "unknown weights_type": ("[shortcut]\nfrom=0\nweights_type=each", "per_channel"),
    "unknown normalization": ("[shortcut]\nfrom=0\nweights_normalization=sum", "softmax"),
    "sam of unequal shapes": ("[avgpool]\n[sam]\nfrom=0", "unequal shapes"),
    "scale by a whole image": ("[dropout]\n[scale_channels]\nfrom=0", "expected"),
    "alpha of another Darknet": ("[shortcut]\nfrom=0\nalpha=.5", "alpha"),
}


@pytest.mark.parametrize(("layers", "named"), BAD.values(), ids=BAD)
def test_what_cannot_be_joined_is_refused(layers: str, named: str, tmp_path: Path) -> None:
    """Each defect is one error that says what was expected."""
    with pytest.raises(ConversionError, match=named):
        convert(*write(tmp_path, START + layers, X), 13)


def test_a_slipped_index_is_seen(tmp_path: Path) -> None:
    """Equal shapes hide a route to the wrong layer; the numbers do not."""
    outputs = []
    for index in (-1, -2):
        layers = f"{START}[activation]\nactivation=relu\n[route]\nlayers={index},0"
        outputs.append(run(convert(*write(tmp_path, layers, X), 13, batch=2), X, tmp_path)["layer_2"])
    assert outputs[0].shape == outputs[1].shape
    assert np.abs(outputs[0] - outputs[1]).max() > 0.1
