"""A row that is about no case, about everything, or as much as another is named when tests are collected."""

from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from fixtures.cases import Selection
from fixtures.expectations import Expectations, Row, Trap, load, unknown
from fixtures.expectations.rows import Disagreement, Exclusion
from fixtures.expectations.unknown import JUDGED
from fixtures.stages import NAMES
from reference_models import registry, yolo
from reference_models.model import ReferenceModel
from suites.meta.expectations.folders import row
from suites.meta.places import EXPECTATIONS

NOTHING = Selection((), (), (), ())
TEXTS = {"message": "opset 18", "reason": "why", "link": "where"}
MODELS = """
[model.detector]
framework = "pytorch"
factory = "nets:detector"
inputs = { image = [1, 3, 8, 8] }
outputs = ["scores", "boxes"]

[model.dense]
framework = "mxnet"
symbol = "a-symbol.json"
params = "a.params"
inputs = { data = [1, 7] }

"""


def tolerance(**fields: object) -> Expectations:
    """Return one tolerance row with these selectors; `values` is what it is about."""
    texts = {"values": str(fields.pop("values"))} if "values" in fields else {}
    return Expectations(tolerances=(Row("tolerances.toml row 1", fields, {"rtol": 0.0}, texts),))


def known_failure(**selectors: object) -> Expectations:
    """Return one known failure with these selectors."""
    return Expectations(known_failures=(Row("known_failures.toml row 1", selectors, {}, TEXTS),))


def the_line(expectations: Expectations, selection: Selection = NOTHING) -> str:
    """Return the one line that is said of rows."""
    (line,) = unknown(expectations, selection)
    assert len(line.splitlines()) == 1
    return line


def test_every_committed_row_is_about_a_case() -> None:
    """No row outlives the model, stage, opset or release that it speaks of, and no two collide."""
    assert unknown(load(EXPECTATIONS), NOTHING) == []


@pytest.mark.parametrize(
    ("selectors", "said"),
    [
        ({"stage": "tensort-parity"}, "stage = 'tensort-parity' fits no case; did you mean tensorrt-parity"),
        ({"stage": ["migration", "convert"]}, "stage = 'convert' fits no case; there are source-parity"),
        ({"model": "yolov3tiny"}, "model = 'yolov3tiny' fits no case; did you mean yolov3-tiny"),
        ({"model": ["digits", "gander-age"]}, "model = 'gander-age' fits no case; did you mean gender-age"),
        ({"converter": "torchscipt"}, "converter = 'torchscipt' fits no case; did you mean torchscript?"),
        ({"opset": [10, 9]}, "opset = 9 fits no case; there are 10, 11, 12"),
        ({"tensorrt": "rtx9.9*"}, "tensorrt = 'rtx9.9*' fits no case; did you mean rtx1."),
        ({"precision": "fp61"}, "precision = 'fp61' fits no case; did you mean fp16"),
        ({"route": "qqd"}, "route = 'qqd' fits no case; did you mean qdq?"),
        ({"batch": "16"}, "batch = '16' fits no case; there are 1, 8, 32, dynamic"),
        ({"baseline": "tensorrt8*"}, "baseline = 'tensorrt8*' fits no case; "),
        ({"model": "digits", "converter": "mxnet"}, "has model = 'digits', converter = 'mxnet'; delete it"),
        ({"stage": "source-parity", "model": "digits"}, "has stage = 'source-parity', model"),
        ({"stage": "fp16-parity", "precision": "fp32"}, "has stage = 'fp16-parity', precision"),
        ({"stage": "opset-parity", "tensorrt": "rtx1.7.1.116"}, "tensorrt = 'rtx1.7.1.116'; delete"),
        ({"runtime": "torch"}, "runtime = 'torch' fits no case; there is none"),
    ],
)  # fmt: skip
def test_a_row_that_fits_no_case_is_named(selectors: dict[str, object], said: str) -> None:
    """Each pattern must fit something, and all together one case; the nearest names are given."""
    line = the_line(tolerance(**selectors))
    assert line.startswith("tolerances.toml row 1: ")
    assert said in line


@pytest.mark.parametrize(
    "selectors",
    [
        {},
        {"stage": "*-parity", "model": "yolov[34]*"},
        {"opset": 21, "stage": "onnxruntime-parity"},
        {"opset": [14, 18], "converter": "dynamo", "batch": ["8", "dynamic"]},
        {"tensorrt": "trt8.5.3.1", "precision": "fp16"},
        {"tensorrt": "rtx1.[56].?*", "stage": "tensorrt-parity"},
        {"stage": "migration", "baseline": "trt8.6*", "tensorrt": "rtx1.7*", "route": "weight-only"},
        {"precision": "int8", "stage": "migration", "model": "digits"},
        {"stage": "source-gpu", "precision": ["fp32", "fp16"]},
        {"model": "lenet", "values": "no output"},
    ],
)
def test_a_row_about_some_case_is_silent(selectors: dict[str, object]) -> None:
    """It need not be a case of the run: other models, opsets and TensorRTs may be asked for another time."""
    assert unknown(tolerance(**selectors), NOTHING) == []


