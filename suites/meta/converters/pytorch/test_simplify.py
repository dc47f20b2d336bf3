"""Simplification folds shape arithmetic and nothing else, and one that changes a network is named."""

from collections import Counter
from collections.abc import Callable
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from fixtures.commands.convert_pytorch import main
from fixtures.compatibility import inspect, refusals
from fixtures.converters.dynamic_batch import with_dynamic_batch
from fixtures.converters.errors import ConversionError
from fixtures.converters.pytorch.convert import Exporter, convert
from fixtures.converters.pytorch.simplify import RELATIVE_L2, simplify
from fixtures.runtimes.onnxruntime import OnnxRuntime
from suites.meta.networks import pytorch_nets
from suites.meta.networks.pytorch_nets import image
from suites.meta.places import ROOT

MISSING = [name for name in ("torch", "onnxscript", "onnxslim") if find_spec(name) is None]
pytestmark = pytest.mark.skipif(
    bool(MISSING), reason=f"not installed: {', '.join(MISSING)}; use dependency group 'convert'"
)
ARITHMETIC = {"Shape", "Gather", "Unsqueeze", "ConstantOfShape", "Cast", "Constant", "Expand", "NonZero"}
ARITHMETIC |= {"Identity", "Range", "Slice"}
CASES: list[tuple[str, Exporter, int]] = [
    *((name, "torchscript", opset) for name in ("unet", "detector") for opset in (10, 11, 13, 17, 18)),
    ("unet", "dynamo", 18),
    ("detector", "dynamo", 18),
]


@cache
def raw(network: str, exporter: Exporter, opset: int) -> onnx.ModelProto:
    """Return a network as its exporter leaves it."""
    return convert(getattr(pytorch_nets, network)(), image(), ["y"], opset, exporter)


def kinds(model: onnx.ModelProto) -> Counter[str]:
    """Count the nodes of each operator."""
    return Counter(node.op_type for node in model.graph.node)


@pytest.mark.parametrize(("network", "exporter", "opset"), CASES)
def test_no_shape_arithmetic_is_left(network: str, exporter: Exporter, opset: int) -> None:
    """What computes shapes is gone; what computes outputs, opset, names and origins are as they were."""
    before = raw(network, exporter, opset)
    kept = before.SerializeToString(deterministic=True)
    after = simplify(before, image())
    assert before.SerializeToString(deterministic=True) == kept
    assert not ARITHMETIC & set(kinds(after))
    if exporter == "torchscript":
        assert ARITHMETIC & set(kinds(before))
    assert all(kinds(after)[kind] == n for kind, n in kinds(before).items() if kind in {"Conv", "Sigmoid"})
    assert (after.ir_version, after.opset_import[0].version) == (before.ir_version, opset)
    assert [value.name for value in (*after.graph.input, *after.graph.output)] == ["x", "y"]
    origins = [{n.output[0]: str(n.metadata_props) for n in m.graph.node} for m in (before, after)]
    assert all(origins[0][name] == origin for name, origin in origins[1].items() if name in origins[0])
    assert any("name_scopes" in origin for origin in origins[1].values()) is (exporter == "dynamo")


def test_old_parsers_take_what_is_simplified() -> None:
    """TensorRT 7.0 has no NonZero and takes no computed scales: opset 10 is refused raw, and taken."""
    for network, guilty in (("detector", "NonZero"), ("unet", "Resize")):
        before = raw(network, "torchscript", 10)
        said = refusals(inspect(before), "tensorrt", "7.0", gpu=True)
        assert any(guilty in str(refusal) for refusal in said)
        assert refusals(inspect(simplify(before, image())), "tensorrt", "7.0", gpu=True) == []


@pytest.mark.parametrize(("exporter", "opset"), [("torchscript", 11), ("dynamo", 18)])
def test_the_same_module_gives_the_same_bytes(exporter: Exporter, opset: int) -> None:
    """Two simplified conversions are equal byte for byte."""
    first, second = (
        convert(pytorch_nets.detector(), image(), ["y"], opset, exporter, simplified=True).SerializeToString(
            deterministic=True
        )
        for _ in range(2)
    )
    assert first == second


