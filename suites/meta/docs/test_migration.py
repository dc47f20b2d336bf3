"""The page about upgrading: its commands run as they stand there, one after the other."""

import re
import shlex
from pathlib import Path

import pytest

from docs.tables import int8
from fixtures.__main__ import main
from suites.meta.docs.pages import text
from suites.meta.gates.child_runs import run

SECTION = text("migration.md").partition("\n## Upgrading TensorRT 8 to 10 to 11\n")[2]
COMMANDS = re.findall(r"^    python -m (\w+) (.*)$", SECTION, re.MULTILINE)
CALIBRATE = "quantization calibrate model.onnx --images images.npy -o calibration.cache --tensorrt 8.6.1"


@pytest.mark.slow
def test_its_commands_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each ends with code 0, but those that need both TensorRTs, which are looked at alone."""
    monkeypatch.chdir(tmp_path)
    int8.write(tmp_path)
    assert main(shlex.split(CALIBRATE)) == 0
    here = [words for module, words in COMMANDS if module == "fixtures"]
    assert len(here) == 10
    for words in here[:-3]:
        assert main(shlex.split(words)) == 0, words
    assert (tmp_path / "model_11_qdq.onnx").stat().st_size > 0
    runs = [shlex.split(words) for module, words in COMMANDS if module == "pytest"]
    assert [("--migrate" in words) for words in runs] == [False, True, True]
    words = [word.replace("TRT_PARITY/suites", "suites") for word in runs[0]]
    words[words.index("model_11.onnx")] = str(tmp_path / "model_11.onnx")
    ended = run(tmp_path / "artifacts", *words)
    assert ended.code == 0, ended.output
    assert {record.verdict for record in ended.records} <= {"passed", "unsupported", "not-run"}
    left = [record.message for record in ended.records if record.verdict == "not-run"]
    assert all("CUDAExecutionProvider" in message for message in left), left
    for words in here[-3:]:
        assert main(shlex.split(words)) == 0, words