def test_labels_of_the_run_are_known() -> None:
    """A TensorRT that no support table has is one while it runs."""
    rows = known_failure(tensorrt="rtx9.9*")
    assert unknown(rows, NOTHING)
    assert unknown(rows, Selection((), (), ("rtx9.9.1.2",), ())) == []


@pytest.mark.parametrize(
    "selectors",
    [
        {"model": "*?"},
        {"model": ["[a-m]*", "[!a-m]*"]},
        {"model": ["digits", "*?"]},
        {"tensorrt": "*t*"},
        {"model": "*", "baseline": "*rt*"},
    ],
)
def test_a_known_failure_of_everything_is_named(selectors: dict[str, object]) -> None:
    """A pattern that fits every model, or every TensorRT, names none."""
    assert "fits every one that there is; name those that fail" in the_line(known_failure(**selectors))


@pytest.mark.parametrize(
    "selectors",
    [
        {"model": "digits", "tensorrt": "*"},
        {"model": "yolo*"},
        {"stage": "*", "tensorrt": "rtx*"},
        {"stage": "prediction", "tensorrt": "rtx1.7*"},
    ],
)
def test_a_known_failure_that_names_something_is_silent(selectors: dict[str, object]) -> None:
    """One selector that names a part of the models or TensorRTs is enough."""
    assert unknown(known_failure(**selectors), NOTHING) == []


def test_rows_that_nobody_asks_for_are_named() -> None:
    """A tolerance of a stage without comparison and a budget of a model without metric have no effect."""
    assert "stage = 'latency' fits no case" in the_line(tolerance(stage="latency"))
    budget = Row("budgets.toml row 1", {"model": "gender-age"}, {"drop": 1.0})
    assert "model = 'gender-age'" in the_line(Expectations(budgets=(budget,)))


def test_a_calibrator_is_one_that_a_run_can_choose() -> None:
    """A row may be about another than the usual one, and a wrong name is answered by the right ones."""
    about = Row("exclusions.toml row 1", {"model": "digits", "calibrator": "entropy"}, {})
    assert unknown(Expectations(exclusions=(Exclusion(about, ("a",)),)), NOTHING) == []
    wrong = replace(about, selectors={"model": "digits", "calibrator": "entorpy"})
    said = the_line(Expectations(exclusions=(Exclusion(wrong, ("a",)),)))
    assert said.endswith("calibrator = 'entorpy' fits no case; did you mean entropy?")


def test_the_stages_that_ask_for_rows_are_those_of_the_table() -> None:
    """Each is a stage, and each that compares has a committed limit of its own."""
    assert {stage for stages in JUDGED.values() for stage in stages} <= set(NAMES)
    written = {stage for row in load(EXPECTATIONS).tolerances for stage in [row.selectors.get("stage", [])]
               if isinstance(stage, str)}  # fmt: skip
    assert written == set(JUDGED["tolerances"])


def test_rows_that_collide_are_named() -> None:
    """Two rows of one rank that set one limit of one case are an error whether the case is run or not."""
    one = Row("row 1", {"stage": "migration", "precision": "fp16"}, {"atol": 1.0})
    other = Row("row 2", {"stage": "migration", "batch": "8"}, {"atol": 1.0, "rtol": 1.0})
    line = the_line(Expectations((one, other)))
    assert "row 1 and row 2 both set atol of migration" in line
    apart = Row("row 2", {"stage": "migration", "precision": "fp32"}, {"atol": 1.0})
    assert unknown(Expectations((one, apart)), NOTHING) == []


@pytest.mark.parametrize(
    ("one", "other", "collide"),
    [
        ({"values": "p*"}, {"values": "p3*"}, True),
        ({"values": "p3*"}, {"values": "p*"}, True),
        ({"values": "p3"}, {"values": "p4"}, False),
        ({"model": "yolo*", "precision": "fp32"}, {"model": "yolov3", "precision": "fp*"}, True),
        ({"model": "yolov3", "precision": "fp32"}, {"model": "yolov4", "batch": "1"}, False),
        ({"stage": "opset-parity", "opset": 14}, {"stage": "*-parity", "converter": "dynamo"}, False),
        (
            {"stage": "onnxruntime-parity", "opset": 14},
            {"stage": "onnxruntime-parity", "converter": "dynamo"},
            True,
        ),
    ],
)
def test_rows_collide_where_a_case_and_a_value_fit_both(
    one: dict[str, object], other: dict[str, object], collide: bool
) -> None:
    """At opsets that no run takes unasked, too; names that differ fit no case in common."""
    rows = [tolerance(**fields).tolerances[0] for fields in (one, other)]
    found = unknown(Expectations(tuple(rows)), NOTHING)
    assert [line for line in found if "both set rtol" in line] == found
    assert bool(found) is collide


