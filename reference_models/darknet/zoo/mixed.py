"""Detectors on EfficientNet-B0 (arXiv 1905.11946) and CSPResNeXt-50 (arXiv 1911.11929).

Like enet-coco.cfg and csresnext50-panet-spp.cfg in what layers they use; ours in details.
"""

from __future__ import annotations

from reference_models.darknet.architectures import TINY_ANCHORS
from reference_models.darknet.blocks import RESIDUAL_GAIN, from_layer
from reference_models.darknet.builder import Cfg
from reference_models.darknet.zoo.csp import panet

MBCONV = (
    (1, 16, 1, 1, 3), (6, 24, 2, 2, 3), (6, 40, 2, 2, 5), (6, 80, 2, 3, 3), (6, 112, 1, 3, 5),
    (6, 192, 2, 4, 5), (6, 320, 1, 1, 3),
)  # fmt: skip
"""Stages of EfficientNet-B0: expansion, channels, stride of the first block, blocks, kernel."""


def enet_coco(size: int = 416, classes: int = 80) -> Cfg:
    """EfficientNet-B0 with swish and squeeze-and-excitation, two heads as YOLOv3-tiny's."""
    cfg = Cfg(size, size, activation="swish")
    cfg.conv(32, 3, stride=2)
    stages = {}
    for expansion, filters, stride, blocks, kernel in MBCONV:
        for k in range(blocks):
            _mbconv(cfg, expansion, filters, 1 if k else stride, kernel)
        stages[filters] = cfg.last
    cfg.activation = "leaky"
    for filters, size_ in ((256, 1), (256, 3), (256, 1), (256, 3)):
        cfg.conv(filters, size_)
    cfg.yolo((3, 4, 5), TINY_ANCHORS, classes)
    cfg.route(-4)
    cfg.conv(128, 1)
    cfg.add("upsample", stride=2)
    cfg.route(-1, stages[112])
    cfg.conv(256, 3)
    cfg.yolo((1, 2, 3), TINY_ANCHORS, classes)
    return cfg


def _mbconv(cfg: Cfg, expansion: int, filters: int, stride: int, kernel: int) -> int:
    """Widen, filter each channel, weigh the channels by gates from their means, narrow linearly."""
    before, narrow = cfg.last, cfg.channels
    add = stride == 1 and narrow == filters
    if expansion > 1:
        cfg.conv(narrow * expansion, 1)
    wide = cfg.depthwise(kernel, stride)
    cfg.add("avgpool")
    cfg.conv(max(8, narrow // 4), 1)
    cfg.conv(narrow * expansion, 1, activation="logistic")
    cfg.scale_channels(from_layer(cfg, wide))
    cfg.conv(filters, 1, activation="linear", gain=RESIDUAL_GAIN if add else 1.0)
    if add:
        cfg.add("dropout", probability=0.2)
        cfg.shortcut(from_layer(cfg, before))
    return cfg.last


def csresnext50_panet_spp(size: int = 608, classes: int = 80) -> Cfg:
    """CSPResNeXt-50, 32 groups, and YOLOv4's neck; all leaky."""
    cfg = Cfg(size, size)
    cfg.conv(64, 7, stride=2)
    cfg.add("maxpool", size=2, stride=2)
    rows = ((64, 3), (128, 3), (256, 5), (512, 2))
    stages = [_cross_stage(cfg, inner, blocks, down=inner > 64) for inner, blocks in rows]
    panet(cfg, stages[1], stages[2], classes)
    return cfg


def _cross_stage(cfg: Cfg, inner: int, blocks: int, down: bool) -> int:
    """Stage of grouped bottlenecks on one of two ways, twice `inner` channels each."""
    if down:
        cfg.conv(4 * inner, 3, stride=2, groups=32)
    kept = cfg.conv(2 * inner, 1)
    cfg.route(-2)
    cfg.conv(2 * inner, 1)
    for _ in range(blocks):
        cfg.conv(inner * 2, 1)
        cfg.conv(inner * 2, 3, groups=32)
        cfg.conv(inner * 2, 1, activation="linear", gain=RESIDUAL_GAIN)
        cfg.shortcut(-4, "leaky")
    cfg.conv(2 * inner, 1)
    cfg.route(-1, from_layer(cfg, kept))
    return cfg.conv(4 * inner, 1)
