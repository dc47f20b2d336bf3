"""The stage `prediction` names each difference between table and TensorRT, and each stale row."""

import hashlib
import json
import os
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from fixtures.cases import Case, Selection
from fixtures.checks import trtcheck
from fixtures.checks.prediction import MOST_WORKERS, Finding, findings, record, require_agreement
from fixtures.compatibility.tables import releases as tables
from fixtures.expectations import Disagreement, ExpectationError, Expectations, load
from fixtures.metrics.agreement import Agreement
from fixtures.recording import RecordDraft
from fixtures.runtimes.tensorrt.messages import Build
from fixtures.stages import stage
from fixtures.store.artifacts import ArtifactStore
from fixtures.verdicts import Crashed, StageError
from reference_models import registry
from suites.meta.gates import disguises
from suites.meta.gates.child_runs import run
from suites.meta.gates.few_specimens import few
from suites.meta.places import EXPECTATIONS

LABEL = "rtx1.7.1.116"
REFUSED = {"Norm(training=1)", "Unary(rank=9)", "Unary(operator=Det)"}
"""Of the few specimens, those that TensorRT-RTX 1.7 refuses."""


class FakeTensorRT:
    """Answers as TensorRT-RTX 1.7 does to the few specimens, or as told; counts what it is asked."""

    def __init__(self, answer: Callable[[str], bool] = lambda name: name not in REFUSED) -> None:
        self.identity = SimpleNamespace(flavour="tensorrt-rtx", version="1.7.1.116", device=None, label=LABEL)
        self.answer, self.asked = answer, 0
        self.names = {one.data: one.name.rsplit("-opset", 1)[0] for one in few()}

    def another(self) -> Any:
        """Return itself: the workers of a case are one TensorRT."""
        return nullcontext(self)

    def build(self, model: Path, *, profiles: Any) -> Build:
        """Take or refuse a file by the name of its specimen."""
        self.asked += 1
        ok = self.answer(self.names[model.read_bytes()])
        log = () if ok else ("ERROR: planted",)
        return Build(ok, "builder", (), log, 0.0, 0.0, 0, "", 0, (), ())


@pytest.fixture
def store(tmp_path: Path) -> ArtifactStore:
    """An empty store."""
    return ArtifactStore(tmp_path / "artifacts")


@pytest.fixture
def flipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The table with one row flipped: TensorRT-RTX has no Relu."""
    data = json.loads(tables.TABLE.read_text("utf-8"))
    del data["operators"]["Relu"]["tensorrt-rtx"]
    file = tmp_path / "operators.json"
    file.write_text(json.dumps(data))
    caches = (tables.table, tables.release, tables.releases)
    with monkeypatch.context() as patch:
        patch.setattr(tables, "TABLE", file)
        for cached in caches:
            cached.cache_clear()
        yield
    for cached in caches:
        cached.cache_clear()


def conclude(
    store: ArtifactStore, client: Any, *rows: Disagreement, model: str = "enumerated"
) -> RecordDraft:
    """Let the stage judge the few specimens."""
    draft = RecordDraft(Case("prediction", model, "", 0, LABEL), {"name": model})
    draft.tensorrt = {"flavour": "tensorrt-rtx", "version": "1.7.1.116"}
    found = findings(store, client, few())
    record(draft, found)
    require_agreement(draft, found, Expectations(disagreements=rows))
    return draft


@pytest.mark.parametrize(("gpu", "workers"), [(None, min(MOST_WORKERS, os.cpu_count() or 1)), ("a GPU", 1)])
def test_workers_share_the_specimens(
    gpu: str | None, workers: int, store: ArtifactStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One worker a core builds where there is no GPU, one in all where there is; the order stays."""
    client, begun = FakeTensorRT(), list[int]()
    client.identity.device = gpu and SimpleNamespace(name=gpu)

    def another() -> Any:
        begun.append(1)
        return nullcontext(client)

    monkeypatch.setattr(client, "another", another)
    specimens = list(few())
    assert [one.specimen for one in findings(store, client, specimens)] == specimens  # type: ignore[arg-type]
    assert len(begun) == workers - 1


def row(specimen: str, tensorrt: str = "rtx*") -> Disagreement:
    """A row of disagreements.toml."""
    return Disagreement("disagreements.toml row 1", specimen, tensorrt, "planted")


def test_agreement_passes_and_is_measured(store: ArtifactStore) -> None:
    """Three refused, three taken by both: precision and recall are 1, and stand beside their limit."""
    metrics = conclude(store, FakeTensorRT()).metrics
    assert [metrics[n].value for n in ("refused", "taken", "missed", "overpredicted")] == [3, 3, 0, 0]
    assert metrics["precision"].value == metrics["recall"].value == 1
    assert metrics["precision"].limit == metrics["recall"].limit == 0.98


@pytest.mark.usefixtures("flipped")
def test_a_flipped_row_of_the_table_is_named(store: ArtifactStore) -> None:
    """The message names the specimen, what the table says and what TensorRT does."""
    with pytest.raises(StageError, match=r"Unary-opset9: Relu 'node' is refused by the parser.*takes it"):
        conclude(store, FakeTensorRT())


