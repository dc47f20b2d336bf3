"""An MXNet classifier is trained in a process of its own: it learns, slims, and goes on to the same bits."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from fixtures.converters.mxnet import params
from fixtures.training.mxnet.task import Task
from suites.meta.places import ROOT
from suites.meta.training.mxnet.trainings import SPARSE, TRAININGS, task

pytestmark = pytest.mark.skipif(
    find_spec("mxnet") is None, reason="mxnet is not installed; run `tox run -e meta`"
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What all trainings left."""
    path = tmp_path_factory.mktemp("mxnet")
    module = "suites.meta.training.mxnet.trainings"
    subprocess.run([sys.executable, "-m", module, str(path)], cwd=ROOT, check=True)
    return path


def lines(folder: Path, name: str) -> list[dict[str, object]]:
    """Return the log of a training."""
    return [json.loads(line) for line in (folder / f"{name}.jsonl").read_text().splitlines()]


@pytest.mark.parametrize("name", TRAININGS)
def test_a_task_is_read_as_it_was_written(name: str, tmp_path: Path) -> None:
    """Plan and sparsity included."""
    one = task(tmp_path, name)
    assert Task.read(one.text) == one


def test_it_learns(folder: Path) -> None:
    """Two classes that are easy to tell apart are told apart, and the command says so."""
    done, judged = (folder / "first.out").read_text().splitlines()
    assert "first.params: 6 epochs, 240 images; loss of the last epoch: classes " in done
    assert judged.startswith("top-1 ")
    assert judged.endswith(" on 40 held-out images")
    assert float(judged.split()[1]) > 0.9


@pytest.mark.parametrize(
    ("name", "equal"),
    [("again", True), ("seed", False), ("broken", True), ("scores", True), ("on", False)],
    ids=["twice", "another seed", "interrupted", "a last softmax", "trained on"],
)
def test_the_bytes_follow_from_files_and_options(name: str, equal: bool, folder: Path) -> None:
    """An interruption does not count, nor does a last softmax: the same parameters and the same log."""
    same = [(folder / f"{name}.{end}").read_bytes() == (folder / f"first.{end}").read_bytes()
            for end in ("params", "jsonl")]  # fmt: skip
    assert same == [equal, equal]
    assert not (folder / f"{name}.checkpoint").exists()


def test_the_file_has_arguments_and_statistics(folder: Path) -> None:
    """By MXNet's names, and the statistics have moved."""
    read = params.read(folder / "first.params")
    assert sorted(read.arg) == ["conv_weight", "fc_bias", "fc_weight", "norm_beta", "norm_gamma"]
    assert sorted(read.aux) == ["norm_moving_mean", "norm_moving_var"]
    assert (read.aux["norm_moving_mean"] != 0).all()


def test_the_penalty_pushes_gammas_to_zero(folder: Path) -> None:
    """The log has its strength by its schedule, and the histogram of each BatchNorm whose gamma counts."""
    assert [line["sparsity"] for line in lines(folder, "sparse")] == [SPARSE.strength] * 3 + [1.5] * 3
    gammas = [
        np.abs(params.read(folder / f"{n}.params").arg["norm_gamma"]).sum() for n in ("first", "sparse")
    ]
    assert gammas[1] < 0.9 * gammas[0]
    counts = lines(folder, "sparse")[-1]["gammas"]
    assert isinstance(counts, dict)
    assert {layer: sum(each) for layer, each in counts.items()} == {"norm": 6}


FAULTS = {
    "two": "2 outputs; a classifier has one",
    "foreign": "inputs without a parameter are",
    "three": "the images have label 2, the network 2 classes",
    "few": "40 images are less than one batch of 41",
    "no_checkpoint": "none.checkpoint: no checkpoint of a training that can be read",
    "of_another": "kept.checkpoint: checkpoint of another training",
}


@pytest.mark.parametrize(("name", "said"), FAULTS.items(), ids=FAULTS)
def test_what_does_not_fit_is_refused(name: str, said: str, folder: Path) -> None:
    """One line, and nothing is written."""
    assert (folder / f"{name}.code").read_text() == "1"
    (line,) = (folder / f"{name}.err").read_text().splitlines()
    assert said in line
    assert not (folder / f"{name}.params").exists()
