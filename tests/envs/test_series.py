"""A series: what is paid and when, whose tasks they are, and what becomes of a task without a verdict."""

import numpy as np
import pytest

import assay
from assay.core.errors import ConfigError, Fault
from assay.envs.check import check_environment

MIXED = [True, False, True, True, False, True]
"""Which of the six problems are answered right."""


def series(**options):
    return assay.make("assay/Series-v0", **options).unwrapped


def play(env, task, right):
    observation, _ = env.reset(seed=0, options={"task": task})
    steps = []
    for member, good in zip(env.series.members(task), right, strict=True):
        assert observation[-1] == member.messages()[-1]
        observation, *rest = env.step(f"#{member.target}" if good else "#x")
        steps.append(rest)
    return steps


@pytest.mark.parametrize(
    ("reward", "paid"),
    [
        ("turns", [1 / 6, 0, 1 / 6, 1 / 6, 0, 1 / 6]),
        ("share", [0, 0, 0, 0, 0, 4 / 6]),
        ("all", [0, 0, 0, 0, 0, 0]),
    ],
)
def test_what_is_paid_and_when(reward, paid):
    env = series(reward=reward)
    steps = play(env, env.tasks[3], MIXED)
    assert [step[0] for step in steps] == pytest.approx(paid)
    assert [step[1] for step in steps] == [False] * 5 + [True]
    assert [step[3]["reward_parts"]["task"] for step in steps] == MIXED
    verdict = steps[-1][3]["verdict"]
    assert verdict.score == pytest.approx(sum(paid)) and verdict.correct is False
    assert verdict.reason == "4 of 6 right"
    assert sum(step[0] for step in play(env, env.tasks[3], [True] * 6)) == pytest.approx(1)


@pytest.mark.parametrize(
    "options",
    [{}, {"reward": "all", "instructions": True}, {"env": "assay/GuessNumber-v0", "length": 2}],
)
def test_every_promise_is_kept_and_only_the_short_targets_cannot_be_told(options):
    report = check_environment("assay/Series-v0", episodes=8, **options)
    assert report.ok, str(report)
    assert {check.name for check in report.checks if check.status == "skipped"} <= {"hidden target"}, str(report)


def test_no_task_is_in_two_series_and_ids_name_them():
    env, shorter = series(), series(length=2)
    names = [name for index in range(20) for name in env.tasks[index].metadata["tasks"]]
    assert len(set(names)) == 120
    assert env.tasks.get(env.tasks[7].id) == env.tasks[7]
    assert env.tasks[0].id == "assay/Series-v0/train/0" != shorter.tasks[0].id
    for wrong in ("assay/Series-v0/eval/0", shorter.tasks[0].id, "nonsense"):
        with pytest.raises(ConfigError, match="ids look like assay/Series-v0/train/0"):
            env.tasks.get(wrong)


def test_a_finite_set_gives_whole_series_only(tmp_path):
    rows = tmp_path / "rows.jsonl"
    rows.write_text("".join(f'{{"question": "What is {n}+1?", "answer": "{n + 1}"}}\n' for n in range(5)))
    inside = {"env": "assay/MathWord-v0", "options": {"data": str(rows)}, "split": "all"}
    assert len(series(**inside, length=2).tasks) == 2
    with pytest.raises(ConfigError, match="a series of 6 needs as many tasks, and there are 5"):
        series(**inside)


def test_rules_are_stated_once():
    env = series(instructions=True)
    observation, _ = env.reset(seed=0)
    assert [message["role"] for message in observation] == ["system", "user"]
    assert [message["role"] for message in env.step("#1")[0]] == ["user"]


def test_a_task_without_a_verdict_leaves_the_series_without_one(monkeypatch):
    env = series(length=2)
    env.reset(seed=0)
    env.step(f"#{env.series.members(env.task)[0].target}")

    def broken(action):
        raise Fault("the power is out")

    monkeypatch.setattr(env.single, "advance", broken)
    _, reward, terminated, truncated, info = env.step("#1")
    assert (reward, terminated, truncated, info["verdict"].score) == (0.0, False, True, None)
    assert "the power is out" in info["verdict"].reason


def test_each_task_has_a_style_of_its_own():
    env = series(length=40)
    shapes = {turn.count(";") for turn in env.demonstrate(env.tasks[0], "mixed", np.random.default_rng(0))}
    assert 1 in shapes and max(shapes) > 1  # a guess shows one step, whoever works on shows more


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"length": 0}, "length must be at least 1"),
        ({"reward": "sum"}, "reward must be one of turns, share, all"),
        ({"env": "CartPole-v1", "split": "train"}, "CartPole"),
        ({"options": {"terms": 1}}, "terms must be"),
    ],
)
def test_options_that_make_no_sense_are_named(options, why):
    with pytest.raises(ConfigError, match=why):
        series(**options)