def test_a_refusal_that_the_table_misses_is_named(store: ArtifactStore) -> None:
    """The message quotes the builder."""
    client = FakeTensorRT(lambda name: name not in {*REFUSED, "Softmax(rank=2)"})
    with pytest.raises(StageError, match=r"Softmax\(rank=2\)-opset\d+: the table takes it; .*ERROR: planted"):
        conclude(store, client)


@pytest.mark.usefixtures("flipped")
def test_a_row_excuses_a_specimen_and_not_the_figure(store: ArtifactStore) -> None:
    """With its row a disagreement is not named alone, but precision counts it and is below its limit."""
    with pytest.raises(StageError, match=r"precision is 0\.75 .*limit is 0\.98") as caught:
        conclude(store, FakeTensorRT(), row("Unary-opset9"))
    assert "Unary-opset9" in str(caught.value)


@pytest.mark.parametrize(
    ("specimen", "named"),
    [
        ("Softmax*", r"Softmax\(rank=2\)-opset\d+ agrees now: the row is stale"),
        ("Gone-*", "no specimen is named"),
    ],
)
def test_a_stale_row_is_named(specimen: str, named: str, store: ArtifactStore) -> None:
    """A row of a specimen that agrees, or that is not there, fails the stage of its TensorRT alone."""
    with pytest.raises(StageError, match=named):
        conclude(store, FakeTensorRT(), row(specimen))
    conclude(store, FakeTensorRT(), row(specimen, "rtx1.5*"))


def test_what_is_drawn_has_a_limit_and_no_rows(store: ArtifactStore) -> None:
    """A disagreement among drawn specimens fails only with the figure, and is named then."""
    client = FakeTensorRT(lambda name: name not in {*REFUSED, "Softmax(rank=2)"})
    with pytest.raises(StageError, match=r"recall is 0\.75 .*limit is 0\.98\n.*Softmax\(rank=2\)"):
        conclude(store, client, model="drawn")


def test_an_outcome_is_built_once_and_a_crash_is_never_stored(store: ArtifactStore) -> None:
    """A second run asks the store; a specimen that a worker dies on is asked again in each run."""

    def crash(name: str) -> bool:
        if name == "Unary(rank=9)":
            raise Crashed("signal 11")
        return name not in REFUSED

    for asked in (7, 2):
        client: Any = FakeTensorRT(crash)
        found = findings(store, client, few())
        assert client.asked == asked
        assert [one.specimen.name for one in found if not one.agrees] == ["Unary(rank=9)-opset13"]


class Dying:
    """Answers for a client whose worker dies on some specimens, so many times on each."""

    def __init__(self, names: set[str], times: int) -> None:
        self.left = dict.fromkeys(names, times)

    def __call__(self, name: str) -> bool:
        """Take or refuse a specimen, unless it kills the worker."""
        if self.left.get(name, 0):
            self.left[name] -= 1
            raise Crashed("signal 9")
        return name not in REFUSED


@pytest.mark.parametrize("model", ["enumerated", "drawn"])
@pytest.mark.parametrize(
    "names", [REFUSED, {"Unary(rank=9)"}, {"Softmax(rank=2)"}], ids=["all", "one", "taken"]
)
def test_a_worker_that_dies_twice_is_a_crash(names: set[str], model: str, store: ArtifactStore) -> None:
    """It is neither refused nor taken, whatever the table says: the stage is crashed and names each."""
    with pytest.raises(Crashed, match=r"crashed 2 times: signal 9") as caught:
        conclude(store, FakeTensorRT(Dying(names, 2)), model=model)
    assert sum("crashed 2 times" in line for line in str(caught.value).splitlines()) == len(names)
    assert all(name in str(caught.value) for name in names)


def test_a_crash_is_no_answer_that_is_counted(store: ArtifactStore) -> None:
    """Figures are those of the specimens that were answered; a row of one that was not is not stale."""
    found = findings(store, FakeTensorRT(Dying(REFUSED, 9)), few())  # type: ignore[arg-type]
    draft = RecordDraft(Case("prediction", "enumerated", "", 0, LABEL), {"name": "enumerated"})
    draft.tensorrt = {"flavour": "tensorrt-rtx", "version": "1.7.1.116"}
    record(draft, found)
    assert [draft.metrics[name].value for name in ("refused", "taken", "crashed")] == [0, 3, 3]
    with pytest.raises(Crashed) as caught:
        require_agreement(draft, found, Expectations(disagreements=(row("Unary(rank=9)*"),)))
    assert "stale" not in str(caught.value)


def test_a_worker_that_dies_once_is_asked_again(store: ArtifactStore) -> None:
    """A fresh worker has the answer, which stands; that one died is counted and noted."""
    draft = conclude(store, FakeTensorRT(Dying(REFUSED, 1)))
    assert draft.metrics["recall"].value == draft.metrics["precision"].value == 1
    assert draft.metrics["crashed once"].value == 3
    assert len(draft.notes) == 3
    assert "Unary(rank=9)-opset13: crashed once: signal 9" in draft.notes
    assert "crashed once" not in conclude(store, FakeTensorRT()).metrics


