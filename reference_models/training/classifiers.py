"""Recipes for the weights of MXNet classifiers: ``python -m fixtures train recipe NAME``.

On the training part of the digits. Deterministic on one machine like the other recipes.
"""

from __future__ import annotations

from dataclasses import dataclass

from reference_models.mxnet import digits_mobilenet


@dataclass(frozen=True)
class ClassifierRecipe:
    """How one classifier is trained: Adam, a rate that rises and falls, all digits `epochs` times.

    symbol: the module that writes its symbol.
    """

    symbol: str
    epochs: int = 40
    batch: int = 64
    rate: float = 4e-3
    decay: float = 1e-4
    seed: int = 0


CLASSIFIERS = {digits_mobilenet.NAME: ClassifierRecipe("reference_models.mxnet.build_digits_mobilenet")}
