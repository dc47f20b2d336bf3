"""Who may import whom, read from the source text: one row a room, for whole files and not only their tops."""

import ast
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from suites.meta.places import ROOT

HEAVY = {"torch", "mxnet", "cv2", "tensorrt", "tensorrt_rtx", "tensorrt_rtx_bindings", "pycuda"}
HEAVY |= {"onnxruntime", "sklearn", "skimage", "PIL"}
ALL_OF_FIXTURES = "fixtures"
OURS = ("fixtures", "reference_models", "suites", "benchmarks", "conftest")
LOOSE_MODULES = 8
"""How many modules may lie beside the rooms of ``fixtures/``; what is more belongs into a room."""


@dataclass(frozen=True)
class Room:
    """A folder or a loose module, and what its files may import beside the standard library and themselves.

    ours: modules and packages of the suite, with all below them, anywhere in a file.
    top: packages of others, at the top of a file. inside: those that only a function may import.
    """

    path: str
    ours: str = ""
    top: str = ""
    inside: str = ""

    @property
    def itself(self) -> str:
        """The dotted name of the room."""
        return self.path.removesuffix(".py").replace("/", ".")


ROOMS = (
    Room("reference_models", "", "numpy", "torch mxnet sklearn skimage PIL platformdirs"),
    Room("fixtures/verdicts.py"),
    Room("fixtures/work.py"),
    Room("fixtures/metrics", "", "numpy onnx", "pycocotools"),
    Room("fixtures/records.py", "fixtures.verdicts"),
    Room("fixtures/history", "fixtures.records fixtures.verdicts"),
    Room("fixtures/store", "reference_models fixtures.verdicts fixtures.work", "numpy", "fsspec"),
    Room("fixtures/cases.py", "reference_models.model fixtures.verdicts"),
    Room("fixtures/stages.py", "fixtures.cases fixtures.verdicts"),
    Room("fixtures/compatibility", "fixtures.verdicts", "numpy onnx hypothesis", "onnxruntime onnxslim"),
    Room("fixtures/environment", "fixtures.compatibility", "", "pynvml"),
    Room(
        "fixtures/converters",
        "reference_models fixtures.compatibility fixtures.metrics fixtures.store.files fixtures.verdicts",
        "numpy onnx", "torch onnxruntime onnxslim",
    ),
    Room(
        "fixtures/training",
        "reference_models fixtures.converters fixtures.metrics fixtures.store.files fixtures.verdicts",
        "numpy", "torch PIL",
    ),
    Room(
        "fixtures/runtimes",
        "reference_models fixtures.store.files fixtures.verdicts fixtures.work fixtures.compatibility.tables",
        "numpy packaging", "torch mxnet cv2 onnxruntime pycuda platformdirs",
    ),
    Room(
        "fixtures/quantization",
        "fixtures.store.files fixtures.verdicts fixtures.runtimes.onnxruntime fixtures.runtimes.base",
        "numpy onnx", "onnxruntime",
    ),
    Room(
        "fixtures/pruning",
        "reference_models fixtures.converters fixtures.runtimes.base fixtures.runtimes.onnxruntime "
        "fixtures.store.files fixtures.verdicts",
        "numpy onnx", "torch torch_pruning",
    ),
    Room(
        "fixtures/exporters", "fixtures.converters fixtures.metrics fixtures.runtimes fixtures.verdicts",
        "numpy onnx hypothesis", "torch onnxruntime",
    ),
    Room(
        "fixtures/user_models",
        "reference_models fixtures.compatibility fixtures.converters fixtures.store fixtures.verdicts",
        "numpy onnx",
    ),
    Room(
        "fixtures/pipeline",
        "reference_models fixtures.compatibility fixtures.converters fixtures.metrics fixtures.pruning "
        "fixtures.quantization fixtures.runtimes fixtures.store fixtures.verdicts fixtures.work",
        "numpy onnx", "torch",
    ),
    Room(
        "fixtures/expectations",
        "reference_models fixtures.cases fixtures.compatibility fixtures.converters.onnx_graph "
        "fixtures.metrics fixtures.stages fixtures.store.kept fixtures.verdicts", "", "jsonschema",
    ),
    Room(
        "fixtures/recording.py",
        "fixtures.cases fixtures.expectations fixtures.metrics fixtures.records fixtures.stages "
        "fixtures.verdicts fixtures.work",
    ),
    Room(
        "fixtures/baselines",
        "fixtures.expectations fixtures.metrics fixtures.recording fixtures.records fixtures.verdicts",
        "numpy",
    ),
    Room(
        "fixtures/checks",
        "reference_models.finite reference_models.model reference_models.yolo fixtures.cases "
        "fixtures.compatibility fixtures.converters fixtures.environment.clocks fixtures.expectations "
        "fixtures.exporters fixtures.metrics fixtures.pipeline fixtures.pruning fixtures.quantization "
        "fixtures.recording fixtures.records fixtures.runtimes fixtures.stages fixtures.store "
        "fixtures.verdicts fixtures.work",
        "numpy onnx", "trtcheck",
    ),
    Room(
        "fixtures/run",
        "reference_models fixtures.baselines fixtures.cases fixtures.compatibility fixtures.converters "
        "fixtures.environment fixtures.expectations fixtures.history fixtures.pipeline fixtures.recording "
        "fixtures.records fixtures.runtimes fixtures.stages fixtures.store fixtures.user_models "
        "fixtures.verdicts",
    ),
    Room(
        "fixtures/report", "fixtures.history fixtures.records fixtures.stages fixtures.verdicts",
        "jinja2 markupsafe rich", "msgspec",
    ),
    Room(
        "fixtures/exports", "fixtures.history fixtures.records fixtures.report fixtures.verdicts",
        "", "pyarrow",
    ),
    Room(
        "fixtures/triage",
        "reference_models.model fixtures.cases fixtures.compatibility.check.foreign "
        "fixtures.converters.onnx_graph fixtures.expectations fixtures.metrics fixtures.pipeline "
        "fixtures.recording fixtures.runtimes fixtures.store.files "
        "fixtures.verdicts",
        "numpy onnx", "torch cv2 onnxruntime tensorrt tensorrt_rtx pycuda",
    ),
    Room("fixtures/plugin", f"reference_models {ALL_OF_FIXTURES}", "pytest"),
    Room("fixtures/commands", f"reference_models {ALL_OF_FIXTURES}", "numpy onnx"),
    Room("fixtures/__main__.py", "fixtures.commands"),
    Room("conftest.py", "fixtures.run fixtures.plugin", "pytest"),
    Room("trt_parity.py", "fixtures.plugin fixtures.run.options", "pytest"),
    Room("suites", f"suites {ALL_OF_FIXTURES}", "numpy pytest"),
    Room(
        "benchmarks",
        "fixtures.__main__ fixtures.checks.scoring fixtures.commands fixtures.converters "
        "fixtures.exports.formats fixtures.metrics fixtures.pipeline fixtures.pruning fixtures.quantization "
        "fixtures.records fixtures.report.experiments fixtures.runtimes fixtures.store "
        "fixtures.training fixtures.triage fixtures.user_models fixtures.verdicts reference_models",
        "numpy onnx", "torch onnxruntime polygraphy PIL",
    ),
)  # fmt: skip
"""From the ground floor up: no room imports one that stands below it here."""
LAZY = {
    "fixtures/training/activations.py",
    "fixtures/training/boxes.py",
    "fixtures/training/checkpoint.py",
    "fixtures/training/darknet_module.py",
    "fixtures/training/detector.py",
    "fixtures/training/drawing.py",
    "fixtures/training/evaluation.py",
    "fixtures/training/loss.py",
    "fixtures/training/optimization.py",
    "fixtures/training/convolutions.py",
    "fixtures/training/parts.py",
    "fixtures/training/plain_layers.py",
    "fixtures/training/training.py",
    "fixtures/training/weight_file.py",
    "fixtures/training/weighted_layers.py",
    "fixtures/training/yolov5_loss.py",
    "reference_models/pytorch/mobilenet.py",
    "reference_models/pytorch/resnet.py",
    "reference_models/pytorch/unet.py",
    "reference_models/pytorch/yolov5_modules.py",
    "suites/meta/networks/functional_networks.py",
    "suites/meta/networks/prunable_modules.py",
    "suites/meta/networks/torch_modules.py",
    "suites/meta/triage/modules.py",
}
"""Modules that are themselves imported only inside the function that needs their framework."""


