"""A bug report goes to the project whose bug it is."""

import pytest

from fixtures.converters.onnx_graph import VERSION_CONVERTER
from fixtures.triage.subject import Subject, project_of
from fixtures.verdicts import Hop
from suites.meta.triage.graphs import chain, question


@pytest.mark.parametrize(
    ("hop", "converter", "maker", "project"),
    [
        ("opset", "darknet", "", "trt-parity"),
        ("opset", "torchscript", "", "PyTorch's exporter (torchscript)"),
        ("source->ONNX", "dynamo", "", "PyTorch's exporter (dynamo)"),
        ("opset", VERSION_CONVERTER, "", "onnx's version converter"),
        ("source->ONNX", VERSION_CONVERTER, "", "onnx's version converter"),
        ("int8", VERSION_CONVERTER, "", "trt-parity"),
        ("calibration", "torchscript", "", "trt-parity"),
        ("int8", "", "modelopt 0.30", "what made x"),
        ("fp16", "torchscript", "", "ONNX Runtime"),
        ("ONNX Runtime", VERSION_CONVERTER, "", "ONNX Runtime"),
    ],
)
def test_who_is_to_read_the_report(hop: Hop, converter: str, maker: str, project: str) -> None:
    """Of what was found guilty, whoever made it: an exporter, onnx, this suite, or a user's tool."""
    subject = Subject("x", hop, question(chain(3)), "the source", converter=converter, maker=maker)
    assert project_of(subject, hop).name == project
