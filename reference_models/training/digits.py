"""Recipe for the weights of 'digits': ``python -m reference_models.training.digits``.

Deterministic on one machine (fixed seed, one thread), well under a minute on one core. Other
versions of torch may give other bits; the accuracy printed is what counts, and PROVENANCE.md says
which versions made the committed file.
"""

from __future__ import annotations

import hashlib
import io
import os
from pathlib import Path
from typing import Any

import numpy as np

from reference_models.datasets import digits as data
from reference_models.pytorch.digits import WEIGHTS, load_weights, network
from reference_models.pytorch.state import one_thread

SEED, EPOCHS, BATCH, PEAK_RATE, DECAY = 0, 60, 64, 3e-3, 1e-2


def main() -> None:
    """Train, write the weights, then say what the written file is worth on the held-out digits."""
    with one_thread():
        write(train(SEED), WEIGHTS)
        print(f"held-out top-1 {accuracy(WEIGHTS):.4f} of {len(data.held_out()[1])} images")
    print(f"{WEIGHTS.name} sha256 {hashlib.sha256(WEIGHTS.read_bytes()).hexdigest()}")


def train(seed: int) -> Any:
    """Train on the training part: AdamW, one-cycle rate, cross-entropy, shifts by one pixel."""
    import torch
    from torch.nn import functional

    images, labels = (torch.from_numpy(array) for array in data.train())
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        module = _drawn(network()).train()
        optimiser = torch.optim.AdamW(module.parameters(), lr=PEAK_RATE, weight_decay=DECAY)
        steps = EPOCHS * -(-len(images) // BATCH)
        rate = torch.optim.lr_scheduler.OneCycleLR(optimiser, PEAK_RATE, total_steps=steps)
        for _ in range(EPOCHS):
            for batch in torch.randperm(len(images)).split(BATCH):
                optimiser.zero_grad()
                functional.cross_entropy(module(_shifted(images[batch])), labels[batch]).backward()
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


def accuracy(path: Path) -> float:
    """Top-1, 0..1, of a weight file on the held-out digits."""
    import torch

    module = network()
    load_weights(module, path)
    images, labels = data.held_out()
    with torch.no_grad():
        logits = module(torch.from_numpy(images)).numpy()
    return float((logits.argmax(axis=1) == labels).mean())


def _drawn(module: Any) -> Any:
    """Draw the weights anew from the random state in force: `network` keeps it untouched."""
    for layer in module:
        if hasattr(layer, "reset_parameters"):
            layer.reset_parameters()
    return module


def _shifted(images: Any) -> Any:
    """Move a batch by one random offset of -1, 0 or 1 pixel each way, filling with background."""
    import torch
    from torch.nn import functional

    x, y = (int(v) for v in torch.randint(0, 3, (2,)))
    return functional.pad(images, (1, 1, 1, 1))[:, :, y : y + 8, x : x + 8]


if __name__ == "__main__":
    main()
