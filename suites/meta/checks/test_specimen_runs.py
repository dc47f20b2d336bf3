"""A worker that dies while it builds or runs a specimen is asked again, as in the stage prediction."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from fixtures.checks.retries import asked
from fixtures.checks.specimen_runs import Line, measure, samples_of
from fixtures.compatibility.specimens import Specimen, enumerated
from fixtures.runtimes.onnxruntime import OnnxRuntime
from fixtures.runtimes.tensorrt.messages import Build, BuildOptions
from fixtures.verdicts import Crashed, StageError
from suites.meta.gates.few_specimens import few

SPECIMEN = few()[0]


def question(*endings: Exception | str) -> Any:
    """Return what answers or raises, one ending after the other."""
    left = iter(endings)

    def ask() -> str:
        if isinstance(ending := next(left), Exception):
            raise ending
        return ending

    return ask


def test_a_question_is_asked_until_there_is_an_answer_or_two_crashes() -> None:
    """What each dead worker said is kept; an error that is no crash is raised at once."""
    assert asked(question("yes")) == ("yes", ())
    assert asked(question(Crashed("signal 9"), "yes")) == ("yes", ("signal 9",))
    assert asked(question(Crashed("signal 9"), Crashed("signal 6"), "yes")) == (
        None,
        ("signal 9", "signal 6"),
    )
    with pytest.raises(StageError, match="no device"):
        asked(question(StageError("no device"), "yes"))


class Mortal:
    """A TensorRT that computes with ONNX Runtime; its workers die so many times, building or running."""

    def __init__(self, building: int = 0, running: int = 0, device: object = "a GPU") -> None:
        self.identity = SimpleNamespace(flavour="tensorrt", version="8.6.0", device=device)
        self.left = {"builds": building, "runs": running}
        self.levels: list[int | None] = []

    def _live(self, what: str) -> None:
        self.left[what] -= 1
        if self.left[what] >= 0:
            raise Crashed("signal 9")

    def build(self, model: Path, *, profiles: Any, engine: Path, options: BuildOptions) -> Build:
        """Keep the model as the engine."""
        self.levels.append(options.optimization_level)
        self._live("builds")
        engine.write_bytes(model.read_bytes())
        return Build(True, "builder", (), (), 0.0, 0.0, 0, "", 0, (), ())

    def engine(self, path: Path) -> Any:
        """Return what runs it."""

        def run(inputs: Any) -> Any:
            self._live("runs")
            return OnnxRuntime(path).run(inputs)

        return SimpleNamespace(run=run)


class Reversed(Mortal):
    """A client whose engines give ONNX Runtime's outputs from the last element to the first."""

    def engine(self, path: Path) -> Any:
        """Return what runs it."""

        def run(inputs: Any) -> Any:
            return [
                {name: a[..., ::-1] for name, a in each.items()} for each in OnnxRuntime(path).run(inputs)
            ]

        return SimpleNamespace(run=run)


def line_of(client: Mortal, specimen: Specimen = SPECIMEN) -> Line:
    """Return what became of a specimen."""
    (line,) = measure(client, [specimen], ())  # type: ignore[arg-type]
    return line


def named(name: str) -> Specimen:
    """Return an enumerated specimen."""
    return next(specimen for specimen in enumerated() if specimen.name == name)


@pytest.mark.parametrize(
    ("client", "outcome", "note"),
    [
        (Mortal(), ("", 0.0, False), ""),
        (Mortal(building=1), ("", 0.0, False), "crashed once while it was built: signal 9"),
        (Mortal(building=2), ("crashed", None, False), ""),
        (
            Mortal(building=1, device=None),
            ("", None, False),
            "not run: no GPU; crashed once while it was built",
        ),
        (Mortal(running=1), ("", 0.0, False), "crashed once while it ran: signal 9"),
        (Mortal(running=2), ("", np.inf, True), "crashed 2 times while it ran: signal 9"),
    ],
)
def test_a_crash_is_an_outcome_only_when_it_repeats(
    client: Mortal, outcome: tuple[str, float | None, bool], note: str
) -> None:
    """Once, and the answer of a fresh worker stands with a note; twice, and it is crashed or wrong."""
    line = line_of(client)
    assert (line.stage, line.l2, line.wrong) == outcome
    assert line.note.startswith(note)
    assert bool(line.note) == bool(note)
    assert line.problem == ("signal 9" if outcome[0] else "")


@pytest.mark.parametrize("level", [None, 0, 3])
def test_the_builder_is_told_the_optimization_level(level: int | None) -> None:
    """That which was asked for; where none was, its own."""
    client = Mortal()
    list(measure(client, [SPECIMEN], (), level))  # type: ignore[arg-type]
    assert client.levels == [level]


@pytest.mark.parametrize(("name", "wrong"), [("TopK-opset11", True), ("TopK(in_order=0)-opset11", False)])
def test_an_order_that_is_open_is_no_error(name: str, wrong: bool) -> None:
    """TopK of `sorted=0` may list what it found in any order; sorted, the other way round is wrong."""
    line = line_of(Reversed(), named(name))
    assert (line.stage, line.wrong) == ("", wrong)


def test_no_negative_number_is_cast_to_bytes() -> None:
    """What becomes of it is open, so engines and ONNX Runtime may differ."""
    bytes_, floats = (
        samples_of(named(name)) for name in ("Cast(to=UINT8)-opset19", "Cast(to=FLOAT16)-opset19")
    )
    assert min(array.min() for array in bytes_.values()) >= 0 > min(array.min() for array in floats.values())
