"""A network of the zoo as files, and the independents that say what it computes."""

from __future__ import annotations

import re
from collections.abc import Callable
from copy import copy
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from fixtures.converters.darknet.convert import EPSILON
from fixtures.converters.darknet.writing import convert_to_file
from fixtures.runtimes.onnxruntime import OnnxRuntime
from fixtures.runtimes.opencv import OpenCV
from reference_models import inputs
from reference_models.darknet import weights
from reference_models.darknet.builder import Cfg
from reference_models.darknet.zoo.catalog import ZOO
from reference_models.model import Source
from suites.meta.oracles.darknet_interpreter import network as darknet
from suites.meta.oracles.darknet_interpreter import parity
from suites.meta.oracles.real_darknet import cfgs

Outputs = dict[str, np.ndarray]
FLOOR_MULTIPLE = 10
"""How many times its own noise floor a network may be off. Measured at 96 px: at most 3.0 times."""
NARROW = 1e-3
"""Of seeded variances, so that they are as small as trained ones, and a wrong epsilon counts."""


@dataclass(frozen=True)
class Files:
    """What one network is on disk. twin: weights of the same function, otherwise rounded; see `respell`."""

    name: str
    side: int
    outputs: tuple[str, ...]
    cfg: Path
    weights: Path
    opencv: Path
    twin: Path

    @property
    def sample(self) -> dict[str, np.ndarray]:
        """Seeded noise in 0..1."""
        return {"data": inputs.noise((1, 3, self.side, self.side), 1.0, seed=1)}


def write(name: str, side: int, folder: Path, divisor: int = 1) -> Files:
    """Write a network with seeded weights, and what else its judges need; see `slim` for the divisor."""
    network = slim(ZOO[name](side), divisor)
    kind = "region" if "[region]" in network.text() else "layer"
    heads = tuple(head.output for head in network.heads) or (f"{kind}_{network.last}",)
    paths = [folder / f"{name}.{role}" for role in ("cfg", "weights", "opencv", "twin")]
    files = Files(name, side, heads, *paths)
    files.cfg.write_text(network.text())
    weights.write_seeded(files.weights, network, seed=5)
    narrow(files.weights, network)
    shift = weights.DARKNET_EPSILON - weights.OPENCV_EPSILON
    weights.shift_variances(files.weights, files.opencv, network, shift)
    respell(files.weights, files.twin, network)
    return files


def slim(network: Cfg, divisor: int) -> Cfg:
    """Return the network with its channels divided, but for those of heads and classes."""
    text = cfgs.narrowed(network.text(), divisor)
    slimmed = copy(network)
    slimmed._sections = [text]
    filters = re.findall(r"^filters=(\d+)", text, re.M)
    slimmed.convs = [
        replace(
            conv,
            filters=int(count),
            channels=conv.channels if conv is network.convs[0] else conv.channels // divisor,
            groups=max(1, conv.groups // divisor),
        )
        for conv, count in zip(network.convs, filters, strict=True)
    ]
    return slimmed


def narrow(path: Path, network: Cfg) -> None:
    """Multiply the variances of a file by `NARROW`, and the scales by its root: nearly the same function."""
    data = np.fromfile(path, np.uint8)
    for conv, stored in weights.stored_arrays(data, network):
        if conv.bn:
            stored[conv.filters : 2 * conv.filters] *= np.float32(NARROW**0.5)
            stored[3 * conv.filters : 4 * conv.filters] *= np.float32(NARROW)
    data.tofile(path)


def respell(source: Path, target: Path, network: Cfg) -> None:
    """Write the same function with other roundings: W * c, mean * c and scale / c, c per filter.

    What the two disagree by is the float32 noise floor of the network: every stored weight is rounded
    once more, as it is between folded and unfolded BatchNorm.
    """
    random = np.random.default_rng(0)
    data = np.fromfile(source, np.uint8)
    for conv, stored in weights.stored_arrays(data, network):
        if conv.bn:
            factor = random.uniform(1.1, 1.9, conv.filters).astype(np.float32)
            scale, mean = stored[conv.filters : 3 * conv.filters].reshape(2, -1)
            scale /= factor
            mean *= factor
            stored[4 * conv.filters :].reshape(conv.filters, -1)[...] *= factor[:, None]
    data.tofile(target)


def converted(
    files: Files, opset: int, *, stored: Path | None = None, cfg: str = "", epsilon: float = EPSILON
) -> Outputs:
    """Return what the converter's model gives in ONNX Runtime; other weights or cfg text may stand in."""
    text = files.cfg.with_suffix(".planted.cfg")
    if cfg:
        text.write_text(cfg)
    path = files.cfg.with_suffix(".onnx")
    convert_to_file(text if cfg else files.cfg, stored or files.weights, opset, path, epsilon=epsilon)
    return OnnxRuntime(path, threads=1).run([files.sample])[0]


def floor(files: Files, outputs: Outputs) -> float:
    """The network's own float32 noise: relative L2 of the worst head between it and its twin."""
    return worst(converted(files, 13, stored=files.twin), outputs)


def worst(actual: Outputs, expected: Outputs) -> float:
    """Relative L2 distance of the worst output; infinite where names or shapes differ or a number is none."""
    if {n: a.shape for n, a in actual.items()} != {n: a.shape for n, a in expected.items()}:
        return float("inf")
    ratios = [float(np.linalg.norm(actual[n] - e) / np.linalg.norm(e)) for n, e in expected.items()]
    return max(ratios) if np.isfinite(ratios).all() else float("inf")


def opencv(files: Files) -> Outputs:
    """Return what OpenCV DNN makes of cfg and weights."""
    source = Source("", "seeded", {"cfg": files.cfg, "opencv": files.opencv})
    found = OpenCV(source, files.outputs).run([files.sample])[0]
    return {name: _flat(array) if name.startswith("layer_") else array for name, array in found.items()}


def _flat(scores: np.ndarray) -> np.ndarray:
    return scores.reshape(len(scores), -1)


def interpreter(files: Files) -> Outputs:
    """Return what the literal interpreter gives the heads in float64, or the scores, flat."""
    layers = darknet.run(files.cfg, files.weights, files.sample["data"].astype(np.float64))
    given = [layers[head - 1] for head in darknet.heads_of(files.cfg.read_text())]
    last = layers[parity.layer_of(files.outputs[0])]
    found = [array.astype(np.float32) for array in given or [_flat(last)]]
    return dict(zip(files.outputs, found, strict=True))


ORACLES: dict[str, Callable[[Files], Outputs]] = {"opencv": opencv, "interpreter": interpreter}
"""Who is asked what a network computes: from its files alone, sharing no code with the converter."""
REFUSES = {"opencv": ("resnet18", "resnet50")}
"""Oracle -> networks that it cannot run. OpenCV 4.11 adds no layers of unequal size."""


def judges(name: str) -> list[str]:
    """The oracles that can run a network."""
    return [oracle for oracle in ORACLES if name not in REFUSES.get(oracle, ())]
