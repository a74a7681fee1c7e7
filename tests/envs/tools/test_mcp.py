"""Tools of real MCP servers: in this process, in a process of their own, and over HTTP."""

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytest.importorskip("mcp", reason="the mcp SDK is not installed (extra: mcp)")

from mcp.client.stdio import StdioServerParameters

from assay.core.errors import ConfigError, Fault
from assay.core.task import Task, TaskList
from assay.core.tool import ToolCall
from assay.core.verdict import right, wrong
from assay.envs.check import check_environment
from assay.envs.tools.mcp import McpEnv, McpSession
from assay.verifiers.base import Verifier
from tests.envs.tools.mcp_server import make_server

PROGRAM = Path(__file__).with_name("mcp_server.py")
STDIO = StdioServerParameters(command=sys.executable, args=[str(PROGRAM)])
TASKS = TaskList([Task("a", "Add 2 and 3.", target="5"), Task("b", "Add 4 to the 10.", target="14")])


class Same(Verifier):
    def verify(self, task, evidence):
        return right() if evidence.text == task.target else wrong("no")


def in_process(task):
    return make_server(10 if task.id == "b" else 0)


def call(name, **arguments):
    return ToolCall(name, arguments).render()


def said(step):
    return [message["content"] for message in step[0]]


def gone(pid):
    for _ in range(200):
        if not Path(f"/proc/{pid}").exists():
            return True
        time.sleep(0.05)
    return False


@pytest.fixture
def env():
    env = McpEnv(TASKS, Same(), in_process, timeout=30)
    yield env
    env.close()


def test_the_tools_are_the_servers(env):
    add = env.tools[0]
    assert [tool.name for tool in env.tools] == ["add", "refuse", "crash", "pid", "die", "hang"]
    assert add.schema()["function"]["description"] == "Add a number to the counter and return its value."
    assert add.parameters["properties"]["number"]["type"] == "integer" and add.parameters["required"] == ["number"]


def test_every_episode_has_a_server_of_its_own(env):
    for task, values in (("a", ["2", "5"]), ("a", ["2", "5"]), ("b", ["12", "15"])):
        env.reset(options={"task": task})
        assert said(env.step(call("add", number=2) + call("add", number=3))) == values
    env.reset(options={"task": "b"})
    assert said(env.step(call("add", number=4))) == ["14"]
    assert env.step("14")[1] == 1.0


def test_the_agents_mistakes_go_back_to_the_agent(env):
    env.reset(seed=0)
    bad, absent, refused, crashed = said(
        env.step(call("add", number="x") + call("subtract") + call("refuse") + call("crash"))
    )
    assert bad.startswith("error: ") and "number" in bad
    assert absent.startswith("error: there is no tool 'subtract'")
    assert "not today" in refused
    assert crashed.startswith("error: ") and "secret" not in crashed
    assert said(env.step(call("add", number=1))) in (["1"], ["11"])


def test_a_tool_that_hangs_is_a_fault():
    env = McpEnv(TASKS, Same(), in_process, timeout=2.0)
    env.reset(options={"task": "a"})
    _, reward, terminated, truncated, info = env.step(call("hang", seconds=4.0))
    assert (reward, terminated, truncated) == (0.0, False, True)
    assert info["verdict"].score is None and "MCP" in info["verdict"].reason
    env.reset(options={"task": "a"})
    assert said(env.step(call("add", number=7))) == ["7"]
    env.close()
    env.close()


def test_a_process_for_every_episode_which_ends_with_it():
    env = McpEnv(TASKS, Same(), STDIO)
    pids = []
    for _ in range(2):
        env.reset(options={"task": "a"})
        assert said(env.step(call("add", number=2) + call("add", number=3))) == ["2", "5"]
        pids.append(int(said(env.step(call("pid")))[0]))
    assert pids[0] != pids[1] != os.getpid() and gone(pids[0])
    env.close()
    assert gone(pids[1])


def test_a_server_that_dies_leaves_no_verdict_and_nothing_behind():
    env = McpEnv(TASKS, Same(), STDIO, timeout=60)
    env.reset(options={"task": "a"})
    pid = int(said(env.step(call("pid")))[0])
    _, _, terminated, truncated, info = env.step(call("die"))
    assert (terminated, truncated) == (False, True) and info["verdict"].score is None
    assert gone(pid)
    env.reset(options={"task": "a"})
    assert said(env.step(call("add", number=1))) == ["1"]
    env.close()


def test_sessions_over_http():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with subprocess.Popen([sys.executable, str(PROGRAM), str(port)], stderr=subprocess.DEVNULL) as server:
        try:
            for _ in range(200):
                with socket.socket() as probe:
                    if probe.connect_ex(("127.0.0.1", port)) == 0:
                        break
                time.sleep(0.1)
            session = McpSession(f"http://127.0.0.1:{port}/mcp", timeout=60)
            assert session.tools[0](number=4) == "4"
            server.kill()
            server.wait()
            with pytest.raises(Fault):
                session.call("add", {"number": 1})
            session.close()
        finally:
            server.kill()


def test_a_process_that_hangs_is_killed():
    session = McpSession(STDIO, timeout=60)
    pid = int(session.call("pid", {}))
    session._timeout = 0.3
    with pytest.raises(Fault, match="did not answer 'hang'"):
        session.call("hang", {"seconds": 300})
    assert gone(pid)
    with pytest.raises(Fault, match="is over"):
        session.call("pid", {})


def test_the_promises_of_environments_are_kept():
    report = check_environment(lambda: McpEnv(TASKS, Same(), in_process), episodes=3)
    assert report.ok, str(report)


def test_servers_that_cannot_be_had():
    with pytest.raises(ConfigError, match="cannot be started"):
        McpSession(StdioServerParameters(command="/nowhere/server"))
    with pytest.raises(Fault, match="did not start"):
        McpSession("http://127.0.0.1:9/mcp", timeout=5)
    with pytest.raises(ConfigError, match="timeout"):
        McpEnv(TASKS, Same(), in_process, timeout=0)
