"""Every shipped environment keeps every promise, alone, under gymnasium.make and in a SyncVectorEnv."""

import warnings

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

import assay
from assay.envs.check import check_environment

PROCEDURAL = ["assay/Arithmetic-v0", "assay/Calculator-v0", "assay/Countdown-v0", "assay/GuessNumber-v0"]


@pytest.mark.parametrize("instructions", [False, True])
@pytest.mark.parametrize("env_id", PROCEDURAL)
def test_every_check_passes_and_none_is_skipped(env_id, instructions):
    report = check_environment(env_id, episodes=20, instructions=instructions)
    assert report.ok, str(report)
    assert {check.status for check in report.checks} == {"ok"}, str(report)


@pytest.mark.parametrize("env_id", PROCEDURAL)
def test_gymnasium_own_checker_without_a_single_warning(env_id):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_env(assay.make(env_id).unwrapped)


@pytest.mark.parametrize("env_id", PROCEDURAL)
def test_works_in_a_vector_environment(env_id):
    envs = gymnasium.vector.SyncVectorEnv([lambda: gymnasium.make(env_id)] * 3)
    observations, _ = envs.reset(seed=5)
    assert len(observations) == 3 and observations[0][0]["role"] == "user"
    for _ in range(3):
        observations, rewards, *_ = envs.step(["#1", "no", ""])
        assert rewards.shape == (3,) and np.isfinite(rewards).all()
    envs.close()


@pytest.mark.parametrize("env_id", PROCEDURAL)
def test_one_task_for_all_makes_a_group(env_id):
    env = assay.make(env_id)
    task = env.unwrapped.tasks[3]
    envs = gymnasium.vector.SyncVectorEnv([lambda: gymnasium.make(env_id)] * 4)
    observations, infos = envs.reset(seed=1, options={"task": task})
    assert len({repr(o) for o in observations}) == 1
    assert list(infos["task_id"]) == [task.id] * 4
    envs.close()


@pytest.mark.parametrize("env_id", PROCEDURAL)
def test_an_unknown_option_is_a_config_error(env_id):
    with pytest.raises(assay.core.errors.ConfigError, match="difficlty"):
        assay.make(env_id, difficlty=3)


@pytest.mark.parametrize("env_id", PROCEDURAL)
def test_ids_name_one_problem_whatever_the_options(env_id):
    options = {
        "assay/Arithmetic-v0": {"terms": 3},
        "assay/Calculator-v0": {"terms": 3},
        "assay/Countdown-v0": {"count": 3},
        "assay/GuessNumber-v0": {"high": 10},
    }[env_id]
    default, changed = assay.make(env_id).unwrapped, assay.make(env_id, **options).unwrapped
    told = assay.make(env_id, instructions=True).unwrapped
    assert default.tasks[0].id == f"{env_id}/train/0" == told.tasks[0].id
    assert default.tasks[0].target == told.tasks[0].target
    assert changed.tasks[0].id != default.tasks[0].id
    assert changed.tasks.get(changed.tasks[4].id) == changed.tasks[4]


@pytest.mark.parametrize("env_id", PROCEDURAL)
def test_every_style_plays_to_the_end_and_an_unknown_one_is_named(env_id):
    env = assay.make(env_id).unwrapped
    rng = np.random.default_rng(0)
    for style in env.demonstration_styles:
        for index in range(5):
            task = env.tasks[index]
            turns = env.demonstrate(task, style, rng)
            env.reset(options={"task": task})
            for turn in turns:
                *_, terminated, truncated, _ = env.step(turn)
            assert terminated or truncated
    with pytest.raises(assay.core.errors.UnknownNameError, match="demonstration style"):
        env.demonstrate(env.tasks[0], "carefull", rng)
