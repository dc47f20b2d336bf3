"""Engines that are built ahead are found by their cases, and what fails there each case says for itself."""

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

import pytest

from fixtures.pipeline import ahead as module
from fixtures.pipeline.ahead import EACH, BuildsAhead
from fixtures.pipeline.engines import EngineBuild
from fixtures.runtimes.tensorrt.client import TensorRT
from fixtures.runtimes.tensorrt.messages import Build, Identity
from fixtures.store.artifacts import ArtifactStore
from fixtures.verdicts import Crashed
from suites.meta.pipeline.test_engines import HERE, MODEL

RTX = replace(HERE, flavour="tensorrt-rtx", device=None)
BUILT = Build(True, "builder", (), (), 0.1, 0.1, 1, "0" * 64, 1, (), ())


@dataclass
class Client:
    """A TensorRT whose builds last until they are let go; `died` is raised by all but the first client."""

    identity: Identity = RTX
    interpreter: Path = Path("python")
    gate: threading.Event = field(default_factory=threading.Event)
    built: list[str] = field(default_factory=list)
    died: BaseException | None = None
    is_first: bool = True

    def another(self) -> "Client":
        """Return one of the workers that build ahead."""
        return replace(self, is_first=False)

    def build(self, model: Path, **_: Any) -> Build:
        """Note which model is built, and where."""
        self.built.append(f"{model.stem}{'' if self.is_first else ' ahead'}")
        if not self.is_first:
            self.gate.wait(10)
            if self.died:
                raise self.died
        return BUILT

    def kill(self) -> None:
        """Let all builds go."""
        self.gate.set()


@pytest.fixture
def ahead() -> Iterator[BuildsAhead]:
    """Two workers."""
    builds = BuildsAhead(2)
    yield builds
    builds.close()


def builds(folder: Path, client: Client, ahead: BuildsAhead, count: int = 1) -> list[EngineBuild]:
    """Return builds of so many models, which nobody has started."""
    store = ArtifactStore(folder / "store")
    models = [replace(MODEL, path=Path(f"m{n}"), digest=f"{n:064}") for n in range(count)]
    return [EngineBuild(store, cast(TensorRT, client), model, "fp32", {}, ahead=ahead) for model in models]


def test_a_case_finds_what_was_built_ahead(tmp_path: Path, ahead: BuildsAhead) -> None:
    """It waits for what is under way, and builds nothing itself."""
    client = Client()
    (build,) = builds(tmp_path, client, ahead)
    ahead.start(build)
    threading.Timer(0.1, client.gate.set).start()
    assert build.build()[0] == BUILT
    assert client.built == ["m0 ahead"]


def test_a_case_builds_what_is_still_in_the_queue(tmp_path: Path, ahead: BuildsAhead) -> None:
    """Two are under way, and the third has not begun."""
    client = Client()
    first, second, third = builds(tmp_path, client, ahead, 3)
    for build in (first, second, third):
        ahead.start(build)
    assert third.build()[0] == BUILT
    client.gate.set()
    first.build()
    second.build()
    assert sorted(client.built) == ["m0 ahead", "m1 ahead", "m2"]


def test_a_case_tries_again_what_failed_ahead(tmp_path: Path, ahead: BuildsAhead) -> None:
    """A worker that was killed for want of memory says nothing of the model."""
    client = Client(died=Crashed("killed"))
    client.gate.set()
    (build,) = builds(tmp_path, client, ahead)
    ahead.start(build)
    assert build.build()[0] == BUILT
    assert client.built == ["m0 ahead", "m0"]


def test_only_a_builder_without_the_gpu_builds_ahead(tmp_path: Path, ahead: BuildsAhead) -> None:
    """Another times kernels on it, while engines run there."""
    client = Client(HERE)
    (build,) = builds(tmp_path, client, ahead)
    ahead.start(build)
    ahead.rest()
    assert client.built == []


def test_what_is_stored_is_not_built_again(tmp_path: Path, ahead: BuildsAhead) -> None:
    """Nor twice at a time."""
    client = Client()
    client.gate.set()
    (build,) = builds(tmp_path, client, ahead)
    for _ in range(3):
        ahead.start(build)
    build.build()
    ahead.start(build)
    ahead.rest()
    assert client.built == ["m0 ahead"]


def test_nothing_is_built_while_times_are_taken(tmp_path: Path, ahead: BuildsAhead) -> None:
    """What is under way ends, what waits is left to its case."""
    client = Client()
    for build in builds(tmp_path, client, ahead, 4):
        ahead.start(build)
    assert not ahead.has_room
    while len(client.built) < 2:
        time.sleep(0.001)
    threading.Timer(0.1, client.gate.set).start()
    ahead.rest()
    assert sorted(client.built) == ["m0 ahead", "m1 ahead"]
    assert ahead.has_room


def test_the_end_of_a_run_waits_for_no_build(tmp_path: Path) -> None:
    """Workers are killed, and the rest of the queue is dropped."""
    client, ahead = Client(), BuildsAhead(1)
    for build in builds(tmp_path, client, ahead, EACH):
        ahead.start(build)
    while not client.built:
        time.sleep(0.001)
    ahead.close()
    assert client.built == ["m0 ahead"]


@pytest.mark.parametrize(("cores", "workers"), [(1, 0), (2, 2), (4, 3), (8, 4), (64, module.MOST)])
def test_a_core_alone_builds_nothing_ahead(cores: int, workers: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """One a core, then one for two, up to what memory is likely to hold."""
    monkeypatch.setattr("os.sched_getaffinity", lambda _: set(range(cores)))
    assert module.usual_workers() == workers
