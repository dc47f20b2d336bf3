"""Claims about engines, run whole where the stand-in of a TensorRT has a device: green, red if it is wrong.

The stand-in computes what ONNX Runtime does, so that every other line is the one that runs on a GPU.
"""

import re
import shutil
from importlib.util import find_spec
from pathlib import Path

import onnx
import pytest

from benchmarks import latency
from fixtures.cases import BUILDER_ROUTES, ROUTES
from reference_models.datasets import digits
from suites.meta.gates.child_runs import Run, pipeline, run
from suites.meta.gates.stand_in import interpreter
from suites.meta.places import ROOT

if find_spec("torch") is None:
    pytest.skip("torch is not installed; run `tox run -e meta`", allow_module_level=True)

STEADY = ("suites/test_noise_floor.py", "suites/test_repeatability.py")
ENGINES = ("suites/test_build.py", "suites/test_parity.py", "suites/test_latency.py", "suites/test_int8.py")
STAGES = {"tensorrt-build", "tensorrt-parity", "latency", "int8-accuracy", "noise-floor", "repeatability"}
CHOSEN = ("--model=digits", "--opset=13", "--precision=fp32,fp16", "-m", "tensorrt", "--support=none")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store that holds what the digits model needs, and of its held-out images the first 100."""
    store = tmp_path_factory.mktemp("made") / "artifacts"
    way = pipeline(store)
    images, labels = digits.held_out()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(digits, "held_out", lambda: (images[:100], labels[:100]))
        model = way.onnx_model("digits", "torchscript", 13)
        way.samples("digits")
        for route in ("qdq", "weight-only"):
            way.to_int8("digits", model, route)
    return store


SLOWED = """
import random
from suites.meta.stand_ins.tensorrt_bindings import cuda
draw = random.Random({seed})
cuda.Event.time_since = lambda self, other: {scale} * draw.gauss(1, 0.01)
"""
"""Behind the stand-in's events: what they measure, in ms. Warming up is over at once where that is steady."""
DEVICE_TIMES = """
[[threshold]]
stage = "latency"
values = "median"
growth = 0.05
reason = "what is planted"
"""


def ended(made: Path, folder: Path, *arguments: str, wrong: str = "value", planted: str = "") -> Run:
    """Run stages with the stand-in as TensorRT. wrong: what it gives in place of `value`. planted: code."""
    script = interpreter(folder, wrong=wrong, planted=planted)
    store = Path(shutil.copytree(made, folder / "artifacts"))
    return run(store, *arguments, *CHOSEN, f"--tensorrt={script}")


def test_every_claim_about_engines_runs(made: Path, tmp_path: Path) -> None:
    """Builds, parity, latency, INT8, noise floor and repeatability pass, and record what they measured."""
    done = ended(made, tmp_path, *ENGINES, *STEADY, planted=SLOWED.format(seed=0, scale=1.0))
    assert done.code == 0, done.output
    assert {record.verdict for record in done.records} == {"passed"}
    assert {record.stage for record in done.records} == STAGES
    routes = {record.route for record in done.records if record.stage == "int8-accuracy"}
    assert routes == {*ROUTES, *BUILDER_ROUTES}
    found = {name: metric for record in done.records for name, metric in record.metrics.items()}
    assert {"worst", "engine_layers", "median", "drop", "rebuilt_spread"} <= set(found)
    assert found["logits fp16_rounding"].value > 0
    assert {"fp32_median", "fp16_median", "int8_over_fp32", "int8_over_fp16"} <= set(found)


def test_int8_is_timed_on_batches(made: Path, tmp_path: Path) -> None:
    """By each route, of a size and of a free one, beside fp32 and fp16 of the same batch."""
    planted = SLOWED.format(seed=0, scale=1.0)
    chosen = ("suites/test_latency.py", "-k", "int8", "--batch=1,8,dynamic")
    done = ended(made, tmp_path, *chosen, planted=planted)
    assert done.code == 0, done.output
    assert {(record.route, record.batch, record.verdict) for record in done.records} == {
        (route, batch, "passed") for route in (*ROUTES, *BUILDER_ROUTES) for batch in ("1", "8", "dynamic")
    }
    assert all({"int8_over_fp32", "int8_over_fp16"} <= set(record.metrics) for record in done.records)


