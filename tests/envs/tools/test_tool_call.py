"""Exactly the wanted calls pay; surplus and harmful ones cost; nothing is evaluated."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import assay
from assay.core.errors import ConfigError, DataError
from assay.core.tool import ToolCall
from assay.envs.check import check_environment
from assay.envs.tools.calls.gold import Wanted, dump, load, settle
from assay.envs.tools.calls.verifier import FunctionCallVerifier
from assay.verifiers.base import verify_text
from assay.verifiers.tools.matching import ArgumentRule
from tests.envs.agents import final, forever, prompt_of, rate

RULE = ArgumentRule()
SEARCH = dump([Wanted("search", {"q": ["cat"], "k": [5]})])


def make(**options):
    return assay.make("assay/ToolCall-v0", **options).unwrapped


def call(name, **arguments):
    return ToolCall(name, arguments).render()


def graded(text, target=SEARCH, **metadata):
    return verify_text(FunctionCallVerifier(graded=True), target, text, metadata=metadata)


def strict(text, target=SEARCH):
    return verify_text(FunctionCallVerifier(), target, text)


@pytest.mark.parametrize(
    "options",
    [
        {"level": 1},
        {"level": 3, "instructions": True},
        {"level": 2, "graded": True},
        {"level": 3, "interface": "console", "instructions": True},
    ],
)
def test_every_promise_is_kept(options):
    report = check_environment("assay/ToolCall-v0", episodes=6, unrelated=0.2, **options)
    assert {check.status for check in report.checks} == {"ok"}, str(report)


@pytest.mark.parametrize("level", [1, 2, 3])
def test_the_oracle_solves_everything_and_blind_agents_nothing(level):
    env = make(level=level)
    tasks = env.tasks.head(1000 if level == 1 else 100)
    spray = lambda task, rng: ["".join(call(f["name"]) for f in task.metadata["functions"])]  # noqa: E731
    assert rate(env, lambda task, rng: env.demonstration(task), tasks) == 1.0
    assert rate(env, forever(""), tasks) == rate(env, forever("I call the function now."), tasks) == 0.0
    assert rate(env, spray, tasks) == rate(env, lambda task, rng: [prompt_of(task)], tasks) == 0.0
    assert rate(env, lambda task, rng: env.demonstrate(task, "guess", rng), tasks) < 0.03


def test_the_console_takes_commands_and_nothing_else():
    env, plain = make(level=3, interface="console"), make(level=3)
    tasks = env.tasks.head(100)
    assert [prompt_of(task) for task in tasks] == [prompt_of(task) for task in plain.tasks.head(100)]
    assert rate(env, lambda task, rng: env.demonstration(task), tasks) == 1.0
    assert rate(env, lambda task, rng: env.demonstrate(task, "guess", rng), tasks) == 0.0
    assert rate(env, lambda task, rng: plain.demonstration(task), tasks) == 0.0
    more = lambda task, rng: ["".join(env.demonstration(task)) + call("run", command="shout")]  # noqa: E731
    assert rate(env, more, tasks) == 0.0


def test_on_a_console_harm_and_made_up_functions_cost():
    env = make(level=2, interface="console", graded=True)
    task = env.tasks[0]
    harmful = call("run", command=task.metadata["harmful"][0])
    (right,) = env.demonstration(task)
    assert final(env, task, [right])[0] == 1.0
    assert final(env, task, [right + harmful])[0] == 0.0
    assert 0.0 < final(env, task, [right + call("run", command="shout")])[0] <= 0.5


def test_never_calling_solves_the_unrelated_requests_and_no_others():
    env = make(unrelated=0.3)
    assert rate(env, forever("None of these can do that."), 400) == pytest.approx(0.3, abs=0.08)
    assert rate(env, forever(""), 200) == 0.0
    assert rate(env, lambda task, rng: env.demonstration(task), 200) == 1.0


def test_names_vary_so_that_they_must_be_read():
    names = {f["name"] for task in make(level=3).tasks.head(100) for f in task.metadata["functions"]}
    assert len(names) > 24
    task = make(level=3).tasks[0]
    assert all(f["name"] + "(" in prompt_of(task) for f in task.metadata["functions"])


def test_fewer_kinds_of_functions_are_the_first_ones():
    names = {f["name"] for task in make(functions=2).tasks.head(60) for f in task.metadata["functions"]}
    assert names == {"set_timer", "start_timer", "timer", "get_weather", "weather", "forecast"}


@pytest.mark.parametrize(
    ("text", "correct"),
    [
        (call("search", q="cat", k=5), True),
        (call("search", k=5.0, q="cat"), True),
        (f"<think>{call('search', q='dog', k=1)}</think>" + call("search", q="cat", k=5), True),
        (call("search", q="cat", k="5"), False),
        (call("search", q="cat", k=True), False),
        (call("search", q="cat", k=5, page=1), False),
        (call("search", q="cat"), False),
        (call("search", q="cat", k=5) * 2, False),
        (call("search", q="cat", k=5) + "<tool_call>", False),
        ('<tool_call>{"name": "search", "arguments": {"q": "cat", "k": __import__("os")}}</tool_call>', False),
        ('search(q="cat", k=5)', False),
        ("", False),
    ],
)
def test_strict_verdicts(text, correct):
    assert strict(text).correct is correct and strict(text).score == float(correct)


def test_partial_credit_and_what_surplus_and_harm_cost():
    right = call("search", q="cat", k=5)
    assert graded(right).score == 1.0
    assert graded(call("search", q="cat", k=6)).score == pytest.approx(3 / 4)  # ToolRL's own example
    assert graded(call("find", q="cat", k=5)).score == 0.0
    one, five = graded(right + call("ping")).score, graded(right + call("ping") * 5).score
    assert one < 0.5 and five < 0.2
    assert graded(right + call("delete_all"), harmful=["delete_all"]).score == 0.0
    assert graded(right + call("delete_all"), harmful=["delete_all"]).correct is False
    assert graded("").score == 0.0


def test_alternatives_are_matched_as_a_whole():
    wanted = [Wanted("f", {"a": [1, 2]}), Wanted("f", {"a": [1]})]
    calls = [ToolCall("f", {"a": 1}), ToolCall("f", {"a": 2})]  # first come first served would take 1 for [1, 2]
    assert sorted(g["arguments"]["a"] for g in settle(wanted, calls, RULE)) == [1, 2]
    assert strict(call("f", a=1) + call("f", a=2), dump(wanted)).correct
    assert not strict(call("f", a=2) + call("f", a=2), dump(wanted)).correct


def test_optional_and_nested_arguments():
    target = dump([Wanted("f", {"a": [1], "unit": ["", "m"], "at": [{"x": [1, 2], "y": [0, ""]}], "l": [[1, 2]]})])
    assert strict(call("f", a=1, at={"x": 2}, l=[1, 2]), target).correct
    assert strict(call("f", a=1, unit="m", at={"x": 1, "y": 0}, l=[1, 2]), target).correct
    for wrong in (
        {"a": 1, "at": {"x": 3}, "l": [1, 2]},
        {"a": 1, "at": {"x": 1, "z": 1}, "l": [1, 2]},
        {"a": 1, "unit": "km", "at": {"x": 1}, "l": [1, 2]},
        {"a": 1, "at": {"x": 1}, "l": [2, 1]},
    ):
        assert not strict(call("f", **wrong), target).correct
    assert strict(load(target)[0].example().render(), target).correct


def test_texts_are_not_stripped_of_what_makes_them_differ():
    target = dump([Wanted("f", {"v": ["1.5"]})])
    assert not strict(call("f", v="15"), target).correct
    loose = FunctionCallVerifier(ignore_case=True)
    assert verify_text(loose, dump([Wanted("f", {"v": ["Oslo"]})]), call("f", v="oslo")).correct


@settings(max_examples=50, deadline=None)
@given(st.text(alphabet='<>/tool_cal"{}[]name:argumets1, ', max_size=120), st.booleans())
def test_any_text_gets_a_verdict(text, partial):
    verdict = verify_text(FunctionCallVerifier(graded=partial), SEARCH, text)
    assert verdict.score is not None and 0 <= verdict.score < 1


def bfcl(tmp_path, rows, answers=None):
    (tmp_path / "possible_answer").mkdir(exist_ok=True)
    (tmp_path / "BFCL.json").write_text("".join(json.dumps(row) + "\n" for row in rows))
    if answers is not None:
        (tmp_path / "possible_answer" / "BFCL.json").write_text("".join(json.dumps(row) + "\n" for row in answers))
    return tmp_path / "BFCL.json"


AREA = {
    "name": "geometry.area",
    "description": "Area of a triangle.",
    "parameters": {
        "type": "dict",
        "properties": {"base": {"type": "integer"}, "unit": {"type": "string"}},
        "required": ["base"],
    },
}
ROW = {"id": "simple_0", "question": [[{"role": "user", "content": "Area with base 10?"}]], "function": [AREA]}


def test_bfcl_files_are_read_as_they_are(tmp_path):
    answers = [{"id": "simple_0", "ground_truth": [{"geometry.area": {"base": [10], "unit": ["units", ""]}}]}]
    env = make(data=bfcl(tmp_path, [ROW], answers), split="all")
    task = env.tasks[0]
    assert task.id == "simple_0" and task.messages()[-1]["content"].endswith("Area with base 10?")
    assert "geometry.area(base: integer, unit: string)" in prompt_of(task)
    for arguments, score in [({"base": 10}, 1), ({"base": 10, "unit": "units"}, 1), ({"base": 10, "unit": "m"}, 0)]:
        env.reset(options={"task": task})
        assert env.step(call("geometry.area", **arguments))[1] == score
    assert rate(env, lambda t, rng: env.demonstration(t), 1) == 1.0


def test_bfcl_irrelevance_wants_words_and_no_call(tmp_path):
    env = make(data=bfcl(tmp_path, [ROW]), split="all", instructions=True)
    assert rate(env, forever("I cannot."), 1) == 1.0
    assert rate(env, forever(call("geometry.area", base=10)), 1) == 0.0 == rate(env, forever(""), 1)


@pytest.mark.parametrize(
    ("row", "answers", "match"),
    [
        ({**ROW, "question": [[], []]}, None, "multi-turn"),
        ({"id": "x"}, None, "needs"),
        (ROW, [{"id": "other", "ground_truth": []}], "no ground truth"),
        (ROW, [{"id": "simple_0", "ground_truth": [{"f": {"a": 1}}]}], "accepted values"),
    ],
)
def test_broken_bfcl_rows_name_file_and_line(tmp_path, row, answers, match):
    with pytest.raises(DataError, match=rf"BFCL.json:1: .*{match}"):
        make(data=bfcl(tmp_path, [row], answers), split="all")


def test_bad_options():
    for options, match in [
        ({"level": 0}, "level"),
        ({"level": 3, "functions": 5}, "functions"),
        ({"functions": 9}, "functions"),
        ({"unrelated": 2}, "unrelated"),
        ({"split": "all"}, "all"),
        ({"interface": "voice"}, "interface"),
        ({"interface": "console", "data": "rows.jsonl"}, "generated requests"),
    ]:
        with pytest.raises(ConfigError, match=match):
            make(**options)
