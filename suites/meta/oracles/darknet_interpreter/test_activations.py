"""The interpreter's activations are PyTorch's, or take the values of Darknet's header."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from suites.meta.oracles.darknet_interpreter.activations import ACTIVATIONS

Tensor = Any
EXACT: dict[str, Any] = {"rtol": 1e-10, "atol": 1e-12}
TORCH_ACTIVATIONS = {
    "logistic": "sigmoid", "relu": "relu", "relu6": "relu6", "elu": "elu", "tanh": "tanh",
    "swish": "silu", "mish": "mish", "hardtan": "hardtanh", "leaky": "leaky", "revleaky": "leaky",
    "selu": "selu", "gelu": "gelu", "loggy": "loggy", "relie": "leaky_relu", "ramp": "ramp",
}  # fmt: skip
BY_READING = {
    "plse": (-8, -0.04, 0, 0.5, 2, 0.75, 8, 1.04),
    "lhtan": (-2, -0.002, 0.5, 0.5, 3, 1.002),
    "stair": (-0.5, -0.5, 0.5, 0, 1.25, 0.25, 2.5, 1, 3.5, 1.5),
    "hard_mish": (-3, 0, -2, 0, -1, -0.5, 0, 0, 3, 3),
}
"""Inputs and outputs in turn, from the formulas of activations.h, worked out by hand."""


@pytest.mark.parametrize("name", TORCH_ACTIVATIONS)
def test_activation_is_torchs(name: str) -> None:
    """Darknet's names mean what PyTorch's do; selu and gelu differ by their rounded constants."""
    import torch
    from torch.nn import functional

    x = torch.linspace(-9, 9, 73, dtype=torch.float64)
    own: dict[str, Callable[[Tensor], Tensor]] = {
        "leaky": lambda t: functional.leaky_relu(t, 0.1),
        "loggy": lambda t: torch.tanh(t / 2),
        "gelu": lambda t: functional.gelu(t, approximate="tanh"),
        "ramp": lambda t: functional.relu(t) + 0.1 * t,
    }
    expected = own.get(TORCH_ACTIVATIONS[name], getattr(functional, TORCH_ACTIVATIONS[name], None))
    assert expected is not None
    limits = {"rtol": 1e-4, "atol": 1e-5} if name in {"selu", "gelu"} else EXACT
    np.testing.assert_allclose(ACTIVATIONS[name](x.numpy()), expected(x).numpy(), **limits)


@pytest.mark.parametrize("name", BY_READING)
def test_activation_is_the_headers(name: str) -> None:
    """Activations that PyTorch has not take the values of Darknet's header."""
    pairs = np.array(BY_READING[name], np.float64).reshape(-1, 2)
    np.testing.assert_allclose(ACTIVATIONS[name](pairs[:, 0]), pairs[:, 1], **EXACT)


def test_normalizing_activations_add_up_to_almost_one() -> None:
    """Channels are divided by their sum plus 1e-4; only `maxval` is blind to a shift."""
    x = np.array([[-1.0, 1.0, 3.0]]).reshape(1, 3, 1, 1)
    np.testing.assert_allclose(
        ACTIVATIONS["normalize_channels"](x).ravel(), [0, 1 / 4.0001, 3 / 4.0001], **EXACT
    )
    plain, shifted = (ACTIVATIONS["normalize_channels_softmax"](x + by).sum() for by in (0, -9))
    assert 1 - plain == pytest.approx(1e-4 / (np.exp(x).sum() + 1e-4))
    assert shifted < 0.97
    maxval = ACTIVATIONS["normalize_channels_softmax_maxval"]
    np.testing.assert_allclose(maxval(x), maxval(x - 9), **EXACT)


def test_every_activation_is_compared_with_something() -> None:
    """No name of the table rests on itself, except linear."""
    elsewhere = {name for name in ACTIVATIONS if name.startswith("normalize_channels")}
    assert set(ACTIVATIONS) == {*TORCH_ACTIVATIONS, *BY_READING, *elsewhere, "linear"}
