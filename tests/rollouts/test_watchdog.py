"""A call that holds the loop is named while it still hangs."""

from __future__ import annotations

import logging
import threading
import time

import pytest

from assay.core.verdict import right
from assay.rollouts import watchdog
from assay.rollouts.runner import run_episodes
from assay.verifiers.base import Verifier
from tests.rollouts.support import Quiz, Scripted, requests

GIVE_UP = 60.0
"""Seconds after which a hanging call gives up, so that a broken watchdog fails the test instead of hanging it."""


class Told(logging.Handler):
    """Keeps the warnings, and lets the hanging verifier go on once it is named."""

    def __init__(self) -> None:
        super().__init__()
        self.event, self.lines = threading.Event(), []

    def emit(self, record):
        self.lines.append(record.getMessage())
        if "now in verify" in self.lines[-1]:  # a busy machine may hold up something else before
            self.event.set()


@pytest.fixture
def told(monkeypatch):
    monkeypatch.setattr(watchdog, "PATIENCE", 0.05)
    handler = Told()
    watchdog.logger.addHandler(handler)
    yield handler
    watchdog.logger.removeHandler(handler)


def test_a_verifier_that_hangs_on_the_loop_is_named_once(told):
    class Hanging(Verifier):
        def verify(self, task, evidence):
            assert told.event.wait(GIVE_UP), "nobody said that this hangs"
            return right()

    def make_env():
        env = Quiz()
        env.verifier = Hanging()
        return env

    played = run_episodes(make_env, Scripted("answer {n}"), requests(2), concurrency=1)
    assert [t.correct for t in played] == [True, True]
    (line,) = (line for line in told.lines if "now in verify" in line)
    assert line.startswith("Quiz: step() has held up all episodes")
    assert "(test_watchdog.py:" in line
    assert "`blocking = True`" in line


def test_what_kept_the_interpreter_to_itself_is_named_when_it_is_over(told):
    watch, who = watchdog.Watchdog(), "Slow: step()"
    watch._ended = threading.Event()  # as if the thread had never had its turn
    for _ in range(2):
        watch.call(who, lambda: time.sleep(2 * watchdog.PATIENCE))
    (line,) = told.lines
    assert line.startswith("Slow: step() has held up all episodes") and "now in" not in line
