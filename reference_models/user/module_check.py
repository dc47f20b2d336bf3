"""What a user's `torch.nn.Module` is held to before it is converted, and what tells it from another one."""

from __future__ import annotations

import hashlib
import inspect
import re
import uuid
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from reference_models.pytorch.state import digest
from reference_models.user import factory
from reference_models.user.factory import OwnModelError

Arrays = Mapping[str, np.ndarray]
CIRCUMSTANCES = r"__torch__[\w.]*| # .*$"
"""In the text of a trace: types, which count what was traced before in this process, and places of source."""


def module_of(value: Any, spec: str) -> Any:
    """Return what a factory made, in eval mode. Raises OwnModelError unless it is float32 and on the CPU."""
    import torch

    if not isinstance(value, torch.nn.Module):
        raise OwnModelError(f"{spec} gives {factory.a(value)}, expected a torch.nn.Module")
    for name, tensor in value.state_dict().items():
        if tensor.device.type != "cpu":
            remedy = "return it after .cpu()" if tensor.device.type != "meta" else "give its weights values"
            raise OwnModelError(f"{spec}: {name} is on the device {tensor.device}, expected cpu; {remedy}")
        if tensor.is_floating_point() and tensor.dtype != torch.float32:
            raise OwnModelError(
                f"{spec}: {name} is {tensor.dtype}, expected torch.float32; return it after .float(), "
                "other precisions are made from the float32 model"
            )
    return value.eval()


def build(spec: str, make: Any) -> Any:
    """Return the module that a factory makes, or the module that it is. Weights are drawn from seed 0.

    Raises OwnModelError.
    """
    import torch

    with torch.random.fork_rng(devices=[]), _silent():
        torch.manual_seed(0)
        module = make if isinstance(make, torch.nn.Module) else factory.call(make, spec)
    return module_of(module, spec)


def outputs_of(module: Any, spec: str, inputs: Arrays, names: Sequence[str]) -> tuple[str, ...]:
    """Run a module once and give its outputs' names: those asked for, or output0, output1 ...

    Raises OwnModelError when it does not take the inputs, gives anything but one tensor or a flat sequence
    of tensors, or another number of them than names were asked for.
    """
    results = _forward(module, spec, inputs)
    values = list(results) if isinstance(results, tuple | list) else [results]
    for position, result in enumerate(values):
        _check_result(result, spec, position if isinstance(results, tuple | list) else None)
    if names and len(names) != len(values):
        shapes = ", ".join("x".join(map(str, result.shape)) or "scalar" for result in values)
        raise OwnModelError(
            f"{spec}: forward() gives {_count(len(values), 'output')} ({shapes}), but "
            f"{_count(len(names), 'name')} ({', '.join(names)}); name each output once, in its order"
        )
    return tuple(names) or tuple(f"output{n}" for n in range(len(values)))


def fingerprint(module: Any, inputs: Arrays) -> str:
    """Hex sha256 over weights, every traced operation, and the outputs for the inputs.

    What forward() computes is thus seen to change where neither weights nor names do. A module that cannot
    be traced has another one every time.
    """
    import torch

    arguments = _tensors(inputs)
    with torch.no_grad(), _silent():
        results = module(*arguments)
        try:
            graph = str(torch.jit.trace(module, arguments, check_trace=False).inlined_graph)
            graph = re.sub(CIRCUMSTANCES, "", graph, flags=re.MULTILINE)
        except Exception:  # tracing raises anything
            graph = uuid.uuid4().hex
    total = hashlib.sha256(digest(graph, module).encode())
    for result in results if isinstance(results, tuple | list) else [results]:
        total.update(result.detach().numpy().tobytes())
    return total.hexdigest()


def _forward(module: Any, spec: str, inputs: Arrays) -> Any:
    import torch

    shown = ", ".join(f"{name} {'x'.join(map(str, array.shape))}" for name, array in inputs.items())
    signature = inspect.signature(module.forward)
    try:
        signature.bind(*inputs.values())
    except TypeError as error:
        raise OwnModelError(
            f"{spec}: forward{signature} does not take {_count(len(inputs), 'input')} ({shown}): {error}; "
            "give --input once for each argument, in their order"
        ) from error
    try:
        with torch.no_grad(), _silent():
            return module(*_tensors(inputs))
    except Exception as error:  # a user's module raises anything
        remedy = _batch_is_missing(module, inputs) or "give the shapes that it takes"
        raise OwnModelError(
            f"{spec}: forward() does not take {shown}: {factory.told(error)}; {remedy}"
        ) from error


def _batch_is_missing(module: Any, inputs: Arrays) -> str:
    """Return what to do where a module takes its inputs once they have a batch first; else nothing."""
    import torch

    batched = {name: array[None] for name, array in inputs.items()}
    try:
        with torch.no_grad(), _silent():
            module(*_tensors(batched))
    except Exception:  # that is not it
        return ""
    better = " ".join(f"--input {name}:{'x'.join(map(str, a.shape))}" for name, a in batched.items())
    return f"the batch axis seems to be missing, with it forward() takes {better}"


def _check_result(result: Any, spec: str, position: int | None) -> None:
    """Raise OwnModelError unless a result is a tensor that an ONNX output can be."""
    import torch

    kinds = (torch.float32, torch.int64, torch.int32, torch.uint8, torch.bool)
    if isinstance(result, torch.Tensor) and result.dtype in kinds:
        return
    which = "" if position is None else f"as result {position} "
    what, remedy = factory.a(result), "return a tensor, or a flat tuple of tensors"
    if isinstance(result, torch.Tensor):
        what, remedy = str(result.dtype), "return it after .float()"
    elif isinstance(result, Mapping):
        remedy = f"wrap the module in one that returns tuple(result[key] for key in {list(result)})"
    elif isinstance(result, tuple | list):
        remedy = "wrap the module in one that returns a flat tuple of tensors"
    raise OwnModelError(f"{spec}: forward() gives {which}{what}, expected a tensor of float32; {remedy}")


def _tensors(inputs: Arrays) -> tuple[Any, ...]:
    import torch

    return tuple(torch.from_numpy(np.ascontiguousarray(array)) for array in inputs.values())


def _silent() -> warnings.catch_warnings[None]:
    """Let a user's code warn; what it warns of is not ours to judge."""
    return warnings.catch_warnings(action="ignore")


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"
