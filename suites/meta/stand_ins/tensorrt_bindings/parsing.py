"""What the stand-in's classes do up to the parsed network. Python 3.7."""

from __future__ import annotations

from typing import Any, Dict, List

import onnx
from onnx import shape_inference

from suites.meta.stand_ins.tensorrt_bindings.playing import Played, behaviours, fail, kind_of, shape_of

PLUGINS = {"InstanceNormalization"}  # what the parser makes of it until OnnxParserFlag offers a native one
REGISTERED: List[str] = []
LAYERS = {"QuantizeLinear": "QUANTIZE", "DequantizeLinear": "DEQUANTIZE", "Conv": "CONVOLUTION",
          "Relu": "ACTIVATION", "Gemm": "MATRIX_MULTIPLY"}  # fmt: skip


class ITensor(Played):
    """An input, an output or a tensor between layers."""

    def __init__(self, value: Any) -> None:
        self._value, self._kind = value, kind_of(self._api, value.type.tensor_type.elem_type)

    name = property(lambda self: self._value.name, lambda self, name: setattr(self._value, "name", name))
    dtype = property(lambda self: self._kind, lambda self, kind: setattr(self, "_kind", kind))
    shape = property(lambda self: shape_of(self._value))


class ILayer(Played):
    """One node of the ONNX graph."""

    def __init__(
        self, node: Any, tensors: dict[str, Any], held: dict[str, str], typed: dict[str, str]
    ) -> None:
        self._node, self._tensors, self._held, self._typed = node, tensors, held, typed

    def _hold(self, kind: Any) -> None:
        self._held[self._node.name] = kind.name

    def set_output_type(self, index: int, dtype: Any) -> None:
        """Hold an output to a type."""
        self._api.check(dtype, "DataType")
        self._typed[self._node.output[index]] = dtype.name

    precision = property(lambda self: self._held.get(self._node.name), _hold)
    name = property(lambda self: self._node.name)
    num_inputs = property(lambda self: len(self._node.input))
    num_outputs = property(lambda self: len(self._node.output))

    @property
    def type(self) -> Any:
        """The kind of layer; what the release has no word for is called an identity."""
        word = "LayerType." + LAYERS.get(self._node.op_type, "IDENTITY")
        return self._api.member(word if self._api.has(word) else "LayerType.IDENTITY")

    def get_input(self, index: int) -> Any:
        """Return an input, None for one that is not used and for weights."""
        return self._tensors.get(self._node.input[index])

    def get_output(self, index: int) -> Any:
        """Return an output, None for one that is not used."""
        return self._tensors.get(self._node.output[index])


class INetworkDefinition(Played):
    """What the parser fills: an ONNX model whose shapes are inferred."""

    def __init__(self, flags: int, logger: Any) -> None:
        self._flags, self._logger = flags, logger
        self._tensors: Dict[str, Any] = {}
        self._held: Dict[str, str] = {}
        self._typed: Dict[str, str] = {}
        self._graph = onnx.GraphProto()
        self._data = b""

    num_layers = property(lambda self: len(self._graph.node))
    num_inputs = property(lambda self: len(self._graph.input))
    num_outputs = property(lambda self: len(self._graph.output))

    def get_layer(self, index: int) -> Any:
        """Return a layer."""
        return self._api.make("ILayer", self._graph.node[index], self._tensors, self._held, self._typed)

    def get_input(self, index: int) -> Any:
        """Return an input."""
        return self._tensors[self._graph.input[index].name]

    def get_output(self, index: int) -> Any:
        """Return an output."""
        return self._tensors[self._graph.output[index].name]

    def _is(self, flag: str) -> bool:
        name = "NetworkDefinitionCreationFlag." + flag
        return self._api.has(name) and bool(self._flags >> int(self._api.member(name)) & 1)

    def _fill(self, data: bytes) -> None:
        model = shape_inference.infer_shapes(onnx.load_model_from_string(data))
        self._data, self._graph = data, model.graph
        values = [*model.graph.input, *model.graph.output, *model.graph.value_info]
        self._tensors = {v.name: self._api.make("ITensor", v) for v in values}


class ParserError(Played):
    """Why the parser refused."""

    def __init__(self, text: str, code: str, index: int = -1, node: Any = None) -> None:
        self._text, self._code, self._index, self._node = text, code, index, node

    def desc(self) -> str:
        """The words."""
        return self._text

    def code(self) -> Any:
        """The kind."""
        return self._api.member("ErrorCode." + self._code)

    def node(self) -> int:
        """The node's number."""
        return self._index

    def node_name(self) -> str:
        """The node's name."""
        return self._node.name if self._node else ""

    def node_operator(self) -> str:
        """The node's operator."""
        return self._node.op_type if self._node else ""


class OnnxParser(Played):
    """Takes every operator of ONNX itself, and refuses those of another domain."""

    def __init__(self, network: Any, logger: Any) -> None:
        self._network, self._logger = network, logger
        self._errors: List[Any] = []

    num_errors = property(lambda self: len(self._errors))

    def get_error(self, index: int) -> Any:
        """Return an error."""
        return self._errors[index]

    def parse_from_file(self, path: str) -> bool:
        """Parse a file."""
        with open(path, "rb") as file:
            return self._parse(file.read())

    def parse(self, data: bytes) -> bool:
        """Parse what a file held."""
        return self._parse(data)

    def _parse(self, data: bytes) -> bool:
        implicit = self._api.has("Builder.max_batch_size")
        if implicit and not self._network._is("EXPLICIT_BATCH"):
            return self._refuse("the network must have an explicit batch", "INVALID_GRAPH")
        try:
            model = onnx.load_model_from_string(data)
        except Exception:
            return self._refuse("failed to parse the ONNX model", "MODEL_DESERIALIZE_FAILED")
        for index, node in enumerate(model.graph.node):
            if node.op_type in PLUGINS and not self._api.has("OnnxParserFlag") and not REGISTERED:
                return self._refuse(f"no plugin for {node.op_type}", "UNSUPPORTED_NODE", index, node)
            if node.domain not in ("", "ai.onnx"):
                return self._refuse(f"no importer for {node.op_type}", "UNSUPPORTED_NODE", index, node)
        self._network._fill(data)
        return True

    def _refuse(self, text: str, code: str, *about: Any) -> bool:
        self._errors.append(self._api.make("ParserError", text, code, *about))
        fail(self, text)
        return False


def init_libnvinfer_plugins(logger: Any, namespace: str) -> bool:
    """Register TensorRT's own plugins."""
    REGISTERED.append(namespace)
    return True


BEHAVIOURS = {**behaviours(globals()), "init_libnvinfer_plugins": init_libnvinfer_plugins}
