"""Both torch exporters are held to the opset, names and shapes asked for."""

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from fixtures.converters.errors import ConversionError
from fixtures.converters.pytorch.convert import Exporter, OpsetNotHonoured, check, check_static, convert
from fixtures.runtimes import torch_runtime
from fixtures.runtimes.onnxruntime import OnnxRuntime
from fixtures.verdicts import StageError
from reference_models.model import ReferenceModel
from reference_models.pytorch import digits, yolov5n
from suites.meta.places import ROOT

MISSING = [
    n for n in ("torch", "onnxscript", "onnxslim", "sklearn", "skimage", "PIL") if find_spec(n) is None
]
pytestmark = pytest.mark.skipif(
    bool(MISSING), reason=f"not installed: {', '.join(MISSING)}; use dependency group 'convert'"
)
EXPORTERS: list[tuple[Exporter, int]] = [("torchscript", 11), ("dynamo", 18)]
Built = Callable[[ReferenceModel], Any]
IMAGE = {"image": np.zeros((1, 1, 8, 8), np.float32)}


@pytest.fixture(scope="module")
def built() -> Built:
    """Return a model's module, built once."""
    modules: dict[str, Any] = {}

    def give(model: ReferenceModel) -> Any:
        if model.name not in modules:
            modules[model.name] = model.build(Path()).module
        return modules[model.name]

    return give


@pytest.fixture
def digit_net(built: Built) -> Any:
    """Build the digit classifier."""
    return built(digits.MODEL)


@pytest.mark.parametrize(
    ("model", "exporter", "opset"),
    [
        *((digits.MODEL, "torchscript", opset) for opset in (10, 11, 12, 13, 17, 23)),
        *((digits.MODEL, "dynamo", opset) for opset in (18, 21)),
        *((yolov5n.MODEL, "torchscript", opset) for opset in (10, 21)),
    ],
    ids=lambda value: getattr(value, "name", str(value)),
)
def test_the_model_answers_like_its_source(
    built: Built, tmp_path: Path, model: ReferenceModel, exporter: Exporter, opset: int
) -> None:
    """ONNX Runtime gives for every sample what the network itself gives, to 5e-5, simplified as in a run."""
    samples = model.samples()
    converted = convert(built(model), samples[0], model.outputs, opset, exporter, simplified=True)
    onnx.save(converted, tmp_path / "model.onnx")
    expected = torch_runtime.run(built(model), samples, model.outputs)
    got = OnnxRuntime(tmp_path / "model.onnx").run(samples)
    for want, have in zip(expected, got, strict=True):
        assert list(have) == list(model.outputs)
        for name in model.outputs:
            np.testing.assert_allclose(have[name], want[name], rtol=5e-5, atol=5e-5)


@pytest.mark.parametrize("opset", [10, 11, 13, 17])
def test_another_opset_than_asked_is_an_error(
    digit_net: Any, opset: int, capfd: pytest.CaptureFixture[str]
) -> None:
    """The dynamo exporter's stay at opset 18 is named, with asked, got, and what it would have printed."""
    with pytest.raises(OpsetNotHonoured, match=f"asked for opset {opset}, got opset 18") as caught:
        convert(digit_net, IMAGE, ["logits"], opset, "dynamo")
    assert (caught.value.asked, caught.value.got, caught.value.verdict) == (opset, 18, "unsupported")
    assert caught.value.hop == "source->ONNX"
    assert caught.value.reason in str(caught.value)
    assert "No initializer or constant input" in caught.value.reason
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(("exporter", "opset"), EXPORTERS)
def test_the_same_module_gives_the_same_bytes(
    digit_net: Any, capfd: pytest.CaptureFixture[str], exporter: Exporter, opset: int
) -> None:
    """Exports of both modes are equal byte for byte, hold no path of this machine, print nothing."""
    import torch

    first, second = (
        convert(digit_net.train(mode), IMAGE, ["logits"], opset, exporter).SerializeToString(
            deterministic=True
        )
        for mode in (True, False)
    )
    assert first == second
    assert not digit_net.training
    for place in (Path(torch.__file__).parent, ROOT):
        assert str(place).encode() not in first
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(("exporter", "opset"), EXPORTERS)
def test_too_many_output_names_are_an_error(digit_net: Any, exporter: Exporter, opset: int) -> None:
    """A name for a result that the module does not give is refused."""
    with pytest.raises(ConversionError, match=r"torch\.onnx\.export"):
        convert(digit_net, IMAGE, ["logits", "labels"], opset, exporter)


