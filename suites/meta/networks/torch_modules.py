"""PyTorch modules as people write them, after public bug reports: each a factory with its inputs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812

Shape = tuple[int, ...]


class Formula(nn.Module):
    """A module whose forward() is one function of itself and the input."""

    def __init__(self, formula: Callable[[Any, Any], Any], **parts: nn.Module) -> None:
        super().__init__()
        for name, part in parts.items():
            self.add_module(name, part)
        self.formula = formula

    def forward(self, x: Any) -> Any:
        """Apply the formula."""
        return self.formula(self, x)


def _attention_over_pixels(net: Any, x: Any) -> Any:
    """One block of attention over a map's pixels, added to them."""
    pixels = x.flatten(2).permute(2, 0, 1)
    mixed, _ = net.attention(net.query(pixels), pixels, pixels, need_weights=False)
    return (pixels + mixed).permute(1, 2, 0).reshape(x.shape)


def _boxes_in_place(_: Any, x: Any) -> Any:
    boxes = x.sigmoid()
    boxes[..., 0:2] = (boxes[..., 0:2] * 2 - 0.5) * 8
    boxes[..., 2:4] = (boxes[..., 2:4] * 2) ** 2 * 16
    return boxes


def _rotated(_: Any, x: Any) -> Any:
    turn = torch.tensor([[[0.9, 0.1, 0.0], [-0.1, 0.9, 0.2]]])
    return F.grid_sample(x, F.affine_grid(turn, list(x.shape), align_corners=False), align_corners=False)


def _twice_the_size(_: Any, x: Any) -> Any:
    return F.interpolate(x, size=[2 * side for side in x.shape[-2:]], mode="bilinear").squeeze(1)


def _each_channel(net: Any, x: Any) -> Any:
    return torch.cat([getattr(net, f"up{k}")(part) for k, part in enumerate(x.split(1, 1))], 1)


def _above_its_mean(_: Any, x: Any) -> Any:
    return torch.where(x > x.mean(dim=(2, 3), keepdim=True), x, torch.zeros_like(x))


def _standardized(_: Any, x: Any) -> Any:
    return (x - x.mean(1, keepdim=True)) / (x.var(1, keepdim=True) + 1e-5).sqrt()


def _summed_back(_: Any, x: Any) -> Any:
    return x.cumsum(3).flip(3) + torch.linspace(-1, 1, x.shape[3])


def _windows(_: Any, x: Any) -> Any:
    n, c, h, w = x.shape
    return x.view(n, c, h // 4, 4, w // 4, 4).permute(0, 2, 4, 3, 5, 1).reshape(-1, 16, c)


def _weight_norm() -> nn.Module:
    return nn.Sequential(nn.utils.parametrizations.weight_norm(nn.Conv2d(4, 6, 3)), nn.ELU())


def _encoder() -> nn.Module:
    layer = nn.TransformerEncoderLayer(32, 4, 64, dropout=0.0)
    return nn.TransformerEncoder(layer, 1, enable_nested_tensor=False)


@dataclass(frozen=True)
class Case:
    """One module. make: its factory. shape: of its input.

    refused: exporter -> the first opset that converts it, 0 for none, and the words of the refusal below it.
    """

    make: Callable[[], nn.Module]
    shape: Shape
    refused: Mapping[str, tuple[int, str]] = field(default_factory=dict)


def _formula(formula: Callable[[Any, Any], Any], **parts: Callable[[], nn.Module]) -> Callable[[], nn.Module]:
    return lambda: Formula(formula, **{name: part() for name, part in parts.items()})


IMAGE = (1, 4, 16, 16)
ATTENTION = {"torchscript": (14, "scaled_dot_product_attention.*added in version 14")}
CASES = {
    "pixel unshuffle": Case(lambda: nn.PixelUnshuffle(2), IMAGE),
    "average with ceil": Case(
        lambda: nn.AvgPool2d(3, 2, 1, ceil_mode=True, count_include_pad=True), (1, 4, 15, 16)
    ),
    "adaptive average": Case(lambda: nn.AdaptiveAvgPool2d((7, 7)), (1, 4, 14, 28)),
    "adaptive average of no factor": Case(
        lambda: nn.AdaptiveAvgPool2d((7, 7)), IMAGE,
        {"torchscript": (0, "adaptive_avg_pool2d, output size that are not factor of.*other exporter")},
    ),
    "transformer encoder": Case(
        _encoder, (5, 1, 32), ATTENTION
    ),
    "attention over pixels": Case(
        _formula(
            _attention_over_pixels, query=lambda: nn.Linear(8, 8, bias=False),
            attention=lambda: nn.MultiheadAttention(8, 2),
        ),
        (1, 8, 4, 4), ATTENTION,
    ),
    "transposed convolution by channel": Case(
        _formula(_each_channel, **{f"up{k}": lambda: nn.ConvTranspose2d(1, 1, 4, 2) for k in range(4)}), IMAGE
    ),
    "grid sample": Case(
        _formula(_rotated), IMAGE, {"torchscript": (20, "affine_grid_generator.*added in version 20")}
    ),
    "boxes in place": Case(_formula(_boxes_in_place), (1, 3, 6, 85)),
    "interpolate and squeeze": Case(_formula(_twice_the_size), (1, 1, 8, 8)),
    "where": Case(_formula(_above_its_mean), IMAGE),
    "variance": Case(_formula(_standardized), IMAGE),
    "GRU": Case(
        _formula(
            lambda net, x: net.gru(x)[0], gru=lambda: nn.GRU(8, 6, batch_first=True, bidirectional=True)
        ),
        (1, 5, 8),
    ),
    "LSTM": Case(
        _formula(lambda net, x: net.lstm(x)[0], lstm=lambda: nn.LSTM(8, 6, 2, batch_first=True)), (1, 5, 8)
    ),
    "roll": Case(_formula(lambda _, x: torch.roll(x, shifts=(-2, -2), dims=(2, 3))), IMAGE),
    "windows": Case(_formula(_windows), IMAGE),
    "weight norm": Case(_weight_norm, IMAGE),
    "cumulative sum": Case(_formula(_summed_back), IMAGE),
    "repeat": Case(
        _formula(lambda _, x: x.repeat_interleave(2, dim=2).repeat_interleave(2, dim=3)), IMAGE
    ),
}  # fmt: skip
