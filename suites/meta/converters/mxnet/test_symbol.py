"""Holds the -symbol.json reader to MXNet's own reading of every generation of the file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from fixtures.converters.errors import ConversionError
from fixtures.converters.mxnet import symbol
from suites.meta.oracles.mxnet_judge import NoJudge, ask

ONE, TWO, AVERAGE = {"kernel": "(1, 1)"}, {"kernel": "(2, 2)"}, {"kernel": "(2, 2)", "pool_type": "avg"}


def network(node: dict[str, Any], **document: Any) -> dict[str, Any]:
    """A pooling of one input; keys of the node and of the document are added or replaced."""
    pool = {"op": "Pooling", "name": "p", "inputs": [[0, 0, 0]]} | node
    nodes = [{"op": "null", "name": "x", "inputs": []}, pool]
    return {"nodes": nodes, "arg_nodes": [0], "heads": [[1, 0, 0]]} | document


Judged = tuple[Path, dict[str, Any], dict[str, str]]
OLD: list[dict[str, Any]] = [{"op": "null", "name": n, "inputs": []} for n in ("x", "bn_gamma", "bn_beta")]
OLD.append({"op": "BatchNorm", "name": "bn", "param": {"eps": "0.1"}, "inputs": [[0, 0], [1, 0], [2, 0]]})
READ = {
    "attrs": network({"attrs": ONE}),
    "attr": network({"attr": ONE}),
    "param": network({"param": ONE}),
    "param, then attrs": network({"param": TWO, "attrs": {"pool_type": "avg", **ONE}}),
    "attrs, then param": network({"attrs": ONE, "param": AVERAGE}),
    "attr, then param": network({"attr": ONE, "param": AVERAGE}),
    "attrs, then attr": network({"attrs": AVERAGE, "attr": ONE}),
    "attr, then attrs": network({"attr": AVERAGE, "attrs": ONE}),
    "none": {
        "nodes": [OLD[0], {"op": "Flatten", "name": "p", "inputs": [[0, 0]]}],
        "arg_nodes": [0],
        "heads": [[1, 0]],
    },
    "training only": network({"param": ONE, "attr": {"ctx_group": "a", "lr_mult": "2"}}),
    "two integers": network({"attrs": ONE, "inputs": [[0, 0]]}, heads=[[1, 0]]),
    "statistics apart": {
        "nodes": [*OLD[:3], OLD[3] | {"backward_source_id": -1}], "arg_nodes": [0, 1, 2], "heads": [[3, 0]]
    },
    "source": network({"attrs": ONE, "backward_source_id": 0}),
    "order": network({"attrs": ONE, "control_deps": [0]}),
    "fewer arg_nodes": network({"attrs": ONE}, arg_nodes=[]),
    "wrong node_row_ptr": network({"attrs": ONE}, node_row_ptr=[0, 9, 9]),
    "no subgraph": network({"attrs": ONE, "subgraphs": []}),
    "version": network({"attrs": ONE}, attrs={"mxnet_version": ["int", 10300]}),
    "outputs": network({"op": "SliceChannel", "attrs": {"num_outputs": "3"}}, heads=[[1, 2, 0], [1, 0, 0]]),
    "subgraph": network({"op": "_foreach", "subgraphs": [network({"attrs": ONE})]}),
    "forward": network({"attrs": ONE, "inputs": [[2, 0, 0]]}) | {
        "nodes": [*network({"attrs": ONE, "inputs": [[2, 0, 0]]})["nodes"], OLD[1]], "arg_nodes": [0, 2]
    },
    "inputs of a variable": network({"op": "null"}),
    "wrong arg_nodes": network({"attrs": ONE}, arg_nodes=[1]),
    "no arg_nodes": {k: v for k, v in network({"attrs": ONE}).items() if k != "arg_nodes"},
    "unknown key": network({"attrs": ONE, "scale": "2"}),
    "number": network({"attrs": {"kernel": 1}}),
    "head of one": network({"attrs": ONE}, heads=[[1]]),
    "head of four": network({"attrs": ONE}, heads=[[1, 0, 0, 0]]),
    "head without list": network({"attrs": ONE}, heads=[1]),
    "no heads": {k: v for k, v in network({"attrs": ONE}).items() if k != "heads"},
}  # fmt: skip
REFUSED = {
    "subgraph": "node 'p' (_foreach): holds a network of its own (control flow or a fused part)",
    "forward": "node 'p' (Pooling): points to output 0 of node 2, expected a node before 1",
    "inputs of a variable": "node 'p' (null): is a variable with 1 inputs, expected none",
    "unknown key": "node 'p' (Pooling): has the key 'scale', which MXNet does not know",
    "number": "node 'p' (Pooling): 'attrs' is no table of texts",
    "head of one": "head 0: [1] is not [node, output(, version)]",
    "head of four": "head 0: [1, 0, 0, 0] is not [node, output(, version)]",
    "head without list": "head 0: 1 is not [node, output(, version)]",
    "no heads": "has no list 'heads'",
}
"""What is refused -> the message."""
MORE = {"forward", "inputs of a variable", "subgraph"}
"""Refused here whatever MXNet says: it writes no network in such an order, and loops have no converter."""
LENIENT = {"wrong arg_nodes", "no arg_nodes"}
"""Refused by MXNet alone: what these repeat is in the nodes."""


def parse(document: Any) -> symbol.Symbol:
    """Read a description."""
    return symbol.parse(json.dumps(document).encode(), "f")


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Judged:
    """MXNet's attributes and outputs of each description, and what it refuses."""
    folder = tmp_path_factory.mktemp("symbols")
    for name, document in READ.items():
        (folder / f"{name}.json").write_text(json.dumps(document))
    try:
        _, symbols, refused = ask(folder)
    except NoJudge as reason:
        pytest.skip(str(reason))
    return folder, symbols, refused


