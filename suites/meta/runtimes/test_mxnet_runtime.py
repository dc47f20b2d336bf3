"""Holds the MXNet runtime to its verdicts: what the child process does becomes one of them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from fixtures.runtimes import mxnet_process
from fixtures.verdicts import Crashed, NotRun, StageError
from reference_models.model import Source
from suites.meta.networks.mxnet_files import DENSE, write
from suites.meta.places import ROOT


@pytest.fixture
def source(tmp_path: Path) -> Source:
    """Write a network of one layer."""
    symbol, params = write(tmp_path, [DENSE])
    return Source("", "seeded", {"symbol": symbol, "params": params})


SAMPLES = [{"n_x": values} for values in (DENSE.inputs()["n_x"], np.eye(2, 7, dtype=np.float32))]


@pytest.fixture(scope="module")
def mxnet(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, np.ndarray]]:
    """Let MXNet run the layer; skip where it is missing."""
    symbol, params = write(tmp_path_factory.mktemp("dense"), [DENSE])
    network = Source("", "seeded", {"symbol": symbol, "params": params})
    try:
        return mxnet_process.MXNet(network, ["n_0_output"]).run(SAMPLES)
    except NotRun as reason:
        pytest.skip(str(reason))


def test_run(mxnet: list[dict[str, np.ndarray]]) -> None:
    """Each sample gives the layer's values under MXNet's name."""
    stored = DENSE.stored()
    for sample, outputs in zip(SAMPLES, mxnet, strict=True):
        expected = sample["n_x"] @ stored["arg:n_weight"].T + stored["arg:n_bias"]
        assert np.allclose(outputs["n_0_output"], expected, atol=1e-5)


SPARED = """
import sys
from importlib import import_module
import_module(sys.argv[1]).import_mxnet()
print(*(name for name in ("scipy", "sklearn") if name in sys.modules), sep=", ", end=": ")
import scipy.stats, sklearn.base
print(scipy.stats.norm.name)
"""


@pytest.mark.usefixtures("mxnet")
@pytest.mark.parametrize("by", ["fixtures.runtimes.mxnet_child", "reference_models.mxnet.process"])
def test_its_import_leaves_out_what_no_network_needs(by: str) -> None:
    """Neither scipy nor scikit-learn comes with MXNet, and both can be imported after it."""
    code = [sys.executable, "-c", SPARED, by]
    done = subprocess.run(code, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout == ": norm\n", done.stderr


@pytest.mark.usefixtures("mxnet")
def test_time(source: Source) -> None:
    """Timing gives as many latencies as asked for, in milliseconds."""
    taken = mxnet_process.MXNet(source).time(DENSE.inputs(), 4)
    assert len(taken) == 4
    assert all(0 < milliseconds < 1000 for milliseconds in taken)


@pytest.mark.usefixtures("mxnet")
def test_timing_ends_after_a_second(source: Source) -> None:
    """A batch that takes long is timed a few times, not as often as one sample."""
    taken = mxnet_process.MXNet(source).time(DENSE.inputs(), 10_000_000)
    assert len(taken) >= 5
    assert sum(taken) < 2000


@pytest.mark.usefixtures("mxnet")
def test_outputs_are_checked(source: Source) -> None:
    """An output of another name than the row's is a failed stage that gives both."""
    with pytest.raises(StageError, match=r"the outputs n_0_output; the reference model names y"):
        mxnet_process.run(source, [DENSE.inputs()], outputs=["y"])


@pytest.mark.usefixtures("mxnet")
def test_failure_shows_the_last_lines(source: Source) -> None:
    """What MXNet refuses is a failed stage with MXNet's own words."""
    source.files["params"].write_bytes(b"no parameters")
    with pytest.raises(StageError, match=r"(?s)MXNet failed.*MXNetError"):
        mxnet_process.run(source, [DENSE.inputs()])


@pytest.mark.usefixtures("mxnet")
def test_timeout_is_a_crash(source: Source) -> None:
    """A child that outruns its time is ended, and the verdict is crashed."""
    with pytest.raises(Crashed, match=r"longer than 0\.05 s"):
        mxnet_process.run(source, [DENSE.inputs()], timeout=0.05)


@pytest.mark.parametrize(
    ("code", "kind", "text"),
    [
        (-11, Crashed, "SIGSEGV"),
        (69, NotRun, "cannot be imported"),
        (1, StageError, "MXNet failed"),
    ],
)
def test_exit_codes(
    code: int, kind: type[StageError], text: str, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A signal is a crash, no usable MXNet is not-run, anything else a failure; all show stderr."""
    done = subprocess.CompletedProcess([], code, "", "first\nthe last line")
    monkeypatch.setattr(mxnet_process, "find_spec", lambda _name: True)
    monkeypatch.setattr(subprocess, "run", lambda *_args, **_options: done)
    with pytest.raises(kind, match=rf"(?s){text}.*the last line") as caught:
        mxnet_process.run(source, [DENSE.inputs()])
    assert type(caught.value) is kind


def test_without_mxnet(source: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without MXNet the verdict is not-run, and the text says how to get it."""
    monkeypatch.setattr(mxnet_process, "find_spec", lambda _name: None)
    with pytest.raises(NotRun, match=r"mxnet is not installed\. Install mxnet==1\.9\.1"):
        mxnet_process.run(source, [DENSE.inputs()])
