"""Small torch networks whose graphs hold what exporters make of questions about shapes."""

from __future__ import annotations

from typing import Any

import numpy as np

IMAGE = (3, 32, 32)
"""What `unet` and `detector` take, without the batch."""


def image(batch: int = 1) -> dict[str, np.ndarray]:
    """Return seeded noise for either network."""
    return {"x": np.random.default_rng(batch).standard_normal((batch, *IMAGE)).astype(np.float32)}


def unet() -> Any:
    """Build a U-Net of two levels that crops nothing: what it upsamples is resized and padded to fit."""
    import torch
    from torch import nn
    from torch.nn import functional

    def block(inputs: int, outputs: int) -> Any:
        return nn.Sequential(
            nn.Conv2d(inputs, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()
        )

    class UNet(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.down, self.middle, self.deep = block(3, 8), block(8, 16), block(16, 32)
            self.up, self.last = block(48, 16), block(24, 8)
            self.pool = nn.MaxPool2d(2)

        def forward(self, x: Any) -> Any:
            first = self.down(x)
            second = self.middle(self.pool(first))
            deep = functional.interpolate(self.deep(self.pool(second)), size=second.shape[2:])
            wide = functional.interpolate(self.up(torch.cat([deep, second], 1)), scale_factor=2)
            rows, columns = (a - b for a, b in zip(first.shape[2:], wide.shape[2:], strict=True))
            wide = functional.pad(wide, [columns // 2, columns - columns // 2, rows // 2, rows - rows // 2])
            return self.last(torch.cat([first, wide], 1))

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return UNet().eval()


def detector() -> Any:
    """Build a YOLOv5-like head: its grid is made from the shape of the features."""
    import torch
    from torch import nn

    class Detector(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(3, 18, 3, 2, 1)
            self.register_buffer("anchors", torch.rand(3, 2))

        def forward(self, x: Any) -> Any:
            y = self.conv(x)
            batch, _, rows, columns = y.shape
            y = y.view(batch, 3, 6, rows, columns).permute(0, 1, 3, 4, 2).contiguous()
            steps = torch.meshgrid(torch.arange(rows), torch.arange(columns), indexing="ij")
            grid = torch.stack(steps[::-1], 2).float().expand(1, 3, rows, columns, 2)
            middle, size, score = y.sigmoid().split((2, 2, 2), 4)
            boxes = [(middle * 2 + grid) * 8, (size * 2) ** 2 * self.anchors.view(1, 3, 1, 1, 2), score]
            return torch.cat(boxes, 4).view(batch, 3 * rows * columns, 6)

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return Detector().eval()


def corners() -> Any:
    """Build an upsampling that torchscript has a form for from opset 11 on."""
    from torch import nn

    return nn.UpsamplingBilinear2d(scale_factor=2).eval()


def bessel() -> Any:
    """Build a function that neither exporter has a form for, at any opset."""
    import torch
    from torch import nn

    class Bessel(nn.Module):
        def forward(self, x: Any) -> Any:
            return torch.special.bessel_j0(x)

    return Bessel().eval()
