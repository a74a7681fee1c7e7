r"""Frames: how an answer has to be written so that a verifier finds it.

A grader that wants `\boxed{}` rejects bare answers, and that is a matter of format, not of mathematics. The audit
tries the gold itself in the common frames, takes the one in which most golds are accepted, and puts generated answers
into it. The table of frames is part of the report.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from assay.audits.calls import CALL_FRAMES, gold_calls, read_calls, write_calls
from assay.audits.case import Case
from assay.audits.trials import RunLimits, VerifierSource, run_cases
from assay.core.errors import ConfigError

FRAMES: Sequence[str] = (
    "{answer}",
    r"The final answer is $\boxed{{answer}}$.",
    "Answer: {answer}",
    "#### {answer}",
    "<answer>{answer}</answer>",
    "<think>Let me see.</think>\n<answer>{answer}</answer>",
    r"<think>Let me see.</think>" "\n" r"The final answer is $\boxed{{answer}}$.",
    "The answer is ${answer}$.",
    "Final Answer: The final answer is ${answer}$. I hope it is correct.",
)
"""`{answer}` stands for the answer; the first of the best is taken."""


@dataclass(frozen=True, slots=True)
class FrameRow:
    """How many golds a verifier accepts in one frame."""

    frame: str
    accepted: int
    n: int

    def to_json(self) -> dict[str, Any]:
        """Return plain data."""
        return {"frame": self.frame, "accepted": self.accepted, "n": self.n}


def gold_in(frame: str, case: Case) -> str:
    """Return a case's gold as a response in a frame, of answers or of calls."""
    if read_calls(case.target) is not None:
        return write_calls(gold_calls(case.target), frame)
    return framed(frame, str(case.target))


def frames_for(golds: Sequence[Case]) -> Sequence[str]:
    """Return the frames to try: those of calls when the golds are calls."""
    return CALL_FRAMES if any(read_calls(g.target) is not None for g in golds) else FRAMES


def framed(frame: str, answer: str) -> str:
    """Put an answer into a frame. Dollar signs around the answer are dropped where the frame brings its own."""
    bare = answer.strip()
    if "$" in frame and len(bare) > 1 and bare[0] == bare[-1] == "$":
        answer = bare[1:-1]
    return frame.replace("{answer}", answer)


def check_frame(frame: str) -> str:
    """Return the frame; `ConfigError` when it has no place for the answer."""
    if "{answer}" not in frame:
        raise ConfigError(f"a frame needs the placeholder {{answer}}, and {frame!r} has none")
    return frame


def choose_frame(
    source: VerifierSource,
    golds: Sequence[Case],
    limits: RunLimits,
    *,
    threshold: float | None = None,
    frames: Sequence[str] | None = None,
    sample: int = 24,
) -> tuple[str, list[FrameRow]]:
    """Return the frame in which most of the golds are accepted, and the table of all frames."""
    golds = golds[:sample]
    frames = frames_for(golds) if frames is None else frames
    cases = [
        Case(
            id=f"frame/{k}/{case.id}",
            target=case.target,
            response=gold_in(frame, case),
            correct=None,
            problem=case.problem,
            metadata=case.metadata,
        )
        for k, frame in enumerate(frames)
        for case in golds
    ]
    trials = run_cases(source, cases, limits, threshold=threshold)
    table = []
    for k, frame in enumerate(frames):
        mine = trials[k * len(golds) : (k + 1) * len(golds)]
        table.append(FrameRow(frame, sum(t.accepted is True for t in mine), len(mine)))
    return max(table, key=lambda row: row.accepted).frame, table
