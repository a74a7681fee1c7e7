"""`tool_calls` and `tool_calls_graded`: the agent made the calls that were wanted.

The target is a list of `{"name": ..., "arguments": {...}}`; an empty list asks for no call at all. Calls are read in
canonical form (`core.tool`) from the final turn, or from the whole transcript with `scope="transcript"`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from assay.core.errors import ConfigError
from assay.core.message import text_of
from assay.core.task import Task
from assay.core.tool import ToolCall, parse_tool_calls
from assay.core.verdict import Verdict, no_verdict, right, wrong
from assay.verifiers.base import Evidence, Verifier
from assay.verifiers.text.extract import after_reasoning
from assay.verifiers.tools.matching import ArgumentRule, calls_equal, graded_share

Scope = Literal["final", "transcript"]
MAX_CALLS = 200


class ToolCallVerifier(Verifier):
    """Right when exactly the wanted calls were made: names, keys and values, as parsed JSON."""

    name = "tool_calls"

    def __init__(
        self,
        *,
        ordered: bool = False,
        scope: Scope = "final",
        text_numbers: bool = False,
        ignore_case: bool = False,
    ) -> None:
        """`ordered` is for calls that build on each other; parallel calls have no order."""
        if scope not in ("final", "transcript"):
            raise ConfigError(f"unknown scope {scope!r}; use 'final' or 'transcript'")
        self.ordered, self.scope = ordered, scope
        self.rule = ArgumentRule(text_numbers, ignore_case)

    def check_target(self, task: Task) -> str | None:
        """Return why the target is no list of calls, or None."""
        try:
            read_calls(task.target)
        except ValueError as error:
            return str(error)
        return None

    def verify(self, task: Task, evidence: Evidence) -> Verdict:
        """Parse and compare."""
        try:
            gold = read_calls(task.target)
        except ValueError as error:
            return no_verdict(f"gold: {error}", status="unparsable")
        calls = self._calls(evidence)
        extracted = "".join(call.render() for call in calls if not call.error)[:1000]
        if len(calls) > MAX_CALLS:
            return self.fail(f"more than {MAX_CALLS} calls", extracted=extracted)
        if broken := next((call.error for call in calls if call.error), ""):
            return self.fail(broken, status="unparsable", extracted=extracted)
        if gold and not calls:
            return self.fail("no tool call", status="no_answer")
        if not gold:
            return self.fail("a call where none was wanted", extracted=extracted) if calls else self.succeed()
        return self.compare(calls, gold, extracted)

    def compare(self, calls: list[ToolCall], gold: list[ToolCall], extracted: str) -> Verdict:
        """Return the strict verdict."""
        if calls_equal(calls, gold, self.rule, ordered=self.ordered):
            return self.succeed(extracted=extracted)
        return self.fail("the calls differ from the wanted ones", extracted=extracted)

    def succeed(self, **fields: Any) -> Verdict:
        """Return the best verdict."""
        return right(score=self.score_range[1], **fields)

    def fail(self, reason: str, **fields: Any) -> Verdict:
        """Return the worst verdict."""
        return wrong(reason, score=self.score_range[0], **fields)

    def _calls(self, evidence: Evidence) -> list[ToolCall]:
        if self.scope == "final":
            return parse_tool_calls(after_reasoning(evidence.text))
        turns = [text_of(m) for m in evidence.messages if m["role"] == "assistant"]
        return [call for turn in turns for call in parse_tool_calls(after_reasoning(turn))]


class GradedToolCallVerifier(ToolCallVerifier):
    """Partial credit for names, keys and values (ToolRL, arXiv 2504.13958); `correct` is still the strict match.

    Scores run from `low` to `high`; ToolRL itself uses −3 to 3. When `ordered`, a right set of calls in the wrong
    order scores like one wrong call.
    """

    name = "tool_calls_graded"

    def __init__(self, *, low: float = 0.0, high: float = 1.0, **options: Any) -> None:
        super().__init__(**options)
        if not low < high:
            raise ConfigError(f"low must be below high, not {low} and {high}")
        self.score_range = (low, high)

    def compare(self, calls: list[ToolCall], gold: list[ToolCall], extracted: str) -> Verdict:
        """Return the graded verdict."""
        share = graded_share(calls, gold, self.rule)
        correct = calls_equal(calls, gold, self.rule, ordered=self.ordered)
        if not correct and self.ordered and calls_equal(calls, gold, self.rule, ordered=False):
            share *= 1 - 1 / (len(gold) + 1)
        low, high = self.score_range
        score = high if correct else min(high, low + (high - low) * share)
        return Verdict(score=score, correct=correct, extracted=extracted)


def read_calls(target: Any) -> list[ToolCall]:
    """Read a gold list of calls; ValueError says what is wrong with it."""
    if not isinstance(target, list | tuple):
        raise ValueError(f"the target must be a list of calls, not {type(target).__name__}")
    calls = []
    for call in target:
        arguments = call.get("arguments", {}) if isinstance(call, Mapping) else None
        if not isinstance(arguments, Mapping) or not isinstance(call.get("name"), str) or not call["name"]:
            raise ValueError('a call is {"name": ..., "arguments": {...}}')
        calls.append(ToolCall(call["name"], dict(arguments)))
    return calls
