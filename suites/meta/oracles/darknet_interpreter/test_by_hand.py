"""The NumPy interpreter on numbers small enough to be worked out on paper from Darknet's sources."""

import math
from pathlib import Path

import numpy as np
import pytest

from suites.meta.oracles.darknet_interpreter import network
from suites.meta.oracles.darknet_interpreter.running import Running
from suites.meta.oracles.darknet_interpreter.text import Section, read
from suites.meta.oracles.darknet_interpreter.weights import HEADER, Array, Stored

REORG = [0, 2, 8, 10, 1, 3, 9, 11, 4, 6, 12, 14, 5, 7, 13, 15]
"""Where each value of the result comes from, in a 4x4 image or in four 2x2 channels read as one."""


def layer(
    line: str,
    x: object,
    *outputs: object,
    weights: tuple[float, ...] = (),
    steps: int = 1,
    folder: Path = Path(),
) -> Array:
    """Run one layer on x, after layers that gave `outputs`, with the numbers of a weights file."""
    name, *options = line.split()
    section = Section(name, dict(option.split("=", 1) for option in options))
    stored = Stored(HEADER + np.array(weights, "<f4").tobytes(), np.dtype(np.float64))
    net = Running(np.zeros(1), stored, network.EPSILON, False, steps, folder)
    net.outputs = [np.array(output, np.float64) for output in outputs]
    y = network.LAYERS[name](net, section, np.array(x, np.float64))
    assert stored.left == 0
    return y


def image(*shape: int) -> Array:
    """Count up from 0."""
    return np.arange(float(np.prod(shape))).reshape(shape)


def test_the_first_of_two_values_counts_and_a_tail_stays() -> None:
    """Blanks go, the first of equal keys wins, what follows a # ends a number and a list."""
    sections = read("[ net ]\r\nw = 1 0\n#c=1\n[conv]\nfilters=180###P6\nfilters=3\nmask=1,2#,3\n")
    assert [section.name for section in sections] == ["net", "convolutional"]
    assert sections[0].integer("w", 0) == 10
    assert sections[1].integer("filters", 0) == 180
    assert sections[1].integers("mask") == [1, 2]
    with pytest.raises(ValueError, match="line 2"):
        read("[net]\nnothing\n")


def test_reorg_reads_its_input_as_a_larger_image() -> None:
    """[reorg] takes four 2x2 channels for one 4x4 image; [reorg3d] takes a real 4x4 image apart."""
    assert layer("reorg stride=2", image(1, 4, 2, 2)).ravel().tolist() == REORG
    assert layer("reorg3d stride=2", image(1, 1, 4, 4)).ravel().tolist() == REORG
    assert layer("reorg stride=2 reverse=1", np.reshape(REORG, (1, 4, 2, 2))).ravel().tolist() == list(
        range(16)
    )
    two = layer("reorg3d stride=2", image(1, 2, 2, 2))
    assert two.ravel().tolist() == [0, 4, 1, 5, 2, 6, 3, 7]  # channels within a block offset


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ("size=2 stride=2", [[6, 8, 9], [16, 18, 19], [21, 23, 24]]),  # odd: the last window is cut
        ("size=2 stride=1 padding=0", [[6, 7, 8, 9], [11, 12, 13, 14], [16, 17, 18, 19], [21, 22, 23, 24]]),
        ("size=3 stride=2", [[6, 8, 9], [16, 18, 19], [21, 23, 24]]),
        ("size=2 stride=3 padding=0", [[6, 9], [21, 24]]),
        ("size=3 stride=4 padding=1", [[12]]),  # the odd one of the padding is never reached
    ],
)
def test_maxpool_pads_as_darknet_does(options: str, expected: list[list[float]]) -> None:
    """Half of the padding, rounded down, is before; windows are cut at the border."""
    assert layer(f"maxpool {options}", image(1, 1, 5, 5))[0, 0].tolist() == expected


def test_local_avgpool_leaves_the_padding_out() -> None:
    """A corner of a 3x3 window at stride 2 is the mean of four pixels."""
    assert layer("local_avgpool size=3 stride=2", image(1, 1, 3, 3))[0, 0].tolist() == [[2, 3], [5, 6]]


