"""The closure of a module: every way in which one file of a checkout can depend on another."""

from pathlib import Path

import pytest

from fixtures.store.closure import SourceTree

CHECKOUT = {
    "__init__.py": "",
    "notes": "",
    "a/__init__.py": "from a.on_top import x\ndef late():\n    from a.within import y\n",
    "a/on_top.py": "",
    "a/within.py": "",
    "a/leaf.py": "import json\n",
    "a/other.py": "",
    "a/table.json": "{}",
    "a/leaf.npz": "",
    "a/b/__init__.py": "",
    "a/b/__main__.py": "from a.b import run\n",
    "a/b/run.py": "",
    "a/b/first.py": "",
    "a/b/second.py": "",
    "a/child.py": "import a.within\n",
    "a/lazy.py": "def f():\n    import a.leaf\n",
    "a/b/up.py": "from ..leaf import x\n",
    "a/broken.py": "import a.within\nthis is no Python\n",
    "data/limits.json": "{}",
    "data/deep.py": "def f():\n    import a.leaf\n",
}
TOP = {"a/__init__.py", "a/on_top.py"}
PACKAGE = TOP | {"a/b/__init__.py"}
WAYS = [
    ("import a.leaf", TOP | {"a/leaf.py"}),
    ("import a.leaf as l, json", TOP | {"a/leaf.py"}),
    ("from a import leaf", TOP | {"a/leaf.py"}),
    ("from a.leaf import x", TOP | {"a/leaf.py"}),
    ("from a.leaf import *", TOP | {"a/leaf.py"}),
    ("from . import leaf", TOP | {"a/leaf.py"}),
    ("from .leaf import x", TOP | {"a/leaf.py"}),
    ("from .b import run", PACKAGE | {"a/b/run.py"}),
    ("from a import late", TOP | {"a/within.py"}),
    ("import a", TOP | {"a/within.py"}),
    ("from a import late, leaf", TOP | {"a/within.py", "a/leaf.py"}),
    ("def f():\n    import a.leaf", TOP | {"a/leaf.py"}),
    ("class C:\n    def f(self):\n        from a.leaf import x", TOP | {"a/leaf.py"}),
    ("if True:\n    try:\n        import a.leaf\n    except ImportError:\n        pass", TOP | {"a/leaf.py"}),
    ("import_module('a.leaf')", TOP | {"a/leaf.py"}),
    ("run([sys.executable, '-m', 'a.b'])", PACKAGE | {"a/b/__main__.py", "a/b/run.py"}),
    (
        "import_module(f'a.b.{name}')",
        PACKAGE | {f"a/b/{n}.py" for n in ("__main__", "run", "first", "second", "up")} | {"a/leaf.py"},
    ),
    ("NAMES = ['first', '']\nimport_module(f'a.b.{name}')", PACKAGE | {"a/b/first.py"}),
    ("Path(__file__).with_name('child.py')", TOP | {"a/child.py", "a/within.py"}),
    ("Path(__file__).with_name('lazy.py')", TOP | {"a/lazy.py", "a/leaf.py"}),
    ("HERE / 'data' / 'deep.py'", TOP | {"data/deep.py", "a/leaf.py"}),
    ("import a.b.up", PACKAGE | {"a/b/up.py", "a/leaf.py"}),
    ("print(f'a.b {name}')", TOP),
    ("HERE / 'notes', '.', ''", TOP),
    ("Path(__file__).parent / 'table.json'", TOP | {"a/table.json"}),
    ("Path(__file__).with_suffix('.npz')", TOP | {"a/entry.npz"}),
    ("HERE / 'b' / 'run.py'", TOP | {"a/b/run.py"}),
    ("Path(__file__).parents[1] / 'data' / 'limits.json'", TOP | {"data/limits.json"}),
    ("import a.broken", TOP | {"a/broken.py"}),
    ("'''Read a.leaf and table.json by hand.'''\nimport json, numpy", TOP),
]


def tree(folder: Path, entry: str) -> SourceTree:
    """Write the checkout with the module `a.entry` and its weights, and return its files."""
    for name, text in {**CHECKOUT, "a/entry.py": entry, "a/entry.npz": ""}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return SourceTree(folder)


@pytest.mark.parametrize(("entry", "files"), WAYS, ids=[entry for entry, _ in WAYS])
def test_whatever_a_module_is_made_by_is_found(entry: str, files: set[str], tmp_path: Path) -> None:
    """Imports wherever they stand, modules that are run, files that are read; and nothing else."""
    assert tree(tmp_path, entry).closure(["a.entry"]) == files | {"a/entry.py"}


def test_an_unknown_module_is_named(tmp_path: Path) -> None:
    """A table of modules that names one that is gone is an error, not a smaller key."""
    with pytest.raises(ValueError, match=r"a\.gone is no module of "):
        tree(tmp_path, "").closure(["a.entry", "a.gone"])


def test_the_digest_is_of_names_and_contents(tmp_path: Path) -> None:
    """The order does not count; a changed byte, a new name and a missing file do."""
    files = ["a/leaf.py", "a/other.py"]
    before = tree(tmp_path, "").digest(files)
    assert tree(tmp_path, "").digest(reversed(files)) == before
    others = [tree(tmp_path, "").digest(["a/leaf.py"])]
    (tmp_path / "a" / "other.py").write_text(" ")
    others.append(SourceTree(tmp_path).digest(files))
    (tmp_path / "a" / "other.py").write_text("")
    (tmp_path / "a" / "other.py").rename(tmp_path / "a" / "another.py")
    others.append(SourceTree(tmp_path).digest(["a/leaf.py", "a/another.py"]))
    assert len({before, *others}) == 4


def test_an_edited_file_of_a_closure_is_named(tmp_path: Path) -> None:
    """In the order of names, whatever was read first; a file that nothing was asked of is left out."""
    found = tree(tmp_path, "")
    found.remember("a")
    for file in ("a/other.py", "a/leaf.py", "a/within.py"):
        found.digest([file])
    assert found.edited() == []
    for file in ("a/other.py", "a/leaf.py", "a/child.py"):
        (tmp_path / file).write_text("# edited")
    assert found.edited() == ["a/leaf.py", "a/other.py"]
    (tmp_path / "a" / "within.py").unlink()
    assert found.edited() == ["a/leaf.py", "a/other.py", "a/within.py"]
