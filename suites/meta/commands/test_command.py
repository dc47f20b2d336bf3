"""The one command: which there are, what an unknown one is told, how errors end, under both of its names."""

import gc
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from fixtures import __main__ as command
from fixtures.commands import command_line
from suites.meta.places import ROOT

NAMES = [one.name for one in command.COMMANDS]


@pytest.fixture(params=["python -m fixtures", "trt-parity"])
def program(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name that the command is called by."""
    first = {"python -m fixtures": "fixtures/__main__.py", "trt-parity": "/env/bin/trt-parity"}
    monkeypatch.setattr(sys, "argv", [first[request.param]])
    return str(request.param)


@pytest.mark.parametrize("name", NAMES)
def test_each_command_has_help_with_examples(
    name: str, program: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The help shows how the command is typed, and two or three whole lines to copy."""
    with pytest.raises(SystemExit) as ended:
        command.main([*name.split(), "--help"])
    out = capsys.readouterr().out
    examples = out.split("examples:\n")[1].split("\n\n")[0].splitlines()
    assert ended.value.code == 0
    assert out.startswith(f"usage: {program} {name} ")
    assert 2 <= len(examples) <= 3
    assert all(line.startswith(f"  {program} {name}") for line in examples)


def test_the_list_names_every_command(program: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Without a command the list goes to stderr with code 2, with --help to stdout with code 0."""
    assert (command.main([]), command.main(["--help"])) == (2, 0)
    captured = capsys.readouterr()
    assert captured.out == captured.err
    assert captured.out.startswith(f"usage: {program} COMMAND")
    assert all(f"  {name} " in captured.out for name in NAMES)


@pytest.mark.parametrize("group", ["history", "quantization", "convert", "prune", "train"])
@pytest.mark.parametrize("asked", ["-h", "--help"])
def test_a_first_word_lists_the_commands_of_its_group(
    group: str, asked: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Who asks for help with the first word gets what it may go on with, and nothing else."""
    assert command.main([group, asked]) == 0
    listed = [line.split("  ")[1] for line in capsys.readouterr().out.splitlines() if line.startswith("  ")]
    assert listed == [name for name in NAMES if name.split()[0] == group]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["suport", "m.onnx"], "no command 'suport'; did you mean support?"),
        (["machin"], "no command 'machin'; did you mean machine?"),
        (["convrt", "darknet"], "no command 'convrt'; did you mean convert darknet?"),
        (["convert", "tensorflow"], "'convert tensorflow'; did you mean convert darknet or convert mxnet or"),
        (["convert"], "no command 'convert'; did you mean convert darknet or convert mxnet or"),
        (["\x1b[2J"], "no command '\\x1b[2J'; there are support, fix, triage, machine"),
    ],
)
def test_an_unknown_command_names_the_nearest(
    words: list[str], says: str, program: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line on stderr and exit code 2."""
    assert command.main(words) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert len(captured.err.splitlines()) == 1
    assert captured.err.startswith(f"{program}: ")
    assert says in captured.err


def test_an_error_bears_the_name_of_the_command(program: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A file that is not there is one line: program and command, file, cause."""
    assert command.main(["support", "absent.onnx"]) == 1
    assert capsys.readouterr().err == f"{program} support: absent.onnx: No such file or directory\n"


def planted(error: BaseException, *arguments: str) -> int:
    """Run a command whose action raises."""

    def act(_: object) -> int:
        raise error

    return command_line.run(command_line.parser("planted", "", ("",)), act, arguments)


def test_a_fault_of_ours_is_one_line_that_asks_for_a_report(capsys: pytest.CaptureFixture[str]) -> None:
    """What nothing expects is not taken for an error of the file: it is named and ends with exit code 1."""
    assert planted(KeyError("scales")) == 1
    error = capsys.readouterr().err
    assert len(error.splitlines()) == 1
    assert "a fault of this program, not of your file: KeyError: 'scales'. Please report it" in error


@pytest.mark.parametrize("how", ["--traceback", "TRT_PARITY_TRACEBACK"])
def test_a_traceback_is_there_when_it_is_asked_for(how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the option or the environment variable, the error is raised as it is."""
    monkeypatch.setenv(command_line.TRACEBACK, "1" if how in command_line.TRACEBACK else "0")
    with pytest.raises(KeyError, match="scales"):
        planted(KeyError("scales"), *([how] if how.startswith("-") else []))


@pytest.mark.parametrize(
    ("error", "code"), [(KeyboardInterrupt(), 130), (BrokenPipeError(), 141), (ValueError("a\n" * 900), 1)]
)
def test_no_end_has_a_traceback(error: BaseException, code: int, capsys: pytest.CaptureFixture[str]) -> None:
    """Ctrl+C, a reader that went away and a message of many lines end in at most one line."""
    assert planted(error) == code
    error_text = capsys.readouterr().err
    assert len(error_text.splitlines()) <= 1
    assert len(error_text) < 1200


def test_a_package_that_is_missing_is_named_with_its_group(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where jinja2 is not installed, the report says which dependency group has it."""
    for name in [one for one in sys.modules if one.startswith(("jinja2", "fixtures.report.site"))]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.delitem(sys.modules, "fixtures.commands.report", raising=False)
    monkeypatch.setitem(sys.modules, "jinja2", None)
    assert command.main(["report", "records"]) == 1
    assert "report needs jinja2: pip install --group report" in capsys.readouterr().err


def test_the_module_runs_as_a_program(tmp_path: Path) -> None:
    """As a process of its own, from the checkout: the list, and exit code 2."""
    done = subprocess.run(
        [sys.executable, "-m", "fixtures"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("usage: python -m fixtures COMMAND")


INTERRUPTED = """
import os, signal, sys, time
from fixtures import __main__ as command
from fixtures.commands import command_line, machine

def act(options):
    try:
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(9)
    finally:
        for _ in range(int(sys.argv[1])):
            os.kill(os.getpid(), signal.SIGINT)
        print("cleaned up", flush=True)

machine.main = lambda words: command_line.run(command_line.parser("machine", "", []), act, words)
sys.exit(command.main(["machine"]))
"""


@pytest.mark.parametrize(("more", "code", "said"), [(0, 130, "cleaned up\n"), (1, -signal.SIGINT, "")])
def test_an_interrupt_is_silent(more: int, code: int, said: str) -> None:
    """The first one lets a command clean up, the next one ends it at once; neither shows a traceback."""
    child = [sys.executable, "-c", INTERRUPTED, str(more)]
    done = subprocess.run(child, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (code, said, "")


def test_an_interrupt_while_a_command_is_imported_is_silent(tmp_path: Path) -> None:
    """What a command needs takes a second to import; Python would show where it was."""
    (tmp_path / "jinja2.py").write_text("import os, signal; os.kill(os.getpid(), signal.SIGINT)")
    done = subprocess.run(
        [sys.executable, "-m", "fixtures", "report", "records"], cwd=ROOT, capture_output=True, text=True,
        check=False, env={**os.environ, "PYTHONPATH": str(tmp_path)},
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (-signal.SIGINT, "", "")


@pytest.mark.parametrize("stream", [">&-", ">/dev/full"])
def test_a_standard_output_that_takes_nothing_is_one_line(stream: str) -> None:
    """A closed one, and one of a full disk: exit code 1, and no fault of the program."""
    shell = ["sh", "-c", f'"$0" -m fixtures machine --json {stream}', sys.executable]
    done = subprocess.run(shell, cwd=ROOT, capture_output=True, text=True, check=False)
    (line,) = done.stderr.splitlines()
    assert (done.returncode, "fault" in line) == (1, False)


@pytest.mark.parametrize("words", [["machine", "--json"], ["machine", "--tensorrt", "8.6"]])
def test_a_reader_that_goes_away_ends_it_silently(words: list[str]) -> None:
    """Behind a closed pipe, as of head, nothing is printed on stderr."""
    program = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r}); from fixtures.__main__ import main; sys.exit(main())"
    )
    command = [sys.executable, "-c", program, *words]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert child.stdout
    child.stdout.close()
    assert child.stderr
    assert child.stderr.read() == b""
    child.stderr.close()
    assert child.wait() == command_line.CLOSED


@pytest.mark.parametrize("collecting", [True, False])
def test_cycles_are_collected_afterwards_as_before(collecting: bool) -> None:
    """Also where what was done meanwhile raised."""
    was = gc.isenabled()
    try:
        (gc.enable if collecting else gc.disable)()
        with pytest.raises(ZeroDivisionError), command_line.uncollected():
            1 // int(gc.isenabled())
        assert gc.isenabled() is collecting
    finally:
        (gc.enable if was else gc.disable)()
