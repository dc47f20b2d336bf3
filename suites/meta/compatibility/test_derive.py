"""The operator table is what its rows give, and a wrong row is refused by name."""

import shutil
from pathlib import Path

import pytest

from fixtures.compatibility.tables.derive import ROWS, derived, text
from fixtures.compatibility.tables.releases import TABLE, within


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    """A copy of the rows, to be changed."""
    return Path(shutil.copytree(ROWS, tmp_path / "rows"))


def change(file: Path, old: str, new: str) -> None:
    """Replace the first place of a text that must be there."""
    before = file.read_text("utf-8")
    assert old in before
    file.write_text(before.replace(old, new, 1), "utf-8")


def test_the_committed_table_is_what_the_rows_give() -> None:
    """Nobody edited the table by hand, and no row was changed without deriving it again."""
    assert text(derived()) + "\n" == TABLE.read_text("utf-8")


def test_a_new_release_is_one_row(rows: Path) -> None:
    """Whatever is open at the end holds for a release that is added, with nothing else edited."""
    with (rows / "versions.toml").open("a") as file:
        file.write('\n["tensorrt"."11.6"]\nbasis = "derived"\nsource = "11.4"\n')
    table = derived(rows)
    assert list(table["versions"]["tensorrt"])[-1] == "11.6"
    assert table["operators"] == derived()["operators"]
    assert within("11.6", table["operators"]["Abs"]["tensorrt"][0])
    assert not within("11.6", table["operators"]["SoftmaxCrossEntropyLoss"].get("tensorrt", ["7.2"])[0])


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        ("operators.toml", 'releases = "7.0-"', 'releases = "7.5-"', r"operators\.toml: .*no release 7\.5"),
        ("parser_inputs.toml", '"Upsample"', '"Upsampel"', r"parser_inputs\.toml: Upsampel: not in"),
        ("parser_forms.toml", "argument = [1, 2, 3]", "", r"spatial_dims 7\.0-: it has no argument"),
        ("rtx.toml", 'effect = "wrong"', 'effect = "odd"', r"rtx\.toml: .*'odd' is none of refused, wrong"),
        ("rtx.toml", 'basis = "measured"', 'basis = "rumour"', r"rtx\.toml: .*'rumour'"),
        ("rtx.toml", 'flavour = "tensorrt-rtx"', 'flavour = "rtx"', r"rtx\.toml: .*'rtx'"),
        ("parser_forms.toml", 'read = ["10.13"', 'read = ["10.99"', r"there is no release 10\.99 that could"),
        (
            "parser_inputs.toml",
            'without = "8.6.0"',
            'without = "8.6.9"',
            r"range 8\.6\.9: there is no release",
        ),
        ("types.toml", "Abs", "Asb", r"types\.toml: Asb: not in operators\.toml, misspelt\?"),
    ],
)
def test_a_wrong_row_is_refused_with_its_file(rows: Path, file: str, old: str, new: str, said: str) -> None:
    """A range of no release, an unknown operator, a missing argument, an unknown basis or flavour."""
    change(rows / file, old, new)
    with pytest.raises(ValueError, match=said):
        derived(rows)
