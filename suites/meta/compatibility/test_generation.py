"""Which operators of exported language models are written out, and what is said of the others."""

import pytest
from onnx import ModelProto

from fixtures.compatibility import inspect, refusals
from fixtures.compatibility.check import generation, microsoft
from suites.meta.networks import generation_models
from suites.meta.networks.generation_models import GROUPED, KEPT, PACKED, ROTATED
from suites.meta.networks.rewrite_models import fixed, release

ALL = {**GROUPED, **ROTATED, **PACKED}


@pytest.mark.parametrize("name", [name for name, (label, _) in ALL.items() if label[:3] == "trt"])
def test_the_remedy_names_the_command(name: str) -> None:
    """The node is refused, and the command writes it."""
    label, model = ALL[name]
    row = release(label)
    found = [one for one in refusals(model, row.flavour, row.version, gpu=True) if one.node == "node"]
    assert any("the command fix" in one.remedy for one in found)


@pytest.mark.parametrize("name", KEPT)
def test_what_is_not_written_is_to_be_exported(name: str) -> None:
    """The remedy names no command, which leaves the node as it is."""
    model = KEPT[name]
    node = model.graph.node[0]
    found = next(
        one
        for one in refusals(model, "tensorrt", "10.1", gpu=True)
        if one.operator == node.op_type and "operator" in one.why
    )
    assert found.remedy.startswith("export it")
    assert "the command fix" not in found.remedy
    assert node.op_type in {left.operator for left in fixed(model, "trt10.1").remaining}


@pytest.mark.parametrize(
    ("model", "whether"),
    [
        (generation_models.grouped(1, 3), False),
        (generation_models.grouped(1, 3, buffer=10), True),
        (generation_models.grouped("new", "past", "batch", lengths=[3]), False),
        (generation_models.grouped(), False),
    ],
)
def test_a_cache_that_stays_as_long_is_known(model: ModelProto, whether: bool) -> None:
    """By its lengths before and after."""
    (node,) = inspect(model).nodes["GroupQueryAttention"]
    assert generation.shared(node) is whether


@pytest.mark.parametrize(
    "attribute", [{"softcap": 1.0, "k_quant_type": "PER_TENSOR"}, {"local_window_size": 0}]
)
def test_what_asks_for_more_is_not_written(attribute: dict[str, object]) -> None:
    """A quantized cache, and a window of nothing."""
    (node,) = inspect(generation_models.grouped(**attribute)).nodes["GroupQueryAttention"]  # type: ignore[arg-type]
    assert not generation.grouped(node)
    assert microsoft.way(node) == microsoft.ELSE["GroupQueryAttention"]
