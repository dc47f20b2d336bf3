"""INT8 models keep TensorRT's rules and the accuracy, and damage to them is seen."""

import tomllib
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from fixtures.compatibility import inspect
from fixtures.compatibility.answers import ask
from fixtures.compatibility.tables.releases import by_label
from fixtures.converters.pytorch.convert import convert
from fixtures.metrics.accuracy import top1
from fixtures.quantization import graph, qdq
from fixtures.quantization.calibrators import METHODS
from fixtures.quantization.errors import QuantizationError
from fixtures.runtimes.onnxruntime import OnnxRuntime
from reference_models.pytorch import digits
from suites.meta.places import EXPECTATIONS

MISSING = [name for name in ("torch", "sklearn") if find_spec(name) is None]
needs_digits = pytest.mark.skipif(
    bool(MISSING), reason=f"not installed: {', '.join(MISSING)}; use dependency group 'convert'"
)
BUDGETS = EXPECTATIONS / "budgets.toml"
SHAPE = (1, 2, 6, 6)
Quantized = Callable[[str], Path]


def budget(route: str) -> float:
    """Read the allowed drop of 'digits', as a share."""
    rows = tomllib.loads(BUDGETS.read_text("utf-8"))["budget"]
    (row,) = (r for r in rows if (r.get("model"), r.get("route")) == ("digits", route))
    return row["drop"] / 100


@pytest.fixture(scope="module")
def dataset() -> dict[str, np.ndarray]:
    """Load the digits: calibration images, held-out images and labels."""
    return digits.dataset()


@pytest.fixture(scope="module")
def quantized(tmp_path_factory: pytest.TempPathFactory, dataset: dict[str, np.ndarray]) -> Quantized:
    """Return the digit classifier at opset 13: 'fp32', 'qdq' or 'weight-only'."""
    folder = tmp_path_factory.mktemp("digits")
    model = convert(digits.build(folder).module, digits.samples()[0], ["logits"], 13, "torchscript")
    onnx.save(model, folder / "fp32.onnx")
    images = ({"image": image[None]} for image in dataset["calibration"])
    qdq.quantize(folder / "fp32.onnx", folder / "qdq.onnx", images, per_channel=True)
    qdq.quantize_weights(folder / "fp32.onnx", folder / "weight-only.onnx")
    return lambda route: folder / f"{route}.onnx"


def accuracy(model: Path, dataset: dict[str, np.ndarray]) -> float:
    """Top-1 on the held-out digits."""
    samples = [{"image": image[None]} for image in dataset["images"]]
    logits = [outputs["logits"] for outputs in OnnxRuntime(model).run(samples)]
    return top1(np.concatenate(logits), dataset["labels"])


def replace(tensor: onnx.TensorProto, array: np.ndarray) -> None:
    """Give a tensor of a model other values."""
    tensor.CopyFrom(numpy_helper.from_array(array, tensor.name))


def conv_weight_scales(model: onnx.ModelProto) -> list[onnx.TensorProto]:
    """Find the scales of the weights of each Conv, in the order of the graph."""
    makers = {node.output[0]: node for node in model.graph.node}
    tensors = {tensor.name: tensor for tensor in model.graph.initializer}
    convs = [node for node in model.graph.node if node.op_type == "Conv"]
    return [tensors[makers[conv.input[1]].input[1]] for conv in convs]


@needs_digits
@pytest.mark.parametrize("route", ["qdq", "weight-only"])
def test_int8_is_within_its_budget(quantized: Quantized, dataset: dict[str, np.ndarray], route: str) -> None:
    """Each route costs the digit classifier no more top-1 than its budget."""
    drop = accuracy(quantized("fp32"), dataset) - accuracy(quantized(route), dataset)
    assert drop <= budget(route)


@needs_digits
@pytest.mark.parametrize("route", ["qdq", "weight-only"])
@pytest.mark.parametrize("conv", [0, 1, 2])
def test_a_bad_scale_breaks_the_budget(
    quantized: Quantized, dataset: dict[str, np.ndarray], tmp_path: Path, route: str, conv: int
) -> None:
    """One Conv's weight scale, eight times too great, costs more top-1 than the budget."""
    model = onnx.load(quantized(route))
    scale = conv_weight_scales(model)[conv]
    replace(scale, numpy_helper.to_array(scale) * np.float32(8))
    onnx.save(model, tmp_path / "bad.onnx")
    drop = accuracy(quantized("fp32"), dataset) - accuracy(tmp_path / "bad.onnx", dataset)
    assert drop > budget(route)


@needs_digits
def test_weights_alone_change_little(quantized: Quantized, dataset: dict[str, np.ndarray]) -> None:
    """Rounding the weights moves the logits by less than 2 % of their length."""
    samples = [{"image": image[None]} for image in dataset["images"][:50]]
    exact, rounded = (
        np.concatenate([o["logits"] for o in OnnxRuntime(quantized(route)).run(samples)])
        for route in ("fp32", "weight-only")
    )
    assert 0 < np.linalg.norm(rounded - exact) < 0.02 * np.linalg.norm(exact)


