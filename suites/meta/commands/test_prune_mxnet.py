"""The command prunes MXNet's files, says what it removes, and writes nothing that it was not asked to."""

import json
from pathlib import Path

import pytest

from fixtures.commands import prune_mxnet as command
from suites.meta.networks import mxnet_files
from suites.meta.networks.prunable_mxnet import CHAIN


@pytest.fixture
def call(tmp_path: Path) -> list[str]:
    """The beginning of a call."""
    return [*map(str, mxnet_files.write(tmp_path, [CHAIN])), "--input", "1x3x8x8"]


def test_it_writes_a_smaller_network(call: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """The symbol has fewer filters, the parameters lie beside it, and the layers are named."""
    made = Path(call[0]).with_name("small-symbol.json")
    assert command.main([*call, "--ratio", "0.5", "-o", str(made)]) == 0
    said = capsys.readouterr().out.splitlines()
    nodes = json.loads(made.read_text())["nodes"]
    filters = [node["attrs"]["num_filter"] for node in nodes if node["op"] == "Convolution"]
    assert said[-1] == f"wrote {made}, {made.with_name('small-0000.params')}"
    assert said[1].split()[:4] == ["n_0", "Convolution", "6", filters[0]]
    assert float(said[-2].removeprefix("relative L2 on noise: ").split()[0]) < 1e-5
    assert filters[1] == "4"


WRONG = {
    "nothing to write": ([], "give -o NAME-symbol.json, or --dry-run"),
    "another ending": (["-o", "small.json"], "give -o NAME-symbol.json, or --dry-run"),
    "the source": (["-o", "SOURCE"], "is what is read; give another name"),
}


@pytest.mark.parametrize(("asked", "message"), WRONG.values(), ids=WRONG)
def test_a_wrong_call_ends_with_two(
    asked: list[str], message: str, call: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """What to give is said."""
    with pytest.raises(SystemExit) as ended:
        command.main([*call, *(call[0] if word == "SOURCE" else word for word in asked)])
    assert ended.value.code == 2
    assert message in capsys.readouterr().err


def test_a_damaged_file_is_one_line(call: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """The exit code is 1, and the file and the byte are named."""
    Path(call[1]).write_bytes(Path(call[1]).read_bytes()[:-9])
    assert command.main([*call, "--dry-run"]) == 1
    assert "net-0000.params" in capsys.readouterr().err
