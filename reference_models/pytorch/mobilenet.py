"""MobileNetV2 of Sandler et al., "MobileNetV2: Inverted Residuals and Linear Bottlenecks" (2018), table 2.

Imports torch: import this inside functions only. Names and shapes are those of torchvision's published
weights.
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

BLOCKS = (
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)
"""Expansion, channels, repeats, stride of the first: t, c, n, s in table 2."""


def convolution(inputs: int, width: int, kernel: int, stride: int = 1, groups: int = 1) -> nn.Sequential:
    """Make a convolution with "same" padding, batch normalisation and ReLU6."""
    conv = nn.Conv2d(inputs, width, kernel, stride, kernel // 2, groups=groups, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(width), nn.ReLU6())


class InvertedResidual(nn.Module):
    """Expansion by 1x1, depthwise 3x3, linear projection by 1x1; a shortcut where shapes agree."""

    def __init__(self, inputs: int, width: int, stride: int, expansion: int) -> None:
        super().__init__()
        hidden = inputs * expansion
        self.shortcut = stride == 1 and inputs == width
        self.conv = nn.Sequential(
            *([convolution(inputs, hidden, 1)] if expansion != 1 else []),
            convolution(hidden, hidden, 3, stride, groups=hidden),
            nn.Conv2d(hidden, width, 1, bias=False),
            nn.BatchNorm2d(width),
        )

    def forward(self, x: Tensor) -> Tensor:
        """(N, inputs, H, W) -> (N, width, H/stride, W/stride)."""
        return x + self.conv(x) if self.shortcut else self.conv(x)


class MobileNetV2(nn.Module):
    """Width multiplier 1: a stem, 17 inverted residuals, a 1x1 convolution, pooling, one linear layer."""

    def __init__(self, classes: int = 1000, blocks: Sequence[tuple[int, int, int, int]] = BLOCKS) -> None:
        super().__init__()
        parts: list[nn.Module] = [convolution(3, 32, 3, 2)]
        inputs = 32
        for expansion, width, repeat, stride in blocks:
            for place in range(repeat):
                parts.append(InvertedResidual(inputs, width, 1 if place else stride, expansion))
                inputs = width
        self.features = nn.Sequential(*parts, convolution(inputs, 1280, 1))
        self.classifier = nn.Sequential(nn.Dropout(0.2), nn.Linear(1280, classes))

    def forward(self, x: Tensor) -> Tensor:
        """(N, 3, H, W) -> logits (N, classes)."""
        return self.classifier(self.features(x).mean((2, 3)))


def mobilenetv2() -> MobileNetV2:
    """MobileNetV2 at width 1 for 1,000 classes."""
    return MobileNetV2()
