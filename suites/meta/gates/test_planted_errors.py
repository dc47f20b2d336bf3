"""Every gate of the suites has been seen to fail: an error is planted, a real run must name it."""

import importlib.metadata
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from fixtures.converters.darknet.convert import convert
from fixtures.expectations import ExpectationError
from fixtures.run import make_run
from fixtures.run.options import Options
from fixtures.runtimes.tensorrt import worker
from fixtures.runtimes.tensorrt.versions import default_interpreter
from fixtures.verdicts import StageError
from reference_models import fetch
from reference_models.datasets import digit_scenes
from suites.meta.gates.child_runs import TIMEOUT, Run, command, edit, pipeline, plant, read_records, run
from suites.meta.places import ROOT

if find_spec("torch") is None:
    pytest.skip("torch is not installed; run `tox run -e meta`", allow_module_level=True)

EXPECTATIONS = ROOT / "suites" / "expectations"
DIGITS = ("--model=digits", "--opset=13")
INT8 = "suites/test_int8.py::test_int8_keeps_the_accuracy"
SPOILT = "worst tensors: '/2/Relu_output_0', read by /3/Conv"
SOURCE_PARITY = "suites/test_parity.py::test_onnxruntime_gives_the_source_outputs"


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store that holds all that the digits model needs at opsets 10 and 13."""
    store = tmp_path_factory.mktemp("made") / "artifacts"
    way = pipeline(store)
    way.onnx_model("digits", "torchscript", 10)
    model = way.onnx_model("digits", "torchscript", 13)
    way.samples("digits")
    way.to_int8("digits", model, "qdq")
    return store


@pytest.fixture
def store(made: Path, tmp_path: Path) -> Path:
    """A copy of the store, to be spoiled."""
    return Path(shutil.copytree(made, tmp_path / "artifacts"))


def initializer(model: onnx.ModelProto, position: int) -> onnx.TensorProto:
    """Return the weight of the convolution at that position among the convolutions."""
    name = [node.input[1] for node in model.graph.node if node.op_type == "Conv"][position]
    return next(tensor for tensor in model.graph.initializer if tensor.name == name)


def swap_channels(model: onnx.ModelProto) -> None:
    """Swap the first two output channels of the second convolution."""
    tensor = initializer(model, 1)
    weight = numpy_helper.to_array(tensor).copy()
    weight[[0, 1]] = weight[[1, 0]]
    tensor.CopyFrom(numpy_helper.from_array(weight, tensor.name))


def put_nan(model: onnx.ModelProto) -> None:
    """Make one weight NaN."""
    tensor = initializer(model, 0)
    weight = numpy_helper.to_array(tensor).copy()
    weight.flat[0] = np.nan
    tensor.CopyFrom(numpy_helper.from_array(weight, tensor.name))


def rename_output(model: onnx.ModelProto) -> None:
    """Give the output another name, so that the one asked for is missing."""
    model.graph.node[-1].output[0] = model.graph.output[0].name = "other"


def stamp_opset(model: onnx.ModelProto) -> None:
    """Write another opset than the one asked for."""
    model.opset_import[0].version = 14


def give_double(model: onnx.ModelProto) -> None:
    """Cast the output to DOUBLE, which every TensorRT gives as FLOAT."""
    (output,) = model.graph.output
    output.type.tensor_type.elem_type = onnx.TensorProto.DOUBLE
    model.graph.node[-1].output[0] = "as FLOAT"
    cast = onnx.helper.make_node("Cast", ["as FLOAT"], [output.name], to=onnx.TensorProto.DOUBLE)
    model.graph.node.append(cast)


def scaled(factor: float) -> Callable[[onnx.ModelProto], None]:
    """Make the scale of the first activation behind the input wrong by a factor."""

    def change(model: onnx.ModelProto) -> None:
        node = [n for n in model.graph.node if n.op_type == "QuantizeLinear"][1]
        (tensor,) = (t for t in model.graph.initializer if t.name == node.input[1])
        scale = numpy_helper.to_array(tensor) * np.float32(factor)
        tensor.CopyFrom(numpy_helper.from_array(scale, tensor.name))

    return change


PLANTED: dict[str, tuple[str, str, Callable[[onnx.ModelProto], None], list[str]]] = {
    "channels swapped": (
        SOURCE_PARITY, "onnx", swap_channels,
        ["guilty hop: source->ONNX", "logits:", "of 10 mismatched", "tolerances.toml row", "ONNX model: "],
    ),
    "NaN": (SOURCE_PARITY, "onnx", put_nan, ["NaN or infinite", "10 of 10"]),
    "output missing": (SOURCE_PARITY, "onnx", rename_output, ["['other']", "['logits']"]),
    "wrong opset": ("suites/test_convert.py", "onnx", stamp_opset, ["opset is {'': 14}", "13"]),
    "INT8 scale too small, all saturates": (
        INT8, "quantized", scaled(1 / 16),
        ["guilty hop: calibration", "top1 loses", "the budget is 1 (budgets.toml row", SPOILT],
    ),
    "INT8 scale 8 times too large, no label changes": (
        INT8, "quantized", scaled(8),
        ["guilty hop: calibration", "logits: INT8 is", "of fp32 away in L2, the budget is 0.05", SPOILT],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("suite", "kind", "change", "named"), PLANTED.values(), ids=PLANTED)
def test_a_planted_error_fails_the_run_and_is_named(
    suite: str,
    kind: str,
    change: Callable[[onnx.ModelProto], None],
    named: list[str],
    store: Path,
) -> None:
    """The run is red, and the record names case, hop and cause, and how to run it again."""
    plant(store, kind, change)
    select = ["-k", "torchscript and (qdq or not int8)"]
    ended = run(store, suite, *DIGITS, *select)
    assert ended.code == 1, ended.output
    message = ended.the("failed").message
    for part in [*named, "digits-torchscript-opset13", "rerun: "]:
        assert part in message
    assert "Traceback" not in ended.output


def scaled_weights(model: onnx.ModelProto) -> None:
    """Make the weights of a detector's last quantized convolution half as large, as stored in INT8."""
    makers = {name: node for node in model.graph.node for name in node.output}
    pair = [makers[n.input[1]] for n in model.graph.node if n.op_type == "Conv" and n.input[1] in makers][-1]
    (tensor,) = (t for t in model.graph.initializer if t.name == pair.input[1])
    tensor.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(tensor) / np.float32(2), tensor.name))