@pytest.mark.parametrize(("options", "left"), [([], False), (["--raw"], True)])
def test_the_command_simplifies_unless_it_is_told_not_to(
    options: list[str], left: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The exporter's own graph is there with --raw."""
    monkeypatch.chdir(ROOT)
    call = [
        "suites.meta.networks.pytorch_nets:detector",
        "--input",
        "x:1x3x32x32",
        "--opset",
        "10",
        "-q",
        *options,
    ]
    assert main([*call, "-o", str(tmp_path / "m.onnx")]) == 0
    assert ("NonZero" in kinds(onnx.load(tmp_path / "m.onnx"))) is left


def drop(model: onnx.ModelProto) -> None:
    """Lead past the first Relu."""
    node = next(node for node in model.graph.node if node.op_type == "Relu")
    for reader in model.graph.node:
        reader.input[:] = [node.input[0] if name == node.output[0] else name for name in reader.input]
    model.graph.node.remove(node)


def scale(model: onnx.ModelProto, factor: float) -> None:
    """Multiply the first weight."""
    tensor = next(tensor for tensor in model.graph.initializer if len(tensor.dims) == 4)
    weight = numpy_helper.to_array(tensor) * np.float32(factor)
    tensor.CopyFrom(numpy_helper.from_array(weight, tensor.name))


def restamp(model: onnx.ModelProto) -> None:
    """Write the next opset."""
    model.opset_import[0].version += 1


def rename(model: onnx.ModelProto) -> None:
    """Give the output another name."""
    model.graph.node[-1].output[0] = model.graph.output[0].name = "z"


def break_off(model: onnx.ModelProto) -> None:
    """Fail."""
    raise KeyError(model.graph.name)


PLANTED: dict[str, tuple[Callable[[onnx.ModelProto], None], str]] = {
    "a node dropped": (drop, r"changed output 'y' by relative L2 .*, allowed 7\.6e-06"),
    "a weight scaled": (lambda m: scale(m, 1 + 100 * RELATIVE_L2), "changed output 'y'"),
    "NaN": (lambda m: scale(m, float("nan")), "changed output 'y' by relative L2 inf"),
    "another opset": (restamp, "changed the opset"),
    "another name": (rename, "changed outputs"),
    "invalid": (lambda m: m.graph.node.pop(0) and None, "ValidationError"),
    "an exception": (break_off, "KeyError"),
}


@pytest.mark.parametrize(("change", "said"), PLANTED.values(), ids=PLANTED)
def test_a_simplifier_that_changes_the_network_is_named(
    change: Callable[[onnx.ModelProto], None], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What onnxslim gives is spoiled: the error names it, its version and what changed."""
    import onnxslim

    slim = onnxslim.slim

    def wrong(model: onnx.ModelProto, **options: Any) -> onnx.ModelProto:
        after = slim(model, **options)
        change(after)
        return after

    monkeypatch.setattr(onnxslim, "slim", wrong)
    with pytest.raises(ConversionError, match=rf"onnxslim \d.*{said}") as caught:
        simplify(raw("unet", "torchscript", 13), image())
    assert caught.value.hop == "source->ONNX"


@pytest.mark.parametrize(("exporter", "opset"), [("torchscript", 11), ("torchscript", 13), ("dynamo", 18)])
@pytest.mark.parametrize("network", ["unet", "detector"])
def test_a_simplified_batch_is_dynamic(network: str, exporter: Exporter, opset: int, tmp_path: Path) -> None:
    """One model takes batches of 1 and 5, and gives what the network gives."""
    import torch

    module = getattr(pytorch_nets, network)()
    model = with_dynamic_batch(
        lambda size: convert(module, image(size), ["y"], opset, exporter, simplified=True)
    )
    onnx.save(model, tmp_path / "m.onnx")
    for batch in (1, 5):
        with torch.no_grad():
            expected = module(torch.from_numpy(image(batch)["x"])).numpy()
        got = OnnxRuntime(tmp_path / "m.onnx").run([image(batch)])[0]["y"]
        np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-5)


def test_sizes_behind_a_padding_are_found_out() -> None:
    """TorchScript leaves every size behind a padding layer open; folded, the graph has them all."""
    from torch import nn

    module = nn.Sequential(nn.ZeroPad2d((0, 1, 0, 1)), nn.Conv2d(3, 4, 3, 2))
    with pytest.raises(ConversionError, match="'y' has a dynamic shape"):
        convert(module, image(), ["y"], 13, "torchscript")
    model = convert(module, image(), ["y"], 13, "torchscript", simplified=True)
    assert [node.op_type for node in model.graph.node] == ["Pad", "Conv"]
    assert [dim.dim_value for dim in model.graph.output[0].type.tensor_type.shape.dim] == [1, 4, 16, 16]


def test_a_graph_that_does_not_run_is_not_blamed_on_the_simplifier() -> None:
    """ONNX Runtime is named where it refuses the exporter's own graph."""
    with pytest.raises(ConversionError, match="ONNX Runtime, before simplification: the graph does not run"):
        simplify(raw("unet", "torchscript", 13), {"x": np.zeros((1, 2, 32, 32), np.float32)})


def test_a_network_that_takes_no_other_values_is_held_on_the_example() -> None:
    """Indices that are computed from the input are out of range for noise; both graphs say so."""
    import torch
    from torch import nn

    class Table(nn.Module):
        def forward(self, x: Any) -> Any:
            return torch.arange(4.0)[(x * 1000).long()]

    x = np.array([0.003, 0, 0.001], np.float32)
    model = convert(Table().eval(), {"x": x}, ["y"], 13, "torchscript", simplified=True)
    assert "Gather" in kinds(model)


def test_integer_inputs_stay_in_their_range() -> None:
    """The second sample of a network that looks up rows has the first one's indices in another order."""
    import torch

    table = torch.nn.Embedding(4, 3)
    model = convert(table, {"i": np.array([[3, 0, 1]])}, ["rows"], 13, "torchscript", simplified=True)
    assert kinds(model) == {"Gather": 1}
