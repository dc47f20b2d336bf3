"""Writers side by side, some of them killed: the file stays whole, and what was acknowledged is in it."""

import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from random import Random

from fixtures.history import history
from fixtures.history.entries import row
from suites.meta.places import ROOT
from suites.meta.report.planted import record

ENDLESS, ROUNDS, ROWS = 1_000_000, 40, 8
PROGRAM = """
import sys
from pathlib import Path
from fixtures.history import history
from fixtures.history.entries import row
from suites.meta.report.planted import record
writer = int(sys.argv[2])
for number in range(int(sys.argv[3])):
    name, rows = f"{writer}-{number}", range(int(sys.argv[4]))
    records = [record(run_id=name, opset=opset, message="m" * 2000) for opset in rows]
    history.add(Path(sys.argv[1]), map(row, records))
    print(name, flush=True)
"""


def begun(db: Path, writer: int, rounds: int) -> subprocess.Popen[str]:
    """Start a writer, which names each run on stdout once its records are in."""
    command = [sys.executable, "-c", PROGRAM, str(db), *map(str, (writer, rounds, ROWS))]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def test_killed_writers_lose_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    """Half of the writers are killed while they write; runs are whole or absent, and writing goes on."""
    db, random = tmp_path / "history.sqlite", Random(7)  # noqa: S311  the same moments in every run
    writers = [begun(db, *about) for about in enumerate((ENDLESS, ENDLESS, ROUNDS, ROUNDS))]
    told: list[str] = []
    for writer in writers[:2]:
        assert writer.stdout
        told.append(writer.stdout.readline().strip())  # it has begun to write
        time.sleep(random.uniform(0.0, 0.1))
        writer.kill()
    for writer in writers:
        told += writer.communicate()[0].split()
    assert [writer.returncode < 0 for writer in writers] == [True, True, False, False]
    found = {run.name: run.count for run in history.runs(db)}
    assert {name for name in told if name} <= found.keys()
    assert set(found.values()) == {ROWS}
    assert {f"{writer}-{number}" for writer in (2, 3) for number in range(ROUNDS)} <= found.keys()
    with sqlite3.connect(db) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    connection.close()
    assert history.add(db, [row(record())]) == 1
