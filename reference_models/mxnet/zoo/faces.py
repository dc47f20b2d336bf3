"""Face recognition: ArcFace's ResNet-50 and MobileFaceNet, named as insightface names their layers.

Sources: Deng et al., "ArcFace" (2019), section 3.1 (units of BN-conv-BN-PReLU-conv-BN, output E);
Chen et al., "MobileFaceNets" (2018), table 1. Both take 'data' (N, 3, side, side), RGB, 0..255, scale
it in the graph and give the embedding 'fc1_output', (N, 512) and (N, 128). `width` divides the filters.
"""

from __future__ import annotations

from typing import Any

EPS = 2e-5
MEAN, SCALE = 127.5, 0.0078125


def arcface_r50(mx: Any, side: int, width: int = 1) -> Any:
    """Describe LResNet50E-IR."""
    x = _conv(mx, _scaled(mx), 64 // width, 3, "conv0")
    x = _prelu(mx, _norm(mx, x, "bn0"), "relu0")
    for stage, (units, filters) in enumerate(((3, 64), (4, 128), (14, 256), (3, 512)), 1):
        for unit in range(1, units + 1):
            stride = 2 if unit == 1 else 1
            x = _unit(mx, x, filters // width, stride, f"stage{stage}_unit{unit}")
    x = mx.sym.Dropout(_norm(mx, x, "bn1"), p=0.4)
    return _embedding(mx, x, 512 // width)


def mobilefacenet(mx: Any, side: int, width: int = 1) -> Any:
    """Describe MobileFaceNet; its last map is weighted by a depthwise convolution of its own size."""
    wide = [filters // width for filters in (64, 128, 256, 512)]
    x = _block(mx, _scaled(mx), wide[0], 3, "conv_1", stride=2)
    x = _block(mx, x, wide[0], 3, "conv_2_dw", groups=wide[0])
    x = _bottleneck(mx, x, wide[0], wide[1], "dconv_23", stride=2)
    x = _chain(mx, x, 4, wide[0], wide[1], "res_3")
    x = _bottleneck(mx, x, wide[1], wide[2], "dconv_34", stride=2)
    x = _chain(mx, x, 6, wide[1], wide[2], "res_4")
    x = _bottleneck(mx, x, wide[1], wide[3], "dconv_45", stride=2)
    x = _chain(mx, x, 2, wide[1], wide[2], "res_5")
    x = _block(mx, x, wide[3], 1, "conv_6sep")
    x = _linear(mx, x, wide[3], side // 16, "conv_6dw", groups=wide[3], pad=0)
    return _embedding(mx, x, 128 // width)


def _scaled(mx: Any) -> Any:
    return (mx.sym.identity(mx.sym.Variable("data"), name="id") - MEAN) * SCALE


def _embedding(mx: Any, x: Any, size: int) -> Any:
    x = mx.sym.FullyConnected(x, num_hidden=size, name="pre_fc1")
    return mx.sym.BatchNorm(x, fix_gamma=True, eps=EPS, momentum=0.9, name="fc1")


def _unit(mx: Any, x: Any, filters: int, stride: int, name: str) -> Any:
    """Add an improved residual unit; the first of a stage halves the map on both ways."""
    y = _conv(mx, _norm(mx, x, f"{name}_bn1"), filters, 3, f"{name}_conv1")
    y = _prelu(mx, _norm(mx, y, f"{name}_bn2"), f"{name}_relu1")
    y = _norm(mx, _conv(mx, y, filters, 3, f"{name}_conv2", stride=stride), f"{name}_bn3")
    if stride > 1:
        x = _norm(mx, _conv(mx, x, filters, 1, f"{name}_conv1sc", stride=stride), f"{name}_sc")
    return y + x


def _chain(mx: Any, x: Any, times: int, filters: int, inner: int, name: str) -> Any:
    for block in range(times):
        x = _bottleneck(mx, x, filters, inner, f"{name}_block{block}") + x
    return x


def _bottleneck(mx: Any, x: Any, filters: int, inner: int, name: str, stride: int = 1) -> Any:
    """Widen, filter each channel, narrow without an activation."""
    x = _block(mx, x, inner, 1, f"{name}_conv_sep")
    x = _block(mx, x, inner, 3, f"{name}_conv_dw", stride=stride, groups=inner)
    return _linear(mx, x, filters, 1, f"{name}_conv_proj")


def _block(mx: Any, x: Any, filters: int, kernel: int, name: str, **options: int) -> Any:
    return _prelu(mx, _linear(mx, x, filters, kernel, name, **options), f"{name}_relu")


def _linear(mx: Any, x: Any, filters: int, kernel: int, name: str, **options: int) -> Any:
    x = _conv(mx, x, filters, kernel, f"{name}_conv2d", **options)
    return mx.sym.BatchNorm(x, fix_gamma=False, momentum=0.9, name=f"{name}_batchnorm")


def _conv(
    mx: Any, x: Any, filters: int, kernel: int, name: str, *,
    stride: int = 1, groups: int = 1, pad: int | None = None,
) -> Any:  # fmt: skip
    pad = kernel // 2 if pad is None else pad
    return mx.sym.Convolution(
        x, num_filter=filters, kernel=(kernel, kernel), stride=(stride, stride), pad=(pad, pad),
        num_group=groups, no_bias=True, workspace=256, name=name,
    )  # fmt: skip


def _norm(mx: Any, x: Any, name: str) -> Any:
    return mx.sym.BatchNorm(x, fix_gamma=False, eps=EPS, momentum=0.9, name=name)


def _prelu(mx: Any, x: Any, name: str) -> Any:
    return mx.sym.LeakyReLU(x, act_type="prelu", name=name)
