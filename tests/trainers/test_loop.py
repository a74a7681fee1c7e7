from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from assay.agents.engines.hf import HFEngine
from assay.core.config import load_config
from assay.core.errors import ConfigError, UnknownNameError
from assay.evals.summary import EvalSummary
from assay.rollouts.store import read_trajectories
from assay.trainers.checkpoint import CheckpointError, checkpoints
from assay.trainers.config import TrainConfig
from assay.trainers.loop import train
from assay.trainers.metrics import read_metrics
from assay.trainers.policy import read_policy
from assay.trainers.reporter import SilentReporter

SMOKE = Path(__file__).parents[2] / "configs" / "smoke.yaml"


def smoke(*overrides: str) -> TrainConfig:
    return load_config(TrainConfig, SMOKE, ["tensorboard=false", *overrides])


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


def weights(run: Path) -> dict[str, torch.Tensor]:
    return load_file(run / "model" / "model.safetensors")


def assert_same_run(first: Path, second: Path) -> None:
    """Weights are equal bit for bit, and the rows of metrics in everything but time."""
    ours, theirs = weights(first), weights(second)
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)
    assert [timeless(row) for row in read_metrics(first)] == [timeless(row) for row in read_metrics(second)]


def timeless(row: Mapping[str, Any]) -> dict[str, Any]:
    timed = ("time", "seconds/", "tokens_per_second/", "tflops", "mfu")
    return {key: value for key, value in row.items() if not key.startswith(timed)}


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.set_num_threads(1)
    run = tmp_path_factory.mktemp("unbroken") / "run"
    assert train(smoke(), run).finished
    return run


def test_a_run_leaves_everything_that_was_promised(unbroken: Path) -> None:
    rows = list(read_metrics(unbroken))
    kinds = [(row["kind"], row["step"]) for row in rows if row["kind"] != "warmstart"]
    assert kinds == [
        ("eval", 0),
        ("train", 1),
        ("train", 2),
        ("eval", 2),
        ("train", 3),
        ("train", 4),
        ("eval", 4),
    ]
    assert sorted(p.name for p in (unbroken / "evals").iterdir()) == [f"step-00000{s}.json" for s in (0, 2, 4)]
    assert EvalSummary.read(unbroken / "evals" / "step-000004.json").tasks == 8
    episodes = list(read_trajectories(unbroken / "trajectories" / "train-000003.jsonl"))
    assert len(episodes) == 16
    assert all(turn.turn.weight_version == 2 for episode in episodes for turn in episode.steps)
    assert load_config(TrainConfig, unbroken / "config.yaml") == smoke()
    assert [path.name for path in checkpoints(unbroken / "checkpoints")] == ["step-000002", "step-000004"]
    policy = read_policy(unbroken / "model")
    assert policy.tokenizer.decode(policy.tokenizer.encode("3+4=")) == "3+4="


def test_the_warm_start_imitates_and_engine_and_trainer_agree(unbroken: Path) -> None:
    rows = list(read_metrics(unbroken))
    losses = [row["loss"] for row in rows if row["kind"] == "warmstart"]
    assert losses[-1] < 0.7 * losses[0]
    for row in rows:
        if row["kind"] == "train" and row["groups"]:
            assert abs(row["ratio_max"] - 1) < 1e-4
            assert row["mismatch_kl"] < 1e-6


def test_train_and_held_out_tasks_are_disjoint(unbroken: Path) -> None:
    def prompts(pattern: str) -> set[str]:
        files = (unbroken / "trajectories").glob(pattern)
        return {str(t.opening[0]["content"]) for path in files for t in read_trajectories(path)}

    assert prompts("train-*")
    assert not prompts("train-*") & prompts("eval-*")


