"""Rollouts during updates: what is guaranteed whatever the timing."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load_file

from assay.core.errors import ConfigError
from assay.core.trajectory import Group, Trajectory
from assay.rollouts import NoSignalError
from assay.rollouts.groups import make_groups
from assay.rollouts.store import read_trajectories
from assay.trainers.checkpoint import checkpoints, read_state
from assay.trainers.config import TrainConfig
from assay.trainers.loop import train
from assay.trainers.metrics import read_metrics
from assay.trainers.reporter import SilentReporter
from assay.trainers.rundir import RunDirectory
from assay.trainers.sampling import fit
from assay.trainers.session import Session
from assay.trainers.stream import cut, staleness
from tests.trainers.builders import trajectory
from tests.trainers.test_loop import CURRICULUM, KillAt, smoke

SLOW = [
    "env={id: assay/Calculator-v0, options: {terms: 3, digits: 1}, "
    "wrappers: [{name: 'tests.trainers.slow:Slow', seconds: 0.02}]}",
    "model.vocabulary='0123456789+-*=;#?:,./()abcdefghijklmnopqrstuvwxyz '",
    "model.max_positions=256",
    "rollout.tool_format=plain",
    "warmstart={steps: 60, batch: 32, learning_rate: 0.01, demonstrations: 200, styles: {careful: 1}}",
    "checkpoint={every: 1, keep: 20}",
    "algorithm.dynamic_sampling=keep",
    "steps=6",
    "eval.every=6",
]


def slow(*overrides: str) -> TrainConfig:
    return smoke(*SLOW, *overrides)


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.set_num_threads(1)
    run = tmp_path_factory.mktemp("stream") / "run"
    assert train(slow("rollout.staleness=2"), run).finished
    return run


def trained_on(run: Path) -> Iterator[tuple[int, list[Trajectory]]]:
    """Yield each step's number and the episodes that it took."""
    for path in sorted((run / "trajectories").glob("train-*")):
        yield int(path.stem.rpartition("-")[2]), list(read_trajectories(path))


def assert_each_group_once(run: Path, groups: int = 4) -> None:
    seen = [t.id for _, episodes in trained_on(run) for t in episodes]
    assert len(seen) == len(set(seen))
    steps = [step for step, _ in trained_on(run)]
    assert steps == list(range(1, len(steps) + 1))
    for _, episodes in trained_on(run):
        assert len({t.group_id for t in episodes}) >= groups


def test_no_token_is_older_than_the_bound_and_no_group_is_lost(finished: Path) -> None:
    assert_each_group_once(finished)
    ages = set()
    for step, episodes in trained_on(finished):
        for turn in (s.turn for t in episodes for s in t.steps):
            spans = turn.weight_spans or ((turn.weight_version, len(turn.output_ids)),)
            assert sum(tokens for _, tokens in spans) == len(turn.output_ids)
            ages |= {step - 1 - version for version, tokens in spans if tokens}
    assert min(ages) >= 0 and 0 < max(ages) <= 2
    rows = [row for row in read_metrics(finished) if row["kind"] == "train"]
    assert max(row["staleness_max"] for row in rows) == max(ages)
    assert max(row["queue/ready"] + row["queue/running"] for row in rows) <= 3 * 4


def test_episodes_go_on_across_an_update(finished: Path) -> None:
    """Some conversation was begun under one version of the weights and ended under another."""
    versions = [
        {step.turn.weight_version for step in t.steps} for _, episodes in trained_on(finished) for t in episodes
    ]
    assert any(len(seen) > 1 for seen in versions)


def test_an_update_replayed_from_its_checkpoint_and_episodes_gives_the_same_bits(
    finished: Path, tmp_path: Path
) -> None:
    config = slow("rollout.staleness=2")
    for before, after in pairwise(path for path in checkpoints(finished / "checkpoints")):
        step = read_state(after)["step"]
        played = make_groups_in_order(read_trajectories(finished / f"trajectories/train-{step:06d}.jsonl"))
        with Session(config, RunDirectory(tmp_path / str(step)), SilentReporter(), before) as session:
            session.learner.learn([kept for group in played if (kept := fit(group, config)) is not None])
            weights = load_file(after / "model.safetensors")
            own = session.policy.model.state_dict()
            assert all(torch.equal(own[name], tensor) for name, tensor in weights.items())


def make_groups_in_order(episodes: Iterator[Trajectory]) -> list[Group]:
    known = list(episodes)
    order = list(dict.fromkeys(t.group_id for t in known))
    return sorted(make_groups(known), key=lambda group: order.index(group.id))


