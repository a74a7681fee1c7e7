import numpy as np
import pytest

pytest.importorskip("minigrid", reason="minigrid is not installed (extra: games)")

from assay.core.errors import ConfigError
from assay.envs.check import check_environment
from tests.envs.games.players import episode, make, said, wins

LEVELS = ["GoToRedBall", "GoToLocal", "PickupLoc", "OpenDoor", "PutNextLocal"]


def test_every_check_passes():
    report = check_environment("assay/BabyAI-v0", episodes=5)
    assert {check.status for check in report.checks} == {"ok"}, str(report)


@pytest.mark.parametrize("level", LEVELS)
def test_the_oracle_accomplishes_and_chance_rarely_does(level):
    env = make("assay/BabyAI-v0", level=level)
    assert wins(env, "solve", 8) == 1.0
    assert wins(env, "random", 10) < 0.7


def test_what_is_told_is_what_the_agent_sees():
    env = make("assay/BabyAI-v0", level="GoToRedBall")
    for task in env.tasks.head(10):
        env.reset(options={"task": task})
        words = env.game.observe()
        assert words.startswith(env.game.mission)
        # Walk straight on: what was n ahead is n - 1 ahead, unless something is in the way.
        front = env.game.world.grid.get(*env.game.world.front_pos)
        (step,) = episode(env, task, ["#forward"])
        if front is None and "wall 2 ahead" in words:
            assert "wall 1 ahead" in said(step)
        if front is not None and not step[2]:
            assert said(step) == words


def test_words_that_are_no_moves_do_nothing():
    env = make("assay/BabyAI-v0")
    task = env.tasks[0]
    *_, last = episode(env, task, ["mission accomplished"] * 500)
    assert last[3] and last[4]["verdict"].status == "no_answer"


def test_the_prompt_is_all_that_decides_the_split():
    train, held = ({t.prompt for t in make("assay/BabyAI-v0", split=s).tasks.head(60)} for s in ("train", "eval"))
    assert len(train) > 50 and np.mean([p in train for p in held]) < 0.1


def test_an_unknown_level_is_named():
    with pytest.raises(ConfigError, match="level 'GoHome' is not one of"):
        make("assay/BabyAI-v0", level="GoHome")
