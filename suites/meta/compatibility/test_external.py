"""Weights in other files: only plain files beside the model are read, and what is wrong is one line."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper

from fixtures.commands import fix
from suites.meta.networks.rewrite_models import small

SECRET = b"\x00\x00\x80\x3f" * 4096


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A model whose weights lie in w.bin beside it, in a folder of its own; outside.bin lies above."""
    folder = tmp_path / "model"
    folder.mkdir()
    weight = np.linspace(-1, 1, 8 * 200, dtype=np.float32).reshape(8, 200)
    product = helper.make_node("MatMul", ["x", "w"], ["m"])
    mish = helper.make_node("Mish", ["m"], ["y"], name="gate")
    model = small([product, mish], {"w": weight}, opset=18)
    for size in (1, 4, 8, 200):
        model.graph.output[0].type.tensor_type.shape.dim.add().dim_value = size
    onnx.save(model, folder / "m.onnx", save_as_external_data=True, location="w.bin")
    (tmp_path / "outside.bin").write_bytes(SECRET)
    (folder / "link.bin").symlink_to(tmp_path / "outside.bin")
    (folder / "linked").symlink_to(tmp_path)
    return folder / "m.onnx"


PLACES = {
    "../outside.bin": "no place in the model's folder",
    "a/../../outside.bin": "no place in the model's folder",
    "/etc/hostname": "no place in the model's folder",
    "": "no place in the model's folder",
    "x\0y": "no place in the model's folder",
    ".": "no place in the model's folder",
    "link.bin": "a symbolic link",
    "linked/outside.bin": "a symbolic link",
    "absent.bin": "not there",
}


def change(path: Path, **rows: str) -> None:
    """Write other entries about the place of the weights into the model."""
    model = onnx.load(path, load_external_data=False)
    (tensor,) = model.graph.initializer
    kept = {entry.key: entry.value for entry in tensor.external_data} | rows
    del tensor.external_data[:]
    for key, value in kept.items():
        tensor.external_data.add(key=key, value=value)
    path.write_bytes(model.SerializeToString())


def refused(path: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """Run the command, and return the one line in which it refuses."""
    output = path.with_name("f.onnx")
    assert fix.main([str(path), "--tensorrt", "8.6", "-o", str(output)]) == 1
    captured = capsys.readouterr()
    assert (captured.out, output.exists()) == ("", False)
    (line,) = captured.err.splitlines()
    return line


@pytest.mark.parametrize("place", PLACES)
def test_only_plain_files_beside_the_model_are_read(
    place: str, path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A place outside the folder, by whatever way, is named with model and tensor, and nothing is written."""
    change(path, location=place)
    line = refused(path, capsys)
    assert f"{path}: the weights of 'w' are in" in line
    assert PLACES[place] in line


@pytest.mark.parametrize(
    "rows",
    [{"offset": "-4"}, {"offset": "many"}, {"length": "9" * 30}, {"length": "-1"}, {"offset": "999999"}],
)
def test_a_place_that_the_file_does_not_have_is_one_line(
    rows: dict[str, str], path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Offsets and lengths are numbers within the file."""
    change(path, **rows)
    assert f"{path}: " in refused(path, capsys)


def test_an_entry_that_means_nothing_is_passed_by(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An unknown key is neither an error nor a warning."""
    change(path, author="somebody")
    output = path.with_name("f.onnx")
    assert fix.main([str(path), "--tensorrt", "8.6", "-o", str(output)]) == 0
    assert capsys.readouterr().err == ""
    assert SECRET[:64] not in output.with_name("f.onnx.data").read_bytes()