def test_no_case_where_opsets_are_named() -> None:
    """Specimens have opsets of their own; a run that names some leaves them out."""
    for explicit, count in ((False, 4), (True, 0)):
        chosen = Selection((registry.models()["digits"],), (13,), ("a", "b"), ("fp32",), explicit)
        assert len(list(stage("prediction").cases(chosen))) == count


@pytest.mark.parametrize("text", ["specimen='x'\ntensorrt='y'", "specimen='x'\ntensorrt='y'\nreason=''"])
def test_a_row_without_a_reason_is_refused(text: str, tmp_path: Path) -> None:
    """Every row says why."""
    for file in EXPECTATIONS.glob("*.toml"):
        (tmp_path / file.name).write_text(file.read_text())
    (tmp_path / "disagreements.toml").write_text(f"[[disagreement]]\n{text}\n")
    with pytest.raises(ExpectationError, match=r"disagreements\.toml row 1"):
        load(tmp_path)


def test_nothing_predicted_is_no_precision() -> None:
    """Where no refusal is predicted precision is not a number, which keeps no limit."""
    assert Agreement.of([(False, True)]).precision != Agreement.of([(False, True)]).precision
    assert Agreement.of([(True, True), (True, False), (False, True), (False, False)]) == Agreement(1, 1, 1, 1)


@pytest.mark.parametrize(
    ("flavour", "version", "target"),
    [("tensorrt", "7.2.1", "8.0"), ("tensorrt", "8.5", "8.0"), ("tensorrt", "10.1", "10.0"),
     ("tensorrt", "11.4", "10.3"), ("tensorrt-rtx", "1.7.1", "10.3")],
)  # fmt: skip
def test_the_peer_is_asked_about_the_nearest_version(flavour: str, version: str, target: str) -> None:
    """The last one that it models and that is not after the TensorRT; the first for older ones."""
    assert trtcheck.nearest(flavour, version) == target


def test_the_peer_is_scored_by_both_readings() -> None:
    """Unverified counts as a refusal in one reading and not in the other."""
    found = trtcheck.scores(["blocked", "unverified", "likely"], [True, True, False])
    assert found["blocked"] == Agreement(1, 1, 1, 0)
    assert found["blocked or unverified"] == Agreement(2, 1, 0, 0)


def test_the_peer_judges_specimens() -> None:
    """It gives each model one of its words."""
    pytest.importorskip("trtcheck")
    said = trtcheck.verdicts([one.model for one in few()], "10.3")
    assert len(said) == len(few())
    assert set(said) <= {"blocked", "unverified", "likely"}
    assert len(set(said)) > 1


def test_the_stage_runs_and_trips(tmp_path: Path) -> None:
    """With a real TensorRT-RTX 1.7 the run is green and says its figures; a stale row turns it red."""
    pytest.importorskip("tensorrt_rtx")
    stage = ("-p", "suites.meta.gates.few_specimens", "suites/test_prediction.py")
    ended = run(tmp_path / "artifacts", *stage)
    assert ended.code == 0, ended.output
    assert [record.opset for record in ended.records] == [None, None]
    assert "precision 1.000, recall 1.000" in ended.output
    rows = tmp_path / "expectations"
    rows.mkdir()
    for file in EXPECTATIONS.glob("*.toml"):
        (rows / file.name).write_text(file.read_text())
    planted = "[[disagreement]]\nspecimen='Softmax*'\ntensorrt='*'\nreason='planted'\n"
    (rows / "disagreements.toml").write_text(planted)
    again = run(tmp_path / "artifacts", *stage, f"--expectations={rows}")
    assert again.code == 1
    assert "disagreements.toml row 1, line 1: Softmax(rank=2)" in again.output


@pytest.mark.parametrize(("once", "code", "verdict"), [(False, 1, "crashed"), (True, 0, "passed")])
def test_a_killed_worker_is_seen(once: bool, code: int, verdict: str, tmp_path: Path) -> None:
    """A real worker killed on each specimen that the table refuses: crashed; killed once on each: noted."""
    pytest.importorskip("tensorrt_rtx")
    digests = [
        hashlib.sha256(one.data).hexdigest() for one in few() if one.name.rsplit("-opset", 1)[0] in REFUSED
    ]
    planted = disguises.KILLER.format(folder=str(tmp_path), digests=digests, once=once)
    interpreter = disguises.disguise(tmp_path, "1.7.1.116", planted)
    stage = ("-p", "suites.meta.gates.few_specimens", "suites/test_prediction.py", "-k", "enumerated")
    ended = run(tmp_path / "artifacts", *stage, f"--tensorrt={interpreter}")
    assert ended.code == code, ended.output
    one = ended.the(verdict)
    said = "crashed once: " if once else "crashed 2 times: "
    assert one.message.count(said) == len(digests) == 3
    assert "died of SIGKILL" in one.message
    assert ("1.000" in ended.output) == once


def test_a_finding_reads_as_one_line() -> None:
    """Long words of a builder are cut."""
    found = Finding(few()[0], "", "refuses it, builder: " + "x\n" * 900)
    assert len(str(found).splitlines()) == 1
    assert len(str(found)) < 400
