"""Several agents in one episode: matches of all seats of a game, one Trajectory for each role.

Invariants:

* Every role has a conversation of its own: what an agent reads are the messages to its role.
* The records of a match are complete or absent: a fault of one role leaves all of them without a verdict.
* The trajectories of a role form groups of their own (`<group>/<role>`), so that a group-relative advantage compares
  what a seat earned with what the same seat earned in other matches of the same task.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Unpack

from assay.agents.base import Agent
from assay.core.errors import ConfigError, EngineFault, describe
from assay.core.message import Observation
from assay.core.seeding import derive_seed
from assay.core.task import NO_LIMITS, Limits
from assay.core.trajectory import EpisodeStatus, Step, Trajectory
from assay.core.verdict import Verdict
from assay.envs.games.base import GameEnv
from assay.envs.games.scene import Scene
from assay.rollouts.episode import nothing, record
from assay.rollouts.pool import AnyEnv
from assay.rollouts.request import EpisodeRequest
from assay.rollouts.runner import Runner, RunnerOptions


class RoleRunner(Runner):
    """Plays every seat of a game with agents, instead of the environment's own opponent.

    Args:
        make_env: Returns an environment of a game (`GameEnv`), whose rules and tasks are used.
        agents: Who plays: one agent for all roles, or one for each.
        **options: As for `Runner`. Limits of time are refused, and a match that failed is not played again.
    """

    def __init__(
        self, make_env: Callable[[], AnyEnv], agents: Agent | Mapping[str, Agent], **options: Unpack[RunnerOptions]
    ) -> None:
        limits = options.get("limits", NO_LIMITS)
        if limits.seconds is not None or limits.turn_seconds is not None:
            raise ConfigError("a match has no limit of time: bound it by turns and tokens")
        one = agents if isinstance(agents, Agent) else next(iter(agents.values()))
        super().__init__(make_env, one, **options)
        self._agents = agents

    def group_ids(self, request: EpisodeRequest) -> list[str]:
        """Return the groups that the records of a request belong to: one for each role."""
        lease = self._pool.acquire()
        try:
            roles = scene_of(lease.env).reset(request.task)
        finally:
            self._pool.give_back(lease)
        return [f"{request.group_id}/{role}" for role in roles]

    async def records(self, request: EpisodeRequest, spoken: Callable[[], None] = nothing) -> list[Trajectory]:
        """Play one match, record it and return the trajectories of its roles."""
        lease = self._pool.acquire()
        try:
            played = await play_roles(scene_of(lease.env), self._agents, request, self.limits, env_id=lease.env_id)
        finally:
            self._pool.give_back(lease)
        for trajectory in played:
            if self.store is not None:
                self.store.append(trajectory)
        return played


def scene_of(env: AnyEnv) -> Scene:
    """Return the match behind an environment. `ConfigError` when it is no game of several players."""
    game = env.unwrapped
    if not isinstance(game, GameEnv):
        raise ConfigError(f"{type(game).__name__} is not a game: only games can be played by several agents")
    return game.scene()


async def play_roles(
    scene: Scene,
    agents: Agent | Mapping[str, Agent],
    request: EpisodeRequest,
    limits: Limits = NO_LIMITS,
    *,
    env_id: str = "",
) -> list[Trajectory]:
    """Play one match and return a trajectory for each role, in the order of the roles.

    A role that has written all the tokens that `limits` leave it has lost. Never raises for what an agent or the game
    does: then every record is `failed`.
    """
    started = time.perf_counter()
    roles = scene.reset(request.task)
    steps: dict[str, list[Step]] = {role: [] for role in roles}
    openings: dict[str, Observation] = dict.fromkeys(roles, ())
    verdicts: dict[str, Verdict | None] = dict.fromkeys(roles)
    error = ""
    try:
        await _match(scene, agents, request, limits, steps, openings)
        verdicts = {role: scene.verdict(role) for role in roles}
    except Exception as problem:  # noqa: BLE001 - the guard: whatever breaks ends this match, never the run
        error = describe(problem)
    seconds = time.perf_counter() - started
    return [
        _record(request, role, env_id, steps[role], openings[role], verdicts[role], error, seconds) for role in roles
    ]


async def _match(
    scene: Scene,
    agents: Agent | Mapping[str, Agent],
    request: EpisodeRequest,
    limits: Limits,
    steps: dict[str, list[Step]],
    openings: dict[str, Observation],
) -> None:
    conversations = {
        role: (agents if isinstance(agents, Agent) else agents[role]).open(
            seed=derive_seed("role", request.sampling_seed, role)
        )
        for role in steps
    }
    left: dict[str, int | None] = dict.fromkeys(steps, limits.tokens)
    while (role := scene.to_act) is not None:
        if limits.turns is not None and len(steps[role]) >= limits.turns:
            return scene.forfeit(role)
        observation, budget = scene.observe(role), left[role]
        if steps[role]:
            steps[role][-1] = replace(steps[role][-1], observation=observation)
        else:
            openings[role] = observation
        if limits.turn_tokens is not None:
            budget = limits.turn_tokens if budget is None else min(budget, limits.turn_tokens)
        turn = await conversations[role].act(observation, max_tokens=budget)
        if turn.finish_reason == "abort":
            raise EngineFault("the engine aborted the generation")
        steps[role].append(Step(turn, 0.0))
        scene.act(role, turn.text)
        if (have := left[role]) is not None:
            left[role] = have - turn.output_tokens
            if have <= turn.output_tokens and scene.to_act is not None:
                return scene.forfeit(role)
    return None


def _record(
    request: EpisodeRequest,
    role: str,
    env_id: str,
    steps: list[Step],
    opening: Observation,
    verdict: Verdict | None,
    error: str,
    seconds: float,
) -> Trajectory:
    status: EpisodeStatus = "terminated"
    if verdict is None or verdict.score is None:
        status, error = "failed", error or (verdict.reason if verdict else "")
    elif steps:
        steps[-1] = replace(steps[-1], reward=verdict.score, parts={"outcome": verdict.score})
    own = replace(
        request,
        id=f"{request.id}/{role}",
        group_id=f"{request.group_id}/{role}",
        task=replace(request.task, tags=(*request.task.tags, role)),
    )
    return record(
        own,
        env_id=env_id,
        steps=tuple(steps),
        opening=opening,
        verdict=verdict,
        status=status,
        error=error,
        seconds=seconds,
    )
