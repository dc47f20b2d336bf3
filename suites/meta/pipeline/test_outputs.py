"""A batch that a source framework is timed on: it gives what its samples gave alone."""

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from suites.meta.gates.child_runs import pipeline

MISSING = [name for name in ("torch", "mxnet", "cv2", "sklearn") if find_spec(name) is None]
pytestmark = pytest.mark.skipif(bool(MISSING), reason=f"not installed: {', '.join(MISSING)}")


@pytest.mark.parametrize("name", ["digits", "gender-age", "digits-yolov3-tiny"])
def test_a_source_framework_takes_a_batch(name: str, tmp_path: Path) -> None:
    """PyTorch, MXNet and OpenCV: within their float32 rounding, which orders sums otherwise in a batch."""
    way = pipeline(tmp_path / "artifacts")
    samples = way.samples(name, "8")
    (given,) = way.source_runtime(name).run([samples.timed])
    for output, value in samples.outputs[0].items():
        assert len(value) == 8
        np.testing.assert_allclose(given[output], value, rtol=1e-5, atol=1e-5 * float(np.abs(value).max()))


@pytest.mark.parametrize("name", ["digits", "gender-age", "digits-yolov3-tiny"])
def test_times_of_a_batch_are_those_of_runs(name: str, tmp_path: Path) -> None:
    """As many as asked for where a run is short, and each above 0."""
    way = pipeline(tmp_path / "artifacts")
    times = way.source_runtime(name).time(way.samples(name, "8").timed, 7)
    assert 5 <= len(times) <= 7
    assert min(times) > 0