def test_shortcut_adds_what_is_common() -> None:
    """Fewer channels are added to the first ones; of more, the first ones are added."""
    x = np.reshape([1, 2], (1, 2, 1, 1))
    assert layer("shortcut from=-1", x, np.full((1, 1, 1, 1), 10)).ravel().tolist() == [11, 2]
    assert layer("shortcut from=-1", x, np.reshape([10, 20, 30], (1, 3, 1, 1))).ravel().tolist() == [11, 22]


def test_shortcut_samples_another_size() -> None:
    """Every second pixel of a larger image; into a larger one at every second pixel."""
    large, small = np.zeros((1, 1, 4, 4)), image(1, 1, 2, 2)
    assert layer("shortcut from=-1", 0 * small, image(1, 1, 4, 4)).ravel().tolist() == [0, 2, 8, 10]
    y = layer("shortcut from=-1", large, small + 1)[0, 0]
    assert y[::2, ::2].ravel().tolist() == [1, 2, 3, 4]
    assert y.sum() == 10


@pytest.mark.parametrize(
    ("how", "weights", "factors"),
    [
        ("none", (1, -1, 3), (1, -1, 3)),
        ("relu", (1, -1, 3), (1 / 4.0011, 0.001 / 4.0011, 3 / 4.0011)),
        ("softmax", (0, math.log(2), 0), (0.5 / 2.0001, 1 / 2.0001, 0.5 / 2.0001)),
    ],
)
def test_weighted_shortcut(how: str, weights: tuple[float, ...], factors: tuple[float, ...]) -> None:
    """One weight for the layer's own input, then one for each other; epsilon 1e-4, relu leaves 1e-3."""
    line = f"shortcut from=-1,-2 weights_type=per_feature weights_normalization={how}"
    y = layer(line, np.full((1, 2, 1, 1), 1.0), [[[[100.0]]] * 2], [[[[10.0]]] * 2], weights=weights)
    assert y.ravel() == pytest.approx([factors[0] + 10 * factors[1] + 100 * factors[2]] * 2, rel=1e-6)


def test_weights_of_a_shortcut_by_channel_are_stored_input_by_input() -> None:
    """All channels of the own input come first."""
    line = "shortcut from=-1 weights_type=per_channel"
    y = layer(line, np.full((1, 2, 1, 1), 1.0), [[[[10.0]]] * 2], weights=(1, 2, 3, 4))
    assert y.ravel().tolist() == [31, 42]


def test_lrn_forgets_a_channel() -> None:
    """Channel size // 2 is never added to the running sum, and subtracted when it leaves."""
    x = np.reshape([1.0, 2, 3, 4], (1, 4, 1, 1))
    y = layer("normalization size=3 alpha=0.01 beta=1 kappa=1", x)
    sums = [1, 1 + 9, 9 + 16, 9 + 16 - 4]
    assert y.ravel() == pytest.approx([v / (1 + 0.01 * s) for v, s in zip((1, 2, 3, 4), sums, strict=True)])


def test_scaling_by_channels_or_by_places() -> None:
    """A vector of channels, or with scale_wh an image, is spread over the other layer."""
    other = image(1, 2, 2, 2)
    y = layer("scale_channels from=-1", np.reshape([1, 10], (1, 2, 1, 1)), other)
    assert y.ravel().tolist() == [0, 1, 2, 3, 40, 50, 60, 70]
    y = layer("scale_channels from=-1 scale_wh=1", np.reshape([1, 10, 100, 1000], (1, 1, 2, 2)), other)
    assert y.ravel().tolist() == [0, 10, 200, 3000, 4, 50, 600, 7000]
    with pytest.raises(ValueError, match="scale_channels"):
        layer("scale_channels from=-1", other, other)


def test_crop_takes_the_centre_and_doubles() -> None:
    """2 * x - 1 unless noadjust; an odd rest is left behind."""
    x = image(1, 1, 3, 4)
    assert layer("crop crop_height=1 crop_width=3", x).ravel().tolist() == [7, 9, 11]
    assert layer("crop crop_height=1 crop_width=3 noadjust=1", x).ravel().tolist() == [4, 5, 6]


