"""The pytest plugin of an installed checkout: ``pytest --pyargs suites`` then works in any folder.

Every run of pytest of its environment loads it. It does nothing in a run of other tests: the options of the
suite are declared, and its parts loaded, only where tests of this checkout are named. It has a name of its
own, at the top of the checkout, because a folder ``fixtures`` of the user's may hide that of the checkout.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence
from dataclasses import fields
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent
SUITES = "suites"


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Load the parts of the plugin where tests of the suite are named.

    The folder of the user's is then not searched for a ``conftest.py``, which may declare options of the same
    names. Raises UsageError where another package hides one of the checkout's, or where pytest takes what an
    option of the suite is given for the tests.
    """
    folder = early_config.invocation_params.dir
    known = early_config.known_args_namespace
    by_package = known.pyargs and any(names_package(folder, word) for word in known.file_or_dir)
    if not by_package and not any(names_path(folder, word) for word in known.file_or_dir):
        if problem := taken_for_tests(folder, list(map(str, early_config.invocation_params.args))):
            raise pytest.UsageError(problem)
        return
    if by_package:
        known.file_or_dir = [str(ROOT / SUITES)]
    for package in ("fixtures", "reference_models", SUITES):
        spec = find_spec(package)
        place = Path(spec.origin or "").resolve().parent.parent if spec and spec.origin else None
        if place != ROOT:
            raise pytest.UsageError(
                f"the folder {package!r} in {place or folder} hides that of the suite in {ROOT}: "
                "run `pytest` and not `python -m pytest`, or run it in another folder"
            )
    from fixtures.plugin import PARTS

    for part in PARTS:
        early_config.pluginmanager.import_plugin(part)


def taken_for_tests(folder: Path, arguments: Sequence[str]) -> str:
    """Say which value of an option pytest takes for the tests, in a folder of this checkout; empty for none.

    pytest knows no option of the suite before it has found its tests, and takes a path that exists for them.
    """
    if not folder.resolve().is_relative_to(ROOT):
        return ""
    from fixtures.run.options import Options

    flags = {field.metadata["flag"] for field in fields(Options)}
    for flag, value in pairwise(arguments):
        if flag in flags and os.path.exists(folder / value):
            words = shlex.join([flag, value])
            return f"pytest takes {value} for the tests, since none are named: write `suites {words}`"
    return ""


def names_package(folder: Path, word: str) -> bool:
    """Say whether a word of a command line names tests of the suite as ``--pyargs`` has them."""
    return word.partition("::")[0].split(".")[0] == SUITES and not (folder / SUITES).exists()


def names_path(folder: Path, word: str) -> bool:
    """Say whether a word of a command line is a path of this checkout."""
    place = Path(os.path.abspath(folder / word.partition("::")[0]))
    return place.exists() and place.resolve().is_relative_to(ROOT)
