"""The published networks once more: literal forward passes from the keys of a state_dict, without a module.

Each takes a state and images (N, C, H, W), and gives logits. Written from the papers, not from the modules
that they are held against. Imports torch: import this inside functions only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor
from torch.nn import functional as f

State = Mapping[str, Tensor]


def norm(state: State, name: str, x: Tensor) -> Tensor:
    """Normalise each channel: (x - mean) / sqrt(variance + 1e-5) * gamma + beta."""
    mean, variance, gamma, beta = (
        state[f"{name}.{part}"].reshape(1, -1, 1, 1)
        for part in ("running_mean", "running_var", "weight", "bias")
    )
    return (x - mean) / torch.sqrt(variance + 1e-5) * gamma + beta


def resnet(state: State, x: Tensor, repeats: Sequence[int], kernels: Sequence[int]) -> Tensor:
    """ResNet: `kernels` are those of a block's convolutions, (3, 3) or (1, 3, 1); the first 3 strides."""
    x = f.conv2d(x, state["conv1.weight"], stride=2, padding=3)
    x = f.max_pool2d(norm(state, "bn1", x).clamp(min=0), 3, 2, 1)
    for stage, repeat in enumerate(repeats, 1):
        for place in range(repeat):
            name, stride = f"layer{stage}.{place}", 2 if stage > 1 and place == 0 else 1
            y = x
            for i, kernel in enumerate(kernels, 1):
                step = stride if i == kernels.index(3) + 1 else 1
                y = f.conv2d(y, state[f"{name}.conv{i}.weight"], stride=step, padding=kernel // 2)
                y = norm(state, f"{name}.bn{i}", y)
                y = y.clamp(min=0) if i < len(kernels) else y
            if f"{name}.downsample.0.weight" in state:
                x = f.conv2d(x, state[f"{name}.downsample.0.weight"], stride=stride)
                x = norm(state, f"{name}.downsample.1", x)
            x = (x + y).clamp(min=0)
    return x.mean((2, 3)) @ state["fc.weight"].T + state["fc.bias"]


def mobilenetv2(state: State, x: Tensor) -> Tensor:
    """MobileNetV2 at width 1."""
    strides = (1, 2, 1, 2, 1, 1, 2, 1, 1, 1, 1, 1, 1, 2, 1, 1, 1)
    x = f.conv2d(x, state["features.0.0.weight"], stride=2, padding=1)
    x = norm(state, "features.0.1", x).clamp(0, 6)
    for number, stride in enumerate(strides, 1):
        name, y, layer = f"features.{number}.conv", x, 0
        if number > 1:
            y = f.conv2d(y, state[f"{name}.0.0.weight"])
            y, layer = norm(state, f"{name}.0.1", y).clamp(0, 6), 1
        depthwise = state[f"{name}.{layer}.0.weight"]
        y = f.conv2d(y, depthwise, stride=stride, padding=1, groups=len(depthwise))
        y = norm(state, f"{name}.{layer}.1", y).clamp(0, 6)
        y = norm(state, f"{name}.{layer + 2}", f.conv2d(y, state[f"{name}.{layer + 1}.weight"]))
        x = x + y if stride == 1 and x.shape == y.shape else y
    x = norm(state, "features.18.1", f.conv2d(x, state["features.18.0.weight"])).clamp(0, 6)
    return x.mean((2, 3)) @ state["classifier.1.weight"].T + state["classifier.1.bias"]


def unet(state: State, x: Tensor, levels: int = 5) -> Tensor:
    """U-Net: the output of each level's second convolution goes across, before it is pooled."""
    across: list[Tensor] = []
    for level in range(levels):
        x = f.max_pool2d(x, 2) if level else x
        x = _twice(state, f"down.{level}", x)
        across.append(x)
    for step in range(levels - 1):
        x = f.conv_transpose2d(x, state[f"up.{step}.weight"], state[f"up.{step}.bias"], stride=2)
        x = _twice(state, f"join.{step}", torch.cat([across[levels - 2 - step], x], 1))
    return f.conv2d(x, state["head.weight"], state["head.bias"])


def _twice(state: State, name: str, x: Tensor) -> Tensor:
    for conv in (0, 3):
        x = f.conv2d(x, state[f"{name}.{conv}.weight"], padding=1)
        x = norm(state, f"{name}.{conv + 1}", x).clamp(min=0)
    return x


def lenet(state: State, x: Tensor) -> Tensor:
    """LeNet-5: two times convolution, tanh, mean over 2x2; then three linear layers."""
    for conv in (0, 3):
        x = torch.tanh(f.conv2d(x, state[f"{conv}.weight"], state[f"{conv}.bias"]))
        x = (x[..., ::2, ::2] + x[..., 1::2, ::2] + x[..., ::2, 1::2] + x[..., 1::2, 1::2]) / 4
    x = x.flatten(1)
    for linear in (7, 9, 11):
        x = x @ state[f"{linear}.weight"].T + state[f"{linear}.bias"]
        x = torch.tanh(x) if linear < 11 else x
    return x
