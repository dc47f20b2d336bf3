"""The support tables are well formed, and say of a release what they say of no other."""

from collections.abc import Iterator
from typing import Any

import pytest
from onnx import ModelProto

from fixtures.commands.versions import chosen
from fixtures.compatibility import inspect, refusals, releases
from fixtures.compatibility.answers import ask, basis, groups, title
from fixtures.compatibility.check.limits import LIMITS
from fixtures.compatibility.specimens.sketch import Sketch
from fixtures.compatibility.tables.releases import (
    BASES,
    FLAVOURS,
    TABLE,
    closed,
    number,
    patches,
    release,
    spans,
    table,
    within,
)
from fixtures.compatibility.tables.spans import bounds
from suites.meta.networks.rewrite_models import single
from suites.meta.networks.support_models import fed, one, resize


def every_limit() -> Iterator[tuple[str, dict[str, Any]]]:
    """Each operator with each of its restrictions."""
    for operator, row in table()["operators"].items():
        for limit in row.get("limits", []):
            yield operator, limit


def test_every_release_is_there_once_in_order() -> None:
    """TensorRT 7.0 to 11.5 and TensorRT-RTX 1.4 to 1.7, oldest first."""
    for flavour, first, last in (("tensorrt", "7.0", "11.5"), ("tensorrt-rtx", "1.4", "1.7")):
        versions = [row.version for row in releases() if row.flavour == flavour]
        assert (versions[0], versions[-1]) == (first, last)
        assert versions == sorted(set(versions), key=number)
    assert len(releases()) == 39


@pytest.mark.parametrize("row", releases(), ids=lambda row: row.label)
def test_every_release_names_its_basis(row: Any) -> None:
    """A release says what it rests on and where that was read; an opset only where a document has one."""
    assert row.basis in {"source", "documented", "derived", "measured"}
    assert bool(row.parser) == (row.basis == "source")
    assert row.source
    assert row.opset_max is None or row.opset_max >= (row.opset_min or 1)
    assert row.flavour == "tensorrt" or (row.basis, row.opset_max) == ("measured", None)


def test_every_operator_has_known_fields_and_sorted_place() -> None:
    """One line an operator, sorted, with no field that nobody reads."""
    operators = table()["operators"]
    assert list(operators) == sorted(operators)
    assert {field for row in operators.values() for field in row} == {*FLAVOURS, "limits", "types"}


def test_every_range_begins_and_ends_at_a_release() -> None:
    """Ranges name releases, or a patch of one, of their flavour, the first not after the last."""
    known = {f: [r.version for r in (*patches(), *releases()) if r.flavour == f] for f in FLAVOURS}
    ranges = [(f, span) for name in table()["operators"] for f in FLAVOURS for span in spans(f, name)]
    ranges += [(limit["flavour"], closed(limit["flavour"], limit["releases"])) for _, limit in every_limit()]
    for flavour, span in ranges:
        first, last = bounds(span)
        assert known[flavour].index(first) <= known[flavour].index(last), span


def test_every_rule_exists_and_is_used() -> None:
    """The file names no rule that is not written, and none is written for nothing."""
    assert {limit["rule"] for _, limit in every_limit()} == set(LIMITS)


def test_every_restriction_says_what_it_rests_on() -> None:
    """A restriction without a basis or a source could not be checked by its reader."""
    for operator, limit in every_limit():
        assert limit["basis"] in BASES, operator
        assert limit["source"], operator


def test_a_limit_is_only_of_releases_that_have_the_operator() -> None:
    """A restriction of an operator that the release does not have is dead data."""
    for row in releases():
        assert set(row.limits) <= row.operators


def test_the_file_can_be_read_in_a_diff() -> None:
    """Lines are short and each operator begins one."""
    lines = TABLE.read_text("utf-8").splitlines()
    assert max(map(len, lines[2:])) < 160
    assert all(f'  "{name}": {{' in "\n".join(lines) for name in table()["operators"])


@pytest.mark.parametrize(
    ("version", "row"),
    [("8.6.1", "8.6"), ("8.1", "8.0"), ("10.16.1.11", "10.16"), ("12.0", "11.5"), ("6.0", "7.0")],
)
def test_a_version_falls_to_its_release(version: str, row: str) -> None:
    """Patch numbers are not looked at; between two rows the older one stands."""
    assert release("tensorrt", version).version == row


def scaled() -> ModelProto:
    """Make an InstanceNormalization whose scale is an input."""
    sketch = Sketch(15)
    images, scale = sketch.feed("FLOAT", 1, 4, 8, 8), sketch.feed("FLOAT", 4)
    sketch.end("InstanceNormalization", images, scale, sketch.ones("FLOAT", 4))
    return sketch.model()


