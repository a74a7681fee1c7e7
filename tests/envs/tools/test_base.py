import pytest

from assay.core.errors import ToolError
from assay.core.task import Task, TaskList
from assay.core.tool import ToolCall, tool
from assay.core.verdict import right, wrong
from assay.envs.tools import ToolEnv
from assay.verifiers.base import Verifier


class Done(Verifier):
    def verify(self, task, evidence):
        return right() if evidence.text == task.target else wrong("no")


@tool
def repeat(word: str, times: int = 2) -> str:
    """Repeat a word."""
    if times > 1000:
        raise ToolError("too often")
    if word == "crash":
        raise ZeroDivisionError("broken")
    return word * times


@pytest.fixture
def env():
    env = ToolEnv(TaskList([Task("a", "go", target="end")]), Done(), [repeat], max_turns=4, max_calls=3, max_result=50)
    env.reset(seed=0)
    return env


def call(**arguments):
    return ToolCall("repeat", arguments).render()


def contents(step):
    return [(m["role"], m["content"]) for m in step[0]]


def test_several_calls_in_a_turn_are_answered_in_order(env):
    step = env.step(f"first {call(word='a')} then {call(word='b', times=3)}")
    assert contents(step) == [("tool", "aa"), ("tool", "bbb")]
    assert [m["name"] for m in step[0]] == ["repeat", "repeat"]
    assert step[1:4] == (0.0, False, False)


def test_a_turn_without_a_call_is_the_final_answer(env):
    _, reward, terminated, _, info = env.step("end")
    assert terminated and reward == 1.0 and info["verdict"].correct


@pytest.mark.parametrize(
    ("action", "message"),
    [
        ('<tool_call>{"name": "repaet", "arguments": {}}</tool_call>', "no tool 'repaet'; the tools are: repeat"),
        ('<tool_call>{"name": "repeat", "arguments": {"times": 2}}</tool_call>', "argument 'word'"),
        ('<tool_call>{"name": "repeat", "arguments": {"word": "a", "self": 1}}</tool_call>', "argument 'self'"),
        ('<tool_call>{"name": "repeat"</tool_call>', "not JSON"),
        ('<tool_call>{"name": "repeat"', "cut off"),
        ("<tool_call>[1]</tool_call>", "JSON object"),
        (call(word="a", times=2000), "too often"),
    ],
)
def test_the_agents_mistakes_go_back_to_the_agent(env, action, message):
    step = env.step(action)
    (answer,) = step[0]
    assert answer["role"] == "tool" and answer["content"].startswith("error: ") and not step[2] and not step[3]
    env.max_result = 1000
    (answer,) = env.step(action)[0]
    assert message in answer["content"]


def test_a_broken_tool_is_a_fault_without_a_verdict(env):
    _, reward, terminated, truncated, info = env.step(call(word="crash"))
    assert (reward, terminated, truncated) == (0.0, False, True)
    assert info["verdict"].score is None and "ZeroDivisionError: broken" in info["verdict"].reason


def test_results_and_calls_are_bounded(env):
    step = env.step(call(word="x", times=1000) + call(word="a") * 9)
    assert len(step[0]) == 4
    assert step[0][0]["content"] == "x" * 50 + "... (950 more characters)"
    assert step[0][-1]["content"] == "error: 7 calls not run; at most 3 in one turn"


def test_calling_to_the_end_is_no_answer(env):
    for _ in range(4):
        step = env.step(call(word="a"))
    assert step[3] and not step[2] and step[4]["verdict"].status == "no_answer" and step[1] == 0.0
