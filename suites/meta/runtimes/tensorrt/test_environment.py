"""Getting a TensorRT: by version, by interpreter, by a folder of wheels; and saying why it cannot be had."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import zipfile
from functools import cache
from pathlib import Path

import pytest

from fixtures.compatibility import releases
from fixtures.compatibility.tables.platforms import wheels as wheels_of_the_table
from fixtures.run.selection import select_missing
from fixtures.runtimes.tensorrt import environment, versions, wheels
from fixtures.verdicts import StageError
from suites.meta.gates import child_runs
from suites.meta.places import ROOT

OWN = "cp{}{}".format(*sys.version_info)


@cache
def tox(*words: str) -> dict[str, str]:
    """Return what tox says of each of its environments: its description, or one of its settings."""
    command = [sys.executable, "-m", "tox", *words, "--colored=no"]
    text = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    pattern = r"^(\S+) +-> (.*)$" if words[0] == "list" else r"^\[testenv:(\S+)\]\n((?:(?!\[testenv).*\n?)*)"
    return dict(re.findall(pattern, text, re.MULTILINE))


def wheel(folder: Path, tag: str, name: str = "tensorrt", version: str = "7.2.3.4") -> Path:
    """Write a wheel that has one empty module."""
    path, about = folder / f"{name}-{version}-{tag}.whl", f"{name}-{version}.dist-info"
    texts = {
        f"{name}.py": "",
        f"{about}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{about}/WHEEL": f"Wheel-Version: 1.0\nRoot-Is-Purelib: false\nTag: {tag}\n",
        f"{about}/RECORD": "",
    }
    with zipfile.ZipFile(path, "w") as archive:
        for member, text in texts.items():
            archive.writestr(member, text)
    return path


@pytest.fixture
def wheel_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep environments in a folder of the test, and ask no index for numpy."""
    monkeypatch.setenv("TRT_PARITY_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setattr(wheels, "BESIDE", ())
    (tmp_path / "python").mkdir()
    return tmp_path / "python"


def test_folder_of_wheels(wheel_folder: Path) -> None:
    """A folder of wheels becomes an interpreter that has them, made once, though others lie beside."""
    wheel(wheel_folder, f"{OWN}-none-any")
    wheel(wheel_folder, "cp399-none-any")
    wheel(wheel_folder, "py3-none-any", name="tensorrt_libs")
    python = versions.resolve(str(wheel_folder))
    code = "import tensorrt, tensorrt_libs; print(tensorrt.__file__)"
    done = subprocess.run([python, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.startswith(str(python.parents[1]))
    made = python.lstat().st_mtime_ns
    assert versions.resolve(str(wheel_folder)) == python
    assert python.lstat().st_mtime_ns == made


def test_wheel_for_the_wrong_python(wheel_folder: Path) -> None:
    """Wheels for a Python that this machine lacks are refused with both Pythons and the remedy."""
    wheel(wheel_folder, "cp399-none-linux_x86_64")
    own = "{}.{}".format(*sys.version_info)
    with pytest.raises(StageError) as caught:
        versions.resolve(str(wheel_folder))
    text = str(caught.value)
    assert text.startswith(
        "tensorrt-7.2.3.4-cp399-none-linux_x86_64.whl: for Python 3.99, which this machine lacks"
    )
    assert f"pytest itself runs under {own}); install that Python" in text


def test_wheel_that_pip_refuses(wheel_folder: Path) -> None:
    """A wheel for another system is refused in pip's words, and leaves no environment that looks made."""
    wheel(wheel_folder, f"{OWN}-none-win_arm64")
    with pytest.raises(StageError, match=r"cannot be installed for .*not a supported wheel on this platform"):
        versions.resolve(str(wheel_folder))
    made = list((wheel_folder.parent / "cache").rglob("bin/python"))
    assert made
    assert not (made[0].parents[1] / wheels.READY).exists()


def test_wheels_of_something_else(wheel_folder: Path) -> None:
    """A folder without a wheel of TensorRT, and a file that only looks like a wheel, are named."""
    wheel(wheel_folder, "py3-none-any", name="other")
    with pytest.raises(StageError, match="none of its 1 wheels is of TensorRT"):
        versions.resolve(str(wheel_folder))
    (wheel_folder / "tensorrt.whl").write_text("")
    with pytest.raises(StageError, match=r"tensorrt\.whl: no name of a wheel"):
        versions.resolve(str(wheel_folder))


def test_a_shim_is_not_taken_for_a_python(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A command that only bears a Python's name is passed over, as a shim of pyenv must be."""
    shim = tmp_path / "python3.99"
    shim.write_text("#!/bin/sh\necho not installed >&2\nexit 127\n")
    shim.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    assert list(wheels.pythons("3.99")) == []
    assert Path(sys.executable) in set(wheels.pythons("{}.{}".format(*sys.version_info)))


def test_version_that_cannot_be_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A version that pip cannot have is told to pytest as missing, with pip's own reason."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", "")
    require, told = environment.arguments("trt1016")
    version = wheels_of_the_table()["10.16"]
    assert require == "--require=none"
    assert told.startswith(f"--missing={version}=tensorrt=={version} cannot be installed: ERROR: ")
    assert f"No matching distribution found for tensorrt=={version}" in told
    assert "https://pypi.nvidia.com" in told


def test_an_environment_of_no_release(capsys: pytest.CaptureFixture[str]) -> None:
    """A name that no TensorRT has is refused in one line that lists the names."""
    assert environment.main(["trt1099"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: 'trt1099' is the name of no TensorRT; there are trt7x, trt8x, trt86, ")


def test_last_words() -> None:
    """Of what the vendor's package prints, what failed and why are kept, in that order."""
    log = "  Traceback\n  urllib.error.URLError: <no name>\n  The installation of x failed.\n\nhint: above\n"
    assert wheels.last_words(log) == "The installation of x failed; urllib.error.URLError: <no name>"
    assert wheels.last_words("one\ntwo\n") == "two"


def test_variable_that_names_a_tensorrt(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a variable names is given to pytest; when it is not set, that is the reason."""
    monkeypatch.setenv("TRT_PARITY_TRT7X", "/opt/trt72/python")
    assert environment.arguments("trt7x") == ["--tensorrt=/opt/trt72/python"]
    monkeypatch.delenv("TRT_PARITY_TRT7X")
    _, told = environment.arguments("trt7x")
    assert told.startswith("--missing=7.x=set TRT_PARITY_TRT7X to a Python interpreter that has TensorRT 7")


def test_missing_tensorrt_is_not_run(tmp_path: Path) -> None:
    """Every stage of a missing TensorRT has a record under its version, not-run and with the reason."""
    told = environment.missing("10.9.0.34", "no such index")
    suites = ["suites/test_parity.py", "suites/test_build.py"]
    words = [*suites, *told, "--model=digits", "--opset=13", "--support=none", "-m", "tensorrt"]
    run = child_runs.run(tmp_path / "store", *words)
    assert run.code == 0
    assert {record.stage for record in run.records} == {"tensorrt-build", "tensorrt-parity"}
    for record in run.records:
        assert record.tensorrt == {"flavour": "tensorrt", "version": "10.9.0.34"}
        assert (record.verdict, record.message) == ("not-run", "no such index")
    assert "not-run: " in run.output


@pytest.mark.parametrize("by", ["option", "variable", "variable beside another option"])
def test_missing_tensorrt_that_is_required(by: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who requires builds gets a red run when the TensorRT is missing, whatever else the run was told."""
    words = ["suites/test_build.py", "--model=digits", "--opset=13", "--support=none", "-m", "tensorrt"]
    words += ["--require=tensorrt-build"] if by == "option" else []
    words += ["--require=latency"] if by == "variable beside another option" else []
    monkeypatch.setenv("TRT_PARITY_REQUIRE", "" if by == "option" else "tensorrt-build,convert")
    run = child_runs.run(tmp_path / "store", *words, "--missing=10.9=no index")
    assert run.code == 1
    assert "--require: stage tensorrt-build executed nothing" in run.output
    assert "stage convert" not in run.output


@pytest.mark.parametrize("text", ["10.9", "=reason", "rtx1.7=reason", "10.9="])
def test_missing_without_version_or_reason(text: str) -> None:
    """What is not VERSION=REASON is refused with an example of what is."""
    with pytest.raises(ValueError, match=f"--missing: '{text}' is not VERSION=REASON, such as "):
        select_missing(text)


def test_a_wrong_missing_is_a_wrong_argument(tmp_path: Path) -> None:
    """The refusal ends the run as a wrong argument does."""
    run = child_runs.run(tmp_path / "store", "suites", "--missing=10.9")
    assert run.code == 4
    assert "ERROR: --missing: '10.9' is not VERSION=REASON" in run.output


def test_every_release_has_an_environment() -> None:
    """Each TensorRT of the support tables from 8.6 on, less 9.x, has a wheel and its environment.

    11.5 was released, and its wheel is not on the index yet (2026-11-29).
    """
    known = [release.version for release in releases() if release.flavour == "tensorrt"]
    wanted = {v for v in known if v == "8.6" or v.split(".")[0] in ("10", "11")} - {"11.5"}
    assert set(wheels_of_the_table()) == wanted
    assert all(wheel.startswith(release + ".") for release, wheel in wheels_of_the_table().items())
    names = {"trt" + version.replace(".", "") for version in wanted}
    assert {name for name in tox("list", "-q") if name.startswith("trt")} == {*names, *environment.VARIABLES}


def test_every_environment_is_explained() -> None:
    """Each environment of tox has a description, and its command names its own TensorRT."""
    for name, about in tox("list", "-q").items():
        assert len(about) > 20, name
    commands = tox("config", "-k", "commands")
    for name in wheels_of_the_table():
        short = "trt" + name.replace(".", "")
        assert f"fixtures.runtimes.tensorrt.environment {short} " in commands[short]


@pytest.mark.parametrize("name", ["convert", "rtx15", "rtx17", "rtx16-gpu"])
def test_what_an_environment_requires_holds_under_any_arguments(name: str) -> None:
    """Required stages are no default of the arguments, which a user's own arguments would replace."""
    assert "TRT_PARITY_REQUIRE=" in tox("config", "-k", "set_env")[name]
    assert "--require" not in tox("config", "-k", "commands")[name]
