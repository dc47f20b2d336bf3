"""The commands of INT8: what they write, how an interrupted one goes on, and what they refuse."""

import io
import json
import os
import signal
import sys
import time
from collections.abc import Callable
from contextlib import redirect_stderr
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import onnx
import pytest

from fixtures.__main__ import main
from fixtures.quantization import cache, graph, migrate, qdq, ranges
from fixtures.quantization.collection import collect
from fixtures.quantization.observer import Observer
from fixtures.runtimes.onnxruntime import OnnxRuntime
from suites.meta.networks import quantizable

IMAGES = 8
ALL = ["image", "c0", "r0", "c1", "sum", "pooled", "left", "both", "c3", "flat", "scores"]
"""The tensors of the network, in the order of its graph."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a model and its calibration images."""
    quantizable.saved(tmp_path)
    np.savez(tmp_path / "images.npz", image=np.concatenate([f["image"] for f in quantizable.images(IMAGES)]))
    return tmp_path


def run(folder: Path, *words: str) -> int:
    """Run a command of `quantization` with the file names in a folder."""
    return main(["quantization", *(str(folder / w) if w.endswith(FILES) else w for w in words)])


FILES = (".onnx", ".npz", ".cache", ".json")
CALIBRATE = ("calibrate", "residual.onnx", "--images", "images.npz", "-o", "c.cache")


@pytest.mark.parametrize("method", ["entropy", "minmax", "percentile", "mse"])
def test_the_cache_has_the_scale_of_every_tensor(method: str, folder: Path) -> None:
    """Those of one pass over the images, under the algorithm that TensorRT calls it."""
    assert run(folder, *CALIBRATE, "--calibrator", method) == 0
    collection = collect(Observer(folder / "residual.onnx", ALL), quantizable.images(IMAGES))
    read = cache.read(folder / "c.cache")
    assert read.scales == ranges.scales(collection, method)
    assert read.algorithm == ("MinMaxCalibration" if method == "minmax" else "EntropyCalibration2")
    assert list(read.scales) == ALL
    assert not list(folder.glob("*.calibrating"))


