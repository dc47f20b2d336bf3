"""Loop: outputs gathered without a trip count, and a condition that the body computes."""

import numpy as np
import pytest
from onnx import ModelProto, TensorProto, helper

from fixtures.compatibility import by_label
from fixtures.compatibility.answers import ask
from fixtures.compatibility.check.inspection import inspect
from fixtures.compatibility.specimens.sketch import Sketch

INT32, INT64 = (int(np.iinfo(kind).max) for kind in (np.int32, np.int64))


def loop(trips: int | str | None, *, gathers: bool = True, ends: str = "Less") -> ModelProto:
    """Make a Loop that adds to its input. trips: its trip count; ends: what makes its condition."""
    sketch = Sketch(13)
    x = sketch.feed("FLOAT", 1)
    count = (
        "" if trips is None else sketch.feed("INT64") if trips == "fed" else sketch.constant(np.array(trips))
    )
    one, bound = sketch.constant(1.0, "FLOAT"), sketch.constant(3.0, "FLOAT")
    nodes = [helper.make_node("Add", ["s", one], ["more"]), helper.make_node("Identity", ["more"], ["seen"])]
    nodes.append(helper.make_node(ends, ["more", bound] if ends == "Less" else ["go"], ["on"]))
    kinds = {"i": TensorProto.INT64, "go": TensorProto.BOOL, "on": TensorProto.BOOL}
    infos = {
        name: helper.make_tensor_value_info(name, kinds.get(name, TensorProto.FLOAT), shape)
        for name, shape in (("i", []), ("go", []), ("s", [1]), ("on", None), ("more", [1]), ("seen", [1]))
    }
    outputs = [infos["on"], infos["more"], *([infos["seen"]] if gathers else [])]
    body = helper.make_graph(nodes, "body", [infos[name] for name in ("i", "go", "s")], outputs)
    sketch.end(
        "Loop", count, sketch.constant(np.array(True)), x, outputs=2 if gathers else 1, body=body, rank=1
    )
    return sketch.model()


@pytest.mark.parametrize(
    ("model", "label", "verdict"),
    [(loop(None), "trt7.1", "taken, but wrong"), (loop(None), "trt8.4", "taken, but wrong"),
     (loop(None), "trt10.10", "taken, but wrong"), (loop(None), "rtx1.7", "refused"),
     (loop(INT32), "trt8.4", "taken"), (loop(INT32), "trt8.5", "taken, but wrong"),
     (loop(INT64), "rtx1.5", "refused"), (loop(5), "rtx1.7", "taken"), (loop("fed"), "trt8.6", "taken"),
     (loop(5), "trt8.6", "taken"), (loop(None, gathers=False), "trt8.6", "taken"),
     (loop(None, gathers=False), "rtx1.7", "taken"), (loop(5), "trt7.2", "taken, but wrong"),
     (loop(5, ends="Identity"), "trt7.2", "taken"), (loop(5), "trt8.0", "taken")],
)  # fmt: skip
def test_a_loop_is_as_its_parser_reads_it(model: ModelProto, label: str, verdict: str) -> None:
    """Without a trip count what is gathered has a length of its own; 7.x goes on by the first condition."""
    row = by_label(label)
    assert row is not None
    (answer,) = ask(inspect(model), [row], gpu=True)
    assert answer.verdict.replace("undocumented", "taken") == verdict, answer.reasons
