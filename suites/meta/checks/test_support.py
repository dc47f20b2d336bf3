"""The stage `support` asks the tables about every release, and needs no TensorRT for it."""

from pathlib import Path

import onnx
import pytest
from onnx import helper

from fixtures.cases import Case, Selection
from fixtures.checks.build import model_to_ask_about, predict, require_support
from fixtures.compatibility import by_label, releases
from fixtures.converters.errors import ConversionError
from fixtures.pipeline.pipeline import OnnxModel
from fixtures.recording import RecordDraft, judge
from fixtures.records import Record
from fixtures.report.matrix import column_of
from fixtures.stages import stage
from fixtures.store.artifacts import StoreError
from fixtures.verdicts import RED, NotRun, StageError, Unsupported
from reference_models import registry
from suites.meta.gates.child_runs import pipeline, plant, run
from suites.meta.networks.support_models import one

LABELS = tuple(row.label for row in releases())
STAGE = ("suites/test_support.py", "--model=digits", "--opset=11", "-m", "not tensorrt")


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """A store with the digits model at opset 11."""
    pytest.importorskip("torch")
    path = tmp_path / "artifacts"
    pipeline(path).onnx_model("digits", "torchscript", 11)
    return path


def add_resize(model: onnx.ModelProto) -> None:
    """Put a Resize of default attributes before the first node; its name is ``planted``."""
    scales = helper.make_tensor("scales", onnx.TensorProto.FLOAT, [4], [1.0] * 4)
    model.graph.initializer.append(scales)
    model.graph.node.insert(
        0, helper.make_node("Resize", [model.graph.input[0].name, "", "scales"], ["resized"], name="planted")
    )


def test_a_case_for_every_release() -> None:
    """One case a model, opset and release; none when the tables are left out."""
    models = (registry.models()["digits"],)
    for predicted in (LABELS, ()):
        chosen = Selection(models, (10, 11), (), ("fp32",), predicted=predicted)
        assert len(list(stage("support").cases(chosen))) == 2 * len(predicted)


def test_a_planted_resize_is_named_for_the_releases_that_refuse_it(store: Path) -> None:
    """The releases that refuse the planted node are unsupported, the others pass; the run is green."""
    plant(store, "onnx", add_resize)
    ended = run(store, *STAGE)
    assert ended.code == 0, ended.output
    assert len(ended.records) == len(LABELS)
    refused = [r for r in ended.records if r.verdict == "unsupported"]
    assert [r.tensorrt["version"] for r in refused] == ["7.0", "7.1", "7.2"]
    assert all("Resize 'planted' is refused by the parser" in r.message for r in refused)
    assert {r.tensorrt["flavour"] for r in ended.records} == {"tensorrt", "tensorrt-rtx"}


CASE = Case("support", "net", "torchscript", 11, tensorrt="trt7.0")


@pytest.mark.parametrize(
    ("error", "kind"),
    [(ConversionError("net.py", "branches on a value", "Trace it"), NotRun),
     (ConversionError("net.py", "no way down", "Export it anew", "unsupported"), Unsupported),
     (ValueError("a fault of a converter"), NotRun)],
)  # fmt: skip
def test_a_model_that_was_not_converted_names_the_case_that_says_why(
    error: Exception, kind: type[StageError]
) -> None:
    """Cause and remedy stand in the cell of `convert`, once: those of 39 releases are short and not red."""

    def convert() -> OnnxModel:
        raise error

    with pytest.raises(kind) as said:
        model_to_ask_about(CASE, convert, told=True)
    assert str(said.value).endswith("see stage convert, case net-torchscript-opset11-fp32")
    assert said.value.verdict not in RED


def test_what_is_missing_here_is_said_as_it_is() -> None:
    """A framework that is not installed is no fault of the model: its reason stands in each cell."""

    def convert() -> OnnxModel:
        raise NotRun("torch is not installed here")

    with pytest.raises(NotRun, match="torch is not installed"):
        model_to_ask_about(CASE, convert, told=True)


@pytest.mark.parametrize(
    ("error", "told"),
    [(ConversionError("a", "branches", "b"), False), (StoreError("the disk is full"), True)],
)
def test_what_no_other_case_says_is_said_here(error: Exception, told: bool) -> None:
    """In a run without the stage `convert` a model that is not converted is red, and so is a broken store."""

    def convert() -> OnnxModel:
        raise error

    with pytest.raises(type(error)) as said:
        model_to_ask_about(CASE, convert, told=told)
    assert said.value is error


@pytest.mark.parametrize(("opset", "noted"), [(13, True), (11, False)])
def test_an_opset_without_a_document_passes_and_says_so(opset: int, noted: bool, tmp_path: Path) -> None:
    """TensorRT 7.1 documents opset 11: above it the record has what the command `support` says."""
    path = tmp_path / "m.onnx"
    onnx.save(one("Relu", opset=opset), path)
    row = by_label("trt7.1")
    assert row is not None
    draft = RecordDraft(Case("support", "m", "onnx", opset), {"name": "m"})
    draft.tensorrt = {"flavour": row.flavour, "version": row.version}
    model = OnnxModel(path, "0a", {}, "m")
    answer = predict(draft, pipeline(tmp_path / "artifacts"), model)
    require_support(answer)
    ended = judge(draft, None, ())
    assert ended.verdict == "passed"
    assert ("undocumented" in ended.message) is noted is ("undocumented" in draft.metrics)
    assert answer.verdict == ("undocumented" if noted else "taken")


def test_the_option_leaves_the_stage_out(store: Path) -> None:
    """`--support none` writes no record."""
    assert run(store, *STAGE, "--support", "none").records == []


def test_the_report_says_that_nothing_was_built() -> None:
    """What is predicted stands apart from what was built."""
    record = Record("support", "passed", {"name": "m"}, opset=11,
                 tensorrt={"flavour": "tensorrt", "version": "7.0"})  # fmt: skip
    assert column_of(record).group == "trt 7.0, predicted"
