"""A machine is described whatever is missing, broken or planted on it."""

import ctypes
import json
import platform
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from fixtures.commands.machine import main
from fixtures.environment import child, cuda_probe, detection, nvidia
from fixtures.environment.machine import Gpu, Interpreter

ROW = "NVIDIA H100 80GB HBM3, 9.0, 580.159.04, 81559 MiB"
Plant = Callable[[str, str], Path]


@pytest.fixture(autouse=True)
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine with an empty PATH, no driver library, no /proc entry and no toolkit."""
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setattr(nvidia, "LIBRARIES", {sys.platform: ("libnocuda.so",)})
    monkeypatch.setattr(nvidia, "PROC", tmp_path / "version")
    monkeypatch.setattr(detection, "CUDA_PLACES", ())
    monkeypatch.setattr(detection, "TEGRA", tmp_path / "tegra")
    for name in ("CUDA_HOME", "CUDA_PATH", "CUDA_ROOT"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def plant(tmp_path: Path) -> Plant:
    """Put a program on PATH."""

    def make(name: str, script: str) -> Path:
        path = tmp_path / "bin" / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        return path

    return make


def test_nothing_at_all() -> None:
    """Without any of it there is a description, and a reason for the missing GPU."""
    machine = detection.detect()
    assert (machine.driver, machine.cuda, machine.gpus, machine.toolkit) == ("", None, (), None)
    assert machine.gpu_reason == (
        "nvidia-smi is not on PATH; libnocuda.so cannot be loaded"
    )  # both ways of looking
    assert machine.python == Interpreter(sys.executable, sys.version_info[:2])


def test_nvidia_smi_is_read(plant: Plant) -> None:
    """Name, compute capability, driver and memory of each GPU come from nvidia-smi; the driver gives CUDA."""
    plant("nvidia-smi", f"echo '{ROW}'\necho 'Tesla T4, 7.5, 580.159.04, [N/A]'")
    machine = detection.detect()
    first = Gpu("NVIDIA H100 80GB HBM3", (9, 0), 81559 << 20)
    assert machine.gpus == (first, Gpu("Tesla T4", (7, 5), 0))
    assert (machine.driver, machine.cuda) == ("580.159.04", (13, 0))
    assert machine.gpu_reason == "libnocuda.so cannot be loaded"


def test_the_query_is_the_one_that_the_rows_are_read_by(plant: Plant, tmp_path: Path) -> None:
    """Nvidia-smi is asked for the four columns in order, without heads."""
    plant("nvidia-smi", f'echo "$@" > {tmp_path}/asked')
    detection.detect()
    asked = (tmp_path / "asked").read_text()
    assert asked.strip() == "--query-gpu=name,compute_cap,driver_version,memory.total --format=csv,noheader"


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("exit 9", "nvidia-smi ends with code 9"),
        ("echo 'Failed to initialize NVML'; exit 18", "code 18: Failed to initialize NVML"),
        ("echo 'No devices were found'", "nvidia-smi says: No devices were found"),
        ("printf '\\377\\376 garbage, a, b, c\\n'", "garbage, a, b, c"),
        ("true", "nvidia-smi says nothing"),
        ("kill -SEGV $$", "nvidia-smi ends with code -11"),
    ],
)
def test_a_broken_nvidia_smi_is_a_reason(script: str, reason: str, plant: Plant) -> None:
    """Errors, garbage, silence and a crash end in no GPU, with the words of the program."""
    plant("nvidia-smi", script)
    machine = detection.detect()
    assert (machine.gpus, machine.driver) == ((), "")
    assert reason in machine.gpu_reason


def test_a_program_that_cannot_start_is_a_reason(tmp_path: Path) -> None:
    """A file that is no program is named as such."""
    path = tmp_path / "bin" / "nvidia-smi"
    path.write_bytes(b"\x7fELF nothing")
    path.chmod(0o755)
    assert "nvidia-smi does not start" in detection.detect().gpu_reason


def test_a_hanging_nvidia_smi_ends_with_all_it_started(
    plant: Plant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After the time limit it is ended, even where a child of it holds the pipe, and so is that child."""
    monkeypatch.setattr(child, "TIMEOUT", 0.3)
    plant("nvidia-smi", f"(/bin/sleep 1; echo > {tmp_path}/alive) & /bin/sleep 60")
    start = time.monotonic()
    assert "nvidia-smi does not answer within 0.3 s" in nvidia.find_nvidia().reason
    assert time.monotonic() - start < 20
    time.sleep(1.2)
    assert not (tmp_path / "alive").exists()


