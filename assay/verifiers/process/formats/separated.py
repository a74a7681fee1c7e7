"""Skywork-o1-Open-PRM and models that TRL trained: problem and steps as plain text with a separator after every step.

Both encode every piece by itself and read the score at the separator's last token:

* Skywork (`skywork-o1`): beginning-of-sequence token, problem and line end, then each step and a line end; one value,
  sigmoid. Source: SkyworkAI/skywork-o1-prm-inference.
* TRL (`trl`): beginning-of-sequence token if there is one, prompt, then each step and `step_separator`; two labels,
  softmax. Source: `PRMTrainer`. What `assay.trainers.prm` trains has this format.

A line end inside a step looks like a boundary to such a model: split with `splitter: line`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from assay.core.errors import ConfigError
from assay.verifiers.process.formats.base import Head, Rendered, encode_own, encode_text


@dataclass(frozen=True)
class TRLFormat:
    """Steps and separators, each encoded by itself."""

    name: ClassVar[str] = "trl"
    head: ClassVar[Head] = "labels"

    separator: str = "\n"
    """TRL's `step_separator`."""

    def render(self, tokenizer: Any, problem: str, steps: Sequence[str]) -> Rendered:
        """Write the text; each step's slot is the last token of its separator."""
        ends = encode_own(tokenizer, self.separator)
        if not ends or tokenizer.unk_token_id in ends:
            raise ConfigError(f"the tokenizer has no token for the separator {self.separator!r}")
        ids = [] if tokenizer.bos_token_id is None else [tokenizer.bos_token_id]
        ids += encode_text(tokenizer, self._opening(problem))
        slots = []
        for step in steps:
            ids += encode_text(tokenizer, self._step(step)) + ends
            slots.append(len(ids) - 1)
        return Rendered(tuple(ids), tuple(slots))

    def judgement_ids(self, tokenizer: Any) -> None:
        """Return None: the model has a head of its own."""

    def _opening(self, problem: str) -> str:
        return problem

    def _step(self, step: str) -> str:
        """Return a step without the separator that cut it from the next one."""
        text = step.strip()
        mark = self.separator.strip()
        while mark and text.endswith(mark):
            text = text.removesuffix(mark).rstrip()
        return text


@dataclass(frozen=True)
class SkyworkFormat(TRLFormat):
    """Line ends, and a value instead of labels."""

    name: ClassVar[str] = "skywork-o1"
    head: ClassVar[Head] = "value"

    def _opening(self, problem: str) -> str:
        return problem.strip() + "\n"
