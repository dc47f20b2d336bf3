"""Recipes for the weights of the slim detectors: ``python -m fixtures train recipe NAME``.

On scenes of the training part of the digits. Deterministic on one machine like the other recipes.
"""

from __future__ import annotations

from dataclasses import dataclass

from reference_models.darknet import slim
from reference_models.darknet.builder import Cfg
from reference_models.pytorch import digits_yolov5n
from reference_models.pytorch.yolov5_layers import Architecture


@dataclass(frozen=True)
class DetectorRecipe:
    """How one detector is trained: AdamW, a rate that rises and falls, `scenes` of digits `epochs` times.

    network: a Darknet network, or a YOLOv5 in PyTorch.
    """

    network: Cfg | Architecture
    scenes: int = 3000
    epochs: int = 14
    batch: int = 32
    rate: float = 3e-3
    decay: float = 5e-4
    seed: int = 0


RECIPES = {
    "digits-yolov3-tiny": DetectorRecipe(slim.digits_yolov3_tiny()),
    "digits-yolov4-tiny": DetectorRecipe(slim.digits_yolov4_tiny(), epochs=8),
    digits_yolov5n.NAME: DetectorRecipe(digits_yolov5n.ARCHITECTURE, epochs=20),
}