@pytest.mark.parametrize(
    ("module", "driver", "cuda"),
    [
        ("UNIX x86_64 Kernel Module  535.104.05  Sat Aug 19 01:15:15 UTC 2023", "535.104.05", (12, 2)),
        ("UNIX Open Kernel Module for x86_64  580.159.04  Release Build", "580.159.04", (13, 0)),
        ("UNIX Open Kernel Module for x86_64", "", None),
    ],
)
def test_the_kernel_module_names_the_driver_where_nvidia_smi_does_not(
    module: str, driver: str, cuda: tuple[int, int] | None, tmp_path: Path
) -> None:
    """/proc has the driver's version; without devices there is still no GPU."""
    (tmp_path / "version").write_text(f"NVRM version: NVIDIA {module}\nGCC version: 15.3.0 (GCC)")
    machine = detection.detect()
    assert (machine.driver, machine.cuda, machine.gpus) == (driver, cuda, ())


def test_the_driver_library_fills_in_what_an_old_nvidia_smi_leaves_out(
    plant: Plant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without compute capabilities from nvidia-smi those of the driver library stand."""
    plant("nvidia-smi", "echo 'Tesla T4, [N/A], 470.82.01, 15109 MiB'")
    assert detection.detect().gpus == (Gpu("Tesla T4", None, 15109 << 20),)
    reply = child.Reply(True, '{"cuda": 11040, "gpus": [["Tesla T4", 7, 5, 1024]], "reason": ""}')
    monkeypatch.setattr(nvidia, "_library", lambda: nvidia.read_probe(reply.out))
    machine = detection.detect()
    assert (machine.gpus, machine.cuda) == ((Gpu("Tesla T4", (7, 5), 1024),), (11, 4))
    assert machine.gpu_reason == ""


def test_a_gpu_that_is_hidden_from_cuda_is_none(plant: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    """With an empty CUDA_VISIBLE_DEVICES nvidia-smi lists the GPU and the driver library answers 100."""
    plant("nvidia-smi", f"echo '{ROW}'")
    text = '{"cuda": 13000, "gpus": [], "reason": "the CUDA driver answers error 100"}'
    monkeypatch.setattr(nvidia, "_library", lambda: nvidia.read_probe(text))
    machine = detection.detect()
    assert (machine.gpus, machine.driver) == ((), "580.159.04")
    assert machine.gpu_reason == "nvidia-smi lists GPUs; the CUDA driver answers error 100"


@pytest.mark.parametrize("text", ["", "{}", "[]", "null", '{"cuda": 1, "gpus": [[1]], "reason": ""}'])
def test_a_driver_library_that_answers_nonsense_is_a_reason(text: str) -> None:
    """What the probe cannot have said is no answer."""
    found = nvidia.read_probe(text)
    assert (found.gpus, found.cuda) == ((), None)
    assert "gave no answer" in found.reason


def test_a_library_that_is_not_cuda_is_a_reason() -> None:
    """The probe names the symbol that a wrong library lacks, and libraries that are not there."""
    assert "cuDriverGetVersion" in cuda_probe.main(["libno.so", "libc.so.6"])["reason"]
    assert cuda_probe.main(["libno.so"])["reason"] == "libno.so cannot be loaded"


class Library:
    """A driver library with one device of compute capability 8.6, or with an error."""

    def __init__(self, status: int) -> None:
        self.status = status

    def __getattr__(self, name: str) -> Callable[..., int]:
        """Answer each call as the driver API does, by its first argument."""
        values = {"cuDriverGetVersion": 12020, "cuDeviceGetCount": 1, "cuDeviceTotalMem_v2": 4096}

        def call(*arguments: object) -> int:
            if name == "cuDeviceGetAttribute":
                arguments[0]._obj.value = {75: 8, 76: 6}[arguments[1]]  # type: ignore[attr-defined, index]
            elif name in values:
                arguments[0]._obj.value = values[name]  # type: ignore[attr-defined]
            return self.status if name == "cuInit" else 0

        return call


@pytest.mark.parametrize(
    ("status", "gpus", "reason"),
    [(0, [["", 8, 6, 4096]], ""), (100, [], "the CUDA driver answers error 100")],
)
def test_the_driver_library_is_asked(
    status: int, gpus: list[list[object]], reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Version, devices, compute capability and memory come from the driver API, errors by their number."""
    monkeypatch.setattr(ctypes, "CDLL", lambda name: Library(status))
    assert cuda_probe.main(["libcuda.so.1"]) == {"cuda": 12020, "gpus": gpus, "reason": reason}


def test_pythons_that_do_not_run_are_told_apart(plant: Plant) -> None:
    """A shim that only complains, and one that prints other things, are no Pythons; each version is once."""
    plant("python3.6", "echo 'pyenv: python3.6: command not found' >&2; exit 127")
    plant("python3.7", "echo hello")
    plant("python3.9", "echo '3.9 /opt/3.9/bin/python3.9'")
    plant("python3", "echo '3.9 /other/python3'")
    plant("python3.10", "echo '3.10 /opt/a b/python3.10'")
    machine = detection.detect()
    assert machine.broken == ("python3.6", "python3.7")
    assert machine.others == (
        Interpreter("/opt/a b/python3.10", (3, 10)),
        Interpreter("/opt/3.9/bin/python3.9", (3, 9)),
    )


def test_this_python_is_not_another(tmp_path: Path) -> None:
    """The interpreter that runs is found by its name on PATH and listed once."""
    (tmp_path / "bin" / "python3").symlink_to(sys.executable)
    assert detection.detect().others == ()


def test_the_toolkit_with_headers_is_taken(
    plant: Plant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A toolkit is one with nvcc; one whose cuda.h is there is taken before it, with its version."""
    nvcc = plant("nvcc", "true")
    found = detection.find_toolkit()
    assert found is not None
    assert (found.path, found.version, found.headers) == (str(nvcc.parent.parent), "", False)
    header = tmp_path / "cuda" / "include" / "cuda.h"
    header.parent.mkdir(parents=True)
    header.write_text("#define CUDA_VERSION 12040\n")
    monkeypatch.setattr(detection, "CUDA_PLACES", (tmp_path / "cuda",))
    found = detection.find_toolkit()
    assert found is not None
    assert (found.path, found.version, found.headers) == (str(tmp_path / "cuda"), "12.4", True)


def test_installed_tensorrt_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Distributions that begin with tensorrt are listed; ones without a version are no answer."""
    for name, version in (("TensorRT_cu12", "10.9.0.34"), ("tensorrt-odd", "unknown"), ("tensor", "1.0")):
        place = tmp_path / "site" / f"{name}-1.dist-info"
        place.mkdir(parents=True)
        (place / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    (tmp_path / "site" / "empty-1.dist-info").mkdir()
    monkeypatch.setattr(sys, "path", [str(tmp_path / "site")])
    assert detection.installed() == {"tensorrt-cu12": "10.9.0.34"}


@pytest.mark.parametrize(
    ("libc", "version"), [(("glibc", "2.36"), (2, 36)), (("", ""), None), (("musl", "1.2"), None)]
)
def test_glibc(libc: tuple[str, str], version: object, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its version, and None where there is another C library or none."""
    monkeypatch.setattr(platform, "libc_ver", lambda: libc)
    assert detection.glibc() == version


def test_a_jetson_is_known_by_its_release_file(tmp_path: Path) -> None:
    """The file that every Jetson has makes it one."""
    assert not detection.detect().jetson
    (tmp_path / "tegra").touch()
    assert detection.detect().jetson


@pytest.mark.parametrize(
    ("text", "linux"),
    [("# R35 (release), REVISION: 4.1, GCID: 33958178, BOARD: t186ref, EABI: aarch64\n", "35.4.1"),
     ("# R32 (release), REVISION: 7.1, GCID: 2\n", "32.7.1"), ("", ""), ("# Rx (release)", "")],
)  # fmt: skip
def test_the_release_file_names_the_jetson_linux(text: str, linux: str, tmp_path: Path) -> None:
    """Release and revision make its version; a file that says neither is no guess."""
    (tmp_path / "tegra").write_text(text)
    assert detection.jetson_linux() == linux


def test_the_command_prints_the_table(plant: Plant, capsys: pytest.CaptureFixture[str]) -> None:
    """The planted GPU is in the head, and decides what runs."""
    plant("nvidia-smi", f"echo '{ROW}'")
    assert main([]) == 0
    out = capsys.readouterr().out
    assert "GPU       NVIDIA H100 80GB HBM3, compute capability 9.0, 80 GiB\n" in out
    assert "          libnocuda.so cannot be loaded: engines do not run until that is mended\n" in out
    assert "run         no: compute capability 9.0 is refused (measured)" in out


def test_the_command_speaks_json(capsys: pytest.CaptureFixture[str]) -> None:
    """The machine, and of every release what it can do, its routes and their sources."""
    assert main(["--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert data["machine"]["python"]["path"] == sys.executable
    rows = {(row["flavour"], row["version"]): row for row in data["versions"]}
    assert len(rows) == 39
    assert rows["tensorrt", "11.4"]["run"] == "no: no NVIDIA driver"
    assert list(rows["tensorrt", "11.4"]["int8"]) == ["qdq"]
    assert rows["tensorrt-rtx", "1.7"]["sources"]["measured"]["basis"] == "measured"


def test_the_command_answers_for_one_version(capsys: pytest.CaptureFixture[str]) -> None:
    """With --tensorrt there is one row; an unknown version is a wrong call."""
    assert main(["--tensorrt", "rtx1.7"]) == 0
    heads = [line for line in capsys.readouterr().out.splitlines() if line.startswith("TensorRT-RTX")]
    assert len(heads) == 1
    with pytest.raises(SystemExit, match="2"):
        main(["--tensorrt", "6.5"])
    assert "trt7.0" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["m.onnx"], ["--without-gpu"]])
def test_a_model_is_a_wrong_call(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """The command is about this machine alone: what belongs to the command support ends with code 2."""
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert f"unrecognized arguments: {arguments[0]}" in capsys.readouterr().err
