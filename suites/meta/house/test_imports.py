"""Who may import whom, as the house plan says, read from the source text."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from suites.meta.places import ROOT

HEAVY = {"torch", "mxnet", "cv2", "tensorrt", "tensorrt_rtx", "tensorrt_rtx_bindings", "pycuda"}
HEAVY |= {"onnxruntime", "sklearn", "skimage", "PIL"}
RULES = {
    "reference_models": {"numpy", "reference_models"},
    "fixtures/metrics": {"numpy", "onnx", "fixtures.metrics"},
    "fixtures/records.py": {"numpy", "onnx", "fixtures.verdicts"},
    "fixtures/store/artifacts.py": {"numpy"},
    "fixtures/compatibility": {"numpy", "onnx", "hypothesis", "fixtures.compatibility"},
    "fixtures/environment": {"fixtures.environment", "fixtures.compatibility"},
    "fixtures/converters": {
        "numpy", "onnx", "reference_models", "fixtures.converters", "fixtures.verdicts",
        "fixtures.store.artifacts",
    },
    "fixtures/exporters": {
        "numpy", "onnx", "hypothesis", "fixtures.exporters", "fixtures.converters", "fixtures.metrics",
        "fixtures.runtimes", "fixtures.verdicts",
    },
    "fixtures/quantization": {
        "numpy", "onnx", "fixtures.runtimes.onnxruntime", "fixtures.quantization", "fixtures.verdicts",
        "fixtures.store.artifacts", "fixtures.runtimes.base",
    },
    "fixtures/runtimes": {
        "numpy", "packaging", "reference_models", "fixtures.runtimes", "fixtures.store.artifacts",
        "fixtures.verdicts", "fixtures.compatibility.tables",
    },
    "fixtures/report": {
        "jinja2", "rich", "fixtures.records", "fixtures.stages", "fixtures.verdicts", "fixtures.report",
    },
}  # fmt: skip
"""Path -> what its modules may import at the top, beside the standard library."""
LAZY = {
    "reference_models/pytorch/mobilenet.py",
    "reference_models/pytorch/resnet.py",
    "reference_models/pytorch/unet.py",
    "reference_models/pytorch/yolov5_modules.py",
    "suites/meta/networks/functional_networks.py",
}
"""Modules that are themselves imported only inside the function that needs their framework."""


def sources(*places: str) -> list[Path]:
    """Python files below the places."""
    files: list[Path] = []
    for place in places:
        path = ROOT / place
        files += [path] if path.suffix else sorted(path.rglob("*.py"))
    return files


def imports(path: Path, *, anywhere: bool) -> Iterator[str]:
    """Modules that a file imports: at its top level, or anywhere in it."""
    tree = ast.parse(path.read_text("utf-8"))
    for node in ast.walk(tree) if anywhere else tree.body:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


def forbidden(path: Path, allowed: set[str], *, anywhere: bool = False) -> list[str]:
    """Imports of a file that are neither allowed nor of the standard library."""
    return [
        name
        for name in imports(path, anywhere=anywhere)
        if name.split(".")[0] not in sys.stdlib_module_names | {"__future__"}
        and not any(name == base or name.startswith(base + ".") for base in allowed)
    ]


@pytest.mark.parametrize("place", RULES)
def test_each_room_imports_only_what_it_may(place: str) -> None:
    """No module imports outside the direction of the house plan."""
    found = {
        path.relative_to(ROOT).as_posix(): bad
        for path in sources(place)
        if path.relative_to(ROOT).as_posix() not in LAZY and (bad := forbidden(path, RULES[place]))
    }
    assert not found


def test_no_module_imports_a_framework_at_its_top() -> None:
    """Collecting needs neither a framework nor TensorRT."""
    files = sources("conftest.py", "fixtures", "reference_models", "suites")
    found = {
        path.relative_to(ROOT).as_posix(): bad
        for path in files
        if path.relative_to(ROOT).as_posix() not in LAZY
        and (bad := [n for n in imports(path, anywhere=False) if n.split(".")[0] in HEAVY])
    }
    assert not found


def test_only_the_plugin_imports_pytest() -> None:
    """Everything else of fixtures and reference_models can be used without pytest."""
    files = sources("fixtures", "reference_models")
    users = {p.parent.name for p in files if "pytest" in set(imports(p, anywhere=True))}
    assert users == {"plugin"}


def test_a_wrong_import_is_seen(tmp_path: Path) -> None:
    """The rule trips on a planted import."""
    planted = tmp_path / "planted.py"
    planted.write_text("import json\nfrom fixtures.plugin.fixtures import pipeline\nimport torch\n")
    assert forbidden(planted, RULES["fixtures/metrics"]) == ["fixtures.plugin.fixtures", "torch"]


def test_runtimes_never_import_converters() -> None:
    """A source runtime stays independent of the converter that it judges."""
    for path in sources("fixtures/runtimes"):
        assert not [n for n in imports(path, anywhere=True) if n.startswith("fixtures.converters")]
