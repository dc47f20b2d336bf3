"""Whatever is written of a specimen, for whatever release, gives the outputs of the specimen."""

from collections import Counter

import pytest
from onnx import ModelProto

from fixtures.compatibility.specimens import enumerated
from suites.meta.networks.rewrite_models import FOLDS, assert_equal, feed, fixed, run

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
