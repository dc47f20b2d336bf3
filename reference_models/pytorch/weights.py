"""Weights of networks for photos: from a user's state_dict file, or seeded and calibrated."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from reference_models.pytorch.state import fill, one_thread
from reference_models.readers import told_as

Range = tuple[float, float]
SPREAD = 2.0
"""Standard deviation of seeded logits about their mean: of order 1, as trained ones are."""


def load_state(module: Any, path: Path) -> None:
    """Fill a network from a file with its state_dict; fp16 values are widened.

    Raises ValueError, saying what to do, when the file pickles classes, holds no state_dict, does not fit or
    holds broken numbers, and OSError where it cannot be read.
    """
    import torch

    remedy = "Save torch.save(module.state_dict(), file) and name that file"
    with told_as("state_dict", path, remedy):
        state = torch.load(path, map_location="cpu", weights_only=True)
    fill(module, state, path, remedy)


def seed_weights(
    module: Any, seed: int, images: Sequence[np.ndarray], last: Any, gamma: Range, beta: Range
) -> None:
    """Fill a network in eval mode with seeded weights whose activations look trained; bit for bit repeatable.

    Convolutions and linear layers are drawn as He et al. (2015) propose, BatchNorm's gamma and beta uniformly
    from their ranges; its statistics are those of one forward pass over the images, (1, 3, H, W) each. The
    layer `last` is scaled and shifted so that over the images its outputs spread by `SPREAD` about 0: its
    classes then follow from the image and not from a bias that all images share.
    """
    import torch

    generator = torch.Generator().manual_seed(seed)
    batch = torch.from_numpy(np.concatenate(images))
    norms = [part for part in module.modules() if isinstance(part, torch.nn.BatchNorm2d)]
    momentum = [norm.momentum for norm in norms]
    with torch.no_grad(), one_thread():
        for part in module.modules():
            _draw(part, generator, gamma, beta)
        for norm in norms:
            norm.train().momentum = 1.0  # statistics of this pass alone, no blend with the initial ones
        module(batch)
        for norm, usual in zip(norms, momentum, strict=True):
            norm.eval().momentum = usual
        _centre(module, batch, last, generator)


def _draw(part: Any, generator: Any, gamma: Range, beta: Range) -> None:
    """Draw one module's own parameters, if it has any."""
    from torch import nn

    if isinstance(part, nn.Conv2d | nn.Linear | nn.ConvTranspose2d):
        # A transposed convolution of stride 2 and kernel 2 sums over its input channels alone.
        fan_in = part.weight.shape[0] if isinstance(part, nn.ConvTranspose2d) else part.weight[0].numel()
        part.weight.normal_(0, (2 / fan_in) ** 0.5, generator=generator)
        if part.bias is not None:
            part.bias.normal_(0, 0.1, generator=generator)
    elif isinstance(part, nn.BatchNorm2d):
        # Away from 1 and 0: a converter that drops gamma or beta must not get away with it.
        part.weight.uniform_(*gamma, generator=generator)
        part.bias.uniform_(*beta, generator=generator)


def _centre(module: Any, batch: Any, last: Any, generator: Any) -> None:
    """Scale and shift the last layer by what it gives over the batch, (N, classes) or (N, classes, H, W)."""
    import torch

    inputs: list[Any] = []
    hook = last.register_forward_hook(lambda _, __, output: inputs.append(output))
    last.bias.zero_()
    module(batch)
    hook.remove()
    by_class = inputs[0].transpose(0, 1).flatten(1)
    mean = by_class.mean(1)
    scale = SPREAD / (by_class - mean[:, None]).std()
    last.weight.mul_(scale)
    last.bias.copy_(torch.randn(mean.shape, generator=generator) * 0.1 - mean * scale)
