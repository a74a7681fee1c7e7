from __future__ import annotations

from typing import Any

import pytest

from assay.trainers.signals import WINDOW, Alerts

HEALTHY = {
    "tokens_per_episode": 100.0,
    "reward": 0.5,
    "correct": 0.5,
    "entropy": 1.0,
    "mismatch_kl": 1e-4,
    "forks": 0.0,
    "mixed": 0.6,
    "truncated": 0.1,
    "explained_variance": 0.2,
    "skipped": 0.0,
}


def told(*phases: dict[str, float], steps: int = 2 * WINDOW, alerts: Alerts | None = None) -> list[str]:
    """Return what is told over phases of so many steps each, every phase a change to a healthy run."""
    alerts = alerts or Alerts()
    rows: list[dict[str, Any]] = [{**HEALTHY, **phase} for phase in phases for _ in range(steps)]
    return [text for step, row in enumerate(rows, 1) for text in alerts.observe({"step": step, **row})]


def test_a_healthy_run_is_quiet() -> None:
    assert told({}, {"reward": 0.9, "correct": 0.9, "tokens_per_episode": 130.0}, {"entropy": 0.3}) == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"tokens_per_episode": 30.0, "reward": 0.9, "correct": 0.9}, "shrank from 100 to"),
        ({"reward": 0.8, "correct": 0.3}, "fewer answers are right"),
        ({"entropy": 0.01}, "hardly explores"),
        ({"mismatch_kl": 0.5}, "engine and trainer disagree"),
        ({"forks": 0.5}, "token stream"),
        ({"mixed": 0.0}, "answers that earn"),
        ({"truncated": 0.9}, "hit a limit"),
        ({"episodes": 8.0, "unscored": 8.0}, "no episode has a verdict"),
        ({"out_of_room": 0.9}, "90% of episodes fill the model's context"),
        ({"explained_variance": -5.0}, "less than nothing"),
        ({"skipped": 1.0}, "not finite"),
    ],
)
def test_each_signal_is_told_once(change: dict[str, float], words: str) -> None:
    (text,) = told({}, change)
    assert words in text
    assert text.startswith("step ")


def test_shorter_is_fine_where_the_reward_falls_too() -> None:
    assert told({}, {"tokens_per_episode": 30.0, "reward": 0.4, "correct": 0.4}) == []


def test_a_signal_that_cleared_can_come_again() -> None:
    assert len(told({}, {"forks": 0.5}, {}, {"forks": 0.5})) == 2


def test_a_step_without_room_for_a_single_episode_is_told_at_once() -> None:
    assert "100% of episodes fill" in told({"out_of_room": 1.0}, steps=1)[0]
    assert told({}, {"out_of_room": 0.9}, {}, steps=1) == []


def test_one_odd_batch_and_missing_numbers_raise_nothing() -> None:
    alerts = Alerts()
    assert told({}, alerts=alerts) == []
    assert alerts.observe({"step": 21, **HEALTHY, "mixed": 0.0, "truncated": 1.0}) == []
    assert [Alerts().observe({"step": n, "reward": None}) for n in range(40)] == [[]] * 40
