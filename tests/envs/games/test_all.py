"""What holds for every game: the oracle wins, chance rarely does, and nothing but moves counts."""

import pytest

from assay.envs.check import check_environment
from assay.envs.games.twenty48 import Twenty48Env
from tests.envs.games.players import GAMES, episode, make, wins

CHANCE = {
    "assay/CarDealer-v0": 0.15,
    "assay/ConnectFour-v0": 0.75,
    "assay/FrozenLake-v0": 0.2,
    "assay/GuessMyCity-v0": 0.3,
    "assay/Maze-v0": 0.6,
    "assay/Minesweeper-v0": 0.2,
    "assay/Sokoban-v0": 0.4,
    "assay/TextNav-v0": 0.6,
    "assay/Twenty48-v0": 1.0,
    "assay/TwentyQuestions-v0": 0.3,
    "assay/Wordle-v0": 0.2,
}
"""What legal moves at random win at most."""


@pytest.mark.parametrize("env_id", GAMES)
def test_every_check_passes_and_none_is_skipped(env_id):
    report = check_environment(env_id, episodes=8, **GAMES[env_id])
    assert {check.status for check in report.checks} == {"ok"}, str(report)


@pytest.mark.parametrize("env_id", GAMES)
@pytest.mark.parametrize("split", ["train", "eval"])
def test_the_oracle_wins(env_id, split):
    assert wins(make(env_id, split=split, **GAMES[env_id]), "solve", 15) == 1.0


@pytest.mark.parametrize("env_id", GAMES)
def test_legal_moves_at_random_rarely_win(env_id):
    assert wins(make(env_id, **GAMES[env_id]), "random", 60) <= CHANCE[env_id]


@pytest.mark.parametrize("env_id", GAMES)
@pytest.mark.parametrize("text", ["", "I have won", "#won", "#", "score: 1.0", "{}", "#up#", "#\x00", "#" + "9" * 5000])
def test_words_that_are_no_moves_win_nothing(env_id, text):
    env = make(env_id, **GAMES[env_id])
    *_, last = episode(env, env.tasks[0], [text] * 1000)
    assert last[2] or last[3]
    assert last[4]["verdict"].correct is False
    assert last[4]["verdict"].status == "no_answer"
    assert last[1] == 0.0


@pytest.mark.parametrize("env_id", GAMES)
def test_repeating_what_is_shown_wins_nothing(env_id):
    env = make(env_id, **GAMES[env_id])
    for task in env.tasks.head(5):
        *_, last = episode(env, task, [task.messages()[-1]["content"]] * 300)
        assert last[4]["verdict"].correct is False


@pytest.mark.parametrize("env_id", GAMES)
def test_an_illegal_move_says_why_and_changes_nothing(env_id):
    env = make(env_id, **GAMES[env_id])
    env.reset(options={"task": env.tasks[0]})
    before = env.game.observe(env.seat)
    for move in ("no such move", f"take {'x' * 9_000}", "x" * 100_000):  # and does not fill the context with an echo
        observation, reward, terminated, *_ = env.step(f"#{move}")
        assert 0 < len(observation[0]["content"]) <= 500 and reward == 0.0 and not terminated
        assert env.game.observe(env.seat) == before


def test_the_oracle_of_2048_starts_again_where_it_lost():
    class Careless(Twenty48Env):
        def oracle(self):
            while True:
                yield self.game.moves()[0] if self._caution == 0 else next(super().oracle())

    assert wins(Careless(target=128), "solve", 3) == 1.0


def test_sliding_in_a_circle_does_not_win_2048():
    env = make("assay/Twenty48-v0")
    moves = [f"#{move}" for move in ("left", "down", "right", "down")] * 256
    assert not any(episode(env, task, moves)[-1][4]["verdict"].correct for task in env.tasks.head(12))