@pytest.mark.parametrize("extra", [[], [CURRICULUM]])
def test_killed_and_resumed_plays_every_group_once(tmp_path: Path, extra: list[str]) -> None:
    script = f"""
        import signal, torch
        from tests.trainers.test_loop import KillAt
        from tests.trainers.test_stream import slow
        from assay.trainers.loop import train
        torch.set_num_threads(1)
        config = slow("rollout.staleness=1", *{extra!r})
        train(config, {str(tmp_path / "run")!r}, reporter=KillAt("train", 3, signal.SIGKILL))
    """
    root = Path(__file__).parents[2]
    ended = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], cwd=root, check=False, timeout=120)
    assert ended.returncode == -signal.SIGKILL
    state = read_state(checkpoints(tmp_path / "run" / "checkpoints")[-1])
    assert state["step"] == 2
    assert state["drawn"]
    assert train(slow("rollout.staleness=1", *extra), tmp_path / "run", resume=True).finished
    assert_each_group_once(tmp_path / "run")
    taken = {t.group_id.rpartition("/")[0] for _, episodes in trained_on(tmp_path / "run") for t in episodes}
    last = read_state(checkpoints(tmp_path / "run" / "checkpoints")[-1])
    assert taken | set(last["drawn"]) == {f"group-{n:08d}" for n in range(last["next_task"])}
    assert not taken & set(last["drawn"])


def test_ctrl_c_keeps_what_is_finished(tmp_path: Path) -> None:
    config = slow("rollout.staleness=1")
    assert not train(config, tmp_path, reporter=KillAt("train", 2, signal.SIGINT)).finished
    last = checkpoints(tmp_path / "checkpoints")[-1]
    waiting = {t.group_id for t in read_trajectories(last / "pending.jsonl")}
    assert train(config, tmp_path, resume=True).finished
    assert_each_group_once(tmp_path)
    assert waiting <= {t.group_id for _, episodes in trained_on(tmp_path) for t in episodes}


def test_refill_takes_groups_that_differ_only(tmp_path: Path) -> None:
    config = smoke("rollout.staleness=1", "algorithm.dynamic_sampling=refill", "rollout.groups=3", "steps=3")
    assert train(config, tmp_path).finished
    rows = [row for row in read_metrics(tmp_path) if row["kind"] == "train"]
    assert [row["groups"] for row in rows] == [3, 3, 3]
    for _, episodes in trained_on(tmp_path):
        groups = make_groups_in_order(iter(episodes))
        assert [group.mixed for group in groups[:3]] == [True] * 3
        assert not any(group.mixed for group in groups[3:])


def test_groups_without_a_difference_end_the_run(tmp_path: Path) -> None:
    config = smoke(
        "env.options={terms: 6}",
        "warmstart.steps=0",
        "rollout={groups: 2, group_size: 2, max_tokens: 2, staleness: 1}",
        "algorithm.dynamic_sampling=refill",
    )
    with pytest.raises(NoSignalError, match="0% of answers right"):
        train(config, tmp_path)


def test_adapters_and_a_critic_learn_in_the_thread(tmp_path: Path, finished: Path) -> None:
    config = slow(
        "rollout.staleness=1",
        f"model.path={finished / 'model'}",
        "model.lora.rank=4",
        "warmstart.steps=0",
        "algorithm={advantage: gae, critic: {learning_rate: 0.01}, dynamic_sampling: keep, correction: {}}",
        "steps=3",
    )
    assert train(config, tmp_path).finished
    rows = [row for row in read_metrics(tmp_path) if row["kind"] == "train"]
    assert all("explained_variance" in row and "tis" in row for row in rows)


def test_options_of_the_engine_are_checked(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"rollout\.engine_options.*max_bach"):
        train(smoke("rollout.engine_options={max_bach: 3}"), tmp_path)


def test_ages_are_counted_by_token() -> None:
    episode = trajectory([1.0], tokens=[4])
    (step,) = episode.steps
    mixed = replace(
        episode, steps=(replace(step, turn=replace(step.turn, weight_version=7, weight_spans=((5, 3), (7, 1)))),)
    )
    assert staleness([Group("g", (mixed,))], 7) == {"staleness": 1.5, "staleness_max": 2.0}
    assert staleness([], 7) == {"staleness": 0.0, "staleness_max": 0.0}


@given(st.integers(0, 2**32), st.integers(1, 4), st.integers(1, 3), st.floats(0, 0.95))
def test_the_bound_holds_and_nothing_stops_in_any_order(seed: int, wanted: int, bound: int, slowness: float) -> None:
    """A simulation of the scheduler: groups finish in any order, some take very long."""
    draw = random.Random(seed)
    flying: list[int] = []
    ready: list[int] = []
    for step in range(12):
        flying += [step] * ((bound + 1) * wanted - len(flying) - len(ready))
        while (chosen := cut(ready, flying, step=step, wanted=wanted, staleness=bound)) is None:
            assert flying, "nothing is being played, and still the step waits"
            late = draw.random() < slowness
            ready.append(flying.pop(len(flying) - 1 if late else draw.randrange(len(flying))))
        assert len(chosen) == wanted
        assert all(step - ready[n] <= bound for n in chosen)
        ready = [version for n, version in enumerate(ready) if n not in chosen]
        assert all(step - version < bound for version in [*ready, *flying])
        flying += [step] * (bound * wanted - len(flying) - len(ready))
