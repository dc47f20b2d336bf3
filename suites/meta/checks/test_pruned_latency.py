"""Whether a prune pays: the interval of a ratio against a row, and in ONNX Runtime against the clock."""

import shutil
from dataclasses import replace
from pathlib import Path

import onnx
import pytest

from benchmarks import latency
from fixtures.cases import Case
from fixtures.checks.pruned_latency import dense_of, judge
from fixtures.expectations import Row
from fixtures.recording import RecordDraft
from fixtures.verdicts import NotRun, StageError
from reference_models import registry
from suites.meta.gates.child_runs import run

CASE = Case("pruned-latency", "small", "onnx", 13, runtime="onnxruntime")
ROW = Row("models.toml payoff 1", {"model": "small"}, {"ratio": 0.8}, {"reason": "why"})
MODELS = registry.models()


def draft(**ratios: tuple[float, float, float]) -> RecordDraft:
    """Return a draft with ratios, by the prefix of their clock."""
    made = RecordDraft(CASE, {"name": "small"}, baseline={"model": "net"})
    for prefix, values in ratios.items():
        for name, value in zip(("ratio", "ratio_low", "ratio_high"), values, strict=True):
            made.measure(prefix.removeprefix("enqueue") + name, value)
    return made


@pytest.mark.parametrize(
    ("ratio", "row", "note"),
    [
        ((0.7, 0.65, 0.75), ROW, False),
        ((0.85, 0.79, 0.9), ROW, True),
        ((0.8, 0.8, 0.8), ROW, False),
        ((0.9, 0.85, 0.99), None, False),
        ((1.1, 0.99, 1.2), None, True),
    ],
)
def test_an_interval_that_reaches_what_is_allowed_passes(
    ratio: tuple[float, float, float], row: Row | None, *, note: bool
) -> None:
    """Where all of it is not within, a note says that it cannot be told."""
    made = draft(enqueue=ratio)
    judge(made, row)
    assert made.problem == ""
    assert bool(made.notes) == note
    assert all("too unsteady to tell" in line for line in made.notes)


@pytest.mark.parametrize(
    ("ratio", "row", "allowed"),
    [
        ((0.85, 0.81, 0.9), ROW, "0.8 (models.toml payoff 1)"),
        ((1.1, 1.01, 1.2), None, "1 (no row says less)"),
    ],
)
def test_an_interval_beyond_it_fails(
    ratio: tuple[float, float, float], row: Row | None, allowed: str
) -> None:
    """All of it is above: the message has ratio, interval, dense network, what is allowed and who says so."""
    told = f"small takes {ratio[0]:.3f} times [{ratio[1]:.3f}, {ratio[2]:.3f}] what net takes, allowed are "
    made = draft(enqueue=ratio)
    judge(made, row)
    assert made.problem == f"{told}{allowed}: the prune does not pay"


def test_cuda_graphs_are_judged_where_there_are_any() -> None:
    """An enqueue is the host's time: launches of few kernels hide what the device saves, or costs."""
    slow, fast = (1.2, 1.1, 1.3), (0.6, 0.5, 0.7)
    for enqueue, graph in ((slow, fast), (fast, slow)):
        made = draft(enqueue=enqueue, cuda_graph_=graph)
        judge(made, ROW)
        assert bool(made.problem) == (graph is slow)


def test_a_dense_network_that_is_not_there_is_named() -> None:
    """One that the run has not is not-run; one of other inputs was never pruned to this."""
    small = replace(MODELS["digits"], name="small", dense="net")
    with pytest.raises(NotRun, match="small was pruned from net, which this run has not: add it to --model"):
        dense_of({"small": small}, "small")
    with pytest.raises(StageError, match="name another one as dense"):
        dense_of({"small": small, "net": replace(MODELS["yolov3-tiny"], name="net")}, "small")
    assert dense_of({"small": small, "net": MODELS["digits"]}, "small") is MODELS["digits"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A network of one convolution and one of 40, and a store beside them."""
    for name, count in {"one": 1, "forty": 40}.items():
        onnx.save(latency.convolutions(count, 4), tmp_path / f"{name}.onnx")
    return tmp_path


TEXT = """
[model.one]
framework = "onnx"
file = "one.onnx"
{one}
[model.forty]
framework = "onnx"
file = "forty.onnx"
{forty}
[[payoff]]
model = "{pruned}"
ratio = 0.5
reason = "planted"
"""


@pytest.mark.parametrize(
    ("dense", "pruned", "verdict"), [("forty", "one", "passed"), ("one", "forty", "failed")]
)
def test_onnxruntime_tells_a_prune_that_pays(dense: str, pruned: str, verdict: str, folder: Path) -> None:
    """One convolution takes less than half of what forty take, whatever the machine does; planted: more."""
    keys = {"one": "", "forty": "", pruned: f'dense = "{dense}"'}
    (folder / "models.toml").write_text(TEXT.format(**keys, pruned=pruned))
    chosen = ("suites/test_pruned_latency.py", f"--model={folder / 'models.toml'}", "-m", "not tensorrt")
    done = run(folder / "artifacts", *chosen)
    (record,) = done.records
    assert (record.verdict, record.runtime, record.baseline) == (verdict, "onnxruntime", {"model": dense})
    assert ("the prune does not pay" in record.message) == (verdict == "failed") == (done.code == 1)
    assert f"models.toml:{dense},{folder / 'models.toml'}:{pruned}" in record.rerun


def test_a_network_that_was_not_pruned_is_red(folder: Path) -> None:
    """Its time is that of the dense one, which no interval tells from a prune that pays a little."""
    shutil.copy(folder / "one.onnx", folder / "forty.onnx")
    text = TEXT.replace("ratio = 0.5", "ratio = 9").format(one="", forty='dense = "one"', pruned="forty")
    (folder / "models.toml").write_text(text)
    chosen = ("suites/test_pruned_latency.py", f"--model={folder / 'models.toml'}", "-m", "not tensorrt")
    done = run(folder / "artifacts", *chosen)
    (record,) = done.records
    assert (record.verdict, record.metrics["weights left"].value) == ("failed", 1)
    assert "which it is said to be pruned from, " in record.message
    assert "it is not pruned" in record.message


def test_a_dense_model_of_no_table_is_refused(folder: Path) -> None:
    """Before anything is collected: with file, line and the names that there are."""
    text = TEXT.format(one='dense = "fourty"', forty="", pruned="one")
    (folder / "models.toml").write_text(text)
    done = run(folder / "artifacts", "suites/test_pruned_latency.py", f"--model={folder / 'models.toml'}")
    assert done.code == pytest.ExitCode.USAGE_ERROR
    assert (
        "models.toml:5: dense is 'fourty', expected another model of this file; did you mean forty?"
        in done.output
    )


def test_a_row_of_a_model_that_was_not_pruned_is_refused(folder: Path) -> None:
    """It would never be judged."""
    (folder / "models.toml").write_text(TEXT.format(one="", forty="", pruned="one"))
    done = run(folder / "artifacts", "suites/test_pruned_latency.py", f"--model={folder / 'models.toml'}")
    assert done.code == pytest.ExitCode.USAGE_ERROR
    assert "models.toml payoff 1, line 10: no case that such a row is for has model = 'one'" in done.output
