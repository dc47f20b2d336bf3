"""What can be installed, built and run on machines that are only described."""

from dataclasses import replace
from typing import Any

import pytest

from fixtures.compatibility.tables.releases import by_label, releases
from fixtures.environment.advice import Advice, advise
from fixtures.environment.advice_text import describe
from fixtures.environment.drivers import carried
from fixtures.environment.machine import Gpu, Interpreter, Machine, Toolkit

PYTHON = Interpreter("/usr/bin/python3.11", (3, 11))
OLDER = Interpreter("/usr/bin/python3.10", (3, 10))
LAPTOP = Machine("linux", "x86_64", PYTHON, glibc=(2, 36), gpu_reason="nvidia-smi is not on PATH")
TOOLKIT = Toolkit("/usr/local/cuda", "13.0", headers=True)


def with_gpu(driver: str, name: str, capability: tuple[int, int] | None, **about: Any) -> Machine:
    """A Linux machine with a driver and one GPU."""
    gpu = Gpu(name, capability, 16 << 30)
    return replace(LAPTOP, driver=driver, cuda=carried(driver), gpus=(gpu,), gpu_reason="", **about)


H100 = with_gpu("580.159.04", "NVIDIA H100 80GB HBM3", (9, 0), toolkit=TOOLKIT)
T4 = with_gpu("470.82.01", "Tesla T4", (7, 5))
JETSON = Machine("linux", "aarch64", OLDER, (2, 35), True, cuda=(12, 6), gpus=(Gpu("Orin", (8, 7)),))


def answer(machine: Machine, label: str) -> Advice:
    """The answer for one release."""
    release = by_label(label)
    assert release is not None
    (one,) = advise(machine, (release,))
    return one


@pytest.mark.parametrize("row", releases(), ids=lambda row: row.label)
def test_without_gpu_only_rtx_builds_and_nothing_runs(row: Any) -> None:
    """A laptop without GPU builds with every TensorRT-RTX and with no TensorRT."""
    one = answer(LAPTOP, row.label)
    assert one.run == "no: no NVIDIA driver"
    assert one.build == ("yes, without GPU" if row.flavour == "tensorrt-rtx" else one.run)


@pytest.mark.parametrize(
    ("machine", "label", "build", "run"),
    [
        (H100, "rtx1.6", "yes, measured", "yes, measured"),
        (H100, "rtx1.7", "yes, without GPU", "no: compute capability 9.0 is refused (measured)"),
        (H100, "trt7.0", "unproven: compute capability 9.0, known are 3.5 to 7.5", None),
        (H100, "trt8.6", "yes", "yes"),
        (H100, "trt11.4", "yes", "yes"),
        (T4, "trt8.4", "yes", "yes"),
        (T4, "trt8.5", "yes", "yes"),
        (T4, "trt10.12", "yes", "yes"),
        (T4, "trt10.14", "no: driver 470.82.01 has CUDA 11.4, needs 12: driver 525 or newer", None),
        (T4, "rtx1.7", "yes, without GPU",
         "no: driver 470.82.01 has CUDA 11.4, needs 12: driver 525 or newer"),
        (with_gpu("535.104.05", "Tesla V100", (7, 0)), "trt10.4", "yes", "yes"),
        (with_gpu("535.104.05", "Tesla V100", (7, 0)), "trt10.5",
         "no: compute capability 7.0, needs 7.5 or newer", None),
        (with_gpu("580.1", "A100", (8, 0)), "rtx1.7", "yes", "yes"),
        (with_gpu("580.1", "Orin", (8, 7)), "rtx1.7", "yes, without GPU",
         "unproven: compute capability 8.7, known are 7.5, 8.0, 8.6, 8.9, 12.0, 12.1"),
        (with_gpu("580.1", "new", (13, 0)), "trt11.4",
         "unproven: compute capability 13.0, known are 7.5 to 12.0", None),
        (with_gpu("580.1", "odd", None), "trt11.4",
         "unproven: the compute capability of odd is not known", None),
        (with_gpu("390.1", "GTX 680", (3, 0)), "trt7.0",
         "no: driver 390.1 of an unknown CUDA version, needs 10.0: driver 410 or newer", None),
        (replace(H100, gpus=(), gpu_reason="the CUDA driver sees no device"), "trt11.4",
         "no: the CUDA driver sees no device", None),
    ],
)  # fmt: skip
def test_builds_and_runs(machine: Machine, label: str, build: str, run: str | None) -> None:
    """Driver, CUDA version and compute capability decide; what no table knows is unproven."""
    one = answer(machine, label)
    assert (one.build, one.run) == (build, run or build)


