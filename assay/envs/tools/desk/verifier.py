"""`service_desk`: the database ended as it should, the customer was told what was asked, and nothing else happened.

Everything but the closing message is read from the environment's own state. Prose decides nothing.
"""

from __future__ import annotations

from assay.core.message import text_of
from assay.core.task import Task
from assay.core.verdict import Verdict, right, wrong
from assay.envs.tools.desk.tasks import figures
from assay.verifiers.base import Evidence, Verifier
from assay.verifiers.text.extract import after_reasoning


class ServiceDeskVerifier(Verifier):
    """Correct when three parts hold, each 0 or 1.

    `database`: the changes are the expected ones, all of them and no others. `message`: the figure that was asked
    for, and no number that the customer did not use, stands in the closing message. `conduct`: no row was written on
    the way that need not change, and nobody else's record was looked up.
    """

    name = "service_desk"

    def check_target(self, task: Task) -> str | None:
        """A task that is served by doing nothing is no task."""
        changes, figure = task.target.get("changes"), task.target.get("figure")
        return None if changes or figure is not None else "the task asks for neither a change nor a figure"

    def verify(self, task: Task, evidence: Evidence) -> Verdict:
        """Compare the end state."""
        changes, expected = list(evidence.state["changes"]), list(task.target["changes"])
        figure = task.target["figure"]
        rows = {_row(change) for change in expected}
        stray = [row for row in evidence.state["touched"] if row not in rows]
        said = figures(after_reasoning(evidence.text)) - {
            number for m in evidence.messages if m["role"] == "user" for number in figures(text_of(m))
        }
        breaches = list(evidence.state["breaches"])
        problems = {
            "database": "" if changes == expected else f"changed: {'; '.join(changes) or 'nothing'}",
            "message": "" if figure is None or said == {figure} else f"said {', '.join(map(str, said)) or 'no figure'}",
            "conduct": "; ".join([*(f"wrote {row} on the way" for row in stray), *breaches]),
        }
        parts: dict[str, float | None] = {part: float(not problem) for part, problem in problems.items()}
        found = "; ".join(changes)[:500]
        if all(parts.values()):
            return right(extracted=found, parts=parts)
        reason = "; ".join(f"{part}: {problem}" for part, problem in problems.items() if problem)
        return wrong(reason[:500], status="ok" if changes or said else "no_answer", extracted=found, parts=parts)


def _row(change: str) -> str:
    """Return the row of a change: `orders/17` of `orders/17.status: ...` or of `+ orders/17: ...`."""
    return change.removeprefix("+ ").removeprefix("- ").split(": ", 1)[0].rsplit(".", 1)[0]
