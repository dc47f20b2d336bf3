"""The modules of YOLOv5 v6. Imports torch: import this inside functions only.

Attribute names (conv, bn, cv1, cv2, cv3, m, anchors) are those of the published state_dicts.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from reference_models.pytorch.yolov5 import ANCHORS, LAYERS, STRIDES, Layer


class Conv(nn.Module):
    """Convolution without bias, batch normalisation (eps 1e-3, momentum 0.03), SiLU."""

    def __init__(self, inputs: int, width: int, kernel: int = 1, stride: int = 1) -> None:
        super().__init__()
        # "Same" padding; the 6x6 stem takes 2, which equals a 3x3 on a space-to-depth input.
        padding = (kernel - 1) // 2
        self.conv = nn.Conv2d(inputs, width, kernel, stride, padding, bias=False)
        self.bn = nn.BatchNorm2d(width, eps=1e-3, momentum=0.03)
        self.act = nn.SiLU()

    def forward(self, x: Tensor) -> Tensor:
        """(N, inputs, H, W) -> (N, width, H/stride, W/stride)."""
        return self.act(self.bn(self.conv(x)))


class Bottleneck(nn.Module):
    """A 1x1 and a 3x3 convolution, added to the input where the shortcut is on."""

    def __init__(self, width: int, shortcut: bool) -> None:
        super().__init__()
        self.cv1 = Conv(width, width)
        self.cv2 = Conv(width, width, 3)
        self.shortcut = shortcut

    def forward(self, x: Tensor) -> Tensor:
        """(N, width, H, W) -> the same shape."""
        y = self.cv2(self.cv1(x))
        return x + y if self.shortcut else y


class C3(nn.Module):
    """Cross-stage-partial block: half the width through bottlenecks, half past them."""

    def __init__(self, inputs: int, width: int, repeat: int, shortcut: bool) -> None:
        super().__init__()
        half = width // 2
        self.cv1 = Conv(inputs, half)
        self.cv2 = Conv(inputs, half)
        self.cv3 = Conv(2 * half, width)
        self.m = nn.Sequential(*(Bottleneck(half, shortcut) for _ in range(repeat)))

    def forward(self, x: Tensor) -> Tensor:
        """(N, inputs, H, W) -> (N, width, H, W)."""
        return self.cv3(torch.cat((self.m(self.cv1(x)), self.cv2(x)), 1))


class SPPF(nn.Module):
    """Spatial pyramid pooling by one max-pool applied once, twice and three times."""

    def __init__(self, inputs: int, width: int, kernel: int) -> None:
        super().__init__()
        half = inputs // 2
        self.cv1 = Conv(inputs, half)
        self.cv2 = Conv(half * 4, width)
        self.m = nn.MaxPool2d(kernel, stride=1, padding=kernel // 2)

    def forward(self, x: Tensor) -> Tensor:
        """(N, inputs, H, W) -> (N, width, H, W)."""
        once = self.cv1(x)
        twice = self.m(once)
        thrice = self.m(twice)
        return self.cv2(torch.cat((once, twice, thrice, self.m(thrice)), 1))


class Concat(nn.Module):
    """Joins feature maps along the channels."""

    def forward(self, maps: Sequence[Tensor]) -> Tensor:
        """Join (N, c_i, H, W) -> (N, sum c_i, H, W)."""
        return torch.cat(tuple(maps), 1)


class Detect(nn.Module):
    """Three 1x1 convolutions that give raw heads; boxes are decoded elsewhere, in NumPy."""

    anchors: Tensor

    def __init__(self, inputs: Sequence[int], classes: int) -> None:
        super().__init__()
        anchors = torch.tensor(ANCHORS) / torch.tensor(STRIDES).view(-1, 1, 1)
        self.register_buffer("anchors", anchors)  # (heads, anchors of a head, 2), in strides
        self.m = nn.ModuleList(nn.Conv2d(c, anchors.shape[1] * (5 + classes), 1) for c in inputs)

    def forward(self, maps: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """One (N, c_i, H_i, W_i) per stride -> (N, anchors*(5+classes), H_i, W_i) each."""
        return tuple(head(x) for head, x in zip(self.m, maps, strict=True))


class YOLOv5(nn.Module):
    """The numbered layers of `yolov5.LAYERS`, scaled in width and depth."""

    def __init__(self, width: float, depth: float, classes: int) -> None:
        super().__init__()
        channels: list[int] = []
        made: list[nn.Module] = []
        for layer in LAYERS:
            inputs = [channels[i] if channels else 3 for i in layer.sources]
            module, out = _make(layer, inputs, width, depth, classes)
            made.append(module)
            channels.append(out)
        self.model = nn.Sequential(*made)

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """(N, 3, H, W) -> the raw heads of strides 8, 16 and 32."""
        outputs = [x]  # outputs[0] is the image, so layer i's output is outputs[i + 1]
        for layer, module in zip(LAYERS, self.model, strict=True):
            taken = [outputs[i if i < 0 else i + 1] for i in layer.sources]
            outputs.append(module(taken if layer.kind in ("concat", "detect") else taken[0]))
        return outputs[-1]


def _make(
    layer: Layer, inputs: Sequence[int], width: float, depth: float, classes: int
) -> tuple[nn.Module, int]:
    """Make one layer; also say how many channels it gives."""
    out = math.ceil(layer.width * width / 8) * 8
    repeat = max(round(layer.repeat * depth), 1)
    match layer.kind:
        case "conv":
            return Conv(inputs[0], out, layer.kernel, layer.stride), out
        case "c3":
            return C3(inputs[0], out, repeat, layer.shortcut), out
        case "sppf":
            return SPPF(inputs[0], out, layer.kernel), out
        case "upsample":
            return nn.Upsample(scale_factor=2.0, mode="nearest"), inputs[0]
        case "concat":
            return Concat(), sum(inputs)
        case "detect":
            return Detect(inputs, classes), 0
