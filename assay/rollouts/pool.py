"""A pool of environments, and the lease of one of them to one episode.

Invariants:

* An environment serves one episode at a time. It is used again only after an episode that ended without a fault and
  without cancellation; `reset` starts the next one. Any other is closed.
* An environment is never closed while one of its calls is still running in a thread.
* Environments that may wait (`blocking`, of the environment or any wrapper around it) run in threads, the others on
  the loop, under the eyes of a watchdog: a thread hop costs more than most steps. `reset` of one that waits for nothing
  but its verifier runs on the loop too, so that its episodes begin in the order in which they were asked for.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

import gymnasium

from assay.core.message import Observation
from assay.core.tool import Tool
from assay.rollouts.threads import StepThreads, StepTimeout
from assay.rollouts.watchdog import Watchdog

logger = logging.getLogger(__name__)

T = TypeVar("T")
AnyEnv = gymnasium.Env[Observation, str]

CLOSE_SECONDS = 10.0
"""How long to wait for `close()` of an environment that runs in threads."""


class Lease:
    """An environment in the hands of one episode."""

    def __init__(self, env: AnyEnv, threads: StepThreads, watchdog: Watchdog) -> None:
        self.env = env
        self.env_id = env.spec.id if env.spec is not None else type(env.unwrapped).__name__
        self.tools: tuple[Tool, ...] = tuple(getattr(env.unwrapped, "tools", ()))
        self.blocking = _may_wait(env)
        self.waits_to_judge = _waits_to_judge(env)
        self.abandoned = False
        self._threads, self._watchdog = threads, watchdog

    async def call(
        self, method: Callable[..., T], *args: Any, timeout: float | None = None, waits: bool = True, **kwargs: Any
    ) -> T:
        """Call a method of the environment, in a thread when it may wait. `timeout` holds only there.

        `waits=False` says that this method never does.
        """
        if not (self.blocking and waits):
            return self._watchdog.call(f"{self.env_id}: {method.__name__}()", partial(method, *args, **kwargs))
        try:
            return await self._threads.call(partial(method, *args, **kwargs), timeout=timeout, late=self.close)
        except (StepTimeout, asyncio.CancelledError):
            self.abandoned = True
            raise

    def close(self) -> None:
        """Close the environment. An environment that cannot even close is reported, not raised."""
        try:
            self.env.close()
        except Exception as error:  # noqa: BLE001 - a failing close must not cost the episodes that are fine
            logger.warning("%s: close() failed: %s: %s", self.env_id, type(error).__name__, error)


class EnvPool:
    """Makes environments when none is idle, and keeps those that came back healthy."""

    def __init__(self, make_env: Callable[[], AnyEnv], threads: StepThreads) -> None:
        self._make_env, self._threads, self._watchdog = make_env, threads, Watchdog()
        self._idle: list[Lease] = []

    def acquire(self) -> Lease:
        """Return an idle environment or a new one."""
        return self._idle.pop() if self._idle else Lease(self._make_env(), self._threads, self._watchdog)

    def give_back(self, lease: Lease) -> None:
        """Take back an environment that was only looked at or lent its rules."""
        self._idle.append(lease)

    async def release(self, lease: Lease, *, healthy: bool) -> None:
        """Take an environment back; close it unless it can be used again."""
        if healthy and not lease.abandoned:
            self._idle.append(lease)
        elif not lease.abandoned:  # otherwise the thread that still uses it closes it
            if not lease.blocking:
                lease.close()
                return
            try:
                await self._threads.call(lease.close, timeout=CLOSE_SECONDS)
            except StepTimeout as error:
                logger.warning("%s: close() hangs: %s", lease.env_id, error)

    def close(self) -> None:
        """Close the idle environments and end the watch."""
        self._watchdog.close()
        while self._idle:
            self._idle.pop().close()


def _may_wait(env: AnyEnv) -> bool:
    """Whether any layer says that it may wait; an environment that says nothing might."""
    return _wrapper_may_wait(env) or bool(getattr(env.unwrapped, "blocking", True))


def _waits_to_judge(env: AnyEnv) -> bool:
    """Whether the environment says that only its verifier waits, and no wrapper does."""
    return bool(getattr(env.unwrapped, "waits_to_judge", False)) and not _wrapper_may_wait(env)


def _wrapper_may_wait(env: AnyEnv) -> bool:
    layer: Any = env
    while isinstance(layer, gymnasium.Wrapper):
        if layer.__dict__.get("blocking", getattr(type(layer), "blocking", False)):
            return True
        layer = layer.env
    return False
