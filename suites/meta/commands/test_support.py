"""The command that says which versions take a model."""

import json
from pathlib import Path

import numpy as np
import onnx
import pytest

from fixtures.commands.support import main
from suites.meta.networks.support_models import one


@pytest.fixture
def file(tmp_path: Path) -> str:
    """A model with an opset-11 Resize of default attributes and no region."""
    path = tmp_path / "m.onnx"
    empty, scales = np.zeros(0, np.float32), np.array([1, 1, 2, 2], np.float32)
    onnx.save(one("Resize", [empty, scales], opset=11), path)
    return str(path)


def test_the_table_groups_versions_that_answer_alike(file: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Three groups hold 39 versions, with reason, remedy and basis; the tutorial's rule stands beside."""
    assert main([file]) == 0
    lines = capsys.readouterr().out.splitlines()
    heads = [line.split() for line in lines if line.startswith("TensorRT")]
    assert heads[0] == ["TensorRT", "7.0", "-", "7.2", "refused", "1", "node", "parser's", "source"]
    assert heads[1] == [
        "TensorRT",
        "8.0",
        "-",
        "11.5",
        "taken",
        "parser's",
        "source,",
        "derived,",
        "documented",
    ]
    assert heads[2] == ["TensorRT-RTX", "1.4", "-", "1.7", "taken", "measured"]
    assert "half_pixel is not taken" in lines[1]
    assert "remedy: write it as nearest" in lines[2]
    assert lines[-1].startswith("Resize: tutorial: 7.0 takes only Resize-10, 7.1 and later Resize-11; table")
    assert "TensorRT 7.0-7.2 refuses 1, TensorRT 8.0-11.5 refuses 0" in lines[-1]


def test_the_table_says_where_the_other_reasons_are(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of a group one reason is shown; the call that names each is one that the command takes."""
    model = one("Blorp", domain="own", opset=17)
    model.graph.node.add(op_type="Plorb", domain="own", input=["x"], output=["z"])
    onnx.save(model, tmp_path / "m.onnx")
    assert main([str(tmp_path / "m.onnx")]) == 0
    said = [line.split() for line in capsys.readouterr().out.splitlines() if " more: " in line]
    assert [word for *_, word, _, _ in said][-1] == "rtx1.4"
    for _, count, _, *call, _, _ in said:
        main([str(tmp_path / "m.onnx"), *call])
        assert capsys.readouterr().out.count("remedy: ") == int(count) + 1


@pytest.mark.parametrize(
    ("version", "says"), [("7.0", "TensorRT 7.0: refused"), ("rtx1.7", "TensorRT-RTX 1.7: taken")]
)
def test_one_version_in_detail(
    version: str, says: str, file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """One version names its source and, of each refused node, the row."""
    assert main([file, "--tensorrt", version]) == 0
    out = capsys.readouterr().out
    assert out.startswith(says)
    assert ("row: operators.json Resize resize 7.0" in out) == (version == "7.0")


def test_json_is_whole(file: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Every version is there with its verdict, basis and refusals."""
    assert main([file, "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert (data["opset"], data["nodes"], len(data["versions"])) == (11, 1, 39)
    verdicts = {(row["flavour"], row["version"]): row["verdict"] for row in data["versions"]}
    assert verdicts["tensorrt", "7.0"] == "refused"
    assert verdicts["tensorrt", "8.0"] == "taken"
    assert data["versions"][0]["refused"][0]["stage"] == "parser"


def test_an_undocumented_opset_is_about_the_whole_model(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """No node is at fault; the tutorial's rule of opsets stands beside, and no word of Resize without one."""
    path = tmp_path / "m.onnx"
    onnx.save(one("Relu", opset=13), path)
    assert main([str(path)]) == 0
    out = capsys.readouterr().out
    assert out.split()[:6] == ["TensorRT", "7.0", "-", "7.2", "undocumented", "the"]
    assert "convert at opset 11" in out
    assert "opset 13: tutorial: 7.0 takes opset 10, 7.1 and later takes opset 12; table: " in out
    assert "Resize" not in out


@pytest.mark.parametrize("data", [b"", b"no model", None])
def test_what_is_no_model_is_one_line_and_exit_1(
    data: bytes | None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Empty, other and missing files are named on stderr."""
    path = tmp_path / "m.onnx"
    if data is not None:
        path.write_bytes(data)
    assert main([str(path)]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert len(captured.err.splitlines()) == 1
    assert "m.onnx" in captured.err


@pytest.mark.parametrize("version", ["6.5", "12.0", "10.x"])
def test_an_unknown_version_is_a_wrong_call(
    version: str, file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A version without a row is refused with the rows that there are: exit code 2, as the help says."""
    with pytest.raises(SystemExit) as ended:
        main([file, "--tensorrt", version])
    assert ended.value.code == 2
    assert f"--tensorrt {version}: the table has trt7.0, trt7.1" in capsys.readouterr().err
