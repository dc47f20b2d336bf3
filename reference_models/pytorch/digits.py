"""The row 'digits': a small CNN with real, trained weights, so that accuracy can be judged.

Trained by ``python -m reference_models.training.digits``; see PROVENANCE.md.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from reference_models.model import ReferenceModel, Source, Tensors
from reference_models.pytorch.state import digest, fill
from reference_models.readers import arrays_of, told_as

WEIGHTS = Path(__file__).with_suffix(".npz")
WIDTHS = (16, 32, 64)
"""Channels of the three Conv-BN-ReLU blocks; the second halves the image."""
SAMPLES = 8
REMEDY = "Restore it from the checkout, or train again: python -m reference_models.training"


def network() -> Any:
    """Build the classifier in eval mode with torch's own random weights.

    Takes (N, 1, 8, 8), 0..1; gives logits (N, 10). Three 3x3 Conv-BN-ReLU blocks, global average
    pooling, one linear layer.
    """
    import torch
    from torch import nn

    layers: list[Any] = []
    inputs = 1
    with torch.random.fork_rng(devices=[]):
        for width, stride in zip(WIDTHS, (1, 2, 1), strict=True):
            layers += [nn.Conv2d(inputs, width, 3, stride, 1, bias=False), nn.BatchNorm2d(width)]
            layers += [nn.ReLU()]
            inputs = width
        layers += [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(inputs, 10)]
        return nn.Sequential(*layers).eval()


def load_weights(module: Any, path: Path) -> None:
    """Fill the network from an .npz of float32 arrays named as in its state_dict, nothing pickled.

    Raises FileNotFoundError when there is no such file, and ValueError when it is damaged, or names or shapes
    differ, or values are broken numbers.
    """
    import torch

    with told_as("sound .npz of arrays", path, REMEDY):
        state = {name: torch.from_numpy(array) for name, array in arrays_of(path).items()}
    fill(module, state, path, REMEDY)


def build(_folder: Path) -> Source:
    """Build the network with its trained weights."""
    module = network()
    load_weights(module, WEIGHTS)
    return Source(digest(f"digits CNN {WIDTHS}", module), "trained", module=module)


def samples() -> list[Tensors]:
    """Return the first held-out digits, one by one, (1, 1, 8, 8)."""
    from reference_models.datasets import digits

    images, _ = digits.held_out()
    return [{"image": image[None]} for image in images[:SAMPLES]]


def dataset() -> dict[str, np.ndarray]:
    """Return the calibration images, and the held-out images and labels that decide the accuracy."""
    from reference_models.datasets import digits

    images, labels = digits.held_out()
    return {"calibration": digits.calibration()[0], "images": images, "labels": labels}


MODEL = ReferenceModel(
    name="digits",
    framework="pytorch",
    inputs={"image": (1, 1, 8, 8)},
    outputs=("logits",),
    build=build,
    samples=samples,
    converters=("torchscript", "dynamo"),
    origin=lambda: "trained",
    metric="top1",
    dataset=dataset,
    network=network,
)
