"""`web_task`: the database ended as it should, nothing else changed, and the answer that was asked for is right.

Both come from the environment's own state. What pages show, and what the agent writes around its calls, decides
nothing.
"""

from __future__ import annotations

from assay.core.task import Task
from assay.core.verdict import Verdict, right, wrong
from assay.verifiers.base import Evidence, Verifier


class WebTaskVerifier(Verifier):
    """Correct when two parts hold, each 0 or 1.

    `database`: the changes are the expected ones, all of them and no others. `answer`: the text given to the tool
    `answer` is the expected one; letter case, extra white space and a full stop at the end do not count. A task that
    cannot be done needs no change and a call of the tool `infeasible`, which is wrong for any other task.
    """

    name = "web_task"

    def check_target(self, task: Task) -> str | None:
        """A task that is solved by doing nothing is no task."""
        target = task.target
        return (
            None
            if target.get("changes") or target.get("answer") or target.get("infeasible")
            else "the task asks for neither a change nor an answer, and can be done"
        )

    def verify(self, task: Task, evidence: Evidence) -> Verdict:
        """Compare the end state."""
        changes, answer = list(evidence.state["changes"]), evidence.state["answer"]
        expected, wanted = list(task.target["changes"]), task.target["answer"]
        gave_up = bool(evidence.state.get("infeasible"))
        problems = {
            "database": "" if changes == expected else f"changed: {'; '.join(changes) or 'nothing'}",
            "answer": "" if wanted is None or _normal(answer or "") == _normal(wanted) else f"answered: {answer!r}",
        }
        if gave_up is not bool(task.target.get("infeasible")):
            problems["answer"] = f"said that it {'cannot' if gave_up else 'can'} be done"
        parts: dict[str, float | None] = {part: float(not problem) for part, problem in problems.items()}
        found = "; ".join([*changes, *([answer] if answer else [])])[:500]
        if all(parts.values()):
            return right(extracted=found, parts=parts)
        reason = "; ".join(f"{part}: {problem}" for part, problem in problems.items() if problem)
        return wrong(
            reason[:500], status="ok" if changes or answer or gave_up else "no_answer", extracted=found, parts=parts
        )


def _normal(text: str) -> str:
    return " ".join(text.split()).removesuffix(".").casefold()
