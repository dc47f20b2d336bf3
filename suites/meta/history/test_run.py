"""`pytest --history`: each record of a run is in the history as soon as it is in the record file."""

from pathlib import Path

import pytest

from fixtures.history import history
from fixtures.run import Run, make_run
from fixtures.run.options import Options
from fixtures.verdicts import StageError
from suites.meta.report.planted import record


def made(tmp_path: Path) -> Run:
    """Return a run that writes a history beside its records."""
    return make_run(Options(records=tmp_path / "records", history=tmp_path / "history.sqlite"))


def test_each_record_is_in_both(tmp_path: Path) -> None:
    """The lines are the same, one by one, and an import of the record file finds nothing new."""
    run = made(tmp_path)
    run.prepare_records()
    for opset in (11, 12):
        run.write(record(opset=opset))
        lines = run.record_file.read_text("utf-8").splitlines()
        assert history.lines(tmp_path / "history.sqlite") == lines
    assert len(lines) == 2


def test_a_history_that_takes_nothing_is_said_first(tmp_path: Path) -> None:
    """Before anything runs, one line names the option and the file; the file is as it was."""
    path = tmp_path / "history.sqlite"
    path.write_text("notes of mine")
    with pytest.raises(StageError, match=r"--history: no record can be written: .*expected an SQLite"):
        made(tmp_path).prepare_records()
    assert path.read_text() == "notes of mine"


def test_the_rerun_command_writes_to_the_same_history(tmp_path: Path) -> None:
    """The option is one of those that the command repeats, with an absolute path."""
    assert f"--history={tmp_path / 'history.sqlite'}" in made(tmp_path).options.given()
