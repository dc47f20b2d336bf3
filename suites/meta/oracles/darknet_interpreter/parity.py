"""Converted networks held against the interpreter, with limits made of each network's own noise."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fixtures.metrics import parity
from fixtures.metrics.parity import Difference, StructureError, Tolerance
from suites.meta.oracles.darknet_interpreter import network
from suites.meta.oracles.darknet_interpreter.weights import Array

TIMES_FLOOR = 10.0
"""ONNX Runtime sums in another order than NumPy, in blocks and with fused multiply-add; the floor is one
sample of such noise. Measured: of the cases the furthest is at 1.2 floors, the heads of YOLOv3 at 64 x 64 at
0.9; an epsilon of 1e-6 instead of 1e-5 puts YOLOv3 at 70, YOLOv3-tiny at 32, two convolutions at 120."""
LEAST_FLOOR = 1e-6
"""Where nothing is folded both float32 runs are the same, and float32 rounding is still there."""


@dataclass(frozen=True)
class Truth:
    """What a network gives in float64 and how far float32 runs of it differ, layer by layer.

    promised: layers whose outputs a converted network has, all heads or the last one before [cost].
    floors: relative L2 distance between float32 with BatchNorm folded and unfolded, LEAST_FLOOR or more.
    """

    outputs: dict[int, Array]
    floors: dict[int, float]
    heads: tuple[int, ...]
    promised: tuple[int, ...]

    def seen_at(self, layer: int) -> int:
        """Return the layer whose output stands for this one: a head is compared by what it gets."""
        return layer - 1 if layer in self.heads else layer


def truth_of(cfg: Path, weights: Path, data: Array) -> Truth:
    """Run the interpreter three times; data is float64."""
    exact = network.run(cfg, weights, data)
    plain, folded = (network.run(cfg, weights, data.astype(np.float32), fold=fold) for fold in (False, True))
    floors = {}
    for layer, output in exact.items():
        norm = np.linalg.norm(output) or 1.0
        distance = np.linalg.norm(plain[layer].astype(np.float64) - folded[layer])
        floors[layer] = max(float(distance / norm), LEAST_FLOOR)
    text = cfg.read_text()
    heads = tuple(network.heads_of(text))
    return Truth(exact, floors, heads, heads or (network.last_of(text),))


def layer_of(name: str) -> int:
    """Return the layer number at the end of an output's name."""
    found = re.search(r"_(\d+)$", name)
    if not found:
        raise StructureError(f"{name} names no layer")
    return int(found.group(1))


def hold(truth: Truth, actual: Mapping[str, Array]) -> list[Difference]:
    """Compare named outputs of a converted network: all heads, or the last layer.

    Raises StructureError when outputs are missing or too many, or have another shape, unless it is the same
    samples laid flat.
    """
    if sorted(map(layer_of, actual)) != list(truth.promised):
        raise StructureError(f"outputs are {list(actual)}, expected those of layers {truth.promised}")
    return [_hold_one(truth, name, value) for name, value in actual.items()]


def _hold_one(truth: Truth, name: str, actual: Array) -> Difference:
    layer = truth.seen_at(layer_of(name))
    expected = truth.outputs[layer]
    if actual.shape not in {expected.shape, (len(expected), expected[0].size)}:
        raise StructureError(f"{name} is {actual.shape}, expected {expected.shape}")
    limit = TIMES_FLOOR * truth.floors[layer]
    greatest = float(np.abs(expected).max())
    where = f"{TIMES_FLOOR:g} times the float32 floor {truth.floors[layer]:.2g} of layer {layer}"
    tolerance = Tolerance(rtol=0.0, atol=limit * greatest, relative_l2=limit, where=where)
    return parity.difference(name, expected.reshape(actual.shape), actual, tolerance)