def test_the_header_names_the_version(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """That of --tensorrt; what is no version, or one that reads no cache, is a wrong call."""
    assert run(folder, *CALIBRATE, "--tensorrt", "10.3.0") == 0
    assert (folder / "c.cache").read_text().startswith("TRT-100300-EntropyCalibration2\n")
    wrong = {"new": "'new' is no version of TensorRT such as 8.5.3", "6.0.1": "TensorRT 6.0.1 reads no cache"}
    for version, said in (wrong | {"11.0": "TensorRT 11.0 reads no cache of these, 7 to 10 do"}).items():
        with pytest.raises(SystemExit) as ended:
            run(folder, *CALIBRATE, "--tensorrt", version)
        assert ended.value.code == 2
        assert said in capsys.readouterr().err


def test_heads_stay_in_float_where_that_is_asked_for(folder: Path) -> None:
    """The last layer reads float, in the Q/DQ model; the cache has the scale all the same."""
    assert run(folder, *CALIBRATE, "--qdq", "q.onnx", "--float-heads") == 0
    model = onnx.load(folder / "q.onnx")
    (gemm,) = (node for node in model.graph.node if node.op_type == "Gemm")
    assert list(gemm.input) == ["flat", "w4"]
    assert "flat" in cache.read(folder / "c.cache").scales
    assert run(folder, "migrate", "residual.onnx", "c.cache", "-o", "again.onnx", "--float-heads") == 0
    assert (folder / "again.onnx").read_bytes() == (folder / "q.onnx").read_bytes()


def test_one_pass_writes_all_that_is_asked_for(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Cache, pairs and the thresholds of all calibrators agree; the lines say what was done."""
    assert run(folder, *CALIBRATE, "--qdq", "q.onnx", "--ranges", "r.json") == 0
    out = capsys.readouterr().out.splitlines()
    assert out == ["8 samples, 11 tensors, mse", f"wrote {folder}/c.cache, {folder}/q.onnx, {folder}/r.json"]
    scales = cache.read(folder / "c.cache").scales
    assert ranges.load(folder / "r.json", "mse") == scales
    found = json.loads((folder / "r.json").read_text())["thresholds"]["r0"]
    assert sorted(found) == ["entropy", "minmax", "mse", "percentile"]
    assert run(folder, "migrate", "residual.onnx", "c.cache", "-o", "again.onnx") == 0
    assert (folder / "again.onnx").read_bytes() == (folder / "q.onnx").read_bytes()
    assert graph.violations(onnx.load(folder / "q.onnx")) == []


def test_there_and_back_by_commands(folder: Path) -> None:
    """Cache -> pairs -> cache and a float32 model: their pairs compute the same."""
    assert run(folder, *CALIBRATE) == 0
    assert run(folder, "migrate", "residual.onnx", "c.cache", "-o", "q.onnx") == 0
    back = ("cache", "q.onnx", "-o", "back.cache", "--float", "float.onnx", "--tensorrt", "7.2.3")
    assert run(folder, *back) == 0
    assert cache.read(folder / "back.cache").version == 7203
    assert run(folder, "migrate", "float.onnx", "back.cache", "-o", "again.onnx") == 0
    feeds = quantizable.images(3, seed=2)
    first, second = (OnnxRuntime(folder / name).run(feeds) for name in ("q.onnx", "again.onnx"))
    for one, other in zip(first, second, strict=True):
        np.testing.assert_allclose(one["scores"], other["scores"], rtol=1e-5, atol=1e-5)


class Screen(io.StringIO):
    """A terminal that does something when a text is written."""

    def __init__(self, when: str, act: Callable[[], None]) -> None:
        super().__init__()
        self.when, self.act = when, act

    def isatty(self) -> bool:
        """A person watches."""
        return True

    def write(self, text: str) -> int:
        """Keep a text, and act where it is the one that is waited for."""
        if self.when in text:
            self.act()
        return super().write(text)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_pass_goes_on(
    number: signal.Signals, code: int, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Signal, one line, a kept state, nothing written; the same command ends as one that was let be."""
    handlers = [signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM)]
    screen = Screen("3 of 8", lambda: os.kill(os.getpid(), number))
    monkeypatch.setattr(sys, "stderr", screen)
    assert run(folder, *CALIBRATE) == code
    assert "interrupted: what was counted is in" in screen.getvalue().splitlines()[-1]
    assert sorted(path.name for path in folder.iterdir()) == [
        "c.cache.calibrating", "images.npz", "residual.onnx",
    ]  # fmt: skip
    screen.when = "never"
    assert run(folder, *CALIBRATE) == 0
    assert "going on after 3 of 8" in screen.getvalue()
    resumed = (folder / "c.cache").read_bytes()
    assert run(folder, *CALIBRATE) == 0
    assert (folder / "c.cache").read_bytes() == resumed
    assert [signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM)] == handlers


def test_a_second_signal_ends_at_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two of them before a sample ends: the handlers that were there before have the second."""

    def twice() -> None:
        ours = signal.getsignal(signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)
        while signal.getsignal(signal.SIGINT) is ours:  # two that are pending at once are one
            time.sleep(0.001)
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(5)  # the second ends it: another thread may take a signal, and this one hears of it later

    monkeypatch.setattr(sys, "stderr", Screen("3 of 8", twice))
    assert run(folder, *CALIBRATE) == 130
    assert not (folder / "c.cache.calibrating").exists()


def test_a_person_sees_how_far_it_is(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Done, total and an estimate; nothing where nobody watches."""
    screen = Screen("never", lambda: None)
    monkeypatch.setattr(sys, "stderr", screen)
    assert run(folder, *CALIBRATE) == 0
    shown = screen.getvalue().split("\r")[1:]
    assert [line.split(" of ")[0] for line in shown] == [str(n + 1) for n in range(IMAGES)]
    assert all("left" in line for line in shown[:-1])
    log = io.StringIO()
    monkeypatch.setattr(sys, "stderr", log)
    assert run(folder, *CALIBRATE) == 0
    assert log.getvalue() == ""


def other_state(folder: Path) -> None:
    """Leave the state of an interrupted pass over other images."""
    with redirect_stderr(Screen("3 of 8", lambda: os.kill(os.getpid(), signal.SIGINT))):
        run(folder, *CALIBRATE)
    np.savez(folder / "images.npz", image=np.ones((4, 3, 8, 8), np.float32))


def images(change: Callable[[np.ndarray], np.ndarray]) -> Callable[[Path], None]:
    """Make what writes other images."""
    arrays = np.concatenate([feed["image"] for feed in quantizable.images(4)])
    return lambda folder: np.savez(folder / "images.npz", image=change(arrays))


