"""The commands and the code of README.md and docs/ work as printed."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main
import yaml

from assay import verify_text
from assay.cli.app import app
from assay.core.registry import environment_ids
from assay.verifiers import build_verifier
from tests.cli.program import assay

ROOT = Path(__file__).parent.parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), *sorted((ROOT / "examples").rglob("*.md"))]
FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.DOTALL | re.MULTILINE)
INDENTED = re.compile(r"(?:^    assay .*\n)+", re.MULTILINE)
QUICK = ("list", "check", "--help", "--version")
"""Commands that need nothing but what is installed, and seconds."""


def blocks(page: Path, *languages: str) -> Iterator[str]:
    for language, body in FENCE.findall(page.read_text()):
        if language in languages:
            yield body


def commands() -> list[tuple[str, str]]:
    found = []
    for page in PAGES:
        text = "\n".join([*blocks(page, "bash", "console", "sh"), *INDENTED.findall(page.read_text())])
        for line in text.replace("\\\n", " ").splitlines():
            words = line.strip().removeprefix("$ ")
            if words.startswith("assay "):
                found.append((page.name, words.partition(" #")[0]))
    return found


def test_there_are_commands_of_every_kind() -> None:
    kinds = {shlex.split(line)[1] for _, line in commands()}
    assert {"train", "eval", "compare", "audit", "check", "list", "play", "report", "serve"} <= kinds


@pytest.mark.parametrize(("page", "line"), sorted(set(commands())))
def test_a_command_parses(page: str, line: str) -> None:
    """Its name, its options and the number of its words are known; files that it names from here exist."""
    _, name, *words = shlex.split(line)
    group: Any = typer.main.get_command(app)
    group.commands[name].make_context(name, list(words)).close()
    for word in words:
        if word.startswith("configs/"):
            assert (ROOT / word).is_file(), word
        if word.startswith("assay/"):
            assert word in environment_ids(), word


def settings() -> list[tuple[str, str]]:
    return sorted({row for row in commands() if shlex.split(row[1])[1] in ("train", "eval")})


@pytest.mark.parametrize(("page", "line"), settings())
def test_the_settings_of_a_command_exist(page: str, line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from assay.cli.evaluate import _load
    from assay.core.config import load_config
    from assay.trainers.config import TrainConfig

    monkeypatch.chdir(ROOT)
    _, kind, target, *rest = shlex.split(line)
    overrides = [word for word in rest if "=" in word and not word.startswith("--")]
    if kind == "train":
        load_config(TrainConfig, target, overrides)
    else:
        _load(target, overrides)


@pytest.mark.parametrize("line", sorted({line for _, line in commands() if shlex.split(line)[1] in QUICK}))
def test_a_quick_command_runs(line: str) -> None:
    if "acme/" in line:
        pytest.skip("needs the package in examples/acme_rl; tests/integration/test_third_party.py installs it")
    assay(*shlex.split(line)[1:]).expect(0)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_python_runs(page: Path) -> None:
    for body in blocks(page, "python"):
        exec(compile(body, str(page), "exec"), {"__name__": "documentation"})


def test_the_rubric_that_is_data_can_be_built() -> None:
    (text,) = blocks(ROOT / "docs" / "write-a-verifier.md", "yaml")
    rubric = build_verifier(yaml.safe_load(text))
    assert verify_text(rubric, "12", "so it is \\boxed{12}").score == pytest.approx(1.1)
    assert verify_text(rubric, "12", "so it is \\boxed{13}").score == 0


def test_a_judge_that_is_data_can_be_built() -> None:
    _, with_votes, _ = blocks(ROOT / "docs" / "judges-and-prms.md", "yaml")
    judge = build_verifier(yaml.safe_load(with_votes))
    assert (judge.votes, judge.meta.keep) == (8, 4)  # type: ignore[attr-defined]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text()):
        if "://" not in target:
            assert (page.parent / target).exists(), target
