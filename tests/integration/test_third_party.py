"""A package that assay knows nothing of: built, installed elsewhere, and used by every command through entry points."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.program import command, environment

pytestmark = pytest.mark.slow
PACKAGE = Path(__file__).parent.parent.parent / "examples" / "acme_rl"
Run = Callable[..., str]


def pip(*words: object) -> None:
    done = subprocess.run([sys.executable, "-m", "pip", *map(str, words)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Run `assay` in a new directory, with the package's wheel installed into a directory on the path."""
    pytest.importorskip("hatchling", reason="hatchling builds the wheel (extra: dev)")
    pytest.importorskip("torch", reason="torch is not installed (extra: train)")
    root = tmp_path_factory.mktemp("acme")
    quiet = ("--quiet", "--disable-pip-version-check", "--no-deps", "--no-index")
    pip("wheel", *quiet, "--no-build-isolation", "--wheel-dir", root / "wheels", PACKAGE)
    (wheel,) = (root / "wheels").glob("acme_rl-*.whl")
    pip("install", *quiet, "--target", root / "site", wheel)

    def assay(*words: object) -> str:
        done = subprocess.run(
            command(*words),
            env=environment(PYTHONPATH=str(root / "site")),
            cwd=root,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr + done.stdout
        return done.stdout

    return assay


TRAIN = """\
env: {id: acme/Parity-v0, options: {length: 5}}
model: {vocabulary: "01?evnod", hidden: 32, layers: 2, heads: 2, feed_forward: 64, max_positions: 32}
steps: 2
warmstart: {steps: 20, batch: 16, learning_rate: 1.0e-2, demonstrations: 50, styles: {careful: 1.0}}
rollout: {groups: 4, group_size: 4, max_tokens: 6}
eval: {every: 1, tasks: 4, samples: 2, ks: [1, 2]}
tensorboard: false
"""


def test_it_is_listed_beside_ours(run: Run) -> None:
    listed = run("list")
    assert "acme/Parity-v0" in listed
    assert "assay/Arithmetic-v0" in listed
    assert "\nparity " in run("list", "verifiers")


def test_its_environment_is_checked(run: Run) -> None:
    checks = [line.split()[0] for line in run("check", "acme/Parity-v0", "--episodes", 5).splitlines()[1:]]
    assert checks.count("ok") >= 10
    assert "failed" not in checks


def test_its_environment_trains_an_agent_and_evaluates_it(run: Run, tmp_path: Path) -> None:
    (tmp_path / "parity.yaml").write_text(TRAIN)
    run("train", tmp_path / "parity.yaml", "--run-dir", tmp_path / "run")
    rows = [json.loads(line) for line in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()]
    trained = [row for row in rows if row["kind"] == "train"]
    assert [row["step"] for row in trained] == [1, 2]
    assert all(row["episodes"] == 16 and row["unscored"] == 0 for row in trained)
    model, directory = tmp_path / "run" / "model", tmp_path / "eval"
    run(
        *("eval", "acme/Parity-v0", "env_options.length=5", f"agent.model={model}", "agent.max_tokens=6"),
        *("tasks=4", "samples=4", "ks=[1,4]", "--run-dir", directory),
    )
    summary = json.loads((directory / "summary.json").read_text())
    assert (summary["tasks"], summary["episodes"], summary["unscored"]) == (4, 16, 0)
    assert set(summary["verdicts"]) <= {"ok", "no_answer"}
    run("report", tmp_path / "run")
    assert "acme/Parity-v0" in (tmp_path / "run" / "report.html").read_text()


def test_its_verifier_is_audited(run: Run, tmp_path: Path) -> None:
    rows = [
        {"id": "1", "target": "odd", "response": "three ones, so odd", "correct": 1},
        {"id": "2", "target": "odd", "response": "It is even.", "correct": 0},
        {"id": "3", "target": "even", "response": "not odd but even", "correct": 1},
        {"id": "4", "target": "even", "response": "**even**", "correct": 1},  # which it does not read
    ]
    (tmp_path / "labels.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    run("audit", "parity", "--labels", tmp_path / "labels.jsonl", "--json", tmp_path / "audit.json")
    result = json.loads((tmp_path / "audit.json").read_text())
    assert (result["n"], result["fp_rate"]) == (4, 0.0)
    assert result["fn_rate"] == pytest.approx(1 / 3)
    assert result["status"] == {"ok": 3, "no_answer": 1}
