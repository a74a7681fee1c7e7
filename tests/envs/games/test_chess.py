import os
import signal

import pytest

pytest.importorskip("chess", reason="python-chess is not installed (extra: games)")

from assay.core.errors import ConfigError
from assay.envs.check import check_environment
from assay.envs.games.chess_game import Chess, find_stockfish
from assay.envs.games.game import IllegalMove
from tests.envs.games.players import episode, make, said, wins

try:
    find_stockfish()
except ConfigError as absent:
    pytest.skip(str(absent), allow_module_level=True)


@pytest.fixture(params=["assay/Chess-v0", "assay/ChessEndgame-v0"])
def env(request):
    env = make(request.param)
    yield env
    env.close()


@pytest.mark.parametrize("env_id", ["assay/Chess-v0", "assay/ChessEndgame-v0"])
def test_every_check_passes(env_id):
    report = check_environment(env_id, episodes=3)
    assert {check.status for check in report.checks} == {"ok"}, str(report)


def test_the_oracle_wins_and_chance_does_not(env):
    assert wins(env, "solve", 8) == 1.0
    assert wins(env, "random", 8) == 0.0


def test_moves_are_read_in_both_notations_and_illegal_ones_refused():
    game = Chess("rnbqkbnr/pppppppp/8/8/8/8/PPPPPPPP/RNBQKBNR w KQkq - 0 1")
    game.play("Nf3")
    game.play("g8f6")
    before = game.observe()
    for move in ("e2e5", "Ke2", "0000", "--", "", "Nf3 e5"):
        with pytest.raises(IllegalMove):
            game.play(move)
    assert game.observe() == before


def test_a_third_repetition_is_a_draw_that_is_not_correct():
    game = Chess("4k3/8/8/8/8/8/3Q4/4K3 w - - 0 1")
    for _ in range(2):
        for move in ("Qd3", "Ke7", "Qd2", "Ke8"):
            game.play(move)
    assert game.over and game.score(0) == game.score(1) == 0.5 and not game.won(0)


def test_an_engine_that_dies_ends_the_episode_without_a_verdict_and_the_next_one_plays(env):
    env.blunders = 0.0
    task = env.tasks[0]
    turns = env.demonstration(task)
    env.reset(options={"task": task})
    env.step(turns[0])
    pid = env.engine._engine.transport.get_pid()
    os.kill(pid, signal.SIGKILL)
    last = None
    for turn in turns[1:]:
        last = env.step(turn)
        if last[2] or last[3]:
            break
    assert last[3] and last[4]["verdict"].score is None and "stockfish broke" in last[4]["verdict"].reason
    assert episode(env, task, turns)[-1][4]["verdict"].correct


def test_the_position_is_all_that_is_said(env):
    task = env.tasks[0]
    (step, *_) = episode(env, task, env.demonstration(task)[:1])
    assert step[2] or said(step).count("/") == 7
