"""The key of each thing changes with whatever makes it, and with nothing else."""

import json
import subprocess
import sys
from copy import copy
from dataclasses import dataclass, replace
from functools import cache, partial
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from typing import Any

import pytest

from fixtures.store import keys
from fixtures.store.closure import SourceTree
from reference_models import registry
from reference_models.model import Own, ReferenceModel
from reference_models.user import rows as user_rows
from reference_models.user.samples import Samples
from suites.meta.places import ROOT

MODELS = ("yolov3-tiny", "yolo-fastest", "yolov5n", "digits", "resnet18", "gender-age")
"""One model of each way in which rows are made; of MXNet's zoo one is added below."""


@dataclass(frozen=True)
class Thing:
    """One thing of the store: its kind and, where it is made of one, its model and converter."""

    kind: str
    model: str = ""
    converter: str = ""

    def __str__(self) -> str:
        return " ".join(filter(None, [self.kind, self.model, self.converter]))

    def files(self, tree: SourceTree) -> frozenset[str]:
        """Return what it is made by."""
        return keys.files_of(tree, self.kind, models().get(self.model), self.converter)

    def digest(self, tree: SourceTree) -> str:
        """Return the digest of what it is made by."""
        return tree.digest(self.files(tree))


@cache
def models() -> dict[str, ReferenceModel]:
    """Return the models of the registry, and a user's of each framework."""
    rows = registry.models()
    own = Own(asked=(), declaration="declared")
    users = {"own-darknet": "yolov3-tiny", "own-pytorch": "digits", "own-mxnet": "gender-age"}
    given: dict[str, Any] = {"build": partial(user_rows._build_files, ()), "samples": Samples({})}
    for name, like in users.items():
        rows[name] = replace(rows[like], name=name, own=own, dataset=None, network=None, **given)
    rows["own-onnx"] = replace(rows["own-mxnet"], name="own-onnx", framework="onnx", converters=("onnx",))
    return rows


@cache
def things() -> tuple[Thing, ...]:
    """Return one of each kind of thing, of each way in which a model is made."""
    made = [Thing(kind) for kind, how in keys.KINDS.items() if not how.of]
    zoo = next(name for name, module in registry.modules().items() if module.endswith("mxnet.zoo.rows"))
    for name in (*MODELS, zoo, *(name for name in models() if name.startswith("own-"))):
        made += [
            Thing(kind, name) for kind, how in keys.KINDS.items() if how.of and "converter" not in how.of
        ]
        made += [Thing("onnx", name, converter) for converter in models()[name].converters]
        made += [Thing("own-model", name)] * name.startswith("own-")
    return tuple(made)


@cache
def sources() -> tuple[str, ...]:
    """Return every file of the checkout that could make something."""
    files = [
        p for place in ("fixtures", "reference_models") for p in (ROOT / place).rglob("*") if p.is_file()
    ]
    return tuple(p.relative_to(ROOT).as_posix() for p in files if "__pycache__" not in p.parts)


def touched(file: str) -> SourceTree:
    """Return the checkout with another byte at the end of a file, sharing what was read of the others."""
    tree = copy(keys.tree())
    tree._data = {**tree._data, file: (ROOT / file).read_bytes() + b"\n"}
    tree._digests = {name: digest for name, digest in tree._digests.items() if name != file}
    tree._next = {visit: after for visit, after in tree._next.items() if visit[0] != file}
    return tree


@pytest.mark.slow
def test_a_touched_file_changes_the_key_of_what_it_makes_and_no_other() -> None:
    """Every file is touched in turn: the keys that change are those of the closures that have it."""
    files = {thing.files(keys.tree()): thing for thing in things()}
    before = {closure: thing.digest(keys.tree()) for closure, thing in files.items()}
    for file in sources():
        tree = touched(file)
        changed = {closure for closure, thing in files.items() if thing.digest(tree) != before[closure]}
        assert changed == {closure for closure in files if file in closure}, file


