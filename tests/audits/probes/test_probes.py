from dataclasses import replace

import pytest

from assay.audits.adapters import resolve
from assay.audits.case import Case
from assay.audits.probes import canary_probe, dead_function_probe, pick, stability_probe, symmetry_probe
from assay.audits.probes.exploit import (
    constant_cases,
    constant_values,
    cross_cases,
    cross_prompt,
    main_effect,
)
from assay.audits.trials import RunLimits, run_cases
from tests.audits import fixtures

LIMITS = RunLimits(seconds=5)
TASKS = [Case(str(i), str(i), str(i), True, cluster=f"p{i}") for i in range(30, 50)]
MIXED = [c for t in TASKS for c in (t, replace(t, id=f"{t.id}w", response="wrong", correct=False))]


def stability(grader, **options):
    source = resolve(grader)
    return {f.kind: f for f in stability_probe(source, pick(run_cases(source, MIXED)), LIMITS, **options)}


def test_code_execution_is_caught():
    trials, found = canary_probe(resolve(fixtures.eval_grader), LIMITS, TASKS)
    assert [f.kind for f in found] == ["code-execution"]
    assert found[0].severity == "critical"
    assert len(trials) > 100


def test_honest_graders_execute_nothing():
    assert canary_probe(resolve(fixtures.Rational()), LIMITS, TASKS)[1] == []


def test_a_grader_that_arms_a_signal_is_silently_wrong_in_threads():
    found = stability(fixtures.alarm_grader)
    assert set(found) == {"thread-dependent"}
    assert found["thread-dependent"].severity == "critical"
    assert found["thread-dependent"].count == 20
    assert "20 of 20 silently" in found["thread-dependent"].detail


def test_a_stateful_grader_depends_on_order():
    found = stability(fixtures.every_third)
    assert {"order-dependent", "not-deterministic"} <= set(found)
    assert set(stability(fixtures.every_third, deterministic=False)) <= {"thread-dependent"}


def test_a_sound_grader_is_stable():
    assert stability(fixtures.Rational()) == {}


def test_symmetry():
    def prefix(completion, answer):
        return str(answer).startswith(completion)

    def case(gold, response):
        from assay.audits.case import Certificate

        certificate = Certificate("different", "digits", "")
        return Case(gold, gold, f"<a>{response}</a>", False, "certified", certificate=certificate, answer=response)

    def framed(completion, answer):
        return prefix(completion.removeprefix("<a>").removesuffix("</a>"), answer)

    trials = run_cases(resolve(framed), [case("12", "1"), case("7", "8")])
    (found,) = symmetry_probe(resolve(framed), trials, LIMITS)
    assert (found.kind, found.severity, found.count, found.total) == ("not-symmetric", "info", 1, 2)


def test_the_best_constant():
    trials = run_cases(resolve(fixtures.says_solution), constant_cases(TASKS, "{answer}"))
    best = constant_values(trials)[0]
    assert best.response == "Solution"
    assert best.acceptance.value == best.excess == 1.0


def test_an_honest_constant_has_no_excess():
    same = [replace(t, target="7") for t in TASKS[:10]] + TASKS[10:]
    values = constant_values(run_cases(resolve(fixtures.Rational()), constant_cases(same, "{answer}", most_tasks=20)))
    seven = next(v for v in values if v.response == "7")
    assert seven.acceptance.value == 0.5
    assert seven.excess == 0.0


def test_a_list_of_everything_is_a_constant_answer():
    def stuffable(completion, answer):
        return answer in completion

    best = constant_values(run_cases(resolve(stuffable), constant_cases(TASKS, "{answer}")))[0]
    assert best.acceptance.value == best.excess == 1.0
    assert best.honest == 0


def test_cross_prompt_acceptance():
    result = cross_prompt(run_cases(resolve(fixtures.Rational()), cross_cases(TASKS, "{answer}")))
    assert result.acceptance.value == 0.0
    assert result.response_effect == 0.0

    def likes_fives(completion, answer):
        return "5" in completion

    hit = cross_prompt(run_cases(resolve(likes_fives), cross_cases(TASKS, "{answer}", panel=20)))
    assert hit.best_acceptance == 1.0
    assert hit.response_effect > 0.05
    assert hit.prompt_effect < 0.01
    assert cross_prompt([]) is None


def test_main_effect_by_hand():
    # Two responses, accepted on all and on none of 4 tasks: mean .5, so 2 * .5 * (.25 - 0) = .25.
    assert main_effect([[True] * 4, [False] * 4]) == pytest.approx(0.25)
    # Both at one half: no effect beyond (less than) binomial noise.
    assert main_effect([[True, False], [False, True]]) == pytest.approx(-0.125)


def test_dead_functions_are_found():
    right = [Case(str(i), str(i), f"{i}.0", True) for i in range(1, 21)]
    found = {f.kind: f for f in dead_function_probe(resolve("tests.audits.fixtures:half_dead"), right, LIMITS)}
    assert set(found) == {
        "dead-function/tests.audits.fixtures:_symbolic_equal",
        "dead-function/tests.audits.fixtures:_numeric_equal",
    }
    assert "TypeError" in found["dead-function/tests.audits.fixtures:_symbolic_equal"].detail
    assert "never says yes" in found["dead-function/tests.audits.fixtures:_numeric_equal"].title
    assert dead_function_probe(resolve(fixtures.Rational()), right, LIMITS) == []