def test_a_precision_that_the_builder_avoids_is_red(made: Path, tmp_path: Path) -> None:
    """An engine with no layer in the fp16 that was asked for fails parity; timing it is no failure."""
    avoids = "running.Plan.about = property(lambda self: {**vars(self)['told'], 'held': {}}, "
    avoids += "lambda self, told: vars(self).update(told=told))"
    done = ended(
        made, tmp_path, "suites/test_parity.py", "suites/test_latency.py", "-k", "fp16", planted=avoids
    )
    verdicts = {record.stage: record.verdict for record in done.records}
    assert verdicts == {"tensorrt-parity": "failed", "latency": "passed"}
    (message,) = (record.message for record in done.records if record.verdict == "failed")
    assert "guilty hop: builder\nfp16_layers is 0 % of layers, the limit is 50" in message
    assert "the builder chose 100 % fp32" in message


@pytest.mark.parametrize(
    ("suite", "precision", "wrong", "named"),
    [
        ("suites/test_parity.py", "fp32", "value + 1", "guilty hop: builder\nlogits: 10 of 10 mismatched"),
        ("suites/test_parity.py", "fp16", "value + 1", "guilty hop: fp16\nlogits: 10 of 10 mismatched"),
        ("suites/test_int8.py", "qdq", "-value", "guilty hop: calibration\ntop1 loses "),
        (
            "suites/test_noise_floor.py",
            "fp32",
            "value * len(runs)",
            "guilty hop: builder\nrepeated_spread is ",
        ),
        (
            "suites/test_repeatability.py",
            "fp32",
            "value + (len(runs) % 20 == 7)",
            "guilty hop: runtime\nbatch 1: 5 of 90 runs in one context gave another answer (5.56 %); "
            "batch 1: 4 of 90 runs in two contexts at once gave another answer (4.44 %)\n"
            "the worst: logits: 10 of 10",
        ),
        ("suites/test_latency.py", "fp32", "os.abort()", "guilty hop: runtime\nthe TensorRT worker"),
    ],
)
def test_an_engine_that_is_wrong_is_red(
    suite: str, precision: str, wrong: str, named: str, made: Path, tmp_path: Path
) -> None:
    """Each claim names the guilty hop and what it measured."""
    done = ended(made, tmp_path, suite, "-k", precision, wrong=wrong)
    assert done.code == 1, done.output
    (record,) = done.records
    assert record.verdict == ("crashed" if "abort" in wrong else "failed")
    assert named in record.message


def test_a_planted_slowdown_is_caught_by_the_baseline(made: Path, tmp_path: Path) -> None:
    """10 % slower than what a run before saved is red and shows both distributions; 1 % is green.

    Device times alone are judged: those of the host are real here.
    """
    rows = Path(shutil.copytree(ROOT / "suites" / "expectations", tmp_path / "rows"))
    (rows / "thresholds.toml").write_text(DEVICE_TIMES)
    files = (f"--baseline-file={tmp_path / 'kept.jsonl'}", f"--expectations={rows}")
    runs = [("save", 1.0, 0), ("compare", 1.01, 1), ("compare", 1.1, 2)]
    done = {}
    for mode, scale, seed in runs:
        folder = tmp_path / f"{seed}"
        folder.mkdir()
        chosen = ("suites/test_latency.py", "-k", "fp32", f"--baseline={mode}", *files)
        done[scale] = ended(made, folder, *chosen, planted=SLOWED.format(seed=seed, scale=scale))
    assert [run.code for run in done.values()] == [0, 0, 1], [run.output for run in done.values()]
    assert "baselines: 1 saved" in done[1.0].output
    assert "baselines: 1 compared" in done[1.01].output
    assert "baselines: 1 worse" in done[1.1].output
    (record,) = done[1.1].records
    (now,) = re.findall(r"guilty hop: baseline\nmedian: (\S+) ms, was ", record.message)
    assert float(now) == pytest.approx(1.1, rel=0.01)
    assert "\nbefore |" in record.message
    assert "\nnow    |" in record.message


