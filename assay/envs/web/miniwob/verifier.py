"""`miniwob`: the page's own reward for the one problem of the episode, read by the environment."""

from __future__ import annotations

from assay.core.task import Task
from assay.core.verdict import Verdict, right, wrong
from assay.verifiers.base import Evidence, Verifier


class MiniWobVerifier(Verifier):
    """Score: the raw reward without its time penalty, at least 0; correct from 1 on.

    A page that began another problem by itself, or was made to, has no reward to give, and neither has another page.
    """

    name = "miniwob"

    def verify(self, task: Task, evidence: Evidence) -> Verdict:
        """Judge the reward that the page gave."""
        problems, done, reward = (evidence.state[key] for key in ("problems", "done", "reward"))
        if evidence.state["left"]:
            return wrong("the page was left", status="tampered")
        if problems > 1 or (problems == 1 and not done):
            return wrong("the page was started anew", status="tampered")
        if not done:
            return wrong("the page saw no end of its task", status="no_answer")
        parts = {"raw": float(reward)}
        score = min(max(float(reward), 0.0), 1.0)
        if score >= 1.0:
            return right(parts=parts)
        return wrong(f"the page gave {reward:g}", score=score, parts=parts)