def sources(*places: str) -> list[Path]:
    """Return the Python files below the places; of ``suites`` the claims, without the tests of the suite."""
    files: list[Path] = []
    for place in places:
        path = ROOT / place
        files += [path] if path.suffix else sorted(path.rglob("*.py"))
    return [file for file in files if place_of(file).split("/")[:2] != ["suites", "meta"]]


def place_of(path: Path) -> str:
    """Return a file's path from the root of the checkout."""
    return path.relative_to(ROOT).as_posix() if path.is_relative_to(ROOT) else path.name


@cache
def tree(path: Path) -> ast.Module:
    """Return the syntax tree of a file, parsed once."""
    return ast.parse(path.read_text("utf-8"))


@cache
def imports(path: Path, *, anywhere: bool) -> frozenset[str]:
    """Return the modules that a file imports, at its top level or anywhere in it."""
    nodes = ast.walk(tree(path)) if anywhere else tree(path).body
    found = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            bare = module in OURS  # `from fixtures import records` is about the module, not the package
            found |= {f"{module}.{alias.name}" for alias in node.names} if bare else {module}
    return frozenset(name for name in found if name.split(".")[0] not in sys.stdlib_module_names)


def within(name: str, allowed: str) -> bool:
    """Tell whether a module is one of those named, or below one."""
    return any(name == base or name.startswith(base + ".") for base in allowed.split())


