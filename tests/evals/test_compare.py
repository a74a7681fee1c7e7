from dataclasses import replace

import pytest

from assay.core.errors import ConfigError
from assay.core.message import user
from assay.core.stats import mcnemar
from assay.evals import EvalConfig, compare, compare_runs, evaluate
from tests.rollouts.support import Scripted

from .test_summary import episode, table


def test_a_comparison_against_hand_computed_values():
    a = table(t1="1111", t2="1100", t3="0000", t4="1000")
    b = table(t1="1111", t2="1111", t3="0011", t4="0000")
    result = compare(a, b)
    assert (result.tasks, result.dropped) == (4, 0)
    assert (result.a, result.b) == (pytest.approx(7 / 16), pytest.approx(10 / 16))
    assert result.difference.value == pytest.approx(3 / 16)
    assert result.difference.low <= result.difference.value <= result.difference.high
    assert (result.wins, result.losses, result.ties) == (2, 1, 1)
    assert result.answer == "first"  # the verdicts name no answers
    assert [(f.task_id, f.a, f.b, f.b_right) for f in result.flips] == [("t4", 0.25, 0.0, False)]
    assert result.p_value == 1.0
    assert str(result.difference).startswith("+0.188 [")


def answers(**tasks):
    """`a=["+4", "-5"]`: right and wrong answers of task a in order."""
    return [
        episode(task, i, {"+": True, "-": False, "?": None}[word[0]], answer=word[1:] or None)
        for task, words in tasks.items()
        for i, word in enumerate(words)
    ]


def test_majority_answers_are_compared_when_there_are_any():
    a = answers(t1=["+4", "-5", "-5"], t2=["+1", "+1", "-2"], t3=["-1", "-1", "+2"])
    b = answers(t1=["-5", "+4", "+4"], t2=["+1", "+1", "+1"], t3=["+2", "-1", "-1"])
    result = compare(a, b)
    assert result.answer == "majority"
    assert [(f.task_id, f.b_right) for f in result.flips] == [("t1", True)]
    assert result.answers.value == pytest.approx(1 / 3)
    first = compare(a, b, answer="first")
    assert [(f.task_id, f.b_right) for f in first.flips] == [("t1", False), ("t3", True)]


def test_pairs_decide_where_the_intervals_overlap():
    # Easy and hard tasks: the spread between them hides a gain that every pair shows.
    a = table(**{f"t{i:02d}": "11110000" if i % 2 else "00000000" for i in range(40)})
    b = table(**{f"t{i:02d}": "11111000" if i % 2 else "10000000" for i in range(40)})
    result = compare(a, b)
    assert (result.difference.low, result.difference.high) == pytest.approx((0.125, 0.125))
    assert (result.wins, result.losses) == (40, 0)
    assert result.p_value == mcnemar(0, 20)
    same = compare(a, a)
    assert (same.difference.low, same.difference.high, same.p_value) == (0.0, 0.0, 1.0)
    assert same.flips == ()


def test_swapping_the_runs_swaps_the_signs():
    a, b = table(t1="1100", t2="1000", t3="1111"), table(t1="1111", t2="0100", t3="0001")
    forth, back = compare(a, b), compare(b, a)
    assert forth.difference.value == -back.difference.value
    assert (forth.wins, forth.losses) == (back.losses, back.wins)
    assert forth.answers.low == pytest.approx(-back.answers.high)


def test_tasks_without_an_outcome_are_dropped_and_counted():
    result = compare(table(t1="1?", t2="??", t3="00"), table(t1="00", t2="11", t3="?1"))
    assert (result.tasks, result.dropped) == (2, 1)
    assert (result.a, result.b) == (0.5, 0.5)
    with pytest.raises(ConfigError, match="no task has an outcome in both"):
        compare(table(t1="?", t2="1"), table(t1="1", t2="?"))


def test_different_tasks_are_refused():
    with pytest.raises(ConfigError, match=r"1 only in the first, 2 only in the second; 't1' only the first has"):
        compare(table(t1="1", t2="1"), table(t2="1", t3="1", t4="1"))


def test_the_same_ids_for_other_prompts_are_refused():
    a, b = table(t1="11"), table(t1="11")
    with_prompt = lambda rows, text: [replace(t, opening=(user(text),)) for t in rows]  # noqa: E731
    with pytest.raises(ConfigError, match="task 't1' has another prompt"):
        compare(with_prompt(a, "2+2"), with_prompt(b, "2+3"))
    compare(with_prompt(a, "2+2"), with_prompt(b, "2+2"))
    compare(a, with_prompt(b, "2+2"))  # an episode that never began has no prompt


def test_two_run_directories(tmp_path):
    config = EvalConfig(env="test-rollouts/Quiz-v0", samples=4)
    evaluate(config, Scripted("by tag"), tmp_path / "a")
    evaluate(config, Scripted("answer {n}"), tmp_path / "b")
    result = compare_runs(tmp_path / "a", tmp_path / "b")
    assert result.b == 1.0
    assert result.difference.value == pytest.approx(1 - result.a)
    assert result.answer == "majority"
    assert all(flip.b_right for flip in result.flips)
    assert compare_runs(tmp_path / "a", tmp_path / "b") == result

    evaluate(config.model_copy(update={"tasks": 3}), Scripted("by tag"), tmp_path / "fewer")
    with pytest.raises(ConfigError, match="different tasks"):
        compare_runs(tmp_path / "a", tmp_path / "fewer")
    other = EvalConfig(env="assay/Arithmetic-v0", tasks=2)
    evaluate(other, Scripted("x"), tmp_path / "other")
    with pytest.raises(ConfigError, match=r"on assay/Arithmetic-v0; only the same tasks"):
        compare_runs(tmp_path / "a", tmp_path / "other")
