import numpy as np

from assay.envs.check import check_environment
from tests.envs.games.players import make, wins


def test_every_check_passes_but_that_there_is_no_sure_win():
    report = check_environment("assay/KuhnPoker-v0", episodes=8)
    assert report.ok, str(report)
    assert [check.name for check in report.checks if check.status == "skipped"] == ["oracle scores 1"]


def test_the_best_answer_wins_more_chips_than_chance():
    for opponent in ("caller", "bluffer"):
        env = make("assay/KuhnPoker-v0", opponent=opponent)
        nets = {}
        for style in env.demonstration_styles:
            nets[style] = []
            for task in env.tasks.head(120):
                env.demonstrate(task, style, np.random.default_rng(0))
                nets[style].append(env.game.net if env.seat == 0 else -env.game.net)
        assert np.mean(nets["solve"]) > 0.5 > np.mean(nets["random"])
    assert wins(make("assay/KuhnPoker-v0"), "solve", 60) > 0.6


def test_the_agent_begins_in_half_of_the_matches():
    env = make("assay/KuhnPoker-v0")
    openings = {0: set(), 1: set()}
    for task in env.tasks.head(60):
        (message,), _ = env.reset(options={"task": task})
        openings[env.seat].add(message["content"].split("; ")[1])
        card = task.metadata["deals"][0][env.seat]
        assert message["content"].startswith(f"your card: {card}; ")
    assert openings == {0: {"so far: nothing"}, 1: {"so far: check", "so far: bet"}}
