"""Each outcome of a specimen is told apart by real exports, and planted errors are seen."""

import pytest

from fixtures.commands.exporters import main
from fixtures.exporters import outcome as outcomes
from fixtures.exporters.outcome import outcome
from fixtures.exporters.specimens import KINDS, Specimen, enumerated
from fixtures.exporters.specimens.strategies import drawn_layers

IMAGE = {"x": (2, 4, 9, 7)}
EXPORTING = "torch.onnx.is_in_onnx_export()"


@pytest.fixture(autouse=True)
def torch() -> None:
    """These tests export; they need torch."""
    pytest.importorskip("torch", reason="torch is not installed; run `tox run -e meta`")


def tried(code: str, opset: int = 17) -> outcomes.Outcome:
    """Export a line of code by torchscript, which is fast."""
    return outcome(Specimen("planted", code, IMAGE), "torchscript", opset)


@pytest.mark.parametrize(
    ("code", "kind", "said"),
    [
        ("nn.Hardswish()", "equal", ""),
        ("torch.hypot(x, x)", "unsupported", "'aten::hypot' to ONNX opset version 17 is not supported"),
        ("F.pad(x, (1, 1))", "dynamic", "'out0' has a dynamic shape"),
        ("torch.roll(x, 3)", "refused", "AssertionError: len(shifts)=1"),
        ("nn.Conv2d(4, 6, 2, dilation=3, padding='same')", "invalid", "Dilation not supported"),
        ("nn.AvgPool2d(2, divisor_override=3)", "wrong", "96 of 96 mismatched"),
        ("x.sum() if TORCH else x", "wrong", "out0 is float32 (2, 4, 9, 7), expected float32 ()"),
        ("x.int() if TORCH else x", "wrong", "out0 is float32 (2, 4, 9, 7), expected int32"),
    ],
)
def test_each_outcome_is_told_apart(code: str, kind: str, said: str) -> None:
    """Equal, refused with and without a cause, sizes left open, not run, other values, shapes and types."""
    found = tried(code.replace("TORCH", f"not {EXPORTING}"))
    assert (found.name, found.kind) == ("planted", kind)
    assert said in found.detail


def test_a_module_that_is_exported_as_another_is_named() -> None:
    """The forward of the specimen gives twice as much when it is not being exported."""
    found = tried(f"x * (1.0 if {EXPORTING} else 2.0)")
    assert str(found).startswith("planted: wrong: out0: 504 of 504 mismatched; worst at ")


@pytest.mark.parametrize(("error", "kind"), [("1e-5", "wrong"), ("1e-7", "equal")])
def test_more_than_float32_rounding_is_seen(error: str, kind: str) -> None:
    """An error of 1e-5 of each value is none of float32's rounding, one of 1e-7 is."""
    assert tried(f"x * (1.0 + {error} if {EXPORTING} else 1.0)").kind == kind


def test_a_constant_shows_by_the_second_input(monkeypatch: pytest.MonkeyPatch) -> None:
    """What tracing bakes in is right for the input of the export, and wrong for another; so it is refused."""
    assert tried("x / float(x.max())").kind == "unsupported"
    monkeypatch.setattr("fixtures.converters.pytorch.convert.value_reads", lambda *_: [])
    assert tried("x / float(x.max())").kind == "wrong"
    monkeypatch.setattr(outcomes, "TRIALS", 1)
    assert tried("x / float(x.max())").kind == "equal"


def test_specimens_are_distinct() -> None:
    """Each has a name and a code of its own, inputs that it uses, and values that change with the number."""
    found = enumerated()
    assert len({one.name for one in found}) == len(found) > 350
    assert len({(one.code, *one.shapes) for one in found}) == len(found)
    for one in found:
        assert one.inputs
        assert {name[0] for name in one.inputs} <= set(KINDS)
        first, second = one.values(0), one.values(1)
        assert any((first[name] != second[name]).any() for name in one.inputs), one.name
    assert set().union(*(one.inputs for one in found)) == set(KINDS)


def test_draws_repeat_and_are_taken_by_torch() -> None:
    """The same number gives the same modules; nearly as many as are asked for."""
    found = drawn_layers()
    assert drawn_layers.__wrapped__() == found
    assert len(found) >= 30
    assert all(one.module() for one in found)
    assert not {one.name for one in found} & {one.name for one in enumerated()}


def test_the_command_tries_a_specimen_and_a_line_of_code(capsys: pytest.CaptureFixture[str]) -> None:
    """It ends with 1 for a trap; what an outcome says to try is the command."""
    assert main(["torchscript", "17", "pooling, average, divisor"]) == 1
    assert "pooling, average, divisor: wrong: " in capsys.readouterr().out
    assert main(["torchscript", "17", "nn.Mish()", "x=1x3x8x8"]) == 0
    assert capsys.readouterr().out == "nn.Mish(): equal\n"
    drawn = outcome(Specimen("nn.Mish()", "nn.Mish()", IMAGE), "torchscript", 17)
    assert drawn.command == "python -m fixtures exporters torchscript 17 'nn.Mish()' x=2x4x9x7"


@pytest.mark.parametrize("words", [["nn.Mish()"], ["nn.Mish()", "q=1x3"], ["nn.Mish()", "x=1xN"]])
def test_the_command_names_a_wrong_word(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Code without inputs, an unknown kind of input and a wrong shape are each an error."""
    with pytest.raises(SystemExit):
        main(["torchscript", "17", *words])
    assert "as " in capsys.readouterr().err
