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
                nets[style].append(env.game.net)
        assert np.mean(nets["solve"]) > 0.5 > np.mean(nets["random"])
    assert wins(make("assay/KuhnPoker-v0"), "solve", 60) > 0.6
