"""Seeded parameters for any network, with BatchNorm statistics measured by MXNet in float64.

Weights are drawn as He et al. (2015) propose. In training mode MXNet normalises by what it measures
on the batch, so one pass brings every BatchNorm the input that the stored statistics will make of
it. Statistics are rounded to three digits, so that sums in another order give the same file. As in
released files, fix_gamma BatchNorms store a gamma that is not 1 and MXNet ignores, and a few
variances are exactly 0.
"""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np

ROLES = {
    "Convolution": ("weight", "bias"),
    "FullyConnected": ("weight", "bias"),
    "BatchNorm": ("gamma", "beta"),
    "LeakyReLU": ("slope",),
}
"""Operator -> its drawn parameters, in the order of its inputs after the first."""
RANGES = {"bias": (-0.2, 0.2), "gamma": (0.5, 1.5), "beta": (0.0, 1.0), "slope": (0.1, 0.4)}
IGNORED_GAMMA = (0.2, 0.8)
ACTIVATED = {"Activation", "LeakyReLU", "BatchNorm"}
"""What reads a layer whose weights have the variance 2 / fan-in. All others give scores, boxes or a part
of a sum, and have an eighth of it: a softmax over larger scores would be certain of everything."""
DEFAULT_EPS = 1e-3
ZEROED = (1 / 4, 1 / 2, 3 / 4)
"""Places, in the row of BatchNorms behind a Convolution, of those that get a variance of 0."""

Arrays = dict[str, np.ndarray]
Node = dict[str, Any]


def fill(mx: Any, symbol: Any, images: np.ndarray, seed: int) -> tuple[Arrays, Arrays]:
    """Return every parameter of a network that reads 'data': (arguments, auxiliary states), float32."""
    nodes = json.loads(symbol.tojson())["nodes"]
    arguments, _, _ = symbol.infer_shape(data=images.shape)
    shapes = dict(zip(symbol.list_arguments(), arguments, strict=True))
    random = np.random.default_rng(seed)
    drawn = _draw(nodes, shapes, random)
    zeros = _silence(nodes, drawn, random)
    return drawn, _measure(mx, symbol, drawn, images, zeros)


def _draw(nodes: list[Node], shapes: dict[str, tuple[int, ...]], random: np.random.Generator) -> Arrays:
    followed = {edge[0]: node["op"] for node in nodes for edge in node["inputs"][:1]}
    arrays: Arrays = {}
    for i, node in enumerate(nodes):
        for role, edge in zip(ROLES.get(node["op"], ()), node["inputs"][1:], strict=False):
            name = nodes[edge[0]]["name"]
            low, high = RANGES.get(role, (0, 0))
            if role == "weight":
                gain = 2 if followed.get(i) in ACTIVATED else 1 / 4
                high = math.sqrt(3 * gain / math.prod(shapes[name][1:]))
                low = -high
            elif role == "gamma" and node["attrs"].get("fix_gamma", "True") == "True":
                low, high = IGNORED_GAMMA
            values = random.random(shapes[name], np.float32)
            arrays[name] = values * np.float32(high - low) + np.float32(low)
    return arrays


def _silence(nodes: list[Node], drawn: Arrays, random: np.random.Generator) -> dict[str, int]:
    """Let a few filters do next to nothing; gives the BatchNorm and the channel of each.

    What such a filter gives is as large as the root of epsilon, so it counts when its variance is 0.
    """
    norms = [n for n in nodes if n["op"] == "BatchNorm" and nodes[n["inputs"][0][0]]["op"] == "Convolution"]
    chosen = {}
    for at in sorted({int(len(norms) * place) for place in ZEROED if norms}):
        norm = norms[at]
        layer = nodes[norm["inputs"][0][0]]
        parameters = [drawn[nodes[edge[0]]["name"]] for edge in layer["inputs"][1:]]
        channel = int(random.integers(len(parameters[0])))
        eps = float(norm["attrs"].get("eps", DEFAULT_EPS))
        for array in parameters:
            array[channel] *= np.float32(2.0 ** math.floor(math.log2(eps) / 2))
        chosen[norm["name"]] = channel
    return chosen


def _measure(mx: Any, symbol: Any, drawn: Arrays, images: np.ndarray, zeros: dict[str, int]) -> Arrays:
    """Return the mean and variance of what every BatchNorm reads."""
    document = _measurable(symbol.tojson())
    nodes = document["nodes"]
    norms = [node for node in nodes if node["op"] == "BatchNorm"]
    inputs = _run(mx, document, [nodes[n["inputs"][0][0]] for n in norms], {"data": images, **drawn})
    arrays: Arrays = {}
    for norm, x in zip(norms, inputs, strict=True):
        axes = tuple(i for i in range(x.ndim) if i != 1)
        mean, variance = _rounded(x.mean(axes)), _rounded(x.var(axes))
        if norm["name"] in zeros:
            variance[zeros[norm["name"]]] = 0
        names = [nodes[edge[0]]["name"] for edge in norm["inputs"][3:]]
        arrays |= dict(zip(names, (mean, variance), strict=True))
    return arrays


def _measurable(text: str) -> dict[str, Any]:
    """Return the same function in float64 and in training mode, where Dropout would drop."""
    document: dict[str, Any] = json.loads(text)
    for node in document["nodes"]:
        if node["op"] == "Dropout":
            node["attrs"] = {"p": "0"}
        elif node["op"] == "Crop":  # takes float32 only; this one is the same from the upper left corner
            node |= {"op": "slice_like", "attrs": {"axes": "(2, 3)"}}
        elif node["op"] == "null":
            node["attrs"] = {}  # Gluon writes float32 here
    return document


def _run(mx: Any, document: dict[str, Any], wanted: list[Node], values: Arrays) -> list[np.ndarray]:
    """Return what the nodes wanted compute in training mode, in float64."""
    if not wanted:
        return []
    internals = mx.sym.load_json(json.dumps(document)).get_internals()
    names = [node["name"] if node["op"] == "null" else f"{node['name']}_output" for node in wanted]
    group = mx.sym.Group([internals[name] for name in names])
    types = dict.fromkeys(group.list_arguments(), np.float64)
    executor = group.simple_bind(mx.cpu(), grad_req="null", type_dict=types, data=values["data"].shape)
    for name, array in executor.arg_dict.items():
        array[:] = mx.nd.array(values[name], dtype=np.float64)
    return [output.asnumpy() for output in executor.forward(is_train=True)]


def _rounded(values: np.ndarray) -> np.ndarray:
    return np.array([float(f"{value:.3g}") for value in values], np.float32)
