"""The stage `pruning` on a small network of a user: green, and red where an output or a count is false."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from suites.meta.gates.child_runs import Run, edit, run
from suites.meta.networks import prunable_nets

pytest.importorskip("cv2")
MODEL = '[model.net]\nframework = "darknet"\ncfg = "net.cfg"\nweights = "net.weights"\n'


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Run]:
    """A folder with a network and a store, and the run that filled it."""
    folder = tmp_path_factory.mktemp("pruning")
    prunable_nets.write(folder, prunable_nets.residual(32))
    (folder / "models.toml").write_text(MODEL)
    return folder, again(folder)


def again(folder: Path) -> Run:
    """Run the stage on the network of a folder, against its store."""
    return run(folder / "artifacts", "suites/test_pruning.py", f"--model={folder / 'models.toml'}")


def test_a_sound_network_is_green(first: tuple[Path, Run]) -> None:
    """What is left is written down, and how far folding is off."""
    ended = first[1]
    assert ended.code == 0, ended.output
    metrics = ended.the("passed").metrics
    assert 0 < metrics["parameters left"].value < 1
    assert metrics["parameters reported wrong"].value == 0
    assert metrics["folded relative_l2"].value > 1e-3


def folded(body: dict[str, Any]) -> None:
    """Give what folding gives, wrong at borders, for what carriers give."""
    body["files"]["carrier"] = body["files"]["fold"]


def one_more(body: dict[str, Any]) -> None:
    """Report a parameter that is not there."""
    body["about"]["costs"]["reported"]["parameters"] += 1


PLANTED = {
    "outputs": (folded, "guilty hop: pruning\nyolo_9: "),
    "costs": (one_more, "parameters reported wrong is 1 numbers, the limit is 0"),
}


@pytest.mark.parametrize(("change", "named"), PLANTED.values(), ids=PLANTED)
def test_a_planted_error_is_red(
    change: Callable[[dict[str, Any]], None], named: str, first: tuple[Path, Run], tmp_path: Path
) -> None:
    """The record names the stage's own hop and what is wrong."""
    folder = Path(shutil.copytree(first[0], tmp_path / "copy"))
    shutil.rmtree(folder / "records")
    (entry,) = (folder / "artifacts/entries/pruned-outputs").glob("*.json")
    edit(entry, change)
    ended = again(folder)
    assert ended.code == 1, ended.output
    assert named in ended.the("failed").message
