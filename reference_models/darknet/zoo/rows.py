"""The rows of the tier `zoo`: seeded networks, small or at the sizes people run, and a trained one.

A row is named after its architecture, the large ones after their size too. YOLOv2 and the classifiers have
no heads to decode; the tests of the converter compare them.
"""

from __future__ import annotations

from functools import partial

from reference_models.darknet.build import darknet_model
from reference_models.darknet.digit_detectors import digit_detector
from reference_models.darknet.slim import digits_yolov4_tiny
from reference_models.darknet.zoo.catalog import ZOO
from reference_models.model import ReferenceModel

SMALL, LARGE = 128, 608
SIDES = {
    "yolov3": (LARGE,),
    "yolov3-spp": (416, LARGE),
    "yolov4": (416, LARGE),
    "yolov4-csp": (416, LARGE),
    "yolov4-tiny-3l": (SMALL,),
    "yolov4x-mish": (SMALL,),
    "yolov4-p5": (SMALL,),
    "yolov7-tiny": (SMALL,),
    "enet-coco": (SMALL,),
    "yolo-fastest": (SMALL,),
    "csresnext50-panet-spp": (SMALL,),
}
"""Architecture -> sides of the input. yolov3 at 416 and both tinies are rows of the default tier."""


def row(architecture: str, size: int, name: str) -> ReferenceModel:
    """Make the row of one architecture at one size."""
    build = partial(ZOO[architecture], size)
    heads = build().heads
    return darknet_model(name, build, heads, size=size, seed=11, tier="zoo")


MODELS = (
    *(
        row(name, size, f"{name}-{size}" if size == LARGE else name)
        for name, sides in SIDES.items()
        for size in sides
    ),
    digit_detector("digits-yolov4-tiny", digits_yolov4_tiny, tier="zoo"),
)
"""The last one has trained weights, and scenes of digits to judge INT8 by."""
