"""Why a machine runs no engines: what the worker says of its GPU, driver and pycuda."""

from __future__ import annotations

import ctypes
import sys
from dataclasses import dataclass
from typing import Any

import pytest

from fixtures.runtimes.tensorrt import worker

HALTED = "import of pycuda.driver halted; None in sys.modules"


@dataclass
class Driver:
    """In place of CUDA's driver library: what its two calls answer."""

    status: int
    devices: int

    def cuInit(self, _: int) -> int:  # noqa: N802
        """Start, or say which error that was."""
        return self.status

    def cuDeviceGetCount(self, count: Any) -> int:  # noqa: N802
        """Write the number of devices where the caller wants it."""
        count._obj.value = self.devices
        return 0


DRIVERS: dict[str, tuple[Driver | None, str]] = {
    "no driver": (None, f"{worker.NO_GPU} (no NVIDIA driver: libcuda.so.1 cannot be loaded)"),
    "no device": (Driver(100, 0), f"{worker.NO_GPU} (the NVIDIA driver names none, CUDA error 100)"),
    "none of several": (Driver(0, 0), f"{worker.NO_GPU} (the NVIDIA driver names none, CUDA error 0)"),
    "a GPU": (Driver(0, 2), f"no pycuda in this interpreter ({HALTED}): pip install pycuda"),
}  # fmt: skip


@pytest.mark.parametrize(("driver", "reason"), DRIVERS.values(), ids=DRIVERS)
def test_what_is_missing_to_run_engines(
    driver: Driver | None, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reason is the machine without a GPU; pycuda is named where only that is missing."""

    def load(name: str) -> Driver:
        if driver is None:
            raise OSError(name)
        return driver

    monkeypatch.setitem(sys.modules, "pycuda.driver", None)
    monkeypatch.setattr(ctypes, "CDLL", load)
    with pytest.raises(worker.OperationError) as caught:
        worker.find_cuda()
    assert (str(caught.value), caught.value.kind) == (reason, "not-run")
