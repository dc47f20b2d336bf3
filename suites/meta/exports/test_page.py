"""The page on dashboards: its commands run, and its examples for CI are YAML that names them."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from fixtures import __main__ as command
from fixtures.commands.export import STEP_SUMMARY
from fixtures.exports.formats import NAMES
from fixtures.records import Metric
from suites.meta.places import ROOT
from suites.meta.report.planted import record, written

PAGE = (ROOT / "docs" / "dashboards.md").read_text("utf-8")
LINES = [
    line.partition("python -m fixtures ")[2].partition(" | ")[0]
    for line in PAGE.replace("`", "\n").splitlines()
    if "python -m fixtures " in line and "FORMAT" not in line
]


def test_the_commands_of_the_page_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One after the other, in a folder with records; each ends with exit code 0."""
    pytest.importorskip("pyarrow", reason="pip install --group parquet")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(STEP_SUMMARY, "summary.md")
    metrics = {"worst": Metric(0.5, limit=1.0), "median": Metric(1.0, "ms")}
    written(tmp_path / "records", record(metrics=metrics), record("failed", 2, opset=12))
    calls = [shlex.split(line.replace("/var/lib/node_exporter/", "")) for line in LINES]
    results = {" ".join(words): command.main(words) for words in calls if words[0] != "report"}
    # the query is about the last month, and these records are of January
    assert {words: code for words, code in results.items() if code and "--since" not in words} == {}
    assert len(results) >= 15
    assert {words[1] for words in calls if words[0] == "export"} >= {*NAMES} - {
        "github-bigger",
        "junit-properties",
    }


def test_they_need_no_package(tmp_path: Path) -> None:
    """A job runs them with the interpreter that has tox, outside of an environment."""
    modules = {row.module for row in command.COMMANDS if row.words[0] in ("export", "history")}
    program = f"import sys; sys.path.insert(0, {str(ROOT)!r})\n" + "".join(
        f"import fixtures.commands.{module}\n" for module in sorted(modules)
    )
    subprocess.run([sys.executable, "-S", "-c", program], cwd=tmp_path, check=True)


@pytest.mark.parametrize("text", re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL))
def test_examples_for_ci_are_yaml(text: str) -> None:
    """Each is read by a parser, and has a command of ours."""
    yaml = pytest.importorskip("yaml")
    assert "python -m fixtures export junit records -o junit.xml" in str(yaml.safe_load(text))
