"""What goes into the key of a thing: the modules of a model, the digest of their code, what is installed."""

from dataclasses import replace
from functools import partial
from importlib.metadata import version
from typing import Any

import pytest

from fixtures.store import keys
from reference_models import registry
from reference_models.model import Own, ReferenceModel
from reference_models.user import rows as user_rows
from reference_models.user.samples import Samples

DIGITS, TINY = (registry.models()[name] for name in ("digits", "yolov3-tiny"))
USERS: dict[str, Any] = {
    "build": partial(user_rows._build_files, ()), "samples": Samples({}), "dataset": None, "network": None,
    "own": Own((), "declared", "network"),
}  # fmt: skip
OWN = replace(DIGITS, **USERS)
ROWS, SAMPLES = "reference_models.user.rows", "reference_models.user.samples"
DARKNET = "reference_models.darknet"
MODULES = [
    (DIGITS, {"reference_models.pytorch.digits"}),
    (TINY, {f"{DARKNET}.yolov3_tiny", f"{DARKNET}.build"}),
    (replace(TINY, name="planted"), {f"{DARKNET}.build"}),
    (replace(TINY, build=USERS["build"]), {f"{DARKNET}.yolov3_tiny", f"{DARKNET}.build", ROWS}),
    (OWN, {ROWS, SAMPLES}),
    (replace(TINY, **USERS), {ROWS, SAMPLES, "fixtures.user_models.darknet"}),
    (replace(OWN, build=DIGITS.build, samples=DIGITS.samples), {ROWS, "reference_models.pytorch.digits"}),
]


@pytest.mark.parametrize(("model", "modules"), MODULES, ids=range(len(MODULES)))
def test_a_model_is_made_by_its_row_and_its_functions(model: ReferenceModel, modules: set[str]) -> None:
    """The module of its row, or the reader of a user's, and those of its functions, partials and objects."""
    assert set(keys.modules_of("source", model)) == modules
    assert set(keys.modules_of("onnx", model, "dynamo")) == {*modules, keys.CONVERTERS["dynamo"]}
    assert set(keys.modules_of("samples", model)) == {*modules, keys.RUNTIMES[model.framework]}


def test_a_kind_is_made_by_its_modules_with_or_without_a_model() -> None:
    """Those that count with all that they import; where no converter is named, the model's first."""
    assert list(keys.modules_of("source")) == []
    assert list(keys.modules_of("fp16")) == ["fixtures.quantization.fp16"]
    of_two = replace(DIGITS, converters=("mxnet", "dynamo"))
    assert keys.CONVERTERS["mxnet"] in set(keys.modules_of("onnx", of_two))


@pytest.mark.parametrize("kind", ["fp16", "onnx", "specimen-builds"])
def test_the_code_of_a_thing_is_the_digest_of_its_files(kind: str) -> None:
    """And nothing else, but of a user's model its declaration."""
    tree = keys.tree()
    assert {"fixtures/quantization/fp16.py", "fixtures/pipeline/models.py"} <= keys.files_of(tree, "fp16")
    code, own = (tree.digest(keys.files_of(tree, kind, model, "dynamo")) for model in (DIGITS, OWN))
    assert keys.code_of(kind, DIGITS, "dynamo") == code
    assert keys.code_of(kind, OWN, "dynamo") == f"{own} declared"


def test_the_checkout_is_as_it_was_when_it_was_read_first() -> None:
    """Every file of a closure was noted before it was read: none is taken for an edited one."""
    keys.code_of("onnx", DIGITS)
    assert keys.tree().edited() == []


def test_what_is_installed_is_named() -> None:
    """Versions of what a model depends on, without those that are not installed, and what is missing."""
    assert keys.versions("pytest", "no-such-distribution") == {"pytest": version("pytest")}
    assert keys.versions_of(DIGITS) == keys.versions("torch", "onnxslim", "onnx")
    assert keys.versions_of(DIGITS)["onnx"] == version("onnx")
    needs = replace(DIGITS, framework="mxnet", needs=("numpy", "no_such_module"))
    assert set(keys.missing(needs)) - {"mxnet"} == {"no_such_module"}


def test_what_a_model_is_made_with_has_the_network_of_a_users() -> None:
    """Versions and the kind of weights; the network's fingerprint where it is a user's model."""
    made = {"dependencies": keys.versions_of(DIGITS), "weights": "trained"}
    assert keys.made_with(DIGITS) == made
    assert keys.made_with(OWN) == {**made, "fingerprint": "network"}
