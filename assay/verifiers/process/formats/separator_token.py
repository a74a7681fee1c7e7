r"""Qwen2.5-Math-PRM and ReasonFlux-PRM: a chat whose answer has a special token after every step.

    system: Please reason step by step, and put your final answer within \boxed{}.
    user: <problem>
    assistant: <step><extra_0><step><extra_0>...

Two labels at each `<extra_0>`, softmax, the second one is *good*. Sources: the model cards of Qwen2.5-Math-PRM-7B and
ReasonFlux-PRM-7B (arXiv 2501.07301, 2506.18896). The steps of ReasonFlux-PRM are those of the thinking and then of the
response, in one row; all of them are read, not only the first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from assay.verifiers.process.formats.base import (
    Head,
    Rendered,
    encode_own,
    encode_text,
    single_token,
    template_pieces,
)

_PROBLEM, _ANSWER = "stand-in(problem)", "stand-in(answer)"


@dataclass(frozen=True)
class QwenMathFormat:
    """A separator token after every step of one assistant turn."""

    name: ClassVar[str] = "qwen2.5-math-prm"
    head: ClassVar[Head] = "labels"

    system: str = "Please reason step by step, and put your final answer within \\boxed{}."
    """Empty: no system message of our own."""
    separator: str = "<extra_0>"

    def render(self, tokenizer: Any, problem: str, steps: Sequence[str]) -> Rendered:
        """Write the conversation; each step's slot is its separator."""
        separator = single_token(tokenizer, self.separator, "end of a step")
        messages = [{"role": "user", "content": _PROBLEM}, {"role": "assistant", "content": _ANSWER}]
        if self.system:
            messages.insert(0, {"role": "system", "content": self.system})
        before, between, after = template_pieces(tokenizer, messages, [_PROBLEM, _ANSWER])
        ids = encode_own(tokenizer, before) + encode_text(tokenizer, problem.strip(), {separator})
        ids += encode_own(tokenizer, between)
        slots = []
        for step in steps:
            ids += encode_text(tokenizer, step.strip(), {separator})
            slots.append(len(ids))
            ids.append(separator)
        return Rendered((*ids, *encode_own(tokenizer, after)), tuple(slots))

    def judgement_ids(self, tokenizer: Any) -> None:
        """Return None: the model has labels."""


@dataclass(frozen=True)
class ReasonFluxFormat(QwenMathFormat):
    """The same layout; give the steps of the thinking and then those of the response."""

    name: ClassVar[str] = "reasonflux-prm"
