"""A module with what is hard to map: a part called twice, a folded BatchNorm, sums that no module makes."""

from __future__ import annotations

import torch
from torch import nn


class Twice(nn.Module):
    """A convolution with BatchNorm, an activation called twice, in place, a sum and a concatenation."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(4, 4, 3, padding=1), nn.BatchNorm2d(4))
        self.act = nn.ReLU(inplace=True)
        self.pool = nn.MaxPool2d(3, 1, 1)
        self.out = nn.Conv2d(8, 2, 1)
        nn.init.uniform_(self.body[1].running_var, 0.5, 2.0)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(1, 4, 6, 6) -> (1, 2, 6, 6)."""
        first = self.act(self.body(x))
        second = self.act(self.pool(first) + x)
        return self.out(torch.cat([self.pool(second), first], 1))
