"""U-Net of Ronneberger et al., "U-Net: Convolutional Networks for Biomedical Image Segmentation" (2015).

Figure 1 with two common changes: convolutions are padded, so that the mask has the size of the image and no
skip is cropped, and each is followed by batch normalisation. Imports torch: import this inside functions
only.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn


def double(inputs: int, width: int) -> nn.Sequential:
    """Make two 3x3 convolutions, each with batch normalisation and ReLU."""
    return nn.Sequential(
        nn.Conv2d(inputs, width, 3, padding=1, bias=False),
        nn.BatchNorm2d(width),
        nn.ReLU(),
        nn.Conv2d(width, width, 3, padding=1, bias=False),
        nn.BatchNorm2d(width),
        nn.ReLU(),
    )


class UNet(nn.Module):
    """Down by max-pooling, up by transposed convolution, each level joined to its namesake.

    width: channels of the first level, 64 in the paper; each level below has twice as many.
    """

    def __init__(self, width: int = 64, classes: int = 2, levels: int = 5) -> None:
        super().__init__()
        widths = [width << level for level in range(levels)]
        self.down = nn.ModuleList(double(a, b) for a, b in pairwise([3, *widths]))
        self.pool = nn.MaxPool2d(2)
        rising = list(pairwise(reversed(widths)))
        self.up = nn.ModuleList(nn.ConvTranspose2d(a, b, 2, 2) for a, b in rising)
        self.join = nn.ModuleList(double(2 * b, b) for _, b in rising)
        self.head = nn.Conv2d(width, classes, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(N, 3, H, W) -> logits (N, classes, H, W); H and W are multiples of 2 ** (levels - 1)."""
        skips: list[Tensor] = []
        for block in self.down:
            x = block(self.pool(x) if skips else x)
            skips.append(x)
        for up, join, skip in zip(self.up, self.join, reversed(skips[:-1]), strict=True):
            x = join(torch.cat((skip, up(x)), 1))
        return self.head(x)


def unet() -> UNet:
    """U-Net of half the paper's width, 32 to 512 channels."""
    return UNet(32)
