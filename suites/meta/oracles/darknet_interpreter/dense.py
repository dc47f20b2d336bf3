"""Layers over flat inputs and over channels: connected, local, softmax, batchnorm, LRN, activation."""

from __future__ import annotations

import numpy as np

from suites.meta.oracles.darknet_interpreter.activations import activate
from suites.meta.oracles.darknet_interpreter.convolution import windows
from suites.meta.oracles.darknet_interpreter.running import Running
from suites.meta.oracles.darknet_interpreter.text import Section
from suites.meta.oracles.darknet_interpreter.weights import Array, Parameters


def read_connected(net: Running, outputs: int, inputs: int, bn: bool) -> Parameters:
    """`load_connected_weights`: bias, weights, scale, mean, variance; transposed in files of old tools."""
    bias = net.weights.take("bias", outputs)
    weights = net.weights.take("weights", outputs, inputs)
    if net.weights.transposed:
        weights = weights.reshape(inputs, outputs).T
    names = ("scale", "mean", "variance") if bn else ()
    return Parameters(weights, bias, **{name: net.weights.take(name, outputs) for name in names})


def connect(net: Running, x: Array, parameters: Parameters, activation: str) -> Array:
    """`forward_connected_layer` on x (N, inputs); gives (N, outputs)."""
    ready = net.ready(parameters)
    return activate(ready.normalized(x @ ready.weights.T, net.epsilon), activation)


def connected(net: Running, section: Section, x: Array) -> Array:
    """[connected]: (N, C, H, W) is read flat; gives (N, output, 1, 1)."""
    flat, bn = x.reshape(x.shape[0], -1), bool(section.integer("batch_normalize", 0))
    parameters = read_connected(net, section.integer("output", 1), flat.shape[1], bn)
    return connect(net, flat, parameters, section.text("activation", "logistic"))[:, :, None, None]


def local(net: Running, section: Section, x: Array) -> Array:
    """`forward_local_layer`: each place has a kernel (filters, C * size * size) and each output a bias.

    pad is the padding itself, 0 or 1, and the output is counted as if the size were 3 when it is 1;
    other sizes read outside of Darknet's buffers and are refused here.
    """
    size, stride = section.integer("size", 1), section.integer("stride", 1)
    pad, filters = section.integer("pad", 0), section.integer("filters", 1)
    if pad and (pad, size) != (1, 3):
        raise ValueError("[local] with pad=1 is right only for a size of 3")
    views = windows(x, size, (stride, stride), pad)
    height, width = views.shape[2:4]
    bias = net.weights.take("bias", filters, height, width)
    kernel = net.weights.take("weights", height * width * filters, x.shape[1], size, size)
    kernel = kernel.reshape(height, width, filters, x.shape[1], size, size)
    out = np.einsum("nchwij,hwfcij->nfhw", views, kernel) + bias
    return activate(out, section.text("activation", "logistic"))


def softmaxed(x: Array, temperature: float = 1.0) -> Array:
    """`softmax` of blas.c along the last axis."""
    raised = np.exp((x - x.max(axis=-1, keepdims=True)) / x.dtype.type(temperature))
    return raised / raised.sum(axis=-1, keepdims=True)


def tree_groups(text: str) -> list[int]:
    """`read_tree` of tree.c: a group is a run of lines with the same parent; gives the sizes."""
    parents = [int(line.split()[1]) for line in text.splitlines() if line.strip()]
    starts = [i for i, parent in enumerate(parents) if i == 0 or parent != parents[i - 1]]
    return list(np.diff([*starts, len(parents)]))


def tree_softmaxed(x: Array, text: str, temperature: float = 1.0) -> Array:
    """`softmax_tree`: a softmax for each group along the last axis."""
    ends = np.cumsum(tree_groups(text))
    if ends[-1] != x.shape[-1]:
        raise ValueError(f"the tree has {ends[-1]} nodes, the layer {x.shape[-1]} values")
    parts = np.split(x, ends[:-1], axis=-1)
    return np.concatenate([softmaxed(part, temperature) for part in parts], axis=-1)


def softmax(net: Running, section: Section, x: Array) -> Array:
    """[softmax] over all of a sample's values, or over each of `groups` parts, or over a tree's groups."""
    if section.integer("spatial", 0):
        raise ValueError("[softmax] spatial reads outside of its buffers in Darknet")
    temperature, groups = section.number("temperature", 1.0), section.integer("groups", 1)
    flat = x.reshape(x.shape[0], -1)
    if "tree" in section.values:
        text = (net.folder / section.values["tree"]).read_text()
        return tree_softmaxed(flat, text, temperature).reshape(x.shape)
    return softmaxed(flat.reshape(x.shape[0], groups, -1), temperature).reshape(x.shape)


def batchnorm(net: Running, section: Section, x: Array) -> Array:
    """[batchnorm], `load_batchnorm_weights`: bias, scale, mean, variance; no activation."""
    names = ("bias", "scale", "mean", "variance")
    norm = {name: net.weights.take(name, x.shape[1]) for name in names}
    ready = net.ready(Parameters(np.ones_like(norm["bias"]), **norm))
    shape = (1, -1, 1, 1)
    return ready.normalized(x * ready.weights.reshape(shape), net.epsilon)


def normalization(net: Running, section: Section, x: Array) -> Array:
    """[normalization], `forward_normalization_layer`: LRN by a running sum over channels.

    alpha is not divided by the size, and the sum begins without channel size // 2, which is never added
    but subtracted when its turn comes.
    """
    size, alpha = section.integer("size", 5), x.dtype.type(section.number("alpha", 1e-4))
    beta, squared = section.number("beta", 0.75), x * x
    norm = np.full_like(x[:, 0], section.number("kappa", 1.0))
    for channel in range(size // 2):
        norm = norm + alpha * squared[:, channel]
    norms = [norm]
    for channel in range(1, x.shape[1]):
        before, after = channel - (size - 1) // 2 - 1, channel + size // 2
        norm = norms[-1]
        if before >= 0:
            norm = norm - alpha * squared[:, before]
        if after < x.shape[1]:
            norm = norm + alpha * squared[:, after]
        norms.append(norm)
    return x * np.stack(norms, axis=1) ** x.dtype.type(-beta)


def activation(net: Running, section: Section, x: Array) -> Array:
    """[activation]."""
    return activate(x, section.text("activation", "linear"))
