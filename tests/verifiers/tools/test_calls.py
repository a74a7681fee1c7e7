import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.core.errors import ConfigError
from assay.core.task import Task
from assay.core.tool import ToolCall
from assay.verifiers import Evidence, make_verifier, run_verifier, verify_text

GOLD = [{"name": "search", "arguments": {"q": "cat", "k": 5}}]


def text(*calls):
    return "\n".join(ToolCall(name, arguments).render() for name, arguments in calls)


def strict(response, target=None, **options):
    return verify_text(make_verifier("tool_calls", **options), GOLD if target is None else target, response)


def graded(response, target=None, **options):
    options = {"low": -3.0, "high": 3.0, **options}
    return verify_text(make_verifier("tool_calls_graded", **options), GOLD if target is None else target, response)


def test_strict():
    assert strict(text(("search", {"k": 5, "q": "cat"}))).correct
    assert strict("I search. " + text(("search", {"k": 5.0, "q": "cat "}))).correct
    assert not strict(text(("search", {"k": 5, "q": "Cat"}))).correct
    assert strict(text(("search", {"k": 5, "q": "Cat"})), ignore_case=True).correct
    assert not strict(text(("search", {"k": "5", "q": "cat"}))).correct
    assert strict(text(("search", {"k": "5", "q": "cat"})), text_numbers=True).correct
    assert not strict(text(("search", {"k": 5, "q": "cat", "x": 1}))).correct
    assert not strict(text(("search", {"k": 5, "q": "cat"}), ("search", {"k": 5, "q": "cat"}))).correct
    assert strict("no call").status == "no_answer"
    assert strict("<tool_call>{</tool_call>").status == "unparsable"
    assert strict("<think>" + text(("search", {"k": 5, "q": "cat"}))).correct is False, "thought, not called"


def test_true_is_not_one():
    gold = [{"name": "f", "arguments": {"a": 1}}]
    assert not strict(text(("f", {"a": True})), gold).correct
    assert not strict(text(("f", {"a": True})), gold, text_numbers=True).correct


def test_no_call_wanted():
    assert strict("Just an answer.", []).correct
    assert not strict(text(("search", {})), []).correct


def test_order_matters_only_for_sequences():
    gold = [{"name": "a"}, {"name": "b"}]
    swapped = text(("b", {}), ("a", {}))
    assert strict(swapped, gold).correct and not strict(swapped, gold, ordered=True).correct
    # Swapping two calls without parameters keeps the published score of 3.0 even in a sequence.
    assert graded(swapped, gold).score == 3.0
    sequence = graded(swapped, gold, ordered=True)
    assert sequence.score == pytest.approx(1.0) and not sequence.correct


def test_graded_scores_of_toolrl():
    # Its totals less the format point: exact 4.0, k=6 2.5, missing k 1.75, one extra call 3.25.
    exact = ("search", {"q": "cat", "k": 5})
    assert graded(text(exact)).score == 3.0
    assert graded(text(("search", {"q": "cat", "k": 6}))).score == pytest.approx(1.5)
    assert graded(text(("search", {"q": "cat"}))).score == pytest.approx(0.75)
    assert graded(text(("find", {"q": "cat", "k": 5}))).score == -3.0
    assert graded("no call").score == -3.0
    extra = graded(text(exact, ("open", {})))
    assert extra.score == pytest.approx(2.25) and not extra.correct
    assert graded(text(("search", {"q": "cat", "k": 6}))).correct is False


def test_whole_transcript():
    messages = (
        {"role": "user", "content": text(("open", {}))},
        {"role": "assistant", "content": text(("search", {"q": "cat", "k": 5}))},
        {"role": "tool", "name": "search", "content": text(("open", {}))},
        {"role": "assistant", "content": "done"},
    )
    task = Task(id="t", prompt="", target=GOLD)
    verifier = make_verifier("tool_calls", scope="transcript")
    assert run_verifier(verifier, task, Evidence(text="done", messages=messages)).correct
    assert not strict("done").correct


def test_gold_and_options_are_checked():
    for bad in (None, "search", [{"arguments": {}}], [{"name": ""}], [{"name": "f", "arguments": [1]}], [3]):
        verdict = verify_text(make_verifier("tool_calls"), bad, text(("f", {})))
        assert verdict.score is None, bad
    with pytest.raises(ConfigError):
        make_verifier("tool_calls", scope="all")
    with pytest.raises(ConfigError):
        make_verifier("tool_calls_graded", low=1.0, high=0.0)


values = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=2), inner, max_size=2),
    max_leaves=4,
)
calls = st.lists(
    st.tuples(st.sampled_from("ab"), st.dictionaries(st.sampled_from("xyz"), values, max_size=3)), max_size=4
)


@given(calls.filter(bool), calls)
def test_only_the_same_calls_reach_the_top(gold, answer):
    target = [{"name": name, "arguments": arguments} for name, arguments in gold]
    verdict = graded(text(*answer), target)
    assert -3.0 <= verdict.score <= 3.0
    assert verdict.correct == strict(text(*answer), target).correct
    assert graded(text(*gold), target).score == 3.0 and graded(text(*gold), target).correct
    if verdict.correct:
        normal = [json.dumps(call, sort_keys=True) for call in gold]
        assert len(answer) == len(normal)


@given(st.text(st.sampled_from('<tool_call>/{}":name,arguments1 '), max_size=120))
def test_any_text(response):
    assert strict(response).scored and graded(response).scored
