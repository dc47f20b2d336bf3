"""Whatever is written of a specimen, for whatever release, gives the outputs of the specimen."""

from collections import Counter

import numpy as np
import pytest
from onnx import ModelProto, checker

from fixtures.compatibility.specimens import enumerated
from suites.meta.networks.importer_models import F, channels, made
from suites.meta.networks.rewrite_models import FOLDS, assert_equal, feed, fixed, run
from suites.meta.networks.user_situations import text

EVERY = 11
"""Of so many specimens one is taken; another one for each release."""
RELEASES = ("trt7.0", "trt8.0", "trt8.4", "trt8.6", "trt10.1", "rtx1.5", "rtx1.7")
UNLIKE = "alpha=-0.5"
"""Celu of a negative alpha, where ONNX Runtime computes something else than ONNX's own body of it."""


def numeric(model: ModelProto) -> bool:
    """Tell whether ONNX Runtime runs a model, and makes numbers and no texts of it."""
    try:
        return all(array.dtype.kind in "biuf" for array in run(model, feed(model)))
    except Exception:  # ONNX Runtime raises a class of its own for every status
        return False


@FOLDS
@pytest.mark.slow
@pytest.mark.parametrize("label", RELEASES)
def test_what_is_written_of_any_specimen_is_equal(label: str) -> None:
    """Every kind of operator, opsets 9 to 21: folded, rewritten and converted."""
    counts: Counter[str] = Counter()
    for specimen in list(enumerated())[RELEASES.index(label) :: EVERY]:
        done = fixed(specimen.model, label)
        if done.changes and UNLIKE not in specimen.name and numeric(specimen.model):
            counts.update(change.rewrite for change in done.changes)
            assert_equal(specimen.model, done.model)
    assert len(counts) > 1


WEIGHTS = """(float[1,2] x) => (float[1,3] y)
<{0}[2,3] c={{0,1,2,3,4,5}}, float[2] s={{0.1,0.2}}, {0}[2] z={{3,3}}> {{
    d = DequantizeLinear<axis=1>(c, s, z)
    y = MatMul(x, d)
}}"""
GROUPS = """(float[1,4,8] x) => (float[1,4,8] y) <float[4] s={1,1,1,1}> {
    y = GroupNormalization<num_groups=3>(x, s, s)
}"""
CONTRADICTORY = {
    "weights of INT8": text(13, WEIGHTS.format("int8")),
    "weights of UINT8": text(13, WEIGHTS.format("uint8")),
    "a pair": channels(4, 6, count=4, axis=1),
    "bytes": made("DequantizeLinear", [("UINT8", (4, 6))], [np.ones(4, F), np.ones(4, np.uint8)], opset=13),
    "groups": text(21, GROUPS),
}
"""Models of a node whose inputs do not fit together, of which onnx.checker says nothing."""


@pytest.mark.parametrize("name", CONTRADICTORY)
@pytest.mark.parametrize("label", ["trt7.0", "trt8.5", "trt10.0", "rtx1.5"])
def test_what_is_written_of_a_node_that_contradicts_itself_is_valid(name: str, label: str) -> None:
    """What the checker would refuse is not written: the node stays, and is said to be refused."""
    checker.check_model(fixed(CONTRADICTORY[name], label).model, full_check=True)