def pairs() -> ModelProto:
    """Make a QuantizeLinear and a DequantizeLinear without zero points."""
    sketch = Sketch(13)
    scale = sketch.constant(0.1, "FLOAT")
    low = sketch.add("QuantizeLinear", sketch.feed("FLOAT", 4, 8), scale)
    sketch.end("Relu", sketch.add("DequantizeLinear", low, scale))
    return sketch.model()


@pytest.mark.parametrize(
    ("model", "refusing"),
    [(fed("Trilu", "FLOAT", 1, 4, 8, 8, opset=14), ["8.5", "8.6.0"]),
     (pairs(), ["8.5", "8.6.0"]),
     (scaled(), ["8.5", "8.6.1", "8.6"])],
)  # fmt: skip
def test_a_patch_whose_parser_differs_has_rows_of_its_own(model: ModelProto, refusing: list[str]) -> None:
    """What 8.6.0 alone refuses, or alone takes, is said of no other 8.6."""
    versions = ("8.5", "8.6.0", "8.6.1", "8.6")
    said = {version: refusals(model, "tensorrt", version, gpu=True) for version in versions}
    assert [version for version, found in said.items() if found] == refusing


def test_what_is_said_of_a_release_holds_for_its_patch() -> None:
    """But for rows that name the patch."""
    early, late = (chosen(version) for version in ("8.6.0", "8.6.2.3"))
    assert (early.title, late.title) == ("TensorRT 8.6.0", "TensorRT 8.6")
    assert (early.parser, early.operators) == ("8.6-EA", late.operators)
    assert early.limits.keys() == late.limits.keys()


@pytest.mark.parametrize(
    ("version", "span", "inside"),
    [("8.6.0", "8.6.0", True), ("8.6.1", "8.6.0", False), ("8.6", "8.6.0", False), ("8.6.0", "8.4-8.6", True),
     ("8.6.1.6", "8.4-8.6", True), ("8.6.1", "8.6-", True), ("9.0", "8.4-8.6", False)],
)  # fmt: skip
def test_a_range_has_the_patches_of_its_releases(version: str, span: str, inside: bool) -> None:
    """A range that names a patch has that one; one that ends at a release has all patches of it."""
    assert within(version, span) == inside


@pytest.mark.parametrize(("flavour", "version"), [("tensorflow", "2.0"), ("tensorrt", "seven")])
def test_an_unknown_release_is_refused(flavour: str, version: str) -> None:
    """A flavour that does not exist and a version that is no number are errors, not answers."""
    with pytest.raises(ValueError, match=r"tensorflow|seven"):
        refusals(one("Relu"), flavour, version, gpu=True)


@pytest.mark.parametrize(
    ("opset", "version", "remedy"),
    [(11, "7.0", ""), (12, "7.0", "opset 11"), (13, "7.2", "opset 11"), (17, "8.2", "opset 13"),
     (17, "8.4", ""), (18, "8.6", "opset 17"), (8, "10.0", "opset 9"), (21, "10.5", "opset 20"),
     (21, "10.6", ""), (23, "10.12", ""), (25, "11.4", "opset 24"), (24, "11.2", ""),
     (25, "11.5", ""), (26, "11.5", "opset 25")],
)  # fmt: skip
def test_an_opset_beyond_the_documents_is_no_refusal(opset: int, version: str, remedy: str) -> None:
    """No parser checks the opset: the verdict is undocumented, with the one to convert at, or taken."""
    (answer,) = ask(inspect(one("Relu", opset=opset)), [release("tensorrt", version)], gpu=True)
    found = [caution.remedy.split(",")[0] for caution in answer.cautions]
    assert found == ([f"convert at {remedy}"] if remedy else [])
    assert answer.verdict == ("undocumented" if remedy else "taken")


@pytest.mark.parametrize("opset", [6, 10, 13, 17, 21, 26])
@pytest.mark.parametrize("version", ["1.4", "1.5", "1.6", "1.7"])
def test_rtx_takes_every_opset(opset: int, version: str) -> None:
    """TensorRT-RTX was measured to take opsets 6 to 26."""
    assert refusals(one("Relu", opset=opset), "tensorrt-rtx", version, gpu=False) == []


@pytest.mark.parametrize(
    ("operator", "version", "why", "remedy"),
    [
        ("Mish", "8.6", "versions that have it: 10.0-11.5", "Tanh(Softplus(x))"),
        ("HardSwish", "7.2", "versions that have it: 8.4-11.5", "use version 8.4 to 11.5"),
        ("DFT", "10.10", "versions that have it: 11.2-11.5", "use version 11.2 to 11.5"),
        ("QLinearConv", "11.5", "no plugin of that name is known", "QuantizeLinear"),
        ("Blorp", "10.0", "no plugin of that name is known", "register a plugin"),
    ],
)
def test_a_missing_operator_is_named(operator: str, version: str, why: str, remedy: str) -> None:
    """An operator that the release lacks is refused with the releases that have it and another form."""
    (refusal,) = refusals(one(operator, domain="own", opset=9), "tensorrt", version, gpu=True)
    assert (refusal.node, refusal.operator, refusal.stage) == ("node", operator, "parser")
    assert why in refusal.why
    assert remedy in refusal.remedy
    assert refusal.where.endswith((", source", ", derived"))


