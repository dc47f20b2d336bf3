"""Darknet networks described compactly: a builder that emits cfg text, and the networks written with it.

The architectures follow the papers (YOLOv3: arXiv 1804.02767; YOLOv4-tiny: arXiv 2011.08036) and the
published cfg files; a test holds the emitted text against the official files, section by section.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

TINY_ANCHORS = ((10, 14), (23, 27), (37, 58), (81, 82), (135, 169), (344, 319))
YOLOV3_ANCHORS = (
    (10, 13), (16, 30), (33, 23), (30, 61), (62, 45), (59, 119), (116, 90), (156, 198), (373, 326),
)  # fmt: skip


@dataclass(frozen=True)
class Conv:
    """What a weight file stores for one convolution. `gain` scales what it adds to a residual sum."""

    filters: int
    channels: int
    size: int
    bn: bool
    gain: float


class Cfg:
    """Collects sections; `text()` is what Darknet would read. Layers count from 0 as in Darknet."""

    def __init__(self, width: int, height: int, channels: int = 3) -> None:
        self._sections = [f"[net]\nbatch=1\nwidth={width}\nheight={height}\nchannels={channels}\n"]
        self._channels: list[int] = []
        self._input_channels = channels
        self.convs: list[Conv] = []

    @property
    def last(self) -> int:
        """Index of the layer added last."""
        return len(self._channels) - 1

    @property
    def channels(self) -> int:
        """Channels of the layer added last, or of the input."""
        return self._channels[-1] if self._channels else self._input_channels

    def add(self, section: str, channels: int | None = None, /, **keys: object) -> int:
        """Add one section and return its layer index; it keeps the channels unless told otherwise."""
        lines = "".join(f"{key}={value}\n" for key, value in keys.items())
        self._sections.append(f"[{section}]\n{lines}")
        self._channels.append(self.channels if channels is None else channels)
        return self.last

    def conv(
        self,
        filters: int,
        size: int,
        stride: int = 1,
        activation: str = "leaky",
        bn: bool = True,
        gain: float = 1.0,
    ) -> int:
        """Convolution with "same" padding, with BatchNorm unless told otherwise."""
        self.convs.append(Conv(filters, self.channels, size, bn, gain))
        first: dict[str, object] = {"batch_normalize": 1} if bn else {}
        first |= {"filters": filters, "size": size, "stride": stride, "pad": 1}
        return self.add("convolutional", filters, **first, activation=activation)

    def route(self, *layers: int, **keys: int) -> int:
        """Concatenate layers; negative ones are relative to this one."""
        parts = [self._channels[i if i >= 0 else self.last + 1 + i] for i in layers]
        channels = sum(parts) // keys.get("groups", 1)
        return self.add("route", channels, layers=",".join(map(str, layers)), **keys)

    def yolo(
        self, mask: Sequence[int], anchors: Sequence[tuple[int, int]], classes: int, **keys: object
    ) -> int:
        """Add the linear convolution that a head needs and the [yolo] section itself."""
        self.conv(len(mask) * (classes + 5), 1, activation="linear", bn=False)
        flat = ", ".join(f"{w},{h}" for w, h in anchors)
        return self.add(
            "yolo", mask=",".join(map(str, mask)), anchors=flat, classes=classes, num=len(anchors),
            **keys,
        )  # fmt: skip

    def text(self) -> str:
        """The whole cfg."""
        return "\n".join(self._sections)


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
    cfg.conv(32, 3, stride=2)
    cfg.conv(64, 3, stride=2)
    for filters in (64, 128, 256):
        cfg.conv(filters, 3)
        cfg.route(-1, groups=2, group_id=1)
        cfg.conv(filters // 2, 3)
        cfg.conv(filters // 2, 3)
        cfg.route(-1, -2)
        kept = cfg.conv(filters, 1)
        cfg.route(-6, -1)
        cfg.add("maxpool", size=2, stride=2)
    cfg.conv(512, 3)
    cfg.conv(256, 1)
    cfg.conv(512, 3)
    cfg.yolo((3, 4, 5), TINY_ANCHORS, classes, scale_x_y=1.05)
    _upper_head(cfg, kept, classes, scale_x_y=1.05)
    return cfg


def yolov3(size: int = 416, classes: int = 80) -> Cfg:
    """YOLOv3: Darknet-53 and three heads."""
    cfg = Cfg(size, size)
    cfg.conv(32, 3)
    depths = {64: 1, 128: 2, 256: 8, 512: 8, 1024: 4}
    stages = [_stage(cfg, filters, blocks) for filters, blocks in depths.items()]
    for level, filters in enumerate((512, 256, 128)):
        if level:
            cfg.route(-4)
            cfg.conv(filters, 1)
            cfg.add("upsample", stride=2)
            cfg.route(-1, stages[4 - level])
        for _ in range(3):
            cfg.conv(filters, 1)
            cfg.conv(filters * 2, 3)
        first = 6 - 3 * level
        cfg.yolo((first, first + 1, first + 2), YOLOV3_ANCHORS, classes)
    return cfg


def _stage(cfg: Cfg, filters: int, blocks: int) -> int:
    """Downsample, then residual blocks; returns the index of the stage's last layer."""
    cfg.conv(filters, 3, stride=2)
    for _ in range(blocks):
        cfg.conv(filters // 2, 1)
        cfg.conv(filters, 3, gain=0.25)
        cfg.add("shortcut", **{"from": -3}, activation="linear")
    return cfg.last


def _upper_head(cfg: Cfg, kept: int, classes: int, **keys: object) -> None:
    cfg.route(-4)
    cfg.conv(128, 1)
    cfg.add("upsample", stride=2)
    cfg.route(-1, kept)
    cfg.conv(256, 3)
    cfg.yolo((1, 2, 3), TINY_ANCHORS, classes, **keys)
