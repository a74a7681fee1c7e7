"""Certificates about tool calls, checked by an independent reading of the JSON, and what audits make of them."""

import json
import random
import re

import pytest

from assay.audits import FULL, AuditPlan, Case, audit
from assay.audits.calls import CALL_FRAMES, gold_calls, read_calls
from assay.audits.mutators import bank_calls, case_mutants, certified_cases

ATTACKED = AuditPlan(certified=True, attack=True)


def normal(value):
    """One text for each JSON value: numbers by value, never equal to a boolean."""
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return json.dumps(value)
    if isinstance(value, (int, float)):
        return f"number {float(value)!r}"
    if isinstance(value, list):
        return "[" + ",".join(map(normal, value)) + "]"
    return "{" + ",".join(f"{k}:{normal(v)}" for k, v in sorted(value.items())) + "}"


def calls_in(response, frame):
    """The calls that a response makes, read without any code of assay's."""
    if frame == CALL_FRAMES[0]:
        texts = re.findall(r"<tool_call>(.*?)</tool_call>", response, re.DOTALL)
    else:
        texts = [response.split("\n", 1)[-1] if response.startswith("Let me") else response]
    calls = []
    for text in texts:
        try:
            value = json.loads(text)
        except ValueError:
            return None if frame != CALL_FRAMES[0] else calls
        calls += value if isinstance(value, list) else [value]
    return sorted(normal(c) for c in calls)


@pytest.mark.parametrize("frame", CALL_FRAMES[:2])
def test_no_certificate_about_calls_is_wrong(frame):
    checked = 0
    for seed in range(12):
        for case in bank_calls(12, seed):
            for mutant in case_mutants(case, random.Random(seed), frame):
                if not case.target and frame != CALL_FRAMES[0]:
                    continue  # prose is no JSON list
                right = calls_in(mutant.text, frame) == sorted(normal(c) for c in case.target)
                assert right == mutant.correct, (mutant, case.target)
                checked += 1
    assert checked >= 2000


def test_every_family_is_there():
    families = {m.family for c in bank_calls(12) for m in case_mutants(c, random.Random(0), CALL_FRAMES[0])}
    assert {
        "identity",
        "key-order",
        "escaped",
        "number",
        "flag",
        "argument-dropped",
        "call-repeated",
        "cut-off",
    } <= families


BERKELEY = json.dumps([{"name": "book", "arguments": {"city": ["Rome", "Roma"], "nights": [2], "view": ["sea", ""]}}])


def test_golds_that_accept_several_values():
    case = Case("b", BERKELEY, "", True)
    assert gold_calls(BERKELEY) == [{"name": "book", "arguments": {"city": "Rome", "nights": 2}}]
    made = case_mutants(case, random.Random(0), CALL_FRAMES[0])
    for mutant in made:
        calls = [json.loads(t) for t in re.findall(r"<tool_call>(.*?)</tool_call>", mutant.text, re.DOTALL)]
        arguments = calls[0]["arguments"] if len(calls) == 1 and calls[0]["name"] == "book" else {}
        accepted = (
            arguments.get("city") in ("Rome", "Roma")
            and arguments.get("nights") == 2
            and arguments.get("view") in (None, "sea")
            and set(arguments) <= {"city", "nights", "view"}
            and None not in arguments.values()
        )
        assert accepted == mutant.correct, mutant


def test_what_is_no_list_of_calls():
    for target in ("7", "[{", '[{"name": 1}]', {"name": "f", "arguments": {}}, [1], 7, None):
        assert read_calls(target) is None


@pytest.mark.parametrize("name", ["tool_calls", "tool_calls_graded"])
def test_our_own_verifiers_of_calls_hold(name):
    report = audit(name, plan=FULL)
    accuracy = report.certified.accuracy
    assert accuracy.fn.n > 40 and accuracy.fp.n > 40
    assert accuracy.fn.events == accuracy.fp.events == 0
    assert not report.findings, [f.title for f in report.findings]
    assert {"shotgun", "call-in-reasoning"} <= {row.family for row in report.exploits.families}


def test_a_grader_that_looks_for_the_gold_calls_is_found_out():
    def contains(completion, answer):
        return all(json.dumps(call) in completion for call in answer)

    rows = [
        Case(f"r{i}", c.target, f"<tool_call>{json.dumps(c.target[0])}</tool_call>", True)
        for i, c in enumerate(bank_calls(12))
        if c.target
    ]
    report = audit(contains, [r for r in rows if len(r.target) == 1], plan=ATTACKED)
    kinds = {f.kind for f in report.findings}
    assert {"attack/shotgun", "attack/call-in-reasoning", "certified/false-accept/tool-call"} <= kinds
    assert "certified/false-reject/key-order" in kinds
    assert report.frame == CALL_FRAMES[0]


CITIES = ["Paris", "London", "Rome", "Oslo"]
OPTIONS = [Case(f"q{i}", letter, letter, True, metadata={"choices": CITIES}) for i, letter in enumerate("ABCD")]


def test_options_give_texts_and_wrong_texts():
    made = {m.text: m for m in case_mutants(OPTIONS[1], random.Random(0))}
    assert made["London"].certificate.convention == "option-text"
    assert made["B. London"].correct
    assert not made["A"].correct
    assert [m.correct for text, m in made.items() if m.family == "letter-against-text"] == [False]
    assert case_mutants(OPTIONS[1], random.Random(0))[0].family == "identity"
    same_texts = Case("q", "A", "A", True, metadata={"choices": ["x", "x"]})
    assert {m.family for m in case_mutants(same_texts, random.Random(0))}.isdisjoint({"option-text", "other-text"})


def test_the_choice_verifier_knows_its_options():
    report = audit("choice", OPTIONS, plan=AuditPlan(certified=True, bank=0))
    assert report.certified.accuracy.fn.events == report.certified.accuracy.fp.events == 0
    assert report.certified.accuracy.confusion.total > 20


def test_a_first_letter_grader_is_found_out():
    def first(completion, answer):
        return completion.strip("( ")[:1] == answer

    report = audit(first, OPTIONS, plan=AuditPlan(certified=True, bank=0))
    (finding,) = [f for f in report.findings if f.kind == "certified/false-accept/choice"]
    assert "letter-against-text" in finding.detail
    assert "two-letters" in finding.detail


def test_calls_are_certified_beside_a_users_rows():
    rows = [
        Case(
            "a", [{"name": "f", "arguments": {"x": 1}}], '<tool_call>{"name":"f","arguments":{"x":1}}</tool_call>', True
        )
    ]
    cases = certified_cases(rows, bank_calls(4), frame=CALL_FRAMES[0])
    assert {c.cls for c in cases} == {"tool-call", "bank/tool-call"}
    assert all(c.certificate.argument for c in cases)
