"""The rules of .gitignore mean here what they mean to git."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from service.code.ignored import BadRules, Ignored
from service.code.pack import pack
from tests.service.code.test_pack import names, put

FILES = (
    "a.log", "keep.log", "b/a.log", "b/c/a.log", "build/x.py", "b/build/x.py", "doc/frotz/a.txt",
    "b/doc/frotz/a.txt", "with space.py", "#hash", "!bang", "x.tmp/y.py", "z.py", "é.csv", "1.dat",
    "data/raw/1.bin", "data/raw/keep/2.bin", "data/other.txt",
)  # fmt: skip
RULES = {
    "names": "*.log\n!keep.log\n",
    "a folder": "build/\n",
    "anchored": "/build/\n/z.py\n",
    "in the middle": "doc/frotz\n",
    "stars": "**/frotz/\nb/**/a.log\ndata/**/2.bin\n",
    "nothing of a folder comes back": "data/raw/\n!data/raw/keep/\n",
    "comments and escapes": "# z.py\n\\#hash\n\\!bang\n\nwith\\ space.py\n",
    "sets": "[0-9].dat\n?.tmp\n[a-c].log\n",
    "all and some": "*\n!*/\n!*.py\n",
    "a folder's contents, and some": "data/**\n!data/other.txt\n",
    "all but a folder": "/*\n!/data\n/data/*\n!/data/raw\n",
    "a folder taken back without its contents": "*\n!data/\n!z.py\n",
}


@pytest.mark.parametrize("rules", RULES.values(), ids=RULES.keys())
def test_as_in_git(rules: str, tmp_path: Path) -> None:
    for name in FILES:
        put(tmp_path, name)
    put(tmp_path, ".gitignore", rules)
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--others", "--exclude-standard"],
        cwd=tmp_path, check=True, capture_output=True,
    )  # fmt: skip
    kept = sorted(filter(None, listed.stdout.decode().split("\0")))
    assert names(tmp_path) == kept


def test_no_rule_brings_back_what_is_never_code(tmp_path: Path) -> None:
    put(tmp_path, ".argbestignore", "!.git\n!__pycache__\n!env/\n")
    put(tmp_path, "env/pyvenv.cfg")
    rules = Ignored.of(tmp_path)
    for name in (".git", "__pycache__", "env"):
        assert rules.covers(tmp_path / name, is_folder=True)
    assert pack(tmp_path).files == 1


def test_a_file_of_rules_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / ".gitignore").symlink_to(".gitignore")
    with pytest.raises(BadRules, match=r"cannot read .*\.gitignore"):
        Ignored.of(tmp_path)
