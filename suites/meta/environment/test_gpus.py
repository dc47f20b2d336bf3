"""Which GPUs there are by nvidia-smi, which one is meant, and what is said where none is."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fixtures.environment import gpus
from fixtures.environment.gpus import GpuError

A, B, C = (f"GPU-{letter * 8}-1111-2222-3333-444444444444" for letter in "abc")
THREE = f"""0, {A}, 00000000:1B:00.0, 580.159.04, NVIDIA H200
1, {B}, 00000000:43:00.0, 580.159.04, NVIDIA H200
2, {C}, 00000001:9D:00.0, 470.57, NVIDIA L4, of a name
"""
NONE = "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver."
Plant = Callable[..., None]


@pytest.fixture
def plant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Plant]:
    """What puts an nvidia-smi that prints a text, and ends with a code, before all others."""

    def planted(text: str, code: int = 0) -> None:
        program = tmp_path / "nvidia-smi"
        program.write_text(f"#!/bin/sh\ncat <<'END'\n{text}END\nexit {code}\n")
        program.chmod(0o755)
        gpus._answer.cache_clear()

    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.delenv(gpus.VISIBLE, raising=False)
    yield planted
    gpus._answer.cache_clear()


@pytest.mark.parametrize(
    ("words", "visible", "meant"),
    [
        ("all", None, (A, B, C)),
        ("1", None, (B,)),
        ("2, 0", None, (C, A)),
        ("GPU-b", None, (B,)),
        (C, None, (C,)),
        ("MIG-1f2e", None, ("MIG-1f2e",)),
        ("all", "2,0", (C, A)),
        ("0", "2", (C,)),
        ("all", f"{B},", (B,)),
    ],
)
def test_gpus_are_chosen(
    words: str, visible: str | None, meant: tuple[str, ...], plant: Plant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By all, number or UUID, of those that CUDA_VISIBLE_DEVICES leaves."""
    plant(THREE)
    if visible is not None:
        monkeypatch.setenv(gpus.VISIBLE, visible)
    assert gpus.chosen(words) == meant


@pytest.mark.parametrize(
    ("words", "visible", "said"),
    [
        ("3", None, f"'3' names no GPU, or several; 0 is {A}, NVIDIA H200; 1 is "),
        ("1", "2", f"'1' names no GPU, or several; 0 is {C}"),
        ("GPU-", None, "'GPU-' names no GPU, or several"),
        ("0,", None, "'' names no GPU"),
        ("both", None, "'both' names no GPU"),
        ("0,GPU-a", None, f"{A} is named twice"),
        ("all", "", "CUDA_VISIBLE_DEVICES= hides every GPU"),
        ("all", "7", "CUDA_VISIBLE_DEVICES=7 hides every GPU"),
    ],
)
def test_a_wrong_word_is_answered_by_those_there_are(
    words: str, visible: str | None, said: str, plant: Plant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One line, which names what is there."""
    plant(THREE)
    if visible is not None:
        monkeypatch.setenv(gpus.VISIBLE, visible)
    with pytest.raises(GpuError) as caught:
        gpus.chosen(words)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "code", "said"), [(NONE + "\n", 9, "ends with code 9"), ("", 0, "nvidia-smi says: ")]
)
def test_without_a_gpu_the_reason_is_said(text: str, code: int, said: str, plant: Plant) -> None:
    """A driver that fails, and a list that is empty; what lies at a bus id then goes by that id."""
    plant(text, code)
    with pytest.raises(GpuError, match=said):
        gpus.chosen("all")
    assert gpus.uuid_at("0000:1b:00.0") == "0000:1b:00.0"


@pytest.mark.parametrize(
    ("bus", "uuid"),
    [("0000:1b:00.0", A), ("0000:1B:00.0", A), ("0001:9d:00.0", C), ("0000:02:00.0", "0000:02:00.0")],
)
def test_a_bus_id_leads_to_a_uuid(bus: str, uuid: str, plant: Plant) -> None:
    """CUDA and nvidia-smi write it in different ways."""
    plant(THREE)
    assert gpus.uuid_at(bus) == uuid


def test_who_asks_for_none_takes_the_first_that_is_visible(
    plant: Plant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is timed on it is recorded with its name."""
    plant(THREE)
    assert gpus.first().name == "NVIDIA H200"
    monkeypatch.setenv(gpus.VISIBLE, "2")
    assert gpus.described() == {"name": "NVIDIA L4, of a name", "driver": "470.57", "uuid": C}
    plant(NONE, 9)
    with pytest.raises(GpuError, match="no GPU can be told from another: nvidia-smi"):
        gpus.first()
