"""Checkpoints: one atomic directory that holds all a run needs to go on, bit for bit.

Invariants:

* A checkpoint is written under a temporary name, synced to disk and then renamed: it is there whole or not at all.
  When the disk is full the attempt is removed, the error says so, and the checkpoints before it stay.
* The learning rate is a function of the step and every random choice is derived from the seed and the step, so the
  state is: weights, optimiser, generators, and the few numbers of `Progress`.
* A checkpoint holds whole tensors, however many processes share the weights, so a run goes on with any number of them.
* `schema_version` refuses what a newer assay wrote; `fingerprint` refuses to go on under another configuration.

Layout: the policy's own files (an ordinary model directory), `trainer.pt`, `pending.jsonl`, `replay.jsonl`,
`state.json`.
"""

from __future__ import annotations

import errno
import json
import os
import random
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from assay.core.errors import AssayError, ConfigError, SchemaError
from assay.core.trajectory import Group, Trajectory
from assay.trainers.critic import Critic
from assay.trainers.policy import Policy
from assay.trainers.sharding import load_whole_state, lost_process, share_like, whole_state

SCHEMA_VERSION = 1

Phase = Literal["warmstart", "step"]


@dataclass(slots=True)
class Progress:
    """How far a run is."""

    phase: Phase = "warmstart"
    step: int = 0
    """Steps of this phase that are done."""
    evaluated: int = -1
    """The last step that was evaluated."""
    next_task: int = 0
    """Index of the next training task."""
    metrics_offset: int = 0
    """Bytes of `metrics.jsonl` that belong to the steps done."""
    seconds: float = 0.0
    """Time spent so far, over all processes that worked on the run."""
    updater: dict[str, Any] = field(default_factory=dict)
    """State of the updater: its counters."""
    shapers: dict[str, Any] = field(default_factory=dict)
    """State of the shapers that have one."""
    curriculum: dict[str, Any] = field(default_factory=dict)
    """State of the curriculum; empty without one."""
    monitor: dict[str, Any] = field(default_factory=dict)
    """State of the watch over the verifier; empty without one."""
    pending: list[Group] = field(default_factory=list)
    """Groups that were sampled and not yet trained on."""
    replay: list[Trajectory] = field(default_factory=list)
    """Past successes that may be trained on again."""
    drawn: dict[str, tuple[int | None, int]] = field(default_factory=dict)
    """Groups that rollouts during updates have begun and no step has taken: by the name of the group, the curriculum's
    arm (None without one), and which of its tasks."""

    @property
    def name(self) -> str:
        """Name of the checkpoint directory at this point."""
        return f"{self.phase}-{self.step:06d}"


class CheckpointError(AssayError):
    """A checkpoint cannot be written. The ones before it are as they were."""


def save_checkpoint(
    root: Path,
    policy: Policy,
    optimizer: torch.optim.Optimizer,
    progress: Progress,
    config: Mapping[str, Any],
    fingerprint: str,
    *,
    keep: int,
    critic: Critic | None = None,
) -> Path:
    """Write a checkpoint under `root`, remove all but the `keep` newest, and return its path.

    Raises `CheckpointError` when it cannot be written, for want of disk space for example.
    """
    target, temporary = root / progress.name, root / f".{progress.name}.tmp"
    try:
        root.mkdir(parents=True, exist_ok=True)
        _remove_leftovers(root)
        _refuse_full_disk(root, policy, optimizer, critic)
        temporary.mkdir()
        policy.save(temporary)  # these three gather what is shared out, in the order of `Learner.gather`
        trainer = {"optimizer": whole_state(optimizer), "generators": _generators()}
        if critic is not None:
            trainer["critic"] = dict(critic.weights())
        torch.save(trainer, temporary / "trainer.pt")
        pending = [member for group in progress.pending for member in group]
        for name, trajectories in {"pending": pending, "replay": progress.replay}.items():
            lines = (trajectory.to_json() + "\n" for trajectory in trajectories)
            (temporary / f"{name}.jsonl").write_text("".join(lines), encoding="utf-8")
        numbers = {name: getattr(progress, name) for name in Progress.__slots__ if name not in ("pending", "replay")}
        state = {"schema_version": SCHEMA_VERSION, "fingerprint": fingerprint, **numbers, "config": dict(config)}
        (temporary / "state.json").write_text(json.dumps(state, indent=1), encoding="utf-8")
        _sync_tree(temporary)
        if target.exists():
            shutil.rmtree(target)
        temporary.rename(target)
        _sync(root)
    except (OSError, RuntimeError, SafetensorError) as error:  # each writer has its own type for a failed write
        shutil.rmtree(temporary, ignore_errors=True)
        if lost_process(error):
            raise
        raise CheckpointError(f"{target}: the checkpoint cannot be written: {_reason(error)}") from error
    for old in checkpoints(root)[:-keep]:
        shutil.rmtree(old, ignore_errors=True)
    return target


def checkpoints(root: Path) -> list[Path]:
    """Return the whole checkpoints under `root`, oldest first."""
    found = [path for path in root.glob("*-*") if (path / "state.json").is_file() and not path.name.startswith(".")]
    return sorted(found, key=lambda path: (path.name.startswith("step-"), path.name))


