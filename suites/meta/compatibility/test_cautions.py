"""What is taken with a caution: built and wrong, an opset of no document, a profile that must be given."""

from typing import Any

import numpy as np
import pytest
from onnx import ModelProto

from fixtures.compatibility import Caution, by_label, cautions, inspect, refusals
from fixtures.compatibility.specimens.sketch import Sketch
from suites.meta.networks.importer_models import clipped_sum
from suites.meta.networks.support_models import fed, halves, one, resize

TF: dict[str, Any] = {"coordinate_transformation_mode": "tf_half_pixel_for_nn"}
WRONG: list[tuple[str, ModelProto, ModelProto]] = [
    ("trt10.1", one("GridSample", [np.ones((1, 5, 5, 2), np.float32)], opset=20, mode="linear"),
     one("GridSample", [np.ones((1, 5, 5, 2), np.float32)], opset=20)),
    ("rtx1.5", one("GridSample", [np.ones((1, 5, 5, 2), np.float32)], opset=20, mode="cubic"),
     one("GridSample", [np.ones((1, 5, 5, 2), np.float32)], opset=16, mode="bicubic")),
    ("trt8.6", one("ReduceMax", [[1]], opset=18), one("ReduceMax", opset=13, axes=[1])),
    ("trt9.3", one("ReduceMean", [[1]], opset=18), one("ReduceMean", opset=18)),
    ("trt8.4", one("ScatterND", [[[0]], [1.0]], opset=16, reduction="add"),
     one("ScatterND", [[[0]], [1.0]], opset=16)),
    ("trt8.5", one("GRU", [np.ones((1, 12, 8), np.float32)] * 2, opset=14, layout=1, hidden_size=4),
     one("GRU", [np.ones((1, 12, 8), np.float32)] * 2, opset=14, hidden_size=4)),
    ("trt8.0", resize(mode="linear", **TF), resize(**TF)),
    ("trt10.10", resize(mode="cubic", **TF), resize(mode="cubic")),
    ("rtx1.7", resize(mode="linear", **TF), resize(mode="linear")),
    ("trt8.4", one("Pad", [[1, 1], None, [1]], opset=18), one("Pad", [[1, 1]], opset=18)),
    ("trt9.3", halves(5), halves(4)),
]  # fmt: skip
"""Release, a model that it computes wrong, one that it computes right."""


def kinds(found: list[Caution]) -> set[str]:
    """Kinds of some cautions."""
    return {caution.kind for caution in found}


@pytest.mark.parametrize(("label", "wrong", "right"), WRONG)
def test_what_is_computed_wrong_is_said_and_not_refused(
    label: str, wrong: ModelProto, right: ModelProto
) -> None:
    """The node is named with its reason and remedy; its neighbour has no such caution."""
    row = by_label(label)
    assert row is not None
    assert refusals(wrong, row.flavour, row.version, gpu=True) == []
    (found,) = (one for one in cautions(inspect(wrong), row) if one.kind == "wrong")
    assert (found.node, bool(found.why), bool(found.remedy)) == ("node", True, True)
    assert "taken, but wrong" in str(found)
    assert "wrong" not in kinds(cautions(inspect(right), row))


@pytest.mark.parametrize(
    ("operator", "value", "label", "wrong"),
    [("Add", 1 << 40, "trt8.6", True), ("Add", 1 << 20, "trt8.6", False), ("Add", 1 << 40, "trt9.0", False),
     ("Mul", -(1 << 40), "trt7.0", True)],
)  # fmt: skip
def test_an_int64_beyond_int32_is_clamped_up_to_8_6(
    operator: str, value: int, label: str, wrong: bool
) -> None:
    """Parsers without INT64 take the nearest INT32; the end of a Slice may mean the last element anyway."""
    row = by_label(label)
    assert row is not None
    model = fed(operator, "INT64", 4, opset=11, more=[np.array([value])])
    assert ("wrong" in kinds(cautions(inspect(model), row))) == wrong
    last = fed("Slice", "FLOAT", 4, opset=11, more=[np.array([0]), np.array([(1 << 63) - 1])])
    assert cautions(inspect(last), row) == []


@pytest.mark.parametrize(("rows", "kind"), [(4, {"profile"}), ("N", set())])
def test_a_shape_that_depends_on_data_wants_a_profile_in_8_5(rows: int | str, kind: set[str]) -> None:
    """The builder of 8.5 ends in an error without a profile, which a model with a dynamic axis has anyway."""
    sketch = Sketch(13)
    sketch.end("NonZero", sketch.feed("FLOAT", rows, 8))
    row = by_label("trt8.5")
    assert row is not None
    assert kinds(cautions(inspect(sketch.model()), row)) == kind


def test_a_size_that_is_found_in_the_data_wants_a_profile_too() -> None:
    """A Reshape to an index that ArgMax finds is built with a profile only; one to a shape without."""
    row = by_label("trt8.5")
    assert row is not None
    for how, kind in (("argmax", {"profile"}), ("shape", set())):
        sketch = Sketch(13)
        sketch.end("Reshape", sketch.feed("FLOAT", 4, 8), sketch.given(np.array([-1]), how))
        assert kinds(cautions(inspect(sketch.model()), row)) == kind


def test_what_one_report_says_is_said_to_be_that() -> None:
    """The Clip behind a product is wrong by a public report alone, which is said."""
    row = by_label("trt10.12")
    assert row is not None
    (caution,) = cautions(inspect(clipped_sum(0, 6)), row)
    assert (caution.kind, caution.basis) == ("wrong", "reported")
    assert "a public report: NVIDIA/TensorRT issue 4606" in caution.where
    assert caution.why.startswith("by one report")
