"""A run over a browser that is killed in the middle goes on: some episodes have no verdict, the rest are right."""

import asyncio
import os
import re
import signal
from contextlib import aclosing

import assay
from assay.agents.scripted import ScriptedAgent
from assay.core.message import text_of
from assay.core.tool import ToolCall
from assay.rollouts.request import EpisodeRequest
from assay.rollouts.runner import Runner

EPISODES, CONCURRENCY = 16, 3


def test_a_run_outlives_its_browser(browser):
    spoken = 0

    def policy(messages):
        nonlocal spoken
        if any(message["role"] == "assistant" for message in messages):
            return ToolCall("done").render()
        spoken += 1
        if spoken == 6:
            os.kill(browser.run(browser.process(), 10), signal.SIGKILL)
        name, page = re.search(r"star (\w+)\n(.*)", text_of(messages[-1]), re.DOTALL).groups()
        number = int(re.search(rf"{name} star#(\d)", page)[1])
        return ToolCall("click", {"element": number}).render()

    def make():
        return assay.make("assay/WebTask-v0", level=1, sites=["mail"], observe="compact", driver="browser")

    tasks = make().unwrapped.tasks
    requests = [EpisodeRequest(str(i), str(i), tasks[i], seed=i) for i in range(EPISODES)]

    async def run():
        runner = Runner(make, ScriptedAgent(policy), concurrency=CONCURRENCY)
        try:
            async with aclosing(runner.run(requests)) as trajectories:
                return [trajectory async for trajectory in trajectories]
        finally:
            runner.close()

    played = asyncio.run(run())
    lost = [trajectory for trajectory in played if trajectory.status == "failed"]
    assert len(played) == EPISODES and 1 <= len(lost) <= 2 * CONCURRENCY
    assert all(trajectory.correct for trajectory in played if trajectory not in lost)
    assert all(trajectory.verdict is None or trajectory.verdict.score is None for trajectory in lost)
    assert all("browser" in trajectory.error or "answer" in trajectory.error for trajectory in lost)
