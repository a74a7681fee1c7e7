"""`instructions`: checkable instructions are followed (IFEval).

The target is a list of `{"id": "keywords:existence", "keywords": [...]}`; IFEval's own rows (`instruction_id_list`
beside `kwargs`) are read too. Only the text after the reasoning counts, and an empty response follows nothing.
"""

from __future__ import annotations

from typing import Any

from assay.core.task import Task
from assay.core.verdict import Verdict, no_verdict, wrong
from assay.verifiers.base import Evidence, Verifier
from assay.verifiers.text.extract import after_reasoning
from assay.verifiers.text.instruction_checks import run_check

Instruction = tuple[str, dict[str, Any]]


class InstructionsVerifier(Verifier):
    """Score = share of the instructions that are followed; `correct` when all are. One part for each instruction."""

    name = "instructions"

    def check_target(self, task: Task) -> str | None:
        """Return why an instruction cannot be checked, or None."""
        try:
            for name, arguments in read_instructions(task.target):
                run_check(name, "text", arguments)
        except ValueError as error:
            return str(error)
        return None

    def verify(self, task: Task, evidence: Evidence) -> Verdict:
        """Check every instruction."""
        text = after_reasoning(evidence.text)
        try:
            instructions = read_instructions(task.target)
            followed = [run_check(name, text, arguments) for name, arguments in instructions]
        except ValueError as error:
            return no_verdict(f"gold: {error}", status="unparsable")
        if not text.strip():
            return wrong("the response is empty", status="no_answer")
        parts = {f"{i}:{name}": float(ok) for i, ((name, _), ok) in enumerate(zip(instructions, followed, strict=True))}
        missed = [name for (name, _), ok in zip(instructions, followed, strict=True) if not ok]
        reason = f"not followed: {', '.join(missed)}" if missed else ""
        return Verdict(score=sum(followed) / len(followed), correct=not missed, parts=parts, reason=reason)


def read_instructions(target: Any) -> list[Instruction]:
    """Read a target; ValueError says what is wrong with it."""
    if isinstance(target, dict) and {"instruction_id_list", "kwargs"} <= target.keys():
        names, arguments = target["instruction_id_list"], target["kwargs"]
        if not isinstance(names, list) or not isinstance(arguments, list) or len(names) != len(arguments):
            raise ValueError("instruction_id_list and kwargs must be lists of one length")
        target = [{**(given or {}), "id": name} for name, given in zip(names, arguments, strict=True)]
    if not isinstance(target, list | tuple) or not target:
        raise ValueError("the target must list instructions")
    found = []
    for row in target:
        if not isinstance(row, dict) or not isinstance(row.get("id"), str):
            raise ValueError('an instruction is {"id": ..., arguments}')
        found.append((row["id"], {key: value for key, value in row.items() if key != "id"}))
    return found
