"""One episode: an agent acts in an environment until the task ends, a limit is hit, or something breaks.

Invariants:

* `play` always returns a Trajectory. An exception of the environment or the agent becomes status `failed`, with one
  line in `error` and no verdict: a fault is never a score.
* Running out of turns, tokens or time is the policy's doing: status `truncated`, and the verdict is what the
  environment says of an answer that never came (`out_of_turns`), a 0 that was earned. `metadata["limit"]` names it.
* The time of an episode counts from its first turn, steps included: what they wait for, such as a command that sleeps,
  the agent has asked for. They are not cut short; the first turn that begins too late is not played.
* A `reset` or `step` that exceeds `step_seconds` hangs, and that is ours: a fault.
* Rewards are finite, or the episode failed.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from assay.agents.base import Agent, Conversation
from assay.core.errors import EngineFault, Fault, describe
from assay.core.message import Observation, is_message
from assay.core.task import Limits
from assay.core.trajectory import EpisodeStatus, Step, Trajectory, Turn
from assay.core.verdict import Verdict, no_verdict, wrong
from assay.rollouts.pool import Lease
from assay.rollouts.request import EpisodeRequest

LimitName = Literal["turns", "tokens", "seconds", "turn_seconds"]


def nothing() -> None:
    """Do nothing, for who does not care when an episode is `spoken`."""


async def play(
    lease: Lease,
    agent: Agent,
    request: EpisodeRequest,
    limits: Limits,
    *,
    step_seconds: float | None = None,
    spoken: Callable[[], None] = nothing,
) -> Trajectory:
    """Play one episode under the tighter of `limits` and the task's own.

    `step_seconds` bounds each `reset` and `step` of an environment that runs in threads. `spoken` is called when the
    agent has had its only turn, and all that is left is to wait for the verifier (`Lease.waits_to_judge`).
    """
    started = time.perf_counter()
    episode = _Episode(lease, request, limits.tightest(request.task.limits), step_seconds, spoken)
    try:
        await episode.run(agent)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - the guard: whatever breaks ends this episode, never the run
        episode.status, episode.verdict, episode.error = "failed", None, describe(error)
    trajectory = record(
        request,
        env_id=lease.env_id,
        steps=tuple(episode.steps),
        opening=episode.opening,
        verdict=episode.verdict,
        status=episode.status,
        error=episode.error,
        seconds=time.perf_counter() - started,
        metadata=episode.metadata,
    )
    try:
        trajectory.to_json()
    except (ValueError, TypeError) as error:  # a value that no reader would understand: of the verdict's details, say
        return not_played(request, error, lease.env_id)
    return trajectory


def not_played(request: EpisodeRequest, error: Exception, env_id: str = "") -> Trajectory:
    """Return the record of an episode for which no environment could be made, or that cannot be written down."""
    return record(request, env_id=env_id, status="failed", error=describe(error))


def record(request: EpisodeRequest, **what_happened: Any) -> Trajectory:
    """Return what was asked for together with what happened."""
    task = request.task
    return Trajectory(
        id=request.id,
        group_id=request.group_id,
        task_id=task.id,
        seed=request.seed,
        split=request.split,
        tags=task.tags,
        difficulty=task.difficulty,
        **what_happened,
    )


def _messages(observation: Any) -> Observation:
    messages = tuple(observation)
    for message in messages:
        if not is_message(message):
            raise Fault(f"the environment said {message!r:.100}, which is no message {{'role': ..., 'content': ...}}")
    return messages


@dataclass(slots=True)
class _Episode:
    lease: Lease
    request: EpisodeRequest
    limits: Limits
    step_seconds: float | None
    spoken: Callable[[], None]
    steps: list[Step] = field(default_factory=list)
    opening: Observation = ()
    verdict: Verdict | None = None
    status: EpisodeStatus = "terminated"
    error: str = ""
    metadata: dict[str, Any] = field(default_factory=dict)
    tokens: int = 0
    deadline: float | None = None

    async def run(self, agent: Agent) -> None:
        env, limits, waits_to_judge = self.lease.env, self.limits, self.lease.waits_to_judge
        opening, _ = await self._call(
            env.reset, waits=not waits_to_judge, seed=self.request.seed, options={"task": self.request.task}
        )
        self.opening = observation = _messages(opening)
        if limits.seconds is not None:
            self.deadline = time.perf_counter() + limits.seconds
        conversation = agent.open(tools=self.lease.tools, seed=self.request.sampling_seed)
        while True:
            turn = await self._act(conversation, observation)
            if waits_to_judge:
                self.spoken()
            if isinstance(turn, str):
                return await self._out_of(turn)
            self.tokens += turn.output_tokens
            started = time.perf_counter()
            new, reward, terminated, truncated, info = await self._call(env.step, turn.text)
            observation = _messages(new)
            parts = {name: None if part is None else float(part) for name, part in info.get("reward_parts", {}).items()}
            step = Step(turn, float(reward), parts, observation, time.perf_counter() - started)
            if not math.isfinite(step.reward):
                raise Fault(f"the environment gave the reward {step.reward}")
            self.steps.append(step)
            if terminated or truncated:
                return await self._ended(bool(terminated), info)
            if limits.turns is not None and len(self.steps) >= limits.turns:
                return await self._out_of("turns")
            if limits.tokens is not None and self.tokens >= limits.tokens:
                return await self._out_of("tokens")
            if self._seconds_left() == 0.0:
                return await self._out_of("seconds")

    async def _act(self, conversation: Conversation, observation: Observation) -> Turn | LimitName:
        """Return the agent's turn, or the name of the time limit that it hit."""
        limits, left = self.limits, self._seconds_left()
        budget = None if limits.tokens is None else limits.tokens - self.tokens
        if limits.turn_tokens is not None:
            budget = limits.turn_tokens if budget is None else min(budget, limits.turn_tokens)
        first: LimitName = "seconds"
        if limits.turn_seconds is not None and (left is None or limits.turn_seconds < left):
            left, first = limits.turn_seconds, "turn_seconds"
        try:
            async with asyncio.timeout(left) as clock:
                turn = await conversation.act(observation, max_tokens=budget)
        except TimeoutError:
            if clock.expired():
                return first
            raise  # the agent's own: an endpoint that did not answer, say
        if turn.finish_reason == "abort":
            raise EngineFault("the engine aborted the generation")
        return turn

    async def _call(self, method: Any, *args: Any, **kwargs: Any) -> Any:
        return await self.lease.call(method, *args, timeout=self.step_seconds, **kwargs)

    def _seconds_left(self) -> float | None:
        return None if self.deadline is None else max(self.deadline - time.perf_counter(), 0.0)

    async def _ended(self, terminated: bool, info: dict[str, Any]) -> None:
        verdict = info.get("verdict")
        if not isinstance(verdict, Verdict):
            if not terminated:  # cut short by a wrapper such as gymnasium.wrappers.TimeLimit
                return await self._out_of("turns")
            verdict = no_verdict("the environment ended the episode without info['verdict']")
        self.verdict = verdict
        if not verdict.scored:
            self.status, self.error = "failed", verdict.reason or f"no verdict ({verdict.status})"
        elif not terminated:
            self.status = "truncated"
            self.metadata["limit"] = "turns"
        return None

    async def _out_of(self, limit: LimitName) -> None:
        """End the episode at a limit of ours, with the verdict that the environment gives when its own runs out."""
        out_of_turns = getattr(self.lease.env.unwrapped, "out_of_turns", None)
        verdict: Verdict = (
            await self.lease.call(out_of_turns, timeout=self.step_seconds)
            if callable(out_of_turns)
            else wrong(f"no answer within the limit of {limit}", status="no_answer")
        )
        self.status, self.verdict, self.metadata["limit"] = "truncated", verdict, limit
        if verdict.score is None:
            self.status, self.error = "failed", verdict.reason
        elif self.steps:
            last = self.steps[-1]
            parts = {**last.parts, **(verdict.parts or {"outcome": verdict.score})}
            self.steps[-1] = replace(last, reward=last.reward + verdict.score, parts=parts)
