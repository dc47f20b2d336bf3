"""Builds the gender-age network and saves it: ``python -m reference_models.mxnet.build_gender_age FOLDER``.

The architecture is insightface's fmobilenet, multiplier 0.25, global average pooling. Weights are
seeded, and BatchNorm statistics are measured on seeded images in float64 NumPy and rounded, so that
the files are the same bits on every machine. Three peculiarities of the released file are kept,
each of which has misled a converter: every fix_gamma BatchNorm stores a gamma that is not 1, the
body leaves eps to its default of 1e-3, and three variances are exactly 0.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np

from reference_models.mxnet import synthetic_images
from reference_models.mxnet.process import import_mxnet

BODY = ((16, 1), (32, 2), (32, 1), (64, 2), (64, 1), (128, 2), *[(128, 1)] * 5, (256, 2), (256, 1))
"""Filters of each pointwise convolution, and the stride of the depthwise one before it."""
FIRST, OUTPUTS = 8, 202
MEAN, SCALE = 127.5, 0.0078125
BODY_EPS, HEAD_EPS = 1e-3, 2e-5
STORED_GAMMA = 0.56757486
"""What the released file holds wherever MXNet multiplies by 1."""
ZERO_VARIANCES = {"conv_5": 11, "conv_9": 70, "conv_14": 201}
"""Layer -> the channel whose weights are next to nothing and whose stored variance is 0."""
BODY_BETA, HEAD_BETA, LAST_BETA = (0.5, 1.5), (-0.5, 0.5), (-2.0, 2.0)
"""Above 0 in the body, so that ReLU cuts little: around 0 each layer loses signal and keeps the
rounding error, and 27 layers lift float32's error from 3e-6 of the output to 5e-5."""
SEED = 17
"""Of 0 to 23 the one whose closest pair of scores, over all samples, is farthest apart (0.027):
neither gender nor age hangs on a rounding error."""
IMAGES, SIDE = 16, 112


def layers() -> list[tuple[str, int, int, int, int]]:
    """List the 27 convolutions of the body: name, filters, kernel, stride, groups."""
    rows, channels = [("conv_1", FIRST, 3, 1, 1)], FIRST
    for i, (filters, stride) in enumerate(BODY, 2):
        rows.append((f"conv_{i}_dw", channels, 3, stride, channels))
        rows.append((f"conv_{i}", filters, 1, 1, 1))
        channels = filters
    return rows


