"""A pruned network goes the whole road, in each framework: ONNX, ONNX Runtime, fp16, engines, INT8."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest

from benchmarks import slimming_models
from benchmarks.slimming_networks import FRAMEWORKS
from fixtures import __main__ as command
from fixtures.pruning.costs import of_onnx
from fixtures.records import Record
from reference_models import registry
from suites.meta.gates.child_runs import run

pytestmark = pytest.mark.slow
if find_spec("torch") is None:
    pytest.skip("torch is not installed; run `tox run -e meta`", allow_module_level=True)

OPSETS = {"convert": {10, 13}, "onnxruntime-parity": {10, 13}, "opset-parity": {13}, "fp16-parity": {13}}
"""Stage that needs neither TensorRT nor a GPU -> opsets that it covers."""
FEWER = """
from dataclasses import replace

WHOLE = MODEL


def few():
    parts = WHOLE.dataset()
    objects = sum(parts["counts"][:60]) if "counts" in parts else 60
    ends = {"images": 60, "counts": 60, "boxes": objects, "labels": objects}
    return {name: array[: ends.get(name)] for name, array in parts.items()}


MODEL = replace(WHOLE, dataset=few)
"""
"""Behind a model file: 60 images to score INT8 on, whose mAP is not looked at."""
SUITES = [f"suites/test_{name}.py" for name in ("convert", "parity", "build", "int8")]


@pytest.mark.parametrize("name", ["digits-yolov3-tiny", "digits-yolov5n", "digits-mobilenet"])
def test_a_pruned_network_goes_the_whole_road(name: str, tmp_path: Path) -> None:
    """Its model file is a run's like any other, and smaller than the dense network.

    It is not fine-tuned: what INT8 keeps of a mAP near 0 says nothing; what it does to outputs does.
    """
    framework = FRAMEWORKS[registry.models()[name].framework]
    dense, small = (framework.files(tmp_path, which) for which in ("dense", "pruned"))
    framework.dense(name, dense)
    words = ["--ratio", "0.5", "--round", "8", "-q", "-o", str(small.network)]
    assert command.main(["prune", framework.name, *map(str, dense.words), *framework.input, *words]) == 0
    costs = [of_onnx(framework.graph(network, name)) for network in (dense, small)]
    assert costs[1].macs < 0.8 * costs[0].macs
    file = slimming_models.write(name, tmp_path, "pruned")
    file.write_text(file.read_text() + FEWER)
    done = run(tmp_path / "artifacts", *SUITES, f"--model={file}", "--opset=10,13", "--support=none")
    assert {one.model["name"] for one in done.records} == {f"{name}-slim"}
    red = [one for one in done.records if one.verdict not in ("passed", "not-run") and not kept(one)]
    assert [one.message for one in red] == []
    passed = {(one.stage, one.opset) for one in done.records if one.verdict == "passed"}
    wanted = {(stage, opset) for stage, opsets in OPSETS.items() for opset in opsets}
    if find_spec("tensorrt_rtx"):
        wanted |= {("tensorrt-build", 10), ("tensorrt-build", 13)}
        built = {one.route for one in done.records if one.stage == "tensorrt-build"}
        assert built >= {"qdq", "weight-only"}
    assert wanted <= passed
    quantized = {one.route for one in done.records if one.stage == "int8-accuracy" and kept(one)}
    assert quantized == {"qdq", "weight-only"}


def kept(record: Record) -> bool:
    """Return whether a record is of INT8 whose outputs and tensors are within limits."""
    ends = (" relative_l2", " own_sqnr")
    judged = [metric for name, metric in record.metrics.items() if name.endswith(ends)]
    return record.stage == "int8-accuracy" and bool(judged) and all(metric.within for metric in judged)
