"""Reading of raw YOLO heads, in NumPy: boxes, objectness and class probabilities apart.

A norm over a decoded tensor is swamped by box pixels (0..640), so the three are never mixed.

Sources: YOLOv3 boxes from Redmon and Farhadi, "YOLOv3: An Incremental Improvement" (2018), section
2.1; ``scale_x_y`` from Bochkovskiy et al., "YOLOv4" (2020), section 3.4, "eliminate grid
sensitivity"; ``new_coords`` from AlexeyAB/darknet `src/yolo_layer.c`, get_yolo_box;
YOLOv5 boxes from docs.ultralytics.com/yolov5/tutorials/architecture_description, the section of the
same name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

Tensors = Mapping[str, np.ndarray]
MOST = 3000
"""Candidates of one image that suppression looks at: with a threshold near 0 there are very many."""


@dataclass(frozen=True)
class Head:
    """How one raw output is to be read.

    output: its name. anchors: (width, height) in input pixels, in the order of the channels.
    stride: input pixels per grid cell. classes: C, so that the output has A*(5+C) channels.
    style: which box formula; ``new_coords`` is Darknet's of Scaled-YOLOv4, whose head convolution is
    logistic already. scale_x_y: how far a centre may leave its cell (not in yolov5's style); 1, not at all.
    """

    output: str
    anchors: tuple[tuple[float, float], ...]
    stride: int
    classes: int
    style: Literal["yolov3", "yolov5", "new_coords"]
    scale_x_y: float = 1.0


@dataclass(frozen=True)
class Detection:
    """One object: class number, score 0..1, box as centre x, y, width, height in input pixels."""

    label: int
    score: float
    box: tuple[float, float, float, float]


def decode(outputs: Tensors, heads: Sequence[Head]) -> dict[str, np.ndarray]:
    """Turn raw heads (N, A*(5+C), H, W), anchor-major channels, into what is compared apart.

    Gives, float32 and per head, ``<output>/boxes`` (N, A*H*W, 4) as cx, cy, w, h in input pixels,
    ``<output>/objectness`` (N, A*H*W) and ``<output>/classes`` (N, A*H*W, C), both probabilities.
    Raises ValueError when an output is missing or has the wrong number of axes or channels. NaN
    stays NaN and too large becomes infinite, for the comparison to count.
    """
    decoded: dict[str, np.ndarray] = {}
    for head in heads:
        raw = _cells(outputs, head)
        count = raw.shape[0]
        with np.errstate(over="ignore", under="ignore", invalid="ignore"):
            decoded[f"{head.output}/boxes"] = _boxes(raw[..., :4], head).reshape(count, -1, 4)
            probabilities = raw[..., 4:] if head.style == "new_coords" else _sigmoid(raw[..., 4:])
        objectness, classes = probabilities[..., 0], probabilities[..., 1:]
        decoded[f"{head.output}/objectness"] = objectness.reshape(count, -1)
        decoded[f"{head.output}/classes"] = classes.reshape(count, -1, head.classes)
    return decoded


def split(outputs: Tensors, output: str) -> dict[str, np.ndarray]:
    """Part an output that is decoded already, (N, B, 5+C), as `decode` names its parts.

    Raises ValueError when it is missing or has another number of axes.
    """
    if output not in outputs or outputs[output].ndim != 3:
        shapes = {name: array.shape for name, array in outputs.items()}
        raise ValueError(f"expected an output {output!r} of (N, boxes, 5+classes), got {shapes}")
    values = outputs[output]
    parts = {"boxes": values[..., :4], "objectness": values[..., 4], "classes": values[..., 5:]}
    return {f"{output}/{name}": part for name, part in parts.items()}


def detections(
    decoded: Tensors, threshold: float = 0.25, overlap: float = 0.45, image: int = 0
) -> list[Detection]:
    """Return the objects of one image of a batch, best first, from what `decode` gave; see `found`."""
    rows = found(decoded, threshold, overlap, image)
    return [Detection(int(label), score, (x, y, w, h)) for label, score, x, y, w, h in rows.tolist()]


def found(decoded: Tensors, threshold: float, overlap: float, image: int = 0) -> np.ndarray:
    """Return the objects of one image of a batch, best first: (D, 6) float32, label, score, cx, cy, w, h.

    decoded: of each head ``<output>/boxes``, ``<output>/classes`` and, where a network has it,
    ``<output>/objectness``. Every (box, class) with objectness * class probability >= threshold is a
    candidate, the best `MOST` of them; of two candidates of one class whose intersection over union exceeds
    `overlap` the better one stays (greedy non-maximum suppression, class by class, as Darknet does).
    A candidate whose score or box is not finite is none.
    """
    outputs = [name.removesuffix("/boxes") for name in decoded if name.endswith("/boxes")]
    if not outputs:
        return np.zeros((0, 6), np.float32)
    boxes = np.concatenate([decoded[f"{name}/boxes"][image] for name in outputs])
    scores = np.concatenate([_scores(decoded, name, image) for name in outputs])
    rows, labels = np.nonzero((scores >= threshold) & np.isfinite(scores))
    finite = np.isfinite(boxes[rows]).all(axis=1)
    rows, labels = rows[finite], labels[finite]
    order = np.argsort(-scores[rows, labels], kind="stable")[:MOST]
    rows, labels = rows[order], labels[order]
    standing = _suppress(boxes[rows], labels, overlap)
    rows, labels = rows[standing], labels[standing]
    table = np.column_stack([labels, scores[rows, labels], boxes[rows]])
    return table.astype(np.float32).reshape(-1, 6)


def _scores(decoded: Tensors, name: str, image: int) -> np.ndarray:
    """Return the scores of one head, (B, C)."""
    classes = decoded[f"{name}/classes"][image]
    objectness = decoded.get(f"{name}/objectness")
    return classes if objectness is None else objectness[image][:, None] * classes


def intersection_over_union(boxes: np.ndarray) -> np.ndarray:
    """Return the (n, n) overlaps of n boxes (n, 4) as cx, cy, w, h; empty boxes overlap nothing."""
    low, high = (boxes[:, :2] - boxes[:, 2:] / 2).T, (boxes[:, :2] + boxes[:, 2:] / 2).T
    wide, tall = (
        np.maximum(np.minimum(last[:, None], last) - np.maximum(first[:, None], first), 0)
        for first, last in zip(low, high, strict=True)
    )
    shared, area = wide * tall, boxes[:, 2] * boxes[:, 3]
    union = area[:, None] + area - shared
    return np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)


def _cells(outputs: Tensors, head: Head) -> np.ndarray:
    """Bring one raw output to (N, A, H, W, 5+C)."""
    if head.output not in outputs:
        raise ValueError(f"no output named {head.output!r} among {sorted(outputs)}")
    raw = outputs[head.output]
    fields = 5 + head.classes
    channels = len(head.anchors) * fields
    if raw.ndim != 4 or raw.shape[1] != channels:
        raise ValueError(
            f"output {head.output!r} has shape {raw.shape}; expected (N, {channels}, H, W), "
            f"{len(head.anchors)} anchors of 5 + {head.classes} channels"
        )
    count, _, height, width = raw.shape
    split = raw.astype(np.float32).reshape(count, len(head.anchors), fields, height, width)
    return split.transpose(0, 1, 3, 4, 2)


def _boxes(raw: np.ndarray, head: Head) -> np.ndarray:
    """Turn (N, A, H, W, 4) raw boxes into cx, cy, w, h in input pixels."""
    height, width = raw.shape[2:4]
    y, x = np.mgrid[:height, :width].astype(np.float32)
    grid = np.stack([x, y], axis=-1)
    anchors = np.asarray(head.anchors, np.float32)[:, None, None, :]
    if head.style == "yolov5":
        centre = 2 * _sigmoid(raw[..., :2]) - np.float32(0.5)
        size = (2 * _sigmoid(raw[..., 2:])) ** 2
    else:
        scale, ready = np.float32(head.scale_x_y), head.style == "new_coords"
        centre = scale * (raw[..., :2] if ready else _sigmoid(raw[..., :2])) - (scale - 1) / 2
        size = (2 * raw[..., 2:]) ** 2 if ready else np.exp(raw[..., 2:])
    return np.concatenate([(centre + grid) * np.float32(head.stride), size * anchors], axis=-1)


def _sigmoid(x: np.ndarray) -> np.ndarray:
    """Logistic function: full relative precision for very negative x, and never an overflow.

    Of two exponentials, which numpy computes eight at a time; its `logaddexp` takes one after the other.
    """
    return np.exp(np.minimum(x, 0)) / (1 + np.exp(-np.abs(x)))


def _suppress(boxes: np.ndarray, labels: np.ndarray, overlap: float) -> np.ndarray:
    """Return the indices that stay, of candidates sorted best first."""
    alive = np.ones(len(boxes), bool)
    for label in np.unique(labels):
        (same,) = np.nonzero(labels == label)
        if len(same) == 1:
            continue
        rivals = intersection_over_union(boxes[same]) > overlap
        for i, index in enumerate(same):
            if alive[index]:
                alive[same[i + 1 :][rivals[i, i + 1 :]]] = False
    return np.flatnonzero(alive)
