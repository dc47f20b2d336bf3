"""The modules of YOLOv5. Imports torch: import this inside functions only.

Attribute names (conv, bn, cv1, cv2, cv3, cv4, m, anchors, anchor_grid) are those of published
state_dicts.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from reference_models.pytorch.yolov5_layers import ACTIVATIONS, FIRST_SPPF, Architecture, Layer

SLOPE = 0.1
"""Of every LeakyReLU."""


def norm(width: int) -> nn.BatchNorm2d:
    """Batch normalisation as all of YOLOv5 has it: eps 1e-3, momentum 0.03."""
    return nn.BatchNorm2d(width, eps=1e-3, momentum=0.03)


class Conv(nn.Module):
    """Convolution without bias, batch normalisation, activation."""

    def __init__(self, inputs: int, width: int, kernel: int = 1, stride: int = 1, act: str = "SiLU") -> None:
        super().__init__()
        # "Same" padding; the 6x6 stem takes 2, which equals a 3x3 on a space-to-depth input.
        padding = (kernel - 1) // 2
        self.conv = nn.Conv2d(inputs, width, kernel, stride, padding, bias=False)
        self.bn = norm(width)
        self.act = nn.LeakyReLU(SLOPE) if act == "LeakyReLU" else getattr(nn, act)()

    def forward(self, x: Tensor) -> Tensor:
        """(N, inputs, H, W) -> (N, width, H/stride, W/stride)."""
        return self.act(self.bn(self.conv(x)))


class Focus(nn.Module):
    """Space to depth, then a convolution: each channel's four neighbours become four channels.

    Their order is (row, column) = (0, 0), (1, 0), (0, 1), (1, 1), the three colours in each.
    """

    def __init__(self, inputs: int, width: int, kernel: int, act: str) -> None:
        super().__init__()
        self.conv = Conv(4 * inputs, width, kernel, act=act)

    def forward(self, x: Tensor) -> Tensor:
        """(N, inputs, H, W) -> (N, width, H/2, W/2)."""
        upper, lower = x[:, :, ::2], x[:, :, 1::2]
        quarters = (upper[..., ::2], lower[..., ::2], upper[..., 1::2], lower[..., 1::2])
        return self.conv(torch.cat(quarters, 1))


class Bottleneck(nn.Module):
    """A 1x1 and a 3x3 convolution, added to the input where the shortcut is on."""

    def __init__(self, width: int, shortcut: bool, act: str) -> None:
        super().__init__()
        self.cv1 = Conv(width, width, act=act)
        self.cv2 = Conv(width, width, 3, act=act)
        self.shortcut = shortcut

    def forward(self, x: Tensor) -> Tensor:
        """(N, width, H, W) -> the same shape."""
        y = self.cv2(self.cv1(x))
        return x + y if self.shortcut else y


class C3(nn.Module):
    """Cross-stage-partial block: half the width through bottlenecks, half past them."""

    def __init__(self, inputs: int, width: int, repeat: int, shortcut: bool, act: str) -> None:
        super().__init__()
        half = width // 2
        self.cv1 = Conv(inputs, half, act=act)
        self.cv2 = Conv(inputs, half, act=act)
        self.cv3 = Conv(2 * half, width, act=act)
        self.m = nn.Sequential(*(Bottleneck(half, shortcut, act) for _ in range(repeat)))

    def forward(self, x: Tensor) -> Tensor:
        """(N, inputs, H, W) -> (N, width, H, W)."""
        return self.cv3(torch.cat((self.m(self.cv1(x)), self.cv2(x)), 1))


class BottleneckCSP(nn.Module):
    """The older cross-stage-partial block: both halves end bare and are normalised together."""

    def __init__(self, inputs: int, width: int, repeat: int, shortcut: bool, act: str) -> None:
        super().__init__()
        half = width // 2
        self.cv1 = Conv(inputs, half, act=act)
        self.cv2 = nn.Conv2d(inputs, half, 1, bias=False)
        self.cv3 = nn.Conv2d(half, half, 1, bias=False)
        self.cv4 = Conv(2 * half, width, act=act)
        self.bn = norm(2 * half)
        self.act = nn.LeakyReLU(SLOPE)
        self.m = nn.Sequential(*(Bottleneck(half, shortcut, act) for _ in range(repeat)))

    def forward(self, x: Tensor) -> Tensor:
        """(N, inputs, H, W) -> (N, width, H, W)."""
        halves = torch.cat((self.cv3(self.m(self.cv1(x))), self.cv2(x)), 1)
        return self.cv4(self.act(self.bn(halves)))


class SPP(nn.Module):
    """Spatial pyramid pooling: the input beside max-pools of several sizes."""

    def __init__(self, inputs: int, width: int, kernels: Sequence[int], act: str) -> None:
        super().__init__()
        half = inputs // 2
        self.cv1 = Conv(inputs, half, act=act)
        self.cv2 = Conv(half * (1 + len(kernels)), width, act=act)
        self.m = nn.ModuleList(nn.MaxPool2d(k, stride=1, padding=k // 2) for k in kernels)

    def forward(self, x: Tensor) -> Tensor:
        """(N, inputs, H, W) -> (N, width, H, W)."""
        x = self.cv1(x)
        return self.cv2(torch.cat((x, *(pool(x) for pool in self.m)), 1))


class SPPF(nn.Module):
    """Spatial pyramid pooling by one max-pool applied once, twice and three times."""

    def __init__(self, inputs: int, width: int, kernel: int, act: str) -> None:
        super().__init__()
        half = inputs // 2
        self.cv1 = Conv(inputs, half, act=act)
        self.cv2 = Conv(half * 4, width, act=act)
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
    """One 1x1 convolution a head; boxes are decoded elsewhere."""

    anchors: Tensor

    def __init__(self, inputs: Sequence[int], architecture: Architecture) -> None:
        super().__init__()
        pixels = torch.tensor(architecture.anchors)
        anchors = pixels / torch.tensor(architecture.strides).view(-1, 1, 1)
        self.register_buffer("anchors", anchors)  # (heads, anchors of a head, 2), in strides
        if architecture.release < FIRST_SPPF:  # the same in pixels, which later releases do not store
            self.register_buffer("anchor_grid", pixels.view(len(inputs), 1, -1, 1, 1, 2))
        fields = 5 + architecture.classes
        self.m = nn.ModuleList(nn.Conv2d(c, anchors.shape[1] * fields, 1) for c in inputs)

    def forward(self, maps: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """One (N, c_i, H_i, W_i) per stride -> (N, anchors*(5+classes), H_i, W_i) each."""
        return tuple(head(x) for head, x in zip(self.m, maps, strict=True))


class YOLOv5(nn.Module):
    """The numbered layers of an `Architecture`, scaled in width and depth by its multiples."""

    def __init__(self, architecture: Architecture, width: float, depth: float) -> None:
        super().__init__()
        self.architecture = architecture
        self.layers = architecture.layers
        channels: list[int] = []
        modules: list[nn.Module] = []
        for layer in self.layers:
            inputs = [channels[i] if channels else 3 for i in layer.sources]
            out = math.ceil(layer.width * width / 8) * 8
            repeat = max(round(layer.repeat * depth), 1)
            modules.append(_make(layer, inputs, out, repeat, architecture))
            channels.append(out or sum(inputs))
        self.model = nn.Sequential(*modules)

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """(N, 3, H, W) -> the raw heads, finest first."""
        outputs = [x]  # outputs[0] is the image, so layer i's output is outputs[i + 1]
        for layer, module in zip(self.layers, self.model, strict=True):
            taken = [outputs[i if i < 0 else i + 1] for i in layer.sources]
            outputs.append(module(taken if layer.kind in ("concat", "detect") else taken[0]))
        return outputs[-1]


class Decoded(nn.Module):
    """A YOLOv5 of one input size that gives boxes, as the vendor's own export does.

    Grid and anchors are constants of the size, so nothing is left of shapes in an exported graph. Raises
    ValueError for a size that is no multiple of the largest stride.
    """

    def __init__(self, network: YOLOv5, height: int, width: int) -> None:
        super().__init__()
        self.network = network
        self.strides = network.architecture.strides
        self.fields = 5 + network.architecture.classes
        if height % self.strides[-1] or width % self.strides[-1]:
            raise ValueError(f"{height}x{width} is no multiple of the largest stride, {self.strides[-1]}")
        anchors = network.model[-1].anchors
        for i, stride in enumerate(self.strides):
            rows, columns = torch.arange(height // stride), torch.arange(width // stride)
            y, x = torch.meshgrid(rows, columns, indexing="ij")
            corners = torch.stack((x, y), -1).view(1, 1, -1, 2) - 0.5
            self.register_buffer(f"corners{i}", corners, persistent=False)
            sizes = (anchors[i] * stride).view(1, -1, 1, 2)
            self.register_buffer(f"sizes{i}", sizes, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """(N, 3, H, W) -> (N, B, 5+classes): cx, cy, w, h in input pixels, objectness, classes.

        B counts head after head, in each anchor after anchor, row after row.
        """
        return torch.cat([self._boxes(i, raw) for i, raw in enumerate(self.network(x))], 1)

    def _boxes(self, head: int, raw: Tensor) -> Tensor:
        corners, sizes = getattr(self, f"corners{head}"), getattr(self, f"sizes{head}")
        anchors, cells = sizes.shape[1], corners.shape[2]
        values = raw.reshape(-1, anchors, self.fields, cells).transpose(2, 3).sigmoid()
        xy, wh, rest = values.split((2, 2, self.fields - 4), -1)
        centre = (2 * xy + corners) * self.strides[head]
        size = (2 * wh) ** 2 * sizes
        return torch.cat((centre, size, rest), -1).reshape(-1, anchors * cells, self.fields)


def _make(
    layer: Layer, inputs: Sequence[int], out: int, repeat: int, architecture: Architecture
) -> nn.Module:
    act, kernel = ACTIVATIONS[architecture.release], layer.kernels[0]
    makers: dict[str, Callable[[], nn.Module]] = {
        "conv": lambda: Conv(inputs[0], out, kernel, layer.stride, act),
        "focus": lambda: Focus(inputs[0], out, kernel, act),
        "c3": lambda: C3(inputs[0], out, repeat, layer.shortcut, act),
        "csp": lambda: BottleneckCSP(inputs[0], out, repeat, layer.shortcut, act),
        "spp": lambda: SPP(inputs[0], out, layer.kernels, act),
        "sppf": lambda: SPPF(inputs[0], out, kernel, act),
        "upsample": lambda: nn.Upsample(scale_factor=2.0, mode="nearest"),
        "concat": Concat,
        "detect": lambda: Detect(inputs, architecture),
    }
    return makers[layer.kind]()
