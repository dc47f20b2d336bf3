"""Parametrization only: one test a case, over the axes of the test's stage; see `fixtures.stages`."""

from __future__ import annotations

import pytest

from fixtures.cases import Case
from fixtures.plugin.processes import ON_A_GPU
from fixtures.plugin.stash import RUN
from fixtures.stages import stage


def pytest_configure(config: pytest.Config) -> None:
    """Declare the markers."""
    config.addinivalue_line("markers", 'stage(name, part=""): the stage of fixtures/stages.py, and its part')
    config.addinivalue_line("markers", "tensorrt: the stage needs a TensorRT")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Parametrize a test that takes `case`. Raises UsageError for an unknown stage or part.

    The first that needs a TensorRT starts it, since its version is part of the cases; so does one that needs
    a GPU, which is known by its TensorRT.
    """
    marker = metafunc.definition.get_closest_marker("stage")
    if marker is None or "case" not in metafunc.fixturenames:
        return
    try:
        row, part = stage(*marker.args), _part(**marker.kwargs)
        run = metafunc.config.stash[RUN]
        if row.needs in ON_A_GPU:
            run.start_tensorrt()
        rows = row.cases(run.selection, part)
        marks = [pytest.mark.tensorrt] if row.needs_tensorrt(part) else []
    except (LookupError, TypeError) as error:
        raise pytest.UsageError(f"{metafunc.definition.nodeid}: {error}") from error
    metafunc.parametrize("case", [pytest.param(case, id=case.id, marks=marks) for case in rows])


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Drop the placeholders of stages that have no case in this selection: there is nothing to skip.

    Of several processes, what is timed comes last: it has the machine to itself, and all others would wait.
    """
    empty = [item for item in items if item.get_closest_marker("stage") and not _has_case(item)]
    items[:] = [item for item in items if item not in empty]
    config.hook.pytest_deselected(items=empty)
    if hasattr(config, "workerinput"):
        items.sort(key=_is_timed)


def _part(part: str = "") -> str:
    return part


def _has_case(item: pytest.Item) -> bool:
    return isinstance(item, pytest.Function) and isinstance(item.callspec.params.get("case"), Case)


def _is_timed(item: pytest.Item) -> bool:
    marker = item.get_closest_marker("stage")
    return marker is not None and stage(*marker.args).timed