def test_an_estimator_is_refused_with_what_to_do() -> None:
    """An operator of ai.onnx.ml, as scikit-learn exports them, wants other operators and no plugin."""
    (refusal,) = refusals(one("Scaler", domain="ai.onnx.ml", opset=17), "tensorrt", "10.0", gpu=True)
    assert "tensors" in refusal.remedy
    assert "plugin" not in refusal.remedy


def test_a_plugin_of_tensorrt_is_no_refusal() -> None:
    """TensorRT brings plugins by names that end in _TRT, this one since 8.0; TensorRT-RTX does not."""
    wanted: dict[str, Any] = dict.fromkeys(
        ("max_output_boxes", "background_class", "score_activation", "box_coding"), 1
    )
    model = one("EfficientNMS_TRT", domain="TRT", score_threshold=0.5, iou_threshold=0.5, **wanted)
    assert refusals(model, "tensorrt", "8.6", gpu=True) == []
    (absent,) = refusals(model, "tensorrt", "7.2", gpu=True)
    assert absent.operator == "EfficientNMS_TRT"
    assert len(refusals(model, "tensorrt-rtx", "1.7", gpu=True)) == 1


@pytest.mark.parametrize(
    ("operator", "taken", "refused"),
    [("BatchedNMSDynamic_TRT", "7.1 8.6 9.0 10.16", "7.0 11.0"), ("EfficientNMS_TRT", "8.0 11.5", "7.2"),
     ("NMS_TRT", "7.0 10.0", "11.0"), ("ROIAlign_TRT", "8.5 11.1", "8.4"), ("Blorp_TRT", "", "7.0 8.6 11.5"),
     ("TRT_MoE", "11.0", "10.16"), ("DistCollective", "10.16 11.0", "10.15")],
)  # fmt: skip
def test_a_plugin_is_taken_by_the_releases_that_register_it(operator: str, taken: str, refused: str) -> None:
    """Names that end in _TRT are no proof: each has the releases whose library brings it."""
    have = {row.version for row in releases() if row.flavour == "tensorrt" and operator in row.operators}
    assert have >= set(taken.split())
    assert not have & set(refused.split())


@pytest.mark.parametrize(
    ("version", "basis"),
    [
        ("10.10", "source"),
        ("10.15", "source"),
        ("11.0", "source"),
        ("10.12", "derived from both neighbours, 10.10 and 10.13"),
        ("10.14", "derived from both neighbours, 10.13 and 10.15"),
        ("11.1", "derived"),
        ("11.5", "derived"),
    ],
)
def test_a_row_says_of_which_releases_its_function_was_read(version: str, basis: str) -> None:
    """Beyond the parsers that were read as a whole, a row names the releases that were looked up for it.

    One between two that were read is derived from both, one after the last of them is derived from it.
    """
    model = one("ScatterND", [[[0]], [1.0]], opset=16, reduction="add")
    (refusal,) = refusals(model, "tensorrt", version, gpu=True)
    assert f", {basis}: " in refusal.where


def test_resize_with_default_attributes_is_refused_by_7_0_and_the_remedy_is_taken() -> None:
    """Half_pixel and round_prefer_floor are refused; asymmetric and floor with constant scales are taken."""
    (refusal,) = refusals(resize(), "tensorrt", "7.0", gpu=True)
    assert "half_pixel" in refusal.why
    assert "round_prefer_floor" in refusal.why
    assert all(word in refusal.remedy for word in ("asymmetric", "floor", "constant scales", "opset 10"))
    rewritten = resize(coordinate_transformation_mode="asymmetric", nearest_mode="floor")
    assert refusals(rewritten, "tensorrt", "7.0", gpu=True) == []
    assert refusals(resize(opset=10), "tensorrt", "7.0", gpu=True) == []


def test_what_rests_on_another_product_is_said_so() -> None:
    """Of LRN of three axes no parser and no document says anything: TensorRT-RTX was seen to refuse it."""
    answers = ask(inspect(single("LRN", size=3, opset=11, shape=(1, 4, 8))), releases(), gpu=True)
    said = {title(group): basis(group) for group in groups(answers)}
    assert said == {"TensorRT 7.0 - 11.5": "derived from TensorRT-RTX", "TensorRT-RTX 1.4 - 1.7": "measured"}
    assert ", derived from TensorRT-RTX: TensorRT-RTX 1.7" in answers[0].refused[0].where


def test_the_static_checks_of_10_14_were_read() -> None:
    """What they refuse is known of that release itself, though its importers could not be had."""
    (refusal,) = refusals(one("LpNormalization", opset=13, p=3), "tensorrt", "10.14", gpu=True)
    assert ", source: " in refusal.where
