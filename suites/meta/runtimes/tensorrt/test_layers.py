"""Layers and their precisions, read from rows as the inspectors of several releases write them."""

from typing import Any

import pytest

from fixtures.runtimes.tensorrt.layers import Layers, layers_of

HALF = {"Name": "/0/Conv_myl0_1", "Inputs": [{"Datatype": "Half"}], "Outputs": [{"Datatype": "Half"}]}
CAST = {"Name": "__myl_Cast_0", "Inputs": [{"Datatype": "Float"}], "Outputs": [{"Datatype": "Half"}]}
WEIGHTS = {"Name": "dequantize", "Inputs": [], "Constants": [{"Datatype": "Int8"}],
           "Outputs": [{"Datatype": "Float"}]}  # fmt: skip
OLD = {"Name": "conv", "Inputs": [{"Format/Datatype": "Channel major FP16 format where channel % 8 == 0"}]}
INT8 = {"Name": "conv", "Inputs": [{"Format/Datatype": "Thirty-two wide channel vectorized row major Int8"}]}
UNTOLD = [{"Name": "x", "Location": "Device", "Format/Datatype": "N/A due to dynamic shapes"}]
FREE = {"Name": "conv", "LayerType": "CaskConvolution", "Inputs": UNTOLD, "Outputs": UNTOLD,
        "Weights": {"Type": "Half", "Count": 9408}}  # fmt: skip
FREE_FLOAT = FREE | {"Weights": {"Type": "Float", "Count": 9408}}
MOVED = {"Name": "reformat", "LayerType": "Reformat", "Inputs": UNTOLD, "Outputs": UNTOLD}
INDEX = {"Name": "shape", "Inputs": [{"Datatype": "Int64"}], "Outputs": [{"Datatype": "Int64"}]}


@pytest.mark.parametrize(
    ("rows", "layers"),
    [
        (["one", "two"], Layers(2, {})),
        ([CAST, HALF, HALF], Layers(3, {"fp32": 1, "fp16": 2})),
        ([WEIGHTS], Layers(1, {"fp32": 1})),
        ([OLD, INT8, INDEX], Layers(3, {"fp16": 1, "int8": 1})),
        ([FREE, FREE_FLOAT, FREE, MOVED], Layers(4, {"fp16": 2, "fp32": 1})),
        ([MOVED], Layers(1, {})),
        ([], Layers(0, {})),
    ],
)
def test_rows_are_counted_by_what_they_compute_in(rows: list[Any], layers: Layers) -> None:
    """A layer counts as what it reads: INT8 weights that are widened first make no INT8 layer.

    Of a dynamic engine TensorRT 8 tells the type of weights alone.
    """
    assert layers_of(rows) == layers


def test_a_share_is_of_the_layers_that_are_known() -> None:
    """Layers of unknown precision are in no share, and nothing known is no share at all."""
    assert layers_of([CAST, HALF, HALF, INDEX]).share("fp16") == pytest.approx(2 / 3)
    assert Layers(2, {}).share("fp16") == 0
