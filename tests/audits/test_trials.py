import time

import pytest

from assay.audits.adapters import resolve
from assay.audits.case import Case
from assay.audits.trials import RunLimits, run_cases
from tests.audits import fixtures


def cases(*responses):
    return [Case(id=str(i), target="a", response=r, correct=r == "a") for i, r in enumerate(responses)]


@pytest.mark.parametrize("threads", [0, 2])
@pytest.mark.parametrize("workers", [1, 2])
def test_a_hang_is_killed_and_the_others_are_judged(threads, workers):
    started = time.monotonic()
    limits = RunLimits(seconds=0.5, workers=workers, threads=threads)
    trials = run_cases(resolve(fixtures.Sleepy()), cases("a", "hang", "b", "a", "hang", "shrug"), limits)
    assert time.monotonic() - started < 120
    assert [t.accepted for t in trials] == [True, None, False, True, None, None]
    assert [t.killed for t in trials] == [False, True, False, False, True, False]
    assert [t.verdict.status for t in trials] == ["ok", "timeout", "ok", "ok", "timeout", "abstained"]


def test_a_dying_process_costs_one_case():
    trials = run_cases(resolve(fixtures.Sleepy()), cases("a", "exit", "a"), RunLimits(seconds=5))
    assert [t.accepted for t in trials] == [True, None, True]
    assert "exit code 3" in trials[1].verdict.reason


def test_memory_is_limited():
    trials = run_cases(resolve(fixtures.Sleepy()), cases("eat", "a"), RunLimits(seconds=5, memory_mb=512))
    assert [t.accepted for t in trials] == [None, True]
    assert "MemoryError" in trials[0].verdict.reason


def test_a_verifier_that_cannot_be_built_gives_no_verdicts():
    def broken():
        raise OSError("no model there")

    from assay.audits.trials import VerifierSource

    with pytest.raises(OSError, match="no model"):
        run_cases(VerifierSource("broken", broken), cases("a"))


def test_order_of_trials_is_the_order_of_cases():
    responses = [str(i % 7) for i in range(200)]
    trials = run_cases(resolve(fixtures.exact), cases(*responses), RunLimits(workers=2, threads=4))
    assert [t.case.response for t in trials] == responses


def test_a_hanging_verifier_leaves_no_process_behind():
    import multiprocessing

    run_cases(resolve(fixtures.Sleepy()), cases("hang"), RunLimits(seconds=0.3))
    assert multiprocessing.active_children() == []


def test_a_verifier_that_always_hangs_ends_the_run():
    limits = RunLimits(seconds=0.2, kills=3, workers=2)
    trials = run_cases(resolve(fixtures.Sleepy()), cases(*["hang"] * 40), limits)
    assert len(trials) == 40
    assert 3 <= sum(t.killed for t in trials) <= 5
    assert sum("not run" in t.verdict.reason for t in trials) >= 35
