"""The stage `source-gpu`: its device logic on the CPU, where every line but the device's name is the same."""

import copy
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fixtures import stages
from fixtures.cases import Case, Selection
from fixtures.checks.blame import hop_of
from fixtures.checks.fp16_rounding import rounded_outputs
from fixtures.checks.parity import Comparison, Parity
from fixtures.expectations import load
from fixtures.pipeline.pipeline import Pipeline
from fixtures.recording import RecordDraft
from fixtures.runtimes import torch_runtime
from fixtures.store.artifacts import ArtifactStore
from fixtures.verdicts import NotRun, StageError
from reference_models import registry
from suites import test_source_gpu as stage
from suites.meta.gates.child_runs import run
from suites.meta.places import ROOT

MISSING = [name for name in ("torch", "sklearn", "skimage", "PIL") if find_spec(name) is None]
pytestmark = pytest.mark.skipif(
    bool(MISSING), reason=f"not installed: {', '.join(MISSING)}; use dependency group 'convert'"
)
MODELS = registry.models()
Held = Callable[[str, str], RecordDraft]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    """A pipeline whose store has the samples of three models."""
    pipeline = Pipeline(ArtifactStore(tmp_path_factory.mktemp("store")), MODELS)
    for name in ("lenet", "digits", "yolov5n"):
        pipeline.samples(name)
    return pipeline


@pytest.fixture
def held(made: Pipeline) -> Held:
    """Run the stage of a model at a precision on the CPU and give what it measured."""

    def on_the_cpu(name: str, precision: str, pipeline: Pipeline = made) -> RecordDraft:
        case = Case("source-gpu", name, "", 0, precision=precision)
        draft = RecordDraft(case, {"name": name})
        rounded, rows = partial(rounded_outputs, pipeline, case), load(ROOT / "suites" / "expectations")
        parity = Parity(Comparison(draft, MODELS[name], rows, rounded), partial(hop_of, case))
        module, samples = pipeline.source_module(name), pipeline.samples(name)
        runtime = torch_runtime.TorchRuntime(module, MODELS[name].outputs, "cpu", precision)
        stage.test_the_gpu_gives_the_source_outputs(runtime.run(samples.inputs), samples, parity)
        return draft

    return on_the_cpu


def test_every_pytorch_model_has_a_case_at_each_precision() -> None:
    """Two for each, whatever the opsets and precisions of the run; no other framework has any."""
    models = tuple(MODELS.values())
    selection = Selection(models, (10, 13), (), ("fp32",))
    found = list(stages.stage("source-gpu").cases(selection))
    assert [(c.model, c.precision) for c in found] == [
        (m.name, precision) for m in models if m.framework == "pytorch" for precision in ("fp32", "fp16")
    ]
    timed = stages.stage("latency").cases(selection, "source-gpu")
    assert {case.runtime for case in timed} == {"source-gpu"}


def test_source_frameworks_are_timed_on_batches_of_a_size() -> None:
    """Of each asked for, on the CPU and on a GPU; a batch that is free is one of a graph."""
    models = (MODELS["digits"], MODELS["gender-age"])
    selection = Selection(models, (10, 13), (), ("fp32",), batches=("1", "8", "32", "dynamic"))
    sized = ["1", "8", "32"]
    on_gpu = list(stages.stage("latency").cases(selection, "source-gpu"))
    assert [(case.precision, case.batch) for case in on_gpu] == [
        (precision, batch) for precision in ("fp32", "fp16") for batch in sized
    ]
    on_cpu = list(stages.stage("latency").cases(selection, "cpu"))
    assert [case.batch for case in on_cpu if case.runtime == "source"] == sized * 2
    assert [case.batch for case in on_cpu if case.runtime == "onnxruntime"] == [*sized, "dynamic"] * 2


@pytest.mark.parametrize("name", ["lenet", "yolov5n"])
def test_the_same_device_gives_the_same_outputs(held: Held, name: str) -> None:
    """In fp32 the stage finds no difference where the device is that of the stored outputs."""
    assert held(name, "fp32").metrics["worst"].value == 0


@pytest.mark.parametrize("name", ["lenet", "yolov5n"])
def test_autocast_is_as_far_off_as_fp16_rounding(held: Held, name: str) -> None:
    """Autocast differs by a part of its bound, which follows from the rounding that is recorded beside it."""
    metrics = held(name, "fp16").metrics
    raw = MODELS[name].outputs[0]
    rounding, found = metrics[f"{raw} fp16_rounding"].value, metrics[f"{raw} relative_l2"]
    assert 1e-5 < rounding < 1e-2
    assert 0 < found.value < 3 * rounding
    assert found.limit == pytest.approx(5 * rounding)