def scaled(folder: Path) -> None:
    """Write a model one of whose tensors is infinite."""
    model = quantizable.residual()
    weights = onnx.numpy_helper.to_array(model.graph.initializer[0]) * np.float32(1e38)
    model.graph.initializer[0].CopyFrom(onnx.numpy_helper.from_array(weights, "w0"))
    onnx.save(model, folder / "residual.onnx")


def quantized(folder: Path) -> None:
    """Put pairs into the model."""
    migrate.to_pairs(folder / "residual.onnx", dict.fromkeys(ALL, np.float32(1)), folder / "residual.onnx")


def without_opset(folder: Path) -> None:
    """Let the model say no opset, which is opset 1."""
    model = onnx.load(folder / "residual.onnx")
    del model.opset_import[:]
    onnx.save(model, folder / "residual.onnx")


def without_shape(folder: Path) -> None:
    """Leave the shape of the input open, its rank too."""
    model = onnx.load(folder / "residual.onnx")
    model.graph.input[0].type.tensor_type.ClearField("shape")
    onnx.save(model, folder / "residual.onnx")


BAD = {
    "no shape": (without_shape, "input 'image' has no shape; export the model with one"),
    "no opset": (without_opset, "residual.onnx: opset 1; QuantizeLinear begins at 10"),
    "no model": (lambda f: (f / "residual.onnx").unlink(), "residual.onnx: No such file or directory"),
    "no ONNX": (lambda f: (f / "residual.onnx").write_bytes(b"<html>"), "is no ONNX model"),
    "quantized": (quantized, "residual.onnx: is quantized already"),
    "no images": (lambda f: (f / "images.npz").unlink(), "images.npz: No such file or directory"),
    "empty set": (images(lambda a: a[:0]), "images.npz: has no images; give at least one"),
    "shape": (images(lambda a: a[:, :, :4]), "expected float32 (?, 3, 8, 8)"),
    "NaN": (images(lambda a: a * np.nan), "images.npz, 'image': image 0 has values that are NaN"),
    "infinite": (scaled, "a value of tensor 'c0' is infinite"),
    "state": (other_state, "c.cache.calibrating: the state is of another model, tensors or images; delete"),
}  # fmt: skip


