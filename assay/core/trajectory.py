"""What happened: Turn, Trajectory and Group; and what a loss sees of it: Sample.

Invariants:

* Tokens are kept as they were sampled. A `Turn` holds only the tokens that are *new*: `prompt_ids` is what was
  appended to the context before the agent spoke (the whole prompt on the first turn), `output_ids` what it said.
  The token stream of an episode is their concatenation; nothing is ever re-encoded.
* A turn with `fork=True` starts a new stream: its `prompt_ids` are the whole context again.
* `Trajectory.reward` is what the trainer optimises; `Trajectory.correct` is the raw outcome, which filters,
  curricula and pass@k read. An episode without a verdict has `scored == False` and leaves every statistic.
* Files carry `SCHEMA_VERSION`; a reader refuses a newer one.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter
from pydantic_core import PydanticSerializationError, from_json

from assay.core.errors import SchemaError
from assay.core.message import Message
from assay.core.verdict import Verdict

SCHEMA_VERSION = 1

FinishReason = Literal["stop", "length", "abort"]
EpisodeStatus = Literal["terminated", "truncated", "failed"]
"""`terminated`: the task ended. `truncated`: a turn, token or time limit. `failed`: a fault of ours; no verdict."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn of an agent."""

    text: str
    """The raw assistant turn in canonical form: the action that the environment got."""
    prompt_ids: tuple[int, ...] = ()
    """Tokens appended to the context before this turn. Empty for agents without tokens (scripted, API)."""
    output_ids: tuple[int, ...] = ()
    """Sampled tokens, the stop token included when it was sampled."""
    logprobs: tuple[float, ...] = ()
    """log probability of each output token under the sampling distribution (temperature applied)."""
    finish_reason: FinishReason = "stop"
    weight_version: int = 0
    """Version of the engine's weights that sampled the last token of this turn."""
    seconds: float = 0.0
    fork: bool = False
    weight_spans: tuple[tuple[int, int], ...] = ()
    """(version, tokens) of each stretch of `output_ids`, in order; empty when `weight_version` sampled them all."""
    reported_tokens: int = 0
    """Sampled tokens as an endpoint counted them, which tells their number only."""

    @property
    def output_tokens(self) -> int:
        """Number of sampled tokens."""
        return len(self.output_ids) or self.reported_tokens

    @property
    def oldest_version(self) -> int:
        """The oldest version that sampled a token of this turn."""
        return min((version for version, _ in self.weight_spans), default=self.weight_version)


@dataclass(frozen=True, slots=True)
class Step:
    """One environment step: the agent's turn and what the environment made of it."""

    turn: Turn
    reward: float
    parts: Mapping[str, float | None] = field(default_factory=dict)
    """Raw named components of the reward, before any shaping."""
    observation: tuple[Message, ...] = ()
    """New messages that the environment answered with."""
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Trajectory:
    """One finished episode."""

    id: str
    """Unique in the run; the key under which the store holds the episode exactly once."""
    group_id: str
    task_id: str
    env_id: str
    seed: int
    steps: tuple[Step, ...] = ()
    opening: tuple[Message, ...] = ()
    """The first observation."""
    verdict: Verdict | None = None
    status: EpisodeStatus = "terminated"
    error: str = ""
    """For `failed`: what went wrong, one line."""
    split: str = "train"
    tags: tuple[str, ...] = ()
    difficulty: float | None = None
    seconds: float = 0.0
    metadata: Mapping[str, Any] = field(default_factory=dict)
    schema_version: int = SCHEMA_VERSION

    @property
    def reward(self) -> float | None:
        """Sum of the step rewards, or None when there is no verdict."""
        return float(sum(step.reward for step in self.steps)) if self.scored else None

    @property
    def scored(self) -> bool:
        """Whether the episode ended with a verdict that has a score."""
        return self.status != "failed" and self.verdict is not None and self.verdict.scored

    @property
    def faulted(self) -> bool:
        """Whether a fault ended the episode, so that another try may go well. An abstaining verifier is no fault."""
        return self.status == "failed" and (self.verdict is None or self.verdict.status in ("error", "timeout"))

    @property
    def correct(self) -> bool | None:
        """The raw binary outcome, or None when unknown."""
        return self.verdict.correct if self.scored and self.verdict is not None else None

    @property
    def output_tokens(self) -> int:
        """Number of sampled tokens."""
        return sum(step.turn.output_tokens for step in self.steps)

    def fills(self, context: int) -> bool:
        """Whether a turn ended because the model's context of so many tokens was full."""
        length = 0
        for turn in (step.turn for step in self.steps):
            length = (0 if turn.fork else length) + len(turn.prompt_ids) + len(turn.output_ids)
            if turn.finish_reason == "length" and length >= context:
                return True
        return False

    @property
    def weight_version(self) -> int:
        """The oldest policy version that sampled any token."""
        return min((step.turn.oldest_version for step in self.steps), default=0)

    @property
    def messages(self) -> list[Message]:
        """The whole transcript."""
        out: list[Message] = list(self.opening)
        for step in self.steps:
            out.append({"role": "assistant", "content": step.turn.text})
            out.extend(step.observation)
        return out

    def to_json(self) -> str:
        """Return one JSON line. Half of a surrogate pair, which names of files may hold, becomes a question mark.

        `ValueError` for a value of another type than its field's: no reader could use it.
        """
        try:
            return _TRAJECTORY.dump_json(self, warnings="error").decode()
        except PydanticSerializationError:
            plain = json.dumps(_TRAJECTORY.dump_python(self, mode="json", warnings="error"), ensure_ascii=False)
            return plain.encode(errors="replace").decode()

    @staticmethod
    def from_json(line: str | bytes) -> Trajectory:
        """Read one JSON line; `SchemaError` when a newer assay wrote it."""
        row = from_json(line)
        version = row.get("schema_version", 0) if isinstance(row, dict) else 0
        if version > SCHEMA_VERSION:
            raise SchemaError(
                f"trajectory {row.get('id')!r} has schema {version}, this assay reads up to {SCHEMA_VERSION}; "
                "upgrade assay-rl"
            )
        return _TRAJECTORY.validate_python(row)


