"""The stage `exporter-traps` names each trap without a row and each stale row; rows fit their schema."""

from pathlib import Path

import pytest

from fixtures.cases import EXPORTER_OPSETS, Case, Selection
from fixtures.checks import exporter_traps as traps
from fixtures.expectations import ExpectationError, Expectations, Trap, load
from fixtures.exporters.outcome import Outcome
from fixtures.exporters.specimens import enumerated
from fixtures.recording import RecordDraft
from fixtures.stages import stage
from fixtures.store.artifacts import ArtifactStore
from fixtures.verdicts import NotRun, StageError
from suites.meta.gates.child_runs import edit, run
from suites.meta.places import EXPECTATIONS

CASE = Case("exporter-traps", "layers", "torchscript", 17)
MISH, LRN = "activation, mish", "normalization, local response"
EQUAL = [Outcome(one.name, "equal", "", "try") for one in enumerated()]
ROW = """[[trap]]
specimen = ["activation, mish"]
exporter = ["torchscript"]
opset = [17]
outcome = "wrong"
message = "mismatched"
reason = "why"
link = "https://onnx.ai"
"""


def row(specimen: str = MISH, opset: int = 17, outcome: str = "wrong", message: str = "mis+") -> Trap:
    """A row of exporter_traps.toml."""
    where = "exporter_traps.toml row 1"
    return Trap(where, (specimen,), ("torchscript",), (opset,), outcome, message, "planted", "link")


def ended(*rows: Trap, kind: str = "equal", detail: str = "mismatched", name: str = MISH) -> RecordDraft:
    """Let the stage judge outcomes that are equal but for one."""
    draft = RecordDraft(CASE, {"name": "layers"})
    planted = Outcome(name, kind, detail, "python -m planted")  # type: ignore[arg-type]
    found = [planted if one.name == name else one for one in EQUAL]
    found = found if planted in found else [*found, planted]
    traps.record(draft, found)
    traps.require_rows(draft, found, Expectations(exporter_traps=rows))
    return draft


def test_outcomes_are_counted() -> None:
    """Equal and unsupported ones pass without a row; a trap with its row passes and is counted."""
    figures = ended(kind="unsupported").metrics
    assert [figures[name].value for name in ("unsupported", "traps", "dynamic")] == [1, 0, 0]
    assert ended(row("activation, mi*"), kind="wrong").metrics["traps"].value == 1
    assert ended().metrics["equal"].value == len(EQUAL)


@pytest.mark.parametrize("kind", ["wrong", "invalid", "refused"])
def test_a_trap_without_a_row_is_named(kind: str) -> None:
    """The message has the specimen, what happens and the command that tries it alone."""
    with pytest.raises(StageError, match=f"{MISH}: {kind}: mismatched\n  try it: python -m planted$"):
        ended(kind=kind)


@pytest.mark.parametrize(
    "other", [row(LRN), row(opset=16), row(outcome="invalid"), row(message="^nothing like it")]
)
def test_a_row_excuses_what_it_foresees_alone(other: Trap) -> None:
    """Another specimen, opset, outcome or message is not covered."""
    with pytest.raises(StageError, match=f"{MISH}: wrong"):
        ended(other, kind="wrong")


@pytest.mark.parametrize(
    ("kind", "specimen", "named"),
    [
        ("equal", MISH, f"row 1 says wrong, 'mis\\+'; {MISH}: equal: mismatched: the row is stale"),
        ("unsupported", MISH, f"{MISH}: unsupported: mismatched: the row is stale"),
        ("equal", "activation, gone*", "no specimen is named activation, gone\\*: the row is stale"),
    ],
)
def test_a_stale_row_is_named(kind: str, specimen: str, named: str) -> None:
    """A row of a specimen that does otherwise, or that is not there, fails the stage."""
    with pytest.raises(StageError, match=named):
        ended(row(specimen), kind=kind)


def test_what_is_drawn_needs_a_row_and_makes_none_stale() -> None:
    """A trap among drawn specimens is red without a row; a pattern may fit drawn ones that are equal."""
    with pytest.raises(StageError, match=r"nn\.Mish\(\): wrong"):
        ended(kind="wrong", name="nn.Mish()")
    with pytest.raises(StageError, match="no specimen is named"):
        ended(row("nn.Mish()"), name="nn.Mish()")
    ended(Trap("row", (MISH, "nn.M*"), ("torchscript",), (17,), "wrong", "m", "r", "l"), kind="wrong")


def test_an_exporter_that_refuses_everything_is_red() -> None:
    """Clear refusals need no row, so the part that is equal has a limit."""
    refused = [Outcome(one.name, "unsupported", "", "") for one in EQUAL]
    draft = RecordDraft(CASE, {})
    traps.record(draft, refused)
    with pytest.raises(StageError, match=r"part that is equal is 0 , the limit is 0\.5"):
        traps.require_rows(draft, refused, Expectations())


