"""The guilty hop of an error is set in one way, is one of a closed list, and the innermost statement wins."""

import ast
from typing import get_args

import numpy as np
import pytest

from fixtures.cases import Case
from fixtures.recording import RecordDraft, judge
from fixtures.runtimes.base import BlamedRuntime
from fixtures.verdicts import HOPS, Crashed, Hop, StageError, guilty_hop, hop
from suites.meta.house.test_imports import sources
from suites.meta.places import ROOT

CASE = Case("convert", "digits", "torchscript", 13)


@pytest.mark.parametrize("error", [StageError("no"), Crashed("no"), AssertionError("no"), KeyError("no")])
def test_the_innermost_hop_is_guilty(error: Exception) -> None:
    """Errors of every class are stamped by the first context that they pass through."""
    with pytest.raises(type(error)) as caught, hop("opset"), hop("source->ONNX"):
        raise error
    assert guilty_hop(caught.value) == "source->ONNX"


def test_an_error_that_names_its_hop_keeps_it() -> None:
    """What raises knows better than what it passes through."""
    with pytest.raises(StageError) as caught, hop("runtime"):
        raise StageError("no", "parser")
    assert (caught.value.hop, str(caught.value)) == ("parser", "no")


def test_an_error_outside_of_every_hop_is_of_an_unknown_one() -> None:
    """The message says so, rather than to blame the last one that was entered."""
    with hop("source"):
        pass
    message = judge(RecordDraft(CASE, {"name": "digits"}), StageError("no"), ()).message
    assert message.startswith("convert digits-torchscript-opset13-fp32: guilty hop: unknown\nno\n")


@pytest.mark.parametrize("error", [RuntimeError("no"), StageError("no")])
def test_a_runtime_that_fails_in_a_claim_is_to_blame(error: Exception) -> None:
    """Whatever it raises, when it runs or is timed, is the fault of its hop."""

    class Broken:
        """A runtime that raises."""

        def run(self, *_: object) -> list[dict[str, np.ndarray]]:
            """Raise."""
            raise error

        def time(self, *_: object) -> list[float]:
            """Raise."""
            raise error

    blamed = BlamedRuntime(Broken(), "ONNX Runtime")
    with pytest.raises(type(error)) as caught:
        blamed.time({}, 1)
    assert guilty_hop(caught.value) == "ONNX Runtime"
    with pytest.raises(type(error)) as caught:
        BlamedRuntime(Broken(), "source").run([])
    assert guilty_hop(caught.value) == "ONNX Runtime"  # the first that it passed through


def test_nothing_but_the_context_and_the_error_sets_a_hop() -> None:
    """No module of the suite assigns a hop to a draft or to an error, but for the context itself."""
    found = {
        path.relative_to(ROOT).as_posix()
        for path in sources("fixtures", "reference_models")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Attribute) and node.attr == "hop" and isinstance(node.ctx, ast.Store)
    }
    assert found == {"fixtures/verdicts.py", "fixtures/runtimes/tensorrt/worker.py"}


def test_the_worker_names_hops_that_there_are() -> None:
    """The worker imports nothing of the suite, so that the type checker does not see its words."""
    tree = ast.parse((ROOT / "fixtures" / "runtimes" / "tensorrt" / "worker.py").read_text("utf-8"))
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    words = {
        keyword.value.value
        for call in calls
        for keyword in call.keywords
        if keyword.arg == "hop" and isinstance(keyword.value, ast.Constant)
    }
    assert {"parser", "builder"} <= words
    assert words <= set(HOPS) == set(get_args(Hop))
