"""The verifier: statuses, stages, golds, policies, groups, and what happens beside the verdict."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import pytest

from assay.core.errors import ConfigError
from assay.core.task import Task
from assay.verifiers import make_verifier
from assay.verifiers.answers.verifier import MathVerifier
from assay.verifiers.base import Evidence, verify_text

VERIFIER = MathVerifier(worker=False)


def judge(gold: object, answer: str, **options: object) -> bool | None:
    return MathVerifier(worker=False, **options).verify_answer(gold, answer).correct  # type: ignore[arg-type]


def test_it_is_registered() -> None:
    assert isinstance(make_verifier("math"), MathVerifier)


@pytest.mark.parametrize(
    ("answer", "status", "stage"),
    [
        (r"\boxed{4}", "ok", "string"),
        (r"\boxed{4.0}", "ok", "rational"),
        (r"\boxed{\sqrt{16}}", "ok", "typed"),
        (r"\boxed{5}", "ok", "rational"),
        (r"\boxed{\sqrt{5}}", "ok", "typed"),
        (r"\boxed{4 (}", "unparsable", "typed"),
        ("", "no_answer", "extract"),
        (r"<think>\boxed{4}", "no_answer", "extract"),
        (r"\boxed{4}. No, \boxed{5}.", "ok", "extract"),
    ],
)
def test_status_and_stage(answer: str, status: str, stage: str) -> None:
    verdict = VERIFIER.verify_answer("4", answer)
    assert (verdict.status, verdict.stage) == (status, stage)
    assert verdict.score is not None


@pytest.mark.parametrize("gold", [None, "", "   ", r"\frac{1", "5 + + )", []])
def test_an_unreadable_gold_is_no_verdict(gold: object) -> None:
    verdict = VERIFIER.verify_answer(gold, r"\boxed{4}")
    assert verdict.score is None
    assert verdict.status == "unparsable"
    assert VERIFIER.check_target(Task(id="t", prompt="", target=gold))


def test_readable_golds_pass_the_check() -> None:
    for gold in ("4", 4, 0.5, ["1/2", "0.5"], r"so $\boxed{4}$", "she has 5.\n#### 5", "no solution"):
        assert VERIFIER.check_target(Task(id="t", prompt="", target=gold)) is None


def test_two_empty_answers_never_match() -> None:
    assert VERIFIER.verify_answer("", "").correct is not True
    assert VERIFIER.verify_answer(r"\boxed{}", r"\boxed{}").correct is not True


def test_a_sentence_as_gold_is_confirmed_or_left_open() -> None:
    gold = "The quotient stays the same and the remainder triples"
    assert VERIFIER.verify_answer(gold, "the quotient stays the same and the remainder triples.").correct
    other = VERIFIER.verify_answer(gold, "The remainder is three times as large")
    assert other.score is None
    assert other.status == "abstained"


def test_a_remark_on_the_gold_is_not_asked_for() -> None:
    gold = r"k=3 \text{ is both necessary and sufficient for } A_{1}, B_{1}\text{ to meet}"
    assert VERIFIER.verify_answer(gold, "3").correct is True
    assert VERIFIER.verify_answer(gold, "4").correct is False


def test_any_of_several_golds_will_do() -> None:
    assert judge(["1/2", r"\frac{\pi}{6}"], r"\pi/6") is True
    assert judge(["1/2", "3"], "4") is False


def test_an_answer_that_cannot_be_checked_is_charged_to_its_author() -> None:
    dear = r"\sin x" + "".join(rf"+\sin^2({k}x)+\cos^2({k}x)-1" for k in range(1, 40))
    verdict = MathVerifier(worker=False, steps=300).verify_answer(r"\sin x", rf"\boxed{{{dear}}}")
    assert (verdict.status, verdict.score) == ("timeout", 0.0)
    both = MathVerifier(worker=False, steps=300).verify_answer(rf"\boxed{{{dear}+x^{{1/2}}}}", r"\sin x+\sqrt{x}")
    assert (both.status, both.score) == ("timeout", None)
    assert MathVerifier(worker=False, steps=20_000).verify_answer(r"\sin x", rf"\boxed{{{dear}}}").correct


@pytest.mark.parametrize(
    ("gold", "answer", "options", "expected"),
    [
        ("3.14159", "3.1416", {"rel_tol": 1e-4}, True),
        ("3.14159", "3.15", {"rel_tol": 1e-4}, False),
        ("2.67", "2.6666", {"rounding": "gold_digits"}, True),
        ("2.67", "8/3", {}, True),
        ("2.67", "8/3", {"rounding": "never"}, False),
        ("50%", "50", {}, True),
        ("50%", "1/2", {}, False),
        ("50%", "1/2", {"percent": "fraction"}, True),
        ("50%", "50", {"percent": "fraction"}, False),
        ("50%", "0.5", {"percent": "either"}, True),
        ("5 cm", "5", {}, True),
        ("5 cm", "5", {"units": "required"}, False),
        ("5 cm", "5 km", {"units": "ignore"}, True),
        ("1, 2", "2, 1", {}, True),
        ("1, 2", "2, 1", {"list_order": True}, False),
        ("1, 2", "1, 2, 2", {"duplicates": False}, True),
        ("101_2", "5", {"bases": "value"}, True),
        ("101_2", "101", {"bases": "ignore"}, True),
        (r"\frac{\pi}{6}", r"30^\circ", {}, False),
        (r"\frac{\pi}{6}", r"30^\circ", {"degrees": "angle"}, True),
        (r"x^2+C", r"x^2+K", {"renaming": False}, False),
        ("2<x<3", "(2,3)", {"relation_as_set": False}, False),
        ("4", "2+2", {}, True),
        ("4", "2+2", {"simplified": True}, False),
        ("5", r"\boxed{4} or rather \boxed{5}", {}, False),
        ("5", r"\boxed{4}. Hence \boxed{5}", {"several": "last"}, True),
        ("5", "so we have 5", {}, True),
        ("5", "so we have 5", {"unmarked": "reject"}, False),
    ],
)
def test_conventions_are_options(gold: str, answer: str, options: dict[str, object], expected: bool) -> None:
    assert judge(gold, answer, **options) is expected


def test_unknown_options_are_named() -> None:
    with pytest.raises(ConfigError, match="tolerance"):
        MathVerifier(policy={"tolerance": 1})
    with pytest.raises(ConfigError, match="percent"):
        MathVerifier(percent="maybe")


def test_a_group_shares_one_budget() -> None:
    dear = [r"\boxed{" + "+".join(rf"\sin({k}x)^{{{k + j}.5}}" for k in range(1, 60)) + "}" for j in range(40)]
    verifier = MathVerifier(worker=False)
    verdicts = verifier.verify_group(Task(id="t", prompt="", target=r"\sin x"), [Evidence(text=t) for t in dear])
    spent = [int(v.details["steps"]) for v in verdicts]
    assert all(v.correct is False for v in verdicts)
    assert sum(spent) <= verifier.group_steps + 2 * verifier.steps + len(dear) * verifier.steps // 10 + len(dear)
    assert verdicts[0].verifier == verifier.label


def test_batches_keep_their_order() -> None:
    tasks = [Task(id=str(k), prompt="", target=k) for k in range(5)]
    verdicts = VERIFIER.verify_many(tasks, [rf"\boxed{{{k % 3}}}" for k in range(5)])
    assert [v.correct for v in verdicts] == [True, True, True, False, False]


def test_verdicts_do_not_depend_on_the_thread() -> None:
    pairs = [("x+1", "1+x"), (r"2\sqrt2", r"\sqrt8"), ("1/2", "0.5"), ("(0,1)", "0<x<1"), ("3", "4")] * 8
    expected = [VERIFIER.verify_answer(*pair).correct for pair in pairs]
    fresh = MathVerifier(worker=False)
    results: dict[int, bool | None] = {}

    def work(index: int) -> None:
        results[index] = fresh.verify_answer(*pairs[index]).correct

    threads = [threading.Thread(target=work, args=(i,)) for i in range(len(pairs))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [results[i] for i in range(len(pairs))] == expected

    async def gather() -> list[bool | None]:
        verifier = MathVerifier(worker=False)
        verdicts = await asyncio.gather(*(asyncio.to_thread(verifier.verify_answer, *pair) for pair in pairs))
        return [v.correct for v in verdicts]

    assert asyncio.run(gather()) == expected


@pytest.mark.parametrize(
    "payload",
    [
        '__import__("os").system("touch {path}")',
        'open("{path}","w")',
        r'\pi + open("{path}","w")',
        r"\text{{__import__('os').system('touch {path}')}}",
        '[open("{path}","w")]',
    ],
)
def test_no_text_is_ever_executed(tmp_path: Path, payload: str) -> None:
    canary = tmp_path / "canary"
    for gold in ("5", r"\pi", r"\begin{pmatrix}1\\2\end{pmatrix}", "x+1"):
        verify_text(VERIFIER, gold, rf"\boxed{{{payload.format(path=canary)}}}")
    assert not canary.exists()
