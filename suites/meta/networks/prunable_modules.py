"""Torch modules to prune. Imports torch: import this inside functions only."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812

SIDE = 16


def seeded(module: nn.Module) -> nn.Module:
    """Give every BatchNorm gammas from 0.05 to 1.5, betas that count, and statistics."""
    random = torch.Generator().manual_seed(0)
    for one in module.modules():
        if isinstance(one, nn.BatchNorm1d | nn.BatchNorm2d) and one.affine:
            with torch.no_grad():
                one.weight.uniform_(0.05, 1.5, generator=random)
                one.bias.normal_(0, 0.5, generator=random)
        if isinstance(one, nn.BatchNorm1d | nn.BatchNorm2d) and one.track_running_stats:
            one.running_mean.normal_(0, 0.1, generator=random)
            one.running_var.uniform_(0.5, 2, generator=random)
    return module.eval()


class Net(nn.Module):
    """Layers by name, and a function of them and the input."""

    def __init__(self, formula: Callable[[Any, Any], Any], **layers: nn.Module) -> None:
        super().__init__()
        for name, layer in layers.items():
            self.add_module(name, layer)
        self.formula = formula

    def forward(self, x: Any) -> Any:
        """Apply the function."""
        return self.formula(self, x)


def block(inputs: int, outputs: int, kernel: int = 3, *, act: Any = nn.ReLU, **keys: Any) -> nn.Sequential:
    """Convolution without bias, BatchNorm, activation."""
    pad = keys.pop("padding", kernel // 2)
    conv = nn.Conv2d(inputs, outputs, kernel, padding=pad, bias=False, **keys)
    return nn.Sequential(conv, nn.BatchNorm2d(outputs), act())


def _chain(net: Any, x: Any) -> Any:
    return net.head(net.second(net.first(x)))


def _residual(net: Any, x: Any) -> Any:
    x = net.first(x)
    return net.head(F.silu(x + net.outer(net.inner(x))))


def _concat(net: Any, x: Any) -> Any:
    x = net.first(x)
    return net.head(torch.cat([net.left(x), net.right(x), x], 1))


def _classifier(net: Any, x: Any) -> Any:
    return net.fc(F.adaptive_avg_pool2d(net.first(x), 4).flatten(1))


def _mlp(net: Any, x: Any) -> Any:
    return net.last(F.relu(net.norm(net.fc(x.mean((2, 3))))))


def _halves(net: Any, x: Any) -> Any:
    left, right = net.first(x).chunk(2, 1)
    return net.head(left * torch.sigmoid(right))


MODULES: dict[str, Callable[[], nn.Module]] = {
    "chain": lambda: Net(
        _chain, first=block(3, 12), second=block(12, 10, act=nn.Hardswish), head=nn.Conv2d(10, 4, 3)
    ),
    "same padding": lambda: Net(
        _chain, first=block(3, 12), second=block(12, 10, padding="same"), head=nn.Conv2d(10, 4, 1)
    ),
    "reflected padding": lambda: Net(
        _chain, first=block(3, 12), second=block(12, 10, padding_mode="reflect"), head=nn.Conv2d(10, 4, 1)
    ),
    "residual": lambda: Net(
        _residual, first=block(3, 12, act=nn.SiLU), inner=block(12, 8, 1),
        outer=block(8, 12, act=nn.Identity), head=nn.Conv2d(12, 4, 3, padding=1),
    ),
    "concat": lambda: Net(
        _concat, first=block(3, 8), left=block(8, 6), right=block(8, 10, 1, act=nn.LeakyReLU),
        head=nn.Conv2d(24, 4, 3, padding=1),
    ),
    "depthwise": lambda: Net(
        _chain, first=block(3, 12), second=block(12, 12, groups=12, act=nn.ReLU6), head=nn.Conv2d(12, 4, 1)
    ),
    "classifier": lambda: Net(_classifier, first=block(3, 12, act=nn.SiLU), fc=nn.Linear(12 * 16, 5)),
    "linear": lambda: Net(
        _mlp, fc=nn.Linear(3, 20), norm=nn.BatchNorm1d(20), last=nn.Linear(20, 5)
    ),
}  # fmt: skip
"""Modules of which something is removed."""
WHOLE: dict[str, tuple[Callable[[], nn.Module], str]] = {
    "groups": (
        lambda: Net(_chain, first=block(3, 12), second=block(12, 12, groups=3), head=nn.Conv2d(12, 4, 1)),
        "second.0 has groups",
    ),
    "halves": (
        lambda: Net(_halves, first=block(3, 12), head=nn.Conv2d(6, 4, 1)), "is cut or changed by split"
    ),
    "no gammas": (
        lambda: Net(
            _chain, first=block(3, 12), second=nn.BatchNorm2d(12, affine=False), head=nn.Conv2d(12, 4, 1)
        ),
        "BatchNorm without gamma",
    ),
    "layer norm": (
        lambda: Net(_chain, first=block(3, 12), second=nn.GroupNorm(1, 12), head=nn.Conv2d(12, 4, 1)),
        "read or made by GroupNorm",
    ),
    "its own output": (
        lambda: Net(_chain, first=nn.Identity(), second=nn.Identity(), head=block(3, 12)),
        "the network's output",
    ),
}  # fmt: skip
"""Modules of which nothing can be removed, and why of their BatchNorm."""
