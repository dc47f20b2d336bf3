"""The run over a small tree: what is killed, what survives, what hangs, and what the exit code says of it."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from suites.meta.mutants.tables import EQUIVALENT, MODULES, equivalents, read_modules
from suites.meta.mutants.trials import RAISED, Copy
from suites.meta.places import ROOT

SOURCE = "def least(a, b):\n    return a if a < b else b\n\n\ndef after(n):\n    return n + 1\n"
HALF = "from m import after, least\n\ndef test_least():\n    assert (least(1, 2), least(2, 1)) == (1, 1)\n"
WHOLE = HALF + "\ndef test_after():\n    assert after(3) == 4\n"
INTERRUPTED = """import os, signal, time
from m import after

def test_interrupt():
    if after(3) != 4:
        os.kill(os.getppid(), signal.SIGINT)
        time.sleep(60)
"""
SAME = """[[equivalent]]
module = "m.py"
line = "return a if a < b else b"
change = "a < b -> (a <= b)"
reason = "of two that are equal either is the least"
"""
Call = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def call(tmp_path: Path) -> Call:
    """Return what runs the command on a module and its tests, in a tree of its own."""

    def called(tests: str, *arguments: str, equivalent: str = SAME) -> subprocess.CompletedProcess[str]:
        root = tree(tmp_path / "tree", SOURCE, tests)
        (tmp_path / MODULES.name).write_text('"m.py" = ["test_m.py"]\n')
        (tmp_path / EQUIVALENT.name).write_text(equivalent)
        command = [
            sys.executable,
            "-m",
            "suites.meta.mutants",
            "--root",
            str(root),
            "--tables",
            str(tmp_path),
        ]
        return subprocess.run([*command, *arguments], cwd=ROOT, capture_output=True, text=True, check=False)

    return called


def tree(root: Path, source: str, tests: str) -> Path:
    """Write a tree of a module and its tests."""
    root.mkdir()
    (root / "pytest.ini").write_text("[pytest]\npythonpath = .\n")
    (root / "m.py").write_text(source)
    (root / "test_m.py").write_text(tests)
    return root


def test_what_no_test_sees_is_named_and_red(call: Call) -> None:
    """Without a test of one function all its mutants survive; those of the other are killed."""
    ended = call(HALF)
    printed = ended.stdout
    assert ended.returncode == 1
    assert "survived: m.py:6: return n + 1\n    n + 1 -> ((n) - (1))\n" in printed
    assert "m.py:2:" not in printed
    assert printed.endswith("m.py: 3 of 4 survived, 75.0%\nall: 3 of 4 survived, 75.0%\n")


@pytest.mark.parametrize(("sample", "count"), [([], 4), (["--sample", "2", "--seed", "3"], 2)])
def test_mutants_that_are_killed_are_green(sample: list[str], count: int, call: Call) -> None:
    """All of them, or as many as are asked for."""
    ended = call(WHOLE, *sample)
    assert ended.returncode == 0
    assert ended.stdout.endswith(f"all: 0 of {count} survived, 0.0%\n")


def test_a_mutant_that_hangs_is_killed(tmp_path: Path) -> None:
    """It is ended after its limit, and the copy is as it was for the next trial."""
    source = "def count(limit):\n    n = 0\n    while n < limit:\n        n += 1\n    return n\n"
    root = tree(tmp_path / "tree", source, "import m\n\ndef test():\n    assert m.count(3) == 3\n")
    copy = Copy.of(root, tmp_path / "copy")
    usual = copy.baseline(["test_m.py"])
    assert usual.passed, usual.said
    hanging = copy.trial("m.py", source.replace("n += 1", "pass"), ["test_m.py"], 2.0)
    assert (hanging.code, hanging.passed) == (-14, False)
    assert (copy.folder / "m.py").read_text() == source
    assert copy.trial("m.py", source, ["test_m.py"], 60).passed
    assert not copy.trial("m.py", "this is no Python", ["test_m.py"], 60).passed


def test_a_mutant_that_ends_pytest_itself_is_killed(tmp_path: Path) -> None:
    """What raises out of pytest is no success, and the copy is there for the next trial."""
    root = tree(tmp_path / "tree", "LIMIT = 1\n", "import m\n\ndef test():\n    assert m.LIMIT\n")
    (root / "conftest.py").write_text('import m\n\npytest_plugins = ["m"]\n')
    copy = Copy.of(root, tmp_path / "copy")
    assert copy.baseline(["test_m.py"]).passed
    trial = copy.trial("m.py", "raise SystemExit(0)\n", ["test_m.py"], 60)
    assert (trial.code, trial.passed) == (RAISED, False), trial.said
    assert "SystemExit" in trial.said
    assert copy.trial("m.py", "LIMIT = 2\n", ["test_m.py"], 60).passed


def test_an_interrupt_leaves_the_rates_so_far(call: Call) -> None:
    """The mutant that was being tried is not counted."""
    ended = call(INTERRUPTED, equivalent="")
    assert ended.returncode == 130
    assert ended.stdout.splitlines()[-3:] == [
        "interrupted after 2 of 5 mutants", "m.py: 2 of 2 survived, 100.0%", "all: 2 of 2 survived, 100.0%",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("tests", "module", "equivalent", "said"),
    [
        (HALF + "    assert False\n", [], SAME, "the tests of m.py do not pass without a mutant:"),
        (HALF, ["n.py"], SAME, "n.py is no module of "),
        (HALF, [], SAME.replace("a < b ->", "a > b ->"), "equivalent.toml row 1: m.py has no mutant "),
        (HALF, [], SAME.replace("reason", "why"), "each row has module, line, change and reason: "),
    ],
)
def test_what_cannot_be_judged_is_refused(
    tests: str, module: list[str], equivalent: str, said: str, call: Call
) -> None:
    """Red tests, an unknown module, and a row that fits no mutant any more: exit code 2, with the reason."""
    ended = call(tests, *module, equivalent=equivalent)
    assert ended.returncode == 2
    assert said in ended.stderr


def test_the_committed_tables_are_sound() -> None:
    """Each module and its tests are there; each mutant that is called equivalent is of one, and says why."""
    modules = read_modules(MODULES, ROOT, ())
    rows = equivalents(EQUIVALENT)
    assert rows
    assert all(row.module in modules and row.reason for row in rows)
    with pytest.raises(ValueError, match="there is no file"):
        read_modules(MODULES, ROOT / "docs", ())
