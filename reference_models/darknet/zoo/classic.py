"""YOLOv2 (arXiv 1612.08242), its tiny sister, and the classifiers Darknet-19 and Darknet-53."""

from __future__ import annotations

from reference_models.darknet.architectures import darknet53_backbone
from reference_models.darknet.builder import HEAD_GAIN, Cfg

REGION_ANCHORS = "0.57273, 0.677385, 1.87446, 2.06253, 3.33843, 5.47434, 7.88282, 3.52778, 9.77052, 9.16828"
"""COCO anchors in grid cells, as pairs of width and height."""
LOGIT_GAIN = 1.5
"""Of seeded scores whose mean over the image is taken: else all classes are about equally likely."""


def yolov2(size: int = 608, classes: int = 80) -> Cfg:
    """YOLOv2: Darknet-19, and a passthrough from its 16th part to the head by [reorg]."""
    cfg = Cfg(size, size)
    kept = _darknet19_backbone(cfg)
    cfg.conv(1024, 3)
    cfg.conv(1024, 3)
    cfg.route(kept - cfg.last - 1)
    cfg.conv(64, 1)
    cfg.add("reorg", 4 * cfg.channels, stride=2)
    cfg.route(-1, -4)
    cfg.conv(1024, 3)
    _region(cfg, classes)
    return cfg


def yolov2_tiny(size: int = 416, classes: int = 80) -> Cfg:
    """YOLOv2-tiny."""
    cfg = Cfg(size, size)
    for filters in (16, 32, 64, 128, 256):
        cfg.conv(filters, 3)
        cfg.add("maxpool", size=2, stride=2)
    cfg.conv(512, 3)
    cfg.add("maxpool", size=2, stride=1)
    cfg.conv(1024, 3)
    cfg.conv(512, 3)
    _region(cfg, classes)
    return cfg


def darknet19(size: int = 256, classes: int = 1000) -> Cfg:
    """Darknet-19, the classifier: scores by a 1x1 convolution, then their mean over the image."""
    cfg = Cfg(size, size)
    _darknet19_backbone(cfg)
    cfg.conv(classes, 1, activation="linear", bn=False, gain=LOGIT_GAIN)
    cfg.add("avgpool")
    cfg.add("softmax", groups=1)
    return cfg


def darknet53(size: int = 256, classes: int = 1000) -> Cfg:
    """Darknet-53, the classifier."""
    cfg = Cfg(size, size)
    darknet53_backbone(cfg)
    classifier(cfg, classes, gain=0.15)
    return cfg


def classifier(cfg: Cfg, classes: int, gain: float = 1.0) -> None:
    """Mean over the image, scores, softmax. gain: of seeded scores, so that no class is certain."""
    cfg.add("avgpool")
    cfg.conv(classes, 1, activation="linear", bn=False, gain=gain)
    cfg.add("softmax", groups=1)


def _darknet19_backbone(cfg: Cfg) -> int:
    """18 convolutions; returns the layer before the last maxpool."""
    kept = 0
    for filters, convs in ((32, 1), (64, 1), (128, 3), (256, 3), (512, 5), (1024, 5)):
        if cfg.last >= 0:
            cfg.add("maxpool", size=2, stride=2)
        for k in range(convs):
            wide = k % 2 == 0
            last = cfg.conv(filters if wide else filters // 2, 3 if wide else 1)
        kept = last if filters < 1024 else kept
    return kept


def _region(cfg: Cfg, classes: int) -> int:
    cfg.conv(5 * (classes + 5), 1, activation="linear", bn=False, gain=HEAD_GAIN)
    return cfg.add("region", anchors=REGION_ANCHORS, classes=classes, coords=4, num=5, softmax=1)
