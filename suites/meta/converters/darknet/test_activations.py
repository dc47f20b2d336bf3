"""Every activation that Darknet knows is its formula, behind every kind of layer."""

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from fixtures.converters.darknet import activations
from fixtures.converters.darknet.convert import convert
from fixtures.converters.errors import ConversionError
from suites.meta.networks.darknet_layers import check, random, write


def stair(x: float) -> float:
    """Steps of height 1 every two units, with a slope on the odd ones."""
    whole = math.floor(x)
    return math.floor(x / 2) if whole % 2 == 0 else (x - whole) + math.floor(x / 2)


def plse(x: float) -> float:
    """A line through (0, 0.5), nearly level beyond 4."""
    if abs(x) > 4:
        return 0.01 * (x + 4) if x < 0 else 0.01 * (x - 4) + 1
    return 0.125 * x + 0.5


def lhtan(x: float) -> float:
    """Identity on 0..1, nearly level elsewhere."""
    if x < 0:
        return 0.001 * x
    return 0.001 * (x - 1) + 1 if x > 1 else x


def hard_mish(x: float) -> float:
    """A parabola between -2 and 0."""
    if x > 0:
        return x
    return x * x / 2 + x if x > -2 else 0.0


def sigmoid(x: float) -> float:
    """The logistic function."""
    return 1 / (1 + math.exp(-x))


FORMULAS: dict[str, Callable[[float], float]] = {
    "linear": lambda x: x,
    "logistic": sigmoid,
    "loggy": lambda x: 2 * sigmoid(x) - 1,
    "relu": lambda x: max(x, 0.0),
    "relu6": lambda x: min(max(x, 0.0), 6.0),
    "elu": lambda x: x if x >= 0 else math.exp(x) - 1,
    "selu": lambda x: 1.0507 * (x if x >= 0 else 1.6732 * (math.exp(x) - 1)),
    "gelu": lambda x: 0.5 * x * (1 + math.tanh(0.797885 * x + 0.035677 * x**3)),
    "relie": lambda x: x if x > 0 else 0.01 * x,
    "ramp": lambda x: max(x, 0.0) + 0.1 * x,
    "tanh": math.tanh,
    "plse": plse,
    "leaky": lambda x: x if x > 0 else 0.1 * x,
    "revleaky": lambda x: x if x > 0 else 0.1 * x,
    "stair": stair,
    "hardtan": lambda x: min(max(x, -1.0), 1.0),
    "lhtan": lhtan,
    "mish": lambda x: x * math.tanh(math.log1p(math.exp(x))),
    "hard_mish": hard_mish,
    "swish": lambda x: x * sigmoid(x),
}
X = np.concatenate([np.linspace(-9.03, 9.01, 91), np.arange(-9, 8)]).astype(np.float32).reshape(1, 4, 3, 9)
ENDS = np.array([-60.0, -20.5, 20.5, 60.0], np.float32).reshape(1, 4, 1, 1)


@pytest.mark.parametrize("name", FORMULAS)
@pytest.mark.parametrize("x", [X, ENDS, X.reshape(1, -1)], ids=["middle", "ends", "flat"])
def test_each_activation_is_its_formula(name: str, x: np.ndarray, tmp_path: Path) -> None:
    """Bends, steps and far ends included, for images and flat tensors."""
    expected = np.vectorize(FORMULAS[name], otypes=[np.float64])(x.astype(np.float64))
    check(tmp_path, f"[activation]\nactivation={name}", x, expected)


def channel_shares(x: np.ndarray, name: str) -> np.ndarray:
    """Relu, or exp, of each channel over the sum of all plus 1e-4."""
    wide = x.astype(np.float64)
    if name.endswith("maxval"):
        wide -= wide.max(axis=1, keepdims=True)
    wide = np.maximum(wide, 0) if name == "normalize_channels" else np.exp(wide)
    return wide / (1e-4 + wide.sum(axis=1, keepdims=True))


BY_CHANNEL = ["normalize_channels", "normalize_channels_softmax", "normalize_channels_softmax_maxval"]


@pytest.mark.parametrize("name", BY_CHANNEL)
def test_channels_are_normalized_together(name: str, tmp_path: Path) -> None:
    """The three normalizing activations look at all channels of a pixel."""
    x = random(2, 5, 3, 4) - np.float32(6 if name.endswith("softmax") else 0)
    check(tmp_path, f"[activation]\nactivation={name}", x, channel_shares(x, name))


def test_no_activation_is_left_untested() -> None:
    """The tables of this file and of the converter hold the same names."""
    assert {*FORMULAS, *BY_CHANNEL} == activations.NAMES


def test_mish_is_one_operator_on_request(tmp_path: Path) -> None:
    """Three nodes by default at every opset; the operator from 18 on, an error below."""
    expected = np.vectorize(FORMULAS["mish"])(X.astype(np.float64))
    layer = "[activation]\nactivation=mish"
    check(tmp_path, layer, X, expected, opsets=(18, 21), mish="operator")
    files = write(tmp_path, layer, X)
    kinds = [[n.op_type for n in convert(*files, 21, mish=mish).graph.node] for mish in ("nodes", "operator")]
    assert kinds == [["Softplus", "Tanh", "Mul"], ["Mish"]]
    with pytest.raises(ValueError, match="Mish"):
        convert(*files, 17, mish="operator")


DEFAULTS = {
    "[convolutional]\nfilters=4\nsize=1": "logistic",
    "[connected]\noutput=108": "logistic",
    "[local]\nfilters=4\nsize=1": "logistic",
    "[shortcut]\nfrom=-1": "linear",
    "[sam]\nfrom=-1": "linear",
    "[scale_channels]\nfrom=-1": "linear",
    "[activation]": "linear",
}


@pytest.mark.parametrize("layer", DEFAULTS)
def test_an_unknown_activation_is_refused_everywhere(layer: str, tmp_path: Path) -> None:
    """Darknet takes it for relu and says so on the screen; here it is an error with its line."""
    files = write(tmp_path, f"[dropout]\n{layer}\nactivation=reluu", X)
    with pytest.raises(ConversionError, match="reluu") as caught:
        convert(*files, 13, lenient=True)
    assert caught.value.where.endswith(f":{5 + 2 + layer.count(chr(10))}")


@pytest.mark.parametrize(("layer", "kind"), DEFAULTS.items())
def test_a_missing_activation_is_darknets_default(layer: str, kind: str, tmp_path: Path) -> None:
    """Logistic behind weights, linear behind joins."""
    weights = [random(20)] if kind == "logistic" else []
    files = write(tmp_path, f"[dropout]\n{layer.replace('108', '4')}", X[:, :, :1, :1], weights)
    kinds = [node.op_type for node in convert(*files, 13).graph.node]
    assert ("Sigmoid" in kinds) == (kind == "logistic")