@pytest.mark.parametrize(("exporter", "opset"), EXPORTERS)
def test_too_few_output_names_are_an_error(exporter: Exporter, opset: int) -> None:
    """A result without a name is refused, and the message shows what there is."""
    import torch

    class Heads(torch.nn.Module):
        def forward(self, image: Any) -> Any:
            return image + 1, image * 2

    with pytest.raises(ConversionError, match=r"outputs are \['p3', .*expected \['p3'\]"):
        convert(Heads(), IMAGE, ["p3"], opset, exporter)


def test_an_exporter_that_fails_is_a_conversion_error(digit_net: Any) -> None:
    """An input that the network cannot take is reported with the exporter's own reason."""
    image = {"image": np.zeros((1, 3, 8, 8), np.float32)}
    with pytest.raises(ConversionError, match=r"opset 13: RuntimeError: .*channels"):
        convert(digit_net, image, ["logits"], 13, "torchscript")


def test_an_unknown_exporter_is_refused(digit_net: Any) -> None:
    """Only the two exporters have a name."""
    with pytest.raises(ValueError, match="'torchscript' or 'dynamo'"):
        convert(digit_net, IMAGE, ["logits"], 13, "fx")  # type: ignore[arg-type]


def planted(what: str) -> onnx.ModelProto:
    """Make a sound model of one Relu, x -> y, with one thing wrong."""
    shape: list[str | int] = ["N" if what == "dynamic" else 1, 4]
    domain = "com.example" if what == "foreign" else ""
    kind = "NoSuchOperator" if what == "invalid" else "Relu"
    node = onnx.helper.make_node(kind, ["x"], ["y"], domain=domain)
    values = [onnx.helper.make_tensor_value_info(n, onnx.TensorProto.FLOAT, shape) for n in "xy"]
    graph = onnx.helper.make_graph([node], "planted", values[:1], values[1:])
    imports = [onnx.helper.make_opsetid("", 13), onnx.helper.make_opsetid("com.example", 1)]
    return onnx.helper.make_model(graph, opset_imports=imports)


@pytest.mark.parametrize(
    ("what", "names", "message"),
    [
        ("nothing", ("z", "y"), r"inputs are \['x'\], expected \['z'\]"),
        ("nothing", ("x", "z"), r"outputs are \['y'\], expected \['z'\]"),
        ("foreign", ("x", "y"), r"operators of \['com.example'\] are not ONNX"),
        ("invalid", ("x", "y"), "not valid ONNX.*NoSuchOperator"),
    ],
)
def test_each_defect_of_a_model_is_named(what: str, names: tuple[str, str], message: str) -> None:
    """Wrong names, foreign operators and invalid graphs are each told apart."""
    check(planted("nothing"), ["x"], ["y"], "dynamo")
    with pytest.raises(ConversionError, match=f"(?s){message}"):
        check(planted(what), [names[0]], [names[1]], "dynamo")


def test_a_shape_that_stays_open_is_named() -> None:
    """A model whose sizes are not all known is refused by the tensor's name."""
    check_static(planted("nothing"), "dynamo")
    with pytest.raises(ConversionError, match="'x' has a dynamic shape"):
        check_static(planted("dynamic"), "dynamo")


def test_the_source_runtime_counts_outputs(digit_net: Any) -> None:
    """A module that gives another number of outputs than the row names is an error."""
    with pytest.raises(StageError, match=r"gives 1 outputs, .*names 2 \(logits, labels\)"):
        torch_runtime.run(digit_net, [IMAGE], ["logits", "labels"])


def test_the_source_runtime_times_each_pass(digit_net: Any) -> None:
    """One positive latency in milliseconds comes back for each iteration."""
    taken = torch_runtime.time(digit_net, IMAGE, 3)
    assert len(taken) == 3
    assert min(taken) > 0
