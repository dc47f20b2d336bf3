"""What the recipes share: one way to train a small classifier, to write it, and to say what it is worth."""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from reference_models.pytorch.digits import load_weights
from reference_models.pytorch.state import one_thread

Labelled = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True)
class Recipe:
    """How one network is trained: AdamW, one-cycle rate, cross-entropy, shifts of up to `shift` pixels."""

    network: Callable[[], Any]
    train: Callable[[], Labelled]
    held_out: Callable[[], Labelled]
    weights: Path
    epochs: int
    shift: int
    batch: int = 64
    peak_rate: float = 3e-3
    decay: float = 1e-2


def make(recipe: Recipe, seed: int) -> None:
    """Train, write the weights, then say what the written file is worth on the held-out images."""
    path = recipe.weights
    with one_thread():
        write(train(recipe, seed), path)
        print(f"held-out top-1 {accuracy(recipe, path):.4f} of {len(recipe.held_out()[1])} images")
    print(f"{path.name} sha256 {hashlib.sha256(path.read_bytes()).hexdigest()}")


def train(recipe: Recipe, seed: int) -> Any:
    """Train on the training part; torch's random state stays as it was."""
    import torch
    from torch.nn import functional

    images, labels = (torch.from_numpy(array) for array in recipe.train())
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        module = _drawn(recipe.network()).train()
        optimiser = torch.optim.AdamW(module.parameters(), lr=recipe.peak_rate, weight_decay=recipe.decay)
        steps = recipe.epochs * -(-len(images) // recipe.batch)
        rate = torch.optim.lr_scheduler.OneCycleLR(optimiser, recipe.peak_rate, total_steps=steps)
        for _ in range(recipe.epochs):
            for batch in torch.randperm(len(images)).split(recipe.batch):
                optimiser.zero_grad()
                logits = module(_shifted(images[batch], recipe.shift))
                functional.cross_entropy(logits, labels[batch]).backward()
                optimiser.step()
                rate.step()
    return module.eval()


def write(module: Any, path: Path) -> None:
    """Write the float32 state as .npz, whole or not at all; batch counters are left out."""
    state = {k: v.numpy() for k, v in module.state_dict().items() if v.is_floating_point()}
    packed = io.BytesIO()
    np.savez(packed, **state)
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    part.write_bytes(packed.getvalue())
    part.replace(path)


def accuracy(recipe: Recipe, path: Path) -> float:
    """Top-1, 0..1, of a weight file on the held-out images."""
    import torch

    module = recipe.network()
    load_weights(module, path)
    images, labels = recipe.held_out()
    with torch.no_grad():
        logits = module(torch.from_numpy(images)).numpy()
    return float((logits.argmax(axis=1) == labels).mean())


def _drawn(module: Any) -> Any:
    """Draw the weights anew from the random state in force: `network` keeps it untouched."""
    for layer in module:
        if hasattr(layer, "reset_parameters"):
            layer.reset_parameters()
    return module


def _shifted(images: Any, most: int) -> Any:
    """Move a batch by one random offset of up to `most` pixels each way, filling with background."""
    import torch
    from torch.nn import functional

    x, y = (int(v) for v in torch.randint(0, 2 * most + 1, (2,)))
    height, width = images.shape[2:]
    return functional.pad(images, (most,) * 4)[:, :, y : y + height, x : x + width]
