"""The row 'lenet': LeNet-5 with real, trained weights, the classic network to quantize.

After LeCun et al., "Gradient-Based Learning Applied to Document Recognition" (1998), figure 2: tanh and
average pooling as there; each map of C3 sees all maps of S2, pooling has no weights of its own, and the last
layer is linear. Trained by ``python -m reference_models.training.lenet``; see PROVENANCE.md.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from reference_models.datasets import digits
from reference_models.model import ReferenceModel, Source, Tensors
from reference_models.pytorch.digits import load_weights
from reference_models.pytorch.state import digest

WEIGHTS = Path(__file__).with_suffix(".npz")
SIDE, SAMPLES = 32, 8
MAPS, UNITS = (6, 16), (120, 84, 10)


def network() -> Any:
    """Build the classifier in eval mode with torch's own random weights.

    Takes (N, 1, 32, 32), 0..1; gives logits (N, 10).
    """
    import torch
    from torch import nn

    layers: list[Any] = []
    with torch.random.fork_rng(devices=[]):
        inputs = 1
        for maps in MAPS:
            layers += [nn.Conv2d(inputs, maps, 5), nn.Tanh(), nn.AvgPool2d(2)]
            inputs = maps
        layers.append(nn.Flatten())
        inputs = MAPS[-1] * 5 * 5  # 32 -> 28 -> 14 -> 10 -> 5
        for units in UNITS:
            layers += [nn.Linear(inputs, units), nn.Tanh()]
            inputs = units
        return nn.Sequential(*layers[:-1]).eval()


def build(_folder: Path) -> Source:
    """Build the network with its trained weights."""
    module = network()
    load_weights(module, WEIGHTS)
    return Source(digest(f"LeNet-5 {MAPS} {UNITS}", module), "trained", module=module)


def samples() -> list[Tensors]:
    """Return the first held-out digits, one by one, (1, 1, 32, 32)."""
    images, _ = digits.held_out()
    return [{"image": image[None]} for image in digits.enlarged(images[:SAMPLES])]


def dataset() -> dict[str, np.ndarray]:
    """Return the calibration images, and the held-out images and labels that decide the accuracy."""
    images, labels = digits.held_out()
    return {
        "calibration": digits.enlarged(digits.calibration()[0]),
        "images": digits.enlarged(images),
        "labels": labels,
    }


MODEL = ReferenceModel(
    name="lenet",
    framework="pytorch",
    inputs={"image": (1, 1, SIDE, SIDE)},
    outputs=("logits",),
    build=build,
    samples=samples,
    converters=("torchscript",),
    origin=lambda: "trained",
    metric="top1",
    dataset=dataset,
    network=network,
)
