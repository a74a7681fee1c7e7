"""One question to a judge model: nonce, budget, bounded retries, strict reading of the reply."""

from __future__ import annotations

import json
import secrets
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeAlias, TypeVar

from assay.core.chat import ChatModel
from assay.core.errors import ConfigError, VerifierFault
from assay.core.message import system, user
from assay.core.registry import load
from assay.verifiers.text.extract import after_reasoning
from assay.verifiers.text.schema import parse_json

T = TypeVar("T")

ModelSpec: TypeAlias = ChatModel | Mapping[str, Any]
"""A model, or `{"factory": "module:attribute", **options}` as configurations write it."""

_MAX_OBJECTS = 64


class BudgetSpent(VerifierFault):
    """No call is left. The sample has no verdict; the run goes on."""


class Unreadable(VerifierFault):
    """The judge's reply cannot be read."""


@dataclass(slots=True)
class Cost:
    """What judging one sample took."""

    calls: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    seconds: float = 0.0
    unreadable: int = 0

    def record(self) -> dict[str, float]:
        """Return the fields for `Verdict.details`."""
        return {
            "calls": self.calls,
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": self.completion_tokens,
            "seconds": self.seconds,
            "unreadable": self.unreadable,
        }


@dataclass(slots=True)
class Budget:
    """Caps on all calls of one judge together; None means no cap. Safe between threads.

    A call is charged before it is made, its tokens after it: the token cap can be passed by the calls in flight.
    """

    calls: int | None = None
    tokens: int | None = None
    used_calls: int = 0
    used_tokens: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False, init=False)

    def take_call(self) -> None:
        """Charge one call, or raise `BudgetSpent`."""
        with self._lock:
            if self.calls is not None and self.used_calls >= self.calls:
                raise BudgetSpent(f"the judge's budget of {self.calls} calls is spent")
            if self.tokens is not None and self.used_tokens >= self.tokens:
                raise BudgetSpent(f"the judge's budget of {self.tokens} tokens is spent")
            self.used_calls += 1

    def add_tokens(self, tokens: int) -> None:
        """Charge tokens."""
        with self._lock:
            self.used_tokens += tokens


@dataclass(frozen=True, slots=True)
class Question(Generic[T]):
    """What to ask, and how to read the reply."""

    instructions: str
    """The system message. It holds nothing that the agent wrote."""
    material: Callable[[str], str]
    """Builds the user message around the nonce."""
    read: Callable[[Mapping[str, Any]], T]
    """Reads the JSON of the reply; ValueError when it does not answer the question."""


class JudgeClient:
    """Asks a chat model and reads JSON. Safe between threads."""

    def __init__(
        self,
        model: ModelSpec,
        *,
        temperature: float = 0.0,
        max_tokens: int = 1024,
        attempts: int = 2,
        budget: Budget | Mapping[str, int] | None = None,
    ) -> None:
        """`attempts` bounds how often one question is asked until its reply can be read."""
        if attempts < 1 or temperature < 0:
            raise ConfigError("a judge needs attempts >= 1 and temperature >= 0")
        self.model = build_model(model)
        self.temperature, self.max_tokens, self.attempts = temperature, max_tokens, attempts
        self.budget = budget if isinstance(budget, Budget) else _budget(budget or {})

    def ask(self, question: Question[T], cost: Cost, *, seed: int | None = None) -> T:
        """Return the reading of the reply.

        Raises:
            Unreadable: no reply could be read within the attempts.
            BudgetSpent: no call is left.
            EngineFault: the model cannot be reached.
        """
        why = ""
        for _ in range(self.attempts):
            nonce = secrets.token_hex(8)
            self.budget.take_call()
            reply = self.model.complete(
                [system(question.instructions), user(question.material(nonce))],
                temperature=self.temperature,
                max_tokens=self.max_tokens,
                seed=seed,
            )
            self.budget.add_tokens(reply.prompt_tokens + reply.completion_tokens)
            cost.calls += 1
            cost.prompt_tokens += reply.prompt_tokens
            cost.completion_tokens += reply.completion_tokens
            cost.seconds += reply.seconds
            try:
                return question.read(find_object(reply.text, nonce))
            except ValueError as error:
                why = str(error)
                cost.unreadable += 1
        raise Unreadable(f"the judge's reply cannot be read: {why}")

    def sample(self, question: Question[T], cost: Cost, votes: int) -> list[T]:
        """Ask several times; unreadable replies are left out, other faults end it. May return fewer than `votes`."""
        readings: list[T] = []
        for number in range(votes):
            try:
                readings.append(self.ask(question, cost, seed=number))
            except Unreadable:
                continue
        return readings


def _budget(caps: Mapping[str, int]) -> Budget:
    if unknown := set(caps) - {"calls", "tokens"}:
        raise ConfigError(f"unknown cap {min(unknown)!r} of a judge's budget; use 'calls' and 'tokens'")
    return Budget(caps.get("calls"), caps.get("tokens"))


def find_object(text: str, nonce: str) -> Mapping[str, Any]:
    """Return the last JSON object of a reply that carries the nonce under `id`; ValueError without one."""
    text = after_reasoning(text)
    decoder = json.JSONDecoder()
    position, found = text.find("{"), None
    for _ in range(_MAX_OBJECTS):
        if position < 0:
            break
        try:
            _, end = decoder.raw_decode(text, position)
            value = parse_json(text[position:end])
        except (ValueError, RecursionError):
            end = position + 1
        else:
            if isinstance(value, dict) and value.get("id") == nonce:
                found = value
        position = text.find("{", end)
    if found is None:
        raise ValueError("no JSON object with the right id")
    return found


def fenced(label: str, text: str, nonce: str) -> str:
    """Return text between delimiters that its author could not know."""
    return f"<<<{label} {nonce}>>>\n{text}\n<<<end of {label} {nonce}>>>"


def build_model(spec: ModelSpec) -> ChatModel:
    """Return the chat model; a mapping names its factory."""
    if isinstance(spec, Mapping):
        options = dict(spec)
        factory = options.pop("factory", None)
        if not isinstance(factory, str):
            raise ConfigError("a judge's model is a ChatModel or {factory: 'module:attribute', options}")
        spec = load(factory)(**options)
    if not isinstance(spec, ChatModel):
        raise ConfigError(f"{type(spec).__name__} is no chat model: it has no complete()")
    return spec
