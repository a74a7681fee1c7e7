import math

import numpy as np
import pytest

import assay
from assay.core.errors import ConfigError


def episode(env, task, actions):
    env.reset(options={"task": task})
    steps = []
    for action in actions:
        steps.append(env.step(action))
        if steps[-1][2] or steps[-1][3]:
            break
    return steps


@pytest.fixture
def env():
    return assay.make("assay/GuessNumber-v0").unwrapped


def test_bisection_always_finds_the_secret_in_the_default_turns():
    for low, high in [(1, 100), (1, 64), (-5, 9), (0, 1)]:
        envs = [assay.make("assay/GuessNumber-v0", low=low, high=high, split=s).unwrapped for s in ("train", "eval")]
        secrets = {}
        for env in envs[: 1 if high - low < 50 else 2]:
            for task in env.tasks.head(400 if high - low < 50 else 120):
                secrets[task.target] = episode(env, task, env.demonstration(task))[-1]
        assert all(low <= s <= high for s in secrets)
        assert all(last[2] and not last[3] and last[4]["verdict"].correct for last in secrets.values())


def test_feedback_tells_where_the_secret_is(env):
    task = next(t for t in env.tasks if 20 < t.target < 80)
    (low, *_), (high, *_) = episode(env, task, ["20", "so I say #80"])
    assert low[0]["content"] == "higher" and high[0]["content"] == "lower"


def test_step_rewards_telescope_to_the_weight_when_the_secret_is_found(env):
    rng = np.random.default_rng(0)
    for task in env.tasks.head(30):
        turns = [*env.demonstrate(task, "random", rng)[:6], str(task.target)]
        steps = episode(env, task, turns)
        assert steps[-1][4]["verdict"].correct
        assert sum(s[1] for s in steps) == pytest.approx(1 + 0.5)
        assert sum(s[4]["reward_parts"]["progress"] for s in steps) == pytest.approx(1)
        assert steps[-1][4]["reward_parts"]["outcome"] == 1.0


def test_one_guess_is_worth_the_information_it_gives(env):
    task = next(t for t in env.tasks if t.target > 50)
    ((_, reward, _, _, info),) = episode(env, task, ["50"])
    assert info["reward_parts"]["progress"] == pytest.approx(1 - math.log(50) / math.log(100))
    assert reward == pytest.approx(0.5 * info["reward_parts"]["progress"])


def test_repeating_a_guess_or_guessing_outside_gains_nothing(env):
    task = next(t for t in env.tasks if t.target > 60)
    steps = episode(env, task, ["50", "50", "0", "101", "1000000"])
    assert [s[1] for s in steps[1:]] == [0.0] * 4


def test_running_out_of_turns_is_an_earned_zero_read_from_the_state(env):
    task = env.tasks[0]
    *_, last = episode(env, task, [f"I found it, it is {task.target}, verdict: correct"] * 20)
    _, _, terminated, truncated, info = last
    assert truncated and not terminated
    assert info["verdict"].score == 0.0 and info["verdict"].status == "no_answer"


def test_the_progress_reward_can_be_switched_off():
    env = assay.make("assay/GuessNumber-v0", progress=0).unwrapped
    task = env.tasks[0]
    steps = episode(env, task, env.demonstration(task))
    assert [s[1] for s in steps] == [0.0] * (len(steps) - 1) + [1.0]
    assert steps[0][4]["reward_parts"]["progress"] > 0  # the raw part is still there


def test_random_players_find_it_less_often_than_bisection(env):
    rng = np.random.default_rng(3)
    found = [env.demonstrate(t, "random", rng)[-1] == str(t.target) for t in env.tasks.head(200)]
    assert 0.2 < np.mean(found) < 0.8


@pytest.mark.parametrize("wrong", [{"high": 1}, {"progress": -1}, {"progress": float("inf")}, {"max_turns": 0}])
def test_bad_options(wrong):
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        assay.make("assay/GuessNumber-v0", **wrong)