def conv_model(path: Path, opset: int = 13, dtype: int = TensorProto.FLOAT) -> Path:
    """Write a Conv with bias and a Relu: x (1, 2, 6, 6) -> y (1, 3, 4, 4)."""
    kind = helper.tensor_dtype_to_np_dtype(dtype)
    weights = np.random.default_rng(0).normal(0, 1, (3, 2, 3, 3))
    weights[1] *= 50  # so that one scale for all channels is much coarser than one for each
    constants = {"w": weights, "b": np.array([0.5, -0.5, 1.0])}
    nodes = [
        helper.make_node("Conv", ["x", "w", "b"], ["c"], "conv"),
        helper.make_node("Relu", ["c"], ["y"], "relu"),
    ]
    x = helper.make_tensor_value_info("x", dtype, SHAPE)
    y = helper.make_tensor_value_info("y", dtype, (1, 3, 4, 4))
    tensors = [numpy_helper.from_array(a.astype(kind), n) for n, a in constants.items()]
    body = helper.make_graph(nodes, "conv", [x], [y], tensors)
    imports = [helper.make_opsetid("", opset)]
    version = helper.find_min_ir_version_for(imports)
    onnx.save(helper.make_model(body, opset_imports=imports, ir_version=version), path)
    return path


def ramps(count: int, greatest: float = 1.0) -> Iterator[dict[str, np.ndarray]]:
    """Yield samples from 0 to 1, but the first of them to `greatest`."""
    ramp = np.linspace(0, 1, np.prod(SHAPE), dtype=np.float32).reshape(SHAPE)
    for number in range(count):
        yield {"x": ramp * np.float32(greatest if number == 0 else 1)}


def scale_of_input(model: Path) -> float:
    """Read the scale of the first QuantizeLinear."""
    loaded = onnx.load(model)
    name = next(n.input[1] for n in loaded.graph.node if n.op_type == "QuantizeLinear")
    return float(next(numpy_helper.to_array(t) for t in loaded.graph.initializer if t.name == name))


@pytest.mark.parametrize(("opset", "per_channel"), [(11, False), (13, False), (13, True), (21, True)])
def test_the_qdq_model_keeps_the_rules(tmp_path: Path, opset: int, per_channel: bool) -> None:
    """Zero points are int8 0, the bias stays float, the opset stays, and only inputs have pairs."""
    source, output = conv_model(tmp_path / "m.onnx", opset), tmp_path / "q.onnx"
    qdq.quantize(source, output, ramps(3), per_channel=per_channel)
    model = onnx.load(output)
    assert graph.violations(model) == []
    assert graph.opset(model) == opset
    kinds = sorted(node.op_type for node in model.graph.node)
    assert kinds == ["Conv", *["DequantizeLinear"] * 2, "QuantizeLinear", "Relu"]
    channels = [numpy_helper.to_array(scale).size for scale in conv_weight_scales(model)]
    assert channels == [3 if per_channel else 1]


@pytest.mark.parametrize(("opset", "channels"), [(10, 1), (12, 1), (13, 3), (21, 3)])
def test_the_weight_only_model_is_close(tmp_path: Path, opset: int, channels: int) -> None:
    """Weights are off by half a step at most, and per channel wherever the opset can say so."""
    source, output = conv_model(tmp_path / "m.onnx", opset), tmp_path / "q.onnx"
    qdq.quantize_weights(source, output)
    model = onnx.load(output)
    (scale,) = (numpy_helper.to_array(s) for s in conv_weight_scales(model))
    tensors = {t.name: numpy_helper.to_array(t) for t in model.graph.initializer}
    exact = {t.name: numpy_helper.to_array(t) for t in onnx.load(source).graph.initializer}["w"]
    (rounded,) = (array for array in tensors.values() if array.ndim == 4)
    steps = scale.reshape(-1, 1, 1, 1)
    assert (scale.size, rounded.dtype.name) == (channels, "int8")
    assert (np.abs(rounded * steps - exact) <= 0.5001 * steps).all()


@pytest.mark.parametrize("route", ["qdq", "weight-only"])
def test_a_convolution_says_its_kernel(route: str, tmp_path: Path) -> None:
    """TensorRT 8 takes it, which reads the kernel off constant weights alone where it is not written."""
    source, output = conv_model(tmp_path / "m.onnx", 13), tmp_path / "q.onnx"
    if route == "qdq":
        qdq.quantize(source, output, ramps(2), per_channel=True)
    else:
        qdq.quantize_weights(source, output)
    model = onnx.load(output)
    (conv,) = (node for node in model.graph.node if node.op_type == "Conv")
    kernel = {attribute.name: list(attribute.ints) for attribute in conv.attribute}["kernel_shape"]
    release = by_label("trt8.6")
    assert release is not None
    (answer,) = ask(inspect(model), [release], gpu=True)
    assert (kernel, list(answer.refused)) == ([3, 3], [])


