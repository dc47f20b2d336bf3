"""What a reference model is: a source network, its weights, its inputs and how to read its outputs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np

Tensors = Mapping[str, np.ndarray]
Weights = Literal["official", "seeded", "trained", "own"]
Metric = Literal["none", "top1", "top5", "map", "distance"] | Callable[[Tensors, Tensors], float]
Tier = Literal["default", "zoo"]


@dataclass(frozen=True)
class Source:
    """One built source network: what a converter and a source runtime both start from.

    files: by role. Darknet: ``cfg``, ``weights``; MXNet: ``symbol``, ``params``; ONNX: ``file``, and what
        lies beside it; PyTorch: none needed.
    module: the ``torch.nn.Module`` in eval mode, PyTorch only.
    weights: where the weights come from; ``seeded`` also when official ones could not be fetched, ``own``
        those of a user's model.
    digest: sha256 over the network description and every weight byte.
    note: why the weights are not the official ones, or empty.
    """

    digest: str
    weights: Weights
    files: Mapping[str, Path] = field(default_factory=dict)
    module: Any = None
    note: str = ""


@dataclass(frozen=True)
class Own:
    """What a model that a user brings has beside its row.

    asked: the options that choose it. declaration: digest of what names and shapes it was declared with.
    fingerprint: digest of the network that was built from it last; empty where that is not known.
    given: its inputs as they were given, where they are held against what its file says.
    """

    asked: tuple[str, ...]
    declaration: str
    fingerprint: str = ""
    given: tuple[str, ...] = ()


@dataclass(frozen=True)
class ReferenceModel:
    """One row of the registry. Plain data; nothing heavy is imported until `build` or `samples` runs.

    inputs: name -> shape with batch 1, float32, NCHW; of a user's ONNX file whatever it says.
    outputs: names in the order that the ONNX model must have them.
    build: makes the `Source`; the argument is a folder in which it may leave its files.
    samples: input tensors, the same on every machine; photos first, then seeded noise.
    decode: turns raw outputs into what is compared apart (boxes, objectness, classes, labels ...),
        as name -> array, or nothing when raw outputs say it all. NumPy only.
    exact: names among the decoded values that must be equal, not merely close (labels).
    converters: the converters that can convert it, the first one is the one that engines are built from.
    origin: which weights `build` would use on this machine now; cheap enough to ask every time.
    metric: how accuracy is measured: top1, top5, map, or a function of (outputs, truth) of one image, each by
        name, that gives 0 to 1; distance where nothing is known of images but what fp32 makes of them.
    dataset: what it is measured on, no image in both: ``calibration`` and ``images`` (N, C, H, W) float32, or
        ``calibration/INPUT`` and ``images/INPUT`` of several inputs. Of a classifier ``labels`` (N,) int64.
        Of a detector all objects, image after image: ``boxes`` (M, 4) as x1, y1, x2, y2 in input pixels,
        ``labels`` (M,), ``counts`` (N,), how many each image has, and ``crowd`` (M,) where boxes are around
        many; without boxes, those of fp32 are what INT8 is held against.
    dataset_in_place: True where the data set lies on a user's disk, and is read there in each process.
    network: makes the ``torch.nn.Module`` with any weights, for stored ones to be loaded; PyTorch only, and
        only needed to run it where its weights cannot be made.
    tier: ``default`` models make up a run that names none; ``zoo`` ones must be asked for.
    lets_pass: what its converter is told to let pass that it refuses otherwise: ``lenient``,
        ``allow_nonfinite`` or ``allow_trailing``, each true.
    needs: modules that samples and data set are made with, beside the framework.
    opset: that a user's ONNX file is written at; it is covered beside those of the run. 0 for all others.
    profiles: smallest, usual and largest shape of inputs whose sizes are free, by name.
    dense: name of the model that it was pruned from; empty for one that was not.
    own: what a user's model has besides; None for a row of the registry.
    """

    name: str
    framework: Literal["darknet", "pytorch", "mxnet", "onnx"]
    inputs: Mapping[str, tuple[int, ...]]
    outputs: tuple[str, ...]
    build: Callable[[Path], Source]
    samples: Callable[[], Sequence[Tensors]]
    converters: tuple[str, ...]
    decode: Callable[[Tensors], dict[str, np.ndarray]] | None = None
    exact: frozenset[str] = frozenset()
    origin: Callable[[], Weights] = lambda: "seeded"
    metric: Metric = "none"
    dataset: Callable[[], Mapping[str, Any]] | None = None
    dataset_in_place: bool = False
    network: Callable[[], Any] | None = None
    tier: Tier = "default"
    lets_pass: Mapping[str, Any] = field(default_factory=dict)
    needs: tuple[str, ...] = ("PIL", "skimage", "sklearn")
    opset: int = 0
    profiles: Mapping[str, tuple[tuple[int, ...], ...]] = field(default_factory=dict)
    dense: str = ""
    own: Own | None = None