def read_state(path: Path) -> dict[str, Any]:
    """Read `state.json`. `SchemaError` when a newer assay wrote it, `ConfigError` when it cannot be read."""
    try:
        state: dict[str, Any] = json.loads((path / "state.json").read_text(encoding="utf-8"))
        version = int(state["schema_version"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigError(f"{path}: not a checkpoint: {error}") from None
    if version > SCHEMA_VERSION:
        raise SchemaError(
            f"{path}: checkpoint schema {version}, this assay reads up to {SCHEMA_VERSION}; upgrade assay-rl"
        )
    return state


def restore_checkpoint(
    path: Path,
    policy: Policy,
    optimizer: torch.optim.Optimizer,
    config: Mapping[str, Any],
    fingerprint: str,
    *,
    critic: Critic | None = None,
) -> Progress:
    """Put weights, optimiser, critic and generators back as they were and return the progress.

    Raises `ConfigError` when the checkpoint was made under a configuration with another fingerprint.
    """
    state = read_state(path)
    if state["fingerprint"] != fingerprint:
        changed = ", ".join(_differences(state["config"], config)) or "something"
        raise ConfigError(f"{path}: made under another configuration ({changed} differ); resume with the same one")
    _load_weights(path, policy)
    saved = torch.load(path / "trainer.pt", map_location="cpu", weights_only=True)
    load_whole_state(optimizer, saved["optimizer"])
    if critic is not None:
        critic.load_weights(saved["critic"])
    _set_generators(saved["generators"])
    return Progress(
        phase=state["phase"],
        step=state["step"],
        evaluated=state["evaluated"],
        next_task=state["next_task"],
        metrics_offset=state["metrics_offset"],
        seconds=state["seconds"],
        updater=state["updater"],
        shapers=state.get("shapers", {}),
        curriculum=state.get("curriculum", {}),
        monitor=state.get("monitor", {}),
        pending=list(_read_groups(path / "pending.jsonl")),
        replay=list(_read_trajectories(path / "replay.jsonl")),
        drawn={name: (arm, number) for name, (arm, number) in state.get("drawn", {}).items()},
    )


def _load_weights(path: Path, policy: Policy) -> None:
    files = sorted(path.glob("*.safetensors"))
    if not files:
        raise ConfigError(f"{path}: not a checkpoint: no weights (*.safetensors)")
    tensors = {name: tensor for file in files for name, tensor in load_file(file).items()}
    if policy.adapted:
        from peft import get_peft_model_state_dict, set_peft_model_state_dict

        set_peft_model_state_dict(policy.model, _shares(tensors, get_peft_model_state_dict(policy.model)))
        return
    tensors = _shares(tensors, policy.model.state_dict())
    report = policy.model.load_state_dict(tensors, strict=False)
    missing = set(report.missing_keys) - set(getattr(policy.model, "all_tied_weights_keys", {}))
    if missing or report.unexpected_keys:
        raise ConfigError(
            f"{path}: the weights are those of another model ({sorted(missing | {*report.unexpected_keys})[0]})"
        )
    policy.model.tie_weights()


def _shares(tensors: Mapping[str, torch.Tensor], own: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {name: share_like(tensor, own.get(name)) for name, tensor in tensors.items()}


def _read_trajectories(path: Path) -> Iterator[Trajectory]:
    if path.is_file():  # a checkpoint of an older assay has none
        with path.open(encoding="utf-8", newline="\n") as lines:
            yield from map(Trajectory.from_json, lines)


def _read_groups(path: Path) -> Iterator[Group]:
    members: dict[str, list[Trajectory]] = {}
    for trajectory in _read_trajectories(path):
        members.setdefault(trajectory.group_id, []).append(trajectory)
    for group_id, trajectories in members.items():
        yield Group(group_id, tuple(trajectories))


def _generators() -> dict[str, Any]:
    name, keys, position, has_gauss, gauss = np.random.get_state(legacy=True)
    return {
        "python": random.getstate(),
        "numpy": (name, torch.from_numpy(np.asarray(keys, np.int64)), position, has_gauss, gauss),
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
    }


def _set_generators(saved: Mapping[str, Any]) -> None:
    random.setstate(saved["python"])
    name, keys, *rest = saved["numpy"]
    np.random.set_state((name, keys.cpu().numpy().astype(np.uint32), *rest))
    torch.set_rng_state(saved["torch"].cpu())
    if saved["cuda"] and torch.cuda.is_available():
        torch.cuda.set_rng_state_all([state.cpu() for state in saved["cuda"]])


def _refuse_full_disk(
    root: Path, policy: Policy, optimizer: torch.optim.Optimizer, critic: Critic | None = None
) -> None:
    """Check the room first: half a checkpoint of a large model takes minutes to find out that it does not fit."""
    tensors = list(policy.trainable()) if policy.adapted else list(policy.model.parameters())
    tensors += [] if critic is None else critic.trainable()
    tensors += [v for entry in optimizer.state.values() for v in entry.values() if isinstance(v, torch.Tensor)]
    needed = sum(t.numel() * t.element_size() for t in tensors)
    free = shutil.disk_usage(root).free
    if free < needed:
        raise OSError(errno.ENOSPC, f"it needs {needed / 2**20:,.0f} MiB and the disk has {free / 2**20:,.0f} MiB left")


def _reason(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error).splitlines()[0]


def _differences(old: Mapping[str, Any], new: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    for key in sorted({*old, *new}):
        before, after = old.get(key), new.get(key)
        if isinstance(before, dict) and isinstance(after, dict):
            yield from _differences(before, after, f"{prefix}{key}.")
        elif before != after:
            yield prefix + key


def _remove_leftovers(root: Path) -> None:
    for path in root.glob(".*.tmp"):
        shutil.rmtree(path, ignore_errors=True)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sync_tree(directory: Path) -> None:
    for path in directory.rglob("*"):
        _sync(path)
    _sync(directory)
