"""RLHFlow's Llama-3.1 PRMs: a conversation in which the user gives the steps and the assistant says + or -.

    user: <problem> <step 1>        assistant: +
    user: <step 2>                  assistant: +

The score of a step is p(+) against p(-) where the assistant is about to speak. All answers are `+`, as in the released
evaluation, so one pass over the whole conversation gives all scores. Source: RLHFlow/RLHF-Reward-Modeling, `math/`.
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


@dataclass(frozen=True)
class RLHFlowFormat:
    """One turn for every step."""

    name: ClassVar[str] = "rlhflow"
    head: ClassVar[Head] = "tokens"

    good: str = "+"
    bad: str = "-"

    def render(self, tokenizer: Any, problem: str, steps: Sequence[str]) -> Rendered:
        """Write the conversation; each step's slot is the last token before the assistant's answer."""
        good, _ = self.judgement_ids(tokenizer)
        stand_ins = [f"stand-in({role} {turn})" for turn in range(len(steps)) for role in ("user", "assistant")]
        roles = ("user", "assistant") * len(steps)
        messages = [{"role": role, "content": text} for role, text in zip(roles, stand_ins, strict=True)]
        pieces = template_pieces(tokenizer, messages, stand_ins)
        texts = [step.strip() for step in steps]
        texts[0] = f"{problem.strip()} {texts[0]}"
        ids: list[int] = []
        slots = []
        for turn, text in enumerate(texts):
            ids += encode_own(tokenizer, pieces[2 * turn]) + encode_text(tokenizer, text)
            ids += encode_own(tokenizer, pieces[2 * turn + 1])
            slots.append(len(ids) - 1)
            ids.append(good)
        return Rendered((*ids, *encode_own(tokenizer, pieces[-1])), tuple(slots))

    def judgement_ids(self, tokenizer: Any) -> tuple[int, int]:
        """Return the ids of + and -."""
        return single_token(tokenizer, self.good, "good step"), single_token(tokenizer, self.bad, "bad step")
