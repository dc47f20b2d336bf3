"""What every PyTorch reference model needs around its weights: a digest, and one thread."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


def digest(description: str, module: Any) -> str:
    """Hex sha256 over a description of the network and name, dtype, shape, bytes of its state."""
    total = hashlib.sha256(description.encode())
    for name, tensor in module.state_dict().items():
        array = tensor.detach().cpu().numpy()
        total.update(f"\0{name} {array.dtype} {array.shape}\0".encode())
        total.update(array.tobytes())
    return total.hexdigest()


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
