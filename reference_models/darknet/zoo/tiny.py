"""Small detectors: YOLOv4-tiny with three heads, YOLOv7-tiny, and one like Yolo-Fastest."""

from __future__ import annotations

from reference_models.darknet.architectures import TINY_ANCHORS, YOLOV3_ANCHORS, csp_tiny
from reference_models.darknet.blocks import RESIDUAL_GAIN, from_layer, lateral, masks, spp
from reference_models.darknet.builder import Cfg
from reference_models.darknet.zoo.csp import ANCHORS, SCALED


def yolov4_tiny_3l(size: int = 608, classes: int = 80) -> Cfg:
    """YOLOv4-tiny with a third, finer head."""
    cfg = Cfg(size, size)
    kept = csp_tiny(cfg)
    cfg.yolo(masks(3)[2], ANCHORS, classes, scale_x_y=1.05)
    for level, filters, before in ((1, 128, -4), (0, 64, -3)):
        cfg.route(before)
        cfg.conv(filters, 1)
        cfg.add("upsample", stride=2)
        cfg.route(-1, kept[level + 1])
        cfg.conv(2 * filters, 3)
        cfg.yolo(masks(3)[level], ANCHORS, classes, scale_x_y=1.05)
    return cfg


def yolov7_tiny(size: int = 416, classes: int = 80) -> Cfg:
    """YOLOv7-tiny (arXiv 2207.02696): ELAN blocks, SPP in a CSP block, PANet, heads at the end."""
    cfg = Cfg(size, size)
    cfg.conv(32, 3, stride=2)
    cfg.conv(64, 3, stride=2)
    stages = [_elan(cfg, 32, 64)]
    for filters in (64, 128, 256):
        cfg.add("maxpool", size=2, stride=2)
        stages.append(_elan(cfg, filters, 2 * filters))
    kept = [_csp_spp(cfg)]
    for filters, backbone in ((128, stages[2]), (64, stages[1])):
        lateral(cfg, filters, backbone)
        kept.append(_elan(cfg, filters // 2, filters))
    coarse, middle, fine = kept
    middle = _down(cfg, 128, middle)
    coarse = _down(cfg, 256, coarse)
    for level, layer in enumerate((fine, middle, coarse)):
        cfg.route(layer)
        cfg.conv(128 << level, 3)
        cfg.yolo(masks(3)[level], YOLOV3_ANCHORS, classes, **SCALED)
    return cfg


def _down(cfg: Cfg, filters: int, joined: int) -> int:
    cfg.conv(filters, 3, stride=2)
    cfg.route(-1, joined)
    return _elan(cfg, filters // 2, filters)


def _elan(cfg: Cfg, inner: int, filters: int) -> int:
    """Two ways of 1x1 convolutions, one goes on by two 3x3 ones; all four results are joined."""
    cfg.conv(inner, 1)
    cfg.route(-2)
    cfg.conv(inner, 1)
    cfg.conv(inner, 3)
    cfg.conv(inner, 3)
    cfg.route(-5, -3, -2, -1)
    return cfg.conv(filters, 1)


def _csp_spp(cfg: Cfg) -> int:
    kept = cfg.conv(256, 1)
    cfg.route(-2)
    cfg.conv(256, 1)
    spp(cfg)
    cfg.conv(256, 1)
    cfg.route(from_layer(cfg, kept), -1)
    return cfg.conv(256, 1)


def yolo_fastest(size: int = 320, classes: int = 80) -> Cfg:
    """A detector like Yolo-Fastest (dog-qiuqiu): inverted residuals of depthwise convolutions, two heads."""
    cfg = Cfg(size, size)
    cfg.conv(8, 3, stride=2)
    stages = {}
    rows = ((4, 8, 1, 1), (8, 24, 2, 3), (8, 32, 2, 3), (16, 48, 2, 4), (24, 96, 1, 4), (48, 136, 2, 5))
    for filters, expanded, stride, blocks in rows:
        for k in range(blocks):
            _inverted(cfg, expanded, filters, 1 if k else stride, add=k > 0)
        stages[filters] = cfg.last
    coarse = cfg.conv(96, 1)
    for _ in range(2):
        cfg.depthwise(5)
        cfg.conv(96, 1)
    cfg.yolo((3, 4, 5), TINY_ANCHORS, classes)
    cfg.route(coarse)
    cfg.add("upsample", stride=2)
    cfg.route(-1, stages[24])
    for _ in range(2):
        cfg.conv(96, 1)
        cfg.depthwise(5)
    cfg.yolo((0, 1, 2), TINY_ANCHORS, classes)
    return cfg


def _inverted(cfg: Cfg, expanded: int, filters: int, stride: int, add: bool) -> int:
    """Inverted residual (arXiv 1801.04381): widen, filter each channel, narrow linearly."""
    cfg.conv(expanded, 1)
    cfg.depthwise(3, stride)
    cfg.conv(filters, 1, activation="linear", gain=RESIDUAL_GAIN if add else 1.0)
    if add:
        cfg.add("dropout", probability=0.15)
        cfg.shortcut(-5)
    return cfg.last
