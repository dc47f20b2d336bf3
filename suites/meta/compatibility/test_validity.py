"""What onnx.checker refuses is said before any rule looks; what TensorRT reads past is answered for."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from fixtures.commands import fix, support
from fixtures.compatibility.check import limits
from fixtures.compatibility.check.faults import RuleFault, asking
from suites.meta.networks.rewrite_models import small
from suites.meta.networks.support_models import fed

WIDE = np.ones((16, 4, 3, 3), np.float32)
Change = Callable[[onnx.ModelProto], object]


def shaped(model: onnx.ModelProto, *dims: int) -> onnx.ModelProto:
    """Return the output of a model its shape."""
    for size in dims:
        model.graph.output[0].type.tensor_type.shape.dim.add().dim_value = size
    return model


def conv() -> onnx.ModelProto:
    """A valid model: a Conv with weights that are not read, and a Relu."""
    conv = helper.make_node("Conv", ["x", "w"], ["c"], name="conv")
    relu = helper.make_node("Relu", ["c"], ["y"], name="act")
    return shaped(small([conv, relu], {"w": WIDE}, opset=13), 1, 16, 6, 6)


def at(model: onnx.ModelProto, name: str) -> onnx.NodeProto:
    """The node of a name."""
    return next(node for node in model.graph.node if node.name == name)


def plugin(model: onnx.ModelProto) -> None:
    """Make the last node an operator that ONNX does not have."""
    at(model, "act").op_type = "Blorp_TRT"


def newer(model: onnx.ModelProto) -> None:
    """Make the last node an operator that came with a later opset."""
    at(model, "act").op_type = "Mish"


def foreign(model: onnx.ModelProto) -> None:
    """Put the last node into a domain that the file does not import."""
    at(model, "act").domain = "TRT"


def shapeless(model: onnx.ModelProto) -> None:
    """Leave out the shape of the output."""
    model.graph.output[0].type.tensor_type.ClearField("shape")


def shapeless_input(model: onnx.ModelProto) -> None:
    """Leave out the shape of the input."""
    model.graph.input[0].type.tensor_type.ClearField("shape")


def unknown_attribute(model: onnx.ModelProto) -> None:
    """Give a node an attribute that its operator does not have."""
    at(model, "act").attribute.append(helper.make_attribute("slope", 0.1))


def no_weights(model: onnx.ModelProto) -> None:
    """Say that the weights lie in a file that is not there."""
    (tensor,) = model.graph.initializer
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="absent.bin")


ANSWERED: dict[Change, tuple[int, str]] = {
    plugin: (0, "Blorp_TRT 'act' at opset 13"),
    newer: (0, "Mish 'act' at opset 13"),
    foreign: (0, "Relu 'act' of 'TRT'"),
    shapeless_input: (0, "input 'x'"),
    unknown_attribute: (1, "'slope' of Relu 'act'"),
    no_weights: (1, "the weights of 'w' are in 'absent.bin', which is not there"),
}
"""A deviation -> the exit code where all is answered, and what is said of it."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the model lies."""
    return tmp_path / "m.onnx"


