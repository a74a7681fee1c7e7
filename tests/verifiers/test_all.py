"""What every built-in rule verifier promises, on any text: a verdict, the same one again, also from threads."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assay.core.errors import UnknownNameError
from assay.core.task import Task
from assay.verifiers import VERIFIERS, Evidence, make_verifier, run_verifier, verify_text

BOX = [10, 10, 30, 30]
RULES = {
    "exact": ({}, "42"),
    "choice": ({}, "B"),
    "number": ({}, "42"),
    "expression": ({}, 24),
    "format": ({"tags": ["think", "answer"]}, None),
    "json_schema": ({}, {"type": "object"}),
    "length": ({"maximum": 10}, None),
    "repetition": ({}, None),
    "f1": ({}, "forty two"),
    "instructions": ({}, [{"id": "punctuation:no_comma"}]),
    "point_in_box": ({}, BOX),
    "iou": ({}, BOX),
    "gaussian_box": ({}, BOX),
    "gui_action": ({}, {"action": "click", "box": BOX}),
    "detection": ({}, [{"label": "cat", "box": BOX}]),
    "citations": ({}, [1, 2]),
    "ranking": ({}, ["a", "b"]),
    "tool_calls": ({}, [{"name": "f", "arguments": {"x": 1}}]),
    "tool_calls_graded": ({}, [{"name": "f", "arguments": {"x": 1}}]),
    "arithmetic_steps": ({}, None),
    "sudoku": ({}, "1.3." + "." * 12),
    "assignment": ({}, {"categories": {"pet": ["cat", "dog"]}, "clues": [["at", "cat", 1]]}),
    "knights_knaves": ({}, "KN"),
}
ELSEWHERE = {"math", "ndcg", "bleu", "chrf", "judge_reference", "judge_rubric", "judge_pairwise", "prm"}
ELSEWHERE |= {"judge_yes_no", "judge_principle", "countdown"}
COMPOSED = {"rubric", "cascade", "ensemble", "verifier_dominant", "isolated"}

snippets = st.sampled_from(
    ["<answer>", "</answer>", "<think>", "</think>", r"\boxed{", "}", "42", "B", "A or B", "4*6", "[10, 10, 30, 30]",
     "1e9999", '{"a": 1}', '<tool_call>{"name": "f", "arguments": {"x": 1}}</tool_call>', "The answer is ", "\n", ", ",
     "nan", "1/0"]
)  # fmt: skip
responses = st.lists(st.one_of(snippets, st.text(max_size=10)), max_size=10).map("".join)


@pytest.fixture(scope="module")
def verifiers():
    return {name: make_verifier(name, **options) for name, (options, _) in RULES.items()}


def test_every_registered_verifier_is_tested_somewhere():
    built_in = {name for name in VERIFIERS.names() if VERIFIERS._factories[name].__class__ is str}
    ours = {name for name in built_in if str(VERIFIERS._factories[name]).startswith("assay.verifiers.")}
    assert set(RULES) | ELSEWHERE | COMPOSED <= ours
    for name in ours - {"math"}:
        assert VERIFIERS.factory(name).name == name, "the class says the name that it is registered under"


def test_unknown_names_suggest():
    with pytest.raises(UnknownNameError, match="did you mean 'number'"):
        make_verifier("numbr")


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=responses)
def test_a_verdict_on_any_text_and_the_same_one_again(verifiers, text):
    for name, (_, target) in RULES.items():
        verdict = verify_text(verifiers[name], target, text)
        assert verdict == verify_text(verifiers[name], target, text), name
        assert verdict.status not in ("error", "timeout"), (name, verdict)
        assert verdict.scored or (name == "arithmetic_steps" and verdict.status == "abstained"), (name, verdict)
        assert verdict.verifier == f"{name}@{verifiers[name].version}"


def test_threads_get_the_same_verdicts(verifiers):
    texts = ["42", "B", "<answer>4*6</answer>", r"\boxed{42}", "", "The answer is B.", "[10, 10, 30, 30]", "2+2=5"] * 4
    jobs = [(name, text) for name in RULES for text in texts]

    def run(job):
        return verify_text(verifiers[job[0]], RULES[job[0]][1], job[1])

    with ThreadPoolExecutor(16) as threads:
        assert list(threads.map(run, jobs)) == [run(job) for job in jobs]


@pytest.mark.parametrize(
    "piece", ["9", "(", "{", "[", "<answer>", r"\boxed{", "A ", "- ", "1=", "*", '"', "\n", " ", "é", ",1"]
)
def test_long_hostile_text_costs_little(verifiers, piece):
    text = piece * (100_000 // len(piece))
    for name, (_, target) in RULES.items():
        started = time.thread_time()
        verdict = verify_text(verifiers[name], target, text)
        assert time.thread_time() - started < 1.0, name
        assert verdict.status != "error", (name, verdict)


@pytest.mark.parametrize("name", [name for name, (_, target) in RULES.items() if target is not None])
def test_an_empty_gold_never_meets_an_empty_answer(verifiers, name):
    empty = {"instructions": [], "tool_calls": None, "tool_calls_graded": None, "json_schema": ""}.get(name, "")
    task = Task(id="t", prompt="", target=empty)
    for text in ("", "<answer></answer>", r"\boxed{}", "[]", "null"):
        assert run_verifier(verifiers[name], task, Evidence(text=text)).correct is not True
    assert verifiers[name].check_target(task) is not None