@pytest.mark.parametrize(
    ("trap", "said"),
    [
        ((("torchscipt",), (10,)), "exporter 'torchscipt' is unknown; did you mean torchscript?"),
        ((("torchscript",), (10, 21)), "opset 21 is written by none of the row's exporters"),
        ((("torchscript", "dynamo"), (10,)), "dynamo writes none of the row's opsets"),
    ],
)
def test_a_trap_of_no_case_is_named(trap: tuple[tuple[str, ...], tuple[int, ...]], said: str) -> None:
    """Every exporter and opset of a row must be tried."""
    found = Trap("exporter_traps.toml row 1", ("*",), *trap, "wrong", "x", "why", "where")
    assert said in the_line(Expectations(exporter_traps=(found,)))


def test_a_disagreement_of_no_tensorrt_is_named() -> None:
    """Its label must be one of a release."""
    rows = (Disagreement("disagreements.toml row 1", "*", "rtx2.0*", "why"),)
    assert "tensorrt = 'rtx2.0*' fits no TensorRT; did you mean rtx" in the_line(
        Expectations(disagreements=rows)
    )


@pytest.fixture
def user(tmp_path: Path) -> Path:
    """A model file with two models and room for rows."""
    (tmp_path / "models.toml").write_text(MODELS)
    return tmp_path / "models.toml"


@pytest.mark.parametrize(
    ("table", "changed", "said"),
    [
        ("tolerance", {"model": "detektor"}, "model = 'detektor' fits no case; did you mean detector?"),
        ("tolerance", {"model": "digits"}, "model = 'digits' fits no case; there are detector, dense"),
        ("tolerance", {"stage": "onnxruntime-partiy"}, "did you mean onnxruntime-parity"),
        ("tolerance", {"converter": "dynamo"}, "fits no case; there are torchscript, mxnet"),
        ("tolerance", {"model": "detector", "values": "score"}, "fits no output; did you mean scores?"),
        ("known_failure", {"model": "dence"}, "model = 'dence' fits no case; did you mean dense?"),
        ("known_failure", {"model": "de*"}, "fits every one that there is"),
        ("budget", {"model": "dense"}, "model = 'dense'"),
    ],
)  # fmt: skip
def test_a_row_of_a_model_file_is_held_against_its_models(
    table: str, changed: dict[str, object], said: str, user: Path
) -> None:
    """Its models and the stages are what it may name, whether they are chosen or not."""
    fields = {"stage": "onnxruntime-parity" if table == "tolerance" else None, "route": None, **changed}
    user.write_text(MODELS + row(table, **fields))
    line = the_line(load(EXPECTATIONS, [user]))
    assert line.startswith(f"models.toml {table} 1, line 14: ")
    assert said in line


def test_sound_rows_of_a_model_file_are_silent(user: Path) -> None:
    """They say more than the suite's own rows, and two files do not collide."""
    rows = row("tolerance", stage="onnxruntime-parity", model="dense") + row(
        "known_failure", model="detector"
    )
    user.write_text(MODELS + rows)
    assert unknown(load(EXPECTATIONS, [user]), NOTHING) == []


@pytest.mark.parametrize(
    ("model", "values"),
    [("detector", "scores"), ("dense", "whatever"), (["detector", "dense"], "whatever"), ("detector", "b*")],
)
def test_values_are_held_against_outputs_where_all_are_known(model: object, values: str, user: Path) -> None:
    """One output that fits is enough; what the outputs of a model are called may not be known."""
    user.write_text(MODELS + row("tolerance", stage="onnxruntime-parity", model=model, values=values))
    assert unknown(load(EXPECTATIONS, [user]), NOTHING) == []


def test_a_model_file_named_twice_is_read_once(user: Path) -> None:
    """Its rows do not collide with themselves when two of its models are chosen one by one."""
    user.write_text(MODELS + row("tolerance", stage="onnxruntime-parity", model="dense"))
    rows = load(EXPECTATIONS, [user, user.parent / "." / user.name])
    assert [one.where for one in rows.tolerances if one.models] == ["models.toml tolerance 1, line 14"]
    assert unknown(rows, NOTHING) == []


def values_of(model: ReferenceModel) -> set[str]:
    """Return the names of all that is compared of a reference model."""
    heads = model.decode.keywords.get("heads") if isinstance(model.decode, partial) else None
    names = {*model.outputs, *model.exact}
    if isinstance(heads, list | tuple):
        outputs = {h.output: np.zeros((1, len(h.anchors) * (5 + h.classes), 1, 1), np.float32) for h in heads}
        names |= set(yolo.decode(outputs, heads))
    return names


def test_every_committed_pattern_of_values_fits_one() -> None:
    """Each names an output or a decoded value of some reference model; unet's mask is read from logits."""
    names = {"mask"}.union(*map(values_of, registry.models().values()))
    assert {"p3/boxes", "yolo_82/objectness", "age", "label"} <= names
    assert [one.where for one in load(EXPECTATIONS).tolerances if not any(map(one.fits_value, names))] == []