def symbol(mx: Any, outputs: int = OUTPUTS, *, fix_gamma: bool = True) -> Any:
    """Describe the network: 'data' (N, 3, 112, 112), RGB, 0..255 -> 'fc1_output' (N, outputs).

    fix_gamma: of the BatchNorms that the released network has it in; without it every gamma counts.
    """
    x = (mx.sym.Variable("data") - MEAN) * SCALE
    for name, filters, kernel, stride, groups in layers():
        x = mx.sym.Convolution(
            x, num_filter=filters, kernel=(kernel, kernel), stride=(stride, stride),
            pad=(kernel // 2, kernel // 2), num_group=groups, no_bias=True, name=f"{name}_conv2d",
        )  # fmt: skip
        x = mx.sym.BatchNorm(x, fix_gamma=fix_gamma, name=f"{name}_batchnorm")
        x = mx.sym.Activation(x, act_type="relu", name=f"{name}_relu")
    x = mx.sym.BatchNorm(x, fix_gamma=False, eps=HEAD_EPS, momentum=0.9, name="bn1")
    x = mx.sym.LeakyReLU(x, act_type="prelu", name="relu1")
    x = mx.sym.Pooling(x, global_pool=True, kernel=(7, 7), pool_type="avg", name="pool1")
    x = mx.sym.FullyConnected(mx.sym.Flatten(x), num_hidden=outputs, name="pre_fc1")
    return mx.sym.BatchNorm(x, fix_gamma=fix_gamma, eps=HEAD_EPS, momentum=0.9, name="fc1")


def parameters(seed: int = SEED) -> dict[str, np.ndarray]:
    """Draw the weights and measure the statistics layer by layer; float32 by full name."""
    random = np.random.RandomState(seed)
    arrays: dict[str, np.ndarray] = {}
    x, channels = (synthetic_images.images(random, IMAGES, SIDE) - MEAN) * SCALE, 3
    for name, filters, kernel, stride, groups in layers():
        fan = channels // groups * kernel * kernel
        weight = _uniform(random, (filters, channels // groups, kernel, kernel), fan)
        if name in ZERO_VARIANCES:
            weight[ZERO_VARIANCES[name]] *= np.float32(2.0**-6)
        arrays[f"arg:{name}_conv2d_weight"] = weight
        x = convolve(x, weight.astype(np.float64), stride, groups)
        zero = ZERO_VARIANCES.get(name)
        x = _batch_norm(random, arrays, f"{name}_batchnorm", x, eps=BODY_EPS, beta=BODY_BETA, zero=zero)
        x = np.maximum(x, 0)
        channels = filters
    _head(random, arrays, x)
    return arrays


def convolve(x: np.ndarray, weight: np.ndarray, stride: int, groups: int) -> np.ndarray:
    """Convolve NCHW in float64, padded to keep the size; dense, or depthwise if groups > 1."""
    size, half = x.shape[2], weight.shape[2] // 2
    padded = np.pad(x, ((0, 0), (0, 0), (half, half), (half, half)))
    total: Any = 0.0
    for row in range(weight.shape[2]):
        for column in range(weight.shape[3]):
            part = padded[:, :, row : row + size : stride, column : column + size : stride]
            tap = weight[:, :, row, column]
            if groups > 1:
                total = total + part * tap.reshape(1, -1, 1, 1)
            else:
                total = total + np.moveaxis(np.tensordot(tap, part, (1, 1)), 0, 1)
    return total


def _head(random: np.random.RandomState, arrays: dict[str, np.ndarray], x: np.ndarray) -> None:
    x = _batch_norm(random, arrays, "bn1", x, free_gamma=True)
    slope = random.uniform(0.1, 0.4, (x.shape[1],)).astype(np.float32)
    arrays["arg:relu1_gamma"] = slope
    x = np.where(x > 0, x, x * slope.reshape(1, -1, 1, 1)).mean((2, 3))
    weight = _uniform(random, (OUTPUTS, x.shape[1]), x.shape[1])
    bias = random.uniform(-0.5, 0.5, OUTPUTS).astype(np.float32)
    arrays |= {"arg:pre_fc1_weight": weight, "arg:pre_fc1_bias": bias}
    _batch_norm(random, arrays, "fc1", x @ weight.T.astype(np.float64) + bias, beta=LAST_BETA)


def _uniform(random: np.random.RandomState, shape: tuple[int, ...], fan: int) -> np.ndarray:
    """Draw with He's variance; uniform needs no logarithm, so its bits are equal everywhere."""
    bound = np.sqrt(6 / fan)
    return random.uniform(-bound, bound, shape).astype(np.float32)


def _batch_norm(
    random: np.random.RandomState,
    arrays: dict[str, np.ndarray],
    name: str,
    x: np.ndarray,
    *,
    eps: float = HEAD_EPS,
    beta: tuple[float, float] = HEAD_BETA,
    zero: int | None = None,
    free_gamma: bool = False,
) -> np.ndarray:
    """Measure the statistics of x, store all four parameters, return the normalised x."""
    axes = tuple(i for i in range(x.ndim) if i != 1)
    mean, var = _rounded(x.mean(axes)), _rounded(x.var(axes))
    if zero is not None:
        var[zero] = 0
    gamma = random.uniform(0.5, 1.5, len(mean)) if free_gamma else np.ones(len(mean))
    shift = random.uniform(*beta, len(mean))
    stored = gamma if free_gamma else np.full(len(mean), STORED_GAMMA)
    rows = {"arg:{}_gamma": stored, "arg:{}_beta": shift}
    rows |= {"aux:{}_moving_mean": mean, "aux:{}_moving_var": var}
    arrays.update({key.format(name): v.astype(np.float32) for key, v in rows.items()})
    scale = gamma / np.sqrt(var + eps)
    shape = (1, -1, *[1] * (x.ndim - 2))
    return (x - mean.reshape(shape)) * scale.reshape(shape) + shift.reshape(shape)


def _rounded(values: np.ndarray) -> np.ndarray:
    """Round to three digits: sums in another order on another processor give the same file."""
    return np.array([float(f"{value:.3g}") for value in values])


def main(folder: Path) -> None:
    """Write gender-age-symbol.json and gender-age-0000.params into the folder."""
    mx = import_mxnet()
    arrays: dict[str, dict[str, Any]] = {"arg": {}, "aux": {}}
    for full, array in parameters().items():
        kind_of, name = full.split(":")
        arrays[kind_of][name] = mx.nd.array(array, dtype=np.float32)
    prefix = str(folder / "gender-age")
    mx.model.save_checkpoint(prefix, 0, symbol(mx), arrays["arg"], arrays["aux"])


if __name__ == "__main__":
    main(Path(sys.argv[1]))
