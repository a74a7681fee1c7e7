"""TaskEnv: the base of assay's environments, a plain `gymnasium.Env` over tasks.

An author writes two hooks: `begin(task)` returns the opening messages, `advance(action)` returns a `Progress`. The
base owns everything that every environment must get right:

* `reset(seed=...)` picks a task; `reset(options={"task": Task | id | index})` takes the given one. The same task
  and seed give the same episode, which is what makes a GRPO group a group.
* Observations are only the *new* messages. The action is the raw assistant turn.
* When the episode ends the verifier judges the evidence; its score joins the reward. No verdict: the reward is
  0.0, `truncated` is True, `terminated` False, and `info["verdict"].score` is None, so that nobody can take it for
  a 0 that was earned.
* `info` of the last step holds `verdict`; of every step `reward_parts`, the raw components of the reward.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import gymnasium
import numpy as np

from assay.core.errors import ConfigError, Fault, UnknownNameError
from assay.core.message import Message, Observation, assistant, is_message, text_of
from assay.core.spaces import FreeText, Messages
from assay.core.task import Task, TaskSet
from assay.core.tool import Tool
from assay.core.verdict import Verdict, no_verdict, wrong
from assay.verifiers.base import Evidence, Verifier, run_verifier


@dataclass(frozen=True, slots=True)
class Progress:
    """What one action led to."""

    messages: Sequence[Message] = ()
    """The environment's answer; empty when the episode is over."""
    done: bool = False
    reward: float = 0.0
    """Step reward, added to the verifier's score on the last step."""
    parts: dict[str, float | None] = field(default_factory=dict)
    """Named components of the step reward."""


