"""One question to a judge model: nonce, budget, bounded retries, strict reading of the reply or of probabilities."""

from __future__ import annotations

import json
import secrets
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeAlias, TypeVar

from assay.core.chat import ChatModel, FirstToken, LogprobModel, Reply
from assay.core.errors import ConfigError, VerifierFault
from assay.core.message import system, user
from assay.core.registry import load
from assay.verifiers.judges.log_odds import TOP, read_log_odds
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


@dataclass(frozen=True, slots=True)
class Vote(Generic[T]):
    """One readable reply."""

    reading: T
    material: str
    """The user message that was answered."""
    text: str
    """The reply, without its reasoning."""


@dataclass(frozen=True, slots=True)
class YesNo:
    """A question whose answer is read from the probabilities of its first token, so no text has to be parsed."""

    instructions: str
    material: Callable[[str], str]
    """Builds the user message around the nonce."""
    minimum_mass: float = 0.5
    """Least probability of yes and no together; a model that would rather say something else has not answered."""


class JudgeClient:
    """Asks a chat model and reads JSON, or the probabilities of yes and no. Safe between threads."""

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
        return self.vote(question, cost, seed=seed).reading

    def vote(self, question: Question[T], cost: Cost, *, seed: int | None = None) -> Vote[T]:
        """Return the reading of the reply with its text. Raises as `ask` does."""
        why = ""
        for _ in range(self.attempts):
            nonce = secrets.token_hex(8)
            self.budget.take_call()
            material = question.material(nonce)
            reply = self.model.complete(
                [system(question.instructions), user(material)],
                temperature=self.temperature,
                max_tokens=self.max_tokens,
                seed=seed,
            )
            self._charge(reply, cost)
            try:
                return Vote(question.read(find_object(reply.text, nonce)), material, after_reasoning(reply.text))
            except ValueError as error:
                why = str(error)
                cost.unreadable += 1
        raise Unreadable(f"the judge's reply cannot be read: {why}")

    def sample(self, questions: Sequence[Question[T]], cost: Cost) -> list[Vote[T]]:
        """Ask each question once; unreadable replies are left out, other faults end it."""
        replies: list[Vote[T]] = []
        for number, question in enumerate(questions):
            try:
                replies.append(self.vote(question, cost, seed=number))
            except Unreadable:
                continue
        return replies

    def log_odds(self, question: YesNo, cost: Cost) -> float:
        """Return log p(yes) − log p(no) of the answer's first token, in nats. Raises as `ask` does."""
        if not isinstance(self.model, LogprobModel):
            raise ConfigError(f"{type(self.model).__name__} tells no log-probabilities: it has no first_token()")
        self.budget.take_call()
        messages = [system(question.instructions), user(question.material(secrets.token_hex(8)))]
        first = self.model.first_token(messages, top=TOP)
        self._charge(first, cost)
        try:
            return read_log_odds(first.logprobs, minimum_mass=question.minimum_mass)
        except ValueError as error:
            cost.unreadable += 1
            raise Unreadable(f"the judge's answer cannot be read: {error}") from None

    def _charge(self, reply: Reply | FirstToken, cost: Cost) -> None:
        self.budget.add_tokens(reply.prompt_tokens + reply.completion_tokens)
        cost.calls += 1
        cost.prompt_tokens += reply.prompt_tokens
        cost.completion_tokens += reply.completion_tokens
        cost.seconds += reply.seconds


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
