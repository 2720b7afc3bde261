"""What the README and the documentation say works."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import typer.main

from napari_spinney.cli import app

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
COMMANDS = typer.main.get_command(app).commands


def blocks(page, language):
    return re.findall(rf"```{language}\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)


def command_lines():
    found = []
    for page in PAGES:
        found += [
            line.split("#")[0].split()[1:]
            for block in blocks(page, "")
            for line in block.splitlines()
            if line.startswith("spinney ")
        ]
    return [words for words in found if words[0] != "COMMAND"]


def test_the_example_runs(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (example,) = blocks(ROOT / "README.md", "python")
    names = {}
    exec(compile(example, "README.md", "exec"), names)
    assert names["objects"].max() > 40
    assert (tmp_path / "nuclei.spinney").exists()
    assert "held out" in capsys.readouterr().out


def test_the_example_has_five_lines():
    (example,) = blocks(ROOT / "README.md", "python")
    assert len([line for line in example.splitlines() if line and "import" not in line]) == 5


@pytest.mark.parametrize("words", command_lines(), ids=" ".join)
def test_commands_and_options_exist(words):
    command = COMMANDS[words[0]]
    known = {
        name for parameter in command.params for name in parameter.opts + parameter.secondary_opts
    }
    named = {word.strip("[]") for word in words if word.strip("[").startswith("--")}
    assert named <= known | {"--help"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text(encoding="utf-8")):
        if not target.startswith("http"):
            assert (page.parent / target).exists(), target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_make_targets_exist(page):
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"(?:^|`)make ([a-z]+)", page.read_text(), re.MULTILINE)) <= targets


def test_the_page_of_features_is_up_to_date():
    script = ROOT / "scripts" / "make_docs_tables.py"
    done = subprocess.run([sys.executable, script, "--check"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
