"""Classifiers with residual and dense sums: ResNet (arXiv 1512.03385), DenseNet (arXiv 1608.06993).

pjreddie's ResNets have no projections: a shortcut adds the channels that both sides have, and where the
block has a stride it takes every second pixel.
"""

from __future__ import annotations

from reference_models.darknet.blocks import RESIDUAL_GAIN
from reference_models.darknet.builder import Cfg
from reference_models.darknet.zoo.classic import LOGIT_GAIN, classifier

STAGES = (64, 128, 256, 512)


def resnet18(size: int = 256, classes: int = 1000) -> Cfg:
    """ResNet-18: blocks of two 3x3 convolutions."""
    cfg = _stem(size)
    for filters in STAGES:
        for k in range(2):
            cfg.conv(filters, 3, stride=_stride(filters, k))
            cfg.conv(filters, 3, activation="linear", gain=RESIDUAL_GAIN)
            cfg.shortcut(-3, "leaky")
    classifier(cfg, classes)
    return cfg


def resnet50(size: int = 256, classes: int = 1000) -> Cfg:
    """ResNet-50: bottlenecks."""
    cfg = _stem(size)
    for filters, blocks in zip(STAGES, (3, 4, 6, 3), strict=True):
        for k in range(blocks):
            cfg.conv(filters, 1)
            cfg.conv(filters, 3, stride=_stride(filters, k))
            cfg.conv(4 * filters, 1, activation="linear", gain=RESIDUAL_GAIN if k else 1.0)
            cfg.shortcut(-4, "leaky")
    classifier(cfg, classes)
    return cfg


def densenet201(size: int = 256, classes: int = 1000) -> Cfg:
    """DenseNet-201 with growth 32; Darknet's last transition has 512 channels, not 896."""
    cfg = _stem(size)
    for filters, blocks in ((0, 6), (128, 12), (256, 48), (512, 32)):
        if filters:
            cfg.conv(filters, 1)
            cfg.add("maxpool", size=2, stride=2)
        for _ in range(blocks):
            cfg.conv(128, 1)
            cfg.conv(32, 3)
            cfg.route(-1, -3)
    cfg.conv(classes, 1, activation="linear", bn=False, gain=LOGIT_GAIN)
    cfg.add("avgpool")
    cfg.add("softmax", groups=1)
    return cfg


def _stem(size: int) -> Cfg:
    cfg = Cfg(size, size)
    cfg.conv(64, 7, stride=2)
    cfg.add("maxpool", size=2, stride=2)
    return cfg


def _stride(filters: int, block: int) -> int:
    """Stages after the first begin with a stride."""
    return 2 if filters > STAGES[0] and not block else 1
