"""YOLOv5: the network of an architecture, and its weights, seeded and calibrated or read from a file.

Architectures are data in `yolov5_layers`, modules are in `yolov5_modules`, both written from what is
published, so that a published state_dict loads strictly.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from reference_models import yolo
from reference_models.pytorch import yolov5_checkpoint as checkpoint
from reference_models.pytorch.state import fill, one_thread
from reference_models.pytorch.yolov5_layers import Anchors, Architecture
from reference_models.wording import printable, shortened

SAVE_A_STATE_DICT = (
    "If you trust it, run inside a YOLOv5 checkout: import torch; "
    "torch.save(torch.load('yolov5n.pt', weights_only=False)['model'].float().state_dict(), "
    "'yolov5n-state.pt')"
)


def network(architecture: Architecture) -> Any:
    """Build the network in eval mode with arbitrary weights.

    Takes (N, 3, H, W), RGB, 0..1, H and W multiples of the largest stride; gives the raw heads, each
    (N, 3*(5+classes), H/stride, W/stride). Leaves torch's random state as it was.
    """
    import torch

    from reference_models.pytorch.yolov5_modules import YOLOv5

    with torch.random.fork_rng(devices=[]):
        return YOLOv5(architecture, *architecture.multiples).eval()


def decoded(module: Any, height: int, width: int) -> Any:
    """Wrap a network so that it gives boxes (N, B, 5+classes) of one input size: see `Decoded`."""
    from reference_models.pytorch.yolov5_modules import Decoded

    return Decoded(module, height, width).eval()


def anchors_of(module: Any) -> Anchors:
    """Return the anchors that a network decodes with, in input pixels: those of its weights."""
    scaled = module.model[-1].anchors.double().numpy() * np.reshape(module.architecture.strides, (-1, 1, 1))
    return tuple(tuple((w, h) for w, h in head) for head in scaled.tolist())


def heads_of(architecture: Architecture, anchors: Anchors | None = None) -> tuple[yolo.Head, ...]:
    """Say how the raw heads are read, by the published anchors where no others are given."""
    rows = zip(architecture.outputs, anchors or architecture.anchors, architecture.strides, strict=True)
    return tuple(yolo.Head(name, row, stride, architecture.classes, "yolov5") for name, row, stride in rows)


def seed_weights(module: Any, seed: int, photos: Sequence[np.ndarray]) -> None:
    """Fill the network with seeded weights whose activations look trained; bit for bit repeatable.

    Convolutions are drawn as He et al. (2015) propose; normalisation statistics are those of one
    real forward pass over the photos (each (1, 3, H, W), 0..1), so every layer's output is of order
    1 and raw heads are of order 1..10; head biases follow the prior rule (see `set_prior`).
    """
    import torch

    generator = torch.Generator().manual_seed(seed)
    norms = [part for part in module.modules() if isinstance(part, torch.nn.BatchNorm2d)]
    momentum = [norm.momentum for norm in norms]
    with torch.no_grad(), one_thread():
        for part in module.modules():
            _draw(part, generator)
        set_prior(module)
        for norm in norms:
            norm.momentum = 1.0  # statistics of this pass alone, no blend with the initial ones
        module.train()(torch.from_numpy(np.concatenate(photos)))
    for norm, usual in zip(norms, momentum, strict=True):
        norm.momentum = usual
    module.eval()


def load_weights(module: Any, path: Path) -> None:
    """Fill the network from an official checkpoint or a file with its state_dict; fp16 values are widened.

    Of a checkpoint the averaged weights are taken where there are some, as the vendor does. Nothing of the
    file is run. The anchors are those of the file too: see `anchors_of`. Raises ValueError for a file that
    holds neither, does not fit this network or holds broken numbers, and OSError where it cannot be read.
    """
    try:
        checkpoint_data: Any = checkpoint.read(path)
        if isinstance(checkpoint_data, dict):
            inner = (checkpoint_data.get(name) for name in ("ema", "model"))
            checkpoint_data = next(
                (each for each in inner if isinstance(each, dict | checkpoint.Husk)), checkpoint_data
            )
        state = (
            checkpoint.state_dict(checkpoint_data)
            if isinstance(checkpoint_data, checkpoint.Husk)
            else checkpoint_data
        )
    except OSError:
        raise
    except Exception as error:  # made by anybody, a file raises anything
        text = shortened(printable(str(error)), 200)
        raise ValueError(f"{path} is no checkpoint of YOLOv5 ({text}). {SAVE_A_STATE_DICT}") from None
    fill(module, state, path, SAVE_A_STATE_DICT)


def _draw(part: Any, generator: Any) -> None:
    """Draw one module's own parameters, if it has any."""
    import torch

    if isinstance(part, torch.nn.Conv2d):
        fan_in = part.in_channels * part.kernel_size[0] * part.kernel_size[1]
        part.weight.normal_(0, (2 / fan_in) ** 0.5, generator=generator)
    elif isinstance(part, torch.nn.BatchNorm2d):
        # Away from 1 and 0: a converter that drops gamma or beta must not get away with it. In this
        # range SiLU is nearly linear; with gamma 1 and beta 0 the random layers amplify rounding
        # thirtyfold (fp16 then ends 2-6 % off instead of 1 %), as no trained network does.
        part.weight.uniform_(0.4, 0.6, generator=generator)
        part.bias.normal_(0.5, 0.25, generator=generator)


def set_prior(module: Any) -> None:
    """Set the head biases so that an untrained network predicts rarely.

    The rule of Lin et al. (2017), section 4.1, with YOLOv5's priors: 8 objects in a 640x640 image,
    and 0.6 of its share for each class.
    """
    detect = module.model[-1]
    for head, stride in zip(detect.m, module.architecture.strides, strict=True):
        bias = head.bias.view(detect.anchors.shape[1], -1)
        bias.zero_()
        bias[:, 4] = math.log(8 / (640 / stride) ** 2)
        bias[:, 5:] = math.log(0.6 / max(bias.shape[1] - 5 - 1, 0.5))
