"""The Darknet networks that the default matrix has, as builders of cfg text; `zoo` holds the others.

The architectures follow the papers (YOLOv3: arXiv 1804.02767; YOLOv4-tiny: arXiv 2011.08036) and the
published cfg files; a test holds the emitted text against the official files, section by section.
"""

from __future__ import annotations

from reference_models.darknet.blocks import pairs, residual_stage, spp
from reference_models.darknet.builder import Cfg

__all__ = ["TINY_ANCHORS", "YOLOV3_ANCHORS", "Cfg", "yolov3", "yolov3_spp", "yolov3_tiny", "yolov4_tiny"]

TINY_ANCHORS = ((10, 14), (23, 27), (37, 58), (81, 82), (135, 169), (344, 319))
YOLOV3_ANCHORS = (
    (10, 13), (16, 30), (33, 23), (30, 61), (62, 45), (59, 119), (116, 90), (156, 198), (373, 326),
)  # fmt: skip


def yolov3_tiny(size: int = 416, classes: int = 80) -> Cfg:
    """YOLOv3-tiny. The second mask is 1,2,3, as the official weights were trained, not the cfg's 0,1,2."""
    cfg = Cfg(size, size)
    for filters in (16, 32, 64, 128, 256):
        kept = cfg.conv(filters, 3)
        cfg.add("maxpool", size=2, stride=2)
    cfg.conv(512, 3)
    cfg.add("maxpool", size=2, stride=1)
    cfg.conv(1024, 3)
    cfg.conv(256, 1)
    cfg.conv(512, 3)
    cfg.yolo((3, 4, 5), TINY_ANCHORS, classes)
    _upper_head(cfg, kept, classes)
    return cfg


def yolov4_tiny(size: int = 416, classes: int = 80) -> Cfg:
    """YOLOv4-tiny: three CSP blocks that carry the second half of the channels on."""
    cfg = Cfg(size, size)
    kept = csp_tiny(cfg)[-1]
    cfg.yolo((3, 4, 5), TINY_ANCHORS, classes, scale_x_y=1.05)
    _upper_head(cfg, kept, classes, scale_x_y=1.05)
    return cfg


def csp_tiny(cfg: Cfg) -> list[int]:
    """CSPDarknet53-tiny and the first head's convolutions; returns what each block hands on."""
    kept = []
    cfg.conv(32, 3, stride=2)
    cfg.conv(64, 3, stride=2)
    for filters in (64, 128, 256):
        cfg.conv(filters, 3)
        cfg.route(-1, groups=2, group_id=1)
        cfg.conv(filters // 2, 3)
        cfg.conv(filters // 2, 3)
        cfg.route(-1, -2)
        kept.append(cfg.conv(filters, 1))
        cfg.route(-6, -1)
        cfg.add("maxpool", size=2, stride=2)
    cfg.conv(512, 3)
    cfg.conv(256, 1)
    cfg.conv(512, 3)
    return kept


def yolov3(size: int = 416, classes: int = 80) -> Cfg:
    """YOLOv3: Darknet-53 and three heads."""
    return _yolov3(size, classes, pyramid=False)


def yolov3_spp(size: int = 608, classes: int = 80) -> Cfg:
    """YOLOv3-SPP: YOLOv3 with spatial pyramid pooling before its first head."""
    return _yolov3(size, classes, pyramid=True)


def _yolov3(size: int, classes: int, pyramid: bool) -> Cfg:
    cfg = Cfg(size, size)
    stages = darknet53_backbone(cfg)
    for level, filters in enumerate((512, 256, 128)):
        if level:
            cfg.route(-4)
            cfg.conv(filters, 1)
            cfg.add("upsample", stride=2)
            cfg.route(-1, stages[4 - level])
        pairs(cfg, filters, filters * 2, 1)
        if pyramid and not level:
            cfg.conv(filters, 1)
            spp(cfg)
        pairs(cfg, filters, filters * 2, 2)
        first = 6 - 3 * level
        cfg.yolo((first, first + 1, first + 2), YOLOV3_ANCHORS, classes)
    return cfg


def darknet53_backbone(cfg: Cfg) -> list[int]:
    """Darknet-53 without its classifier; returns the last layer of each stage."""
    cfg.conv(32, 3)
    depths = {64: 1, 128: 2, 256: 8, 512: 8, 1024: 4}
    return [residual_stage(cfg, filters, blocks) for filters, blocks in depths.items()]


def _upper_head(cfg: Cfg, kept: int, classes: int, **keys: object) -> None:
    cfg.route(-4)
    cfg.conv(128, 1)
    cfg.add("upsample", stride=2)
    cfg.route(-1, kept)
    cfg.conv(256, 3)
    cfg.yolo((1, 2, 3), TINY_ANCHORS, classes, **keys)
