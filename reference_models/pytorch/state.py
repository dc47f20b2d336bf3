"""What every PyTorch reference model needs around its weights: a digest, and one thread."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


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

    Raises ValueError naming the file when that is no state_dict, with the remedy, or one of another network.
    """
    import torch

    if not isinstance(state, dict) or not all(torch.is_tensor(value) for value in state.values()):
        raise ValueError(f"{path} holds more than named tensors. {remedy}")
    try:
        module.load_state_dict(state, strict=True)
    except RuntimeError as error:
        raise ValueError(f"{path} does not fit this network: {error}") from None


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