def all_of(kind: str, *frameworks: str) -> set[Thing]:
    """Return the things of a kind, of the models of frameworks."""
    return {t for t in things() if t.kind == kind and models()[t.model].framework in frameworks}


def converted(*frameworks: str) -> set[Thing]:
    """Return what converters of frameworks make: ONNX models, and what is known of a user's files."""
    return all_of("onnx", *frameworks) | all_of("own-model", *frameworks)


EVERY = ("darknet", "mxnet", "pytorch", "onnx")
OUTPUTS, TRAPS, BUILDS = Thing("onnxruntime-outputs"), Thing("exporter-traps"), Thing("builds")
PRUNED = Thing("pruned-outputs")
OF_A_ROW = ("source", "samples", "dataset", "int8-cost")
OPENCV = {Thing(kind, "own-darknet") for kind in OF_A_ROW}
"""OpenCV's weights for a user's Darknet network are written by the layers that the converter knows."""
ONNX = {Thing(kind, "own-onnx") for kind in OF_A_ROW}
"""What a user's ONNX file says of itself is read with the converter's help."""
MADE_BY = {
    "fixtures/converters/opset_resize.py": lambda: converted("darknet", "mxnet") | OPENCV | {PRUNED},
    "fixtures/converters/onnx_graph.py": lambda: (
        converted("darknet", "mxnet", "onnx") | OPENCV | ONNX | {PRUNED}
    ),
    "fixtures/converters/onnx_file.py": lambda: converted("onnx") | ONNX,
    "fixtures/converters/nms.py": lambda: converted("darknet") | {PRUNED},
    "fixtures/converters/lazy_weights.py": lambda: (
        converted("darknet", "mxnet", "onnx") | OPENCV | ONNX | {PRUNED}
    ),
    "fixtures/converters/mxnet/pooling.py": lambda: converted("mxnet"),
    "fixtures/converters/__init__.py": lambda: converted(*EVERY) | OPENCV | ONNX | {TRAPS, PRUNED},
    "fixtures/runtimes/opencv.py": lambda: all_of("samples", "darknet"),
    "fixtures/runtimes/mxnet_child.py": lambda: all_of("samples", "mxnet"),
    "fixtures/runtimes/torch_runtime.py": lambda: all_of("samples", "pytorch"),
    "fixtures/runtimes/darknet_child.py": lambda: {Thing("darknet-outputs")},
    "fixtures/runtimes/tensorrt/worker.py": lambda: {BUILDS, Thing("specimen-builds")},
    "fixtures/runtimes/onnxruntime.py": lambda: (
        {OUTPUTS, TRAPS, PRUNED} | all_of("samples", "onnx") | all_of("int8-cost", *EVERY)
    ),
    "fixtures/quantization/fp16.py": lambda: {Thing("fp16")},
    "fixtures/quantization/qdq.py": lambda: {Thing("quantized")},
    "fixtures/checks/int8_cost.py": lambda: all_of("int8-cost", *EVERY),
    "fixtures/metrics/bootstrap.py": lambda: all_of("int8-cost", *EVERY),
    "fixtures/checks/accuracy.py": set,
    "fixtures/pruning/darknet/rules.py": lambda: {PRUNED},
    "fixtures/pipeline/batches.py": lambda: {BUILDS},
    "fixtures/exporters/specimens/strategies.py": lambda: {TRAPS},
    "fixtures/compatibility/specimens/strategies.py": lambda: {Thing("specimens")},
    "fixtures/compatibility/specimens/windows.py": lambda: {Thing("specimens")},
    "reference_models/mxnet/build_gender_age.py": lambda: {
        t for t in things() if t.model == "gender-age" and t.kind != "own-model"
    },
    "reference_models/pytorch/resnet.py": lambda: {t for t in things() if t.model == "resnet18"},
    "reference_models/pytorch/digits.npz": lambda: {t for t in things() if t.model == "digits"},
    "reference_models/user/shapes.py": lambda: {t for t in things() if t.model.startswith("own-")},
    "reference_models/registry.py": set,
    "fixtures/store/keys.py": set,
    "fixtures/run/run.py": set,
}
"""File -> what it makes, written by hand: all that a change of it must make anew."""


