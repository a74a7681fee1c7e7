"""`function_call`: the calls are the wanted ones, judged by `tool_calls` or `tool_calls_graded`.

Graded scores are made safe here: a surplus call divides the score by the number of surplus calls plus one, and a
call to a tool that the task lists as harmful, unless it is wanted, earns the lowest score.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from assay.core.task import Task
from assay.core.tool import parse_tool_calls
from assay.core.verdict import Verdict, no_verdict
from assay.envs.tools.calls.gold import load, settle
from assay.verifiers.base import Evidence, Verifier
from assay.verifiers.text.extract import after_reasoning
from assay.verifiers.tools.calls import MAX_CALLS, GradedToolCallVerifier, ToolCallVerifier


class FunctionCallVerifier(Verifier):
    """Strict, or graded for a denser reward; `correct` is the strict match either way."""

    name = "function_call"

    def __init__(self, *, graded: bool = False, ordered: bool = False, ignore_case: bool = False) -> None:
        kind = GradedToolCallVerifier if graded else ToolCallVerifier
        self._inner = kind(ordered=ordered, ignore_case=ignore_case)
        self.score_range = self._inner.score_range

    def check_target(self, task: Task) -> str | None:
        """Return why the target cannot be read, or None."""
        try:
            load(task.target)
        except ValueError as error:
            return str(error)
        return None

    def verify(self, task: Task, evidence: Evidence) -> Verdict:
        """Settle which of the accepted values are meant, then compare."""
        try:
            wanted = load(task.target)
        except ValueError as error:
            return no_verdict(f"gold: {error}", status="unparsable")
        text = after_reasoning(evidence.text)
        if not text.strip():
            return self._inner.fail("an empty answer", status="no_answer")
        if "<tool_call>" in text and text.count("<tool_call>") != text.count("</tool_call>"):
            return self._inner.fail("a call is cut off", status="unparsable")
        calls = parse_tool_calls(text)
        readable = [call for call in calls if not call.error] if len(calls) <= MAX_CALLS else []
        gold = settle(wanted, readable, self._inner.rule)
        verdict = self._inner.verify(replace(task, target=gold), evidence)
        if verdict.correct or verdict.score is None:
            return verdict
        harmful = {call.name for call in readable} & set(task.metadata.get("harmful", ())) - {c["name"] for c in gold}
        if harmful:
            return self._inner.fail(f"called {', '.join(sorted(harmful))}", extracted=verdict.extracted)
        surplus = (Counter(call.name for call in readable) - Counter(call["name"] for call in gold)).total()
        low = self.score_range[0]
        return verdict.with_(score=low + (verdict.score - low) / (1 + surplus))
