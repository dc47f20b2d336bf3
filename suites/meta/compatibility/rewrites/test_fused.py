"""What ONNX Runtime's optimizer fused is written out: equal, taken, and said only where it is."""

import pytest
from onnx import ModelProto, TensorProto

from fixtures.compatibility import inspect, refusals
from fixtures.compatibility.check import attention, microsoft
from fixtures.compatibility.rewrites import fused
from suites.meta.networks.fused_models import ATTENTION, FUSED, KEPT_AS_THEY_ARE
from suites.meta.networks.generation_models import GROUPED, PACKED, ROTATED
from suites.meta.networks.rewrite_models import assert_equal, fixed, release

COMMAND = "as the command fix does"


@pytest.mark.parametrize(("version", "model"), [*ATTENTION, *FUSED])
def test_what_is_written_out_is_equal_and_taken(version: str, model: ModelProto) -> None:
    """The remedy of the release names the command, which writes operators of ONNX that it takes."""
    row = release(version)
    (refusal, *_) = refusals(model, row.flavour, row.version, gpu=True)
    assert COMMAND in refusal.remedy
    done = fixed(model, version)
    assert done.good
    assert {node.domain for node in done.model.graph.node} == {""}
    assert_equal(model, done.model)


@pytest.mark.parametrize("model", KEPT_AS_THEY_ARE)
def test_what_is_not_written_out_is_to_be_exported(model: ModelProto) -> None:
    """The remedy does not name the command, which leaves the node as it is."""
    (refusal,) = refusals(model, "tensorrt", "10.1", gpu=True)
    assert COMMAND not in refusal.remedy
    assert refusal.remedy.startswith("export it")
    assert [left.operator for left in fixed(model, "trt10.1").remaining] == [refusal.operator]


def test_every_form_has_a_way_and_an_example() -> None:
    """Operators of which a remedy may name the command are those of the rewrites, and each is tried."""
    assert set(microsoft.FORMS) == {*fused.WAYS, *attention.WRITTEN, *microsoft.ELSE}
    others = [*GROUPED.values(), *ROTATED.values(), *PACKED.values()]
    tried = {node.op_type for _, model in [*ATTENTION, *FUSED, *others] for node in model.graph.node}
    assert tried == set(microsoft.FORMS)


def test_a_mask_of_another_type_is_not_written_out() -> None:
    """Only INT32, as ONNX Runtime takes it."""
    model = ModelProto.FromString(ATTENTION[1][1].SerializeToString())
    mask = next(tensor for tensor in model.graph.initializer if tensor.name == "m")
    mask.data_type = TensorProto.INT64
    (node,) = inspect(model).nodes["Attention"]
    assert not attention.written_out(node)


def test_a_planted_error_is_seen() -> None:
    """A mask of the other keys gives other numbers, and so does an order that is turned."""
    done = fixed(ATTENTION[1][1], "trt8.6").model
    mask = next(tensor for tensor in done.graph.initializer if tensor.name == "m")
    values = [1 - value for value in mask.int32_data]
    del mask.int32_data[:]
    mask.int32_data.extend(values)
    with pytest.raises(AssertionError, match="Mismatched elements"):
        assert_equal(ATTENTION[1][1], done)
