"""A node is named in terms of its source by what the converters leave in it."""

import pytest
from onnx import NodeProto, helper

from fixtures.triage.origins import SCOPES, Origin, joined, origin_of, origins_of

DARKNET = Origin("darknet", "8", "net.cfg line 55, layer 8 [convolutional]")


def node(name: str = "", doc: str = "", scopes: str = "") -> NodeProto:
    """Make a node with what a converter left."""
    made = helper.make_node("Relu", ["x"], ["y"], name=name, doc_string=doc)
    if scopes:
        made.metadata_props.add(key=SCOPES, value=scopes)
    return made


@pytest.mark.parametrize(
    ("name", "doc", "scopes", "layer", "text"),
    [
        ("layer_8", "net.cfg:55 layer 8 [convolutional]", "", "8", DARKNET.text),
        ("a", "mxnet node 'conv0' (Convolution)", "", "conv0", "symbol 'conv0' (Convolution)"),
        ("a", "mxnet node 'conv0' (Convolution) + mxnet node 'bn0' (BatchNorm)", "", "bn0",
         "symbol 'conv0' (Convolution) and symbol 'bn0' (BatchNorm)"),
        ("/model.2/m/m.0/cv1/conv/Conv", "", "", "model.2.m.0.cv1.conv", "module 'model.2.m.0.cv1.conv'"),
        ("/Add", "", "", "", "the outermost module's forward()"),
        ("node_relu", "", "['', '1', 'relu']", "1", "module '1'"),
        ("node_add", "", "['', 'add']", "", "the outermost module's forward()"),
    ],
)  # fmt: skip
def test_what_a_converter_leaves_is_read(name: str, doc: str, scopes: str, layer: str, text: str) -> None:
    """Doc strings of ours, names of torchscript, metadata of dynamo."""
    origin = origin_of(node(name, doc, scopes))
    assert origin is not None
    assert (origin.layer, origin.text) == (layer, text)


def test_a_node_of_elsewhere_has_no_origin() -> None:
    """Its ONNX name is all that is known."""
    assert origin_of(node("Relu_1", "a comment")) is None


def test_a_layer_of_several_nodes_is_named_once() -> None:
    """In the order given."""
    nodes = [node("a", "net.cfg:55 layer 8 [convolutional]"), node("b"), node("/2/Relu")] * 2
    assert [origin.layer for origin in origins_of(nodes)] == ["8", "2"]


def test_containers_that_repeat_their_name_are_one_path() -> None:
    """As torchscript writes children of a Sequential."""
    assert joined(["layer1", "layer1.0", "layer1.0.seq", "conv"]) == "layer1.0.seq.conv"
    assert joined(["a", "b"]) == "a.b"
