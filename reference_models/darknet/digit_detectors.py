"""What the rows of the slim detectors share: trained weights, and held-out scenes to judge INT8 by.

Trained by ``python -m fixtures train recipe NAME``; see PROVENANCE.md.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

from reference_models import inputs, yolo
from reference_models.darknet import build, slim
from reference_models.darknet.builder import Cfg
from reference_models.datasets import digit_scenes
from reference_models.model import ReferenceModel, Source, Tensors, Tier

CALIBRATION, HELD_OUT, SAMPLES = 64, 300, 4
"""Scenes for INT8 ranges, that decide the accuracy, and that are compared one by one."""


WEIGHTS = {
    "digits-yolov3-tiny": "digits-yolov3-tiny.weights",
    "digits-yolov4-tiny": "digits-yolov4-tiny.weights",
}
"""Detector -> file beside this one: written out, so that it counts among what a detector is made by."""


def weight_file(name: str) -> Path:
    """Return where the committed weights of a detector lie. Raise KeyError for another name."""
    return Path(__file__).with_name(WEIGHTS[name])


def dataset() -> dict[str, np.ndarray]:
    """Return calibration scenes, and the held-out ones with every object: see `ReferenceModel`."""
    held_out = digit_scenes.part("held-out", HELD_OUT)
    return {
        "calibration": digit_scenes.part("calibration", CALIBRATION).images,
        "images": held_out.images,
        "boxes": np.concatenate(held_out.boxes),
        "labels": np.concatenate(held_out.labels),
        "counts": np.array([len(labels) for labels in held_out.labels]),
    }


def samples() -> list[Tensors]:
    """Return the first held-out scenes, one by one, then noise."""
    scenes = digit_scenes.part("held-out", SAMPLES).images
    tensors = [*(scene[None] for scene in scenes), inputs.noise((1, 3, slim.SIDE, slim.SIDE), 1.0, seed=7)]
    return [{"data": tensor} for tensor in tensors]


def _build(name: str, network: Cfg, folder: Path) -> Source:
    return build.source(name, network, folder, weight_file(name), "trained")


def digit_detector(name: str, architecture: Callable[[], Cfg], tier: Tier = "default") -> ReferenceModel:
    """Make the row of one detector; the input is ``data`` (1, 3, 96, 96) RGB in 0..1."""
    network = architecture()
    return ReferenceModel(
        name=name,
        framework="darknet",
        inputs={"data": (1, 3, slim.SIDE, slim.SIDE)},
        outputs=tuple(head.output for head in network.heads),
        build=partial(_build, name, network),
        samples=samples,
        converters=("darknet",),
        decode=partial(yolo.decode, heads=network.heads),
        origin=lambda: "trained",
        metric="map",
        dataset=dataset,
        tier=tier,
    )
