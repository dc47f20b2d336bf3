"""Plants errors in MXNet networks and asks that the converter names each of them."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fixtures.commands.convert_mxnet import main
from fixtures.converters.errors import ConversionError
from fixtures.converters.mxnet.convert import convert
from suites.meta.networks.mxnet_files import DENSE, Net, list_bytes, one, write
from suites.meta.networks.mxnet_nets import CONVERTED, IMAGE, REFUSED


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name: str, tmp_path: Path) -> None:
    """What cannot be converted is refused by a message that names node, operator and reason."""
    net, text = REFUSED[name]
    with pytest.raises(ConversionError) as caught:
        convert(*write(tmp_path, [net]), {k: v.shape for k, v in net.inputs().items()}, 13)
    assert str(caught.value).startswith("net-symbol.json, node '")
    assert text in str(caught.value)


def _edit(key: str, value: Any) -> Callable[[dict[str, Any]], None]:
    """Change the last node of the description, or the description itself."""

    def edit(document: dict[str, Any]) -> None:
        row = document if key in document else document["nodes"][-1]
        if value is None:
            del row[key]
        else:
            row[key] = value

    return edit


BROKEN = {
    "no nodes": (_edit("nodes", None), "has no list 'nodes'"),
    "no heads": (_edit("heads", []), "has no heads"),
    "no name": (_edit("name", None), "node 1: has no text 'name'"),
    "no op": (_edit("op", None), "node 1: has no text 'op'"),
    "no inputs": (_edit("inputs", None), "node 'n_0' (Flatten): has no list 'inputs'"),
    "forward": (_edit("inputs", [[1, 0, 0]]), "node 'n_0' (Flatten): points to output 0 of node 1"),
    "negative": (_edit("inputs", [[-1, 0, 0]]), "points to output 0 of node -1"),
    "one number": (_edit("inputs", [[0]]), "[0] is not [node, output(, version)]"),
    "true": (_edit("inputs", [[True, 0]]), "[True, 0] is not [node"),
    "head": (_edit("heads", [[7, 0, 0]]), "head 0: points to output 0 of node 7"),
    "two heads": (_edit("heads", [[1, 0], [1, 0]]), "has one head twice"),
    "head is input": (_edit("heads", [[0, 0]]), "node 'n_x' (null): an input is asked for"),
    "second output": (_edit("heads", [[1, 1]]), "node 'n_0' (Flatten): output 1 is asked for, it has 1"),
    "attributes": (_edit("attrs", {"a": 1}), "node 'n_0' (Flatten): 'attrs' is no table of texts"),
    "a variable's inputs": (_edit("op", "null"), "node 'n_0' (null): is a variable with 1 inputs"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_symbol(name: str, tmp_path: Path) -> None:
    """A damaged description is refused by a message that names file and node."""
    edit, text = BROKEN[name]
    symbol, params = write(tmp_path, [one("n", "Flatten", {}, x=IMAGE)])
    document = json.loads(symbol.read_text())
    edit(document)
    symbol.write_text(json.dumps(document))
    with pytest.raises(ConversionError) as caught:
        convert(symbol, params, {"n_x": IMAGE}, 13)
    assert str(caught.value).startswith("net-symbol.json")
    assert text in str(caught.value)


@pytest.mark.parametrize("cut", range(1, 200, 23))
def test_cut_symbol(cut: int, tmp_path: Path) -> None:
    """A description cut short is refused as no whole JSON."""
    symbol, params = write(tmp_path, [one("n", "Flatten", {}, x=IMAGE)])
    symbol.write_text(symbol.read_text()[:-cut])
    with pytest.raises(ConversionError, match=r"^net-symbol\.json: is not whole JSON"):
        convert(symbol, params, {"n_x": IMAGE}, 13)


@settings(deadline=None, max_examples=200)
@given(st.sampled_from(CONVERTED), st.integers(0, 2000), st.characters(codec="ascii"))
def test_mutated_symbol(net: Net, at: int, character: str) -> None:
    """A description with one character changed gives a model or is refused."""
    with tempfile.TemporaryDirectory() as folder:
        symbol, params = write(Path(folder), [net])
        text = symbol.read_text()
        at %= len(text)
        symbol.write_text(text[:at] + character + text[at + 1 :])
        with suppress(ConversionError):
            model = convert(symbol, params, {k: v.shape for k, v in net.inputs().items()}, 13)
            assert model.graph.output


@pytest.mark.parametrize(
    ("stored", "shapes", "text"),
    [
        ({"arg:n_bias": None}, {"n_x": (3, 7)}, "node 'n_bias' (null): 'n_bias' has no values"),
        ({}, {}, "node 'n_x' (null): 'n_x' has no values in the .params file and no input shape"),
        ({}, {"n_x": (3, 7), "y": (1,)}, "'y' is no input. Its inputs are among: n_x"),
        ({}, {"n_x": (3, 0)}, "input 'n_x' has the shape (3, 0)"),
        ({}, {"n_x": (3, 8)}, "'n_weight' has the shape (5, 7), expected (5, 8)"),
    ],
)
def test_files_that_do_not_match(
    stored: dict[str, Any], shapes: dict[str, Any], text: str, tmp_path: Path
) -> None:
    """A missing parameter and a shape that does not fit are refused by name."""
    symbol, params = write(tmp_path, [DENSE])
    arrays = DENSE.stored() | stored
    params.write_bytes(list_bytes({name: a for name, a in arrays.items() if a is not None}))
    with pytest.raises(ConversionError) as caught:
        convert(symbol, params, shapes, 13)
    assert text in str(caught.value)


def test_command_refuses_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A refused network is one line on stderr, exit code 1, and no file."""
    symbol, params = write(tmp_path, [DENSE])
    output = tmp_path / "net.onnx"
    assert main([str(symbol), str(params), "--input", "n_x:3x9", "-o", str(output)]) == 1
    assert capsys.readouterr().err.count("\n") == 1
    assert not output.exists()


@pytest.mark.parametrize("wrong", [["--input", "3xx7"], ["--opset", "9"], ["--input", "0x1"]])
def test_command_called_wrongly(wrong: list[str]) -> None:
    """A wrong call ends with argparse's exit code."""
    with pytest.raises(SystemExit, match="2"):
        main(["a", "b", "-o", "c", "--input", "1", *wrong])
