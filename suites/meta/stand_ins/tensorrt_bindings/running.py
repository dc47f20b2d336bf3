"""What the stand-in's classes do from the plan on: runtime, engine, context. Python 3.7.

An inference is ONNX Runtime's on what lies at the addresses given, so outputs say that the flow is
right: names, shapes, dtypes, order, memory. They say nothing of TensorRT's numbers.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnx
from onnx import shape_inference

from suites.meta.stand_ins.tensorrt_bindings import cuda
from suites.meta.stand_ins.tensorrt_bindings.playing import MAGIC, Played, behaviours, fail, kind_of, shape_of

DTYPES = {
    1: "float32",
    2: "uint8",
    3: "int8",
    6: "int32",
    7: "int64",
    9: "bool",
    10: "float16",
    11: "float64",
}
NARROW = {"int64": "int32", "float64": "float32"}
STORED = {"DataType.INT32": "int32", "DataType.FLOAT": "float32"}
"""TensorRT's type -> how its values lie in memory, whatever the model has."""


class Plan:
    """What a plan says, and the model in it."""

    def __init__(self, data: bytes) -> None:
        text, _, self.data = data[len(MAGIC) :].partition(b"\n")
        self.about: dict[str, Any] = json.loads(text.decode())
        self.load(self.data)

    def load(self, data: bytes) -> None:
        """Take a model, at first or as the new weights of a refit."""
        self.model = shape_inference.infer_shapes(onnx.load_model_from_string(data))
        self.model_bytes = data
        self._session: Any = None

    def values(self) -> list[Any]:
        """Return the inputs, then the outputs."""
        return [*self.model.graph.input, *self.model.graph.output]

    def inference(self, feed: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Run ONNX Runtime, on one thread: several workers wait for the same cores."""
        import onnxruntime

        if self._session is None:
            options, providers = onnxruntime.SessionOptions(), ["CPUExecutionProvider"]
            options.intra_op_num_threads = 1
            self._session = onnxruntime.InferenceSession(self.model_bytes, options, providers=providers)
        names = [value.name for value in self.model.graph.output]
        return dict(zip(names, self._session.run(names, dict(feed))))


class Runtime(Played):
    """Makes engines of plans of its own release, and of version-compatible ones of the release before."""

    def __init__(self, logger: Any) -> None:
        self._logger, self._host_code = logger, False

    def _allow(self, allowed: bool) -> None:
        self._host_code = allowed

    engine_host_code_allowed = property(lambda self: self._host_code, _allow)

    def deserialize_cuda_engine(self, serialized_engine: bytes) -> Any:
        """Return an engine, None on refusal."""
        data = bytes(memoryview(serialized_engine))
        try:
            plan = Plan(data)
        except Exception:
            return fail(self, "the engine plan file is corrupt")
        mine, its = self._version, plan.about["version"]
        compatible = "VERSION_COMPATIBLE" in plan.about["flags"] and self._host_code
        near = int(mine.split(".")[0]) - int(its.split(".")[0]) in (0, 1)
        if mine != its and not (compatible and near):
            return fail(self, f"the engine plan file is not compatible with this version {mine}: {its}")
        return self._api.make("ICudaEngine", data, self._logger)


class ISerializationConfig(Played):
    """Whether weights are left out, as they are at first."""

    def __init__(self) -> None:
        self._stripped = True

    def clear_flag(self, flag: Any) -> bool:
        """Let a part go in."""
        self._api.check(flag, "SerializationFlag")
        self._stripped = self._stripped and flag.name != "EXCLUDE_WEIGHTS"
        return True


class ICudaEngine(Played):
    """An engine, asked by tensors' names or by bindings' numbers."""

    def __init__(self, data: bytes, logger: Any) -> None:
        self._data, self._logger, self._plan = data, logger, Plan(data)
        self._io = {value.name: value for value in self._plan.values()}
        self._inputs = {value.name for value in self._plan.model.graph.input}

    num_io_tensors = property(lambda self: len(self._io))
    num_bindings = property(lambda self: len(self._io))
    num_layers = property(lambda self: len(self._plan.model.graph.node))
    num_optimization_profiles = property(lambda self: 1)
    device_memory_size = property(lambda self: 4096)
    device_memory_size_v2 = property(lambda self: 4096)
    name = property(lambda self: "stand-in")
    refittable = property(lambda self: any("REFIT" in flag for flag in self._plan.about["flags"]))

    def serialize(self) -> Any:
        """Return the plan."""
        return self._api.make("IHostMemory", self._data)

    def create_serialization_config(self) -> Any:
        """Make what says how the engine is serialized."""
        return self._api.make("ISerializationConfig")

    def serialize_with_config(self, config: Any) -> Any:
        """Return the plan with the weights that the engine has now."""
        head = MAGIC + json.dumps(self._plan.about).encode() + b"\n"
        return self._api.make("IHostMemory", head if config._stripped else head + self._plan.model_bytes)

    def create_execution_context(self, *_: Any) -> Any:
        """Make a context."""
        return self._api.make("IExecutionContext", self)

    def create_engine_inspector(self) -> Any:
        """Make an inspector."""
        return self._api.make("EngineInspector", self)

    def _name(self, index: int) -> str:
        return list(self._io)[index]

    def _shape(self, name: str) -> tuple[int, ...]:
        return shape_of(self._io[name])

    def _dtype(self, name: str) -> Any:
        return kind_of(self._api, self._io[name].type.tensor_type.elem_type)

    def _is_input(self, name: str) -> bool:
        return name in self._inputs

    def _mode(self, name: str) -> Any:
        return self._api.member("TensorIOMode." + ("INPUT" if self._is_input(name) else "OUTPUT"))

    def _range(self, name: str) -> list[tuple[int, ...]]:
        return [tuple(shape) for shape in self._plan.about["shapes"].get(name, [self._shape(name)] * 3)]

    get_tensor_name, get_tensor_shape, get_tensor_dtype = _name, _shape, _dtype
    get_tensor_mode, get_binding_name = _mode, _name

    def get_binding_index(self, name: str) -> int:
        """Return a binding's number, -1 for an unknown name."""
        return list(self._io).index(name) if name in self._io else -1

    def get_binding_shape(self, index: int) -> tuple[int, ...]:
        """Return a binding's shape."""
        return self._shape(self._name(index))

    def get_binding_dtype(self, index: int) -> Any:
        """Return a binding's dtype."""
        return self._dtype(self._name(index))

    def binding_is_input(self, index: int) -> bool:
        """Say whether a binding is an input."""
        return self._is_input(self._name(index))

    def get_tensor_profile_shape(self, name: str, profile_index: int) -> list[tuple[int, ...]]:
        """Return the range of an input's shapes."""
        return self._range(name)

    def get_profile_shape(self, profile_index: int, binding: Any) -> list[tuple[int, ...]]:
        """Return the range of an input's shapes, by number or by name."""
        return self._range(binding if isinstance(binding, str) else self._name(binding))


class IExecutionContext(Played):
    """Shapes, addresses, and one inference."""

    def __init__(self, engine: Any) -> None:
        self._engine, self._logger = engine, engine._logger
        self._shapes = {name: engine._shape(name) for name in engine._io}
        self._addresses: dict[str, int] = {}
        self._kinds: dict[str, str] = {}

    engine = property(lambda self: self._engine)
    all_binding_shapes_specified = property(lambda self: not self._open())
    active_optimization_profile = property(lambda self: 0)

    def _open(self) -> list[str]:
        return [name for name, shape in self._shapes.items() if self._engine._is_input(name) and -1 in shape]

    def _set(self, name: str, shape: Sequence[int]) -> bool:
        low, _, high = self._engine._range(name)
        fits = len(shape) == len(low) and all(a <= n <= b for a, n, b in zip(low, shape, high))
        if not fits:
            fail(self, f"shape {tuple(shape)} of {name} is outside of {low} to {high}")
            return False
        self._shapes[name] = tuple(shape)
        outputs = {} if self._open() else self._run(dict.fromkeys(self._engine._io))
        self._shapes.update({name: array.shape for name, array in outputs.items()})
        return True

    def _read(self, name: str, address: Any) -> np.ndarray:
        value = self._engine._io[name]
        dtype = DTYPES[value.type.tensor_type.elem_type]
        if address is None:
            return np.zeros(self._shapes[name], dtype)
        return cuda.view(address, self._shapes[name], self._stored(name, dtype)).astype(dtype)

    def _stored(self, name: str, dtype: Any) -> Any:
        if name not in self._kinds:
            self._kinds[name] = str(self._engine._dtype(name))
        return STORED.get(self._kinds[name], dtype)

    def _run(self, addresses: Mapping[str, Any]) -> dict[str, np.ndarray]:
        names = [name for name in self._engine._io if self._engine._is_input(name)]
        return self._engine._plan.inference({name: self._read(name, addresses[name]) for name in names})

    def _execute(self, addresses: Mapping[str, int]) -> bool:
        lost = [name for name in self._engine._io if name not in addresses]
        if lost or self._open():
            fail(self, f"no address of {lost}, no shape of {self._open()}")
            return False
        for name, array in self._run(addresses).items():
            kind = self._stored(name, array.dtype)
            cuda.view(addresses[name], array.shape, kind)[...] = array
        return True

    def set_input_shape(self, name: str, shape: Sequence[int]) -> bool:
        """Set an input's shape; false outside of the profile."""
        return self._set(name, shape)

    def set_binding_shape(self, binding: int, shape: Sequence[int]) -> bool:
        """Set an input's shape; false outside of the profile."""
        return self._set(self._engine._name(binding), shape)

    def get_tensor_shape(self, name: str) -> tuple[int, ...]:
        """Return a tensor's shape, as far as it is known."""
        return self._shapes[name]

    def get_binding_shape(self, binding: int) -> tuple[int, ...]:
        """Return a binding's shape, as far as it is known."""
        return self._shapes[self._engine._name(binding)]

    def set_tensor_address(self, name: str, memory: int) -> bool:
        """Tell where a tensor lies."""
        self._addresses[name] = memory
        return True

    def execute_async_v3(self, stream_handle: int) -> bool:
        """Run, at once."""
        return self._execute(self._addresses)

    def execute_v2(self, bindings: Sequence[int]) -> bool:
        """Run, with an address for each binding."""
        return self._execute(dict(zip(self._engine._io, bindings)))

    def execute_async_v2(self, bindings: Sequence[int], stream_handle: int) -> bool:
        """Run, with an address for each binding."""
        return self._execute(dict(zip(self._engine._io, bindings)))


BEHAVIOURS = behaviours(globals())
