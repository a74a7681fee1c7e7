"""Math-Shepherd: plain text with an ordinary word as the tag of a step.

    <problem> Step 1: ... ки
    Step 2: ... ки

The score of a step is p(+) against p(-) at its tag. Source: the model card of math-shepherd-mistral-7b-prm (arXiv
2312.08935). The tag is a word of the vocabulary, so it is taken out of what others wrote; and since SentencePiece makes
other tokens of pieces than of the whole, the text is encoded in one go and slots are found by their characters.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from assay.core.errors import ConfigError
from assay.verifiers.process.formats.base import Head, Rendered, special_ids


@dataclass(frozen=True)
class MathShepherdFormat:
    """A tag at the end of every line of plain text."""

    name: ClassVar[str] = "math-shepherd"
    head: ClassVar[Head] = "tokens"

    tag: str = "ки"
    good: str = "+"
    bad: str = "-"

    def render(self, tokenizer: Any, problem: str, steps: Sequence[str]) -> Rendered:
        """Write the text; each step's slot is the last token of its tag."""
        text, ends = self._without_tag(problem).strip(), []
        for number, step in enumerate(steps):
            text += "\n" if number else " "
            text += f"{self._without_tag(step).strip()} {self.tag}"
            ends.append(len(text))
        encoded = tokenizer(text, return_offsets_mapping=True, split_special_tokens=True)
        unwanted = special_ids(tokenizer) - {tokenizer.unk_token_id}
        own = {tokenizer.bos_token_id, tokenizer.eos_token_id}  # put there by the tokenizer, they cover no character
        ids: list[int] = []
        slots: list[int] = []
        for token, (begin, end) in zip(encoded["input_ids"], encoded["offset_mapping"], strict=True):
            if token in unwanted and not (begin == end and token in own):
                continue  # a special token that could not be broken up
            if len(slots) < len(ends) and begin < ends[len(slots)] <= end:
                slots.append(len(ids))
            ids.append(token)
        if len(slots) != len(steps):
            raise ConfigError(f"the tokenizer loses the tag {self.tag!r}: it is not that of this kind of model")
        return Rendered(tuple(ids), tuple(slots))

    def judgement_ids(self, tokenizer: Any) -> tuple[int, int]:
        """Return the ids of + and - as words of their own, which SentencePiece keeps apart from signs inside a word."""
        ids = tokenizer.encode(f"{self.good} {self.bad}", add_special_tokens=False)
        ids = [token for token in ids if tokenizer.decode([token]).strip()]
        if len(ids) != 2:
            raise ConfigError(f"the tokenizer has no single tokens for {self.good!r} and {self.bad!r}")
        return ids[0], ids[1]

    def _without_tag(self, text: str) -> str:
        while self.tag in text:
            text = text.replace(self.tag, "")
        return text
