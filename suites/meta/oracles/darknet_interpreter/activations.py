"""Activations: activations.h and activations.c of AlexeyAB's Darknet.

Where its CPU code returns 0 for lack of a case (relu6; swish and mish outside of convolutions) this is
what the name means, as its GPU code and the patched reference do. A name that it does not know means relu
to Darknet; here it is an error.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

Array = np.ndarray
NORMALIZING_EPSILON = 1e-4


def logistic(x: Array) -> Array:
    """1 / (1 + exp(-x)), without overflow."""
    small = np.exp(-np.abs(x))
    return np.where(x >= 0, 1 / (1 + small), small / (1 + small))


def mish(x: Array) -> Array:
    """X * tanh(log(1 + exp x)); Darknet's thresholds of 20 do not show in float32."""
    return x * np.tanh(np.logaddexp(x, np.zeros((), x.dtype)))


def hard_mish(x: Array) -> Array:
    """`hard_mish_yashas`: a parabola between -2 and 0."""
    return np.where(x > 0, x, np.where(x > -2, x * x / 2 + x, 0 * x))


def elu(x: Array, scale: float = 1.0, alpha: float = 1.0) -> Array:
    """Scale * (x, or alpha * (exp x - 1) below 0)."""
    return np.where(x >= 0, scale * x, scale * alpha * (np.exp(np.minimum(x, 0)) - 1))


def selu(x: Array) -> Array:
    """Elu with the rounded constants of the header."""
    return elu(x, 1.0507, 1.6732)


def gelu(x: Array) -> Array:
    """Return the tanh form, constants rounded as in the header."""
    return 0.5 * x * (1 + np.tanh(0.797885 * x + 0.035677 * x**3))


def plse(x: Array) -> Array:
    """Piecewise linear approximation of the logistic."""
    return np.where(x < -4, 0.01 * (x + 4), np.where(x > 4, 0.01 * (x - 4) + 1, 0.125 * x + 0.5))


def stair(x: Array) -> Array:
    """Flat on even intervals, a slope of 1 on odd ones."""
    floor, half = np.floor(x), np.floor(x / 2)
    return np.where(floor % 2 == 0, half, (x - floor) + half)


def lhtan(x: Array) -> Array:
    """Leaky on both sides of 0..1."""
    return np.where(x < 0, 0.001 * x, np.where(x > 1, 0.001 * (x - 1) + 1, x))


def normalize_channels(x: Array) -> Array:
    """Positive part over its sum along axis 1."""
    kept = np.maximum(x, 0)
    return kept / (NORMALIZING_EPSILON + kept.sum(axis=1, keepdims=True))


def normalize_channels_softmax(x: Array) -> Array:
    """Softmax along axis 1 with an epsilon below, nothing subtracted."""
    raised = np.exp(x)
    return raised / (NORMALIZING_EPSILON + raised.sum(axis=1, keepdims=True))


def normalize_channels_softmax_maxval(x: Array) -> Array:
    """Subtract the maximum first, so that the epsilon weighs differently."""
    return normalize_channels_softmax(x - x.max(axis=1, keepdims=True))


ACTIVATIONS: dict[str, Callable[[Array], Array]] = {
    "linear": lambda x: x,
    "logistic": logistic,
    "loggy": lambda x: 2 * logistic(x) - 1,
    "relu": lambda x: np.maximum(x, 0),
    "relu6": lambda x: np.clip(x, 0, 6),
    "elu": elu,
    "selu": selu,
    "gelu": gelu,
    "relie": lambda x: np.where(x > 0, x, 0.01 * x),
    "ramp": lambda x: np.maximum(x, 0) + 0.1 * x,
    "leaky": lambda x: np.where(x > 0, x, 0.1 * x),
    "revleaky": lambda x: np.where(x > 0, x, 0.1 * x),
    "tanh": np.tanh,
    "plse": plse,
    "stair": stair,
    "hardtan": lambda x: np.clip(x, -1, 1),
    "lhtan": lhtan,
    "swish": lambda x: x * logistic(x),
    "mish": mish,
    "hard_mish": hard_mish,
    "normalize_channels": normalize_channels,
    "normalize_channels_softmax": normalize_channels_softmax,
    "normalize_channels_softmax_maxval": normalize_channels_softmax_maxval,
}


def activate(x: Array, name: str) -> Array:
    """Apply an activation by its cfg name; ValueError for one that Darknet does not know."""
    if name not in ACTIVATIONS:
        raise ValueError(f"{name} is no activation")
    return ACTIVATIONS[name](x)