@pytest.mark.parametrize("file", MADE_BY)
def test_a_file_makes_what_it_is_known_to_make(file: str) -> None:
    """Converters, runtimes and their children, rows and their weights each make their own things."""
    assert (ROOT / file).is_file()
    assert {str(t) for t in things() if file in t.files(keys.tree())} == {str(t) for t in MADE_BY[file]()}


IMPORTED = """
import json, os, sys
from importlib import import_module
import onnx, numpy
for name in sys.argv[1:]:
    if os.fork() == 0:
        import_module(name)
        files = [getattr(module, "__file__", None) for module in sys.modules.values()]
        print(json.dumps([name, [os.path.realpath(file) for file in files if file]]), flush=True)
        os._exit(0)
    os.wait()
"""


@pytest.mark.slow
def test_what_python_imports_is_in_the_closure() -> None:
    """Held against the modules that are loaded when each entry module is imported."""
    entries = {m for t in things() for m in keys.modules_of(t.kind, models().get(t.model), t.converter)}
    done = subprocess.run(
        [sys.executable, "-c", IMPORTED, *sorted(entries)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert {name for name, _ in rows} == entries
    for name, loaded in rows:
        ours = {Path(f).relative_to(ROOT).as_posix() for f in loaded if Path(f).is_relative_to(ROOT)}
        ours = {f for f in ours if "site-packages" not in f}  # an environment of tox lies in the checkout
        assert ours <= keys.tree().closure([name])
        assert ours


def test_every_way_to_a_converter_or_runtime_is_in_the_tables() -> None:
    """What `convert` and `source_runtime` choose from is what the keys have the code of."""
    tree = keys.tree()
    for package, table in (("fixtures.converters", keys.CONVERTERS), ("fixtures.runtimes", keys.RUNTIMES)):
        assert tree.closure([package]) == tree.closure([*table.values()])
    of_models = {converter for model in models().values() for converter in model.converters}
    assert of_models == set(keys.CONVERTERS)
    assert {model.framework for model in models().values()} == set(keys.RUNTIMES) == set(keys.PACKAGES)


def test_every_data_file_that_makes_something_is_in_a_closure() -> None:
    """Weights and tables beside modules count; those of other rooms make nothing that is stored."""
    used = {file for thing in things() for file in thing.files(keys.tree())}
    rooms = ("reference_models", "fixtures/converters", "fixtures/quantization", "fixtures/runtimes")
    data = [f for f in sources() if f.startswith(rooms) and not f.endswith((".py", ".md"))]
    for name in ("lenet", "digits-yolov5n", "digits-mobilenet"):  # of the zoo
        used |= keys.files_of(keys.tree(), "source", models()[name])
    assert {file for file in data if file not in used} == set()
    assert "reference_models/pytorch/lenet.npz" in data


def test_a_users_declaration_is_in_the_key() -> None:
    """Another declaration of the same framework is another key."""
    model = models()["own-pytorch"]
    other = replace(model, own=Own((), "another"))
    assert keys.code_of("onnx", model, "torchscript") != keys.code_of("onnx", other, "torchscript")
    assert keys.code_of("onnx", model, "torchscript").endswith(" declared")


def test_a_build_for_gpus_is_told_from_another_release_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """What onnxruntime-gpu computes is kept under its version; under none, an upgrade would find it again."""
    installed = {"onnxruntime-gpu": "1.31.1"}

    def version(name: str) -> str:
        if name not in installed:
            raise PackageNotFoundError(name)
        return installed[name]

    monkeypatch.setattr(keys, "version", version)
    monkeypatch.setattr(keys, "version_of", keys.version_of.__wrapped__)
    assert keys.versions("onnxruntime", "mxnet") == {"onnxruntime": "1.31.1"}
    installed["onnxruntime"] = "1.32.0"
    assert keys.versions("onnxruntime") == {"onnxruntime": "1.32.0"}
