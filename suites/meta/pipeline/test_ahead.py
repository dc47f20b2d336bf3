"""Engines that are built ahead are found by their cases, and what fails there each case says for itself."""

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from fixtures.pipeline import ahead as module
from fixtures.pipeline.ahead import EACH, BuildsAhead
from fixtures.pipeline.engines import EngineBuild
from fixtures.runtimes.base import Tensors
from fixtures.runtimes.tensorrt.client import TensorRT
from fixtures.runtimes.tensorrt.engine import Engine
from fixtures.runtimes.tensorrt.layers import Layers
from fixtures.runtimes.tensorrt.messages import Build, Identity
from fixtures.store.artifacts import ArtifactStore
from fixtures.verdicts import Crashed
from suites.meta.pipeline.test_engines import HERE, MODEL

RTX_GPU = replace(HERE, flavour="tensorrt-rtx")
RTX = replace(RTX_GPU, device=None)
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

    def build(self, model: Path, *, engine: Path | None = None, **_: Any) -> Build:
        """Note which model is built, and where."""
        self.built.append(f"{model.stem}{'' if self.is_first else ' ahead'}")
        if engine:
            engine.write_text(model.stem)
        if not self.is_first:
            self.gate.wait(10)
            if self.died:
                raise self.died
        return BUILT

    def engine(self, path: Path, precision: str = "fp32") -> "Runs":
        """Return an engine whose runs are noted here."""
        return Runs(cast(TensorRT, self), path, precision)

    def kill(self) -> None:
        """Let all builds go."""
        self.gate.set()


class Runs(Engine):
    """An engine that gives its inputs."""

    def layers(self) -> Layers:
        """Return that it has one layer."""
        return Layers(1, {"fp32": 1})

    def run(self, samples: Sequence[Tensors]) -> list[dict[str, np.ndarray]]:
        """Note that it ran, and where."""
        client = cast(Client, self.client)
        client.built.append(f"run{'' if client.is_first else ' ahead'}")
        return [dict(sample) for sample in samples]


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


INPUTS = [{"x": np.arange(3.0)}]


def start(build: EngineBuild, ahead: BuildsAhead) -> None:
    """Start a build, to be run then, and wait until it is under way: a case builds what is in the queue."""
    noted = cast(Client, build.client).built
    before = len(noted)
    ahead.start(build, INPUTS)
    while len(noted) == before:
        time.sleep(0.001)


def ran(build: EngineBuild, ahead: BuildsAhead) -> Engine:
    """Build an engine as its case does; return it as it is to be run."""
    _, file = build.build()
    assert file is not None
    return ahead.engine(build.client.engine(file, build.precision))


def test_a_case_finds_what_its_engine_gave(tmp_path: Path, ahead: BuildsAhead) -> None:
    """Its layers and outputs, once; other samples, and another case of the same engine, are run now."""
    client = Client(RTX_GPU)
    client.gate.set()
    (build,) = builds(tmp_path, client, ahead)
    start(build, ahead)
    ahead.start(build, INPUTS)
    engine = ran(build, ahead)
    assert engine.layers() == Layers(1, {"fp32": 1})
    assert engine.run(INPUTS)[0]["x"] is INPUTS[0]["x"]
    assert client.built == ["m0 ahead", "run ahead"]
    ran(build, ahead).run(INPUTS)
    assert client.built[2:] == ["run"]


def test_an_engine_that_is_stored_is_run_ahead(tmp_path: Path, ahead: BuildsAhead) -> None:
    """An earlier case has had it built."""
    client = Client(RTX_GPU)
    client.gate.set()
    (build,) = builds(tmp_path, client, ahead)
    build.build()
    start(build, ahead)
    ran(build, ahead).run(INPUTS)
    assert client.built == ["m0", "run ahead"]


def test_without_a_gpu_nothing_is_run_ahead(tmp_path: Path, ahead: BuildsAhead) -> None:
    """It is built, as ever."""
    client = Client()
    client.gate.set()
    (build,) = builds(tmp_path, client, ahead)
    start(build, ahead)
    build.build()
    assert client.built == ["m0 ahead"]


def test_a_run_that_would_have_to_wait_for_the_gpu_is_left_to_the_case(tmp_path: Path) -> None:
    """Its case has the turn that others wait for, and would wait for this run."""

    @contextmanager
    def taken() -> Iterator[None]:
        raise BlockingIOError
        yield

    ahead, client = BuildsAhead(1, taken), Client(RTX_GPU)
    client.gate.set()
    (build,) = builds(tmp_path, client, ahead)
    start(build, ahead)
    ran(build, ahead).run(INPUTS)
    ahead.close()
    assert client.built == ["m0 ahead", "run"]


def test_what_ran_is_forgotten_where_times_are_taken(tmp_path: Path, ahead: BuildsAhead) -> None:
    """Outputs that no case has come for are not kept to the end of a run."""
    client = Client(RTX_GPU)
    client.gate.set()
    (build,) = builds(tmp_path, client, ahead)
    start(build, ahead)
    build.build()
    ahead.rest()
    ran(build, ahead).run(INPUTS)
    assert client.built == ["m0 ahead", "run ahead", "run"]


def test_outputs_that_wait_for_their_case_take_room(tmp_path: Path) -> None:
    """However fast the workers are, they hold the outputs of a few cases; a case that is over holds none."""
    ahead, client = BuildsAhead(1), Client(RTX_GPU)
    client.gate.set()
    first, second = builds(tmp_path, client, ahead, 2)
    start(first, ahead)
    start(second, ahead)
    while client.built.count("run ahead") < 2:
        time.sleep(0.001)
    assert not ahead.has_room
    ahead.forget(first)
    assert ahead.has_room
    ran(first, ahead).run(INPUTS)
    ran(second, ahead).run(INPUTS)
    ahead.close()
    assert client.built == ["m0 ahead", "run ahead", "m1 ahead", "run ahead", "run"]


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


def test_a_case_that_waits_does_what_coming_ones_need(tmp_path: Path, ahead: BuildsAhead) -> None:
    """As long as it waits, and whatever fails there; what is of a case that is over is not done."""
    client, done = Client(RTX_GPU), []
    first, second, third, over = builds(tmp_path, client, ahead, 4)

    def fails() -> None:
        raise OSError("no space left")

    def last() -> None:
        done.append("third")
        client.gate.set()
        while not all(future.done() for future in list(ahead._under_way)[:2]):
            time.sleep(0.001)

    ahead.start(first, INPUTS, lambda: done.append("first"))
    ahead.start(over, INPUTS, lambda: done.append("over"))
    ahead.start(second, INPUTS, fails)
    ahead.start(third, INPUTS, last)
    while not client.built:
        time.sleep(0.001)
    ahead.forget(over)
    ran(first, ahead)
    assert done == ["first", "third"]


@pytest.mark.parametrize(("cores", "workers"), [(1, 0), (2, 2), (4, 3), (8, 4), (64, module.MOST)])
def test_a_core_alone_builds_nothing_ahead(cores: int, workers: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """One a core, then one for two, up to what memory is likely to hold."""
    monkeypatch.setattr("os.sched_getaffinity", lambda _: set(range(cores)))
    assert module.usual_workers() == workers


@pytest.mark.parametrize(("gigabytes", "workers"), [(3, 0), (8, 2), (16, 4), (141, module.MOST)])
def test_a_gpu_holds_so_many_workers(gigabytes: int, workers: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each has an engine there while the case has its own."""
    monkeypatch.setattr("os.sched_getaffinity", lambda _: set(range(64)))
    assert module.usual_workers(gigabytes << 30) == workers
