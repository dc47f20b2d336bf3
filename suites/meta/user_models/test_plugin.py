"""An installed checkout runs its suites from a user's own repository, and leaves that one's tests alone."""

import shlex
import subprocess
import sysconfig
import tomllib
import venv
from pathlib import Path

import pytest

import trt_parity
from fixtures import records
from suites.meta.networks import user_onnx
from suites.meta.places import ROOT

TIMEOUT = 300
PARITY = "suites/test_parity.py::test_onnxruntime_gives_the_source_outputs"
OWN_TEST = "def test_mine(request):\n    assert request.config.option.model == 'mine'\n"
OWN_OPTION = "def pytest_addoption(parser):\n    parser.addoption('--model', default='mine')\n"


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with what an editable install of this checkout leaves, and the packages of this one."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, symlinks=True)
    site = next(folder.glob("lib*/python*/site-packages"))
    (site / "trt_parity.pth").write_text(f"{ROOT}\n{sysconfig.get_path('purelib')}\n")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    about = site / f"trt_parity-{project['version']}.dist-info"
    about.mkdir()
    (about / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: trt-parity\nVersion: {project['version']}\n"
    )
    lines = [f"{name} = {place}" for name, place in project["entry-points"]["pytest11"].items()]
    (about / "entry_points.txt").write_text("\n".join(["[pytest11]", *lines]))
    return folder / "bin" / "python"


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A user's repository: a model, a test, and an option of the same name as one of ours."""
    folder = tmp_path / "repository"
    folder.mkdir()
    user_onnx.classifier(folder / "net.onnx")
    (folder / "pytest.ini").write_text("[pytest]\n")
    (folder / "tests").mkdir()
    (folder / "tests" / "conftest.py").write_text(OWN_OPTION)
    (folder / "tests" / "test_mine.py").write_text(OWN_TEST)
    return folder


def run(folder: Path, *command: str | Path) -> subprocess.CompletedProcess[str]:
    """Run a command in a folder."""
    return subprocess.run(
        [*map(str, command), "-p", "no:cacheprovider"],
        cwd=folder, capture_output=True, text=True, timeout=TIMEOUT, check=False,
    )  # fmt: skip


def test_suites_run_by_their_name_and_leave_all_in_the_users_folder(python: Path, repository: Path) -> None:
    """--pyargs suites; the rerun command that the record has gives the same case from another folder."""
    suites = PARITY.replace("/", ".").replace(".py::", "::")
    ended = run(
        repository, python.with_name("python"), "-m", "pytest", "--pyargs", suites, "--model=net.onnx",
        "--opset=13",
    )  # fmt: skip
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert {path.name for path in repository.iterdir()} >= {"artifacts", "records"}
    (record,) = records.read(next((repository / "records").glob("*.jsonl")))
    assert (record.verdict, record.model["name"], record.opset) == ("passed", "net", 13)
    elsewhere = repository.with_name("elsewhere")
    elsewhere.mkdir()
    words = shlex.split(record.rerun)
    assert words[3].startswith(f"{ROOT}/suites/test_parity.py::")
    again = run(elsewhere, *words)
    assert again.returncode == 0, again.stdout + again.stderr
    assert len(list((repository / "records").glob("*.jsonl"))) == 2
    assert {path.name for path in elsewhere.iterdir()} <= {".benchmarks"}  # pytest-benchmark's, always


def test_the_users_own_tests_see_nothing_of_the_suite(python: Path, repository: Path) -> None:
    """Neither its options, one of which is of the same name, nor its packages, one of which is hidden."""
    (repository / "fixtures").mkdir()
    (repository / "fixtures" / "__init__.py").write_text("")
    ended = run(repository, python, "-m", "pytest", "tests")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "artifact store" not in ended.stdout


def test_a_folder_that_hides_one_of_the_suite_is_named(python: Path, repository: Path) -> None:
    """A package `fixtures` of the user's own comes first on the path of `python -m pytest`."""
    (repository / "fixtures").mkdir()
    (repository / "fixtures" / "__init__.py").write_text("")
    ended = run(repository, python, "-m", "pytest", "--pyargs", "suites", "--model=net.onnx")
    assert ended.returncode == pytest.ExitCode.USAGE_ERROR
    assert "'fixtures'" in ended.stderr
    assert "hides that of the suite" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_value_that_pytest_takes_for_the_tests_is_named(python: Path, tmp_path: Path) -> None:
    """In the checkout, with no tests named: pytest would look there, and know none of our options."""
    ended = run(ROOT, python, "-m", "pytest", "--artifacts", tmp_path)
    assert ended.returncode == pytest.ExitCode.USAGE_ERROR
    assert f"takes {tmp_path} for the tests, since none are named: write `suites --artifacts {tmp_path}`" in (
        ended.stderr
    )


@pytest.mark.parametrize(
    ("words", "named"),
    [("--records DIR", "DIR"), ("-q --migrate DIR DIR", "DIR"), ("--records=DIR", ""), ("--records gone", ""),
     ("--durations DIR", ""), ("", "")],
)  # fmt: skip
def test_only_a_value_of_an_option_that_exists_is(words: str, named: str, tmp_path: Path) -> None:
    """Of an option of the suite, as a word of its own, in a folder of the checkout."""
    call = words.replace("DIR", str(tmp_path)).split()
    assert (str(tmp_path) in trt_parity.taken_for_tests(ROOT / "docs", call)) == bool(named)
    assert trt_parity.taken_for_tests(tmp_path, call) == ""


def test_tox_brings_the_plugin() -> None:
    """No environment installs the checkout, and each takes arguments of the user's."""
    lines = [line for line in (ROOT / "tox.ini").read_text().splitlines() if "-m pytest" in line]
    assert len(lines) > 5
    assert all(("-p trt_parity" in line) != ("suites/meta" in line) for line in lines)
