"""Seeded Darknet weights: random, but as sane as trained ones."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from reference_models.darknet.builder import Cfg, Conv

HEADER = np.array([0, 2, 5, 0, 0], "<i4")
"""major, minor, revision, and images seen as a 64-bit integer: Darknet 0.2.5."""


def write_seeded(path: Path, cfg: Cfg, seed: int) -> None:
    """Write a .weights file for the network, in Darknet's order: bias, [scale, mean, var], weights.

    Every convolution brings what it gets, of second moment `Conv.moment`, to one of 1 before its
    activation (He et al., arXiv 1502.01852, for any activation) and BatchNorm variances are positive, so
    activations stay O(1) however deep the network is; `Conv.gain` keeps residual sums from doubling at
    every block.
    """
    random = np.random.default_rng(seed)
    with path.open("wb") as file:
        file.write(HEADER.tobytes())
        for conv in cfg.convs:
            for array in _arrays(conv, random):
                file.write(array.astype("<f4").tobytes())


def _arrays(conv: Conv, random: np.random.Generator) -> Iterator[np.ndarray]:
    fan_in = conv.channels // conv.groups * conv.size**2
    yield 0.1 * random.standard_normal(conv.filters, np.float32)
    std = np.sqrt(1.0 / (conv.moment * fan_in)) * (1.0 if conv.bn else conv.gain)
    if conv.bn:
        variance = random.uniform(0.25, 2.25, conv.filters)
        yield conv.gain * np.sqrt(variance) * random.uniform(0.7, 1.25, conv.filters)
        yield 0.1 * random.standard_normal(conv.filters)
        yield variance
    yield random.standard_normal(conv.shape, np.float32) * np.float32(std)


DARKNET_EPSILON = 1e-5
OPENCV_EPSILON = 1e-6
"""OpenCV DNN's Darknet importer, measured on one convolution with a variance of 2e-5."""


def shift_variances(source: Path, target: Path, cfg: Cfg, shift: float) -> None:
    """Copy a weights file with `shift` added to every BatchNorm variance."""
    data = np.fromfile(source, np.uint8)
    for conv, stored in stored_arrays(data, cfg):
        if conv.bn:
            stored[3 * conv.filters : 4 * conv.filters] += np.float32(shift)
    data.tofile(target)


def stored_arrays(data: np.ndarray, cfg: Cfg) -> Iterator[tuple[Conv, np.ndarray]]:
    """Yield each convolution with a view of its floats in a file: bias, [scale, mean, var], weights.

    Raises ValueError when the file has another size than the network.
    """
    floats, at = data[HEADER.nbytes :].view("<f4"), 0
    if floats.nbytes != cfg.stored_bytes:
        raise ValueError(f"{floats.nbytes} bytes of weights, but the network has {cfg.stored_bytes}")
    for conv in cfg.convs:
        yield conv, floats[at : at + conv.count]
        at += conv.count