@pytest.mark.parametrize("first", [(9, 0), (7, 5)])
def test_one_gpu_that_runs_is_enough(first: tuple[int, int]) -> None:
    """With two GPUs the better answer stands, whatever their order."""
    gpus = (Gpu("one", first), Gpu("other", (9, 0) if first == (7, 5) else (7, 5)))
    assert answer(replace(H100, gpus=gpus), "rtx1.7").run == "yes"


@pytest.mark.parametrize(
    ("machine", "label", "steps"),
    [
        (LAPTOP, "rtx1.7", "tox run -e rtx17"),
        (H100, "rtx1.6", "tox run -e rtx16-gpu"),
        (H100, "rtx1.7", "tox run -e rtx17"),
        (replace(H100, toolkit=None), "rtx1.6",
         "tox run -e rtx16 (engines run with CUDA's headers only, which pycuda is built with)"),
        (with_gpu("535.104.05", "L4", (8, 9)), "rtx1.7",
         "python -m pip install tensorrt-rtx-cu12==1.7.1.116"),
        (LAPTOP, "trt8.5",
         'its wheels are for Python 3.6-3.10, none here: PATH -m pip install tensorrt==8.5.3.1 '
         '"nvidia-cudnn-cu11<9", then --tensorrt PATH'),
        (replace(LAPTOP, others=(OLDER,)), "trt8.5",
         'its wheels are for Python 3.6-3.10: /usr/bin/python3.10 -m pip install tensorrt==8.5.3.1 '
         '"nvidia-cudnn-cu11<9", then --tensorrt /usr/bin/python3.10'),
        (T4, "trt10.0",
         "python -m pip install tensorrt-cu11==10.0.1 (fetches libraries from NVIDIA's own index)"),
        (LAPTOP, "trt10.13",
         "python -m pip install tensorrt-cu13==10.13.3.9 (fetches libraries from NVIDIA's own index)"),
        (T4, "trt8.6",
         "its wheels are for CUDA 12: NVIDIA's archive or container, for Python 3.6-3.10, then --tensorrt "
         "PATH; no such Python here"),
        (replace(LAPTOP, others=(OLDER,)), "trt9.3",
         "no wheel on the package index: NVIDIA's archive or container, for Python 3.8-3.10, then --tensorrt "
         "PATH; such a Python is /usr/bin/python3.10"),
        (LAPTOP, "trt7.0",
         "no wheel on the package index: NVIDIA's archive or container, for Python 3.6 or newer, then "
         "--tensorrt PATH"),
        (replace(LAPTOP, installed={"tensorrt-cu12": "10.9.0.34", "tensorrt-llm": "10.9"}), "trt10.9",
         "installed here: tensorrt-cu12==10.9.0.34"),
        (replace(LAPTOP, installed={"tensorrt": "8.4.1.5"}), "trt8.4", "installed here: tensorrt==8.4.1.5"),
        (replace(LAPTOP, installed={"tensorrt-rtx-cu13": "1.6.1.120"}), "rtx1.7", "tox run -e rtx17"),
        (replace(LAPTOP, python=OLDER), "rtx1.7", "python -m pip install tensorrt-rtx-cu13==1.7.1.116"),
    ],
)  # fmt: skip
def test_how_to_install(machine: Machine, label: str, steps: str) -> None:
    """The command fits the Pythons, the driver and what is there already."""
    assert answer(machine, label).steps == steps


@pytest.mark.parametrize(
    ("machine", "label", "build"),
    [
        (replace(LAPTOP, system="darwin", arch="arm64", glibc=None), "rtx1.7",
         "no: there is no TensorRT for darwin_aarch64"),
        (replace(LAPTOP, system="darwin", arch="x86_64", glibc=None), "trt7.0",
         "no: there is no TensorRT for darwin_x86_64"),
        (replace(LAPTOP, system="windows", arch="amd64", glibc=None), "rtx1.7", "yes, without GPU"),
        (replace(LAPTOP, system="windows", arch="arm64", glibc=None), "rtx1.7",
         "no: there is no TensorRT for win_arm64"),
        (replace(LAPTOP, glibc=(2, 17)), "rtx1.4", "no: its wheels need glibc 2.28, here it is 2.17"),
        (replace(LAPTOP, glibc=(2, 28)), "rtx1.4", "yes, without GPU"),
        (replace(LAPTOP, glibc=None), "rtx1.7", "no: its wheels need glibc 2.28, here is another C library"),
        (replace(LAPTOP, arch="aarch64"), "rtx1.5", "no: no wheel for linux_aarch64"),
        (replace(LAPTOP, arch="aarch64"), "rtx1.6", "yes, without GPU"),
        (replace(LAPTOP, arch="ppc64le"), "trt8.5", "no: there is no TensorRT for linux_ppc64le"),
    ],
)  # fmt: skip
def test_platforms(machine: Machine, label: str, build: str) -> None:
    """Wheels are for certain systems, processors and C libraries; elsewhere the reason is named."""
    assert answer(machine, label).build == build


