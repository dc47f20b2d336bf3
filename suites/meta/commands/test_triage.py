"""``python -m fixtures triage``: what it prints and writes, and what it says of files that do not fit."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from benchmarks.triage import scale_output
from fixtures.commands import triage
from suites.meta.triage.graphs import chain


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """A sound model and one with a wrong layer."""
    sound = chain(8)
    sound.graph.output[0].CopyFrom(helper.make_tensor_value_info("t7", TensorProto.FLOAT, [2, 6]))
    onnx.save(sound, tmp_path / "sound.onnx")
    scale_output(sound, "t5", TensorProto.FLOAT, 1.5)
    onnx.save(sound, tmp_path / "wrong.onnx")
    return tmp_path / "sound.onnx", tmp_path / "wrong.onnx"


def test_the_wrong_layer_is_printed_and_written(
    files: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the report, where it is asked for."""
    sound, wrong = files
    out = tmp_path / "out"
    assert triage.main([str(wrong), "--against", str(sound), "-o", str(out), "--issue"]) == 1
    printed = capsys.readouterr().out
    assert "guilty layer: node 'n5' (Mul), tensor 't5'" in printed
    assert "# Neg, Mul: wrong output at fp32" in printed
    assert (out / "model.onnx").is_file()


@pytest.mark.parametrize(
    ("producer", "said"),
    [("pytorch", "is pytorch 2.13.0"), ("trt-parity", "is trt-parity 2.13.0"), ("", "is unknown")],
)
def test_a_report_on_a_file_is_for_what_made_the_file(
    producer: str, said: str, files: tuple[Path, Path], tmp_path: Path
) -> None:
    """Held against another file it is no bug of a converter of this suite."""
    sound, wrong = files
    model = onnx.load(wrong)
    model.producer_name, model.producer_version = producer, "2.13.0" if producer else ""
    onnx.save(model, wrong)
    assert triage.main([str(wrong), "--against", str(sound), "-o", str(tmp_path / "out")]) == 1
    head = (tmp_path / "out" / "issue.md").read_text().splitlines()[0]
    assert head == f"<!-- For what made {wrong}: its producer, by the file, {said} -->"


def test_two_models_that_agree_have_no_guilty_layer(
    files: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The exit code is 0, and inputs of one's own are taken."""
    sample = tmp_path / "sample.npz"
    np.savez(sample, x=np.ones((2, 6), np.float32))
    words = [str(files[0]), "--against", str(files[0]), "--inputs", str(sample), "-o", str(tmp_path / "out")]
    assert triage.main(words) == 0
    assert "nothing found" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("given", "code", "said"),
    [
        ([], 1, "input 'x' is 2x?, with lengths that the model leaves open: give --input x:2x224, or real"),
        (["x:2x6"], 0, "nothing found"),
        (["2x6:float32:-1..1"], 0, "nothing found"),
        (["y:2x6"], 1, "--input y:2x6: the model's inputs are x"),
        (["x:3x6"], 1, "--input x:3x6: the file has 'x' as 2x?"),
        (["x:2x6x1"], 1, "--input x:2x6x1: the file has 'x' as 2x?"),
        (["x"], 1, "--input 'x' is not [NAME:]SIZExSIZEx"),
    ],
)
def test_lengths_that_a_model_leaves_open_are_given(
    given: list[str],
    code: int,
    said: str,
    files: tuple[Path, Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """As for the suites: what is to be typed stands in the message."""
    model = onnx.load(files[0])
    model.graph.input[0].type.tensor_type.shape.dim[1].dim_param = "W"
    onnx.save(model, files[0])
    words = [word for text in given for word in ("--input", text)]
    assert triage.main([str(files[0]), "--against", str(files[0]), *words, "-o", str(tmp_path)]) == code
    assert said in "".join(capsys.readouterr())


def test_a_precision_says_what_to_keep(
    files: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The graph with these layers in fp32 lies beside the rest."""
    assert triage.main([str(files[0]), "--fp16", "--limit", "1e-4", "-o", str(tmp_path / "out")]) == 1
    assert "layers to keep in fp32 (" in capsys.readouterr().out
    onnx.checker.check_model(tmp_path / "out" / "kept.onnx", full_check=True)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["none.onnx", "--fp16"], "none.onnx: No such file"),
        (["text.onnx", "--fp16"], "text.onnx: is no ONNX model: it seems to be a text"),
        (["sound.onnx", "--against", "other.onnx"], "no tensor is named as one of"),
        (["sound.onnx", "--fp16", "--inputs", "sample.npz"], "sample.npz holds y, the model's inputs are x"),
        (
            ["sound.onnx", "--against", "sound.onnx", "--inputs", "nan.npz"],
            "nan.npz, 'x': 1 of 12 values are NaN or infinite, the first nan at (0, 3); give finite values",
        ),
        (
            ["sound.onnx", "--against", "sound.onnx", "--inputs", "shape.npz"],
            "shape.npz, 'x': float32 (2, 5), the model's input is float32 (2, 6)",
        ),
        (
            ["sound.onnx", "--against", "sound.onnx", "--inputs", "double.npz"],
            "double.npz, 'x': float64 (2, 6), the model's input is float32 (2, 6)",
        ),
        (["sound.onnx", "--mxnet", "none.json", "none.params"], "none.json: No such file"),
        (["sound.onnx", "--darknet", "none.cfg", "none.weights"], "none.cfg"),
        (["sound.onnx", "--pytorch", "no_module:make"], "no_module"),
    ],
)
def test_files_that_do_not_fit_are_one_line(
    words: list[str],
    said: str,
    files: tuple[Path, Path],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The exit code is 1, and nothing is written."""
    folder = files[0].parent
    monkeypatch.chdir(folder)
    (folder / "text.onnx").write_text("no model")
    node = helper.make_node("Tanh", ["x"], ["elsewhere"])
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [2, 6]) for name in ("x", "elsewhere")]
    other = helper.make_model(helper.make_graph([node], "g", values[:1], values[1:]))
    other.ir_version = 8
    onnx.save(other, folder / "other.onnx")
    np.savez(folder / "sample.npz", y=np.ones(1))
    broken = np.ones((2, 6), np.float32)
    broken[0, 3] = np.nan
    np.savez(folder / "nan.npz", x=broken)
    np.savez(folder / "shape.npz", x=np.ones((2, 5), np.float32))
    np.savez(folder / "double.npz", x=np.ones((2, 6)))
    assert triage.main(words) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert said in line
    assert not (folder / "triage").exists()


WRONG = {
    "nothing to hold it against": ([], "one of the arguments"),
    "two sides": (["--fp16", "--against", "other.onnx"], "not allowed with"),
    "a limit that is no number": (["--fp16", "--limit", "nan"], "'nan' is no part of the right values"),
    "a limit that holds all": (["--fp16", "--limit", "inf"], "'inf' is no part of the right values"),
    "a limit in percent": (["--fp16", "--limit", "5"], "'5' is no part of the right values"),
    "a limit below nothing": (["--fp16", "--limit", "-1"], "'-1' is no part of the right values"),
    "noise beside values": (["--fp16", "--input", "2x6", "--inputs", "a.npz"], "leave one of them out"),
}


@pytest.mark.parametrize(("words", "said"), WRONG.values(), ids=WRONG)
def test_a_wrong_call_ends_with_two(
    words: list[str], said: str, files: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    """And never with "nothing found"."""
    with pytest.raises(SystemExit) as ended:
        triage.main([str(files[0]), *words])
    assert ended.value.code == 2
    assert said in capsys.readouterr().err
