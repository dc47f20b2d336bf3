"""Which tests of the suite itself are slow and why, and in which order they run."""

from __future__ import annotations

import gc
import os
import signal
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from suites.meta.places import SHARED

HERE = Path(__file__).parent
TORCH, MXNET, OPENCV = "starts torch", "starts MXNet", "starts OpenCV"
CHILDREN, BUILDS = "runs of pytest in child processes", "builds engines in a TensorRT worker"
SLOW = {
    "benchmarks/test_exports.py": "commands as processes of their own",
    "benchmarks/test_latency.py": "the benchmark as a process of its own",
    "benchmarks/test_pruning.py": "a network of its real width",
    "benchmarks/test_pytorch.py": TORCH,
    "benchmarks/test_scale.py": CHILDREN,
    "benchmarks/test_slimming.py": TORCH,
    "benchmarks/test_triage.py": TORCH,
    "checks/test_exporter_traps.py": TORCH,
    "checks/test_migration.py": BUILDS,
    "checks/test_migration_runs.py": CHILDREN,
    "checks/test_prediction.py": CHILDREN,
    "checks/test_support.py": CHILDREN,
    "commands/test_command.py": "commands as processes of their own",
    "commands/test_prune_pytorch.py": TORCH,
    "commands/test_training.py": TORCH,
    "compatibility/rewrites/test_build.py": BUILDS,
    "compatibility/rewrites/test_opset.py": TORCH,
    "compatibility/test_remedies.py": "each remedy carried out",
    "compatibility/test_rows.py": "every model of a row rewritten for each release",
    "converters/darknet/test_fuzz.py": "hundreds of generated files",
    "converters/darknet/test_parity.py": OPENCV,
    "converters/darknet/test_photos.py": OPENCV,
    "converters/darknet/test_real_boxes.py": "Darknet's own library",
    "converters/darknet/test_real_layers.py": "Darknet's own library",
    "converters/darknet/test_real_networks.py": "Darknet's own library",
    "converters/darknet/test_silence.py": "hundreds of networks",
    "converters/darknet/test_whole_networks.py": "ten thousand layers",
    "converters/darknet/test_zoo.py": "networks of their real size",
    "converters/darknet/test_zoo_parity.py": OPENCV,
    "converters/mxnet/test_convert.py": MXNET,
    "converters/mxnet/test_fuzz.py": "thousands of generated files",
    "converters/mxnet/test_params.py": MXNET,
    "converters/mxnet/test_symbol.py": MXNET,
    "converters/mxnet/test_zoo.py": MXNET,
    "converters/mxnet/test_zoo_parity.py": MXNET,
    "converters/pytorch": TORCH,
    "exporters": TORCH,
    "training": TORCH,
    "triage/test_cells.py": CHILDREN,
    "triage/test_sources.py": TORCH,
    "exports/test_formats.py": "hundreds of generated records",
    "gates": CHILDREN,
    "history/test_killed.py": "writers as processes of their own",
    "mutants/test_run.py": "runs of the command in child processes",
    "house/test_interrupts.py": CHILDREN,
    "house/test_scheduling.py": CHILDREN,
    "house/test_stages.py": CHILDREN,
    "oracles/darknet_interpreter/test_activations.py": TORCH,
    "oracles/darknet_interpreter/test_interpreter.py": TORCH,
    "oracles/darknet_interpreter/test_opencv.py": OPENCV,
    "pipeline/test_changed_code.py": OPENCV,
    "pruning/darknet/test_files.py": "Darknet's own library",
    "pruning/darknet/test_proofs.py": "every network of the zoo",
    "pruning/mxnet": MXNET,
    "pruning/pytorch": TORCH,
    "quantization": TORCH,
    "reference_models": TORCH,
    "report/test_page.py": "a browser",
    "run/test_gpus.py": CHILDREN,
    "runtimes/tensorrt/test_build_options.py": BUILDS,
    "runtimes/tensorrt/test_conformance.py": "a worker process for each release and test",
    "runtimes/tensorrt/test_environment.py": "virtual environments",
    "runtimes/tensorrt/test_names.py": "the names of each release",
    "runtimes/tensorrt/test_options.py": BUILDS,
    "runtimes/tensorrt/test_worker.py": BUILDS,
    "runtimes/tensorrt/test_worker_protocol.py": "every bit of a frame",
    "runtimes/test_darknet_library.py": "Darknet's own library",
    "runtimes/test_mxnet_runtime.py": MXNET,
    "runtimes/test_source_gpu.py": TORCH,
    "runtimes/test_source_parity.py": OPENCV,
    "store/test_keys.py": "every file of every closure",
    "store/test_remote.py": "writers as processes of their own, a server of S3",
    "store/test_shared.py": "writers as processes of their own",
    "user_models": CHILDREN,
}
"""File or folder -> why its tests take seconds or need a framework. `tox run -e unit` leaves them out."""

TOGETHER = {
    "suites/meta/converters/mxnet/test_zoo_parity.py": "suites/meta/converters/mxnet/test_zoo.py",
}
"""File -> another one that its tests run after, in the same process: what both need takes 40 s to make."""

# A machine that is shared draws slowly now and then: that is no fault of a test.
settings.register_profile("shared machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("shared machine")


def pytest_configure(config: pytest.Config) -> None:
    """Make the folder that the processes of a run share: those of pytest-xdist inherit its name."""
    if not hasattr(config, "workerinput"):
        folder = tempfile.TemporaryDirectory(prefix="trt-parity-meta-")
        config.add_cleanup(folder.cleanup)
        os.environ[SHARED] = folder.name


def pytest_collection_finish() -> None:
    """Leave what was collected out of each later look for garbage: it stays, and it is a million objects."""
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)


@pytest.fixture(scope="session", autouse=True)
def ctrl_c_is_heard() -> Iterator[None]:
    """Hear SIGINT, which tests send: a shell without job control lets what it puts behind it ignore that."""
    before = signal.getsignal(signal.SIGINT)
    if before is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Hand out whole files with ``--dist loadfile``, those of TOGETHER to one process."""
    if config.getvalue("dist") != "loadfile":
        return None
    from xdist.scheduler import LoadFileScheduling

    class Files(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file: str = super()._split_scope(nodeid)
            return TOGETHER.get(file, file)

        def remove_node(self, node: Any) -> Any:
            """Leave to others what a process that has died had not done, and not the files that it had.

            One that is given such a file has nothing to run and nothing to report, and waits for ever.
            """
            files = self.assigned_work.get(node, {})
            for file in [file for file, tests in files.items() if all(tests.values())]:
                del files[file]
            return super().remove_node(node)

    return Files(config, log)


@cache
def why_slow(path: Path) -> str:
    """Return why the tests of a file are slow, empty where they are not."""
    name = path.relative_to(HERE).as_posix()
    return next((why for place, why in SLOW.items() if name == place or name.startswith(place + "/")), "")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave files unread of which no test is wanted: `tox run -e unit` spares itself half of the imports."""
    wanted = config.option.markexpr != "not slow" or not why_slow(collection_path)
    return None if wanted else True


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what is slow and let it run first: at the end of a run no process then waits for a long one."""
    files = {path: path.is_relative_to(HERE) for path in {item.path for item in items}}
    own = [item for item in items if files[item.path]]
    for item in own:
        if why_slow(item.path):
            item.add_marker(pytest.mark.slow)
    own.sort(key=lambda item: item.get_closest_marker("slow") is None)
    items[:] = [*own, *(item for item in items if not files[item.path])]
