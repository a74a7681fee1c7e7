"""Published rewards for designs as named presets, with their formulas and without their defects.

What the papers' own graders accept and should not (a design that ends the simulation, prints the verdict, or is small
and wrong) cannot happen here: the functional term comes from `VerilogVerifier`, with the full number of samples, and
costs are added for correct designs only. `assay.audits.hardware.peers` holds the originals' checks, for audits.
"""

from __future__ import annotations

import re
from typing import Any

from assay.core.errors import UnknownNameError
from assay.core.task import Task
from assay.core.verdict import Verdict
from assay.verifiers.base import Evidence
from assay.verifiers.verilog import ppa
from assay.verifiers.verilog.verifier import Judged, VerilogVerifier, quality_of

_TAGS = re.compile(r"\A\s*<think>.+?</think>\s*<answer>(?P<answer>.+?)</answer>\s*\Z", re.DOTALL)


class VeriReasonVerifier(VerilogVerifier):
    """VeriReason (arXiv 2505.11849): 2.1 for a correct design, else 0.1 syntax + the graded rest; 0.1 for the format.

    R = 2.1 if all samples match, else 0.1 * syntax + 1.0 * S; the paper's S compares statements with the golden source
    and pays a down-counter for looking like an up-counter. Here S is the share of samples that match beyond the best
    constant's. R_format = 0.1 for `<think>..</think> <answer>..</answer>` and nothing around it.
    """

    name = "verilog_verireason"

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.score_range = (0.0, 2.2 + self.ppa)

    def score(self, judged: Judged) -> float:
        """Return the design's part of the reward."""
        if judged.correct:
            return 2.1 + self.ppa * (quality_of(judged) or 0.0)
        return 0.1 * judged.syntax + judged.function

    def verify(self, task: Task, evidence: Evidence) -> Verdict:
        """Add the format's part."""
        return with_format(super().verify(task, evidence), evidence.text, 0.1)


class ChipSeekVerifier(VerilogVerifier):
    """ChipSeek-R1 (arXiv 2507.04736): 0.2 for what compiles, 1 for what works, and the PPA term for what works.

    R = r_func + r_ppa, r_ppa = clip((A_gold / A) (D_gold / D), 0.1, 3.0) over transistors and logic levels, since power
    is not known without a cell library. The original adds r_ppa to designs that merely compile. Format: 1.0 for
    `<think>..</think> <answer>..</answer>`.
    """

    name = "verilog_chipseek"
    _LOW, _HIGH = 0.1, 3.0

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.score_range = (0.0, 2.0 + self._HIGH + self.ppa)

    @property
    def measures(self) -> bool:
        """Costs are part of this reward."""
        return True

    def score(self, judged: Judged) -> float:
        """Return the design's part of the reward."""
        if not judged.correct:
            return 0.2 * judged.synthesis
        if judged.costs is None or judged.reference_costs is None:
            return 1.0
        term = ppa.product(judged.reference_costs, judged.costs, low=self._LOW, high=self._HIGH)
        return 1.0 + term + self.ppa * (quality_of(judged) or 0.0)

    def verify(self, task: Task, evidence: Evidence) -> Verdict:
        """Add the format's part."""
        return with_format(super().verify(task, evidence), evidence.text, 1.0)


def with_format(verdict: Verdict, text: str, weight: float) -> Verdict:
    """Return the verdict with the format as a component. Nothing is paid where there is no verdict."""
    followed = float(_TAGS.match(text) is not None)
    parts = {**verdict.parts, "format": followed}
    if verdict.score is None:
        return verdict.with_(parts=parts)
    return verdict.with_(score=verdict.score + weight * followed, parts=parts)


REWARDS: dict[str, type[VerilogVerifier]] = {
    "correct": VerilogVerifier,
    "graded": VerilogVerifier,
    "verireason": VeriReasonVerifier,
    "chipseek": ChipSeekVerifier,
}


def make_reward(name: str, **options: Any) -> VerilogVerifier:
    """Return the verifier of a named reward. Raises `UnknownNameError`."""
    if name not in REWARDS:
        raise UnknownNameError("reward for designs", name, REWARDS)
    if name in ("correct", "graded"):
        return VerilogVerifier(credit="all" if name == "correct" else "graded", **options)
    return REWARDS[name](**options)
