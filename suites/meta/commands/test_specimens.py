"""The command specimens: what it says without a TensorRT."""

from pathlib import Path

import pytest

from fixtures.commands import specimens


@pytest.mark.parametrize("share", [[], ["--share", "1/4"]])
def test_a_file_without_lines_is_one_line(
    share: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing measured and no interpreter: file and remedy are named, exit code 1."""
    file = tmp_path / "none.jsonl"
    file.touch()
    assert specimens.main([str(file), *share]) == 1
    error = capsys.readouterr().err
    assert len(error.splitlines()) == 1
    assert f"{file}: no lines; measure them: --tensorrt INTERPRETER" in error


@pytest.mark.parametrize("share", ["0/4", "5/4", "1", "a/b"])
def test_a_share_is_one_of_so_many(share: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Another word is a wrong call."""
    with pytest.raises(SystemExit) as ended:
        specimens.main(["a.jsonl", "--share", share])
    assert ended.value.code == 2
    assert "is not K/N" in capsys.readouterr().err
