"""Slim detectors of digits: the tiny networks' layers at a few channels, with heads of strides 16 and 8.

Anchors are sizes of digits in `datasets.digit_scenes`, whose ink is 16, 24, 32 or 40 pixels high.
"""

from __future__ import annotations

from reference_models.darknet.builder import Cfg

SIDE, CLASSES = 96, 10
ANCHORS = ((9, 16), (12, 16), (17, 24), (20, 32), (24, 32), (28, 40))
LOSS = {"iou_loss": "ciou", "iou_normalizer": 3, "ignore_thresh": 0.7}


def digits_yolov3_tiny() -> Cfg:
    """After YOLOv3-tiny, without its fifth pool: 351 thousand parameters."""
    cfg = Cfg(SIDE, SIDE)
    for filters in (8, 16, 32):
        cfg.conv(filters, 3)
        cfg.add("maxpool", size=2, stride=2)
    kept = cfg.conv(64, 3)
    cfg.add("maxpool", size=2, stride=2)
    cfg.conv(96, 3)
    cfg.add("maxpool", size=2, stride=1)
    cfg.conv(160, 3)
    cfg.conv(64, 1)
    cfg.conv(96, 3)
    cfg.yolo((3, 4, 5), ANCHORS, CLASSES, **LOSS)
    return _upper_head(cfg, kept)


def digits_yolov4_tiny() -> Cfg:
    """After YOLOv4-tiny with Mish, its first stride in a pool's place."""
    cfg = Cfg(SIDE, SIDE, activation="mish")
    cfg.conv(8, 3, stride=2)
    cfg.conv(16, 3)
    kept = 0
    for filters in (16, 32, 64):
        cfg.conv(filters, 3)
        cfg.route(-1, groups=2, group_id=1)
        cfg.conv(filters // 2, 3)
        cfg.conv(filters // 2, 3)
        cfg.route(-1, -2)
        kept = cfg.conv(filters, 1)
        cfg.route(-6, -1)
        cfg.add("maxpool", size=2, stride=2)
    cfg.conv(128, 3)
    cfg.conv(64, 1)
    cfg.conv(96, 3)
    cfg.yolo((3, 4, 5), ANCHORS, CLASSES, scale_x_y=1.05, **LOSS)
    return _upper_head(cfg, kept, scale_x_y=1.05)


def _upper_head(cfg: Cfg, kept: int, **keys: object) -> Cfg:
    cfg.route(-4)
    cfg.conv(32, 1)
    cfg.add("upsample", stride=2)
    cfg.route(-1, kept)
    cfg.conv(64, 3)
    cfg.yolo((0, 1, 2), ANCHORS, CLASSES, **keys, **LOSS)
    return cfg