def forbidden(path: Path, room: Room) -> list[str]:
    """Return the imports of a file that its room may not have."""
    lazy = place_of(path) in LAZY
    top = f"{room.top} {room.inside}" if lazy else room.top
    bad = [n for n in imports(path, anywhere=False) if not ours(n) and not within(n, top)]
    for name in imports(path, anywhere=True):
        allowed = f"{room.itself} {room.ours}" if ours(name) else f"{room.top} {room.inside}"
        bad += [] if within(name, allowed) else [name]
    return sorted(set(bad))


def ours(name: str) -> bool:
    """Tell whether a module is one of the suite's."""
    return name.split(".", maxsplit=1)[0] in OURS


@pytest.mark.parametrize("room", ROOMS, ids=lambda room: room.path)
def test_each_room_imports_only_what_it_may(room: Room) -> None:
    """No file of a room imports what its row does not name, at its top or inside a function."""
    found = {place_of(file): bad for file in sources(room.path) if (bad := forbidden(file, room))}
    assert not found


def test_the_rooms_stand_on_one_another() -> None:
    """A room names only rooms of the floors below it, so that no circle can come about."""
    below: set[str] = set()
    for room in ROOMS:
        if ALL_OF_FIXTURES not in room.ours.split():
            named = {name for name in room.ours.split() if name.startswith("fixtures.")}
            assert {name for name in named if not within(name, " ".join(below))} == set(), room.path
        below.add(room.itself)


def test_every_room_has_its_row() -> None:
    """A new folder or module of ``fixtures/`` says what it may import."""
    places = {place_of(path) for path in (ROOT / "fixtures").iterdir() if next(path.rglob("*.py"), None)}
    places |= {place_of(path) for path in (ROOT / "fixtures").glob("*.py")} - {"fixtures/__init__.py"}
    assert places == {room.path for room in ROOMS if room.path.startswith("fixtures/")}


def test_fixtures_has_few_loose_modules() -> None:
    """What belongs together lies in a room; beside the rooms lie at most eight modules."""
    loose = sorted(p.name for p in (ROOT / "fixtures").glob("*.py") if not p.name.startswith("__"))
    assert len(loose) <= LOOSE_MODULES, loose


def test_no_module_imports_a_framework_at_its_top() -> None:
    """Collecting needs neither a framework nor TensorRT."""
    files = [ROOT / "conftest.py", *(f for p in OURS[:3] for f in sorted((ROOT / p).rglob("*.py")))]
    found = {
        place_of(path): bad
        for path in files
        if place_of(path) not in LAZY
        and (bad := [n for n in imports(path, anywhere=False) if n.split(".")[0] in HEAVY])
    }
    assert not found


def test_only_the_plugin_imports_pytest() -> None:
    """Everything else of fixtures and reference_models can be used without pytest."""
    files = sources("fixtures", "reference_models")
    users = {p.parent.name for p in files if "pytest" in imports(p, anywhere=True)}
    assert users == {"plugin"}


PLANTED = {
    "of a room above": ("from fixtures.plugin.fixtures import pipeline", "fixtures.plugin.fixtures"),
    "as a module of the package": ("from fixtures import records", "fixtures.records"),
    "inside a function": ("def f():\n    import fixtures.run", "fixtures.run"),
    "of a framework at the top": ("import torch", "torch"),
    "of a package that nobody named": ("def f():\n    import requests", "requests"),
}


@pytest.mark.parametrize(("text", "named"), PLANTED.values(), ids=PLANTED)
def test_a_wrong_import_is_seen(text: str, named: str, tmp_path: Path) -> None:
    """The rule trips on a planted import, and on nothing else."""
    planted = tmp_path / "planted.py"
    planted.write_text(f"import json\nimport numpy\n{text}\n")
    assert forbidden(planted, Room("fixtures/metrics", "", "numpy", "scipy")) == [named]


def test_a_room_that_names_a_floor_above_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """The order of the rows is a rule: a row moved down trips it."""
    first, *others = ROOMS[1:]
    monkeypatch.setattr(sys.modules[__name__], "ROOMS", (*others, first))
    with pytest.raises(AssertionError, match=r"fixtures/records\.py"):
        test_the_rooms_stand_on_one_another()


def test_runtimes_never_import_converters() -> None:
    """A source runtime stays independent of the converter that it judges."""
    for path in sources("fixtures/runtimes"):
        assert not [n for n in imports(path, anywhere=True) if n.startswith("fixtures.converters")]
