"""Runs tests on a mutant: in a copy of the tree, in a fork of a process that has imported what tests import.

A fresh interpreter needs a second and more before the first test; a fork needs a tenth of that.
"""

from __future__ import annotations

import importlib
import os
import shutil
import signal
import sys
import time
import traceback
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

LEFT_OUT = shutil.ignore_patterns(".git", ".tox", ".venv", ".hypothesis", ".*_cache", "*-pytest-*.pyc")
RUNS_LEAVE = {"artifacts", "records", "report"}
"""Folders of the root, and not those of the same names in `fixtures/`."""
OPTIONS = ("-x", "-q", "--assert=plain", "--hypothesis-seed=0", "-p", "no:cacheprovider")
RAISED = 70
"""Exit code of a process in which pytest itself raised, such as for a plugin that cannot be imported."""
MINUTE = 60 * 10**9
SLACK, TIMES = 10.0, 5.0
"""A mutant may take so many seconds, and so many times the tests' usual time, before it counts as hanging."""


@dataclass(frozen=True)
class Trial:
    """How the tests of a module ended. code: pytest's exit code, negative for a signal. said: the output."""

    code: int
    seconds: float
    said: str

    @property
    def passed(self) -> bool:
        """True when every test passed, and there was one."""
        return self.code == 0


@dataclass(frozen=True)
class Copy:
    """A copy of the tree that mutants are written into. root: the tree; folder: its copy."""

    root: Path
    folder: Path

    @classmethod
    def of(cls, root: Path, folder: Path, *, compiled: bool = False) -> Copy:
        """Copy the tree, without what runs leave, into a folder that is not there yet.

        compiled: with what Python has compiled of it, which spares each process of the copy a second.
        """

        def left_out(place: str, names: list[str]) -> set[str]:
            left = LEFT_OUT(place, names) | (RUNS_LEAVE if Path(place) == root else set())
            return left if compiled else left | {"__pycache__"}

        shutil.copytree(root, folder, ignore=left_out, symlinks=True)
        return cls(root, folder)

    def baseline(self, tests: Sequence[str]) -> Trial:
        """Run tests on the tree as it is, and import here what they import from outside the tree."""
        names = self.folder / "imported.txt"
        trial = self._fork(tests, limit=0, names=names)
        for name in names.read_text("utf-8").splitlines() if names.exists() else ():
            with suppress(Exception):  # a module that only its package may import
                importlib.import_module(name)
        return trial

    def trial(self, module: str, source: str, tests: Sequence[str], limit: float) -> Trial:
        """Run tests with another text of a module. limit: seconds after which they are killed."""
        place = self.folder / module
        whole, times = place.read_bytes(), place.stat()
        # Python knows bytecode by seconds and size of the text: a mutant's are never those of the original
        place.write_text(source, "utf-8")
        os.utime(place, ns=(times.st_atime_ns, times.st_mtime_ns + MINUTE))
        try:
            return self._fork(tests, limit)
        finally:
            place.write_bytes(whole)
            os.utime(place, ns=(times.st_atime_ns, times.st_mtime_ns))

    def _fork(self, tests: Sequence[str], limit: float, names: Path | None = None) -> Trial:
        output, begin = self.folder / "output.txt", time.monotonic()
        sys.stdout.flush()
        sys.stderr.flush()
        if (child := os.fork()) == 0:
            os.setpgid(0, 0)  # an interrupt of the terminal is for the parent
            signal.setitimer(signal.ITIMER_REAL, limit)
            code = RAISED
            try:
                code = self._child(tests, output, names)
            except BaseException:
                traceback.print_exc(file=sys.__stderr__)
            finally:  # what is raised here must not unwind the parent's frames, which delete the copy
                os._exit(code)
        try:
            _, status = os.waitpid(child, 0)
        except BaseException:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            raise
        said = output.read_text("utf-8", errors="replace")
        return Trial(os.waitstatus_to_exitcode(status), time.monotonic() - begin, said)

    def _child(self, tests: Sequence[str], output: Path, names: Path | None) -> int:
        """Run pytest in the copy, as a process that knows nothing of the tree itself would."""
        handle = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(handle, 1)
        os.dup2(handle, 2)
        os.chdir(self.folder)
        sys.path[:] = [str(self.folder), *(path for path in sys.path if path not in ("", str(self.root)))]
        for name in [name for name, module in sys.modules.items() if _is_below(module, self.root)]:
            del sys.modules[name]
        sys.dont_write_bytecode = names is None  # a mutant's would be taken for that of the next one
        code = int(pytest.main([*OPTIONS, *tests]))
        if names is not None:
            outside = [name for name, module in sys.modules.items() if not _is_below(module, self.folder)]
            names.write_text("\n".join(outside), "utf-8")
        sys.stdout.flush()
        return code


def _is_below(module: object, folder: Path) -> bool:
    file = getattr(module, "__file__", None) or next(iter(getattr(module, "__path__", ())), None)
    return bool(file) and Path(str(file)).is_relative_to(folder)
