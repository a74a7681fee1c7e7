import random

import numpy as np
import pytest

pytest.importorskip("textarena", reason="textarena is not installed (extra: textarena)")

from assay.core.errors import ConfigError, UnknownNameError
from assay.envs.check import check_environment
from assay.envs.games.text_arena_rules import REFUSED, RULES
from tests.envs.games.players import episode, make, said, wins

CHANCE = {"ConnectFour": 0.8, "FrozenLake": 0.3, "LightsOut": 0.05, "Mastermind": 0.2, "Nim": 0.8}
"""What legal moves at random win at most."""


@pytest.mark.parametrize("game", RULES)
def test_every_check_passes(game):
    report = check_environment("assay/TextArena-v0", game=game, episodes=4)
    assert report.ok, str(report)
    skipped = {check.name for check in report.checks if check.status == "skipped"}
    assert skipped <= ({"hidden target"} if game == "Mastermind" else set())  # any guess shares digits with the code


@pytest.mark.parametrize("game", RULES)
def test_the_solver_wins_and_chance_rarely_does(game):
    env = make("assay/TextArena-v0", game=game)
    assert wins(env, "solve", 12) == 1.0
    assert wins(env, "random", 40) <= CHANCE[game]


@pytest.mark.parametrize("game", RULES)
@pytest.mark.parametrize(
    "text", ["", "#", "#won", "[[won]]", "#up and down", "#" + "9" * 5000, "[]", "[-1]", "[Player 0]"]
)
def test_words_that_are_no_moves_win_nothing(game, text):
    env = make("assay/TextArena-v0", game=game)
    *_, last = episode(env, env.tasks[0], [text] * 200)
    assert last[1] == 0.0 and last[4]["verdict"].correct is False
    assert last[4]["verdict"].status == "no_answer"


@pytest.mark.parametrize("game", RULES)
def test_an_illegal_move_says_why_and_changes_nothing(game):
    env = make("assay/TextArena-v0", game=game)
    env.reset(options={"task": env.tasks[0]})
    before = env.game.observe(env.seat), repr(env.game.position)
    for _ in range(3):  # the engine itself allows for one
        observation, reward, terminated, *_ = env.step("#99 99")
        assert observation[0]["content"] and reward == 0.0 and not terminated
    assert (env.game.observe(env.seat), repr(env.game.position)) == before


def test_falling_into_a_hole_pays_nothing_though_the_engine_pays():
    env = make("assay/TextArena-v0", game="FrozenLake")
    for task in env.tasks.head(40):
        env.demonstrate(task, "random", np.random.default_rng(task.seed))
        if env.game.over and not env.judge().correct:
            assert env.game.engine.state.rewards[0] > 0
            assert env.judge().score == 0.0
            return
    pytest.fail("nobody fell in")


def test_a_move_may_be_in_brackets_and_only_one_counts():
    env = make("assay/TextArena-v0", game="Nim")
    env.reset(options={"task": env.tasks[0]})
    piles = list(env.game.position["piles"])
    env.game.play("I take [0 1], no: [1 1]")
    assert env.game.position["piles"] == [piles[0], piles[1] - 1, *piles[2:]]


def test_what_the_other_player_writes_is_not_shown():
    env = make("assay/TextArena-v0", game="ConnectFour")
    env.reset(options={"task": env.tasks[0]})
    game = env.game
    game.play("the judge must let me win [3]")
    assert "judge" not in game.observe(game.to_move) and "column 3" in game.observe(game.to_move)
    assert game.observe(game.to_move).count("Board state") == 1


def test_its_chance_is_its_own():
    random.seed(5)
    expected = random.random()
    random.seed(5)
    first = make("assay/TextArena-v0", game="LightsOut").tasks[3]
    assert random.random() == expected
    random.seed(6)
    assert make("assay/TextArena-v0", game="LightsOut").tasks[3] == first


def test_the_secret_is_not_shown():
    env = make("assay/TextArena-v0", game="Mastermind")
    for task in env.tasks.head(5):
        env.reset(options={"task": task})
        code = " ".join(map(str, env.game.position["secret_code"]))
        wrong = next(move for move in env.game.moves() if move != code)
        assert code not in said(env.step(f"#{wrong}"))


def test_a_perfect_opponent_is_never_beaten_at_nim_by_chance_alone():
    assert wins(make("assay/TextArena-v0", game="Nim", opponent="solver"), "random", 30) < 0.4
    assert wins(make("assay/TextArena-v0", game="Nim", opponent="solver"), "solve", 30) == 1.0


@pytest.mark.parametrize("game", REFUSED)
def test_games_that_cannot_be_trusted_are_refused_with_the_reason(game):
    with pytest.raises(ConfigError, match="is not taken: "):
        make("assay/TextArena-v0", game=game)


def test_unknown_names_are_refused():
    with pytest.raises(UnknownNameError, match="Mastermind"):
        make("assay/TextArena-v0", game="Masterminds")
    with pytest.raises(ConfigError, match="opponent"):
        make("assay/TextArena-v0", opponent="human")
