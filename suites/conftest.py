"""Parametrization only: one test a case, over the axes that the test's stage marker names."""

from __future__ import annotations

import pytest

from fixtures.cases import Case, cases
from fixtures.plugin.stash import RUN


def pytest_configure(config: pytest.Config) -> None:
    """Declare the markers."""
    config.addinivalue_line(
        "markers",
        "stage(name, over=(), anchor=0): the stage, its axes beside model and opset, an opset it leaves out",
    )
    config.addinivalue_line("markers", "tensorrt: the stage needs a TensorRT")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give a test that takes `case` its cases."""
    marker = metafunc.definition.get_closest_marker("stage")
    if marker is None or "case" not in metafunc.fixturenames:
        return
    over = marker.kwargs.get("over", ())
    rows = cases(marker.args[0], over, metafunc.config.stash[RUN].selection)
    marks = [pytest.mark.tensorrt] if "tensorrt" in over else []
    anchor = marker.kwargs.get("anchor")
    metafunc.parametrize("case", [pytest.param(c, id=c.id, marks=marks) for c in rows if c.opset != anchor])


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Drop the placeholders of stages that have no case in this selection: there is nothing to skip."""
    empty = [item for item in items if item.get_closest_marker("stage") and not _has_case(item)]
    items[:] = [item for item in items if item not in empty]
    config.hook.pytest_deselected(items=empty)


def _has_case(item: pytest.Item) -> bool:
    return isinstance(item, pytest.Function) and isinstance(item.callspec.params.get("case"), Case)