def test_route_cuts_each_input() -> None:
    """Route with groups takes its part of each input; a sum of both halves elsewhere would be 0, 1, 4, 5."""
    first, second = image(1, 4, 1, 1), 10 * image(1, 4, 1, 1)
    y = layer("route layers=0,-1 groups=2 group_id=1", second, first, second)
    assert y.ravel().tolist() == [2, 3, 20, 30]


def test_implicit_gives_its_weights_to_every_sample() -> None:
    """(filters, atoms, 1), whatever comes in."""
    y = layer("implicit filters=2 atoms=2", np.zeros((2, 3, 4, 4)), weights=(1, 2, 3, 4))
    assert y.shape == (2, 2, 2, 1)
    assert y.ravel().tolist() == [1, 2, 3, 4] * 2


@pytest.mark.parametrize(("shortcut", "expected"), [(0, [7, 10]), (1, [7, 16])])
@pytest.mark.parametrize("kind", ["rnn", "crnn size=1"])
def test_recurrent_state(kind: str, shortcut: int, expected: list[float]) -> None:
    """State 2, then 2 + 1, to which shortcut adds the old 2; each weight follows its bias."""
    y = layer(
        f"{kind} hidden=1 output=1 activation=linear shortcut={shortcut}", np.ones((2, 1, 1, 1)),
        weights=(0, 2, 0, 0.5, 1, 3), steps=2,
    )  # fmt: skip
    assert y.ravel().tolist() == expected


def test_gru_takes_a_logistic_candidate() -> None:
    """The state is z * h + (1 - z) * logistic(...); stored are z, r, h of the input, then of the state."""

    def s(value: float) -> float:
        return 1 / (1 + math.exp(-value))

    weights = (0.1, 1, 0.2, 2, 0.3, 3, 0, 0.5, 0, -1, 0, 1.5)
    y = layer("gru output=1", np.ones((2, 1, 1, 1)), weights=weights, steps=2).ravel()
    first = (1 - s(1.1)) * s(3.3)
    update, reset = s(1.1 + 0.5 * first), s(2.2 - first)
    second = update * first + (1 - update) * s(3.3 + 1.5 * reset * first)
    assert y == pytest.approx([first, second], rel=1e-6)


def test_softmax_of_a_tree_is_by_group(tmp_path: Path) -> None:
    """Lines with one parent are a group: here two groups of 2 and 1."""
    (tmp_path / "t").write_text("a -1\nb -1\nc 0\n")
    y = layer(
        "softmax tree=t temperature=2", np.reshape([0, 2 * math.log(3), 5], (1, 3, 1, 1)), folder=tmp_path
    )
    assert y.ravel() == pytest.approx([0.25, 0.75, 1])


def test_heads_activate_what_darknet_activates() -> None:
    """Zeros show it: 0.5 for a logistic, 0.5 for a grown centre, 0 for what is left alone."""
    half, ones = 0.5, np.ones((1, 6, 1, 1))
    assert layer("yolo mask=0 classes=1", 0 * ones).ravel().tolist() == [half, half, 0, 0, half, half]
    grown = layer("yolo mask=0 classes=1 scale_x_y=2 new_coords=1", ones).ravel().tolist()
    assert grown == [1.5, 1.5, 1, 1, 1, 1]
    gaussian = layer("Gaussian_yolo mask=0 classes=1", np.zeros((1, 10, 1, 1))).ravel().tolist()
    assert gaussian == [half] * 4 + [0, half, 0, half, half, half]
    region = layer("region num=1 classes=2 softmax=1", np.zeros((1, 7, 2, 1)))
    assert region.shape == (1, 2, 1, 7)
    assert region[0, 1, 0].tolist() == [0, 0, 0, 0, half, half, half]
    detection = layer("detection side=1 num=1 coords=1 classes=2 softmax=1", np.zeros((1, 4, 1, 1)))
    assert detection.ravel().tolist() == [half] * 4


def test_xnor_counts_signs() -> None:
    """Input and weights become signs, times the mean magnitude of the filter; padding stays 0."""
    x = np.reshape([3.0, -2.0], (1, 2, 1, 1))
    line = "convolutional filters=1 size=1 activation=linear"
    assert layer(f"{line} xnor=1", x, weights=(0.5, 1, -3)).item() == 0.5 + 2 * (1 + 1)
    assert layer(f"{line} binary=1", x, weights=(0.5, 1, -3)).item() == 0.5 + 2 * (3 + 2)
