"""Baseline files: damage is named by file and line, and writers at once lose nothing."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from fixtures.baselines.entries import CASE, DEVICE, Entry
from fixtures.baselines.files import BaselineError, append, read
from suites.meta.places import ROOT

KEY = dict.fromkeys((*CASE, *DEVICE), "x")
ENTRY = Entry(KEY, {"median": 1.5}, {"median": [1.0, 2.0]}, run_id="r", commit="c", time="t")


def damaged(**changed: object) -> str:
    """A line with fields changed."""
    return json.dumps({**json.loads(ENTRY.to_json()), **changed})


def test_what_is_appended_is_read(tmp_path: Path) -> None:
    """In its order; where there is no file there is no entry."""
    assert read(tmp_path / "b.jsonl") == []
    append(tmp_path / "b.jsonl", ENTRY)
    append(tmp_path / "b.jsonl", Entry(KEY, {}))
    first, second = read(tmp_path / "b.jsonl")
    assert (dict(first.metrics), list(first.samples["median"]), second.metrics) == (
        {"median": 1.5}, [1.0, 2.0], {},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("line", "named"),
    [
        (ENTRY.to_json()[:-9], "no entry of a baseline: "),
        ("[]", "not an entry of schema 1"),
        (damaged(schema=9), "not an entry of schema 1"),
        (damaged(more=1), "fields do not fit schema 1: .*more"),
        (damaged(key={}), "its key has no 'stage'"),
        (damaged(key=3), "fields do not fit"),
        (damaged(metrics={"median": "1"}), "a metric or a sample is no finite number"),
        (damaged(metrics={"median": float("nan")}), "no finite number"),
        (damaged(samples={"median": 1}), "fields do not fit"),
        ("[" * 100_000, "no entry of a baseline: "),
        ("\udcff", "no entry of a baseline: .*utf-8"),
    ],
)
def test_a_damaged_line_is_named(tmp_path: Path, line: str, named: str) -> None:
    """File, line, what is wrong with it and what to do; nothing is guessed."""
    text = f"{ENTRY.to_json()}\n{line}\n"
    (tmp_path / "b.jsonl").write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(BaselineError, match=rf"b\.jsonl:2: .*{named}.*; delete that line, or give another"):
        read(tmp_path / "b.jsonl")


def test_a_file_that_is_none_is_named(tmp_path: Path) -> None:
    """A folder in its place is no baseline."""
    with pytest.raises(BaselineError, match="cannot be read"):
        read(tmp_path)


def test_a_disk_that_does_not_take_it_is_named_with_the_file(tmp_path: Path) -> None:
    """Nothing is lost in silence."""
    (tmp_path / "b.jsonl").mkdir()
    with pytest.raises(OSError, match=r"b\.jsonl"):
        append(tmp_path / "b.jsonl", ENTRY)


def test_a_line_cut_short_spoils_only_itself(tmp_path: Path) -> None:
    """What is appended after an interrupted write begins a line of its own."""
    (tmp_path / "b.jsonl").write_text(ENTRY.to_json()[:20])
    append(tmp_path / "b.jsonl", ENTRY)
    assert (tmp_path / "b.jsonl").read_text().splitlines()[1] == ENTRY.to_json()


WRITER = """
import sys
from pathlib import Path
from fixtures.baselines.entries import Entry
from fixtures.baselines.files import append
key = dict.fromkeys({names!r}, sys.argv[2])
for number in range(100):
    append(Path(sys.argv[1]), Entry(key, {{"number": number}}, {{"number": [1.0] * 2000}}))
"""


def test_two_runs_that_save_at_once_lose_nothing(tmp_path: Path) -> None:
    """Each line of both is whole, and in the order of its run."""
    code = WRITER.format(names=(*CASE, *DEVICE))
    runs = [
        subprocess.Popen([sys.executable, "-c", code, str(tmp_path / "b.jsonl"), name], cwd=ROOT)
        for name in "ab"
    ]
    assert [run.wait() for run in runs] == [0, 0]
    found = read(tmp_path / "b.jsonl")
    for name in "ab":
        assert [entry.metrics["number"] for entry in found if entry.key["stage"] == name] == list(range(100))
