"""Models quantized by ONNX Runtime and by Model Optimizer: what `fix` makes of them, exactly or in INT8."""

import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from fixtures.commands.fix import STAYS_FLOAT, main
from fixtures.compatibility.rewrites.symmetry import make_symmetric
from fixtures.quantization import graph
from fixtures.quantization.migrate import from_pairs
from suites.meta.networks import quantizable

FORMS: dict[str, dict[str, Any]] = {
    "uint8 weights": {"weight_type": "QUInt8"},
    "int8 weights": {"weight_type": "QInt8"},
    "per channel": {"weight_type": "QInt8", "per_channel": True},
    "int8 activations": {"activation_type": "QInt8", "weight_type": "QInt8"},
}
"""Arguments of ONNX Runtime's `quantize_static`; activations are uint8 where nothing is said."""
MODELOPT = Path(__file__).with_name("digits-modelopt.onnx")
"""The digit classifier as Model Optimizer 0.47.0 quantizes it, `dq_only`: reference_models/PROVENANCE.md."""
Made = Callable[[str], Path]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """Quantize a network with biases by ONNX Runtime."""
    from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

    folder = tmp_path_factory.mktemp("foreign")
    model = quantizable.residual()
    model.graph.initializer.append(numpy_helper.from_array(np.full(4, 0.3, np.float32), "bias"))
    model.graph.node[2].input.append("bias")
    onnx.save(model, folder / "float.onnx")

    class Reader(CalibrationDataReader):
        def __init__(self) -> None:
            self.left = iter(quantizable.images(8))

        def get_next(self) -> Any:
            return next(self.left, None)

    def quantized(form: str) -> Path:
        path = folder / f"{form}.onnx"
        if form != "float" and not path.exists():
            kinds = {"activation_type": "QUInt8", **FORMS[form]}
            types = {name: QuantType[kind] for name, kind in kinds.items() if name.endswith("type")}
            quantize_static(
                folder / "float.onnx", path, Reader(), quant_format=QuantFormat.QDQ, **{**kinds, **types}
            )
        return path

    return quantized


def scores(path: Path) -> np.ndarray:
    """What ONNX Runtime makes of seeded images; its optimizer, which rounds in its own way, is off."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    return np.concatenate([session.run(None, feed)[0] for feed in quantizable.images(16, seed=2)])


def apart(one: Path, other: Path) -> float:
    """Relative L2 of two models' outputs."""
    expected = scores(other)
    return float(np.linalg.norm(scores(one) - expected) / np.linalg.norm(expected))


def operators(path: Path) -> Counter[str]:
    """Count the operators of a model."""
    return Counter(node.op_type for node in onnx.load(path).graph.node)


def fix(path: Path, output: Path, *words: str, version: str = "rtx1.7") -> int:
    """Run the command."""
    return main([str(path), "--tensorrt", version, "-o", str(output), *words])


