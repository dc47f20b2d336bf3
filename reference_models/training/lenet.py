"""Recipe for the weights of 'lenet': ``python -m reference_models.training.lenet``.

Deterministic like the recipe of 'digits', on the same split of the same images, enlarged four times.
"""

from __future__ import annotations

from reference_models.datasets import digits as data
from reference_models.pytorch.lenet import WEIGHTS, network
from reference_models.training.recipe import Labelled, Recipe, make


def train() -> Labelled:
    """Return the training part, (N, 1, 32, 32)."""
    images, labels = data.train()
    return data.enlarged(images), labels


def held_out() -> Labelled:
    """Return the held-out part, (N, 1, 32, 32)."""
    images, labels = data.held_out()
    return data.enlarged(images), labels


RECIPE = Recipe(network, train, held_out, WEIGHTS, epochs=60, shift=4)

if __name__ == "__main__":
    make(RECIPE, seed=0)
