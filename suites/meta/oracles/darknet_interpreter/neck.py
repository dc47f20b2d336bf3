"""A network with YOLOv4's layer numbers from 105 on, at 1/64 of its channels, and a short backbone."""

from __future__ import annotations

from suites.meta.oracles.darknet_interpreter.cases import Case, cfg

HEADS = (139, 150, 161)
CROSSING = {142: ("-1,-16", 126), 153: ("-1,-37", 116)}
"""Layer -> its `layers`, and what the second means. Both reach back over [yolo] layers, one and two."""
EDITS = {"-1,-16": "-1,126", "-1,-37": "-1,116"}
"""What the tutorial tells its readers to write into the official cfg."""
ANCHORS = "anchors=8,8,16,16,24,12,30,30,40,20,40,40"


def _conv(filters: int, size: int = 1, stride: int = 1) -> str:
    name = "convolutional batch_normalize=1"
    return f"{name} filters={filters} size={size} stride={stride} pad=1 activation=leaky"


def _head(mask: str) -> list[str]:
    return [
        "convolutional filters=18 size=1 activation=linear",
        f"yolo mask={mask} {ANCHORS} classes=1 num=6",
    ]


def _five(filters: int) -> list[str]:
    """Five convolutions, 1x1 and 3x3 in turn."""
    return [_conv(filters * (1 + i % 2), 3 if i % 2 else 1) for i in range(5)]


def _layers() -> list[str]:
    layers = [_conv(4, 3, 2)] * 3 + ["route layers=-1"] * 51 + [_conv(4)]
    layers += [_conv(8, 3, 2)] + ["route layers=-1"] * 29 + [_conv(8)]
    layers = [*layers[:86], _conv(16, 3, 2), *["route layers=-1"] * 18]  # 104 is the last of the backbone
    layers += [_conv(8), _conv(16, 3), _conv(8)]
    layers += ["maxpool size=5 stride=1", "route layers=-2", "maxpool size=9 stride=1", "route layers=-4"]
    layers += ["maxpool size=13 stride=1", "route layers=-1,-3,-5,-6", _conv(8), _conv(16, 3), _conv(8)]
    for filters, kept in ((4, 85), (2, 54)):
        layers += [_conv(filters), "upsample stride=2", f"route layers={kept}", _conv(filters)]
        layers += ["route layers=-1,-3", *_five(filters)]
    layers += [_conv(4, 3), *_head("0,1,2")]
    for filters, (back, mask) in ((4, ("-1,-16", "2,3,4")), (8, ("-1,-37", "3,4,5"))):
        layers += ["route layers=-4", _conv(filters, 3, 2), f"route layers={back}", *_five(filters)]
        layers += [_conv(2 * filters, 3), *_head(mask)]
    return layers


def neck() -> Case:
    """Return the network as the official cfg has its routes."""
    return Case("neck", cfg("\n".join(_layers()), width=64, height=64))


def kept_by_peers(index: int) -> list[int]:
    """Layers in the list that gengyanlei/onnx2tensorRt indexes when it comes to layer `index`.

    After a [yolo] it does `route -4` by cutting the list, so that the four layers from the head's last but
    one convolution to the route are gone, and every later negative index that reaches over them slips.
    """
    kept: list[int] = []
    for layer in range(index):
        kept.append(layer)
        if layer - 1 in HEADS:
            del kept[-4:]
    return kept
