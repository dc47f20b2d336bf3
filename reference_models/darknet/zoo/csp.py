"""YOLOv4 (arXiv 2004.10934) and the scaled ones of arXiv 2011.08036: csp, x-mish and p5.

YOLOv4's first stage has halves as wide as the stage; the scaled networks have a plain residual block
there (csp, x), or the same CSP block as everywhere (p5), and CSP blocks in the neck too.
"""

from __future__ import annotations

from reference_models.darknet.blocks import csp_stage, from_layer, lateral, masks, pairs, residual_stage, spp
from reference_models.darknet.builder import Cfg

ANCHORS = (
    (12, 16), (19, 36), (40, 28), (36, 75), (76, 55), (72, 146), (142, 110), (192, 243), (459, 401),
)  # fmt: skip
SCALED: dict[str, object] = {"scale_x_y": 2.0, "new_coords": 1}
"""What the heads of the scaled networks have."""
CSPDARKNET53 = ((128, 2), (256, 8), (512, 8), (1024, 4))
"""Filters and residual blocks of the stages after the first."""
P5_ANCHORS = (
    (13, 17), (31, 25), (24, 51), (61, 45), (48, 102), (119, 96), (97, 189), (217, 184),
    (171, 384), (324, 451), (616, 618), (800, 800),
)  # fmt: skip


def yolov4(size: int = 608, classes: int = 80) -> Cfg:
    """YOLOv4: CSPDarknet53 with mish, SPP and PANet with leaky."""
    cfg = Cfg(size, size, activation="mish")
    cfg.conv(32, 3)
    csp_stage(cfg, 64, 1, inner=64, first=32)
    stages = [csp_stage(cfg, filters, blocks) for filters, blocks in CSPDARKNET53]
    cfg.activation = "leaky"
    panet(cfg, stages[1], stages[2], classes)
    return cfg


def panet(cfg: Cfg, fine: int, middle: int, classes: int) -> None:
    """YOLOv4's neck and three heads: SPP, then PANet (arXiv 1803.01534) with five convolutions a join.

    fine, middle: the backbone's last layers at an eighth and a sixteenth of the input.
    """
    kept = [_five_with_spp(cfg)]
    for filters, backbone in ((256, middle), (128, fine)):
        lateral(cfg, filters, backbone)
        pairs(cfg, filters, 2 * filters, 2)
        kept.append(cfg.conv(filters, 1))
    cfg.conv(256, 3)
    cfg.yolo(masks(3)[0], ANCHORS, classes, scale_x_y=1.2)
    for level, (filters, joined, scale) in enumerate(((256, kept[1], 1.1), (512, kept[0], 1.05)), 1):
        cfg.route(-4)
        cfg.conv(filters, 3, stride=2)
        cfg.route(-1, from_layer(cfg, joined))
        pairs(cfg, filters, 2 * filters, 3)
        cfg.yolo(masks(3)[level], ANCHORS, classes, scale_x_y=scale)


def _five_with_spp(cfg: Cfg) -> int:
    cfg.conv(512, 1)
    cfg.conv(1024, 3)
    cfg.conv(512, 1)
    spp(cfg)
    cfg.conv(512, 1)
    cfg.conv(1024, 3)
    return cfg.conv(512, 1)


def yolov4_csp(size: int = 512, classes: int = 80) -> Cfg:
    """YOLOv4-CSP."""
    cfg = _residual_first(size, 32, 64)
    stages = [csp_stage(cfg, filters, blocks) for filters, blocks in CSPDARKNET53]
    _csp_neck(cfg, stages[1:3], 512, classes, blocks=2, pyramid=1)
    return cfg


def yolov4x_mish(size: int = 640, classes: int = 80) -> Cfg:
    """YOLOv4x-mish: YOLOv4-CSP, 1.25 times as wide and 1.33 times as deep."""
    cfg = _residual_first(size, 32, 80)
    depths = ((160, 3), (320, 10), (640, 10), (1280, 5))
    stages = [csp_stage(cfg, filters, blocks) for filters, blocks in depths]
    _csp_neck(cfg, stages[1:3], 640, classes, blocks=3, pyramid=2)
    return cfg


