"""What the rows of the slim detectors share: trained weights, and held-out scenes to judge INT8 by.

Trained by ``python -m fixtures train recipe NAME``; see PROVENANCE.md.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from reference_models import yolo
from reference_models.darknet import build, slim
from reference_models.darknet.builder import Cfg
from reference_models.datasets import digit_scenes
from reference_models.model import ReferenceModel, Source, Tier

WEIGHTS = {
    "digits-yolov3-tiny": "digits-yolov3-tiny.weights",
    "digits-yolov4-tiny": "digits-yolov4-tiny.weights",
}
"""Detector -> file beside this one: written out, so that it counts among what a detector is made by."""


def weight_file(name: str) -> Path:
    """Return where the committed weights of a detector lie. Raise KeyError for another name."""
    return Path(__file__).with_name(WEIGHTS[name])


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
        samples=partial(digit_scenes.samples, "data"),
        converters=("darknet",),
        decode=partial(yolo.decode, heads=network.heads),
        origin=lambda: "trained",
        metric="map",
        dataset=digit_scenes.dataset,
        tier=tier,
    )
