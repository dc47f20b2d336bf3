"""A stand-in for ``pycuda.driver`` whose device memory is this process's own. Python 3.7.

Memory that was freed, or never given, is not read but named. The environment variable ``STAND_IN_CUDA``
says what the machine lacks: "no device" or "no driver".
"""

from __future__ import annotations

import ctypes
import os
import time
from collections.abc import Sequence
from typing import Any

import numpy as np

MEMORY: dict[int, Any] = {}
TOTAL = 1 << 30
LACKS = os.environ.get("STAND_IN_CUDA", "")


class Error(Exception):
    """A call that CUDA refused."""


def init() -> None:
    """Start CUDA; Error where there is no device."""
    if LACKS == "no device":
        raise Error("cuInit failed: no CUDA-capable device is detected")


def get_driver_version() -> int:
    """Return the version of CUDA that the driver takes."""
    return 12080


def view(address: int, shape: Sequence[int], dtype: Any) -> np.ndarray:
    """Return the array that lies at an address; Error where that memory was not given, or is too small."""
    count = np.dtype(dtype).itemsize
    for size in shape:
        count *= int(size)
    if address not in MEMORY or len(MEMORY[address]) < count:
        raise Error(f"an illegal memory access: {count} bytes at {address}")
    buffer: Any = (ctypes.c_char * count).from_address(address)
    return np.frombuffer(buffer, dtype).reshape(tuple(shape))


def mem_get_info() -> tuple[int, int]:
    """Return the bytes of memory that are free, and all of them."""
    return TOTAL - sum(map(len, MEMORY.values())), TOTAL


class DeviceAllocation:
    """Memory, freed with its last owner."""

    def __init__(self, size: int) -> None:
        self._buffer = (ctypes.c_char * size)()
        self._address = ctypes.addressof(self._buffer)
        MEMORY[self._address] = self._buffer

    def __int__(self) -> int:
        return self._address

    __index__ = __int__

    def __del__(self) -> None:
        MEMORY.pop(self._address, None)


mem_alloc = DeviceAllocation


def memcpy_htod(dest: Any, src: np.ndarray) -> None:
    """Copy an array to the device."""
    view(int(dest), src.shape, src.dtype)[...] = src


def memcpy_dtoh(dest: np.ndarray, src: Any) -> None:
    """Copy an array from the device."""
    dest[...] = view(int(src), dest.shape, dest.dtype)


def memset_d8_async(dest: Any, data: int, count: int, stream: Any = None) -> None:
    """Set bytes of the device, at once."""
    view(int(dest), (count,), "uint8")[...] = data


class Context:
    """A primary context."""

    def push(self) -> None:
        """Make it current."""

    def pop(self) -> None:
        """Make it no more current."""


class Device:
    """The one device."""

    def __init__(self, number: int) -> None:
        init()

    def name(self) -> str:
        """Return its name."""
        return "stand-in"

    def compute_capability(self) -> tuple[int, int]:
        """Return its compute capability."""
        return 8, 6

    def pci_bus_id(self) -> str:
        """Return where it is plugged in."""
        return "0000:00:00.0"

    def total_memory(self) -> int:
        """Return its bytes."""
        return TOTAL

    def retain_primary_context(self) -> Context:
        """Return its context."""
        return Context()


class Stream:
    """A stream: everything on it is done at once. The handle is CUDA's null stream."""

    handle = 0

    def synchronize(self) -> None:
        """Wait for nothing."""


class Event:
    """A moment."""

    def record(self, stream: Stream) -> None:
        """Take the time."""
        self._at = time.perf_counter()

    def synchronize(self) -> None:
        """Wait for nothing."""

    def time_since(self, other: Event) -> float:
        """Return the milliseconds between two moments."""
        return (self._at - other._at) * 1e3
