"""Recipes for the weights of the slim detectors: ``python -m fixtures train recipe NAME``.

On scenes of the training part of the digits. Deterministic on one machine like the other recipes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from reference_models.darknet import slim
from reference_models.darknet.builder import Cfg


@dataclass(frozen=True)
class DetectorRecipe:
    """How one detector is trained: AdamW, a rate that rises and falls, `scenes` of digits `epochs` times."""

    architecture: Callable[[], Cfg]
    scenes: int = 3000
    epochs: int = 14
    batch: int = 32
    rate: float = 3e-3
    seed: int = 0


RECIPES = {
    "digits-yolov3-tiny": DetectorRecipe(slim.digits_yolov3_tiny),
    "digits-yolov4-tiny": DetectorRecipe(slim.digits_yolov4_tiny, epochs=8),
}
