"""The fewest layers are kept in fp32 that make a lower precision good, and the graph with them is valid."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from fixtures.quantization import fp16, qdq
from fixtures.triage.graph import Graph
from fixtures.triage.precision import Kept, keep
from fixtures.triage.runs import Counter, InOnnxRuntime
from fixtures.triage.search import Question
from fixtures.triage.sources import values_of
from fixtures.triage.subject import Subject
from fixtures.triage.triage import triage
from fixtures.triage.wording import Found, lines
from fixtures.verdicts import Hop
from suites.meta.networks import quantizable
from suites.meta.triage.graphs import FEED, model


def looked_at(
    low: Path, exact: Path, limit: float, folder: Path, hop: Hop, feed: dict[str, np.ndarray]
) -> Found:
    """Triage a graph of a lower precision against the exact one."""
    graph, right = Graph.load(low), Graph.load(exact)
    run = InOnnxRuntime(graph.folder, rounding=hop == "fp16")
    question = Question(graph, run, feed, values_of(right, graph, feed), limit, rounded=True)
    return triage(Subject("x", hop, question, "fp32", exact=right, counter=Counter(12)), folder)


def kept(found: Found) -> Kept:
    """Return what stays in fp32."""
    assert found.kept is not None
    return found.kept


def overflowing() -> onnx.ModelProto:
    """A Pow whose result is beyond fp16 and comes back, among layers that fp16 does no harm."""
    nodes = [
        helper.make_node("Mul", ["x", "hundred"], ["large"], "scale"),
        helper.make_node("Mul", ["large", "large"], ["square"], "square"),
        helper.make_node("Sqrt", ["square"], ["back"], "root"),
        helper.make_node("Tanh", ["x"], ["other"], "harmless"),
        helper.make_node("Div", ["back", "hundred"], ["small"], "unscale"),
        helper.make_node("Add", ["small", "other"], ["y"], "sum"),
    ]
    made = model(nodes, ["y"], {"hundred": np.array(300, np.float32)})
    made.graph.output[0].CopyFrom(helper.make_tensor_value_info("y", TensorProto.FLOAT, [2, 6]))
    return made


@pytest.fixture(scope="module")
def overflow(tmp_path_factory: pytest.TempPathFactory) -> Found:
    """The graph in fp16, whose square is infinite."""
    folder = tmp_path_factory.mktemp("fp16")
    onnx.save(overflowing(), folder / "m.onnx")
    fp16.convert(folder / "m.onnx", folder / "half.onnx")
    return looked_at(folder / "half.onnx", folder / "m.onnx", 1e-2, folder / "out", "fp16", FEED)


def test_the_layer_that_overflows_is_named_and_kept(overflow: Found) -> None:
    """The square and the root of it, since between them the value must not be rounded."""
    assert overflow.answer.tensor == "square"
    assert overflow.answer.error == np.inf
    assert set(kept(overflow).tensors) == {"square", "back"}
    assert kept(overflow).before == np.inf
    assert kept(overflow).after < 2e-3
    assert kept(overflow).enough


def test_the_script_shows_the_overflow(overflow: Found) -> None:
    """What should come out is kept in float32, which can hold it."""
    done = subprocess.run(
        [sys.executable, "-I", "reproduce.py"],
        cwd=overflow.folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, "square: relative L2 inf" in done.stdout) == (1, True), done.stderr


def test_the_graph_with_them_in_fp32_is_written_and_is_what_was_measured(overflow: Found) -> None:
    """It is valid, has Casts, takes and gives float32, and computes what is said of it."""
    path = overflow.folder / "kept.onnx"
    onnx.checker.check_model(path, full_check=True)
    graph = Graph.load(path)
    by_output = {node.output[0]: node.op_type for node in graph.nodes}
    assert [*by_output.values()].count("Cast") >= 2
    right = overflow.subject.question.reference["y"]
    got = overflow.subject.question.run(graph.model, FEED)["y"]
    assert got.dtype == np.float32
    assert np.linalg.norm(got - right) / np.linalg.norm(right) == pytest.approx(kept(overflow).after)
    text = "\n".join(lines(overflow))
    assert "layers to keep in fp32 (2): " in text
    assert "relative L2 of the outputs: inf, with these in fp32" in text


def test_a_layer_with_a_wrong_scale_stays_in_float(tmp_path: Path) -> None:
    """Of a quantized network: the one that reads the spoilt tensor, and no other."""
    exact, low = quantizable.saved(tmp_path), tmp_path / "low.onnx"
    qdq.quantize(exact, low, quantizable.images(20), per_channel=True)
    spoilt = onnx.load(low)
    (scale,) = (tensor for tensor in spoilt.graph.initializer if tensor.name == "r0.scale")
    scale.CopyFrom(numpy_helper.from_array(np.float32(20) * numpy_helper.to_array(scale), scale.name))
    onnx.save(spoilt, low)
    feed = quantizable.images(1, seed=5)[0]
    found = looked_at(low, exact, 0.1, tmp_path / "out", "calibration", feed)
    readers = {node.output[0] for node in spoilt.graph.node if "r0.float" in node.input}
    assert found.answer.tensor in readers
    assert set(kept(found).tensors) <= readers
    assert kept(found).enough
    assert kept(found).after <= 0.1 < kept(found).before


def test_where_only_all_layers_are_enough_all_are_kept(tmp_path: Path) -> None:
    """A limit that no rounding keeps leaves nothing in fp16."""
    onnx.save(overflowing(), tmp_path / "m.onnx")
    fp16.convert(tmp_path / "m.onnx", tmp_path / "half.onnx")
    found = looked_at(tmp_path / "half.onnx", tmp_path / "m.onnx", 1e-12, tmp_path / "out", "fp16", FEED)
    assert set(kept(found).tensors) == set(found.subject.question.known())
    assert kept(found).after == 0


def test_what_comes_nearest_is_kept_where_the_runs_are_spent(overflow: Found) -> None:
    """And that it is not enough is said."""
    subject, answer = overflow.subject, overflow.answer
    assert subject.exact is not None
    nearest = keep(subject.question, subject.exact, answer.own, answer.types, lambda _: False, Counter(4))
    assert not nearest.enough
    assert nearest.after < nearest.before
    told = "\n".join(lines(replace(overflow, kept=nearest)))
    assert "not below the 0.01 allowed" in told


def test_a_chain_in_fp16_is_rounded_at_every_step(overflow: Found) -> None:
    """ONNX Runtime by itself rounds nothing in this one, and its infinite square comes back."""
    question = overflow.subject.question
    plain = InOnnxRuntime(question.graph.folder)(question.graph.model, FEED)["y"]
    assert np.isfinite(plain).all()
    assert not np.isfinite(question.run(question.graph.model, FEED)["y"]).all()