def test_two_precisions_are_timed_in_turn(made: Path, tmp_path: Path) -> None:
    """`--ab fp32 fp16` builds both, alternates them in workers of their own, and prints their ratio."""
    planted = SLOWED.format(seed=0, scale=1.0)
    suite = ("suites/test_latency.py", "-k", "in_turn")
    done = ended(made, tmp_path, *suite, "--ab", "fp32", "fp16", planted=planted)
    assert done.code == 0, done.output
    (record,) = done.records
    assert record.stage == "latency-ab"
    assert (record.precision, record.baseline["precision"]) == ("fp16", "fp32")
    assert record.metrics["ratio_low"].value <= 1 <= record.metrics["ratio_high"].value
    assert "A/B digits opset 13 batch 1: tensorrt 8.6.1 fp16 takes " in done.output


BY_SIZE = (
    SLOWED.format(seed=0, scale="running.seconds")
    + """
before, running.seconds = running.Plan.inference, 1.0
def counting(self, feed):
    running.seconds = sum(node.op_type == "Conv" for node in self.model.graph.node) / 10
    return before(self, feed)
running.Plan.inference = counting
"""
)
"""Behind the stand-in: an engine takes 0.1 ms a convolution."""


@pytest.mark.parametrize(
    ("dense", "ratio", "verdict", "said"),
    [
        ("ten", 0.5, "passed", ""),
        ("ten", 0.3, "failed", " what ten takes, allowed are 0.3 (models.toml payoff 1, line 9)"),
        ("two", None, "failed", " what two takes, allowed are 1 (no row says less): the prune does not pay"),
    ],
)
def test_a_prune_that_does_not_pay_is_red(
    dense: str, ratio: float | None, verdict: str, said: str, tmp_path: Path
) -> None:
    """An engine of 0.4 ms: it pays beside one of 1 ms, unless less is asked for, not beside one of 0.2."""
    convolutions = {"two": 2, "four": 4, "ten": 10}
    text = ""
    for name in (dense, "four"):
        onnx.save(latency.convolutions(convolutions[name], 4), tmp_path / f"{name}.onnx")
        text += f'[model.{name}]\nframework = "onnx"\nfile = "{name}.onnx"\n'
    text += f'dense = "{dense}"\n\n'
    text += f'[[payoff]]\nmodel = "four"\nratio = {ratio}\nreason = "planted"\n' if ratio else ""
    (tmp_path / "models.toml").write_text(text)
    done = run(
        tmp_path / "artifacts", "suites/test_pruned_latency.py", f"--model={tmp_path / 'models.toml'}",
        "-m", "tensorrt", "--support=none", f"--tensorrt={interpreter(tmp_path, planted=BY_SIZE)}",
    )  # fmt: skip
    (record,) = done.records
    assert (record.stage, record.runtime, record.verdict) == ("pruned-latency", "tensorrt", verdict)
    assert record.metrics["ratio"].value == pytest.approx(4 / convolutions[dense], rel=0.02)
    assert said in record.message
    assert f"what {dense} takes: {verdict}" in done.output
    assert ("guilty hop: pruning" in record.message) == (done.code == 1) == (verdict == "failed")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ("--ab", "fp32", "fp61"),
            "--ab: fp32 is a precision and 'fp61' is none of fp32, tf32, fp16; give two",
        ),
        (("--ab", "a", "b"), "--ab names both versions of the run: leave --tensorrt out"),
        (("--baseline=keep",), "--baseline: 'keep' is none of compare, save, anew"),
        (("--baseline=compare", "--baseline-file=none.jsonl"), "none.jsonl has no baseline; make one"),
    ],
)
def test_a_wrong_word_ends_the_run(words: tuple[str, ...], said: str, tmp_path: Path) -> None:
    """Before anything is collected, in one line."""
    done = run(tmp_path / "artifacts", "suites/test_latency.py", "--tensorrt=python", *words)
    assert done.code == pytest.ExitCode.USAGE_ERROR
    assert said in done.output
