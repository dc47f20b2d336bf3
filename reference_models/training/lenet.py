"""Recipe for the weights of 'lenet': ``python -m reference_models.training.lenet``.

Deterministic like the recipe of 'digits', on the same split of the same images, enlarged four times. With
``--mnist FOLDER -o FILE`` the same network is trained on all of MNIST, from the user's files, and judged by
its test part.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from reference_models.datasets import digits as data
from reference_models.datasets import mnist
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


def on_mnist(folder: Path, weights: Path) -> Recipe:
    """Return the recipe on the 60,000 images of MNIST's files in a folder, judged by its 10,000 others."""
    learned, judged = (partial(mnist.part, folder, name) for name in ("train", "test"))
    return Recipe(network, learned, judged, weights, epochs=4, shift=2)


def main(arguments: Sequence[str] | None = None) -> int:
    """Train, and say what the weights are worth."""
    parser = argparse.ArgumentParser(prog="python -m reference_models.training.lenet", description=__doc__)
    parser.add_argument("--mnist", type=Path, metavar="FOLDER", help="with the four files of MNIST")
    parser.add_argument("-o", "--output", type=Path, metavar="FILE.npz", help="to write, with --mnist")
    options = parser.parse_args(arguments)
    if bool(options.mnist) != bool(options.output):
        parser.error("--mnist FOLDER and -o FILE.npz belong together: the committed weights are of digits")
    try:
        make(on_mnist(options.mnist, options.output) if options.mnist else RECIPE, seed=0)
    except mnist.MnistError as error:
        parser.error(str(error))
    return 0


if __name__ == "__main__":
    main()