def yolov4_p5(size: int = 896, classes: int = 80) -> Cfg:
    """YOLOv4-P5: deeper, with four anchors a head; the heads stand at the end."""
    cfg = Cfg(size, size, activation="mish")
    cfg.conv(32, 3)
    depths = ((64, 1), (128, 3), (256, 15), (512, 15), (1024, 7))
    stages = [csp_stage(cfg, filters, blocks) for filters, blocks in depths]
    coarse, middle, fine = _csp_top_down(cfg, stages[2:4], 512, blocks=3, pyramid=1)
    middle = _csp_down(cfg, 256, middle, 3)
    coarse = _csp_down(cfg, 512, coarse, 3)
    for level, layer in enumerate((fine, middle, coarse)):
        cfg.route(layer)
        cfg.conv(256 << level, 3)
        cfg.yolo(masks(4)[level], P5_ANCHORS, classes, **SCALED)
    return cfg


def _residual_first(size: int, stem: int, filters: int) -> Cfg:
    cfg = Cfg(size, size, activation="mish")
    cfg.conv(stem, 3)
    residual_stage(cfg, filters, 1)
    return cfg


def _csp_neck(cfg: Cfg, stages: list[int], width: int, classes: int, *, blocks: int, pyramid: int) -> None:
    """CSP-PANet, each head right after its level; for `stages` see `_csp_top_down`."""
    coarse, middle, _ = _csp_top_down(cfg, stages, width, blocks=blocks, pyramid=pyramid)
    cfg.conv(width // 2, 3)
    cfg.yolo(masks(3)[0], ANCHORS, classes, **SCALED)
    for level, (filters, joined) in enumerate(((width // 2, middle), (width, coarse)), 1):
        cfg.route(-4)
        _csp_down(cfg, filters, joined, blocks)
        cfg.conv(2 * filters, 3)
        cfg.yolo(masks(3)[level], ANCHORS, classes, **SCALED)


def _csp_top_down(cfg: Cfg, stages: list[int], width: int, *, blocks: int, pyramid: int) -> list[int]:
    """CSP-SPP, then the way up; returns the last layers at a 32nd, a 16th and an eighth of the input.

    stages: the last layers of the backbone at an eighth and a sixteenth.
    """
    kept = [_csp_spp(cfg, width, pyramid)]
    for filters, backbone in ((width // 2, stages[1]), (width // 4, stages[0])):
        lateral(cfg, filters, backbone)
        kept.append(_csp_plain(cfg, filters, blocks))
    return kept


def _csp_down(cfg: Cfg, filters: int, joined: int, blocks: int) -> int:
    """Downsample and join with a layer of the way up."""
    cfg.conv(filters, 3, stride=2)
    cfg.route(-1, from_layer(cfg, joined))
    return _csp_plain(cfg, filters, blocks)


def _csp_spp(cfg: Cfg, width: int, pyramid: int) -> int:
    """SPP inside a cross-stage partial block; `pyramid` pairs of convolutions follow the pooling."""
    kept = cfg.conv(width, 1)
    cfg.route(-2)
    cfg.conv(width, 1)
    cfg.conv(width, 3)
    cfg.conv(width, 1)
    spp(cfg)
    pairs(cfg, width, width, pyramid)
    cfg.route(-1, from_layer(cfg, kept))
    return cfg.conv(width, 1)


def _csp_plain(cfg: Cfg, filters: int, blocks: int) -> int:
    """Cross-stage partial block of plain convolutions; both ways begin after a first convolution."""
    cfg.conv(filters, 1)
    kept = cfg.conv(filters, 1)
    cfg.route(-2)
    pairs(cfg, filters, filters, blocks)
    cfg.route(-1, from_layer(cfg, kept))
    return cfg.conv(filters, 1)
