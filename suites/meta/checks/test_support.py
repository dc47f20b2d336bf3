"""The stage `support` asks the tables about every release, and needs no TensorRT for it."""

from pathlib import Path

import onnx
import pytest
from onnx import helper

from fixtures.cases import Selection
from fixtures.compatibility import releases
from fixtures.records import Record
from fixtures.report.matrix import column_of
from fixtures.stages import stage
from reference_models import registry
from suites.meta.gates.child_runs import pipeline, plant, run

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


def test_the_option_leaves_the_stage_out(store: Path) -> None:
    """`--support none` writes no record."""
    assert run(store, *STAGE, "--support", "none").records == []


def test_the_report_says_that_nothing_was_built() -> None:
    """What is predicted stands apart from what was built."""
    one = Record("support", "passed", {"name": "m"}, opset=11,
                 tensorrt={"flavour": "tensorrt", "version": "7.0"})  # fmt: skip
    assert column_of(one).group == "trt 7.0, predicted"
