from __future__ import annotations

import json
import shutil
import signal
import time
from pathlib import Path

import pytest

from assay.reports.load import load_run
from tests.cli.program import assay, spawn
from tests.conftest import SMOKE

pytest.importorskip("torch", reason="torch is not installed (extra: train)")


def rows(run: Path, kind: str) -> list[int]:
    lines = (run / "metrics.jsonl").read_text().splitlines()
    return [row["step"] for row in map(json.loads, lines) if row["kind"] == kind]


def test_a_run_leaves_everything_behind_and_says_what_it_reached(smoke_run: Path, tmp_path: Path) -> None:
    assert {path.name for path in smoke_run.iterdir()} == {
        *("config.yaml", "metrics.jsonl", "tensorboard", "trajectories", "evals", "checkpoints", "model")
    }
    assert rows(smoke_run, "train") == [1, 2, 3, 4]
    assert rows(smoke_run, "eval") == [0, 2, 4]
    done = assay("train", SMOKE, "steps=1", "warmstart.steps=0", "eval.every=1", "--run-dir", tmp_path / "r").expect(0)
    before, after = (load_run(tmp_path / "r").evals[step].pass_at[4] for step in (0, 1))
    assert f"{before}" in done.out
    assert f"{after}" in done.out
    assert "before (step 0)" in done.out
    assert "after (step 1)" in done.out
    assert str(tmp_path / "r" / "model") in done.out
    assert done.err == ""


@pytest.mark.slow
def test_ctrl_c_saves_a_checkpoint_and_the_command_that_is_printed_goes_on(tmp_path: Path) -> None:
    """The words after `go on with:` are run as printed, less the program's name."""
    run = tmp_path / "run"
    process = spawn("train", SMOKE, "steps=100", "checkpoint.every=1000", "--run-dir", run)
    while not (run / "metrics.jsonl").is_file() or not rows(run, "train"):
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    stopped = rows(run, "train")
    assert 1 <= stopped[-1] < 100
    assert f"stopped after step {stopped[-1]}" in out
    words = out.partition("go on with: assay ")[2].split()
    last = stopped[-1] + 2
    assay(*(f"steps={last}" if word == "steps=100" else word for word in words)).expect(0)
    assert rows(run, "train") == list(range(1, last + 1))


def test_a_directory_that_is_taken_is_refused(smoke_run: Path) -> None:
    assay("train", SMOKE, "--run-dir", smoke_run).refused(str(smoke_run), "holds a run already", "--resume")


def test_resume_needs_a_run(tmp_path: Path) -> None:
    assay("train", SMOKE, "--run-dir", tmp_path / "none", "--resume").refused("there is no run to resume")


def test_overwrite_removes_a_run_but_nothing_else(smoke_run: Path, tmp_path: Path) -> None:
    precious = tmp_path / "thesis"
    precious.mkdir()
    (precious / "chapter1.tex").write_text("words")
    (precious / "config.yaml").write_text("editor: vim\n")
    assay("train", SMOKE, "--run-dir", precious, "--overwrite").refused(
        "is not the directory of a training run", "nothing was removed"
    )
    assert (precious / "chapter1.tex").read_text() == "words"
    run = tmp_path / "run"
    shutil.copytree(smoke_run, run)
    small = ("warmstart.steps=0", "steps=0", "eval.tasks=2")
    assay("train", SMOKE, *small, "--run-dir", run, "--overwrite").expect(0)
    assert rows(run, "train") == []


def test_a_bad_setting_is_found_before_an_old_run_is_removed(smoke_run: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(smoke_run, run)
    for bad in ("env.id=assay/Aritmetic-v0", "algorithm.loss=ppo_clop", "stepz=3"):
        assert assay("train", SMOKE, bad, "--run-dir", run, "--overwrite").code == 2
    assert rows(run, "train") == [1, 2, 3, 4]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["env.id=assay/Aritmetic-v0"], ["unknown environment", "did you mean 'assay/Arithmetic-v0'"]),
        (["env.options.termz=2"], ["assay/Arithmetic-v0", "termz"]),
        (["rolout.groups=3"], ["unknown key 'rolout'", "did you mean 'rollout'?"]),
        (["rollout.group=3"], ["unknown key 'rollout.group'", "did you mean 'groups'?"]),
        (["rollout.top_p=0.9"], ["whole distribution", "top_p"]),
        (["eval.samples=2"], ["pass@4 needs at least 4 samples", "not 2"]),
        (["algorithm.advantage=grop"], ["unknown advantage", "did you mean 'grpo'"]),
        (["algorithm.loss=ppo-clip"], ["unknown loss", "did you mean 'ppo_clip'"]),
        (["algorithm.loss_options.clip_lo=0.2"], ["clip_lo"]),
        (["rollout.tool_format=hermess"], ["tool format", "did you mean 'hermes'"]),
        (["steps"], ["'steps'", "key=value"]),
        (["steps.x=1"], ["steps"]),
        (["steps=many"], ["steps", "integer"]),
        (["seed=-1"], ["seed"]),
        (["model.path=nowhere"], ["nowhere", "no such directory"]),
        (["model.architecture=qwen9"], ["qwen9"]),
        (["warmstart.styles={hasti: 1}"], ["hasti"]),
        (["model.vocabulary=abc"], ["vocabulary"]),
        (["model.hidden=100000000000000"], ["model", "does not fit in memory"]),
        (["model.max_positions=4"], ["prompts have 4 tokens", "model reads 4", "model.max_positions to at least 20"]),
    ],
)
def test_bad_input_is_one_line(words: list[str], expected: list[str], tmp_path: Path) -> None:
    assay("train", SMOKE, *words, "--run-dir", tmp_path / "r").refused(*expected)


def test_a_missing_or_broken_configuration_is_one_line(tmp_path: Path) -> None:
    assay("train", tmp_path / "none.yaml").refused("none.yaml", "cannot be read")
    for text in ("a: [", "- 1\n", "a: 1\na: {", "steps: 3\n"):
        (tmp_path / "bad.yaml").write_text(text)
        assay("train", tmp_path / "bad.yaml").refused("bad.yaml")


def test_a_model_directory_without_a_tokenizer_is_refused(smoke_run: Path, tmp_path: Path) -> None:
    shutil.copytree(smoke_run / "model", tmp_path / "model")
    (tmp_path / "model" / "tokenizer.json").unlink()
    words = ("train", SMOKE, f"model.path={tmp_path / 'model'}", "--run-dir", tmp_path / "r")
    assay(*words).refused("no tokenizer", "tokenizer.json")
    assert not (tmp_path / "r").exists()


def test_a_checkpoint_of_a_newer_schema_is_refused(smoke_run: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(smoke_run, run)
    state = run / "checkpoints" / "step-000004" / "state.json"
    state.write_text(json.dumps({**json.loads(state.read_text()), "schema_version": 999}))
    assay("train", SMOKE, "--run-dir", run, "--resume").refused("999", "newer")


def test_resuming_under_another_configuration_is_refused(smoke_run: Path) -> None:
    words = ("train", SMOKE, "optim.learning_rate=0.5", "--run-dir", smoke_run, "--resume")
    assay(*words).refused("learning_rate")