@pytest.mark.parametrize("change", ANSWERED, ids=lambda change: change.__name__)
def test_what_tensorrt_reads_past_is_said_and_answered(
    change: Change, path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line on stderr names file and place, the table is printed, the exit code is the row's."""
    model = conv()
    change(model)
    onnx.save(model, path)
    code, says = ANSWERED[change]
    assert support.main([str(path)]) == code
    captured = capsys.readouterr()
    assert captured.out.startswith("TensorRT 7.0")
    assert len(captured.err.splitlines()) == 1
    assert f"{path}: " in captured.err
    assert says in captured.err


@pytest.mark.parametrize(
    ("mode", "code", "says"),
    [("half_pixel", 0, "a Resize whose input roi is left out: Resize 'node'"),
     ("tf_crop_and_resize", 1, "input 1 is marked single but has an empty string")],
)  # fmt: skip
def test_a_resize_without_a_region_is_answered_where_no_region_is_read(
    mode: str, code: int, says: str, path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Opset 11 wants an input roi that TensorRT does not read; the one mode that needs it stays invalid."""
    scales = np.array([1, 1, 2, 2], np.float32)
    model = fed("Resize", "FLOAT", 1, 1, 8, 8, opset=11, more=[np.zeros(0, np.float32), scales],
                mode="linear", coordinate_transformation_mode=mode)  # fmt: skip
    model.graph.node[0].input[1] = ""
    onnx.save(model, path)
    assert support.main([str(path), "--tensorrt", "8.6"]) == code
    captured = capsys.readouterr()
    assert says in captured.err
    assert captured.out.startswith("TensorRT 8.6") == (code == 0)


@pytest.mark.parametrize("name", ["shapeless", None])
def test_a_valid_model_is_answered_without_a_word(
    name: str | None, path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Weights that are not read are no reason to complain; an output without a shape is said, and valid."""
    model = conv()
    if name:
        shapeless(model)
    onnx.save(model, path)
    assert support.main([str(path)]) == 0
    assert ("output 'y'" in capsys.readouterr().err) == bool(name)


def _twice(model: onnx.ModelProto) -> None:
    model.graph.initializer.append(model.graph.initializer[0])


def _cycle(model: onnx.ModelProto) -> None:
    at(model, "conv").input[0] = "y"


def _absent(model: onnx.ModelProto) -> None:
    at(model, "act").input[0] = "nowhere"


def _arity(model: onnx.ModelProto) -> None:
    del at(model, "conv").input[1:]


def _kind(model: onnx.ModelProto) -> None:
    at(model, "conv").attribute.append(helper.make_attribute("group", "one"))


def _short(model: onnx.ModelProto) -> None:
    model.graph.initializer[0].raw_data = b"1234" * 300


def _long_shape(model: onnx.ModelProto) -> None:
    model.graph.initializer[0].dims[0] = 1 << 40


def _two_values(model: onnx.ModelProto) -> None:
    model.graph.initializer[0].float_data.append(1.0)


def _no_opset(model: onnx.ModelProto) -> None:
    del model.opset_import[:]


def _future(model: onnx.ModelProto) -> None:
    model.ir_version = 99


def _type(model: onnx.ModelProto) -> None:
    model.graph.input[0].type.tensor_type.elem_type = TensorProto.STRING


def _made_twice(model: onnx.ModelProto) -> None:
    at(model, "act").output[0] = "c"


def _no_output(model: onnx.ModelProto) -> None:
    model.graph.output[0].name = "nothing"


INVALID: dict[Change, str] = {
    _twice: "'w' is not unique", _cycle: "topologically sorted", _absent: "nowhere", _arity: "conv",
    _kind: "group", _short: "'w' has 1200 bytes, its shape needs 2304", _long_shape: "'w' has 2304 bytes",
    _two_values: "only one value field", _no_opset: "opset_import", _future: "pip install --upgrade onnx",
    _type: "unsupported type", _made_twice: "multiple times", _no_output: "nothing",
}  # fmt: skip


@pytest.mark.parametrize("command", ["support", "fix"])
@pytest.mark.parametrize("change", INVALID, ids=lambda change: change.__name__)
def test_what_the_checker_refuses_is_one_line_and_exit_1(
    change: Change, command: str, path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """File and place are named, nothing is answered and nothing is written."""
    model = conv()
    change(model)
    path.write_bytes(model.SerializeToString())
    with pytest.raises(Exception, match=r"."):
        onnx.checker.check_model(str(path), full_check=True)
    output = path.with_name("f.onnx")
    more = {"support": [], "fix": ["--tensorrt", "7.0", "-o", str(output)]}[command]
    assert {"support": support, "fix": fix}[command].main([str(path), *more]) == 1
    captured = capsys.readouterr()
    assert (captured.out, len(captured.err.splitlines())) == ("", 1)
    assert f"{path}: " in captured.err
    if command == "support" or change not in (_short, _long_shape):
        assert INVALID[change] in captured.err
    assert not output.exists()


def test_what_fix_repairs_is_no_reason_to_refuse(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Inputs of mixed types are invalid ONNX: support says so, fix mends them and writes a valid model."""
    add = helper.make_node("Add", ["x", "k"], ["y"], name="add")
    onnx.save(shaped(small([add], {"k": np.ones(1, np.int64)}), 1, 4, 8, 8), path)
    output = path.with_name("f.onnx")
    assert support.main([str(path)]) == 1
    assert "inconsistent type" in capsys.readouterr().err
    assert fix.main([str(path), "--tensorrt", "8.6", "-o", str(output)]) == 0
    assert "ONNX does not allow inputs of mixed types" in capsys.readouterr().out
    onnx.checker.check_model(str(output), full_check=True)


@pytest.mark.parametrize("error", [KeyError("mode"), ValueError("no such mode"), IndexError("list index")])
def test_a_rule_that_fails_is_a_fault_that_names_rule_and_node(
    error: Exception, path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever a rule raises is neither an answer nor an error of the file: exit code 1, one line."""

    def broken(*_: object) -> None:
        raise error

    monkeypatch.setitem(limits.LIMITS, "resize", broken)
    scales = np.array([1, 1, 2, 2], np.float32)
    onnx.save(small([helper.make_node("Resize", ["x", "", "s"], ["y"], name="up")], {"s": scales}), path)
    assert support.main([str(path)]) == 1
    captured = capsys.readouterr()
    assert (captured.out, len(captured.err.splitlines())) == ("", 1)
    assert "rule resize on Resize 'up' raised" in captured.err
    assert "Please report it" in captured.err


def test_the_innermost_rule_is_named() -> None:
    """A rule within a rule is the one at fault."""
    named = pytest.raises(RuleFault, match=r"rule inner on Conv 'c' raised KeyError")
    with named, asking("outer"), asking("inner", "Conv", "c"):
        raise KeyError("k")


@pytest.mark.parametrize("text", ["x\x1b[2J", "y" * 5000, "\u202egnp"])
@pytest.mark.parametrize("command", ["support", "fix"])
def test_a_name_of_a_file_reaches_no_terminal_as_it_is(
    text: str, command: str, path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Operators and nodes with control characters, or without end, are shown written out and cut."""
    model = conv()
    at(model, "act").op_type = at(model, "act").name = text
    onnx.save(model, path)
    more = {
        "support": ["--tensorrt", "8.6"],
        "fix": ["--tensorrt", "8.6", "-o", str(path.with_name("f.onnx"))],
    }[command]
    {"support": support, "fix": fix}[command].main([str(path), *more])
    captured = capsys.readouterr()
    assert all(c.isprintable() or c == "\n" for c in captured.out + captured.err)
    assert max(map(len, (captured.out + captured.err).splitlines())) < 1100
