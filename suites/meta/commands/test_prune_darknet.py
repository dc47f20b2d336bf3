"""The command prunes, says what it removes and what that changes, and refuses what it cannot prove."""

import json
from pathlib import Path

import numpy as np
import pytest

from fixtures.commands import prune_darknet as command
from fixtures.converters.darknet.convert import convert
from fixtures.pruning.darknet import rewriting
from suites.meta.networks import prunable_nets


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    """A detector with two residual blocks, as cfg and weights."""
    source = prunable_nets.write(tmp_path, prunable_nets.residual())
    return [str(source.cfg), str(source.weights)]


def test_it_writes_a_smaller_network(files: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Cfg and weights convert, and the total of the table is the size of the weights."""
    made = Path(files[0]).with_name("small.cfg")
    assert command.main([*files, "--ratio", "0.6", "-o", str(made)]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[-1] == f"wrote {made}, {made.with_suffix('.weights')}"
    total = next(line for line in said if line.startswith("total")).split()
    assert int(total[3]) * 4 + 20 == made.with_suffix(".weights").stat().st_size
    convert(made, made.with_suffix(".weights"), 13)


def test_a_dry_run_writes_nothing(files: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Layers, sums and the error are said; the error of carriers is rounding, that of folding is not."""
    before = sorted(Path(files[0]).parent.iterdir())
    errors = []
    for mode in ("carrier", "fold"):
        assert command.main([*files, "--dry-run", "--mode", mode]) == 0
        said = capsys.readouterr().out.splitlines()
        assert said[0].split() == [
            "layer",
            "kind",
            "channels",
            "left",
            "constant",
            "parameters",
            "MFLOPs",
            "why",
        ]
        assert said[-1].startswith("relative L2 on noise: ")
        errors.append(float(said[-1].removeprefix("relative L2 on noise: ").split()[0]))
    assert errors[0] < 1e-5
    assert errors[1] > 1e-3
    assert sorted(Path(files[0]).parent.iterdir()) == before


def test_whole_blocks_go_first(files: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """The layers of a block are not in the file, what is left is said; more than there are is an error."""
    made = Path(files[0]).with_name("small.cfg")
    assert command.main([*files, "--blocks", "1", "--ratio", "0", "-o", str(made)]) == 0
    assert capsys.readouterr().out.startswith("blocks of shortcuts ")
    assert made.read_text().count("[shortcut]") == 1
    convert(made, made.with_suffix(".weights"), 13)
    assert command.main([*files, "--blocks", "9", "--dry-run"]) == 1
    assert "9 blocks are to go, and 2 can be removed" in capsys.readouterr().err


def test_machines_read_the_same(files: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """The JSON has each layer, what was asked and the sums."""
    assert command.main([*files, "--dry-run", "--json", "--round", "4", "--no-check"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert data["settings"]["multiple"] == 4
    assert [layer["layer"] for layer in data["layers"]] == [0, 1, 2, 4, 5, 7, 8]
    for place, when in enumerate(("before", "after")):
        assert data["parameters"][place] == sum(layer[when]["parameters"] for layer in data["layers"])
    assert data["relative_l2"] == {}


def test_a_layer_that_would_be_empty_is_named(files: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """A ratio that leaves nothing of a layer keeps its best channel, and says so before it is written."""
    assert command.main([*files, "--ratio", "0.99", "-q", "--dry-run", "--no-check"]) == 0
    assert "the threshold would leave less than --least 0.01 of layers" in capsys.readouterr().out


@pytest.mark.parametrize(
    "asked", [("--round", "512"), ("--least", "1"), ("--ratio", "1e-9"), ("--json", "--least", "1")]
)
def test_a_network_that_stays_whole_is_not_written(
    asked: tuple[str, ...], files: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Under the name of a pruned one it would be tuned and timed for nothing. A dry run says why."""
    made = Path(files[0]).with_name("small.cfg")
    assert command.main([*files, *asked, "-o", str(made)]) == 1
    error = capsys.readouterr().err
    assert "nothing is removed: " in error
    assert "Nothing is written" in error
    assert ("are kept by" in error) == (asked[0] != "--ratio")
    assert not list(made.parent.glob("small.*"))
    assert command.main([*files, *asked, "--dry-run"]) == 0
    assert command.main([*files, *asked, "--blocks", "1", "-o", str(made)]) == 0


WRONG = {
    "nothing to write": ([], "give -o FILE.cfg, or --dry-run"),
    "another ending": (["-o", "small.weights"], "give a name that ends in .cfg"),
    "the source": (["-o", "SOURCE"], "is what is read; give another name"),
    "a ratio": (["--dry-run", "--ratio", "1.5"], "ratio 1.5: give a part from 0 to less than 1"),
    "a rounding": (["--dry-run", "--round", "0"], "rounding to a multiple of 0: give 1, 8, 16 or 32"),
}


@pytest.mark.parametrize(("asked", "message"), WRONG.values(), ids=WRONG)
def test_a_wrong_call_ends_with_two(
    asked: list[str], message: str, files: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """What to give is said."""
    with pytest.raises(SystemExit) as ended:
        command.main([*files, *(files[0] if word == "SOURCE" else word for word in asked)])
    assert ended.value.code == 2
    assert message in capsys.readouterr().err


def test_weights_of_another_network_are_one_line(
    files: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """The exit code is 1, the file and what it lacks are named."""
    Path(files[1]).write_bytes(Path(files[1]).read_bytes()[:-8])
    assert command.main([*files, "--dry-run"]) == 1
    assert "net.weights: ends at byte" in capsys.readouterr().err


def test_what_is_not_proven_is_not_written(
    files: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Planted: where constants are forgotten, the outputs differ and no file is there."""
    monkeypatch.setattr(rewriting, "_compensation", lambda *given: np.zeros(given[0].shape[::2]))
    made = Path(files[0]).with_name("small.cfg")
    assert command.main([*files, "-o", str(made)]) == 1
    assert "the pruned network is not the masked one" in capsys.readouterr().err
    assert not made.exists()
    assert not made.with_suffix(".weights").exists()