class TaskEnv(gymnasium.Env[Observation, str]):
    """An environment over a set of tasks, judged by a verifier."""

    metadata: ClassVar[dict[str, Any]] = {"render_modes": ["ansi"], "render_fps": 1}  # type: ignore[misc]
    blocking: bool = False
    """Whether `reset` or `step` may wait (processes, sockets, long checks); the runner then gives it a thread.

    Set on an instance whose verifier is not inline.
    """
    waits_to_judge: bool = False
    """Whether nothing but the verifier may wait, and that after the only turn; set on instances. `reset` then needs no
    thread, and while an episode is judged the next one can begin: what the agent is asked, and when, is no matter of
    timing."""
    step_reward_range: tuple[float, float] = (0.0, 0.0)
    """Smallest and largest step reward (`Progress.reward`), the verifier's score not counted."""
    demonstration_styles: ClassVar[tuple[str, ...]] = ()
    """Ways of answering that `demonstrate` knows, as a base model's data mixes them. The first one is correct."""

    def __init__(
        self,
        tasks: TaskSet,
        verifier: Verifier,
        *,
        max_turns: int = 1,
        tools: Sequence[Tool] = (),
        render_mode: str | None = None,
    ) -> None:
        if max_turns < 1:
            raise ConfigError(f"max_turns must be at least 1, not {max_turns}")
        if tasks.size == 0:
            raise ConfigError(f"{type(self).__name__} has no tasks")
        if verifier.isolation == "sandbox":
            from assay.sandboxes import require_isolation  # most environments need no sandbox

            require_isolation(getattr(verifier, "sandbox", None))
        self.tasks, self.verifier, self.max_turns = tasks, verifier, max_turns
        self.tools: tuple[Tool, ...] = tuple(tools)
        self.render_mode = render_mode
        self.waits_to_judge = not self.blocking and verifier.isolation != "inline" and max_turns == 1
        self.blocking = self.blocking or verifier.isolation != "inline"
        self.observation_space = Messages()
        self.action_space = FreeText()
        self.task: Task | None = None
        self.transcript: list[Message] = []
        self.turn = 0
        self._over = True

    # -- hooks for authors ------------------------------------------------------------------------------------

    def begin(self, task: Task) -> Observation:
        """Start an episode and return its opening messages. Use `self.np_random` for anything random."""
        return task.messages()

    @abstractmethod
    def advance(self, action: str) -> Progress:
        """Take one assistant turn."""

    def evidence(self) -> Evidence:
        """Return what the verifier may look at. Override to add artifacts or state."""
        last = next((text_of(m) for m in reversed(self.transcript) if m["role"] == "assistant"), "")
        return Evidence(text=last, messages=tuple(self.transcript))

    def secret(self, task: Task) -> Any:
        """Return what of the task's target nothing may show the agent, for `assay check`: by default all of it.

        Override where the agent is shown a part of the target on purpose: a function's name, tests that are examples.
        An empty list says that the question gives everything away.
        """
        return task.target

    def demonstrate(self, task: Task, style: str, rng: np.random.Generator) -> list[str]:
        """Return the assistant turns of one demonstration in one of `demonstration_styles`, for a warm start.

        An environment whose turns depend on its answers plays a real episode of its own to get them (`play`), so
        whatever episode was under way is over; `transcript` then holds the whole conversation.
        """
        raise UnknownNameError("demonstration style", style, self.demonstration_styles)

    def demonstration(self, task: Task) -> list[str] | None:
        """Return assistant turns that solve the task, if the environment can: the oracle that must score 1."""
        if not self.demonstration_styles:
            return None
        return self.demonstrate(task, self.demonstration_styles[0], np.random.default_rng(task.seed))

    # -- the Gymnasium contract -------------------------------------------------------------------------------

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Start an episode. `options["task"]` is a Task, a task id or an index; otherwise the seed draws one."""
        super().reset(seed=seed)
        self.task = self._pick((options or {}).get("task"))
        self.turn, self._over = 0, False
        opening = tuple(self.begin(self.task))
        if not all(map(is_message, opening)):
            raise ConfigError(
                f"{type(self).__name__}.begin() must return messages, such as user(text), not {opening!r:.80}"
            )
        self.transcript = list(opening)
        return opening, {"task_id": self.task.id}

    def step(self, action: str) -> tuple[Observation, float, bool, bool, dict[str, Any]]:
        """Take one assistant turn and return the new messages, the reward, and whether the episode is over."""
        if self._over or self.task is None:
            raise gymnasium.error.ResetNeeded("the episode is over; call reset() first")
        self.turn += 1
        self.transcript.append(assistant(action))
        try:
            progress = self.advance(action)
        except Fault as fault:
            return self._end((), 0.0, {}, no_verdict(f"{type(fault).__name__}: {fault}"), limit=False)
        messages = tuple(progress.messages)
        self.transcript.extend(messages)
        if progress.done:
            return self._end(messages, progress.reward, progress.parts, self.judge(), limit=False)
        if self.turn >= (self.task.limits.turns or self.max_turns):
            return self._end(messages, progress.reward, progress.parts, self.out_of_turns(), limit=True)
        info = {"task_id": self.task.id, "reward_parts": dict(progress.parts)}
        return messages, float(progress.reward), False, False, info

    def judge(self) -> Verdict:
        """Return the verdict on the episode so far."""
        assert self.task is not None
        return run_verifier(self.verifier, self.task, self.evidence())

    def out_of_turns(self) -> Verdict:
        """Return the verdict when the turns run out: by default an answer that never came, a 0 that was earned."""
        return wrong("no answer within the turn limit", status="no_answer", verifier=self.verifier.label)

    def _end(
        self, messages: Observation, reward: float, parts: dict[str, float | None], verdict: Verdict, *, limit: bool
    ) -> tuple[Observation, float, bool, bool, dict[str, Any]]:
        self._over = True
        assert self.task is not None
        info = {
            "task_id": self.task.id,
            "verdict": verdict,
            "reward_parts": {**parts, **(verdict.parts or {"outcome": verdict.score})},
        }
        if verdict.score is None:
            return messages, 0.0, False, True, info
        return messages, float(reward + verdict.score), not limit, limit, info

    def _pick(self, wanted: Any) -> Task:
        if isinstance(wanted, Task):
            return wanted
        if isinstance(wanted, str):
            return self.tasks.get(wanted)
        if wanted is not None:
            return self.tasks[int(wanted)]
        bound = self.tasks.size if self.tasks.size is not None else 2**31
        return self.tasks[int(self.np_random.integers(bound))]

    def render(self) -> str | None:  # type: ignore[override]
        """Return the transcript as text in mode `ansi`."""
        if self.render_mode != "ansi":
            return None
        return "\n".join(f"[{m['role']}] {text_of(m)}" for m in self.transcript)

    def close(self) -> None:
        """Release the verifier's resources. Idempotent."""
        self.verifier.close()


class SingleTurnEnv(TaskEnv):
    """One question, one answer: the first turn ends the episode."""

    def advance(self, action: str) -> Progress:
        """End the episode; the verifier judges the action."""
        return Progress(done=True)


def say(*turns: str) -> Generator[str, Observation, None]:
    """A player for `play` that says these turns, whatever it is told, until the episode ends."""
    for turn in turns:  # noqa: UP028 - a player is sent what the environment says, and a tuple takes nothing
        yield turn


def play(env: TaskEnv, task: Task, player: Generator[str, Observation, None]) -> list[str]:
    """Let `player` act in an episode of `task` and return its turns.

    A player is a generator: it yields assistant turns, and each `yield` gives it the environment's new messages.
    """
    env.reset(options={"task": task})
    turns = [next(player)]
    while True:
        observation, _, terminated, truncated, _ = env.step(turns[-1])
        if terminated or truncated:
            player.close()
            return turns
        turns.append(player.send(observation))