def test_a_jetson_is_told_what_is_known() -> None:
    """Before TensorRT 11 JetPack brings it; from 11 the aarch64 wheels are for it, where its CUDA is 13."""
    assert "no wheel for jetson: JetPack, for Python 3.8-3.10" in answer(JETSON, "trt10.3").steps
    assert answer(JETSON, "trt10.3").run == "yes"
    assert "driver has CUDA 12.6, needs 13" in answer(JETSON, "trt11.4").run
    newer = answer(replace(JETSON, cuda=(13, 0)), "trt11.4")
    assert "tensorrt-cu13==11.4.0.106" in newer.steps
    assert newer.run == "yes"
    assert "the tables do not know" in describe(JETSON, releases(), as_json=False)
    assert answer(JETSON, "rtx1.7").build == "no: no wheel for jetson"


@pytest.mark.parametrize(
    ("linux", "says"),
    [("35.4.1", "Jetson Linux 35.2.1: TensorRT 8.5.2, CUDA 11.4, Python 3.8; rows: --tensorrt 8.5"),
     ("38.2", "of Jetson Linux 38.2: JetPack 7.0"),
     ("39.1", "of Jetson Linux 39.1: no row of jetpack.toml"), ("", "not known: /etc/nv_tegra_release")],
)  # fmt: skip
def test_a_jetson_is_told_its_jetpack(linux: str, says: str) -> None:
    """What its JetPack brings, and which rows of the support table apply; no other machine has the line."""
    assert says in describe(replace(JETSON, jetson_linux=linux), releases(), as_json=False)
    assert "JetPack   " not in describe(LAPTOP, releases(), as_json=False)


def test_releases_that_differ_in_their_pin_alone_are_one_group() -> None:
    """The newest is written out, the others by their version; a different package is another group."""
    lines = describe(LAPTOP, releases(), as_json=False).splitlines()
    at = lines.index("TensorRT-RTX 1.4 - 1.7    build       yes, without GPU")
    assert lines[at + 1].split() == ["run", "no:", "no", "NVIDIA", "driver"]
    assert lines[at + 2 : at + 4] == ["  tox run -e rtx17", "  likewise rtx14, rtx15, rtx16"]
    assert "TensorRT 10.0 - 10.12     build, run  no: no NVIDIA driver" in lines
    assert "TensorRT 10.13 - 11.4     build, run  no: no NVIDIA driver" in lines


def test_the_machine_is_described() -> None:
    """The head names driver, GPU, Pythons, toolkit and what is installed."""
    machine = replace(H100, others=(OLDER,), broken=("python3.6",), installed={"tensorrt": "8.5.3.1"})
    text = describe(machine, releases(), as_json=False)
    for part in (
        "linux_x86_64, glibc 2.36",
        "3.11 /usr/bin/python3.11; 3.10 /usr/bin/python3.10",
        "do not run: python3.6",
        "driver 580.159.04 has CUDA 13.0",
        "NVIDIA H100 80GB HBM3, compute capability 9.0, 16 GiB",
        "CUDA 13.0, /usr/local/cuda, pycuda can be built",
        "tensorrt 8.5.3.1",
    ):
        assert part in text


@pytest.mark.parametrize(
    ("toolkit", "says"), [(None, "none: pycuda"), (Toolkit("/c", "", False), "no cuda.h: pycuda cannot")]
)
def test_a_missing_toolkit_is_named(toolkit: Toolkit | None, says: str) -> None:
    """Without CUDA's headers engines cannot be run, and that is said."""
    assert says in describe(replace(LAPTOP, toolkit=toolkit), releases(), as_json=False)