@pytest.mark.parametrize("version", ["8.6", "10.3", "11.0", "rtx1.7"])
@pytest.mark.parametrize("form", FORMS)
def test_exactly_it_is_taken_in_floats(
    form: str, version: str, made: Made, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same function up to rounding, and a note that nothing of it stays INT8, and what would."""
    assert fix(made(form), tmp_path / "fixed.onnx", version=version) == 0
    assert STAYS_FLOAT in capsys.readouterr().out
    assert apart(tmp_path / "fixed.onnx", made(form)) < 1e-4


@pytest.mark.parametrize("version", ["8.6", "11.0", "rtx1.7"])
@pytest.mark.parametrize("form", FORMS)
def test_symmetrically_it_stays_int8(form: str, version: str, made: Made, tmp_path: Path) -> None:
    """Every pair is there, none in floats, by TensorRT's rules; at most two and a half times the noise."""
    assert fix(made(form), tmp_path / "fixed.onnx", "--symmetric", version=version) == 0
    before, after = operators(made(form)), operators(tmp_path / "fixed.onnx")
    assert before["QuantizeLinear"] == after["QuantizeLinear"] == 10
    assert not {"Round", "Div"} & set(after)
    assert after["Relu"] == 1
    assert graph.violations(onnx.load(tmp_path / "fixed.onnx")) == []
    noise = apart(made(form), made("float"))
    assert apart(tmp_path / "fixed.onnx", made("float")) < 2.5 * noise


def test_without_its_relu_it_would_be_another_network(made: Made, tmp_path: Path) -> None:
    """The Relu that ONNX Runtime left to the pair is what keeps the outputs."""
    fix(made("int8 weights"), tmp_path / "fixed.onnx", "--symmetric")
    model = onnx.load(tmp_path / "fixed.onnx")
    (relu,) = (node for node in model.graph.node if node.op_type == "Relu")
    relu.op_type = "Identity"
    onnx.save(model, tmp_path / "planted.onnx")
    assert apart(tmp_path / "planted.onnx", made("float")) > 0.2


@pytest.mark.parametrize("form", FORMS)
def test_its_scales_make_a_cache(form: str, made: Made, tmp_path: Path) -> None:
    """Made symmetric, the model comes apart into float32 and scales, which it does not before."""
    fix(made(form), tmp_path / "fixed.onnx", "--symmetric")
    with pytest.raises(ValueError, match="fix --symmetric"):
        _apart(made(form))
    model, scales = from_pairs(tmp_path / "fixed.onnx")
    assert len(scales) == 10
    assert not {node.op_type for node in model.graph.node} & set(graph.PAIR)


def _apart(path: Path) -> None:
    try:
        from_pairs(path)
    except Exception as error:
        raise ValueError(str(error)) from error


def test_a_symmetric_model_has_nothing_to_make_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The option that changes nothing is an error, and nothing is written."""
    assert fix(MODELOPT, tmp_path / "fixed.onnx", "--symmetric") == 1
    assert "--symmetric: the model has no pair and no weights with another zero point" in (
        capsys.readouterr().err
    )
    assert not (tmp_path / "fixed.onnx").exists()


def test_weights_of_each_channel_are_rounded_by_half_a_step() -> None:
    """uint8 weights around 200 do not fit int8: each channel gets a scale of its own greatest."""
    random = np.random.default_rng(0)
    values = random.integers(0, 256, (3, 2, 1, 1)).astype(np.uint8)
    arrays: dict[str, np.ndarray] = {
        "w": values,
        "s": np.array([0.1, 0.2, 0.3], np.float32),
        "z": np.full(3, 200, np.uint8),
    }
    nodes = [helper.make_node("DequantizeLinear", ["w", "s", "z"], ["d"], "d", axis=0),
             helper.make_node("Conv", ["x", "d"], ["y"], "conv")]  # fmt: skip
    ends = [
        helper.make_tensor_value_info(n, TensorProto.FLOAT, [1, c, 4, 4]) for n, c in (("x", 2), ("y", 3))
    ]
    body = helper.make_graph(
        nodes, "g", ends[:1], ends[1:], [numpy_helper.from_array(a, n) for n, a in arrays.items()]
    )
    model = helper.make_model(body, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    exact = (values.astype(float) - 200) * arrays["s"].reshape(3, 1, 1, 1)
    assert [operator for _, operator, _ in make_symmetric(model)] == ["DequantizeLinear"]
    held = {t.name: numpy_helper.to_array(t) for t in model.graph.initializer}
    quantized, scale, zero = (held[name] for name in model.graph.node[0].input)
    steps = scale.reshape(3, 1, 1, 1)
    assert (quantized.dtype, zero.dtype, zero.any()) == (np.dtype(np.int8), np.dtype(np.int8), False)
    assert (np.abs(quantized * steps - exact) <= 0.501 * steps).all()


def test_what_model_optimizer_writes_is_taken_as_it_is(tmp_path: Path) -> None:
    """DQ-only weights, symmetric pairs: nothing to change for a TensorRT of its opset, and a cache of it."""
    assert fix(MODELOPT, tmp_path / "fixed.onnx", version="11.0") == 0
    assert onnx.load(tmp_path / "fixed.onnx") == onnx.load(MODELOPT)
    assert fix(MODELOPT, tmp_path / "older.onnx", version="8.6") == 0
    model, scales = from_pairs(tmp_path / "older.onnx")
    assert sorted(scales)[-1] == "image"
    assert not {node.op_type for node in model.graph.node} & set(graph.PAIR)


@pytest.fixture(scope="module")
def rtx() -> Iterator[Any]:
    """The TensorRT-RTX of the running interpreter."""
    pytest.importorskip("tensorrt_rtx", reason="this interpreter has no TensorRT-RTX")
    from fixtures.runtimes.tensorrt.client import TensorRT

    with TensorRT(Path(sys.executable), timeout=120) as runtime:
        yield runtime


@pytest.mark.parametrize("form", FORMS)
def test_tensorrt_builds_it_after_and_not_before(form: str, made: Made, rtx: Any, tmp_path: Path) -> None:
    """The real parser and builder of TensorRT-RTX."""
    fix(made(form), tmp_path / "fixed.onnx", "--symmetric")
    assert not rtx.build(made(form), precision="int8").ok
    after = rtx.build(tmp_path / "fixed.onnx", precision="int8")
    assert after.ok, after.problem


def test_tensorrt_builds_what_model_optimizer_writes(rtx: Any) -> None:
    """As it is."""
    built = rtx.build(MODELOPT, precision="int8")
    assert built.ok, built.problem
