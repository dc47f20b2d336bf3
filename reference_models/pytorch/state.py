"""What every PyTorch reference model needs around its weights: a digest, and one thread."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from reference_models import finite
from reference_models.wording import printable, shortened

STATISTICS = ("running_mean", "running_var")
DIVERGED = (
    "Give weights of a training that did not diverge: no parity holds of these. To convert them as they are, "
    "make them a model of your own, with allow_nonfinite = true in a model file"
)
"""What to do about broken numbers in the weights of a reference model, whose claims they can only fail."""


def digest(description: str, module: Any) -> str:
    """Hex sha256 over a description of the network and name, dtype, shape, bytes of its state."""
    total = hashlib.sha256(description.encode())
    for name, tensor in module.state_dict().items():
        array = tensor.detach().cpu().numpy()
        total.update(f"\0{name} {array.dtype} {array.shape}\0".encode())
        total.update(array.tobytes())
    return total.hexdigest()


def fill(module: Any, state: Any, path: Path, remedy: str) -> None:
    """Fill a network with what a file holds, strictly; fp16 values are widened.

    Raises ValueError naming the file when that is no state_dict, with the remedy, or one of another network,
    and naming the tensor for NaN, infinite and negative-variance values.
    """
    import torch

    named = isinstance(state, dict) and all(isinstance(name, str) for name in state)
    if not named or not all(torch.is_tensor(value) for value in state.values()):
        raise ValueError(f"{path} holds more than named tensors. {remedy}")
    try:
        module.load_state_dict(_real(state), strict=True)
    except Exception as error:  # tensors made by anybody raise anything when they are copied
        text = shortened(printable(str(error)), 400)
        raise ValueError(f"{path} does not fit this network: {text}") from None
    for name, fault in broken(module):
        raise ValueError(f"{path}: {name}: {fault}. {DIVERGED}")


def broken(module: Any) -> Iterator[tuple[str, str]]:
    """Yield name and fault of each parameter and buffer of a module that holds broken numbers.

    Of a buffer NaN alone is one, since masks hold infinities, and of a running variance a negative value.
    """
    parameters = {name for name, _ in module.named_parameters()}
    for name, tensor in (*module.named_parameters(), *module.named_buffers()):
        if not tensor.is_floating_point() or tensor.device.type == "meta":
            continue
        values = tensor.detach().cpu().float().numpy()
        if name not in parameters and not name.endswith(STATISTICS):
            values = np.where(np.isinf(values), 0, values)
        if fault := finite.fault(values, variance=name.endswith("running_var")):
            yield name, fault


def _real(state: dict[str, Any]) -> dict[str, Any]:
    """Return the state. Raises TypeError for complex tensors: copied to real ones they lose a part."""
    for name, tensor in state.items():
        if tensor.is_complex():
            raise TypeError(f"{name} is complex")
    return state


@contextmanager
def one_thread() -> Iterator[None]:
    """Let torch compute on one thread, where sums have one order, and restore what was set."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
