"""An argument in another checkout of the suite is told of in one line, before pytest reads that checkout."""

import subprocess
import sys
from pathlib import Path

import pytest

from fixtures.run.checkouts import PARTS, problem
from suites.meta.places import ROOT

OLD = "import fixtures\ndef pytest_addoption(parser):\n    parser.addoption('--tensorrt', action='append')\n"
"""The ``conftest.py`` of an earlier version: it declares options itself."""


def checkout(folder: Path) -> Path:
    """Write what a checkout is known by, and an interpreter in it."""
    for name in (*PARTS[1:], "venv"):
        (folder / name).mkdir(parents=True)
    (folder / "conftest.py").write_text(OLD)
    (folder / "fixtures" / "__init__.py").touch()
    (folder / "suites" / "test_a.py").touch()
    (folder / "venv" / "python").symlink_to(sys.executable)
    return folder


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (
            "other suites --tensorrt ../here/venv/python",
            "../here/venv/python as --tensorrt=../here/venv/python",
        ),
        ("here --tensorrt ../other/venv/python", "../other/venv/python as --tensorrt="),
        (
            "here --tensorrt ../other/venv/python suites/test_a.py::test",
            "../other/venv/python as --tensorrt=",
        ),
        ("here suites/test_a.py -k x ../other/venv", "../other/venv as --OPTION=../other/venv"),
        (". here/suites --migrate here/venv/python other/venv/python", "other/venv/python as --OPTION="),
        ("here suites --tensorrt=../other/venv/python", ""),
        ("here suites --tensorrt venv/python", ""),
        ("here suites --tensorrt ../other/gone", ""),
        ("other ../here/suites --artifacts ../elsewhere", ""),
        ("elsewhere ../here/suites/test_a.py", ""),
        ("here", ""),
    ],
)
def test_the_argument_is_named_with_what_to_write(call: str, named: str, tmp_path: Path) -> None:
    """The tests that are named say whose run it is, or else the folder; what lies in no checkout is left."""
    for name in ("here", "other"):
        checkout(tmp_path / name)
    (tmp_path / "elsewhere").mkdir()
    folder, *arguments = call.split()
    said = problem(arguments, tmp_path / folder)
    argument, _, option = named.partition(" as ")
    assert said.startswith(argument)
    assert option in said
    assert bool(said) == bool(named)


@pytest.mark.slow
@pytest.mark.parametrize("first", [True, False])
def test_pytest_ends_with_one_line(first: bool, tmp_path: Path) -> None:
    """Whichever checkout is read first, and whatever its version declares."""
    value, tests = ["--tensorrt", str(checkout(tmp_path) / "venv" / "python")], ["suites/test_support.py"]
    call = [*value, *tests] if first else [*tests, *value]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "--collect-only", *call],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    (line,) = filter(None, done.stderr.splitlines())
    assert f"lies in another checkout of the suite, {tmp_path}: " in line or f" lies in {tmp_path}, " in line
    assert "write it with =, as --tensorrt=" in line
    assert (done.returncode, done.stdout.strip()) == (1 if first else 4, "")
