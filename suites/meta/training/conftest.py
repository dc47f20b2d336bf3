"""Torch computes in one thread here: small tensors are not worth two, and busy ones wait for each other."""

from __future__ import annotations

import os
from collections.abc import Iterator
from importlib.util import find_spec

import pytest

from reference_models.pytorch.state import one_thread


def pytest_configure() -> None:
    """Let torch's threads, where a test wants several, sleep while they wait; read when torch is imported."""
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


@pytest.fixture(autouse=True)
def single() -> Iterator[None]:
    """Every test of training has one thread."""
    if find_spec("torch") is None:
        yield
        return
    with one_thread():
        yield
