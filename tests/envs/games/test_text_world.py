import importlib.util
import sys

import pytest

from assay.core.errors import ConfigError
from assay.envs.check import check_environment
from tests.envs.games.players import episode, make, said, wins

needs_textworld = pytest.mark.skipif(
    importlib.util.find_spec("textworld") is None, reason="textworld is not installed (extra: textworld)"
)


def test_a_missing_package_is_named(monkeypatch):
    from assay.envs.games import text_world

    monkeypatch.setitem(sys.modules, "textworld.generator", None)
    text_world._library.cache_clear()
    with pytest.raises(ConfigError, match=r"pip install 'assay-rl\[textworld\]'"):
        make("assay/TextWorld-v0")


@needs_textworld
def test_every_check_passes():
    report = check_environment("assay/TextWorld-v0", episodes=4)
    assert {check.status for check in report.checks} == {"ok"}, str(report)


@needs_textworld
@pytest.mark.parametrize("options", [{}, {"rooms": 6, "objects": 10, "quest": 5}])
def test_the_walkthrough_wins_and_chance_rarely_does(options):
    env = make("assay/TextWorld-v0", **options)
    assert wins(env, "solve", 6) == 1.0
    assert wins(env, "random", 6) <= 0.34


@needs_textworld
@pytest.mark.parametrize(
    "text", ["", "#", "#won", "#tw-trace-actions", "*** The End *** You scored 1 out of 1", "#quit"]
)
def test_words_that_are_no_commands_win_nothing(text):
    env = make("assay/TextWorld-v0")
    *_, last = episode(env, env.tasks[0], [text] * 100)
    assert last[3] and last[4]["verdict"].status == "no_answer" and last[1] == 0.0


@needs_textworld
def test_what_happens_is_told():
    env = make("assay/TextWorld-v0", commands=True)
    for task in env.tasks.head(4):
        (opening,), _ = env.reset(options={"task": task})
        assert opening["content"] == task.prompt
        shown = opening["content"].splitlines()[-1].removeprefix("commands: ").split(", ")
        assert shown == env.game.moves()
        drops = [command for command in shown if command.startswith("drop ")]
        for command in drops:
            thing = command.removeprefix("drop ")
            assert thing in env.game.observe().splitlines()[3]
            step = episode(env, task, [f"#{command.upper()}"])[0]
            if not step[2]:
                assert thing in said(step).splitlines()[2] and thing not in said(step).splitlines()[3]


@needs_textworld
def test_admissible_commands_are_hidden_unless_asked_for():
    env = make("assay/TextWorld-v0")
    assert "commands" not in env.tasks[0].prompt


@needs_textworld
def test_what_cannot_be_done_is_refused_and_changes_nothing():
    env = make("assay/TextWorld-v0")
    env.reset(options={"task": env.tasks[0]})
    before = env.game.observe()
    observation, *_ = env.step("#take the moon")
    assert observation[0]["content"] == "that cannot be done here"
    observation, *_ = env.step("#dance")
    assert "a command begins with go" in observation[0]["content"]
    assert env.game.observe() == before


@needs_textworld
def test_sizes_that_make_no_sense_are_refused():
    with pytest.raises(ConfigError, match="rooms"):
        make("assay/TextWorld-v0", rooms=0)
    with pytest.raises(ConfigError, match="quest"):
        make("assay/TextWorld-v0", quest=0)
