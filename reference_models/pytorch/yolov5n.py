"""The row 'yolov5n': YOLOv5 nano at 320x320, three raw heads."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path

from reference_models import yolo
from reference_models.model import ReferenceModel, Source, Tensors, Weights
from reference_models.pytorch import yolov5
from reference_models.pytorch.state import digest

OFFICIAL = "TRT_PARITY_YOLOV5N"
"""Environment variable: path of a file with the official state_dict. Unset: seeded weights."""
WIDTH, DEPTH, CLASSES, SIDE, SEED = 0.25, 0.33, 80, 320, 5
OUTPUTS = ("p3", "p4", "p5")
HEADS = tuple(
    yolo.Head(output, anchors, stride, CLASSES, "yolov5")
    for output, anchors, stride in zip(OUTPUTS, yolov5.ANCHORS, yolov5.STRIDES, strict=True)
)


def origin() -> Weights:
    """Say which weights `build` would use."""
    return "official" if os.environ.get(OFFICIAL) else "seeded"


def build(_folder: Path) -> Source:
    """Build the network, official if `OFFICIAL` names a file, else seeded.

    Raises ValueError when that file is no state_dict of this network, FileNotFoundError when it is
    missing.
    """
    module = yolov5.network(WIDTH, DEPTH, CLASSES)
    description = f"yolov5 width {WIDTH} depth {DEPTH} classes {CLASSES}: {yolov5.LAYERS}"
    if path := os.environ.get(OFFICIAL):
        yolov5.load_weights(module, Path(path))
        return Source(digest(description, module), "official", module=module)
    from reference_models.inputs import photos

    yolov5.seed_weights(module, SEED, photos(SIDE, SIDE, maximum=1.0))
    note = f"set {OFFICIAL} to a file with the official state_dict to test that"
    return Source(digest(description, module), "seeded", module=module, note=note)


def samples() -> list[Tensors]:
    """Give photos, then one of seeded noise; each (1, 3, 320, 320), RGB, 0..1."""
    from reference_models.inputs import noise, photos

    images = [*photos(SIDE, SIDE, maximum=1.0), noise((1, 3, SIDE, SIDE), 1.0, SEED)]
    return [{"images": image} for image in images]


MODEL = ReferenceModel(
    name="yolov5n",
    framework="pytorch",
    inputs={"images": (1, 3, SIDE, SIDE)},
    outputs=OUTPUTS,
    build=build,
    samples=samples,
    converters=("torchscript", "dynamo"),
    decode=partial(yolo.decode, heads=HEADS),
    origin=origin,
)
