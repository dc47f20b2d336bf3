"""Tables and TensorRT are judged by whether they agree, an ONNX model's form by what was asked for."""

from dataclasses import replace

import onnx
import pytest
from onnx import helper

from fixtures.cases import Case
from fixtures.checks.build import (  # fmt: skip
    BuiltModel,
    measure_layers,
    require_held,
    require_right,
    require_support,
)
from fixtures.checks.conversion import Conversion
from fixtures.compatibility import inspect
from fixtures.compatibility.answers import Answer, ask
from fixtures.compatibility.tables.releases import release
from fixtures.expectations import Row
from fixtures.pipeline.engines import Calibration
from fixtures.recording import RecordDraft
from fixtures.runtimes.tensorrt.layers import Layers
from fixtures.runtimes.tensorrt.messages import Build
from fixtures.verdicts import StageError, Unsupported
from suites.meta.networks import quantizable
from suites.meta.networks.support_models import resize

BUILT = Build(True, "builder", (), (), 0.1, 0.2, 6, "", 3, (), ())
REFUSED = replace(BUILT, ok=False, stage="parser", log=("ERROR: no Det",))
TAKEN = Answer(release("tensorrt-rtx", "1.7"), ())


def answer(model: onnx.ModelProto) -> Answer:
    """Return what the tables say of a model for TensorRT-RTX 1.7 without a GPU."""
    (found,) = ask(inspect(model), [release("tensorrt-rtx", "1.7")], gpu=False)
    return found


@pytest.fixture(scope="module")
def predicted() -> Answer:
    """What the tables say of a model with two determinants."""
    nodes = [onnx.helper.make_node("Det", ["x"], [name], name=name) for name in ("a", "b")]
    x = onnx.helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [1, 2, 2])
    outs = [onnx.helper.make_tensor_value_info(n, onnx.TensorProto.FLOAT, [1]) for n in ("a", "b")]
    model = onnx.helper.make_model(
        onnx.helper.make_graph(nodes, "g", [x], outs), opset_imports=[onnx.helper.make_opsetid("", 13)]
    )
    return answer(model)


def test_taken_by_both_is_nothing_to_say() -> None:
    """A model that the tables take, and that is built, passes."""
    BuiltModel("rtx1.7", TAKEN, BUILT, None).require_as_predicted()
    require_support(TAKEN)


def test_computed_wrong_is_red() -> None:
    """A model that is taken and computed otherwise fails support and build, naming node and row."""
    wrong = answer(resize(mode="linear", coordinate_transformation_mode="tf_half_pixel_for_nn"))
    BuiltModel("rtx1.7", wrong, BUILT, None).require_as_predicted()
    for judge in (require_support, require_right):
        with pytest.raises(
            StageError, match=r"Resize 'node' is taken, but wrong: .*half_pixel.*json"
        ) as caught:
            judge(wrong)
        assert (caught.value.verdict, caught.value.hop) == ("failed", "table")


LEAST = Row("shares.toml row 1", {"precision": "fp16"}, {"share": 50.0})


def draft(precision: str) -> RecordDraft:
    """Return the draft of a parity case."""
    return RecordDraft(Case("tensorrt-parity", "digits", "torchscript", 13, precision=precision), {})


def test_a_precision_that_few_layers_have_is_red() -> None:
    """The share is recorded with its limit, and the message says what the builder chose instead."""
    few = draft("fp16")
    with pytest.raises(
        StageError, match="is 25 % of layers, the limit is 50: the builder chose 25 % fp16, 75"
    ):
        measure_layers(few, Layers(5, {"fp16": 1, "fp32": 3}), LEAST)
    assert (few.metrics["fp16_layers"].limit, few.metrics["fp32_layers"].limit) == (50, None)
    with pytest.raises(StageError, match="is 0 % of layers"):
        measure_layers(draft("fp16"), Layers(5, {"fp32": 3}), LEAST)


def test_a_precision_that_most_layers_have_passes() -> None:
    """Nothing is asked where no row is, and what cannot be told is noted."""
    measure_layers(draft("fp16"), Layers(5, {"fp16": 2, "fp32": 2}), LEAST)
    measure_layers(draft("fp32"), Layers(5, {"int8": 4}), None)
    untold = draft("fp16")
    measure_layers(untold, Layers(5, {}), LEAST)
    assert "does not tell" in untold.notes[0]


def test_refused_by_both_is_unsupported(predicted: Answer) -> None:
    """Both are quoted."""
    with pytest.raises(Unsupported, match=r"Det.*; the parser says: ERROR: no Det"):
        BuiltModel("rtx1.7", predicted, REFUSED, None).require_as_predicted()
    with pytest.raises(Unsupported, match=r"Det.* \(and 1 more\)$"):
        require_support(predicted)


def test_taken_against_the_table_is_the_fault_of_the_table(predicted: Answer) -> None:
    """A refusal that is only in the table is red."""
    with pytest.raises(StageError, match=r"rtx1\.7 takes what the table refuses: Det") as caught:
        BuiltModel("rtx1.7", predicted, BUILT, None).require_as_predicted()
    assert (caught.value.verdict, caught.value.hop) == ("failed", "table")


def test_refused_without_warning_is_the_fault_of_who_refuses() -> None:
    """Parser or builder is guilty, in its own words."""
    with pytest.raises(StageError, match="ERROR: no Det") as caught:
        BuiltModel("rtx1.7", TAKEN, REFUSED, None).require_as_predicted()
    assert (caught.value.verdict, caught.value.hop) == ("failed", "parser")


@pytest.mark.parametrize("opsets", [{"": 14}, {"": 13, "com.microsoft": 1}, {}])
def test_another_opset_than_the_one_asked_for_is_red(opsets: dict[str, int]) -> None:
    """Another version, another domain beside it, and none are each the fault of the opset."""
    with pytest.raises(StageError, match=r"opset is .*, asked for 13$") as caught:
        Conversion(opsets, ()).require_opset(13)
    assert caught.value.hop == "opset"


@pytest.mark.parametrize("outputs", [("b", "a"), ("a",), ("a", "b", "c")])
def test_other_outputs_than_those_asked_for_are_red(outputs: tuple[str, ...]) -> None:
    """Outputs in another order, one too few and one too many are each the converter's fault."""
    with pytest.raises(StageError, match=r"outputs are .*, expected") as caught:
        Conversion({"": 13}, outputs).require_outputs(("a", "b"))
    assert caught.value.hop == "source->ONNX"


def test_the_form_asked_for_passes() -> None:
    """The right opset and outputs raise nothing."""
    form = Conversion({"": 13}, ("a", "b"))
    form.require_opset(13)
    form.require_outputs(("a", "b"))


@pytest.mark.parametrize(("held", "lost"), [(("gemm", "odds"), ""), (("gemm",), ""), (("odds",), "gemm")])
def test_a_layer_that_the_builder_did_not_find_is_named(held: tuple[str, ...], lost: str) -> None:
    """Planted: a layer with weights that was to stay in float and that no layer of TensorRT is known as."""
    model = quantizable.residual()
    model.graph.node.append(helper.make_node("Identity", ["scores"], ["odds"], "odds"))
    asked = Calibration({}, "", "minmax", in_float={"gemm": ["scores"], "odds": ["odds"]})
    if not lost:
        require_held(model, asked, replace(BUILT, in_float=held))
        return
    with pytest.raises(
        StageError, match="gemm: to stay in float, and no layer of TensorRT's network has"
    ) as caught:
        require_held(model, asked, replace(BUILT, in_float=held))
    assert caught.value.verdict == "failed"
    require_held(model, asked, replace(REFUSED, in_float=()))
