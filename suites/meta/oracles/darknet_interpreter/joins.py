"""Layers that read other layers: route, shortcut, sam, scale_channels; and implicit, which reads none."""

from __future__ import annotations

import numpy as np

from suites.meta.oracles.darknet_interpreter.activations import activate
from suites.meta.oracles.darknet_interpreter.running import Running
from suites.meta.oracles.darknet_interpreter.text import Section
from suites.meta.oracles.darknet_interpreter.weights import Array

SHORTCUT_EPSILON = 1e-4
LEAST_WEIGHT = 1e-3
"""What relu normalization lifts smaller weights to: `lrelu` of network.c, where a network is fused for
inference, and of blas_kernels.cu; the CPU's `shortcut_multilayer_cpu` alone, unfused, takes 0."""


def route(net: Running, section: Section, x: Array) -> Array:
    """`forward_route_layer`: of each input the part group_id of groups, one after the other."""
    groups, part = section.integer("groups", 1), section.integer("group_id", 0)
    parts = [np.split(net.output(number), groups, axis=1)[part] for number in section.integers("layers")]
    return np.concatenate(parts, axis=1)


def mixing_weights(net: Running, section: Section, inputs: int, channels: int) -> Array | None:
    """Return (inputs, 1 or channels) weights of a shortcut, normalized over the inputs, or none.

    `shortcut_multilayer_cpu`; the input of the layer itself comes first. per_layer is per_feature.
    """
    kind = section.text("weights_type", "none")
    if kind == "none":
        return None
    width = {"per_feature": 1, "per_layer": 1, "per_channel": channels}[kind]
    weights = net.weights.take("mix", inputs, width)
    how = section.text("weights_normalization", "none")
    if how == "none":
        return weights
    if how in {"relu", "avg_relu"}:
        kept = np.maximum(weights, weights.dtype.type(LEAST_WEIGHT))
    elif how == "softmax":
        kept = np.exp(weights - weights.max(axis=0))
    else:
        raise ValueError(f"{how} is no weights_normalization")
    return kept / (SHORTCUT_EPSILON + kept.sum(axis=0))


def strided_sum(x: Array, other: Array, factor: Array) -> Array:
    """`shortcut_cpu`: add the common channels, of a larger image every stride-th pixel.

    A smaller image is added to every sample-th pixel. So does pjreddie's source; AlexeyAB's newest refuses.
    """
    (height, width), (h, w) = x.shape[2:], other.shape[2:]
    stride, sample = max(w // width, 1), max(width // w, 1)
    if stride != max(h // height, 1) or sample != max(height // h, 1):
        raise ValueError("a shortcut samples width and height alike")
    channels, rows, columns = min(x.shape[1], other.shape[1]), min(height, h), min(width, w)
    out = x.copy()
    added = other[:, :channels, : rows * stride : stride, : columns * stride : stride]
    scaled = added * factor[:channels] if factor.size > 1 else added * factor
    out[:, :channels, : rows * sample : sample, : columns * sample : sample] += scaled
    return out


def shortcut(net: Running, section: Section, x: Array) -> Array:
    """[shortcut]: the previous layer's shape stays; activation after."""
    others = [net.output(number) for number in section.integers("from")]
    weights = mixing_weights(net, section, len(others) + 1, x.shape[1])
    one = np.ones(1, x.dtype)
    factors = [one] * (len(others) + 1) if weights is None else list(weights)
    out = x * factors[0].reshape(-1, 1, 1)
    for other, factor in zip(others, factors[1:], strict=True):
        out = strided_sum(out, other, factor.reshape(-1, 1, 1))
    return activate(out, section.text("activation", "linear"))


def sam(net: Running, section: Section, x: Array) -> Array:
    """`forward_sam_layer`: elementwise product."""
    other = net.output(section.integers("from")[0])
    if other.shape != x.shape:
        raise ValueError(f"[sam] of {x.shape} and {other.shape}")
    return activate(x * other, section.text("activation", "linear"))


def scale_channels(net: Running, section: Section, x: Array) -> Array:
    """`forward_scale_channels_layer`: another layer times x (C, 1, 1), or (1, H, W) with scale_wh."""
    other = net.output(section.integers("from")[0])
    flat = (other.shape[0], 1, *other.shape[2:])
    expected = flat if section.integer("scale_wh", 0) else (*other.shape[:2], 1, 1)
    if x.shape != expected:
        raise ValueError(f"[scale_channels] of {other.shape} by {x.shape}")
    return activate(x * other, section.text("activation", "linear"))


def implicit(net: Running, section: Section, x: Array) -> Array:
    """`forward_implicit_layer`: its weights, (filters, atoms, 1), for every sample; it has no input."""
    shape = (section.integer("filters", 128), section.integer("atoms", 1), 1)
    return np.repeat(net.weights.take("mix", *shape)[None], x.shape[0], axis=0)


def same(net: Running, section: Section, x: Array) -> Array:
    """[dropout], [empty]; [cost] and [contrastive], which compute only in training."""
    return x
