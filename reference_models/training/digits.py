"""Recipe for the weights of 'digits': ``python -m reference_models.training.digits``.

Deterministic on one machine (fixed seed, one thread), well under a minute on one core. Other
versions of torch may give other bits; the accuracy printed is what counts, and PROVENANCE.md says
which versions made the committed file.
"""

from __future__ import annotations

from reference_models.datasets import digits as data
from reference_models.pytorch.digits import WEIGHTS, network
from reference_models.training.recipe import Recipe, make

RECIPE = Recipe(network, data.train, data.held_out, WEIGHTS, epochs=60, shift=1)

if __name__ == "__main__":
    make(RECIPE, seed=0)
