"""Layers are left in float until the budget holds, and the row that says so is read back and honoured."""

import re
from collections.abc import Collection
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from fixtures.cases import Case
from fixtures.checks import quantization_noise
from fixtures.checks.accuracy import Accuracy
from fixtures.checks.int8_cost import Measurement
from fixtures.checks.int8_search import Search, row_of
from fixtures.checks.scoring import TopK
from fixtures.expectations import Expectations, Row, load
from fixtures.expectations.schema import SCHEMA
from fixtures.quantization import qdq
from fixtures.quantization.errors import QuantizationError
from fixtures.recording import RecordDraft
from fixtures.runtimes.base import Runtime
from fixtures.runtimes.onnxruntime import OnnxRuntime
from fixtures.verdicts import StageError
from suites.meta.networks import quantizable

CASE = Case(
    "int8-accuracy", "residual", "torchscript", 13, precision="int8", route="qdq", calibrator="minmax"
)
INPUTS = quantizable.images(24, seed=3)
LAYERS = ("conv0", "conv1", "add", "pool", "conv2", "concat", "conv3", "gemm")


class Quantizer:
    """Quantizes the small network without some layers, and keeps what was asked for."""

    def __init__(self, folder: Path) -> None:
        self.exact, self.asked = quantizable.saved(folder), list[list[str]]()
        self.fp32 = OnnxRuntime(self.exact)
        labels = np.array([one["scores"].argmax() for one in self.fp32.run(INPUTS)])
        self.metric = TopK("top1", labels, 1)

    def __call__(self, without: Collection[str]) -> tuple[Runtime, Measurement]:
        """Quantize, by the real calibration and placement."""
        self.asked.append([*without])
        target = self.exact.with_name(f"without-{len(without)}.onnx")
        qdq.quantize(self.exact, target, quantizable.images(20), per_channel=True, without=without)
        noise = partial(quantization_noise.measure, self.exact, target, INPUTS)
        return OnnxRuntime(target), Measurement(self.metric, INPUTS, self.fp32, noise)


def searched(folder: Path, distance: float, excluded: tuple[str, ...] = ()) -> tuple[Search, Quantizer]:
    """A search under a budget of that distance of the outputs, in a folder that has been run."""
    quantizer = Quantizer(folder)
    budget = Expectations(budgets=(Row("row 1", {}, {"drop": 50.0, "relative_l2": distance}),))
    int8, measure = quantizer(excluded)
    draft = RecordDraft(CASE, {"name": "residual"})
    accuracy = Accuracy(draft, budget, measure)
    search = Search(accuracy, quantizer, excluded, folder / "exclusions.toml")
    search(int8)
    return search, quantizer


def test_nothing_is_excluded_where_the_budget_holds(tmp_path: Path) -> None:
    """A search in vain costs nothing and writes nothing."""
    search, quantizer = searched(tmp_path, 0.5)
    assert quantizer.asked == [[]]
    assert not search.file.exists()
    assert "excluded" not in search.accuracy.draft.metrics


def test_the_noisiest_layers_are_excluded_until_the_budget_holds(tmp_path: Path) -> None:
    """Fewer than all of them, each try with one tensor more; what is recorded is what the last one gave."""
    free, _ = searched(tmp_path, 0.5)
    whole = free.accuracy.draft.metrics["scores relative_l2"].value
    search, quantizer = searched(tmp_path, 0.6 * whole)
    metrics = search.accuracy.draft.metrics
    assert metrics["scores relative_l2"].value <= 0.6 * whole
    assert 0 < metrics["excluded"].value == len(quantizer.asked[-1]) < len(LAYERS)
    sizes = [len(asked) for asked in quantizer.asked]
    assert sizes == sorted(set(sizes))
    assert "--int8-search: " in "\n".join(search.accuracy.draft.notes)


def test_the_row_is_read_back_and_stands(tmp_path: Path) -> None:
    """It fits its case and no other opset, and a search that begins with its layers ends at once."""
    search, quantizer = searched(tmp_path, 0.015)
    found = load(SCHEMA.parent, searched=search.file)
    assert found.excluded(CASE) == tuple(quantizer.asked[-1])
    assert found.excluded(replace(CASE, opset=17)) == found.excluded(replace(CASE, calibrator="mse")) == ()
    before = search.file.read_text()
    again, repeated = searched(tmp_path, 0.015, found.excluded(CASE))
    assert repeated.asked == [quantizer.asked[-1]]
    assert again.file.read_text() == before


def test_a_budget_that_nothing_keeps_fails_and_writes_nothing(tmp_path: Path) -> None:
    """All layers but none in INT8 is no INT8 model: the failure says how far the search came."""
    with pytest.raises(StageError, match=r"layers in float: .*nothing is quantized.*; before that: scores"):
        searched(tmp_path, 0.0)
    assert not (tmp_path / "exclusions.toml").exists()


def test_rows_are_added_behind_others(tmp_path: Path) -> None:
    """What an earlier search found of another case is kept."""
    file = tmp_path / "exclusions.toml"
    file.write_text(row_of(Case("", "digits", "dynamo", 17, route="qdq"), ["a"], "why"))
    searched(tmp_path, 0.015)
    rows = load(SCHEMA.parent, searched=file).searched
    assert [one.row.selectors["model"] for one in rows] == ["digits", "residual"]


@pytest.mark.parametrize("name", ['a "quoted" \\ name', "new\nline", "\x7fé漢"])
def test_any_name_can_be_written(name: str, tmp_path: Path) -> None:
    """Names of nodes are whatever an exporter made of them."""
    (tmp_path / "rows.toml").write_text(row_of(CASE, [name, "b"], name))
    (row,) = load(SCHEMA.parent, searched=tmp_path / "rows.toml").searched
    assert row.layers == (name, "b")


def test_a_layer_that_is_not_there_is_refused(tmp_path: Path) -> None:
    """A stale row is named with what is near."""
    with pytest.raises(
        QuantizationError, match=re.escape("'conv9' is to stay in float, and the model has none")
    ):
        Quantizer(tmp_path)(["conv9"])


@pytest.mark.parametrize("layer", LAYERS)
def test_an_excluded_layer_reads_nothing_quantized(layer: str, tmp_path: Path) -> None:
    """Each kind of layer: weighted, a residual Add, a pooling, a Concat."""
    _, measure = Quantizer(tmp_path)([layer])
    readers = {reader for one in measure.noise() for reader in one.layers}
    assert layer not in readers
    assert readers
