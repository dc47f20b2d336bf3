"""What NVIDIA's management library says of a GPU, and what is said where it says nothing."""

import sys
from types import ModuleType
from typing import Any

import pytest

from fixtures.environment import clocks
from fixtures.environment.clocks import GpuState, gpu_state


def test_without_the_package_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """The reason says what to install and where."""
    monkeypatch.setattr(clocks, "find_spec", lambda name: None)
    assert "pip install nvidia-ml-py" in gpu_state("0000:00:00.0").reason


def test_without_a_driver_nvml_says_so() -> None:
    """The real package on a machine without a driver, or without that GPU."""
    pytest.importorskip("pynvml", reason="pip install --group clocks")
    assert gpu_state("ffff:ff:1f.7").reason.startswith("clocks are not known: NVML says ")


def planted(calls: list[str], throttled: int) -> Any:
    """A module with the names of pynvml that are asked for, and made-up answers."""
    module: Any = ModuleType("pynvml")
    module.NVMLError = type("NVMLError", (Exception,), {})
    module.NVML_CLOCK_SM, module.NVML_CLOCK_MEM, module.NVML_TEMPERATURE_GPU = 1, 2, 0
    module.nvmlInit = lambda: calls.append("init")
    module.nvmlShutdown = lambda: calls.append("shutdown")
    module.nvmlDeviceGetHandleByPciBusId = lambda bus: bus
    module.nvmlDeviceGetCurrentClocksThrottleReasons = lambda device: throttled
    module.nvmlDeviceGetClockInfo = lambda device, clock: {1: 1980, 2: 3201}[clock]
    module.nvmlDeviceGetTemperature = lambda device, sensor: 41
    module.nvmlDeviceGetPowerUsage = lambda device: 120_500
    return module


@pytest.mark.parametrize(
    ("throttled", "named"), [(0, ()), (1, ()), (0x44, ("power cap", "hardware thermal slowdown"))]
)
def test_clocks_and_throttles_are_read(
    throttled: int, named: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Milliwatts become watts; what idles is not slowed down; the library is let go of."""
    calls: list[str] = []
    monkeypatch.setitem(sys.modules, "pynvml", planted(calls, throttled))
    monkeypatch.setattr(clocks, "find_spec", lambda name: True)
    assert gpu_state("0000:1b:00.0") == GpuState(1980, 3201, 41, 120.5, named)
    assert calls == ["init", "shutdown"]
