"""The architectures of YOLOv5 as data: five sizes, releases 2 to 7, three heads (P5) or four (P6).

Written from the published architecture (docs.ultralytics.com/yolov5/tutorials/architecture_description), the
published configurations of each release and the names and shapes in the published state_dicts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["conv", "focus", "c3", "csp", "spp", "sppf", "upsample", "concat", "detect"]
Anchors = tuple[tuple[tuple[float, float], ...], ...]

SIZES = {"n": (0.25, 0.33), "s": (0.50, 0.33), "m": (0.75, 0.67), "l": (1.0, 1.0), "x": (1.25, 1.33)}
"""Size -> multiples of width and depth. n is published from release 6 on; its multiples suit any release."""
ACTIVATIONS = {2: "LeakyReLU", 3: "Hardswish", 4: "SiLU", 5: "SiLU", 6: "SiLU", 7: "SiLU"}
"""Release -> what follows each normalised convolution; the slope of LeakyReLU is 0.1."""
FIRST_C3, FIRST_P6, FIRST_SPPF = 4, 5, 6
"""The releases that replaced BottleneckCSP by C3, added four heads, replaced Focus and SPP."""
P5: Anchors = (
    ((10.0, 13.0), (16.0, 30.0), (33.0, 23.0)),
    ((30.0, 61.0), (62.0, 45.0), (59.0, 119.0)),
    ((116.0, 90.0), (156.0, 198.0), (373.0, 326.0)),
)
P6: Anchors = (
    ((19.0, 27.0), (44.0, 40.0), (38.0, 94.0)),
    ((96.0, 68.0), (86.0, 152.0), (180.0, 137.0)),
    ((140.0, 301.0), (303.0, 264.0), (238.0, 542.0)),
    ((436.0, 615.0), (739.0, 380.0), (925.0, 792.0)),
)
"""(width, height) in input pixels, one row per stride: the published anchors for COCO."""


@dataclass(frozen=True)
class Layer:
    """One numbered layer: what it is, whose outputs it takes (-1 is the one before), full width.

    kernels: of the convolution, or of the pools.
    """

    kind: Kind
    width: int = 0
    sources: tuple[int, ...] = (-1,)
    repeat: int = 1
    kernels: tuple[int, ...] = (1,)
    stride: int = 1
    shortcut: bool = True


@dataclass(frozen=True)
class Architecture:
    """One YOLOv5. Raises ValueError for a size or release that there is none of.

    width: its multiple, where it is not that of the size. own_anchors: where they are not the published ones.
    """

    size: str
    release: int = 6
    p6: bool = False
    classes: int = 80
    width: float = 0.0
    own_anchors: Anchors = ()

    def __post_init__(self) -> None:
        if self.size not in SIZES:
            raise ValueError(f"YOLOv5 has no size {self.size!r}; there are {', '.join(SIZES)}")
        if self.release not in ACTIVATIONS:
            raise ValueError(
                f"YOLOv5 release {self.release} is not built here, only {min(ACTIVATIONS)} to "
                f"{max(ACTIVATIONS)}; the heads of release 1 are layers of their own, in another order"
            )
        if self.p6 and self.release < FIRST_P6:
            raise ValueError(f"YOLOv5 release {self.release} has no P6 models, they came with {FIRST_P6}")

    @property
    def anchors(self) -> Anchors:
        """The anchors in input pixels, one row per head."""
        return self.own_anchors or (P6 if self.p6 else P5)

    @property
    def multiples(self) -> tuple[float, float]:
        """Of width and of depth."""
        width, depth = SIZES[self.size]
        return self.width or width, depth

    @property
    def strides(self) -> tuple[int, ...]:
        """Input pixels per grid cell, one per head."""
        return tuple(8 << i for i in range(len(self.anchors)))

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the raw heads, after the levels of the pyramid."""
        return tuple(f"p{3 + i}" for i in range(len(self.anchors)))

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The numbered layers, backbone and head."""
        return _layers(self.release, self.p6)


def _layers(release: int, p6: bool) -> tuple[Layer, ...]:
    block: Kind = "c3" if release >= FIRST_C3 else "csp"
    widths = (128, 256, 512, 768, 1024) if p6 else (128, 256, 512, 1024)
    layers = _backbone(release, block, widths)
    laterals = []
    for stage in range(len(widths) - 2, 0, -1):  # up: every width but the last and the first
        laterals.append(len(layers))
        layers += [Layer("conv", widths[stage]), Layer("upsample")]
        layers += [Layer("concat", sources=(-1, 2 + 2 * stage))]
        layers += [Layer(block, widths[stage], repeat=3, shortcut=False)]
    detected = [len(layers) - 1]
    for lateral, width, wider in zip(reversed(laterals), widths[1:], widths[2:], strict=False):  # and down
        layers += [Layer("conv", width, kernels=(3,), stride=2), Layer("concat", sources=(-1, lateral))]
        layers += [Layer(block, wider, repeat=3, shortcut=False)]
        detected.append(len(layers) - 1)
    return (*layers, Layer("detect", sources=tuple(detected)))


def _backbone(release: int, block: Kind, widths: tuple[int, ...]) -> list[Layer]:
    """The stem, then a strided convolution and a block for each width, pooled at several sizes in the end."""
    modern = release >= FIRST_SPPF
    layers = [Layer("conv", 64, kernels=(6,), stride=2) if modern else Layer("focus", 64, kernels=(3,))]
    for width, repeat in zip(widths, (3, 6 if modern else 9, 9, 3, 3), strict=False):
        layers += [Layer("conv", width, kernels=(3,), stride=2), Layer(block, width, repeat=repeat)]
    if modern:
        return [*layers, Layer("sppf", widths[-1], kernels=(5,))]
    pools = (5, 9, 13) if len(widths) == 4 else (3, 5, 7)
    last = Layer(block, widths[-1], repeat=3, shortcut=False)
    return [*layers[:-1], Layer("spp", widths[-1], kernels=pools), last]
