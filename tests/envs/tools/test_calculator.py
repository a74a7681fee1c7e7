import numpy as np
import pytest

import assay
from assay.core.errors import ConfigError, ToolError
from assay.core.tool import ToolCall, parse_tool_calls
from assay.envs.tools.calculator import calculator


def run(env, task, turns):
    env.reset(options={"task": task})
    for turn in turns:
        step = env.step(turn)
    return step


@pytest.fixture
def env():
    return assay.make("assay/Calculator-v0").unwrapped


def test_one_operation_at_a_time_by_default():
    tool = calculator()
    assert [tool(expression=e) for e in ("7*4", "-33*7", "7-10", "1/4", "28")] == ["28", "-231", "-3", "1/4", "28"]
    with pytest.raises(ToolError, match="at most 1 operation"):
        tool(expression="1+2*3")
    with pytest.raises(ToolError, match="division by zero"):
        tool(expression="1/0")
    assert calculator(None)(expression="1+2*3") == "7"
    assert calculator(2)(expression="1+2*3") == "7"
    assert tool.schema()["function"]["parameters"]["properties"]["expression"]["type"] == "string"


def test_careful_play_calls_the_tool_for_every_operation_in_order(env):
    task = next(t for t in env.tasks if t.metadata["operators"] == "+*")
    a, b, c = task.metadata["numbers"]
    turns = env.demonstration(task)
    calls = [parse_tool_calls(turn)[0].arguments["expression"] for turn in turns[:-1]]
    assert calls == [f"{b}*{c}", f"{a}+{b * c}"]
    assert turns[-1] == f"#{a + b * c}" == f"#{task.target}"
    assert env.transcript[1]["content"] == turns[0] and env.transcript[2]["content"] == str(b * c)
    assert run(env, task, turns)[4]["verdict"].correct


def test_the_three_ways_of_playing(env):
    rng = np.random.default_rng(0)
    rate, length = {}, {}
    for style in env.demonstration_styles:
        played = [(t, env.demonstrate(t, style, rng)) for t in env.tasks.head(200)]
        rate[style] = np.mean([run(env, t, turns)[1] for t, turns in played])
        length[style] = {len(turns) for _, turns in played}
    assert rate["careful"] == 1.0 and 0.4 < rate["hasty"] < 0.75 and rate["guess"] < 0.05
    assert length == {"careful": {3, 4, 5}, "hasty": {3, 4, 5}, "guess": {2}}


def test_the_answer_may_be_bare(env):
    task = env.tasks[0]
    assert run(env, task, [str(task.target)])[1] == 1.0
    assert run(env, task, [f"so it is #{task.target};"])[1] == 1.0
    assert run(env, task, [f"so it is {task.target}"])[1] == 0.0


def test_a_refused_call_can_be_corrected(env):
    task = env.tasks[0]
    env.reset(options={"task": task})
    (answer,), *_ = env.step(ToolCall("calculator", {"expression": task.prompt.rstrip("=")}).render())
    assert answer["content"] == "error: at most 1 operation(s) in a call, such as 7*4"
    assert env.step(f"#{task.target}")[1] == 1.0


def test_more_operations_in_a_call_when_asked_for():
    env = assay.make("assay/Calculator-v0", operations_per_call=None).unwrapped
    task = env.tasks[0]
    env.reset(options={"task": task})
    (answer,), *_ = env.step(ToolCall("calculator", {"expression": task.prompt.rstrip("=")}).render())
    assert answer["content"] == str(task.target)


def test_bad_options():
    with pytest.raises(ConfigError, match="operations_per_call"):
        assay.make("assay/Calculator-v0", operations_per_call=0)