def test_same_attributes_as_mxnet(judged: Judged) -> None:
    """Of tables that contradict each other the same value counts, and every head is the same output."""
    read = READ.keys() - REFUSED.keys() - LENIENT
    for name in read:
        answer, found = judged[1][f"{name}.json"], parse(READ[name])
        last = found.nodes[-1]
        expected = {k: v for k, v in answer["attrs"].get(last.name, {}).items() if not k.startswith("__")}
        hidden = set(symbol.TRAINING_ONLY)
        assert last.attrs == {k: v for k, v in expected.items() if k not in hidden}, name
        assert len(found.heads) == len(answer["outputs"])
    assert len(read) > 15


def test_mxnet_refuses_what_is_refused(judged: Judged) -> None:
    """What MXNet refuses is refused, but for lists that only repeat the nodes."""
    assert {name.removesuffix(".json") for name in judged[2]} - MORE == REFUSED.keys() - MORE | LENIENT


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name: str) -> None:
    """The message names the node and the reason."""
    with pytest.raises(ConversionError) as caught:
        parse(READ[name])
    assert REFUSED[name] in str(caught.value)


@pytest.mark.parametrize("name", sorted(LENIENT))
def test_what_repeats_the_nodes_is_not_read(name: str) -> None:
    """The network is that of a description where it is right."""
    assert parse(READ[name]) == parse(READ["attrs"])


def test_control_flow_of_mxnet_itself_is_refused(judged: Judged) -> None:
    """A loop that MXNet saved is named, with its operator."""
    with pytest.raises(ConversionError, match=r"node '_foreach0' \(_foreach\): holds a network of its own"):
        symbol.read(judged[0] / "saved-foreach.json")


BYTES = {
    "not Unicode": (
        json.dumps(network({"name": "\ud800"})).encode(),
        r"has a text that is not Unicode: '\ud800'",
    ),
    "parameters": (b"\x12\x01" + bytes(22), "is a .params file. Name the -symbol.json first and it second"),
    "bytes": (b'{"nodes": "\xff"}', "is not whole JSON ("),
    "nested": (b"[" * 100_000, "is not whole JSON ("),
    "long number": (b'{"nodes": ' + b"9" * 5000 + b"}", "is not whole JSON ("),
    "empty": (b"", "is not whole JSON ("),
    "list": (b"[]", "has no list 'nodes'"),
}


@pytest.mark.parametrize("name", BYTES)
def test_bytes_refused(name: str) -> None:
    """What is no description at all is refused by the file's name."""
    data, text = BYTES[name]
    with pytest.raises(ConversionError) as caught:
        symbol.parse(data, "f")
    assert str(caught.value).startswith("f: ")
    assert text in str(caught.value)


def test_byte_order_mark(tmp_path: Path) -> None:
    """A file that an editor wrote with a mark at its begin is read."""
    path = tmp_path / "net-symbol.json"
    path.write_text(json.dumps(READ["attrs"]), "utf-8-sig")
    assert symbol.read(path).nodes == parse(READ["attrs"]).nodes
