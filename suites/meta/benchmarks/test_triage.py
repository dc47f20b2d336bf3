"""The benchmark of triage counts what it plants, and a missed goal is seen."""

from importlib.util import find_spec
from pathlib import Path

import pytest

from benchmarks import triage
from benchmarks.triage import Bench, Score, main, pipeline

if find_spec("torch") is None:
    pytest.skip("torch is not installed; run `tox run -e meta`", allow_module_level=True)


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    """Over one store."""
    return Bench(pipeline(tmp_path_factory.mktemp("triage")))


@pytest.mark.parametrize("hop", ["opset", "fp16", "int8", "engine", "fused engine"])
def test_planted_errors_are_named(hop: str, bench: Bench) -> None:
    """A sample of each hop whose right values need no framework; no more runs than are said."""
    score = bench.score("digits", hop, each=3)
    assert score.planted == 3
    assert score.named == score.seen > 0, score.wrong
    assert score.most_runs <= 7


def test_a_missed_goal_ends_with_1(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A triage that names nothing is seen."""
    monkeypatch.setattr(triage, "layers_of", lambda _graph, _answer: set())
    store = str(bench.pipeline.store.root)
    assert main(["--net", "digits", "--hop", "opset", "--each", "2", "--artifacts", store]) == 1
    assert "   0 of    2 named (0.0%)" in (printed := capsys.readouterr().out)
    assert printed.endswith("goal: at least 95% named: MISSED\n")
    monkeypatch.undo()
    assert main(["--net", "digits", "--hop", "opset", "--each", "1", "--artifacts", store]) == 0


def test_errors_that_nobody_sees_are_not_counted() -> None:
    """The share is of those that the outputs show."""
    assert Score(planted=9, seen=4, named=3).share == 0.75
    assert Score(planted=9).share == 1.0


def test_the_store_may_be_kept(tmp_path: Path) -> None:
    """Networks lie where they are asked to be."""
    assert pipeline(tmp_path).store.root == tmp_path
