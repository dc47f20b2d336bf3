"""A red cell of a run is looked into: source, opset, fp16, INT8 and engine, each with an error planted."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import onnx
import pytest

from benchmarks.triage import spoil_weights
from fixtures.cases import Case
from fixtures.expectations import Expectations, load
from fixtures.plugin import triage as plugin
from fixtures.recording import RecordDraft
from fixtures.run import make_run
from fixtures.run.options import Options
from fixtures.runtimes.tensorrt.client import TensorRT
from fixtures.triage.cells import Cell
from fixtures.triage.triage import triage
from fixtures.triage.wording import Found, lines
from fixtures.verdicts import Hop, NotRun, StageError
from suites.meta.gates.child_runs import pipeline, plant, run
from suites.meta.places import EXPECTATIONS, ROOT
from suites.meta.stand_ins.tensorrt_bindings import conformance
from suites.meta.stand_ins.tensorrt_bindings.names import releases

if find_spec("torch") is None:
    pytest.skip("torch is not installed; run `tox run -e meta`", allow_module_level=True)

CASE = Case("onnxruntime-parity", "digits", "torchscript", 13)
PARITY = "suites/test_parity.py::test_onnxruntime_gives_the_source_outputs"
TENSOR, LAYER = "/3/Conv_output_0", "module '3'"
WRONG_ENGINE = """
import onnx
from benchmarks.triage import scale_output
from suites.meta.stand_ins.tensorrt_bindings import running
load = running.Plan.load
def planted(self, data):
    model = onnx.load_model_from_string(data)
    for name in ("/3/Conv_output_0", "/3/Conv_output_0::made"):
        if any(name in node.output for node in model.graph.node):
            scale_output(model, name, 1, 1.1)
    load(self, model.SerializeToString())
running.Plan.load = planted
"""
"""Behind the stand-in: an engine computes one layer wrong, wherever it is built in."""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store that holds what the digits model needs."""
    store = tmp_path_factory.mktemp("made") / "artifacts"
    way = pipeline(store)
    way.onnx_model("digits", "torchscript", 10)
    model = way.onnx_model("digits", "torchscript", 13)
    way.samples("digits")
    way.to_fp16(model)
    way.to_int8("digits", model, "qdq", "mse")
    return store


@pytest.fixture
def store(made: Path, tmp_path: Path) -> Path:
    """A copy of the store, to be spoiled."""
    return Path(shutil.copytree(made, tmp_path / "artifacts"))


def wrong_weights(factor: float) -> Callable[[onnx.ModelProto], None]:
    """Spoil the second convolution; of a quantized one the scale of what it reads."""

    def change(model: onnx.ModelProto) -> None:
        node = next(node for node in model.graph.node if node.name == "/3/Conv")
        if not spoil_weights(model, node, factor):
            pair = next(n for n in model.graph.node if n.output[0] == node.input[0])
            (scale,) = (tensor for tensor in model.graph.initializer if tensor.name == pair.input[1])
            array = onnx.numpy_helper.to_array(scale) * factor
            scale.CopyFrom(onnx.numpy_helper.from_array(array.astype("float32"), scale.name))

    return change


def looked_into(store: Path, case: Case, hop: Hop, clients: dict[str, TensorRT] | None = None) -> Found:
    """Triage a cell whose outputs were found wrong."""
    draft = RecordDraft(case, {"name": "digits", "framework": "pytorch"})
    draft.measure("logits relative_l2", 1.0, limit=1e-2 if case.precision != "fp32" else 2e-5)
    folder = store.parent / "scratch"
    folder.mkdir()
    cell = Cell(draft, hop, pipeline(store), Expectations(), clients or {}, folder)
    return triage(cell.subject(), store.parent / "out")


@pytest.mark.parametrize(
    ("stage", "fields", "kind", "hop"),
    [
        ("onnxruntime-parity", {}, "onnx", "source->ONNX"),
        ("opset-parity", {}, "onnx", "opset"),
        ("fp16-parity", {"precision": "fp16"}, "fp16", "fp16"),
        (
            "int8-accuracy",
            {"precision": "int8", "route": "qdq", "calibrator": "mse"},
            "quantized",
            "calibration",
        ),
    ],
)
def test_the_planted_layer_is_named(
    stage: str, fields: dict[str, Any], kind: str, hop: Hop, store: Path
) -> None:
    """In each hop up to the engine, with the files beside it."""
    plant(store, kind, wrong_weights(9.0), opset=13 if kind == "onnx" else 0)
    found = looked_into(store, replace(CASE, stage=stage, **fields), hop)
    assert (found.answer.tensor, found.layers[0].text) == (TENSOR, LAYER)
    assert (found.folder / "reproduce.py").is_file()
    if kind in ("fp16", "quantized"):
        assert found.kept is not None
        assert TENSOR in found.kept.tensors
        assert found.kept.after < found.kept.before / 10