def weight_off(module: Any) -> None:
    """Make one filter of the last layer a hundredth greater."""
    module[-1].weight.data[3] *= 1.01


def tf32(module: Any) -> None:
    """Keep 10 bits of the mantissa of what goes into each layer, as TF32 does."""

    def shorten(_: Any, given: tuple[Any]) -> tuple[Any]:
        import torch

        bits = given[0].contiguous().view(torch.int32)
        return (((bits + 0x1000) & ~0x1FFF).view(torch.float32),)

    for part in module:
        if hasattr(part, "weight"):
            part.weight.data = shorten(part, (part.weight.data,))[0]
            part.register_forward_pre_hook(shorten)


@pytest.fixture
def spoiled(made: Pipeline) -> Iterator[Any]:
    """The module of lenet, to be spoiled; the pipeline has its own again afterwards."""
    whole = made.source_module("lenet")
    module = copy.deepcopy(whole)
    made._made["module"]["module", "lenet"] = module
    yield module
    made._made["module"]["module", "lenet"] = whole


@pytest.mark.parametrize("plant", [weight_off, tf32])
def test_other_numbers_are_the_fault_of_the_source(
    held: Held, spoiled: Any, plant: Callable[[Any], None]
) -> None:
    """Another weight, and TF32 in place of fp32, are outside the bound of fp32."""
    plant(spoiled)
    with pytest.raises(StageError, match=r"logits: .* mismatched.*tolerances\.toml row") as caught:
        held("lenet", "fp32")
    assert caught.value.hop == "source"


def test_coarser_rounding_than_fp16_is_seen(held: Held, monkeypatch: pytest.MonkeyPatch) -> None:
    """A network that autocast computes in bfloat16 is outside the bound of fp16."""
    import torch

    monkeypatch.setattr(torch, "float16", torch.bfloat16)
    with pytest.raises(StageError, match=r"5 times the .* of fp16 rounding") as caught:
        held("lenet", "fp16")
    assert caught.value.hop == "fp16"


def test_the_stored_weights_are_the_ones_that_run(made: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where photos and data sets are missing the module comes from the store, bit for bit."""
    monkeypatch.setattr("fixtures.pipeline.stored.missing", lambda model: ["skimage"])
    elsewhere = Pipeline(made.store, {**MODELS, "yolov5n": replace(MODELS["yolov5n"], network=None)})
    built = MODELS["lenet"].build(Path()).module.state_dict()
    found = elsewhere.source_module("lenet").state_dict()
    assert all(np.array_equal(found[name], value) for name, value in built.items())
    with pytest.raises(NotRun, match="yolov5n: the network of its outputs is not in"):
        elsewhere.source_module("yolov5n")


def test_a_module_on_a_device_leaves_the_original_alone(made: Pipeline) -> None:
    """A run on another device than the CPU works on a copy."""
    module = made.source_module("lenet")
    assert torch_runtime._placed(module, "meta") is not module
    assert {parameter.device.type for parameter in module.parameters()} == {"cpu"}


def test_tf32_is_off_while_it_computes() -> None:
    """Each switch says full precision inside, and what it said before afterwards, also after an error."""
    from torch import backends

    switches = backends.cuda.matmul, backends.cudnn.conv, backends.cudnn.rnn
    before = [switch.fp32_precision for switch in switches]

    def fail() -> None:
        with torch_runtime.tf32_off():
            assert {switch.fp32_precision for switch in switches} == {"ieee"}
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert [switch.fp32_precision for switch in switches] == before != ["ieee"] * 3


def test_without_a_gpu_nothing_runs_and_the_reason_is_recorded(made: Pipeline) -> None:
    """The stage and the latencies on the GPU are not run, and name torch and ONNX Runtime; nothing is red."""
    import torch

    if torch.cuda.is_available():
        pytest.skip("this machine has a CUDA device")
    done = run(made.store.root, "suites", "-k=gpu", "--model=lenet", "--support=none", "--require=none")
    of_onnxruntime = [r for r in done.records if r.runtime == "onnxruntime-gpu"]
    assert [(r.stage, r.precision, r.verdict) for r in of_onnxruntime] == [("latency", "fp32", "not-run")]
    assert "has no CUDAExecutionProvider; install onnxruntime-gpu" in of_onnxruntime[0].message
    of_torch = [r for r in done.records if "source-gpu" in (r.stage, r.runtime)]
    assert [(r.stage, r.precision, r.verdict) for r in of_torch] == [
        (name, precision, "not-run") for name in ("latency", "source-gpu") for precision in ("fp32", "fp16")
    ]
    assert {r.message for r in of_torch} == {f"torch {torch.__version__} sees no CUDA device"}
    assert done.code == 0
