"""`json_schema`: the answer is JSON that a schema accepts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from assay.core.errors import ConfigError
from assay.core.task import Task
from assay.core.verdict import Verdict, no_verdict, right, wrong
from assay.verifiers.base import Evidence, Verifier
from assay.verifiers.text.extract import after_reasoning, find_answers
from assay.verifiers.text.schema import Schema, parse_json

_FENCE = re.compile(r"```(?:json)?[ \t]*\n(.*?)\n[ \t]*```", re.DOTALL | re.IGNORECASE)


class JsonSchemaVerifier(Verifier):
    """Right when the JSON of the response keeps the schema, which is an option or the task's target.

    The JSON is the content of `<answer>`, else of the only fenced block, else the whole response.
    """

    name = "json_schema"

    def __init__(self, *, schema: Mapping[str, Any] | None = None, tag: str = "answer") -> None:
        self.schema = Schema(schema) if schema is not None else None
        self.tag = tag

    def check_target(self, task: Task) -> str | None:
        """Return why the target is no schema, or None."""
        try:
            self._schema(task)
        except ConfigError as error:
            return str(error)
        return None

    def verify(self, task: Task, evidence: Evidence) -> Verdict:
        """Parse strictly and validate."""
        try:
            schema = self._schema(task)
        except ConfigError as error:
            return no_verdict(str(error), status="unparsable")
        text = self._json_text(evidence.text)
        if not text:
            return wrong("no JSON found", status="no_answer")
        try:
            value = parse_json(text)
        except ValueError as error:
            return wrong(f"not JSON: {error}", status="unparsable", extracted=text[:500])
        problem = schema.problem(value)
        return wrong(problem, extracted=text[:500]) if problem else right(extracted=text[:500])

    def _schema(self, task: Task) -> Schema:
        if self.schema is not None:
            return self.schema
        if not isinstance(task.target, Mapping | bool):
            raise ConfigError(f"the target must be a JSON schema, not {type(task.target).__name__}")
        return Schema(task.target)

    def _json_text(self, text: str) -> str:
        if tagged := find_answers(text, "tag", tag=self.tag):
            return tagged[-1] if len(tagged) == 1 else ""
        text = after_reasoning(text)
        blocks = _FENCE.findall(text)
        return (blocks[0] if len(blocks) == 1 else text).strip()
