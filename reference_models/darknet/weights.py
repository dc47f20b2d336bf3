"""Seeded Darknet weights: random, but as sane as trained ones."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from reference_models.darknet.architectures import Cfg, Conv

HEADER = np.array([0, 2, 5, 0, 0], "<i4")
"""major, minor, revision, and images seen as a 64-bit integer: Darknet 0.2.5."""
HEAD_GAIN = 0.15
"""Of convolutions without BatchNorm: keeps the sizes of boxes, which are exponentials, within an image."""
LEAKY_SECOND_MOMENT = 0.505
"""E[leaky(x)^2] of a standard normal x with slope 0.1."""


def write_seeded(path: Path, cfg: Cfg, seed: int) -> None:
    """Write a .weights file for the network, in Darknet's order: bias, [scale, mean, var], weights.

    Every convolution keeps the second moment of what it gets (He et al., arXiv 1502.01852, for slope
    0.1) and BatchNorm statistics are positive, so activations stay O(1) however deep the network is;
    `Conv.gain` keeps residual sums from doubling at every block.
    """
    random = np.random.default_rng(seed)
    with path.open("wb") as file:
        file.write(HEADER.tobytes())
        for conv in cfg.convs:
            for array in _arrays(conv, random):
                file.write(array.astype("<f4").tobytes())


def _arrays(conv: Conv, random: np.random.Generator) -> Iterator[np.ndarray]:
    fan_in = conv.channels * conv.size**2
    yield 0.1 * random.standard_normal(conv.filters, np.float32)
    std = np.sqrt(1.0 / (LEAKY_SECOND_MOMENT * fan_in)) * (1.0 if conv.bn else HEAD_GAIN)
    if conv.bn:
        variance = random.uniform(0.25, 2.25, conv.filters)
        yield conv.gain * np.sqrt(variance) * random.uniform(0.7, 1.25, conv.filters)
        yield 0.1 * random.standard_normal(conv.filters)
        yield variance
    shape = (conv.filters, conv.channels, conv.size, conv.size)
    yield random.standard_normal(shape, np.float32) * np.float32(std)


DARKNET_EPSILON = 1e-5
OPENCV_EPSILON = 1e-6
"""OpenCV DNN's Darknet importer, measured on one convolution with a variance of 2e-5."""


def shift_variances(source: Path, target: Path, cfg: Cfg, shift: float) -> None:
    """Copy a weights file with `shift` added to every BatchNorm variance."""
    data = np.fromfile(source, np.uint8)
    floats = data[HEADER.nbytes :].view("<f4")
    at = 0
    for conv in cfg.convs:
        if conv.bn:
            floats[at + 3 * conv.filters : at + 4 * conv.filters] += np.float32(shift)
        at += conv.filters * (4 if conv.bn else 1) + conv.filters * conv.channels * conv.size**2
    data.tofile(target)
