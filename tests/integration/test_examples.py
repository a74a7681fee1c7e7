"""Every example runs and says what its page promises."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.program import environment
from tests.verifiers.verilog.tools import needs_tools

ROOT = Path(__file__).parent.parent.parent
EXAMPLES = sorted(path.stem for path in (ROOT / "examples").glob("*.py"))


def run(name: str, *words: str) -> str:
    command = [sys.executable, f"examples/{name}.py", *words]
    done = subprocess.run(command, cwd=ROOT, env=environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout


def test_there_is_one_for_every_page() -> None:
    pages = {path.stem: path.read_text() for path in (ROOT / "docs").glob("*.md") if path.stem != "README"}
    linked = {name: next((e for e in EXAMPLES if f"examples/{e}.py" in text), "") for name, text in pages.items()}
    assert linked == {
        "write-an-environment": "environment",
        "write-a-verifier": "verifier",
        "judges-and-prms": "process_rewards",
        "train": "train",
        "evaluate": "evaluate",
        "audit": "audit",
        "shaping-and-curricula": "curriculum",
        "code": "programs",
        "sandboxes": "sandboxes",
        "verilog": "designs",
        "web": "web",
        "environments": "",  # a table; each environment is an example
        "performance": "",  # its commands are benchmarks
        "results": "",
    }
    assert sorted(filter(None, linked.values())) == EXAMPLES


def test_environment() -> None:
    text = run("environment")
    assert text.count("\nok ") + text.startswith("ok") >= 10
    assert "failed" not in text
    assert "[tool]" in text
    assert "reward 1: ok" in text


def test_verifier() -> None:
    text = run("verifier")
    assert [re.search(r"score (\S+),", line)[1] for line in text.splitlines()[:4]] == ["1.0", "0.0", "0.0", "None"]
    assert "unreadable gold 'soon'" in text
    assert [re.search(r"score (\S+),", line)[1] for line in text.splitlines()[5:]] == ["1.1", "1", "0"]


@needs_tools
def test_designs() -> None:
    text = run("designs")
    assert text.startswith("right: 1.000\nasynchronous reset: 0.9")
    assert "cheats paid: 0 of 3" in text
    assert "kills 8 of 8 mutants" in text


def test_programs() -> None:
    text = run("programs")
    assert text.startswith("honest program: 1.0\n")
    assert re.search(r"hacks paid: 0 of \d\d", text)
    assert "tests: all mutants killed" in text
    assert "1 of 2 mutants killed" in text
    assert "line 2 mutate   -1 return (a - b)" in text
    assert text.endswith("chosen: return a + b\n")


def test_web() -> None:
    text = run("web")
    assert 'page "' in text
    assert "the oracle: reward 1, messages/" in text
    assert text.endswith("only saying so: reward 0, database: changed: nothing\n")


def test_audit() -> None:
    ours, shortcut = run("audit").strip().split("\n\n")
    assert "false negatives: 1 of 6" in ours
    assert "false positives: 0 of 6" in ours
    assert "false negatives: 4 of 6" in shortcut
    assert "false positives: 3 of 6" in shortcut
    assert re.search(r"most successful attack: .*, accepted (\d+) of \1$", shortcut)


def test_evaluate() -> None:
    text = run("evaluate")
    assert "halving: pass@1 1.000" in text
    assert re.search(r"halving against anywhere: \+0\.\d+ \[\+0\.", text)
    assert "worse on 0" in text


@pytest.mark.skipif(sys.platform != "linux", reason="needs Linux")
def test_sandboxes() -> None:
    _, doubled, late, refused, forged, session, remote = run("sandboxes").splitlines()
    assert (doubled, late, session, remote) == ("ok 42", "wall_limit", "42", "by URL")
    assert re.match("(FileNotFound|Permission)Error", refused)
    assert forged == '{"value":0}'


@pytest.mark.slow
def test_train(tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="torch is not installed (extra: train)")
    text = run("train", str(tmp_path / "run"))
    assert re.findall(r"^step (\d): pass@1 ", text, re.MULTILINE) == ["0", "2"]
    assert (tmp_path / "run" / "model" / "model.safetensors").is_file()
    assert "advantage: ranked" in (tmp_path / "run" / "config.yaml").read_text()


@pytest.mark.slow
def test_process_rewards(tmp_path: Path) -> None:
    """A process reward model that knows outcomes alone tells good steps from bad ones on held-out problems."""
    pytest.importorskip("torch", reason="torch is not installed (extra: train)")
    text = run("process_rewards", str(tmp_path))
    found = re.search(r"held-out steps: (\d+), AUROC (\S+) \[(\S+), (\S+)\], ECE (\S+)$", text.strip())
    assert found, text
    assert int(found[1]) > 300
    assert float(found[3]) > 0.6, "not even the lower end of the interval is near chance"
    assert (tmp_path / "prm" / "model.safetensors").is_file()
