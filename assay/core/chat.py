"""Protocols through which lower layers use a model without importing one.

A judge or a process-reward verifier needs a model; `verifiers` must not import `agents`. So `agents` implements
these protocols, and verifiers only take them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from assay.core.errors import EngineFault
from assay.core.message import Message


@dataclass(frozen=True, slots=True)
class Reply:
    """What a chat model answered, and what it cost."""

    text: str
    finish_reason: str = "stop"
    prompt_tokens: int = 0
    completion_tokens: int = 0
    seconds: float = 0.0


@runtime_checkable
class ChatModel(Protocol):
    """Anything that answers a conversation with text. Blocking; safe to call from several threads."""

    def complete(
        self,
        messages: Sequence[Message],
        *,
        temperature: float = 0.0,
        max_tokens: int = 1024,
        seed: int | None = None,
    ) -> Reply:
        """Return the model's answer. Raises `EngineFault` when the model cannot be reached."""
        ...


@dataclass(frozen=True, slots=True)
class FirstToken:
    """How a chat model would begin its answer, and what asking cost."""

    logprobs: tuple[tuple[str, float], ...]
    """The most probable first tokens as text, with the log of their probability, the most probable first."""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    seconds: float = 0.0


@runtime_checkable
class LogprobModel(ChatModel, Protocol):
    """A chat model that also tells how probable its words are. Optional: many endpoints cannot."""

    def first_token(self, messages: Sequence[Message], *, top: int = 20) -> FirstToken:
        """Return the `top` (at most 20) first tokens of the answer at temperature 1. Raises as `complete` does."""
        ...


@runtime_checkable
class Scorer(Protocol):
    """Anything that scores the steps of a response (a process reward model)."""

    def score_steps(self, problem: str, steps: Sequence[str]) -> list[float]:
        """Return one score for each step, in order, each in [0, 1]."""
        ...


@runtime_checkable
class BatchScorer(Scorer, Protocol):
    """A scorer that is faster with many solutions at once. Optional."""

    def score_batch(self, solutions: Sequence[tuple[str, Sequence[str]]]) -> list[list[float] | EngineFault]:
        """Return for each (problem, steps) what `score_steps` returns, or the fault that it would raise."""
        ...
