"""What the behaviours of the stand-in's classes share. Python 3.7.

A behaviour is a class of the name of the class that it plays. Its public names are taken where the
release has them; those that begin with an underscore are the stand-in's own, in every release.
"""

from __future__ import annotations

import os
from typing import Any, Dict, Mapping

from onnx import TensorProto

MAGIC = b"a plan of the stand-in\n"
KINDS: Dict[int, str] = {
    TensorProto.FLOAT: "FLOAT", TensorProto.FLOAT16: "HALF", TensorProto.DOUBLE: "FLOAT",
    TensorProto.INT8: "INT8", TensorProto.INT32: "INT32", TensorProto.INT64: "INT64",
    TensorProto.UINT8: "UINT8", TensorProto.BOOL: "BOOL",
}  # fmt: skip


class Played:
    """The base of a behaviour: what `module.make_class` gives each class."""

    _api: Any
    _logger: Any
    _version: str


def behaviours(space: Mapping[str, Any]) -> Dict[str, Any]:
    """Return the behaviours among a module's globals."""
    return {
        name: value
        for name, value in space.items()
        if isinstance(value, type) and issubclass(value, Played) and value is not Played
    }


def fail(thing: Any, text: str) -> None:
    """Log an error, as TensorRT does before it gives a null pointer or false."""
    logger = thing._logger
    log = logger.log if hasattr(logger, "log") else logger._print
    log(thing._api.member("Logger.Severity.ERROR"), text)


def kind_of(api: Any, element: int) -> Any:
    """Return the DataType that an ONNX element type becomes."""
    name = KINDS[element]
    return api.member("DataType." + ("INT32" if name == "INT64" and not api.has("DataType.INT64") else name))


def shape_of(value: Any) -> tuple[int, ...]:
    """Return the shape of an ONNX value, -1 where it is not known."""
    dims = value.type.tensor_type.shape.dim
    return tuple(d.dim_value if d.HasField("dim_value") else -1 for d in dims)


class Logger(Played):
    """Both ILogger, which a user derives, and the ready-made Logger."""

    def __init__(self, min_severity: Any = None) -> None:
        self._least = min_severity

    def _print(self, severity: Any, msg: str) -> None:
        os.write(2, f"[TRT] [{severity}] {msg}\n".encode())

    log = _print

    min_severity = property(lambda self: self._least)


class IHostMemory(Played, bytes):
    """A built plan: a buffer, with none of the names that bytes have."""

    def __getattribute__(self, name: str) -> Any:
        if name[0] != "_" and name not in type(self).__dict__:
            raise AttributeError(name)  # which makes Python ask __getattr__
        return bytes.__getattribute__(self, name)

    def __len__(self) -> int:
        raise TypeError("object of type 'IHostMemory' has no len()")

    nbytes = property(lambda self: memoryview(self).nbytes)


BEHAVIOURS = {**behaviours(globals()), "ILogger": Logger}
