"""Small detectors for tests of training, as cfg files."""

from __future__ import annotations

from pathlib import Path

from reference_models.darknet.builder import Cfg

ANCHORS = ((9, 16), (12, 16), (17, 24), (20, 32), (24, 32), (28, 40))


def small(folder: Path, *, classes: int = 10, side: int = 96, **keys: object) -> Path:
    """Write a detector of 8 layers with two heads, of strides 16 and 8; keys: of both heads."""
    cfg = Cfg(side, side)
    cfg.conv(8, 3, 4)
    cfg.conv(8, 3)
    kept = cfg.conv(16, 3, 2)
    cfg.conv(24, 3, 2)
    cfg.yolo((3, 4, 5), ANCHORS, classes, **keys)
    cfg.route(kept)
    cfg.conv(16, 3)
    cfg.yolo((0, 1, 2), ANCHORS, classes, **keys)
    path = folder / "small.cfg"
    path.write_text(cfg.text())
    return path
