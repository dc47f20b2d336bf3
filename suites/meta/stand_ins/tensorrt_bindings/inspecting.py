"""What the stand-in's classes do with an engine beside running it: inspector, refitters. Python 3.7."""

from __future__ import annotations

import json
from typing import Any, Dict, List

from onnx import TensorProto

from suites.meta.stand_ins.tensorrt_bindings.playing import Played, behaviours, fail

ORIGIN = "[ONNX Layer: ]"
"""What 8.6.0 writes as a control character, as it is, in what should be JSON (seen on an H200)."""
UNTOLD = "N/A due to dynamic shapes"
TYPES = {"FLOAT": "Float", "FLOAT16": "Half", "HALF": "Half", "INT8": "Int8"}
"""ONNX's and TensorRT's name of a type -> the inspector's; any other is Int32."""


def types(plan: Any) -> Dict[str, str]:
    """Return the inspector's name of the type of each tensor of a plan."""
    graph = plan.model.graph
    elements = {v.name: v.type.tensor_type.elem_type for v in [*plan.values(), *graph.value_info]}
    elements.update({tensor.name: tensor.data_type for tensor in graph.initializer})
    return {name: TYPES.get(TensorProto.DataType.Name(kind), "Int32") for name, kind in elements.items()}


def layer(node: Any, held: Dict[str, str], kinds: Dict[str, str]) -> Dict[str, Any]:
    """Return what the inspector tells of a node: in the precision that it is held to, else as it is typed."""

    def tensors(names: Any) -> List[Dict[str, str]]:
        own = TYPES[held[node.name]] if node.name in held else ""
        return [{"Name": name, "Datatype": own or kinds.get(name, "Float")} for name in names]

    return {
        "Name": node.name, "LayerType": node.op_type, "Metadata": f"{ORIGIN}{node.name}",
        "Inputs": tensors(node.input), "Outputs": tensors(node.output),
    }  # fmt: skip


def untold(row: Dict[str, Any]) -> Dict[str, Any]:
    """Return a layer of a dynamic engine, as TensorRT 8 tells it: no type but that of the weights."""
    told: Dict[str, Any] = {"Name": row["Name"], "LayerType": row["LayerType"], "Metadata": row["Metadata"]}
    for key in ("Inputs", "Outputs"):
        told[key] = [{"Name": one["Name"], "Format/Datatype": UNTOLD} for one in row[key]]
    if row["LayerType"] in ("Conv", "Gemm", "MatMul"):
        told["Weights"] = {"Type": row["Inputs"][0]["Datatype"], "Count": 9}
    return told


class EngineInspector(Played):
    """Tells of the layers: in detail where the engine was built so, by name elsewhere."""

    def __init__(self, engine: Any) -> None:
        self._engine = engine

    def get_engine_information(self, format: Any) -> str:  # noqa: A002
        """Return a text that is JSON where that was asked for."""
        self._api.check(format, "LayerInformationFormat")
        plan, api = self._engine._plan, self._api
        rows: list[Any] = [
            layer(node, plan.about.get("held", {}), types(plan)) for node in plan.model.graph.node
        ]
        if api.release.version.startswith("8.") and any(
            -1 in self._engine.get_tensor_shape(name) for name in self._engine._io
        ):
            rows = [untold(row) for row in rows]
        if plan.about.get("profiling_verbosity") != "ProfilingVerbosity.DETAILED":
            rows = [row["Name"] for row in rows]
        key = "Bindings" if api.has("ITensor.dynamic_range") else "I/O Tensors"
        about = {"Layers": rows, key: list(self._engine._io)}
        text = (
            json.dumps(about).replace(ORIGIN, "\x1f")
            if api.release.version.startswith("8.6")
            else json.dumps(about)
        )
        return text if format == api.member("LayerInformationFormat.JSON") else str(about)


class Refitter(Played):
    """Gives an engine that was built for it new weights."""

    def __init__(self, engine: Any, logger: Any) -> None:
        if not engine.refittable:
            raise TypeError("pybind11::init(): factory function returned nullptr")
        self._engine, self._logger, self._data = engine, logger, b""

    def get_all_weights(self) -> list[str]:
        """Name every weight."""
        return [tensor.name for tensor in self._engine._plan.model.graph.initializer]

    def get_missing_weights(self) -> list[str]:
        """Name the weights that are still wanted."""
        return [] if self._data else self.get_all_weights()

    def refit_cuda_engine(self) -> bool:
        """Put the new weights into the engine."""
        if not self._data:
            fail(self, "no weights were given")
            return False
        self._engine._plan.load(self._data)
        return True


class OnnxParserRefitter(Played):
    """Takes the new weights from an ONNX model."""

    def __init__(self, refitter: Any, logger: Any) -> None:
        self._refitter, self._logger = refitter, logger

    num_errors = property(lambda self: 0)

    def refit_from_file(self, model_file: str) -> bool:
        """Take them from a file."""
        with open(model_file, "rb") as file:
            self._refitter._data = file.read()
        return True


BEHAVIOURS = behaviours(globals())