def test_how_long_verdicts_take_changes_no_batch_and_no_bit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every pass of the engine is over the same rows, with fewer places than episodes too."""
    import tests.trainers.slow  # noqa: F401 - registers the environment

    passes: list[list[int]] = []
    forward = HFEngine._forward

    def noted(engine: HFEngine, rows: Any, slots: Any) -> torch.Tensor:
        passes.append([row.seed if row else 0 for row in rows])
        return forward(engine, rows, slots)

    monkeypatch.setattr(HFEngine, "_forward", noted)
    config = smoke(
        "env={id: test-trainers/SlowlyJudged-v0, options: {terms: 2}}",
        "rollout.concurrency=6",
        "algorithm.dynamic_sampling=keep",
        "warmstart.steps=20",
        "steps=2",
    )
    assert train(config, tmp_path / "first").finished
    first = passes.copy()
    passes.clear()
    assert train(config, tmp_path / "second").finished
    assert passes == first
    assert_same_run(tmp_path / "first", tmp_path / "second")


class KillAt(SilentReporter):
    """Kills the process, or asks it to stop, when a row is written."""

    def __init__(self, kind: str, step: int, number: int) -> None:
        self.when, self.signal = (kind, step), number

    def on_row(self, row: Mapping[str, Any]) -> None:
        if (row["kind"], row["step"]) == self.when:
            os.kill(os.getpid(), self.signal)


@pytest.mark.parametrize(("kind", "step"), [("warmstart", 40), ("train", 3)])
def test_killed_and_resumed_equals_unbroken_bit_for_bit(unbroken: Path, tmp_path: Path, kind: str, step: int) -> None:
    script = f"""
        import signal, torch
        from tests.trainers.test_loop import KillAt, smoke
        from assay.trainers.loop import train
        torch.set_num_threads(1)
        train(smoke("warmstart.checkpoint_every=25"), {str(tmp_path / "run")!r},
              reporter=KillAt({kind!r}, {step}, signal.SIGKILL))
    """
    root = Path(__file__).parents[2]
    ended = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], cwd=root, check=False, timeout=120)
    assert ended.returncode == -signal.SIGKILL
    result = train(smoke("warmstart.checkpoint_every=25"), tmp_path / "run", resume=True)
    assert result.finished
    assert result.step == 4
    assert sorted(result.evaluations) == [0, 2, 4]
    assert_same_run(unbroken, tmp_path / "run")


@pytest.mark.parametrize(("kind", "step"), [("warmstart", 30), ("train", 1)])
def test_ctrl_c_saves_and_the_run_goes_on_later(unbroken: Path, tmp_path: Path, kind: str, step: int) -> None:
    result = train(smoke(), tmp_path, reporter=KillAt(kind, step, signal.SIGINT))
    assert not result.finished
    assert not (tmp_path / "model").exists()
    assert checkpoints(tmp_path / "checkpoints")[-1].name == f"{'step' if kind == 'train' else kind}-{step:06d}"
    assert train(smoke(), tmp_path, resume=True).finished
    assert_same_run(unbroken, tmp_path)


def test_a_penalty_keeps_the_reference_of_the_first_step_through_a_resume(tmp_path: Path) -> None:
    config = smoke("algorithm.kl_coef=0.5", "algorithm.dynamic_sampling=keep")
    assert train(config, tmp_path / "unbroken").finished
    train(config, tmp_path / "broken", reporter=KillAt("train", 2, signal.SIGINT))
    train(config, tmp_path / "broken", resume=True)
    assert_same_run(tmp_path / "unbroken", tmp_path / "broken")
    distances = [row["reference_kl"] for row in read_metrics(tmp_path / "unbroken") if row["kind"] == "train"]
    assert abs(distances[0]) < 1e-6
    assert distances[-1] > 1e-6


CRITICS = [
    "{kind: shared, warmup_steps: 1, learning_rate: 0.01}",
    "{kind: shared, stop_gradient: false, level: turn}",
    "{kind: separate, learning_rate: 0.001}",
]


@pytest.mark.parametrize("critic", CRITICS, ids=["head", "trunk", "separate"])
def test_ppo_resumes_bit_for_bit_critic_included(tmp_path: Path, critic: str) -> None:
    config = smoke(
        f"algorithm={{advantage: gae, critic: {critic}, dynamic_sampling: keep, epochs: 2, correction: {{}}}}",
        "warmstart.steps=20",
        "checkpoint.every=1",
        "eval.every=4",
    )
    assert train(config, tmp_path / "unbroken").finished
    train(config, tmp_path / "broken", reporter=KillAt("train", 2, signal.SIGINT))
    train(config, tmp_path / "broken", resume=True)
    assert_same_run(tmp_path / "unbroken", tmp_path / "broken")
    rows = [row for row in read_metrics(tmp_path / "unbroken") if row["kind"] == "train"]
    assert all({"explained_variance", "value_loss", "critic_grad_norm", "tis"} <= row.keys() for row in rows)
    saved = [
        torch.load(tmp_path / f"{run}/checkpoints/step-000004/trainer.pt", weights_only=True)["critic"]
        for run in ("unbroken", "broken")
    ]
    assert saved[0].keys() == saved[1].keys() and all(torch.equal(saved[0][k], saved[1][k]) for k in saved[0])
    assert any(float(tensor.abs().max()) > 0 for name, tensor in saved[0].items() if name.startswith("head"))


def test_groups_of_one_with_tools_have_one_value_a_turn(tmp_path: Path) -> None:
    config = smoke(
        "env={id: assay/Calculator-v0, options: {terms: 2, digits: 1}}",
        "model.vocabulary='0123456789+-*=;#?:,./()abcdefghijklmnopqrstuvwxyz '",
        "model.max_positions=256",
        "rollout={groups: 8, group_size: 1, max_tokens: 16, tool_format: plain}",
        "algorithm={advantage: gae, critic: {level: turn, kind: separate}, dynamic_sampling: keep}",
        "optim.layout=packed",
        "warmstart.styles={careful: 1}",
        "steps=1",
    )
    assert train(config, tmp_path).finished
    row = next(row for row in read_metrics(tmp_path) if row["kind"] == "train")
    assert row["groups"] == row["episodes"] == 8
    assert row["turns"] > 1
    assert row["tokens"] > 0


def test_a_critic_beside_adapters_resumes_bit_for_bit(unbroken: Path, tmp_path: Path) -> None:
    config = smoke(
        f"model.path={unbroken / 'model'}",
        "model.lora.rank=4",
        "warmstart.steps=0",
        "steps=2",
        "algorithm={advantage: gae, critic: {kind: separate, learning_rate: 0.01}, dynamic_sampling: keep}",
    )
    assert train(config, tmp_path / "unbroken").finished
    train(config, tmp_path / "broken", reporter=KillAt("train", 1, signal.SIGINT))
    train(config, tmp_path / "broken", resume=True)
    assert_same_run(tmp_path / "unbroken", tmp_path / "broken")
    critic = torch.load(tmp_path / "broken/checkpoints/step-000002/trainer.pt", weights_only=True)["critic"]
    assert all("lora_" in name or name.startswith("head.") for name in critic)


def test_shapers_with_a_state_resume_bit_for_bit(tmp_path: Path) -> None:
    config = smoke(
        "env.wrappers=[{name: format, pattern: '#'}]",
        "algorithm.shaping=[{name: par, options: {references: 24}}]",
        "algorithm.advantage=dr_grpo",
        "algorithm.dynamic_sampling=keep",
        "warmstart.steps=20",
    )
    assert train(config, tmp_path / "unbroken").finished
    train(config, tmp_path / "broken", reporter=KillAt("train", 1, signal.SIGINT))
    train(config, tmp_path / "broken", resume=True)
    assert_same_run(tmp_path / "unbroken", tmp_path / "broken")
    assert all("par/mean" in row for row in read_metrics(tmp_path / "unbroken") if row["kind"] == "train")


def test_replayed_successes_resume_bit_for_bit(tmp_path: Path) -> None:
    replay = "algorithm.replay={ratio: 1.0, low: 0.1, high: 1.0}"
    config = smoke(replay, "algorithm.advantage=gae", "algorithm.critic={}", "algorithm.dynamic_sampling=keep")
    assert train(config, tmp_path / "unbroken").finished
    train(config, tmp_path / "broken", reporter=KillAt("train", 2, signal.SIGINT))
    train(config, tmp_path / "broken", resume=True)
    assert_same_run(tmp_path / "unbroken", tmp_path / "broken")
    rows = [row for row in read_metrics(tmp_path / "unbroken") if row["kind"] == "train"]
    assert rows[0]["replay/used"] == 0
    assert rows[-1]["replay/used"] > 0 and 0 < rows[-1]["value_loss"] < 1


def test_a_trace_services_and_recomputed_activations(tmp_path: Path, unbroken: Path) -> None:
    """What only watches, or trades time for memory, ends with the same weights up to rounding."""
    assert train(smoke("profile=2", "optim.activation_checkpointing=true"), tmp_path).finished
    trace = json.loads((tmp_path / "profile" / "step-000002.json").read_text())
    assert any("aten::" in str(event.get("name")) for event in trace["traceEvents"])
    ours, theirs = weights(tmp_path), weights(unbroken)
    assert all(torch.allclose(ours[name], theirs[name], atol=1e-4) for name in ours)
    rows = [row for row in read_metrics(tmp_path) if row["kind"] == "train"]
    assert all(row["tokens_per_second/rollout"] > 0 and row["forks"] == 0 for row in rows)


CURRICULUM = "curriculum={policy: learnability, levels: [{terms: 2}, {terms: 3}], options: {memory: 4}}"


@pytest.mark.parametrize("sampling", ["drop", "refill"])
def test_a_curriculum_learns_and_survives_a_resume(tmp_path: Path, sampling: str) -> None:
    config = smoke(CURRICULUM, f"algorithm.dynamic_sampling={sampling}", "env.options={terms: [2, 3]}")
    assert train(config, tmp_path / "unbroken").finished
    train(config, tmp_path / "broken", reporter=KillAt("train", 3, signal.SIGINT))
    train(config, tmp_path / "broken", resume=True)
    assert_same_run(tmp_path / "unbroken", tmp_path / "broken")
    row = [row for row in read_metrics(tmp_path / "unbroken") if row["kind"] == "train"][-1]
    assert {"curriculum/rate/terms=2", "curriculum/probability/terms=3"} <= row.keys()
    state = json.loads((tmp_path / "unbroken/checkpoints/step-000004/state.json").read_text())["curriculum"]
    names = sorted((tmp_path / "unbroken" / "trajectories").glob("train-*"))
    episodes = [episode for name in names for episode in read_trajectories(name)]
    played = {tag: sum(tag in episode.tags for episode in episodes) for tag in ("terms-2", "terms-3")}
    assert [4 * drawn for drawn in state["next"]] == list(played.values())
    assert sum(state["policy"]["rates"]["total"]) <= sum(played.values())


def test_training_is_shaped_and_evaluation_is_not(tmp_path: Path) -> None:
    config = smoke("env.wrappers=[{name: step_cost, cost: 0.25}]", "steps=2")
    assert train(config, tmp_path).finished
    episodes = {
        kind: list(read_trajectories(tmp_path / f"trajectories/{kind}-000002.jsonl")) for kind in ("train", "eval")
    }
    for episode in episodes["train"]:
        assert episode.verdict is not None
        assert episode.steps[-1].parts["shaping/step_cost"] == -0.25
        assert episode.reward == (episode.verdict.score or 0.0) - 0.25
    assert all("shaping/step_cost" not in episode.steps[-1].parts for episode in episodes["eval"])


def test_a_finished_run_can_be_made_longer(unbroken: Path, tmp_path: Path) -> None:
    train(smoke("steps=2"), tmp_path)
    assert train(smoke("steps=4"), tmp_path, resume=True).step == 4
    assert_same_run(unbroken, tmp_path)


def test_directories_and_settings_that_do_not_fit_are_refused(unbroken: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="holds a run already"):
        train(smoke(), unbroken)
    with pytest.raises(ConfigError, match="no run to resume"):
        train(smoke(), tmp_path / "none", resume=True)
    before = (unbroken / "config.yaml").read_text()
    with pytest.raises(ConfigError, match=r"optim\.learning_rate"):
        train(smoke("optim.learning_rate=0.5"), unbroken, resume=True)
    assert (unbroken / "config.yaml").read_text() == before


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("env.id=assay/Arithmatic-v0", "assay/Arithmetic-v0"),
        ("env.options={term: 2}", "term"),
        ("algorithm.advantage=grpoo", "grpo"),
        ("algorithm.loss=ppo", "ppo_clip"),
        ("algorithm.loss_options={clip: 1}", "clip"),
        ("algorithm.shaping=[{name: overlong}]", "soft_overlong"),
        ("env.wrappers=[{name: step_cots}]", "step_cost"),
        ("env.wrappers=[{name: step_cost, costs: 1}]", "cost"),
        ("curriculum={by: tag}", "finite"),
        ("curriculum={levels: [{term: 2}]}", "terms"),
        ("curriculum={levels: [{terms: 2}, {terms: 2}]}", "the same"),
        ("curriculum={policy: learning, levels: [{terms: 2}]}", "learnability"),
        ("curriculum={options: {memry: 2}, levels: [{terms: 2}]}", "memory"),
        ("rollout.tool_format=hermez", "hermes"),
        ("warmstart.styles={carefull: 1}", "careful"),
    ],
)
def test_a_mistake_in_a_name_is_one_line_before_the_run_begins(tmp_path: Path, override: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        train(smoke(override), tmp_path / "run")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "run").exists()


def test_no_room_for_a_checkpoint_ends_the_run_and_the_last_one_survives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from assay.trainers import checkpoint

    class FillDisk(SilentReporter):
        def on_checkpoint(self, path: Path) -> None:
            usage = checkpoint.shutil.disk_usage(path)
            monkeypatch.setattr(checkpoint.shutil, "disk_usage", lambda _: usage._replace(free=0))

    with pytest.raises(CheckpointError, match="MiB"):
        train(smoke(), tmp_path, reporter=FillDisk())
    assert [path.name for path in checkpoints(tmp_path / "checkpoints")] == ["step-000000"]
    monkeypatch.undo()
    assert train(smoke(), tmp_path, resume=True).finished


def test_low_rank_adapters_refill_and_other_algorithms(unbroken: Path, tmp_path: Path) -> None:
    config = smoke(
        f"model.path={unbroken / 'model'}",
        "model.lora.rank=4",
        "warmstart.steps=0",
        "steps=2",
        "algorithm.advantage=dr_grpo",
        "algorithm.normalization=constant",
        "algorithm.dynamic_sampling=refill",
        "algorithm.shaping=[{name: soft_overlong, options: {max_tokens: 16, buffer: 14}}]",
        "checkpoint.every=1",
    )
    assert train(config, tmp_path / "run").finished
    row = [row for row in read_metrics(tmp_path / "run") if row["kind"] == "train"][-1]
    assert row["groups"] == 4
    assert row["episodes"] >= 16
    exported = read_policy(tmp_path / "run" / "model")
    assert not exported.adapted
    adapter = load_file(tmp_path / "run" / "checkpoints" / "step-000002" / "adapter_model.safetensors")
    assert all("lora_" in name for name in adapter)


def test_starts_from_a_checkpoint_directory(unbroken: Path, tmp_path: Path) -> None:
    config = smoke("warmstart.steps=0", "steps=1", f"model.path={unbroken / 'model'}", "rollout.temperature=0.7")
    assert train(config, tmp_path).step == 1
    first = EvalSummary.read(tmp_path / "evals" / "step-000000.json")
    last = EvalSummary.read(unbroken / "evals" / "step-000004.json")
    assert first.pass_at_1 == last.pass_at_1


def test_episodes_with_tools_train_on_the_agents_tokens_only(tmp_path: Path) -> None:
    config = smoke(
        "env={id: assay/Calculator-v0, options: {terms: 2, digits: 1}}",
        "model.vocabulary='0123456789+-*=;#?:,./()abcdefghijklmnopqrstuvwxyz '",
        "model.max_positions=256",
        "rollout.tool_format=plain",
        "warmstart.styles={careful: 1}",
        "steps=1",
    )
    assert train(config, tmp_path).finished
    rows = list(read_metrics(tmp_path))
    update = next(row for row in rows if row["kind"] == "train")
    assert update["turns"] > 1
    assert not update["groups"] or abs(update["ratio_max"] - 1) < 1e-4


def test_config_written_by_a_run_is_json_clean(unbroken: Path) -> None:
    state = json.loads((unbroken / "checkpoints" / "step-000004" / "state.json").read_text())
    assert TrainConfig.model_validate(state["config"]) == smoke()


def test_unknown_styles_name_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'hasty'"):
        train(smoke("warmstart.styles={hastty: 1}"), tmp_path)
