"""The plugin of the suite, and which tests are collected. No options and no fixtures here."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parent
SPEC = find_spec("fixtures")
if SPEC and not ROOT.samefile(FOUND := Path(SPEC.origin or "").parents[1]):
    raise SystemExit(
        f"{ROOT}: an argument before its tests lies in another checkout of the suite, {FOUND}: write it with "
        "=, as --tensorrt=PATH"
    )

from fixtures.plugin import PARTS  # noqa: E402
from fixtures.run import names_meta  # noqa: E402


def pytest_addoption(pluginmanager: pytest.PytestPluginManager) -> None:
    """Load the plugin. For each of `pytest_plugins` pytest would read the metadata of all packages."""
    for part in PARTS:
        pluginmanager.import_plugin(part)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave the tests of the suite itself out unless they are named: they are not about your model."""
    named = any(names_meta(config.invocation_params.dir, arg) for arg in config.args)
    return True if names_meta(ROOT, str(collection_path)) and not named else None
