"""The option ``--calibrator``: each has its own entry in the store, its own record and its own row."""

from collections.abc import Callable
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import onnx
import pytest

from fixtures.pipeline.pipeline import OnnxModel
from fixtures.quantization import graph
from fixtures.quantization.errors import QuantizationError
from fixtures.report.matrix import row_of
from fixtures.verdicts import Unsupported
from suites.meta.gates.child_runs import pipeline, run

MISSING = [name for name in ("torch", "sklearn") if find_spec(name) is None]
pytestmark = pytest.mark.skipif(bool(MISSING), reason=f"not installed: {', '.join(MISSING)}")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with the digit classifier at opset 13."""
    folder = tmp_path_factory.mktemp("made") / "artifacts"
    pipeline(folder).onnx_model("digits", "torchscript", 13)
    return folder


@pytest.fixture(scope="module")
def quantized(store: Path) -> Callable[..., OnnxModel]:
    """Return the digit classifier in INT8, by route and calibrator."""

    def made(*how: str) -> OnnxModel:
        way = pipeline(store)
        return way.to_int8("digits", way.onnx_model("digits", "torchscript", 13), *how)

    return made


def test_each_calibrator_is_kept_apart(quantized: Callable[..., OnnxModel]) -> None:
    """Under its own key, with its own scales, named in the title; weights alone have no calibrator."""
    made = {name: quantized("qdq", name) for name in ("minmax", "entropy", "percentile", "mse")}
    assert len({model.digest for model in made.values()}) == 4
    assert quantized("qdq", "entropy") == made["entropy"]
    assert made["mse"].title.endswith("-qdq-mse")
    assert all(graph.violations(onnx.load(model.path)) == [] for model in made.values())
    assert quantized("weight-only", "mse") == quantized("weight-only", "")


def test_heads_of_a_detector_stay_in_float(store: Path) -> None:
    """Both last convolutions of one read what no pair has rounded, weights too; the others read pairs."""
    way, name = pipeline(store), "digits-yolov3-tiny"
    model = onnx.load(way.to_int8(name, way.onnx_model(name, "darknet", 13), "qdq").path)
    rounded = {value for n in model.graph.node if n.op_type == "DequantizeLinear" for value in n.output}
    convolutions = [n for n in model.graph.node if n.op_type == "Conv"]
    kept = [n.name for n in convolutions if not rounded & set(n.input[:2])]
    assert kept == ["yolo_14", "yolo_21"]
    assert all(set(n.input[:2]) <= rounded for n in convolutions if n.name not in kept)


def test_a_builder_keeps_the_same_layers_in_float(store: Path) -> None:
    """Heads and what entropy cuts short, on either route of a builder and by qdq, told in the same words."""
    way, name = pipeline(store), "digits-yolov3-tiny"
    model = way.onnx_model(name, "darknet", 13)
    told = way.to_int8(name, model, "qdq", "entropy").about["in_float"]
    assert told == [
        "stay in float, heads of a detector: yolo_14, yolo_21",
        "stay in float, entropy cuts short what they read: layer_1, layer_2.conv",
    ]
    for route in ("calibrator", "cache"):
        by = way.builder_calibration(name, model, route, "entropy", "8.6.0")
        assert [*by.told] == told
        assert [*by.in_float] == ["layer_1", "layer_2.conv", "yolo_14", "yolo_21"]
    named = way.builder_calibration(name, model, "cache", "minmax", "8.6.0", ["layer_4.conv"])
    assert [*named.in_float] == ["layer_4.conv", "yolo_14", "yolo_21"]


@pytest.mark.parametrize("batch", ["8", "32", "dynamic"])
@pytest.mark.parametrize(
    ("name", "converter"), [("digits", "torchscript"), ("digits-yolov3-tiny", "darknet")]
)
def test_a_batch_has_the_scales_of_one_sample(store: Path, name: str, converter: str, batch: str) -> None:
    """Those whose accuracy is judged, by both routes of a file and in a cache; and the same float layers."""
    way = pipeline(store)
    single, batched = (way.onnx_model(name, converter, 13, size) for size in ("1", batch))
    for route in ("qdq", "weight-only"):
        one, many = (way.to_int8(name, model, route, "mse", single=single) for model in (single, batched))
        assert one.digest != many.digest
        assert one.about.get("in_float") == many.about.get("in_float")
        assert _numbers(one.path) == _numbers(many.path)
    told, again = (
        way.builder_calibration(name, model, "cache", "entropy", "8.6.0", single=single)
        for model in (single, batched)
    )
    assert (told.cache, told.in_float) == (again.cache, again.in_float)


def _numbers(file: Path) -> dict[str, bytes]:
    """Every constant of a model that a pair reads: scales, zero points and int8 weights."""
    model = onnx.load(file)
    pairs = [node for node in model.graph.node if node.op_type in ("QuantizeLinear", "DequantizeLinear")]
    read = {name for node in pairs for name in node.input}
    return {tensor.name: tensor.raw_data for tensor in model.graph.initializer if tensor.name in read}


def test_each_step_of_a_calibrator_fills_the_batch(store: Path) -> None:
    """Images in their order, eight a step; where they run out, the first ones come again."""
    way = pipeline(store)
    model, single = (way.onnx_model("digits", "torchscript", 13, batch) for batch in ("8", "1"))
    images = np.concatenate([sample["image"] for sample in way.calibration("digits")])
    own = way.builder_calibration("digits", model, "calibrator", "entropy", "8.6.0", single=single, size=7)
    steps = own.samples["image"].reshape(-1, 7, *images.shape[1:])
    filled = np.concatenate([images, images])[: 7 * len(steps)]
    assert len(images) < 7 * len(steps) < len(images) + 7
    assert np.array_equal(steps.reshape(filled.shape), filled)
    ours = way.builder_calibration("digits", model, "cache", "mse", "8.6.0", single=single, size=8)
    assert ours.samples["image"].shape == (1, 8 * images[0].size)


def test_a_batch_with_other_tensors_is_refused(store: Path) -> None:
    """Not calibrated by itself, where scales would be others than those that are judged."""
    way = pipeline(store)
    other = way.onnx_model("digits-yolov3-tiny", "darknet", 13)
    with pytest.raises(QuantizationError, match="ONNX Runtime refuses"):
        way.to_int8("digits", way.onnx_model("digits", "torchscript", 13, "8"), "qdq", single=other)


def test_the_record_names_the_calibrator(store: Path) -> None:
    """In its field, in the rerun command, in its row and in its key, which is not that of the usual one."""
    chosen = ("suites/test_int8.py", "--model=digits", "--opset=13", "-m", "not tensorrt", "--require=none")
    ended = run(store, *chosen, "--calibrator=entropy")
    assert ended.code == 0, ended.output
    found = {record.route: record for record in ended.records}
    qdq, weights = found["qdq"], found["weight-only"]
    assert (qdq.calibrator, weights.calibrator) == ("entropy", "")
    assert "--calibrator=entropy" in qdq.rerun
    assert row_of(qdq) == "digits torchscript int8 qdq entropy"
    assert qdq.key != replace(qdq, calibrator="minmax").key == replace(qdq, calibrator="").key


def test_what_a_builder_calibrates_by(store: Path) -> None:
    """TensorRT's own calibrator sees every image; a cache of ours needs none, and has any of our methods."""
    way = pipeline(store)
    model = way.onnx_model("digits", "torchscript", 13)
    own = way.builder_calibration("digits", model, "calibrator", "entropy", "8.6.0")
    ours = way.builder_calibration("digits", model, "cache", "mse", "8.6.0")
    assert (own.method, own.cache, ours.method) == ("entropy", "", "entropy")
    assert len(own.samples["image"]) == len(way.calibration("digits")) > len(ours.samples["image"]) == 1
    assert ours.cache.startswith("TRT-8600-EntropyCalibration2\n")
    with pytest.raises(Unsupported, match="no calibrator mse"):
        way.builder_calibration("digits", model, "calibrator", "mse", "8.6.0")