def test_an_engine_that_computes_a_layer_wrong_is_found_and_shown(store: Path) -> None:
    """Through the worker; the script runs the same TensorRT without anything of ours."""
    modules = conformance.write(store.parent / "modules", releases()["8.6.1"])
    with (modules / "tensorrt.py").open("a") as file:
        file.write(WRONG_ENGINE)
    environment = {"PYTHONPATH": os.pathsep.join([str(modules), str(ROOT)])}
    with TensorRT(sys.executable, timeout=60, environment=environment) as client:
        label = client.identity.label
        case = replace(CASE, stage="tensorrt-parity", tensorrt=label)
        found = looked_into(store, case, "builder", {label: client})
    assert (found.answer.tensor, found.answer.proof, found.answer.confirmed) == (TENSOR, "alone", True)
    assert "For NVIDIA TensorRT" in (found.folder / "issue.md").read_text()
    done = subprocess.run(
        [sys.executable, "reproduce.py"], cwd=found.folder, env={**os.environ, **environment},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    assert "WRONG" in done.stdout


@pytest.mark.parametrize(
    ("fields", "said"),
    [({"batch": "8"}, "batch 8 is not triaged"), ({"stage": "migration"}, "migration is not triaged")],
)
def test_what_is_not_looked_into_is_said(fields: dict[str, Any], said: str, store: Path) -> None:
    """With what to do, or which stages are."""
    with pytest.raises(NotRun, match=said):
        looked_into(store, replace(CASE, **fields), "batch")


def test_a_run_with_triage_says_what_is_wrong_in_the_record(store: Path) -> None:
    """The verdict is the same; the record's message has the layer and the files, the terminal the report."""
    plant(store, "onnx", wrong_weights(3.0))
    ended = run(store, PARITY, "--model=digits", "--opset=13", "-k", "torchscript", "--triage", "--issue")
    assert ended.code == 1, ended.output
    message = ended.the("failed").message
    for part in ("guilty hop: source->ONNX", f"triage: guilty layer: {LAYER}", "triage: reproduce: python "):
        assert part in message
    assert "# Conv: wrong output at fp32" in ended.output
    (script,) = store.with_name("records").glob("triage/*/*/reproduce.py")
    assert str(script) in message


def test_a_wrong_opset_of_a_users_file_is_reported_to_onnx(store: Path, tmp_path: Path) -> None:
    """Its version converter made that opset; no converter of this suite has seen the file."""
    file = tmp_path / "net.onnx"
    shutil.copyfile(pipeline(store).onnx_model("digits", "torchscript", 13).path, file)
    words = (PARITY, f"--model={file}", "--opset=14", "--triage")
    assert run(store, *words).code == 0
    plant(store, "onnx", wrong_weights(3.0), opset=14)
    assert run(store, *words).code == 1
    (report,) = store.with_name("records").glob("triage/*/*/issue.md")
    text = report.read_text()
    assert text.startswith("<!-- For onnx's version converter: https://github.com/onnx/onnx/issues -->")
    assert "Of the whole model: opset 13 made 14 by onnx.version_converter" in text


def test_lines_are_told_of_a_cell_that_has_nothing_wrong(store: Path) -> None:
    """A cell that is red by mistake of its limits has no guilty layer."""
    found = looked_into(store, CASE, "source->ONNX")
    assert next(lines(found)).startswith(
        "nothing found: no tensor is 2e-05 in relative L2 from pytorch itself"
    )


def test_an_interrupt_ends_the_look_and_not_the_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The draft says where what was found lies, and the interrupt is handed on."""

    def interrupted(*_: object) -> Found:
        raise KeyboardInterrupt

    monkeypatch.setattr(plugin, "triage", interrupted)
    monkeypatch.setattr(Cell, "subject", lambda _cell: None)
    options = Options(triage=True, artifacts=tmp_path / "artifacts", records=tmp_path / "records")
    draft = RecordDraft(CASE, {"name": "digits", "framework": "pytorch"})
    looked = plugin.look_into(make_run(options), draft, StageError("logits", "source->ONNX"))
    assert isinstance(looked.interrupt, KeyboardInterrupt)
    assert draft.notes[0].startswith(f"triage: interrupted; what it found by then is in {tmp_path}")


def test_layers_of_int8_are_a_row_that_a_run_reads(store: Path) -> None:
    """The file is one for --exclusions."""
    plant(store, "quantized", wrong_weights(9.0))
    case = replace(CASE, stage="int8-accuracy", precision="int8", route="qdq", calibrator="mse")
    found = looked_into(store, case, "calibration")
    (line,) = plugin._exclusion(RecordDraft(case, {}), found)
    assert str(found.folder / "exclusions.toml") in line
    rows = load(EXPECTATIONS, searched=found.folder / "exclusions.toml")
    assert "/3/Conv" in rows.excluded(case)
