"""The command prunes MXNet's files, says what it removes, and writes nothing that it was not asked to."""

import json
from pathlib import Path

import numpy as np
import pytest

from fixtures.commands import prune_mxnet as command
from fixtures.pruning.mxnet.files import MXNetSource, write_params
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


BROKEN = {"n_gamma": np.nan, "n_b_weight": np.inf, "n_moving_var": -1.0}


@pytest.mark.parametrize(("name", "value"), BROKEN.items(), ids=BROKEN)
def test_weights_that_are_no_numbers_are_named(
    name: str, value: float, call: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """As they are in the file, before anything is pruned; no option lets them pass."""
    source = MXNetSource(Path(call[0]), Path(call[1]))
    arrays = {each: np.array(array) for each, array in source.stored.items()}
    arrays[name].flat[0] = value
    write_params(source, arrays, source.params)
    assert command.main([*call, "--dry-run"]) == 1
    error = capsys.readouterr().err
    assert f"{name!r}: 1 of {arrays[name].size} values are " in error
    assert error.rstrip().endswith("Give weights of a training that did not diverge")


def test_an_activation_that_is_not_known_is_named(
    call: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """What the converter does not take is refused in its words, and is no fault of the program."""
    symbol = Path(call[0])
    text = symbol.read_text()
    assert '"softrelu"' in text
    symbol.write_text(text.replace('"softrelu"', '"mish"'))
    assert command.main([*call, "--dry-run"]) == 1
    assert "act_type='mish', expected relu or sigmoid or" in capsys.readouterr().err
