"""Blocks that several Darknet networks share."""

from __future__ import annotations

from collections.abc import Sequence

from reference_models.darknet.builder import Cfg

RESIDUAL_GAIN = 0.25
"""Of the last convolution of a residual branch: sums grow by a sixteenth, not twofold, at every block."""


def residual(cfg: Cfg, inner: int, outer: int) -> int:
    """Residual block of Darknet-53: a 1x1 and a 3x3 convolution."""
    cfg.conv(inner, 1)
    cfg.conv(outer, 3, gain=RESIDUAL_GAIN)
    return cfg.shortcut(-3)


def residual_stage(cfg: Cfg, filters: int, blocks: int) -> int:
    """Downsample, then residual blocks; returns the index of the stage's last layer."""
    cfg.conv(filters, 3, stride=2)
    for _ in range(blocks):
        residual(cfg, filters // 2, filters)
    return cfg.last


def csp_stage(cfg: Cfg, filters: int, blocks: int, inner: int = 0, first: int = 0) -> int:
    """Downsample, then a cross-stage partial block (arXiv 1911.11929); returns the index of its last layer.

    inner: channels of each of the two ways, half the filters when 0. first: channels inside residual
    blocks, `inner` when 0.
    """
    inner = inner or filters // 2
    cfg.conv(filters, 3, stride=2)
    kept = cfg.conv(inner, 1)
    cfg.route(-2)
    cfg.conv(inner, 1)
    for _ in range(blocks):
        residual(cfg, first or inner, inner)
    cfg.conv(inner, 1)
    cfg.route(-1, kept - cfg.last - 1)
    return cfg.conv(filters, 1)


def spp(cfg: Cfg) -> int:
    """Spatial pyramid pooling (arXiv 1406.4729), as in YOLOv3-SPP: windows of 13, 9, 5 and the input."""
    cfg.add("maxpool", size=5, stride=1)
    cfg.route(-2)
    cfg.add("maxpool", size=9, stride=1)
    cfg.route(-4)
    cfg.add("maxpool", size=13, stride=1)
    return cfg.route(-1, -3, -5, -6)


def pairs(cfg: Cfg, filters: int, wide: int, count: int) -> int:
    """Convolutions 1x1 and 3x3 by turns."""
    for _ in range(count):
        cfg.conv(filters, 1)
        cfg.conv(wide, 3)
    return cfg.last


def lateral(cfg: Cfg, filters: int, backbone: int) -> int:
    """Upsample and join with a layer of the backbone, both brought to `filters` channels."""
    cfg.conv(filters, 1)
    cfg.add("upsample", stride=2)
    cfg.route(backbone)
    cfg.conv(filters, 1)
    return cfg.route(-1, -3)


def from_layer(cfg: Cfg, layer: int) -> int:
    """An absolute layer index as the next layer would write it."""
    return layer - cfg.last - 1


def masks(count: int, levels: int = 3) -> Sequence[tuple[int, ...]]:
    """Masks of `count` anchors each, finest level first."""
    return [tuple(range(level * count, (level + 1) * count)) for level in range(levels)]