_TRAJECTORY = TypeAdapter(Trajectory)


@dataclass(frozen=True, slots=True)
class Group:
    """Trajectories of one task and one seed: what group-relative advantages compare."""

    id: str
    trajectories: tuple[Trajectory, ...]

    def __iter__(self) -> Iterator[Trajectory]:
        return iter(self.trajectories)

    def __len__(self) -> int:
        return len(self.trajectories)

    @property
    def scored(self) -> tuple[Trajectory, ...]:
        """The members that have a verdict."""
        return tuple(t for t in self.trajectories if t.scored)

    @property
    def mixed(self) -> bool:
        """Whether the verdicts of the scored members differ, partial credit included: only then is there a signal."""
        return len({(t.correct, t.verdict and t.verdict.score) for t in self.scored}) > 1


@dataclass(slots=True)
class Sample:
    """One token stream as a loss sees it. All arrays have length T = number of tokens.

    `loss_mask[t]` is True where token t was sampled by the policy; `logprobs`, `advantages` and `weights` are 0
    elsewhere. `turn_index[t]` is the 0-based turn that token t belongs to, -1 for context, so that step-level
    credit never has to look at positions.
    """

    token_ids: NDArray[np.int64]
    loss_mask: NDArray[np.bool_]
    logprobs: NDArray[np.float32]
    advantages: NDArray[np.float32]
    weights: NDArray[np.float32]
    turn_index: NDArray[np.int32]
    group_id: str = ""
    trajectory_id: str = ""
    weight_version: int = 0

    def __len__(self) -> int:
        return len(self.token_ids)


def streams(trajectory: Trajectory) -> list[Sample]:
    """Return the token streams of a trajectory with zero advantages and weights: one, plus one for each fork.

    Turns without tokens (scripted or API agents) give no sample.
    """
    out: list[Sample] = []
    ids: list[int] = []
    mask: list[bool] = []
    logprobs: list[float] = []
    turns: list[int] = []

    def flush() -> None:
        if any(mask):
            n = len(ids)
            out.append(
                Sample(
                    token_ids=np.asarray(ids, np.int64),
                    loss_mask=np.asarray(mask, np.bool_),
                    logprobs=np.asarray(logprobs, np.float32),
                    advantages=np.zeros(n, np.float32),
                    weights=np.zeros(n, np.float32),
                    turn_index=np.asarray(turns, np.int32),
                    group_id=trajectory.group_id,
                    trajectory_id=trajectory.id,
                    weight_version=trajectory.weight_version,
                )
            )
        for column in (ids, mask, logprobs, turns):
            column.clear()

    for number, step in enumerate(trajectory.steps):
        turn = step.turn
        if turn.fork:
            flush()
        _append(ids, mask, logprobs, turns, turn.prompt_ids, False, (0.0,) * len(turn.prompt_ids), -1)
        _append(ids, mask, logprobs, turns, turn.output_ids, True, turn.logprobs, number)
    flush()
    return out


def _append(
    ids: list[int],
    mask: list[bool],
    logprobs: list[float],
    turns: list[int],
    new_ids: Sequence[int],
    trainable: bool,
    new_logprobs: Sequence[float],
    turn: int,
) -> None:
    if len(new_logprobs) != len(new_ids):
        raise ValueError(f"turn {turn}: {len(new_ids)} tokens but {len(new_logprobs)} log-probabilities")
    ids.extend(new_ids)
    mask.extend([trainable] * len(new_ids))
    logprobs.extend(new_logprobs)
    turns.extend([turn] * len(new_ids))