@pytest.mark.parametrize("what", BAD)
def test_what_cannot_calibrate_is_one_line(
    what: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """On stderr, with exit code 1, and nothing is written."""
    spoil, said = BAD[what]
    spoil(folder)
    before = sorted(folder.iterdir())
    assert run(folder, *CALIBRATE, "--qdq", "q.onnx") == 1
    error = capsys.readouterr().err
    assert len(error.splitlines()) == 1
    assert said in error
    assert sorted(folder.iterdir()) == before


def test_blank_images_are_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The tensors that were 0 on every image, three of them by name."""
    images(lambda a: a * 0)(folder)
    assert run(folder, *CALIBRATE) == 0
    assert "note: 0 on every image: 'image', 'c0', 'r0' and 8 more" in capsys.readouterr().out


def test_a_calibrator_that_cuts_too_much_is_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A background of one value and a tail: entropy drops the tail into the bin of the background."""
    images(with_background)(folder)
    assert run(folder, *CALIBRATE, "--calibrator", "entropy") == 0
    assert "note: entropy cuts 'image'" in capsys.readouterr().out
    assert run(folder, *CALIBRATE, "--calibrator", "mse") == 0
    assert "note" not in capsys.readouterr().out


def with_background(arrays: np.ndarray) -> np.ndarray:
    """Make most of the pixels 0.52, where bin 133 of 2,048 is, and one in sixteen of the others up to 8."""
    made = np.full_like(arrays, 133 * 8 / 2048 - 1e-3)
    made.reshape(-1)[::16] = np.linspace(0.6, 7.9, made.size // 16)
    made.reshape(-1)[5::16] = np.linspace(0.0, 0.5, made.size // 16)
    return made


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("calibrate", "residual.onnx", "--images", "images.npz"), 2, "nothing to write: give -o, --qdq or"),
        ((*CALIBRATE, "--qdq", "residual.onnx"), 2, "residual.onnx is named twice"),
        ((*CALIBRATE, "--float-heads"), 2, "--float-heads is of --qdq: give that, too"),
        ((*CALIBRATE, "--qdq", "c.cache"), 2, "c.cache is named twice"),
        ((*CALIBRATE, "--ranges", "residual.onnx/r.json"), 1, "residual.onnx is no folder"),
    ],
)
def test_outputs_are_held_before_the_pass(
    words: tuple[str, ...], code: int, said: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A wrong call is seen at once and not after hours."""
    with pytest.raises(SystemExit) as ended:
        sys.exit(run(folder, *words))
    assert ended.value.code == code
    assert said in capsys.readouterr().err


CACHES = {
    "foreign": (lambda text: text + "other: 3f800000\n", "names 'other', which the model lacks"),
    "lacking": (lambda text: text.replace("r0:", "(Unnamed Layer* 1) [Relu]_output:"), "lacks 'r0', which"),
    "cut": (lambda text: text[:-4], "line 12: 'scores: "),
    "algorithm": (lambda text: text.replace("Entropy", "Legacy"), "of the algorithm LegacyCalibration2"),
    "empty": (lambda text: "", "line 1: '' is no header of a calibration cache"),
}


@pytest.mark.parametrize("what", CACHES)
def test_a_cache_that_does_not_fit_is_named(
    what: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line with the file and the tensor or line, and no model is written."""
    change, said = CACHES[what]
    run(folder, *CALIBRATE)
    path = folder / "c.cache"
    path.write_text(change(path.read_text()))
    capsys.readouterr()
    assert run(folder, "migrate", "residual.onnx", "c.cache", "-o", "q.onnx") == 1
    error = capsys.readouterr().err
    assert len(error.splitlines()) == 1
    assert str(path) in error
    assert said in error
    assert not (folder / "q.onnx").exists()


def test_a_float_model_has_no_cache_in_it(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It is refused, and nothing is written."""
    assert run(folder, "cache", "residual.onnx", "-o", "c.cache") == 1
    assert "quantizes no activation" in capsys.readouterr().err
    assert not (folder / "c.cache").exists()


def test_an_old_opset_has_a_cache_but_no_pairs(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """TensorRT 7 takes opset 9, where there is no QuantizeLinear."""
    model = quantizable.residual(opset=9)
    model.graph.initializer.append(onnx.numpy_helper.from_array(np.zeros(5, np.float32), "bias"))
    model.graph.node[-1].input.append("bias")  # opset 9 wants one
    onnx.save(model, folder / "residual.onnx")
    assert run(folder, *CALIBRATE) == 0
    assert run(folder, *CALIBRATE, "--qdq", "q.onnx") == 1
    assert "opset 9; QuantizeLinear begins at 10" in capsys.readouterr().err


def test_a_model_that_takes_no_pairs_leaves_no_cache(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A tensor has the name that one of a pair would have: nothing is written at all."""
    model = onnx.load(folder / "residual.onnx")
    for names in (names for node in model.graph.node for names in (node.input, node.output)):
        names[:] = ["r0.int8" if name == "c1" else name for name in names]
    onnx.save(model, folder / "residual.onnx")
    assert run(folder, *CALIBRATE, "--qdq", "q.onnx") == 1
    assert "r0.int8" in capsys.readouterr().err
    assert sorted(path.name for path in folder.iterdir()) == ["images.npz", "residual.onnx"]


@pytest.mark.skipif(find_spec("tensorrt_rtx") is None, reason="this interpreter has no TensorRT-RTX")
def test_tensorrt_builds_what_the_commands_write(folder: Path) -> None:
    """The real builder of TensorRT-RTX takes the pairs, as the tables say."""
    from fixtures.compatibility import inspect
    from fixtures.compatibility.answers import ask
    from fixtures.compatibility.tables.releases import by_label
    from fixtures.runtimes.tensorrt.client import TensorRT

    assert run(folder, "calibrate", "residual.onnx", "--images", "images.npz", "--qdq", "q.onnx") == 0
    with TensorRT(Path(sys.executable), timeout=120) as tensorrt:
        built = tensorrt.build(folder / "q.onnx", precision="int8")
    assert built.ok, built.problem
    release = by_label("rtx1.7")
    assert release is not None
    (answer,) = ask(inspect(onnx.load(folder / "q.onnx")), [release], gpu=False)
    assert not answer.refused


def test_weights_alone_need_no_image(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The command writes what the route of the suite does; a quantized model is refused."""
    assert run(folder, "weights", "residual.onnx", "-o", "weights.onnx") == 0
    qdq.quantize_weights(folder / "residual.onnx", folder / "again.onnx")
    assert (folder / "weights.onnx").read_bytes() == (folder / "again.onnx").read_bytes()
    assert run(folder, "weights", "weights.onnx", "-o", "twice.onnx") == 1
    assert "is quantized already" in capsys.readouterr().err
    assert not (folder / "twice.onnx").exists()
