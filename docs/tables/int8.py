"""Which release takes which route of INT8, by the support tables, of models that the commands write."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from docs.tables import markdown
from docs.tables.commands import run
from fixtures.compatibility import Inspection, inspect
from fixtures.compatibility.answers import ask, title
from fixtures.compatibility.tables.releases import Release, releases

CALIBRATORS_END = 11
"""TensorRT's first major version without calibrators; TensorRT-RTX never had any."""


def routes() -> str:
    """Return one row a span of releases that answer alike: cache, Q/DQ, weight-only."""
    rows: list[tuple[str, str, str, str]] = []
    with tempfile.TemporaryDirectory() as folder:
        models = _models(Path(folder))
    for flavour in ("tensorrt", "tensorrt-rtx"):
        chosen = [row for row in releases() if row.flavour == flavour]
        rows += _rows(chosen, models)
    return markdown.table(("", "has calibrators", "Q/DQ", "weight-only"), rows)


def calibration() -> str:
    """Return what the command says that writes a cache, a Q/DQ model and all ranges."""
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder))
        words = ("model.onnx", "--images", "images.npy", "-o", "calibration.cache", "--qdq", "model_qdq.onnx")
        return markdown.code(run("quantization", "calibrate", *words, cwd=folder))


def _rows(chosen: list[Release], models: Mapping[str, Inspection]) -> Iterator[tuple[str, str, str, str]]:
    answers = {route: ask(model, chosen, gpu=True) for route, model in models.items()}
    spans: list[tuple[list[int], tuple[str, str, str]]] = []
    for number, row in enumerate(chosen):
        calibrators = row.flavour == "tensorrt" and int(row.version.split(".")[0]) < CALIBRATORS_END
        cells = (
            "yes" if calibrators else "no",
            answers["qdq"][number].verdict,
            answers["weights"][number].verdict,
        )
        if spans and spans[-1][1] == cells:
            spans[-1][0].append(number)
        else:
            spans.append(([number], cells))
    for numbers, cells in spans:
        group = [answers["qdq"][number] for number in numbers]
        yield (title(group), *cells)


def _models(folder: Path) -> dict[str, Inspection]:
    import onnx

    write(folder)
    run("quantization", "calibrate", "model.onnx", "--images", "images.npy", "--qdq", "qdq.onnx", cwd=folder)
    run("quantization", "weights", "model.onnx", "-o", "weights.onnx", cwd=folder)
    return {name: inspect(onnx.load(folder / f"{name}.onnx")) for name in ("qdq", "weights")}


def write(folder: Path) -> None:
    """Write a network of two convolutions and 32 images."""
    import numpy as np
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    random = np.random.default_rng(0)
    shapes = {"w": (8, 3, 3, 3), "v": (4, 8, 3, 3)}
    tensors = [
        numpy_helper.from_array(random.normal(0, 0.2, shape).astype(np.float32), name)
        for name, shape in shapes.items()
    ]
    nodes = [
        helper.make_node("Conv", ["image", "w"], ["a"], "first", kernel_shape=[3, 3]),
        helper.make_node("Relu", ["a"], ["b"], "relu"),
        helper.make_node("Conv", ["b", "v"], ["scores"], "second", kernel_shape=[3, 3]),
    ]
    ends = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
        for name, shape in (("image", [1, 3, 16, 16]), ("scores", [1, 4, 12, 12]))
    ]
    graph = helper.make_graph(nodes, "net", ends[:1], ends[1:], tensors)
    onnx.save(
        helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8),
        folder / "model.onnx",
    )
    np.save(folder / "images.npy", random.random((32, 3, 16, 16), np.float32))
