"""Layers that move or pool pixels: maxpool_layer.c, avgpool_layer.c, upsample_layer.c, reorg, crop."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from suites.meta.oracles.darknet_interpreter.convolution import blur
from suites.meta.oracles.darknet_interpreter.running import Running
from suites.meta.oracles.darknet_interpreter.text import Section
from suites.meta.oracles.darknet_interpreter.weights import Array


def pool_windows(x: Array, section: Section, stride: tuple[int, int]) -> Iterator[tuple[int, int, Array]]:
    """Yield each output row and column with the part of x that its window covers, cut at the borders.

    padding, the size less 1 unless given, is the sum of both sides; half of it, as C divides, comes first.
    """
    size = section.integer("size", section.integer("stride", 1))
    padding = section.integer("padding", size - 1)
    begin = -int(padding / 2)
    height, width = ((n + padding - size) // s + 1 for n, s in zip(x.shape[2:], stride, strict=True))
    for row in range(height):
        for column in range(width):
            top, left = begin + row * stride[0], begin + column * stride[1]
            yield row, column, x[:, :, max(top, 0) : max(top + size, 0), max(left, 0) : max(left + size, 0)]


def pool_strides(section: Section) -> tuple[int, int]:
    """Return (y, x)."""
    both = section.integer("stride", 1)
    return section.integer("stride_y", both), section.integer("stride_x", both)


def collect(values: dict[tuple[int, int], Array]) -> Array:
    """Put (row, column) -> (N, C) together to (N, C, H, W)."""
    height, width = (max(place[i] for place in values) + 1 for i in (0, 1))
    rows = [np.stack([values[r, c] for c in range(width)], axis=-1) for r in range(height)]
    return np.stack(rows, axis=-2)


def maxpool(net: Running, section: Section, x: Array) -> Array:
    """`forward_maxpool_layer` without AVX: what lies outside of the image does not count.

    maxpool_depth: the greatest of channels g, g + out_channels, g + 2 * out_channels ...
    """
    if section.integer("maxpool_depth", 0):
        kept = section.integer("out_channels", 1)
        return np.stack([x[:, g::kept].max(axis=1) for g in range(kept)], axis=1)
    antialiasing, stride = section.integer("antialiasing", 0), pool_strides(section)
    step = (1, 1) if antialiasing else stride
    y = collect({(r, c): part.max(axis=(2, 3)) for r, c, part in pool_windows(x, section, step)})
    return blur(y, antialiasing, stride) if antialiasing else y


def local_avgpool(net: Running, section: Section, x: Array) -> Array:
    """`forward_local_avgpool_layer`: the mean of what lies inside of the image."""
    places = pool_windows(x, section, pool_strides(section))
    return collect({(r, c): part.mean(axis=(2, 3)) for r, c, part in places})


def avgpool(net: Running, section: Section, x: Array) -> Array:
    """Mean over the whole image, (N, C, 1, 1)."""
    return x.mean(axis=(2, 3), keepdims=True)


def upsample(net: Running, section: Section, x: Array) -> Array:
    """`upsample_cpu`: repeat pixels; a negative stride sums blocks; scale multiplies either."""
    stride, scale = section.integer("stride", 2), x.dtype.type(section.number("scale", 1.0))
    if stride > 0:
        return scale * x.repeat(stride, axis=2).repeat(stride, axis=3)
    n, c, h, w = x.shape
    return scale * x.reshape(n, c, h // -stride, -stride, w // -stride, -stride).sum(axis=(3, 5))


def reorg_places(c: int, h: int, w: int, stride: int) -> Array:
    """`reorg_cpu` of blas.c: for each element of (c, h, w) its flat place in (c / s^2, h * s, w * s)."""
    narrow = c // stride**2
    k, j, i = np.meshgrid(np.arange(c), np.arange(h), np.arange(w), indexing="ij")
    offset = k // narrow
    column, row = i * stride + offset % stride, j * stride + offset // stride
    return (column + w * stride * (row + h * stride * (k % narrow))).ravel()


def reordered(x: Array, places: Array, reverse: bool, shape: tuple[int, ...]) -> Array:
    """Gather by places, or scatter when reverse, sample by sample."""
    flat = x.reshape(x.shape[0], -1)
    if not reverse:
        return flat[:, places].reshape(shape)
    out = np.empty_like(flat)
    out[:, places] = flat
    return out.reshape(shape)


def reorg_shape(section: Section, x: Array) -> tuple[int, int, int, int]:
    """Return the output's shape; ValueError when the stride does not divide what it must."""
    (n, c, h, w), s = x.shape, section.integer("stride", 1)
    if section.integer("reverse", 0):
        shape = (n, c // s**2, h * s, w * s)
    else:
        shape = (n, c * s**2, h // s, w // s)
    if np.prod(shape) != x.size:
        raise ValueError(f"stride {s} does not divide {x.shape}")
    return shape


def reorg(net: Running, section: Section, x: Array) -> Array:
    """[reorg], reorg_old_layer.c: `reorg_cpu` is told the input's shape, so the stride is undone twice over.

    The widths are those of the input, although the output is smaller: this is YOLOv2's layout. Height and
    width are meant here; AlexeyAB's parser gives them to `make_reorg_old_layer` in the wrong order.
    """
    _, c, h, w = x.shape
    places = reorg_places(c, h, w, section.integer("stride", 1))
    return reordered(x, places, bool(section.integer("reverse", 0)), reorg_shape(section, x))


def reorg3d(net: Running, section: Section, x: Array) -> Array:
    """[reorg3d], reorg_layer.c: `reorg_cpu` is told the output's shape; blocks to channels, block-major."""
    shape = reorg_shape(section, x)
    places = reorg_places(shape[1], shape[2], shape[3], section.integer("stride", 1))
    return reordered(x, places, bool(section.integer("reverse", 0)), shape)


def crop(net: Running, section: Section, x: Array) -> Array:
    """`forward_crop_layer` without training: the centre, and 2 * x - 1 unless noadjust."""
    height, width = section.integer("crop_height", 1), section.integer("crop_width", 1)
    top, left = (x.shape[2] - height) // 2, (x.shape[3] - width) // 2
    part = x[:, :, top : top + height, left : left + width]
    return part if section.integer("noadjust", 0) else 2 * part - 1
