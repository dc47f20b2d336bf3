"""[convolutional]: `parse_convolutional` and convolutional_layer.c; the blur of antialiasing."""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from suites.meta.oracles.darknet_interpreter.activations import activate
from suites.meta.oracles.darknet_interpreter.running import Running
from suites.meta.oracles.darknet_interpreter.text import Section
from suites.meta.oracles.darknet_interpreter.weights import Array, Parameters, Weights

Pair = tuple[int, int]
BLURS = {1: (1, [1.0, 2.0, 1.0]), 2: (0, [1.0, 1.0])}
"""antialiasing=1 and 2: padding, and the vector whose outer product over its sum is the kernel."""


def windows(x: Array, size: int, stride: Pair, padding: int, dilation: int = 1) -> Array:
    """Return (N, C, H', W', size, size) views of x (N, C, H, W) padded by zeros; stride is (y, x)."""
    reach = dilation * (size - 1) + 1
    padded = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    views = sliding_window_view(padded, (reach, reach), axis=(2, 3))
    return views[:, :, :: stride[0], :: stride[1], ::dilation, ::dilation]


def convolve(
    x: Array, weights: Array, stride: Pair, padding: int, dilation: int = 1, groups: int = 1
) -> Array:
    """Sum over channels and windows: weights (M, C / groups, size, size) on x (N, C, H, W)."""
    parts = []
    for part, kernel in zip(np.split(x, groups, 1), np.split(weights, groups), strict=True):
        views = windows(part, kernel.shape[-1], stride, padding, dilation)
        parts.append(np.tensordot(views, kernel, axes=((1, 4, 5), (1, 2, 3))).transpose(0, 3, 1, 2))
    return np.concatenate(parts, axis=1)


def blur(x: Array, kind: int, stride: Pair) -> Array:
    """Convolve depthwise with a fixed kernel, which takes the stride of the layer it follows.

    Darknet forgets to tell later [route] layers of the smaller output; here they get what was computed.
    """
    padding, vector = BLURS[2 if kind == 2 else 1]
    kernel = np.outer(vector, vector).astype(x.dtype)
    kernel /= kernel.sum()
    repeated = np.broadcast_to(kernel, (x.shape[1], 1, *kernel.shape))
    return convolve(x, repeated, stride, padding, groups=x.shape[1])


def strides(section: Section) -> Pair:
    """Return (y, x): stride_y and stride_x where they are positive, stride otherwise."""
    both = section.integer("stride", 1)
    y, x = section.integer("stride_y", -1), section.integer("stride_x", -1)
    return (y if y >= 1 else both, x if x >= 1 else both)


def read_kernel(
    weights: Weights, filters: int, channels: int, size: int, bn: bool, flipped: bool = False
) -> Parameters:
    """`load_convolutional_weights`: bias, scale, mean, variance, weights. channels: of one group."""
    bias = weights.take("bias", filters)
    names = ("scale", "mean", "variance") if bn else ()
    norm = {name: weights.take(name, filters) for name in names}
    shape = (filters, channels, size, size)
    kernel = weights.take("weights", *shape)
    if flipped:
        kernel = kernel.reshape(-1, filters).T.reshape(shape)
    return Parameters(kernel, bias, **norm)


def binarized(weights: Array) -> Array:
    """`binarize_weights`: the sign times the mean magnitude of each filter; 0 counts as negative."""
    magnitude = np.abs(weights).mean(axis=(1, 2, 3), keepdims=True)
    return np.where(weights > 0, magnitude, -magnitude)


def parameters_of(net: Running, section: Section, channels: int, size: int) -> Parameters:
    """Read the layer's own parameters, or take those of the layer that share_index names."""
    share = section.integer("share_index", -(10**9))
    if share != -(10**9):
        parameters = net.shared[net.absolute(share)]
    else:
        bn = bool(section.integer("batch_normalize", 0) or section.integer("cbn", 0))
        flipped = bool(section.integer("flipped", 0))
        filters = section.integer("filters", 1)
        parameters = read_kernel(net.weights, filters, channels, size, bn, flipped)
    net.shared[net.index] = parameters
    return parameters


def convolutional(net: Running, section: Section, x: Array) -> Array:
    """Convolution, BatchNorm or bias, activation, blur.

    pad=1 means size // 2 whatever padding says; a size of 1 has no dilation; im2col pads by padding *
    dilation. xnor: weights and input become signs, the padding stays 0, as the float path of the CPU and
    the GPU's convolution have it (the bit-packed path pads with -1). binary: weights only, as on the GPU.
    """
    size, groups = section.integer("size", 1), section.integer("groups", 1)
    dilation = 1 if size == 1 else section.integer("dilation", 1)
    padding = size // 2 if section.integer("pad", 0) else section.integer("padding", 0)
    antialiasing, stride = section.integer("antialiasing", 0), strides(section)
    parameters = parameters_of(net, section, x.shape[1] // groups, size)
    if section.integer("xnor", 0) or section.integer("binary", 0):
        parameters = Parameters(**{**vars(parameters), "weights": binarized(parameters.weights)})
    if section.integer("xnor", 0):
        x = np.where(x > 0, 1.0, -1.0).astype(x.dtype)
    parameters, step = net.ready(parameters), (1, 1) if antialiasing else stride
    y = convolve(x, parameters.weights, step, padding * dilation, dilation, groups)
    promised = tuple((n + 2 * padding - size) // s + 1 for n, s in zip(x.shape[2:], step, strict=True))
    if y.shape[2:] != promised:
        raise ValueError(f"layer {net.index}: dilation without same padding overruns Darknet's buffers")
    y = activate(parameters.normalized(y, net.epsilon), section.text("activation", "logistic"))
    return blur(y, antialiasing, stride) if antialiasing else y
