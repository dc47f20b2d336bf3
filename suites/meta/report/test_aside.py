"""Pages that several processes write are those that one writes, whatever happens to the processes.

Each test runs in a process of its own: one that has threads, as a worker of pytest-xdist has, forks none.
"""

import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

from suites.meta.report.planted import record, written

ROOT = Path(__file__).parents[3]
CORES = """
    import os, signal
    from fixtures.report import aside
    aside.cores = lambda: 2
"""
SITE = """
    from fixtures.commands import report
    from fixtures.report.site import pages, writing
    writing.cores = lambda: 2
    report.MANY = 1
    first = os.getpid()
    make = pages.Site._model
    def planted(site, name):
        if os.getpid() != first:
            {planted}
        return make(site, name)
    pages.Site._model = planted
    raise SystemExit(report.main({arguments!r}))
"""


def ran(*texts: str) -> subprocess.CompletedProcess[str]:
    """Run a script where two cores are told of."""
    script = "".join(map(dedent, (CORES, *texts)))
    return subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )


@pytest.mark.parametrize(
    ("job", "said"),
    [
        ("os.getpid() == first", "False"),
        ("os.getpid() == first or os.kill(os.getpid(), signal.SIGKILL)", "True"),
        ("os.getpid() == first or 1 / 0", "True"),
        ("(lambda: 0, os.getpid() == first)", "True"),
        ("int('none')", "ValueError: invalid literal for int() with base 10: 'none'"),
    ],
    ids=["beside", "killed", "failed there", "no pickle of it", "fails here too"],
)
def test_a_job_that_is_not_done_beside_is_done_here(job: str, said: str) -> None:
    """A process that is killed, fails or has no answer to send costs its work, and no answer."""
    run = ran(f"""
        first = os.getpid()
        answer = aside.Aside(lambda: {job}).result()
        print(answer[1] if isinstance(answer, tuple) else answer)
    """)
    assert (run.stdout or run.stderr).splitlines()[-1] == said


@pytest.mark.parametrize(
    "why",
    ["aside.cores = lambda: 1", "threading.Thread(target=threading.Event().wait, daemon=True).start()"],
)
def test_one_core_or_a_thread_forks_nothing(why: str) -> None:
    """The job is then done when its result is asked for."""
    run = ran(f"""
        import threading
        {why}
        first, job = os.getpid(), aside.Aside(os.getpid)
        print(job.result() == first)
    """)
    assert run.stdout == "True\n"


def test_each_turn_is_taken_once() -> None:
    """Two processes share a thousand turns, none left out and none twice."""
    run = ran("""
        with aside.turns(1000) as turns:
            other = aside.Aside(lambda: list(turns))
            print(sorted([*turns, *other.result()]) == list(range(1000)))
    """)
    assert run.stdout == "True\n"


@pytest.mark.parametrize("planted", ["pass", "os.kill(os.getpid(), signal.SIGKILL)", "raise OSError"])
def test_several_processes_write_what_one_writes(tmp_path: Path, planted: str) -> None:
    """Every file is the same byte for byte, where a process dies on a page or fails at it, too."""
    report = pytest.importorskip("fixtures.commands.report", reason="pip install --group report")
    records = written(tmp_path, *(record(model={"name": f"model-{at}"}) for at in range(20)))
    assert report.main([str(records), "--output", str(tmp_path / "one")]) == 0
    run = ran(SITE.format(planted=planted, arguments=[str(records), "--output", str(tmp_path / "two")]))
    assert (run.returncode, run.stderr) == (0, "")
    one, two = (
        {file.relative_to(tmp_path / name): file.read_bytes() for file in (tmp_path / name).rglob("*.*")}
        for name in ("one", "two")
    )
    assert len(one) > 40
    assert one == two


@pytest.mark.parametrize("taken", ["pages", "records.csv"])
def test_what_cannot_be_written_is_one_line(taken: str, tmp_path: Path) -> None:
    """Something in its place: exit code 1, and no overview that leads nowhere."""
    pytest.importorskip("fixtures.commands.report", reason="pip install --group report")
    records = written(tmp_path, record())
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "pages").touch() if taken == "pages" else (tmp_path / "out" / taken).mkdir()
    run = ran(SITE.format(planted="pass", arguments=[str(records), "--output", str(tmp_path / "out")]))
    assert run.returncode == 1
    assert len(run.stderr.splitlines()) == 1
    assert str(tmp_path / "out" / taken) in run.stderr
    assert not (tmp_path / "out" / "index.html").exists()
