from __future__ import annotations

from collections import Counter

import gymnasium
import pytest
from gymnasium.utils.env_checker import check_env

from assay.core.errors import ConfigError
from assay.curricula import Arm
from assay.envs.wrappers import CurriculumTasks, StepCost
from tests.envs.wrappers.hooks import Walk


def run(env, episodes, answer):
    """Play episodes; return the arms that were drawn."""
    arms = []
    for _ in range(episodes):
        _, info = env.reset()
        arms.append(info["arm"])
        env.step("end " + answer(info))
    return arms


def test_it_moves_to_where_there_is_something_to_learn():
    env = CurriculumTasks(Walk(), "learnability", arms="tag", options={"memory": 16})
    last = {}

    def answer(info):  # t0 is mastered, t1 comes out right every other time
        last["t1"] = not last.get("t1", False)
        return "right" if info["arm"] == "t0" or last["t1"] else "wrong"

    arms = Counter(run(env, 300, answer)[100:])
    assert arms["t1"] > 3 * arms["t0"]


def test_it_reads_the_raw_outcome_and_no_episode_without_a_verdict():
    env = CurriculumTasks(StepCost(Walk(), cost=5.0), "uniform", arms="tag")
    run(env, 20, lambda info: "right")
    assert set(env.curriculum.metrics().values()) == {1.0}
    before = env.curriculum.policy.rates.state_dict()
    run(env, 20, lambda info: "crash")
    env.reset(options={"task": "train-1"})
    env.step("end wrong")
    assert env.curriculum.policy.rates.state_dict() == before


def test_a_resumed_curriculum_goes_on_the_same():
    def arms_after(env):
        return run(env, 30, lambda info: "right" if info["arm"] == "t0" else "wrong")

    first = CurriculumTasks(Walk(), "thompson", arms="tag", seed=3)
    arms_after(first)
    state = first.curriculum.state_dict()
    second = CurriculumTasks(Walk(), "thompson", arms="tag", seed=3)
    second.curriculum.load_state_dict(state)
    assert arms_after(second) == arms_after(first)


def test_a_seed_names_the_task():
    env = CurriculumTasks(Walk(), "uniform", arms="task")
    check_env(env, skip_render_check=True)
    assert env.reset(seed=4)[1] == env.reset(seed=4)[1]
    assert len({env.reset(seed=i)[1]["task_id"] for i in range(20)}) == 4


def test_arms_of_ones_own_and_the_spec():
    tasks = Walk().tasks
    arms = [Arm("first", tasks.head(1)), Arm("all", tasks)]
    assert set(run(CurriculumTasks(Walk(), "uniform", arms=arms), 20, lambda info: "right")) == {"first", "all"}
    env = CurriculumTasks(gymnasium.make("assay/Countdown-v0"), "staged", arms=arms, options={"threshold": 0.5})
    assert env.spec.additional_wrappers[-1].kwargs["options"] == {"threshold": 0.5}


def test_mistakes_are_one_clear_line():
    with pytest.raises(ConfigError, match="did you mean 'staged'"):
        CurriculumTasks(Walk(), "stage")
    with pytest.raises(ConfigError, match="threshold"):
        CurriculumTasks(Walk(), "staged", options={"treshold": 0.5})
    with pytest.raises(ConfigError, match="difficulty"):
        CurriculumTasks(Walk(), arms="difficulty")
    with pytest.raises(ConfigError, match="finite"):
        CurriculumTasks(gymnasium.make("assay/Arithmetic-v0"), arms="tag")
