"""Running of a whole network."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from suites.meta.oracles.darknet_interpreter import dense, heads, joins, pooling, recurrent, text, weights
from suites.meta.oracles.darknet_interpreter.convolution import convolutional
from suites.meta.oracles.darknet_interpreter.running import Running
from suites.meta.oracles.darknet_interpreter.text import Section
from suites.meta.oracles.darknet_interpreter.weights import Array, Weights

EPSILON = 1e-5
"""AlexeyAB's BatchNorm epsilon on CPU and GPU, added to the variance."""
Layer = Callable[[Running, Section, Array], Array]
HEADS = ("yolo", "Gaussian_yolo", "region", "detection")
LAYERS: dict[str, Layer] = {
    "convolutional": convolutional,
    "maxpool": pooling.maxpool,
    "local_avgpool": pooling.local_avgpool,
    "avgpool": pooling.avgpool,
    "upsample": pooling.upsample,
    "reorg": pooling.reorg,
    "reorg3d": pooling.reorg3d,
    "crop": pooling.crop,
    "route": joins.route,
    "shortcut": joins.shortcut,
    "sam": joins.sam,
    "scale_channels": joins.scale_channels,
    "implicit": joins.implicit,
    "dropout": joins.same,
    "empty": joins.same,
    "cost": joins.same,
    "contrastive": joins.same,
    "connected": dense.connected,
    "local": dense.local,
    "softmax": dense.softmax,
    "batchnorm": dense.batchnorm,
    "normalization": dense.normalization,
    "activation": dense.activation,
    "rnn": recurrent.rnn,
    "crnn": recurrent.crnn,
    "gru": recurrent.gru,
    "lstm": recurrent.lstm,
    "yolo": heads.yolo,
    "Gaussian_yolo": heads.gaussian_yolo,
    "region": heads.region,
    "detection": heads.detection,
}


def run(
    cfg: Path, weight: Path, data: Array, *, epsilon: float = EPSILON, fold: bool = False
) -> dict[int, Array]:
    """Compute all layers for data (N, C, H, W), in its dtype: layer number -> output, (N, C, H, W).

    fold: put BatchNorm into the weights first. Raises ValueError when the cfg cannot be read or does not
    fit data or weights, also when weights are left over.
    """
    source = weights.stored(weight, data.dtype)
    outputs = _through(cfg.read_text(), cfg.parent, source, data, epsilon, fold)
    if source.left:
        raise ValueError(f"{source.left} numbers of {weight.name} belong to no layer")
    return dict(enumerate(outputs))


def heads_of(cfg: str) -> list[int]:
    """Numbers of the layers that are heads; what a head gets is the output of the layer before."""
    return [i for i, section in enumerate(text.read(cfg)[1:]) if section.name in HEADS]


def last_of(cfg: str) -> int:
    """Number of the layer whose output is the network's: `get_network_output` passes over [cost]."""
    names = [section.name for section in text.read(cfg)[1:]]
    return max(i for i, name in enumerate(names) if name != "cost")


def steps_of(cfg: str) -> int:
    """Return how many rows of the batch are one sequence."""
    return max(text.read(cfg)[0].integer("time_steps", 1), 1)


def input_of(cfg: str, seed: int, batch: int = 1) -> Array:
    """Make a seeded input in 0..1, float64, for `batch` sequences or images."""
    net = text.read(cfg)[0]
    shape = (batch * steps_of(cfg), *(net.integer(key, 0) for key in ("channels", "height", "width")))
    return np.random.default_rng(seed).random(shape, np.float32).astype(np.float64)


def weights_for(cfg: str, folder: Path, seed: int, gain: float = 1.0) -> bytes:
    """Make a seeded weights file that fits; folder: where other files of the cfg are."""
    made = weights.Seeded(seed, gain)
    _through(cfg, folder, made, input_of(cfg, seed), EPSILON, False)
    return made.data


def _through(cfg: str, folder: Path, source: Weights, data: Array, epsilon: float, fold: bool) -> list[Array]:
    sections = text.read(cfg)
    net = Running(data, source, epsilon, fold, steps_of(cfg), folder)
    x = data
    for section in sections[1:]:
        if section.name not in LAYERS:
            raise ValueError(f"[{section.name}] is no layer that is written here")
        x = LAYERS[section.name](net, section, x)
        net.outputs.append(x)
    return net.outputs
