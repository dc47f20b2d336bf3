"""Every ONNX model builds into an engine, or is refused for the reason that the support table gives."""

import pytest

from fixtures.checks.build import BuiltModel, require_right


@pytest.mark.stage("tensorrt-build")
def test_engine_builds(built: BuiltModel) -> None:
    """The parser and the builder take the model and compute it right, or refuse it as the table predicts."""
    built.require_as_predicted()
    require_right(built.predicted)


@pytest.mark.stage("tensorrt-build", part="int8")
def test_int8_engine_builds(built: BuiltModel) -> None:
    """The parser and the builder take the Q/DQ graph and compute it right, or refuse it as predicted."""
    built.require_as_predicted()
    require_right(built.predicted)
