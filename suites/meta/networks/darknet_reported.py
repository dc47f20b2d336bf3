"""Darknet networks rebuilt from public bug reports, and what a right conversion of each gives."""

from __future__ import annotations

from dataclasses import dataclass

from reference_models.darknet.architectures import Cfg


@dataclass(frozen=True)
class Reported:
    """One network. parameters: how many its weight file holds. outputs: name -> shape of each raw head."""

    text: str
    parameters: int
    outputs: dict[str, tuple[int, ...]]


TAILS = """[net]
width=64   # pixels
height=64px
channels=3
exposure = 1.5y
[convolutional]
batch_normalize=1
filters=8
size=3
stride=2
pad=1
activation=leaky
[convolutional]
size=1
stride=1
pad=1
filters=21#3*(2+5)
activation=linear
[yolo]
mask = 0,1,2 # of six
anchors = 10,14,  23,27,  37,58,  81,82,  135,169,  344,319 #by k-means
classes=2 #kinds
num=6
ignore_thresh = .7"""
"""Comments behind values, a unit behind a number, no blank line between sections, no line end at the end."""


def _mobile() -> str:
    """A network of depthwise convolutions whose ``padding=1`` is one pixel, and a shortcut far back."""
    rows = ["[net]", "width=64", "height=64", "channels=3"]

    def conv(filters: int, size: int, activation: str, *more: str) -> None:
        rows.extend(
            ["[convolutional]", f"filters={filters}", f"size={size}", f"activation={activation}", *more]
        )

    norm = "batch_normalize=1"
    conv(16, 3, "swish", norm, "stride=2", "padding=1")
    for activation in ("swish", "linear"):
        conv(8, 1, "swish", norm, "pad=1")
        conv(8, 3, activation, norm, "pad=1", "groups=8")
        rows.extend(["[route]", "layers=-1,-2"])
    rows.extend(["[shortcut]", "from=-7", "activation=linear"])
    for before in ((), ("[route]", "layers=-3")):
        rows.extend(before)
        if before:
            conv(16, 3, "swish", norm, "stride=2", "padding=1")
        conv(27, 1, "linear", "padding=0")
        rows.extend(["[yolo]", "mask=0,1,2", "anchors=10,13, 16,30, 33,23", "classes=4", "num=3"])
    return "\n".join(rows)


def _upright() -> str:
    """An image higher than wide, one channel, and a mask that leaves anchors out."""
    cfg = Cfg(96, 160, channels=1)
    cfg.conv(8, 3, stride=2)
    cfg.add("maxpool", size=2, stride=2)
    cfg.yolo((1, 3), ((10, 14), (23, 27), (37, 58), (81, 82)), 3, scale_x_y=1.1)
    return cfg.text()


REPORTED = {
    "tails of values": Reported(TAILS, 437, {"yolo_2": (1, 21, 32, 32)}),
    "padding of depthwise layers": Reported(
        _mobile(), 4310, {"yolo_9": (1, 27, 32, 32), "yolo_13": (1, 27, 16, 16)}
    ),
    "upright image": Reported(_upright(), 248, {"yolo_3": (1, 16, 40, 24)}),
}