def test_weights_next_to_nothing_have_a_scale(tmp_path: Path) -> None:
    """Subnormal ones, whose scale would be flushed to 0, are taken for 0."""
    source, output = conv_model(tmp_path / "m.onnx", 13), tmp_path / "q.onnx"
    model = onnx.load(source)
    (weights,) = (tensor for tensor in model.graph.initializer if tensor.name == "w")
    values = numpy_helper.to_array(weights).copy()
    values[0], values[1] = 1e-37, 1e-44
    weights.CopyFrom(numpy_helper.from_array(values, "w"))
    onnx.save(model, source)
    qdq.quantize_weights(source, output)
    (scale,) = (numpy_helper.to_array(s) for s in conv_weight_scales(onnx.load(output)))
    assert scale[:2].tolist() == [1.0, 1.0]
    assert scale[2] == np.abs(values[2]).max() / np.float32(127)


@pytest.mark.parametrize("method", METHODS)
def test_every_sample_counts(tmp_path: Path, method: str) -> None:
    """The greatest value of the first of forty samples sets the range."""
    source = conv_model(tmp_path / "m.onnx")
    for greatest in (1.0, 4.0):
        output = tmp_path / f"{greatest}.onnx"
        qdq.quantize(source, output, ramps(40, greatest), per_channel=True, method=method)
        assert scale_of_input(output) == pytest.approx(greatest / 127, rel=0.02)


def test_quantizing_is_repeatable(tmp_path: Path) -> None:
    """The same model and data give the same bytes, by either route."""
    source = conv_model(tmp_path / "m.onnx")
    for number in (0, 1):
        qdq.quantize(source, tmp_path / f"q{number}", ramps(3), per_channel=True)
        qdq.quantize_weights(source, tmp_path / f"w{number}")
    for route in "qw":
        assert (tmp_path / f"{route}0").read_bytes() == (tmp_path / f"{route}1").read_bytes()


@pytest.mark.parametrize(
    ("samples", "message"),
    [
        ([], "calibration set is empty"),
        ([{"y": np.zeros(SHAPE, np.float32)}], r"sample 0 names \['y'\], inputs are \['x'\]"),
        ([*ramps(2), {"x": np.zeros((1, 2), np.float32)}], r"sample 2, 'x': float32 \(1, 2\)"),
        ([{"x": np.zeros(SHAPE)}], "'x': float64"),
        ([{"x": np.full(SHAPE, np.nan, np.float32)}], "sample 0, 'x': has values that are NaN"),
    ],
    ids=["empty", "name", "shape", "type", "NaN"],
)
def test_bad_calibration_data_is_named(
    tmp_path: Path, samples: list[dict[str, np.ndarray]], message: str
) -> None:
    """Data that cannot calibrate is refused by sample and input, and nothing is written."""
    source, output = conv_model(tmp_path / "m.onnx"), tmp_path / "q.onnx"
    with pytest.raises(QuantizationError, match=message) as caught:
        qdq.quantize(source, output, samples, per_channel=True)
    assert caught.value.hop == "calibration"
    assert [file.name for file in tmp_path.iterdir()] == ["m.onnx"]


def test_a_model_that_cannot_be_quantized_is_named(tmp_path: Path) -> None:
    """An fp16 model, a quantized one and one below opset 13 per channel are refused."""
    half = conv_model(tmp_path / "half.onnx", dtype=TensorProto.FLOAT16)
    with pytest.raises(QuantizationError, match="holds FLOAT16"):
        qdq.quantize_weights(half, tmp_path / "q.onnx")
    source = conv_model(tmp_path / "m.onnx", opset=12)
    with pytest.raises(QuantizationError, match="begins at opset 13, the model has 12"):
        qdq.quantize(source, tmp_path / "q.onnx", ramps(1), per_channel=True)
    qdq.quantize_weights(source, tmp_path / "once.onnx")
    with pytest.raises(QuantizationError, match="quantized already"):
        qdq.quantize(tmp_path / "once.onnx", tmp_path / "q.onnx", ramps(1), per_channel=False)


def damage(model: onnx.ModelProto, what: str) -> None:
    """Break one of TensorRT's rules in a Q/DQ model."""
    tensors = {tensor.name: tensor for tensor in model.graph.initializer}
    pair = next(node for node in model.graph.node if node.op_type == "QuantizeLinear")
    conv = next(node for node in model.graph.node if node.op_type == "Conv")
    if what == "zero point":
        replace(tensors[pair.input[2]], np.array(3, np.int8))
    elif what == "scale":
        replace(tensors[pair.input[1]], np.array(0, np.float32))
    else:
        conv.input[2] = conv.input[1]


@pytest.mark.parametrize("what", ["zero point", "scale", "bias"])
def test_a_broken_rule_is_seen(tmp_path: Path, what: str) -> None:
    """A zero point that is not 0, a scale of 0 and a quantized bias are each named."""
    output = tmp_path / "q.onnx"
    qdq.quantize(conv_model(tmp_path / "m.onnx"), output, ramps(1), per_channel=True)
    model = onnx.load(output)
    damage(model, what)
    assert any(what in text for text in graph.violations(model))


def test_a_model_without_pairs_is_no_quantized_model(tmp_path: Path) -> None:
    """A float model breaks the rule that something must be quantized."""
    model = onnx.load(conv_model(tmp_path / "m.onnx"))
    assert graph.violations(model) == ["nothing is quantized"]
