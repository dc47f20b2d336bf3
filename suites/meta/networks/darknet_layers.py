"""Small Darknet networks for tests: cfg text and arrays in, what ONNX Runtime computes out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from fixtures.converters.darknet.convert import convert
from fixtures.runtimes.onnxruntime import OnnxRuntime

OPSETS = (10, 11, 13, 17, 18, 21)
"""Opsets between which some operator's form changes, and the ends."""
HEADER = (0, 2, 5, 0, 0)
"""A header of Darknet 0.2.5: three words, and 64 bits of images seen."""
OLD_HEADER = (1001, 0, 0, 0, 0)
"""A version above 1000 says that the matrices of connected layers are transposed."""


def random(*shape: int, seed: int = 0, positive: bool = False) -> np.ndarray:
    """Seeded float32 noise, normal or in 0.5..1.5."""
    generator = np.random.default_rng(seed)
    made = generator.uniform(0.5, 1.5, shape) if positive else generator.standard_normal(shape)
    return made.astype(np.float32)


def write(
    folder: Path,
    layers: str,
    x: np.ndarray,
    arrays: Sequence[np.ndarray] = (),
    header: Sequence[int] = HEADER,
) -> tuple[Path, Path]:
    """Write cfg and weights of a network whose input is that of x without the batch."""
    cfg, weights = folder / "net.cfg", folder / "net.weights"
    sides = (
        f"channels={x.shape[1]}\nheight={x.shape[2]}\nwidth={x.shape[3]}"
        if x.ndim == 4
        else f"inputs={x.shape[1]}"
    )
    cfg.write_text(f"[net]\n{sides}\n{layers}\n")
    data = [np.asarray(header, "<i4").tobytes(), *(np.asarray(a, "<f4").tobytes() for a in arrays)]
    weights.write_bytes(b"".join(data))
    return cfg, weights


def run(model: onnx.ModelProto, x: np.ndarray, folder: Path) -> dict[str, np.ndarray]:
    """Check a model in full, run it on x, and hold the outputs against their declared shapes."""
    onnx.checker.check_model(model, full_check=True)
    path = folder / "net.onnx"
    onnx.save(model, path)
    made = OnnxRuntime(path).run([{"data": x}])[0]
    for output in model.graph.output:
        dims = tuple(dim.dim_value for dim in output.type.tensor_type.shape.dim)
        assert made[output.name].shape == dims, output.name
    return made


def check(
    folder: Path,
    layers: str,
    x: np.ndarray,
    expected: np.ndarray,
    arrays: Sequence[np.ndarray] = (),
    *,
    opsets: Sequence[int] = OPSETS,
    header: Sequence[int] = HEADER,
    **options: Any,
) -> None:
    """Hold the one output of a network against the expected array at every opset."""
    files = write(folder, layers, x, arrays, header)
    for opset in opsets:
        made = run(convert(*files, opset, batch=len(x), **options), x, folder)
        assert len(made) == 1
        (output,) = made.values()
        assert output.shape == expected.shape, f"opset {opset}"
        assert np.isfinite(output).all(), f"opset {opset}"
        limit = 2e-5 * max(1.0, np.abs(expected).max())
        np.testing.assert_allclose(output, expected, rtol=0, atol=limit, err_msg=f"opset {opset}")


def convolved(
    x: np.ndarray,
    weight: np.ndarray,
    bias: np.ndarray,
    stride: tuple[int, int] = (1, 1),
    pad: int = 0,
    dilation: int = 1,
    groups: int = 1,
    size: tuple[int, int] | None = None,
) -> np.ndarray:
    """Convolve in float64, place by place; `size` (height, width) is the output's, zeros lie all around."""
    kernel = weight.shape[2]
    reach = dilation * (kernel - 1) + 1
    if size is None:
        size = (
            (x.shape[2] + 2 * pad - reach) // stride[0] + 1,
            (x.shape[3] + 2 * pad - reach) // stride[1] + 1,
        )
    wide = np.pad(x.astype(np.float64), ((0, 0), (0, 0), (pad, pad + reach), (pad, pad + reach)))
    out = np.zeros((len(x), len(weight), *size))
    each, per = len(weight) // groups, x.shape[1] // groups
    for f in range(len(weight)):
        part = wide[:, f // each * per : (f // each + 1) * per]
        for i in range(size[0]):
            for j in range(size[1]):
                top, left = i * stride[0], j * stride[1]
                seen = part[:, :, top : top + reach : dilation, left : left + reach : dilation]
                out[:, f, i, j] = (seen * weight[f]).sum(axis=(1, 2, 3)) + bias[f]
    return out


def normalized(x: np.ndarray, norm: Sequence[np.ndarray], epsilon: float = 1e-5) -> np.ndarray:
    """Apply BatchNorm (bias, scale, mean, variance) to axis 1, in float64."""
    shape = (1, -1, *[1] * (x.ndim - 2))
    bias, scale, mean, variance = (a.astype(np.float64).reshape(shape) for a in norm)
    return scale * (x - mean) / np.sqrt(variance + epsilon) + bias
