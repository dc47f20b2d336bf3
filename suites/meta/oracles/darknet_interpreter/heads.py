"""Heads, as far as their forward pass goes: yolo_layer.c, gaussian_yolo_layer.c, region, detection.

Boxes, thresholds and non-maximum suppression are not here; what a head gets is the output before it.
"""

from __future__ import annotations

import numpy as np

from suites.meta.oracles.darknet_interpreter.activations import logistic
from suites.meta.oracles.darknet_interpreter.dense import softmaxed, tree_softmaxed
from suites.meta.oracles.darknet_interpreter.running import Running
from suites.meta.oracles.darknet_interpreter.text import Section
from suites.meta.oracles.darknet_interpreter.weights import Array


def anchored(section: Section, x: Array, entries: int) -> Array:
    """Return a copy of x as (N, anchors, entries + classes, H, W); masks say how many anchors."""
    count = len(section.integers("mask")) if "mask" in section.values else section.integer("num", 1)
    depth = entries + section.integer("classes", 20)
    if x.shape[1] != count * depth:
        raise ValueError(f"[{section.name}] needs {count * depth} channels, not {x.shape[1]}")
    return x.reshape(x.shape[0], count, depth, *x.shape[2:]).copy()


def grown(x: Array, scale: float) -> Array:
    """`scal_add_cpu` by scale_x_y."""
    return x * x.dtype.type(scale) - x.dtype.type(0.5 * (scale - 1))


def yolo(net: Running, section: Section, x: Array) -> Array:
    """[yolo]: logistic of x, y, objectness and classes unless new_coords; x, y grown by scale_x_y."""
    cells = anchored(section, x, 5)
    if not section.integer("new_coords", 0):
        cells[:, :, :2] = logistic(cells[:, :, :2])
        cells[:, :, 4:] = logistic(cells[:, :, 4:])
    cells[:, :, :2] = grown(cells[:, :, :2], section.number("scale_x_y", 1.0))
    return cells.reshape(x.shape)


def gaussian_yolo(net: Running, section: Section, x: Array) -> Array:
    """[Gaussian_yolo]: mean and deviation of x, y, w, h; all logistic but the means of w and h."""
    cells = anchored(section, x, 9)
    for entry in (0, 1, 2, 3, 5, 7):
        cells[:, :, entry] = logistic(cells[:, :, entry])
    cells[:, :, 8:] = logistic(cells[:, :, 8:])
    for entry in (0, 2):
        cells[:, :, entry] = grown(cells[:, :, entry], section.number("scale_x_y", 1.0))
    return cells.reshape(x.shape)


def region(net: Running, section: Section, x: Array) -> Array:
    """[region]: gives (N, H, W, num * (coords + 1 + classes)), as `flatten` leaves it.

    Entry 4 becomes logistic, whatever coords says; classes from entry 5 go through softmax or tree.
    """
    depth = section.integer("coords", 4) + 1 + section.integer("classes", 20)
    if x.shape[1] != section.integer("num", 1) * depth:
        raise ValueError(f"[region] needs {section.integer('num', 1) * depth} channels, not {x.shape[1]}")
    last = np.ascontiguousarray(x.transpose(0, 2, 3, 1))
    cells = last.reshape(*last.shape[:3], -1, depth).copy()
    cells[..., 4] = logistic(cells[..., 4])
    if "tree" in section.values:
        text = (net.folder / section.values["tree"]).read_text()
        cells[..., 5:] = tree_softmaxed(cells[..., 5:], text)
    elif section.integer("softmax", 0):
        cells[..., 5:] = softmaxed(cells[..., 5:])
    return cells.reshape(last.shape)


def detection(net: Running, section: Section, x: Array) -> Array:
    """[detection], YOLOv1: a copy; with softmax=1 classes through softmax, the rest logistic."""
    side, classes = section.integer("side", 7), section.integer("classes", 1)
    places, num, coords = side * side, section.integer("num", 1), section.integer("coords", 1)
    flat = x.reshape(x.shape[0], -1).copy()
    if flat.shape[1] != places * ((1 + coords) * num + classes):
        raise ValueError(f"[detection] does not fit {flat.shape[1]} values")
    if section.integer("softmax", 0):
        scores = flat[:, : places * classes].reshape(-1, places, classes)
        flat[:, : places * classes] = softmaxed(scores).reshape(flat.shape[0], -1)
        flat[:, places * classes :] = logistic(flat[:, places * classes :])
    return flat.reshape(x.shape)