@pytest.mark.parametrize(
    ("opsets", "explicit", "expected"),
    [
        ((10, 13, 17), False, [("torchscript", 17), ("dynamo", 18)]),
        ((10, 18, 21), True, [("torchscript", 10), ("torchscript", 18), ("dynamo", 18), ("dynamo", 21)]),
    ],
)
def test_each_exporter_has_the_opsets_that_it_writes(
    opsets: tuple[int, ...], explicit: bool, expected: list[tuple[str, int]]
) -> None:
    """The newest default one of each, or all that are named."""
    chosen = Selection((), opsets, (), ("fp32",), explicit)
    assert [(c.converter, c.opset) for c in stage("exporter-traps").cases(chosen)] == expected


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many specimens each making had; nothing is exported."""
    counts: list[int] = []

    def pretend(specimens: tuple[object, ...], *_: object) -> list[Outcome]:
        counts.append(len(specimens))
        return EQUAL[:1]

    monkeypatch.setattr(traps, "outcomes", pretend)
    return counts


def test_outcomes_are_made_once_a_store(tmp_path: Path, made: list[int]) -> None:
    """A second run asks the store; other versions count with refresh alone; a sample is kept apart."""
    store = ArtifactStore(tmp_path)

    def again(case: Case = CASE, *, whole: bool = True, refresh: bool = True) -> list[Outcome]:
        return traps.tried(store, case, lambda: enumerated()[:4], whole=whole, refresh=refresh)[0]

    assert again() == again() == EQUAL[:1]
    assert made == [len(EQUAL) + 4]
    entry = next((tmp_path / "entries" / traps.STAGE).glob("*.json"))
    edit(entry, lambda body: body["about"]["dependencies"].update(torch="0.1"))
    again(refresh=False)
    assert len(made) == 1
    again()
    assert len(made) == 2
    again(Case("exporter-traps", "layers", "dynamo", 18), whole=False)
    assert made[-1] == -(-(len(EQUAL) + 4) // traps.SAMPLE["dynamo"])


def test_without_torch_the_store_answers_or_nothing_runs(
    tmp_path: Path, made: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A runner that has only the store judges what is in it; without it the stage is not run."""

    def ask(store: str) -> list[Outcome]:
        return traps.tried(ArtifactStore(tmp_path / store), CASE, tuple, whole=True, refresh=True)[0]

    ask("full")
    monkeypatch.setattr(traps, "find_spec", lambda _: None)
    monkeypatch.setattr(traps, "versions", lambda *_: {})
    assert ask("full") == EQUAL[:1]
    with pytest.raises(NotRun, match="torch is not installed here"):
        ask("empty")
    assert len(made) == 1


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the expectation files, without traps."""
    rows = tmp_path / "expectations"
    rows.mkdir()
    for file in EXPECTATIONS.glob("*.toml"):
        (rows / file.name).write_text(file.read_text())
    (rows / "exporter_traps.toml").write_text("")
    return rows


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (("reason", "because"), "row 1, line 1: unknown field because"),
        (('reason = "why"', 'reason = ""'), "row 1, line 1: reason is '', expected a text"),
        (('reason = "why"', "reason = 3"), "row 1, line 1: reason is 3, expected a text"),
        (("[17]", "[]"), "opset is an empty list, expected a list of opsets"),
        (("[17]", "17"), "opset is 17, expected a list of opsets"),
        (("[17]", "[true]"), "expected a list of opsets, each a whole number"),
        (('["torchscript"]', '"torchscript"'), "exporter is 'torchscript', expected a list of names"),
        (('"wrong"', '"odd"'), "outcome is 'odd', expected refused, invalid or wrong"),
        (('"mismatched"', '"("'), r"message is '\(', expected a regular expression"),
        (("[[trap]]", "[[traps]]"), r"only \[\[trap\]\] belongs here"),
    ],
)
def test_a_row_that_does_not_fit_is_named(folder: Path, change: tuple[str, str], named: str) -> None:
    """A missing reason, a wrong type, an unknown outcome and a broken pattern are each an error."""
    file = folder / "exporter_traps.toml"
    file.write_text(ROW)
    assert len(load(folder).exporter_traps) == 1
    file.write_text(ROW.replace(*change))
    with pytest.raises(ExpectationError, match=named):
        load(folder)


def test_every_row_is_about_a_specimen_and_an_opset_that_exist() -> None:
    """No row names a specimen, exporter or opset that is not tried, and none lacks a link."""
    rows = load(EXPECTATIONS).exporter_traps
    assert rows
    names = [one.name for one in enumerated()]
    for one in rows:
        assert any(map(one.fits, names)), one.where
        assert set(one.opset) <= {opset for name in one.exporter for opset in EXPORTER_OPSETS[name]}, (
            one.where
        )
        assert one.link.startswith(("https://github.com/", "https://onnx.ai/", "https://docs.pytorch.org/"))


def test_the_stage_runs_and_trips(tmp_path: Path, folder: Path) -> None:
    """The run is green and says its figures; with a row too few and a stale one it is red and names both."""
    pytest.importorskip("torch", reason="torch is not installed; run `tox run -e meta`")
    stage = ("-p", "suites.meta.gates.few_layers", "suites/test_exporter_traps.py", "--opset=17")
    divisor = "pooling, average, divisor"
    (folder / "exporter_traps.toml").write_text(ROW.replace(MISH, divisor))
    done = run(tmp_path / "artifacts", *stage, f"--expectations={folder}")
    assert done.code == 0, done.output
    assert "exporter-traps, torchscript opset 17: 3 equal, 1 unsupported, 1 dynamic, 1 traps" in done.output
    (folder / "exporter_traps.toml").write_text(ROW)
    done = run(tmp_path / "artifacts", *stage, f"--expectations={folder}")
    assert done.code == 1
    message = done.the("failed").message
    assert f"{divisor}: wrong: out0: 96 of 96 mismatched" in message
    assert f"try it: python -m fixtures exporters torchscript 17 '{divisor}'" in message
    assert f"row 1, line 1 says wrong, 'mismatched'; {MISH}: equal: the row is stale" in message
