"""What a migration is judged by: how far each version comes, and what their engines give."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from fixtures.cases import Case, Selection
from fixtures.checks.blame import hop_of
from fixtures.checks.migration import Attempt, Migration, Outcome, require_reach
from fixtures.checks.parity import Comparison, Parity
from fixtures.expectations import load
from fixtures.metrics.parity import StructureError
from fixtures.pipeline.pipeline import OnnxModel, Pipeline
from fixtures.recording import RecordDraft
from fixtures.runtimes.onnxruntime import OnnxRuntime
from fixtures.runtimes.process import WorkerStartError
from fixtures.runtimes.tensorrt.client import TensorRT
from fixtures.runtimes.tensorrt.layers import Layers
from fixtures.runtimes.tensorrt.messages import Build, Device, Identity, Timing
from fixtures.stages import stage
from fixtures.verdicts import Crashed, NotRun, StageError, Unsupported
from reference_models import registry
from suites.meta.gates.child_runs import pipeline
from suites.meta.places import ROOT

GPU = Device("stand-in", "9.0", "1", 1)
REFUSED = Unsupported("node bad (Conv, number 3): no", "parser")
NO_RUN = Unsupported("compute capability 9.0 is not taken", "runtime")
BROKEN = StageError("the engine broke", "runtime")
KILLED = Crashed("died by SIGKILL")
Outputs = dict[str, np.ndarray]


@dataclass
class StandIn:
    """A TensorRT on a machine with a GPU: it builds what ONNX Runtime runs, and can be made to go wrong."""

    version: str
    model: OnnxModel
    device: Device | None = GPU
    layers: int = 10
    problem: str = ""
    graph_ms: tuple[float, ...] | None = (2.0, 2.0, 2.0)
    error: StageError | None = None
    change: Callable[[Outputs], Outputs] = dict

    @property
    def identity(self) -> Identity:
        """Which version it says it is."""
        reason = "" if self.device else "no pycuda"
        return Identity(
            flavour="tensorrt-rtx", version=self.version, python="3.11", platform="linux", fp16="typed",
            device=self.device, device_reason=reason, interpreter=Path("python"),
        )  # fmt: skip

    def build(self, model: Path, *, engine: Path | None, **_: Any) -> Build:
        """Write an engine, or refuse with the planted problem."""
        if engine and not self.problem:
            engine.write_bytes(b"engine")
        ok = not self.problem
        log = (f"ERROR: {self.problem}",)
        return Build(ok, "builder", (), log, 0.1, 2.0, 6 * ok, "", self.layers, (), ())

    def engine(self, path: Path, precision: str) -> StandInEngine:
        """Return the engine of a file that was built."""
        assert path.is_file()
        return StandInEngine(self)


@dataclass
class StandInEngine:
    """An engine of a stand-in."""

    client: StandIn

    def layers(self) -> Layers:
        """Say that half of four layers is fp16."""
        return Layers(4, {"fp16": 2, "fp32": 2})

    def run(self, samples: Sequence[Outputs]) -> list[Outputs]:
        """Return ONNX Runtime's outputs with the planted change."""
        if self.client.error:
            raise self.client.error
        return [self.client.change(o) for o in OnnxRuntime(self.client.model.path).run(samples)]

    def timing(self, sample: Outputs, iterations: int) -> Timing:
        """Return samples whose medians are known."""
        return Timing((4.0,) * iterations, self.client.graph_ms, "")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with the digits model at opset 13 and its samples."""
    pytest.importorskip("torch")
    store = tmp_path_factory.mktemp("made") / "artifacts"
    pipeline(store).onnx_model("digits", "torchscript", 13)
    pipeline(store).samples("digits")
    return store


@pytest.fixture
def way(made: Path, tmp_path: Path) -> Pipeline:
    """A pipeline over a copy of the store."""
    return pipeline(Path(shutil.copytree(made, tmp_path / "artifacts")))


@pytest.fixture
def model(way: Pipeline) -> OnnxModel:
    """The model that migrates."""
    return way.onnx_model("digits", "torchscript", 13)


@pytest.fixture
def pair(model: OnnxModel) -> tuple[StandIn, StandIn]:
    """Two versions that agree."""
    return StandIn("1.6", model), StandIn("1.7", model)


def migration(way: Pipeline, before: StandIn, after: StandIn, precision: str = "fp32") -> Migration:
    """The migration of the digits model between two stand-ins."""
    case = Case("migration", "digits", "torchscript", 13, "rtx1.7", precision, baseline="rtx1.6")
    draft = RecordDraft(case, {"name": "digits"})
    comparison = Comparison(draft, way.models["digits"], load(ROOT / "suites" / "expectations"))
    parity = Parity(comparison, lambda: hop_of(case))
    return Migration(draft, way, parity, cast(TensorRT, before), cast(TensorRT, after))


def shift(by: float) -> Callable[[Outputs], Outputs]:
    """Plant an error of so much in every output."""
    return lambda outputs: {name: value + np.float32(by) for name, value in outputs.items()}


@pytest.mark.parametrize(
    ("before", "after", "error", "verdict"),
    [
        ("builds", "builds", None, ""),
        ("refused", "builds", None, ""),
        ("crashed", "runs", None, ""),
        ("builds", "refused", REFUSED, "failed"),
        ("does not run", "refused", REFUSED, "failed"),
        ("runs", "does not run", NO_RUN, "failed"),
        ("does not run", "does not run", BROKEN, "failed"),
        ("runs", "crashed", KILLED, "crashed"),
        ("crashed", "crashed", KILLED, "crashed"),
        ("refused", "refused", REFUSED, "unsupported"),
        ("crashed", "refused", REFUSED, "unsupported"),
        ("refused", "does not run", NO_RUN, "unsupported"),
        ("does not run", "does not run", NO_RUN, "unsupported"),
    ],
)
def test_what_is_lost_is_red(before: Outcome, after: Outcome, error: StageError | None, verdict: str) -> None:
    """Stopping earlier than before fails, stopping together is unsupported, a crash is always a crash."""
    was = None if before in ("builds", "runs") else StageError("stopped then")
    first, second = Attempt("rtx1.6", before, error=was), Attempt("rtx1.7", after, error=error)
    if error is None:
        require_reach(first, second)
        return
    with pytest.raises(StageError) as raised:
        require_reach(first, second)
    assert (raised.value.verdict, raised.value.hop) == (verdict, error.hop or "runtime")
    assert str(raised.value) == f"rtx1.6 {before}{': stopped then' * bool(was)}; rtx1.7 {after}: {error}"


def test_both_versions_are_measured(way: Pipeline, model: OnnxModel, pair: tuple[StandIn, StandIn]) -> None:
    """Outcome, outputs, layers, size, build time and latency of both stand in the draft."""
    before, after = pair
    moved = migration(way, before, replace(after, layers=7, graph_ms=(3.0,)))
    moved.require_nothing_lost(model)
    about, metrics = moved.draft.baseline, {n: m.value for n, m in moved.draft.metrics.items()}
    assert about == {"before": "runs", "problem_before": "", "after": "runs", "problem_after": ""}
    assert (metrics["worst"], metrics["onnxruntime_l2_before"], metrics["onnxruntime_l2_after"]) == (0, 0, 0)
    assert (metrics["layers_before"], metrics["layers_after"]) == (10, 7)
    assert (metrics["cuda_graph_median_before"], metrics["cuda_graph_median_after"]) == (2, 3)
    assert (metrics["engine_layers_before"], metrics["fp16_layers_after"]) == (4, 50)
    assert {"engine_size_before", "engine_size_after", "build_before", "build_after"} <= set(metrics)


def test_latencies_are_compared_by_one_clock(
    way: Pipeline, model: OnnxModel, pair: tuple[StandIn, StandIn]
) -> None:
    """Where one version has no CUDA graph, both are given by their enqueues."""
    moved = migration(way, pair[0], replace(pair[1], graph_ms=None))
    moved.require_nothing_lost(model)
    assert moved.draft.metrics["enqueue_median_before"].value == 4
    assert not [name for name in moved.draft.metrics if name.startswith("cuda_graph")]


@pytest.mark.parametrize(("precision", "by", "ok"), [
    ("fp32", 1e-4, True), ("fp32", 1e-2, False), ("tf32", 1e-2, True), ("tf32", 2.0, False),
    ("int8", 1e-2, True), ("int8", 2.0, False),
])  # fmt: skip
def test_outputs_beyond_the_tolerance_fail(
    precision: str, by: float, ok: bool, way: Pipeline, model: OnnxModel, pair: tuple[StandIn, StandIn]
) -> None:
    """An engine that gives other outputs is named with its tolerance and with who left ONNX Runtime."""
    moved = migration(way, pair[0], replace(pair[1], change=shift(by)), precision)
    if ok:
        moved.require_nothing_lost(model)
        assert 0 < moved.draft.metrics["worst"].value <= 1
        return
    with pytest.raises(StageError, match=r"logits: 10 of 10 mismatched.*tolerances.toml row") as raised:
        moved.require_nothing_lost(model)
    assert "relative L2 to ONNX Runtime: rtx1.6 0, rtx1.7 " in str(raised.value)
    assert raised.value.hop == {"fp32": "builder"}.get(precision, precision)
    assert moved.draft.metrics["worst"].value > 1


def test_a_missing_output_fails(way: Pipeline, model: OnnxModel, pair: tuple[StandIn, StandIn]) -> None:
    """An engine whose outputs have other names is no match."""
    after = replace(pair[1], change=lambda outputs: {"other": outputs["logits"]})
    with pytest.raises(StructureError, match=r"\['other'\].*\['logits'\]"):
        migration(way, pair[0], after).require_nothing_lost(model)


@pytest.mark.parametrize(
    ("error", "raised", "outcome"),
    [
        (NO_RUN, StageError, "does not run"),
        (KILLED, Crashed, "crashed"),
        (BROKEN, StageError, "does not run"),
    ],
)
def test_an_engine_that_stops_running_is_lost(
    error: StageError, raised: type[StageError], outcome: str,
    way: Pipeline, model: OnnxModel, pair: tuple[StandIn, StandIn],
) -> None:  # fmt: skip
    """The version before ran, this one builds and does not run: red, by name, with the build measured."""
    moved = migration(way, pair[0], replace(pair[1], error=error))
    with pytest.raises(raised, match=f"rtx1.6 runs; rtx1.7 {outcome}: {error}") as caught:
        moved.require_nothing_lost(model)
    assert (caught.type, caught.value.hop) == (raised, "runtime")
    assert moved.draft.metrics["layers_after"].value == 10


def test_what_runs_only_now_is_held_against_onnxruntime(
    way: Pipeline, model: OnnxModel, pair: tuple[StandIn, StandIn]
) -> None:
    """A gain passes; its distance to ONNX Runtime is measured, and there is nothing else to compare."""
    moved = migration(way, replace(pair[0], problem="no such operator"), pair[1])
    moved.require_nothing_lost(model)
    assert moved.draft.baseline["problem_before"] == "ERROR: no such operator"
    assert moved.draft.metrics["onnxruntime_l2_after"].value == 0
    assert not {"worst", "onnxruntime_l2_before", "layers_before"} & set(moved.draft.metrics)


@pytest.mark.parametrize(("problem", "error"), [("", NotRun), ("no memory", StageError)])
def test_engines_of_one_version_cannot_be_compared(
    problem: str, error: type[StageError], way: Pipeline, model: OnnxModel, pair: tuple[StandIn, StandIn]
) -> None:
    """Without a device for one version the outputs are not run, yet a lost build is red."""
    moved = migration(way, pair[0], replace(pair[1], device=None, problem=problem))
    with pytest.raises(error, match=problem or "engines of rtx1.7 run nowhere here: no pycuda") as caught:
        moved.require_nothing_lost(model)
    assert caught.type is error


@pytest.mark.parametrize("error", [NotRun("no GPU"), WorkerStartError("no worker")])
def test_what_is_nobodys_outcome_is_raised(
    error: StageError, way: Pipeline, model: OnnxModel, pair: tuple[StandIn, StandIn]
) -> None:
    """A machine that lacks something, and a worker that does not start, say nothing about a version."""
    with pytest.raises(type(error), match=str(error)):
        migration(way, replace(pair[0], error=error), pair[1]).require_nothing_lost(model)


def test_a_case_is_both_versions() -> None:
    """One case a model, opset, precision or route for the pair; none in a run that does not migrate."""
    models = (registry.models()["digits"],)
    chosen = Selection(models, (11, 13), ("rtx1.6", "rtx1.7"), ("fp32", "tf32"), baseline="rtx1.6")
    found = list(stage("migration").cases(chosen))
    assert {(case.baseline, case.tensorrt) for case in found} == {("rtx1.6", "rtx1.7")}
    assert len(found) == 4
    assert found[0].id == "digits-torchscript-opset11-rtx1.6-to-rtx1.7-fp32"
    assert len(list(stage("migration").cases(chosen, "int8"))) == 2
    assert len(list(stage("tensorrt-build").cases(chosen))) == 8
    assert list(stage("migration").cases(replace(chosen, baseline=""))) == []