DETECTOR = "digits-yolov3-tiny"
SPOILT_DETECTORS = {
    "activation saturates": (
        scaled(1 / 16),
        ["map keeps", "the budget is 99 (budgets.toml row", "'layer_0', read"],
    ),
    "activation 16 times too coarse": (
        scaled(16),
        ["of fp32's boxes", "the budget is 90", "'layer_0', read by"],
    ),
    "weights before a head": (
        scaled_weights,
        ["of fp32 away in L2", "worst tensors: 'layer_19.weight', read by layer_19"],
    ),
}


@pytest.fixture(scope="module")
def detector(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store that holds a detector, its quantized model and 60 of the scenes that both are judged on."""
    store = tmp_path_factory.mktemp("detector") / "artifacts"
    way = pipeline(store)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(digit_scenes, "HELD_OUT", 60)
        way.to_int8(DETECTOR, way.onnx_model(DETECTOR, "darknet", 13), "qdq")
        way.evaluation(DETECTOR)
    return store


@pytest.mark.parametrize(("change", "named"), SPOILT_DETECTORS.values(), ids=SPOILT_DETECTORS)
def test_a_spoilt_detector_is_red_and_its_tensor_named(
    change: Callable[[onnx.ModelProto], None], named: list[str], detector: Path, tmp_path: Path
) -> None:
    """By its mAP, by its boxes, by its heads: each error breaks another limit."""
    store = Path(shutil.copytree(detector, tmp_path / "artifacts"))
    plant(store, "quantized", change)
    ended = run(store, INT8, f"--model={DETECTOR}", "--opset=13", "-k", "qdq")
    message = ended.the("failed").message
    for part in ["guilty hop: calibration", *named]:
        assert part in message


def test_a_search_leaves_the_spoilt_layer_in_float_and_the_next_run_honours_it(store: Path) -> None:
    """The run with --int8-search is green, prints a row, and the next run quantizes all but that layer."""
    plant(store, "quantized", scaled(1 / 16))
    select = (INT8, *DIGITS, "-k", "torchscript and qdq")
    assert run(store, *select).code == 1
    ended = run(store, *select, "--int8-search")
    assert ended.code == 0, ended.output
    assert 'layers = ["/3/Conv"]' in ended.output
    again = run(store, *select)
    assert again.code == 0, again.output
    (record,) = (one for one in again.records if "by exclusions.toml: /3/Conv" in one.message)
    assert record.metrics["excluded"].value == 1


@pytest.mark.parametrize(("epsilon", "code"), [(1e-5, 0), (1e-6, 1)])
def test_another_batchnorm_epsilon_is_seen(epsilon: float, code: int, tmp_path: Path) -> None:
    """OpenCV's epsilon in place of Darknet's is within no tolerance, on the official weights."""
    store, name = tmp_path / "artifacts", "yolov4-tiny"
    way = pipeline(store)
    if way.models[name].origin() != "official":
        pytest.skip("the official weights cannot be fetched: seeded variances are too large to tell")
    way.onnx_model(name, "darknet", 13)
    cfg = next((store / "sources").rglob(f"{name}.cfg"))
    wrong = convert(cfg, fetch.fetch(f"{name}.weights"), 13, epsilon=epsilon)
    plant(store, "onnx", lambda model: model.CopyFrom(wrong))
    ended = run(store, SOURCE_PARITY, f"--model={name}", "--opset=13")
    assert ended.code == code, ended.output
    assert code == 0 or "yolo_30: " in ended.the("failed").message


def test_an_error_at_one_opset_is_blamed_on_the_opset(store: Path) -> None:
    """When the same model at opset 10 agrees with the source, the opset is the guilty hop."""
    plant(store, "onnx", swap_channels, opset=13)
    ended = run(store, SOURCE_PARITY, *DIGITS, "-k", "torchscript")
    assert "guilty hop: opset" in ended.the("failed").message


@pytest.mark.parametrize(("opset", "verdict"), [(10, "passed"), (13, "failed")])
def test_an_opset_answers_for_itself_alone(store: Path, opset: int, verdict: str) -> None:
    """With the error at opset 10 the cell of 13 passes and says so; with the error at 13 it is red."""
    plant(store, "onnx", swap_channels, opset=opset)
    ended = run(store, "suites/test_parity.py::test_opsets_agree", *DIGITS, "-k", "torchscript")
    message = ended.the(verdict).message
    said = {"passed": "opset 10 itself is wrong", "failed": "guilty hop: opset"}
    assert said[verdict] in message
    assert "logits: 10 of 10 mismatched" in message
    assert "opset 10" in message


def test_an_unspoiled_store_is_green(store: Path) -> None:
    """The gates above are red for the planted error and nothing else."""
    ended = run(
        store, "suites/test_convert.py", SOURCE_PARITY, "suites/test_int8.py", *DIGITS,
        "-k", "torchscript", "-m", "not tensorrt",
    )  # fmt: skip
    assert ended.code == 0, ended.output
    assert {record.verdict for record in ended.records} == {"passed"}


def test_a_damaged_object_is_made_again(store: Path) -> None:
    """A model whose bytes are not those of its digest is never used; the run says so in one line."""
    for path in list(store.glob("objects/*/*.onnx")):
        path.write_bytes(b"no model")
    ended = run(store, SOURCE_PARITY, *DIGITS, "-k", "torchscript")
    assert ended.code == 0, ended.output
    assert ended.output.count(".onnx differs from its digest; it is not used, and made again") == 1


@pytest.mark.parametrize(("option", "version"), [([], "0.1"), (["--refresh"], None)])
def test_refresh_makes_again_what_another_version_made(
    option: list[str], version: str | None, store: Path
) -> None:
    """A store is used as it is, and with --refresh it is held against what is installed."""
    for entry in (store / "entries" / "onnx").glob("*.json"):
        edit(entry, lambda body: body["about"]["dependencies"].update(torch="0.1"))
    ended = run(store, "suites/test_convert.py", *DIGITS, *option, "-k", "torchscript")
    expected = version or importlib.metadata.version("torch")
    assert ended.the("passed").dependencies["torch"] == expected


def test_a_stale_expectation_fails_the_run(store: Path, tmp_path: Path) -> None:
    """A known failure that passes is named with its file and row."""
    folder = Path(shutil.copytree(EXPECTATIONS, tmp_path / "expectations"))
    (folder / "known_failures.toml").write_text(
        "[[known_failure]]\nmodel='digits'\nmessage='opset 18'\nreason='was so'\nlink='x'\n"
    )
    ended = run(store, SOURCE_PARITY, *DIGITS, "-k", "torchscript", f"--expectations={folder}")
    assert ended.code == 1
    assert "known_failures.toml row 1" in ended.the("failed").message


def test_taken_but_wrong_is_red_until_a_row_accepts_it(store: Path, tmp_path: Path) -> None:
    """What a release takes and computes otherwise fails its support stage; a row with a reason accepts it."""
    plant(store, "onnx", give_double, opset=13)
    support = ("suites/test_support.py", *DIGITS, "-k", "torchscript and rtx1.7")
    message = run(store, *support).the("failed").message
    assert "output of DOUBLE 'logits' is taken, but wrong" in message
    folder = Path(shutil.copytree(EXPECTATIONS, tmp_path / "expectations"))
    (folder / "known_failures.toml").write_text(
        "[[known_failure]]\nstage='support'\nmodel='digits'\ntensorrt='rtx1.7*'\n"
        "message='is taken, but wrong'\nreason='the caller takes FLOAT'\nlink='x'\n"
    )
    ended = run(store, *support, f"--expectations={folder}")
    assert ended.code == 0, ended.output
    assert ended.the("xfailed").stage == "support"  # beside the failure of the first run


def test_a_required_stage_that_ran_nothing_fails_the_run(store: Path) -> None:
    """Green is not to be had by running nothing."""
    ended = run(store, SOURCE_PARITY, *DIGITS, "-k", "torchscript", "--require=tensorrt-parity")
    assert ended.code == 1
    assert "--require: stage tensorrt-parity executed nothing" in ended.output


def test_a_named_tensorrt_requires_builds_only_where_builds_are_asked_for(store: Path) -> None:
    """The rerun command of a case of another stage ends green when the case passes."""
    interpreter = default_interpreter()
    if interpreter is None:
        pytest.skip("no TensorRT in this interpreter; run `tox run -e meta`")
    ended = run(store, SOURCE_PARITY, *DIGITS, f"--tensorrt={interpreter}", "-k", "torchscript")
    assert ended.code == 0, ended.output


WRONG: list[tuple[str, object, str]] = [
    ("models", "yolov9", "no model is named 'yolov9'"),
    ("models", "digitz", "no model is named 'digitz'; did you mean digits"),
    ("precisions", "int8", "'int8' is none of fp32, tf32, fp16; INT8 is the stage int8-accuracy"),
    ("opsets", "9", "'9' is no opset of this suite"),
    ("opsets", "eleven", "'eleven' is no opset"),
    ("precisions", "fp8", "'fp8' is none of"),
    ("batches", "4", "--batch: '4' is none of 1, 8, 32, dynamic"),
    ("tensorrt", ["nowhere/python"], "no such interpreter"),
    ("tensorrt", [str(ROOT)], "is a directory"),
    ("expectations", ROOT / "nowhere", "tolerances.toml"),
    ("exclusions", ROOT / "nowhere.toml", "there is no such file; a run with --int8-search writes it"),
]


@pytest.mark.parametrize(("option", "value", "named"), WRONG)
def test_a_wrong_argument_is_refused_in_one_line(option: str, value: object, named: str) -> None:
    """What is wrong is said in one line, before anything is collected."""
    with pytest.raises((ValueError, StageError, ExpectationError)) as caught:
        make_run(replace(Options(), **{option: value}))  # type: ignore[arg-type]
    assert named in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("argument", "named"),
    [
        ("--opset=9", "'9' is no opset of this suite"),
        ("--tensorrt=/bin/true", "gives no TensorRT worker"),
    ],
)
def test_a_wrong_argument_ends_the_run(argument: str, named: str, tmp_path: Path) -> None:
    """The run ends with pytest's usage code, says what is wrong, and shows no traceback."""
    ended = run(tmp_path / "artifacts", "suites", argument, "--collect-only")
    assert (ended.code, ended.records) == (4, [])
    lines = [line for line in ended.output.splitlines() if named in line]
    assert len(lines) == 1
    assert "Traceback" not in ended.output


def test_a_broken_tensorrt_that_nobody_named_is_not_run(
    store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A TensorRT that cannot be imported leaves the other stages alone, and the reason is given."""
    for module in worker.MODULES:
        (tmp_path / f"{module}.py").write_text("raise ImportError('libnvinfer.so.10: cannot open')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    build = "suites/test_build.py::test_engine_builds"
    ended = run(store, build, "suites/test_convert.py", *DIGITS, "-k", "torchscript")
    assert ended.code == 0, ended.output
    assert "libnvinfer.so.10: cannot open" in ended.the("not-run").message


@pytest.fixture(scope="module")
def long_to_build(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with a network that takes seconds to build."""
    if default_interpreter() is None:
        pytest.skip("no TensorRT in this interpreter; run `tox run -e meta`")
    store = tmp_path_factory.mktemp("long") / "artifacts"
    pipeline(store).onnx_model("yolov3", "darknet", 13)
    return store


@pytest.mark.parametrize(
    ("signal_number", "named"),
    [(signal.SIGKILL, "SIGKILL"), (signal.SIGSTOP, "4 s")],
    ids=["killed", "hung"],
)
def test_a_dying_builder_is_a_verdict(
    signal_number: signal.Signals, named: str, long_to_build: Path, tmp_path: Path
) -> None:
    """A worker that is killed or hangs in mid-build makes the case crashed, and pytest goes on."""
    store = Path(shutil.copytree(long_to_build, tmp_path / "artifacts", copy_function=os.link))
    arguments = ["suites/test_build.py", "--model=yolov3", "--opset=13", "--worker-timeout=4"]
    arguments += ["--build-ahead=0"]  # one worker, which is the case's
    with subprocess.Popen(command(store, *arguments), cwd=ROOT, stdout=subprocess.PIPE, text=True) as child:
        os.kill(worker_in_build(child.pid, store), signal_number)
        output, _ = child.communicate(timeout=TIMEOUT)
    ended = Run(child.returncode, output, read_records(store))
    assert ended.code == 1
    assert named in ended.the("crashed").message


def worker_in_build(parent: int, store: Path) -> int:
    """Wait until the worker of a run builds, then give its process id."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
        if children and any(store.glob("scratch-*")):
            time.sleep(0.3)  # the request is on its way to the worker
            return int(children[0])
        time.sleep(0.01)
    raise AssertionError("no build began")


def test_an_interrupted_run_keeps_its_records(store: Path) -> None:
    """Records written before Ctrl-C are there afterwards, whole."""
    arguments = [SOURCE_PARITY, "suites/test_latency.py", *DIGITS, "-m", "not tensorrt", "-k", "torchscript"]
    with subprocess.Popen(
        command(store, *arguments), cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as child:
        deadline = time.monotonic() + 60
        while not read_records(store) and time.monotonic() < deadline:
            time.sleep(0.01)
        child.send_signal(signal.SIGINT)
        child.wait(TIMEOUT)
    assert read_records(store)


def test_collecting_needs_no_framework(tmp_path: Path) -> None:
    """Every suite is collected with torch, mxnet, OpenCV and TensorRT all missing."""
    absent = ["torch", "mxnet", "cv2", "tensorrt", "tensorrt_rtx", "tensorrt_rtx_bindings", "skimage"]
    arguments = ["suites", "--collect-only", "-q", f"--artifacts={tmp_path}", "--model=yolov3-tiny,digits"]
    hide = f"import sys; sys.modules.update(dict.fromkeys({absent})); import pytest; pytest.main({arguments})"
    done = subprocess.run(
        [sys.executable, "-c", hide],
        cwd=ROOT, capture_output=True, text=True, timeout=TIMEOUT, check=False,
    )  # fmt: skip
    assert "yolov3-tiny-darknet-opset10" in done.stdout
    assert "error" not in done.stdout.lower()
