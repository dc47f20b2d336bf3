"""The row 'digits-yolov5n': a YOLOv5n of half the width, trained on scenes of digits.

Trained by ``python -m fixtures train recipe digits-yolov5n``; see PROVENANCE.md.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from reference_models import yolo
from reference_models.datasets import digit_scenes
from reference_models.model import ReferenceModel, Source
from reference_models.pytorch import yolov5
from reference_models.pytorch.digits import load_weights
from reference_models.pytorch.state import digest
from reference_models.pytorch.yolov5_layers import Architecture

NAME = "digits-yolov5n"
WEIGHTS = Path(__file__).with_name("digits-yolov5n.npz")
ANCHORS = (
    ((9.0, 16.0), (12.0, 16.0), (15.0, 24.0)),
    ((18.0, 24.0), (20.0, 32.0), (24.0, 32.0)),
    ((25.0, 40.0), (28.0, 40.0), (33.0, 40.0)),
)
"""Sizes of digits in `datasets.digit_scenes`, whose ink is 16, 24, 32 or 40 pixels high."""
ARCHITECTURE = Architecture("n", classes=10, width=0.125, own_anchors=ANCHORS)


def network() -> Any:
    """Build the network in eval mode with arbitrary weights; it takes (N, 3, 96, 96), RGB, 0..1."""
    return yolov5.network(ARCHITECTURE)


def build(_folder: Path) -> Source:
    """Build the network with its trained weights."""
    module = network()
    load_weights(module, WEIGHTS)
    return Source(digest(f"{ARCHITECTURE}: {ARCHITECTURE.layers}", module), "trained", module=module)


MODEL = ReferenceModel(
    name=NAME,
    framework="pytorch",
    inputs={"images": (1, 3, digit_scenes.SIDE, digit_scenes.SIDE)},
    outputs=ARCHITECTURE.outputs,
    build=build,
    samples=partial(digit_scenes.samples, "images"),
    converters=("torchscript",),
    decode=partial(yolo.decode, heads=yolov5.heads_of(ARCHITECTURE)),
    origin=lambda: "trained",
    metric="map",
    dataset=digit_scenes.dataset,
    network=network,
    tier="zoo",
)
MODELS = (MODEL,)
