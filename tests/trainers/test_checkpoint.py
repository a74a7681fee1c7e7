from __future__ import annotations

import json
import random
import resource
import signal
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from assay.core.errors import ConfigError, SchemaError
from assay.core.trajectory import Group, Step, Trajectory, Turn
from assay.trainers import checkpoint
from assay.trainers.checkpoint import (
    CheckpointError,
    Progress,
    checkpoints,
    read_state,
    restore_checkpoint,
    save_checkpoint,
)
from assay.trainers.config import LoraConfig, ModelConfig
from assay.trainers.policy import Policy, load_policy

TINY = ModelConfig(vocabulary="0123456789", hidden=32, layers=2, heads=2, feed_forward=48, max_positions=64)
CONFIG = {"seed": 0, "optim": {"learning_rate": 0.1}}


def optimizer_of(policy: Policy) -> torch.optim.Optimizer:
    return torch.optim.AdamW(policy.trainable(), lr=1e-2)


def step(policy: Policy, optimizer: torch.optim.Optimizer) -> None:
    ids = torch.randint(0, 10, (2, 8))  # draws from the global generator, which a checkpoint must restore
    policy.model(ids, labels=ids).loss.backward()
    optimizer.step()
    optimizer.zero_grad()


def save(root: Path, policy: Policy, optimizer: torch.optim.Optimizer, progress: Progress, keep: int = 2) -> Path:
    return save_checkpoint(root, policy, optimizer, progress, CONFIG, "print", keep=keep)


@pytest.mark.parametrize("lora", [None, LoraConfig(rank=2)])
def test_restored_training_goes_on_bit_for_bit(tmp_path: Path, lora: LoraConfig | None) -> None:
    config = TINY.model_copy(update={"lora": lora})
    policy = load_policy(config)
    optimizer = optimizer_of(policy)
    step(policy, optimizer)
    said = (Step(Turn("a line\u2028another\x85"), 0.0, {}),)  # line ends to Python, and not to JSON
    group = Group("g", tuple(Trajectory(f"g/{i}", "g", task_id="t", env_id="e", seed=i, steps=said) for i in range(2)))
    progress = Progress("step", 1, next_task=7, metrics_offset=11, seconds=2.5, pending=[group])
    path = save(tmp_path, policy, optimizer, progress)
    drawn = (random.random(), float(np.random.rand()))
    for _ in range(3):
        step(policy, optimizer)

    other = load_policy(config, seed=5 if lora is None else 0)
    other_optimizer = optimizer_of(other)
    assert restore_checkpoint(path, other, other_optimizer, CONFIG, "print") == progress
    assert (random.random(), float(np.random.rand())) == drawn
    for _ in range(3):
        step(other, other_optimizer)
    for (name, a), (_, b) in zip(policy.model.named_parameters(), other.model.named_parameters(), strict=True):
        assert torch.equal(a, b), name


def test_only_the_newest_are_kept_and_warmstart_comes_first(tmp_path: Path) -> None:
    policy = load_policy(TINY)
    optimizer = optimizer_of(policy)
    for phase, number in (("warmstart", 500), ("step", 0), ("step", 5), ("step", 10)):
        save(tmp_path, policy, optimizer, Progress(phase, number), keep=3)  # type: ignore[arg-type]
    assert [p.name for p in checkpoints(tmp_path)] == ["step-000000", "step-000005", "step-000010"]


def test_newer_schema_other_config_and_damage_are_refused(tmp_path: Path) -> None:
    policy = load_policy(TINY)
    optimizer = optimizer_of(policy)
    path = save(tmp_path, policy, optimizer, Progress("step", 1))
    with pytest.raises(ConfigError, match=r"optim\.learning_rate"):
        restore_checkpoint(path, policy, optimizer, {"seed": 0, "optim": {"learning_rate": 0.2}}, "other")
    bigger = load_policy(TINY.model_copy(update={"layers": 3}))
    with pytest.raises(ConfigError, match="another model"):
        restore_checkpoint(path, bigger, optimizer_of(bigger), CONFIG, "print")
    state = json.loads((path / "state.json").read_text())
    (path / "state.json").write_text(json.dumps({**state, "schema_version": 99}))
    with pytest.raises(SchemaError, match="99"):
        read_state(path)
    (path / "state.json").write_text("{")
    with pytest.raises(ConfigError, match="not a checkpoint"):
        read_state(path)


@pytest.fixture
def small_files() -> Iterator[None]:
    """Let no file grow beyond 20 kB, as a full disk would."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    signal.signal(signal.SIGXFSZ, handler)


def check_that_the_last_good_one_survives(root: Path, policy: Policy, optimizer: torch.optim.Optimizer) -> None:
    with pytest.raises(CheckpointError, match="cannot be written") as caught:
        save(root, policy, optimizer, Progress("step", 2))
    assert "\n" not in str(caught.value)
    assert [p.name for p in root.iterdir()] == ["step-000001"]
    restore_checkpoint(root / "step-000001", policy, optimizer, CONFIG, "print")


def test_a_failed_write_leaves_the_last_good_one(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    policy = load_policy(TINY)
    optimizer = optimizer_of(policy)
    save(tmp_path, policy, optimizer, Progress("step", 1), keep=1)
    request.getfixturevalue("small_files")
    check_that_the_last_good_one_survives(tmp_path, policy, optimizer)


def test_too_little_room_is_seen_before_anything_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    policy = load_policy(TINY)
    optimizer = optimizer_of(policy)
    save(tmp_path, policy, optimizer, Progress("step", 1), keep=1)
    usage = checkpoint.shutil.disk_usage(tmp_path)
    monkeypatch.setattr(checkpoint.shutil, "disk_usage", lambda _: usage._replace(free=1000))
    with pytest.raises(CheckpointError, match=r"needs .* MiB and the disk has"):
        save(tmp_path, policy, optimizer, Progress("step", 2))
    assert [p.name for p in tmp_path.iterdir()] == ["step-000001"]


def test_a_lost_process_is_not_taken_for_a_failed_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def gather(_: Policy) -> Iterator[tuple[str, torch.Tensor]]:
        raise RuntimeError("[gloo/transport/tcp/pair.cc:547] Connection closed by peer")

    policy = load_policy(TINY)
    monkeypatch.setattr(Policy, "saved", gather)
    with pytest.raises(RuntimeError, match="closed by peer"):
        save(tmp_path, policy, optimizer_of(policy), Progress("step", 1))
    assert not any(tmp_path.iterdir())


def test_what_an_interrupted_save_left_behind_is_ignored_and_removed(tmp_path: Path) -> None:
    policy = load_policy(TINY)
    (tmp_path / ".step-000003.tmp").mkdir()
    (tmp_path / "step-000009").mkdir()  # no state.json: not a checkpoint
    save(tmp_path, policy, optimizer_of(policy), Progress("step", 4))
    assert [p.name for p in checkpoints(tmp_path)] == ["step-000004"]
    assert not (tmp_path / ".step-000003.tmp").exists()
