"""YOLOv5 v6 as data, and its weights: seeded and calibrated, or read from a state_dict file.

Written from the published architecture (CSP backbone, SPPF, PAN neck, three anchor heads;
docs.ultralytics.com/yolov5/tutorials/architecture_description) and from the names and shapes in its
published state_dicts, so that one of those loads strictly. The modules are in `yolov5_modules`.
"""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from reference_models.pytorch.state import one_thread

Kind = Literal["conv", "c3", "sppf", "upsample", "concat", "detect"]


@dataclass(frozen=True)
class Layer:
    """One numbered layer: what it is, whose outputs it takes (-1 is the one before), full width."""

    kind: Kind
    width: int = 0
    sources: tuple[int, ...] = (-1,)
    repeat: int = 1
    kernel: int = 1
    stride: int = 1
    shortcut: bool = True


BACKBONE = (
    Layer("conv", 64, kernel=6, stride=2),
    Layer("conv", 128, kernel=3, stride=2),
    Layer("c3", 128, repeat=3),
    Layer("conv", 256, kernel=3, stride=2),
    Layer("c3", 256, repeat=6),
    Layer("conv", 512, kernel=3, stride=2),
    Layer("c3", 512, repeat=9),
    Layer("conv", 1024, kernel=3, stride=2),
    Layer("c3", 1024, repeat=3),
    Layer("sppf", 1024, kernel=5),
)
NECK = (
    Layer("conv", 512),
    Layer("upsample"),
    Layer("concat", sources=(-1, 6)),
    Layer("c3", 512, repeat=3, shortcut=False),
    Layer("conv", 256),
    Layer("upsample"),
    Layer("concat", sources=(-1, 4)),
    Layer("c3", 256, repeat=3, shortcut=False),
    Layer("conv", 256, kernel=3, stride=2),
    Layer("concat", sources=(-1, 14)),
    Layer("c3", 512, repeat=3, shortcut=False),
    Layer("conv", 512, kernel=3, stride=2),
    Layer("concat", sources=(-1, 10)),
    Layer("c3", 1024, repeat=3, shortcut=False),
    Layer("detect", sources=(17, 20, 23)),
)
LAYERS = BACKBONE + NECK
STRIDES = (8, 16, 32)
ANCHORS = (
    ((10.0, 13.0), (16.0, 30.0), (33.0, 23.0)),
    ((30.0, 61.0), (62.0, 45.0), (59.0, 119.0)),
    ((116.0, 90.0), (156.0, 198.0), (373.0, 326.0)),
)
"""(width, height) in input pixels, one row per stride; the COCO anchors of YOLOv3."""

SAVE_A_STATE_DICT = (
    "Inside a YOLOv5 checkout run: import torch; "
    "torch.save(torch.load('yolov5n.pt', weights_only=False)['model'].float().state_dict(), "
    "'yolov5n-state.pt')"
)


def network(width: float, depth: float, classes: int = 80) -> Any:
    """Build the network in eval mode with arbitrary weights; n is width 0.25 and depth 0.33.

    Takes (N, 3, H, W), RGB, 0..1, H and W multiples of 32; gives the raw heads of strides 8, 16 and
    32, each (N, 3*(5+classes), H/stride, W/stride). Leaves torch's random state as it was.
    """
    import torch

    from reference_models.pytorch.yolov5_modules import YOLOv5

    with torch.random.fork_rng(devices=[]):
        return YOLOv5(width, depth, classes).eval()


def seed_weights(module: Any, seed: int, photos: Sequence[np.ndarray]) -> None:
    """Fill the network with seeded weights whose activations look trained; bit for bit repeatable.

    Convolutions are drawn as He et al. (2015) propose; normalisation statistics are those of one
    real forward pass over the photos (each (1, 3, H, W), 0..1), so every layer's output is of order
    1 and raw heads are of order 1..10; head biases follow the prior rule (see `_prior`).
    """
    import torch

    generator = torch.Generator().manual_seed(seed)
    norms = [part for part in module.modules() if isinstance(part, torch.nn.BatchNorm2d)]
    momentum = [norm.momentum for norm in norms]
    with torch.no_grad(), one_thread():
        for part in module.modules():
            _draw(part, generator)
        _prior(module.model[-1])
        for norm in norms:
            norm.momentum = 1.0  # statistics of this pass alone, no blend with the initial ones
        module.train()(torch.from_numpy(np.concatenate(photos)))
    for norm, usual in zip(norms, momentum, strict=True):
        norm.momentum = usual
    module.eval()


def load_weights(module: Any, path: Path) -> None:
    """Fill the network from a file with a YOLOv5 state_dict; fp16 values are widened.

    Raises ValueError, saying how to make such a file, when it pickles classes (as official
    checkpoints do, which need the code they were trained with), holds no state_dict, does not fit
    this network, or was trained with other anchors than `ANCHORS`, which decoding relies on.
    """
    import torch

    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError) as error:
        reason = str(error).splitlines()[0]
        raise ValueError(f"{path} is no state_dict ({reason}). {SAVE_A_STATE_DICT}") from None
    if not isinstance(state, dict) or not all(torch.is_tensor(v) for v in state.values()):
        raise ValueError(f"{path} holds more than named tensors. {SAVE_A_STATE_DICT}")
    try:
        module.load_state_dict(state, strict=True)
    except RuntimeError as error:
        raise ValueError(f"{path} does not fit this network: {error}") from None
    expected = torch.tensor(ANCHORS) / torch.tensor(STRIDES).view(-1, 1, 1)
    if not torch.allclose(module.model[-1].anchors, expected, rtol=1e-3):
        raise ValueError(f"{path} was trained with other anchors than {ANCHORS}")


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


def _prior(detect: Any) -> None:
    """Set the head biases so that an untrained network predicts rarely.

    The rule of Lin et al. (2017), section 4.1, with YOLOv5's priors: 8 objects in a 640x640 image,
    and 0.6 of its share for each class.
    """
    import math

    for head, stride in zip(detect.m, STRIDES, strict=True):
        bias = head.bias.view(detect.anchors.shape[1], -1)
        bias.zero_()
        bias[:, 4] = math.log(8 / (640 / stride) ** 2)
        bias[:, 5:] = math.log(0.6 / max(bias.shape[1] - 5 - 1, 0.5))
