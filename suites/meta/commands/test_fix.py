"""The command that rewrites a model: what it writes, says and refuses."""

import json
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper

from fixtures.commands.fix import main
from suites.meta.compatibility.rewrites.test_shapes import model as ranged
from suites.meta.compatibility.test_reported_cases import deconvolution
from suites.meta.networks.exact_forms import sampled
from suites.meta.networks.rewrite_models import FOLDS, assert_equal, resize, small


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A model whose Resize TensorRT 7.0 refuses and which has an exact rewrite."""
    path = tmp_path / "m.onnx"
    onnx.save(resize([1, 1, 2, 2], opset=11), path)
    return path


@pytest.mark.parametrize("version", ["7.0", "trt7.0"])
def test_the_changes_are_named_and_the_file_is_equal(
    model: Path, version: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Node, form, sizes and reason are printed, the file is taken and equal, the input is untouched."""
    before, output = model.read_bytes(), model.with_name("fixed.onnx")
    assert main([str(model), "--tensorrt", version, "-o", str(output)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("changed: Resize 'node': nearest asymmetric floor by scales: the same weights")
    assert "half_pixel is not taken" in lines[0]
    assert lines[1] == f"1 change; wrote {output}"
    assert lines[2].startswith("TensorRT 7.0 takes it by the tables")
    assert model.read_bytes() == before
    assert sorted(path.name for path in model.parent.iterdir()) == ["fixed.onnx", "m.onnx"]
    assert_equal(onnx.load(model), onnx.load(output))


def test_what_stays_refused_is_said_and_exit_is_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The file is written all the same, with what could be changed, and the rest has its remedy."""
    nodes = [helper.make_node("Mish", ["x"], ["m"], name="gate"),
             helper.make_node("Det", ["m"], ["y"], name="det")]  # fmt: skip
    onnx.save(small(nodes, opset=18), tmp_path / "m.onnx")
    assert main([str(tmp_path / "m.onnx"), "--tensorrt", "8.6", "-o", str(tmp_path / "f.onnx")]) == 1
    out = capsys.readouterr().out
    assert "changed: Mish 'gate': written as its ONNX function body: Softplus, Tanh, Mul" in out
    assert "still refused: Det 'det' is refused by the parser" in out
    assert "TensorRT 8.6 will refuse this file: 1 refusal without an exact rewrite" in out
    written = onnx.load(tmp_path / "f.onnx").graph.node
    assert [node.op_type for node in written] == ["Softplus", "Tanh", "Mul", "Det"]


def test_json_is_whole(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Version, files, changes with the name of the rewrite, and what remains."""
    output = str(model.with_name("f.onnx"))
    assert main([str(model), "--tensorrt", "7.0", "--json", "-o", output]) == 0
    data = json.loads(capsys.readouterr().out)
    assert (data["flavour"], data["version"], data["files"]) == ("tensorrt", "7.0", [output])
    (change,) = data["changes"]
    assert (change["node"], change["operator"]) == ("node", "Resize")
    assert change["rewrite"] == "nearest asymmetric floor by scales"
    assert data["remaining"] == []


def test_a_model_that_is_taken_is_written_as_it_is(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is changed for a version that takes it."""
    output = model.with_name("f.onnx")
    assert main([str(model), "--tensorrt", "rtx1.7", "-o", str(output)]) == 0
    assert capsys.readouterr().out.startswith("0 changes; wrote")
    assert onnx.load(output) == onnx.load(model)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--tensorrt", "7.0", "-o", "{folder}/m.onnx/f.onnx"], "{folder}/m.onnx is no folder"),
        (["--tensorrt", "7.0", "-o", "{folder}"], "{folder}: this is a folder; name a file"),
    ],
)
def test_wrong_arguments_are_one_line_and_exit_1(
    arguments: list[str], says: str, model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file where a folder should be, and the other way round; nothing is written."""
    assert main([str(model), *(one.format(folder=model.parent) for one in arguments)]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert len(captured.err.splitlines()) == 1
    assert says.format(folder=model.parent) in captured.err
    assert [path.name for path in model.parent.iterdir()] == ["m.onnx"]


@pytest.mark.parametrize(
    ("version", "output", "says"),
    [("6.5", "f.onnx", "--tensorrt 6.5: the table has trt7.0, trt7.1"),
     ("10.x", "f.onnx", "--tensorrt 10.x: the table has trt7.0"),
     ("7.0", "m.onnx", "m.onnx is named twice: it would be overwritten; give another name")],
)  # fmt: skip
def test_a_wrong_call_is_exit_2(
    version: str, output: str, says: str, model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An unknown version, the model's own file as output; nothing is written."""
    before = model.read_bytes()
    with pytest.raises(SystemExit) as ended:
        main([str(model), "--tensorrt", version, "-o", str(model.with_name(output))])
    assert ended.value.code == 2
    assert says in capsys.readouterr().err
    assert model.read_bytes() == before
    assert [path.name for path in model.parent.iterdir()] == ["m.onnx"]


def test_weights_beside_the_model_are_not_overwritten(
    model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The file of weights that the output would bear is the one that the model reads: a wrong call."""
    moved = onnx.load(model)
    onnx.save(moved, model, save_as_external_data=True, location="f.onnx.data", size_threshold=0)
    before = model.with_name("f.onnx.data").read_bytes()
    with pytest.raises(SystemExit):
        main([str(model), "--tensorrt", "rtx1.7", "-o", str(model.with_name("f.onnx"))])
    assert "f.onnx.data is named twice" in capsys.readouterr().err
    assert model.with_name("f.onnx.data").read_bytes() == before


def test_a_missing_folder_is_made(model: Path) -> None:
    """As every other command does."""
    output = model.parent / "a" / "b" / "f.onnx"
    assert main([str(model), "--tensorrt", "rtx1.7", "-o", str(output)]) == 0
    assert output.is_file()


def test_no_temporary_name_is_told(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file that cannot be written is named as the user named it."""
    output = model.with_name("f" * 300)
    assert main([str(model), "--tensorrt", "rtx1.7", "-o", str(output)]) == 1
    assert f"{output}: File name too long" in capsys.readouterr().err


@pytest.mark.parametrize("data", [b"", b"no model", None])
def test_a_file_that_is_no_model_is_named(
    data: bytes | None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Empty, other and missing files are one line on stderr."""
    path = tmp_path / "m.onnx"
    if data is not None:
        path.write_bytes(data)
    assert main([str(path), "--tensorrt", "7.0", "-o", str(tmp_path / "f.onnx")]) == 1
    error = capsys.readouterr().err
    assert len(error.splitlines()) == 1
    assert "m.onnx" in error


def external(path: Path) -> Path:
    """Write a model with a Mish whose weights lie in another file, and return that file."""
    nodes = [helper.make_node("MatMul", ["x", "w"], ["m"]),
             helper.make_node("Mish", ["m"], ["y"], name="gate")]  # fmt: skip
    weight = np.linspace(-1, 1, 8 * 200, dtype=np.float32).reshape(8, 200)
    onnx.save(small(nodes, {"w": weight}, opset=18), path, save_as_external_data=True, location="w.bin")
    return path.parent / "w.bin"


def test_weights_in_other_files_go_beside_the_new_model(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The new model has one weight file of its own name, so that it can be moved; the old ones stay."""
    path, output = tmp_path / "m.onnx", tmp_path / "new" / "f.onnx"
    weights = external(path).read_bytes()
    output.parent.mkdir()
    assert main([str(path), "--tensorrt", "8.6", "-o", str(output)]) == 0
    assert f"wrote {output}, {output}.data" in capsys.readouterr().out
    assert sorted(one.name for one in output.parent.iterdir()) == ["f.onnx", "f.onnx.data"]
    assert (tmp_path / "w.bin").read_bytes() == weights
    assert_equal(onnx.load(path), onnx.load(output))


@pytest.mark.parametrize(
    ("data", "says"),
    [(None, "are in 'w.bin', which is not there"), (b"short", "'w.bin', which is too short")],
)
def test_missing_weights_are_named(
    data: bytes | None, says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A weight file that is not there, or is too short, is an error that names file and tensor."""
    beside = external(tmp_path / "m.onnx")
    beside.unlink() if data is None else beside.write_bytes(data)
    assert main([str(tmp_path / "m.onnx"), "--tensorrt", "8.6", "-o", str(tmp_path / "f.onnx")]) == 1
    error = capsys.readouterr().err
    assert "weights of 'w'" in error
    assert says in error
    assert not (tmp_path / "f.onnx").exists()


def test_a_write_that_fails_leaves_the_old_file(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file is there whole or not at all, also where it takes the place of another."""
    old = model.with_name("f.onnx")
    old.write_bytes(b"old")

    def fail(*_: object, **__: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr("os.replace", fail)
    assert main([str(model), "--tensorrt", "7.0", "-o", str(old)]) == 1
    assert old.read_bytes() == b"old"
    assert sorted(path.name for path in model.parent.iterdir()) == ["f.onnx", "m.onnx"]


def run(model: onnx.ModelProto, folder: Path, *words: str) -> tuple[int, onnx.ModelProto]:
    """Run the command on a model, and return its exit code and what it wrote."""
    onnx.save(model, folder / "m.onnx")
    code = main([str(folder / "m.onnx"), "-o", str(folder / "f.onnx"), *words])
    return code, onnx.load(folder / "f.onnx")


def test_what_is_taken_but_wrong_is_a_warning_and_exit_is_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As `support` says it: a node without an exact rewrite that the engine computes wrong."""
    nodes = [helper.make_node("Cast", ["x"], ["i"], to=onnx.TensorProto.INT64),
             helper.make_node("Add", ["i", "far"], ["y"], name="node")]  # fmt: skip
    model = small(nodes, {"far": np.array([1 << 40])}, opset=13, made=onnx.TensorProto.INT64)
    code, _ = run(model, tmp_path, "--tensorrt", "8.2")
    out = capsys.readouterr().out
    assert code == 1
    assert "warning: Add 'node' is taken, but wrong: " in out
    assert out.splitlines()[-1].startswith("TensorRT 8.2 takes it and computes it wrong: 1 node")
    run(model, tmp_path, "--tensorrt", "8.2", "--json")
    data = json.loads(capsys.readouterr().out)
    assert [(one["kind"], one["node"]) for one in data["wrong"]] == [("wrong", "node")]


@pytest.mark.parametrize("axis", [0, 1])
def test_quantized_weights_that_are_scaled_wrong_are_given_as_floats(axis: int, tmp_path: Path) -> None:
    """ConvTranspose with a scale for each channel, which 8.2 applies along another axis."""
    code, written = run(deconvolution(axis), tmp_path, "--tensorrt", "8.2")
    assert code == 0
    assert_equal(deconvolution(axis), written)


def test_what_is_wrong_and_has_a_rewrite_is_mended(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """GridSample of opset 20, whose modes 10.1 samples as nearest."""
    model = sampled("cubic", opset=20)
    code, written = run(model, tmp_path, "--tensorrt", "10.1")
    assert code == 0
    assert "mode cubic is sampled as nearest" in capsys.readouterr().out
    assert_equal(model, written)


@FOLDS
@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        ([], 1, "note: 1 of 1 go where sizes are fixed: --shape x:1x4x8x640, or the sizes that you use"),
        (["--shape", "2x4x8x16"], 0, "changed: input 'x': nx4x8xw made 2x4x8x16 (because it was asked for)"),
    ],
)
def test_sizes_of_a_dynamic_input(
    words: list[str], code: int, says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Named where they would help, and folded where they are given."""
    found, _ = run(ranged("n", 4, 8, "w"), tmp_path, "--tensorrt", "8.2", *words)
    assert found == code
    assert says in capsys.readouterr().out


@pytest.mark.parametrize("version", ["7.0", "8.6", "rtx1.7"])
def test_an_image_of_bytes_and_suppression_around_a_detector(
    version: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Both are rewritten for the release like the rest of the model; 7.0 has no suppression."""
    nodes = [helper.make_node("Reshape", ["x", "s"], ["flat"]),
             helper.make_node("Transpose", ["flat"], ["y"], perm=[0, 2, 1])]  # fmt: skip
    model = small(nodes, {"s": np.array([1, 7, 96])}, opset=11, shape=(1, 7, 12, 8))
    model.graph.output[0].CopyFrom(helper.make_tensor_value_info("y", 1, [1, 96, 7]))
    asked = ["--preprocess", "size=24x8,scale=1/255,letterbox=114"]
    asked += ["--nms", "output=y,layout=yolov5"] * (version != "7.0")
    code, written = run(model, tmp_path, "--tensorrt", version, *asked)
    assert code == 0, capsys.readouterr()
    assert "preprocessing: x takes bytes of 1x24x8x7" in capsys.readouterr().out
    first, ends = written.graph.input[0].type.tensor_type, [value.name for value in written.graph.output]
    assert [d.dim_value for d in first.shape.dim] == [1, 24, 8, 7]
    assert ends[0] == {"7.0": "y", "8.6": "num_dets", "rtx1.7": "det_places"}[version]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--nms", "boxes=b"], "--nms: give boxes=NAME,scores=NAME"),
        (["--preprocess", "gamma=2"], "--preprocess gamma=2: it takes input=..."),
        (["--shape", "z:1x3"], "--shape z: the model has the inputs x"),
    ],
)
def test_settings_that_do_not_fit_are_one_line(
    words: list[str], says: str, model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """On stderr, and nothing is written."""
    assert main([str(model), "--tensorrt", "8.6", "-o", str(model.with_name("f.onnx")), *words]) == 1
    error = capsys.readouterr().err
    assert len(error.splitlines()) == 1
    assert says in error
    assert not model.with_name("f.onnx").exists()
