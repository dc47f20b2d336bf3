"""The rows 'resnet18', 'resnet50', 'mobilenetv2' and 'unet': networks for photos.

Pixels are normalised as ImageNet's are.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from reference_models import inputs
from reference_models.model import ReferenceModel, Source, Tensors, Weights
from reference_models.pytorch.state import digest
from reference_models.pytorch.weights import Range, load_state, seed_weights

MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Of ImageNet's pixels, 0..1, by channel: what torchvision's weights were trained with."""


@dataclass(frozen=True)
class Network:
    """One network, its side in pixels, and how its weights are seeded.

    module: the Python module that has a factory of the network's name. last: path of its last layer.
    decode: what is read from the logits. gamma, beta: see `seed_weights`.
    seed: of 0 to 15 the one whose closest decision over all samples is the clearest, so that no label hangs
    on rounding. A classifier gives the samples four classes, its two greatest logits 0.69 apart or more; of a
    mask's pixels one in a thousand has its two logits less than 0.005 apart.
    """

    name: str
    module: str
    last: str
    side: int
    decode: Callable[[Tensors], dict[str, np.ndarray]]
    seed: int
    gamma: Range
    beta: Range
    exact: frozenset[str] = frozenset()

    @property
    def variable(self) -> str:
        """Environment variable: path of a file with the user's state_dict. Unset: seeded weights."""
        return f"TRT_PARITY_{self.name.upper()}"

    def origin(self) -> Weights:
        """Say which weights `build` would use."""
        return "official" if os.environ.get(self.variable) else "seeded"

    def network(self) -> Any:
        """Build the module in eval mode with arbitrary weights; torch's random state stays as it was."""
        import torch

        with torch.random.fork_rng(devices=[]):
            module = import_module(f"reference_models.pytorch.{self.module}")
            return getattr(module, self.name)().eval()

    def build(self, _folder: Path) -> Source:
        """Build the network, with a user's weights if `variable` names a file, else seeded.

        Raises ValueError when that file is no state_dict of this network, FileNotFoundError when it is
        missing.
        """
        module, note = self.network(), ""
        if path := os.environ.get(self.variable):
            load_state(module, Path(path))
        else:
            last = module.get_submodule(self.last)
            seed_weights(module, self.seed, self.photos(), last, self.gamma, self.beta)
            note = f"set {self.variable} to a file with a trained state_dict to test that"
        return Source(digest(self.name, module), self.origin(), module=module, note=note)

    def photos(self) -> list[np.ndarray]:
        """Return three photos, (1, 3, side, side), normalised."""
        return [normalised(photo) for photo in inputs.photos(self.side, self.side, maximum=1.0)]

    def samples(self) -> list[Tensors]:
        """Return the photos, then one of seeded noise."""
        noise = normalised(inputs.noise((1, 3, self.side, self.side), 1.0, seed=0))
        return [{"image": image} for image in (*self.photos(), noise)]

    def row(self) -> ReferenceModel:
        """Return the row of the registry."""
        return ReferenceModel(
            name=self.name,
            framework="pytorch",
            inputs={"image": (1, 3, self.side, self.side)},
            outputs=("logits",),
            build=self.build,
            samples=self.samples,
            converters=("torchscript",),
            decode=self.decode,
            exact=self.exact,
            origin=self.origin,
            network=self.network,
            tier="zoo",
        )


def normalised(image: np.ndarray) -> np.ndarray:
    """(N, 3, H, W), RGB, 0..1 -> the same shape, by `MEAN` and `DEVIATION`."""
    mean, deviation = (np.array(values, np.float32).reshape(3, 1, 1) for values in (MEAN, DEVIATION))
    return (image - mean) / deviation


def label(outputs: Tensors) -> dict[str, np.ndarray]:
    """(N, classes) -> the class of the greatest logit, (N,)."""
    return {"label": outputs["logits"].argmax(1)}


def mask(outputs: Tensors) -> dict[str, np.ndarray]:
    """(N, 2, H, W) -> 1 where the second class wins, else 0, float32 (N, H, W).

    Its relative L2 is the square root of changed pixels over pixels that are 1.
    """
    return {"mask": outputs["logits"].argmax(1).astype(np.float32)}


CLASSIFIER = frozenset({"label"})
NETWORKS = (
    Network("resnet18", "resnet", "fc", 224, label, 1, (0.5, 1.0), (0.5, 1.0), CLASSIFIER),
    Network("resnet50", "resnet", "fc", 224, label, 3, (0.5, 1.0), (0.5, 1.0), CLASSIFIER),
    Network("mobilenetv2", "mobilenet", "classifier.1", 224, label, 10, (1.0, 2.0), (1.5, 3.0), CLASSIFIER),
    Network("unet", "unet", "head", 128, mask, 10, (0.5, 1.0), (0.0, 0.5)),
)
"""ReLU6 clips a part of what the wide ranges of mobilenetv2 give; the others keep most of it above 0, where
rounding is not amplified."""
MODELS = [network.row() for network in NETWORKS]
