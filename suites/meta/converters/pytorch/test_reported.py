"""Modules of public bug reports convert to what PyTorch computes, or are refused in clear words."""

from importlib.util import find_spec
from typing import Any

import numpy as np
import onnx
import pytest

from fixtures.converters.errors import ConversionError
from fixtures.converters.pytorch.convert import Exporter, convert

if find_spec("torch") is None:
    pytest.skip("torch is not installed; run `tox run -e meta`", allow_module_level=True)

NAMES = (
    "pixel unshuffle",
    "average with ceil",
    "adaptive average",
    "adaptive average of no factor",
    "transformer encoder",
    "attention over pixels",
    "transposed convolution by channel",
    "grid sample",
    "boxes in place",
    "interpolate and squeeze",
    "where",
    "variance",
    "GRU",
    "LSTM",
    "roll",
    "windows",
    "weight norm",
    "cumulative sum",
    "repeat",
)
"""Those of `torch_modules.CASES`, which needs torch and is not read to collect tests."""
OPSETS: list[tuple[Exporter, int]] = [("torchscript", 13), ("torchscript", 16), ("dynamo", 18)]


def run(model: onnx.ModelProto, x: np.ndarray) -> np.ndarray:
    """Run a model of one input and one output."""
    import onnxruntime

    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    made: np.ndarray = session.run(None, {"x": x})[0]
    return made


@pytest.mark.slow
@pytest.mark.parametrize(("exporter", "opset"), OPSETS)
@pytest.mark.parametrize("name", NAMES)
def test_a_module_is_converted_or_refused(name: str, exporter: Exporter, opset: int) -> None:
    """ONNX Runtime gives PyTorch's values; below the opset of its row the refusal says what is lacking."""
    import torch

    from suites.meta.networks.torch_modules import CASES

    case = CASES[name]
    torch.manual_seed(0)
    module = case.make().eval()
    x = np.random.default_rng(0).standard_normal(case.shape).astype(np.float32)
    since, words = case.refused.get(exporter, (1, ""))
    if not 0 < since <= opset:
        with pytest.raises(ConversionError, match=words):
            convert(module, {"x": x}, ["y"], opset, exporter, simplified=True)
        return
    model = convert(module, {"x": x}, ["y"], opset, exporter, simplified=True)
    with torch.no_grad():
        expected = module(torch.from_numpy(x.copy())).numpy()
    np.testing.assert_allclose(run(model, x), expected, rtol=1e-4, atol=1e-5)


def test_every_module_is_tried() -> None:
    """The names above are those of the table."""
    from suites.meta.networks.torch_modules import CASES

    assert set(NAMES) == set(CASES)


VALUES = {"nan": float("nan"), "inf": float("inf"), "-inf": float("-inf")}


def net() -> Any:
    """A convolution and a BatchNorm."""
    import torch

    return torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4)).eval()


X = {"x": np.ones((1, 3, 8, 8), np.float32)}


@pytest.mark.parametrize("exporter", ["torchscript", "dynamo"])
@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize(
    "name", ["0.weight", "0.bias", "1.weight", "1.bias", "1.running_mean", "1.running_var"]
)
def test_a_broken_weight_is_refused_by_name(name: str, value: str, exporter: Exporter) -> None:
    """Before anything is exported: module, parameter, how many values, and the option that takes them."""
    module = net()
    module.state_dict()[name].flatten()[1] = VALUES[value]
    with pytest.raises(
        ConversionError, match=rf"Sequential, {name}: 1 of \d+ .* first {value} at .*allow-nonf"
    ):
        convert(module, X, ["y"], 18, exporter)


def test_a_negative_variance_is_refused() -> None:
    """Of running statistics alone: other weights may be negative."""
    module = net()
    module[1].running_var[2] = -1e-9
    with pytest.raises(ConversionError, match=r"1\.running_var: 1 of 4 values are negative"):
        convert(module, X, ["y"], 13, "torchscript")


def test_broken_weights_are_exported_where_allowed() -> None:
    """The model gives what the module gives: NaN in one channel."""
    module = net()
    module.state_dict()["0.bias"][1] = float("nan")
    made = run(convert(module, X, ["y"], 13, "torchscript", allow_nonfinite=True), X["x"])
    assert np.isnan(made).any(axis=(0, 2, 3)).tolist() == [False, True, False, False]


def test_an_infinite_mask_is_no_broken_weight() -> None:
    """A buffer of minus infinities hides places from attention; only NaN in one is refused."""
    import torch

    module = net()
    module.register_buffer("mask", torch.full((2, 2), float("-inf")).triu(1))
    assert convert(module, X, ["y"], 13, "torchscript")
    module.mask[0, 0] = float("nan")
    with pytest.raises(ConversionError, match=r"Sequential, mask: 1 of 4 values are NaN"):
        convert(module, X, ["y"], 13, "torchscript")
