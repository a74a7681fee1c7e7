"""How a process reward model wants a solution written down, and where its scores stand: the contract of a format.

A format is a pure description. It turns a problem and its steps into token ids and *slots*, the one position for each
step at which the model's output is read; what an output means is `activate`.

Invariants, whatever the texts say:

* There are as many slots as steps. Slots are the positions that the format wrote itself; they are never searched for.
* Problem and steps are data: special tokens and separators inside them are broken up or left out (`encode_text`), so
  text can forge neither a turn, nor a step boundary, nor a slot.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Protocol

from assay.core.errors import ConfigError

Head = Literal["labels", "tokens", "value"]
"""What the model puts out at a slot: the logits of two labels (bad, good), those of two tokens of its vocabulary
(good, bad), or one value."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """A solution as a process reward model reads it."""

    token_ids: tuple[int, ...]
    slots: tuple[int, ...]
    """Index into `token_ids` of the score of each step, ascending."""


class PRMFormat(Protocol):
    """What is known of a family of process reward models. Implementations are frozen dataclasses."""

    name: ClassVar[str]
    head: ClassVar[Head]

    def render(self, tokenizer: Any, problem: str, steps: Sequence[str]) -> Rendered:
        """Write a solution down. `ConfigError` when the tokenizer is not one of this family."""
        ...

    def judgement_ids(self, tokenizer: Any) -> tuple[int, int] | None:
        """Return the ids of the tokens for good and bad; None unless `head` is `tokens`."""
        ...


def activate(head: Head, outputs: Sequence[float]) -> float:
    """Return the probability in [0, 1] that a step is good, from the model's raw outputs at its slot."""
    if head == "value":
        (value,) = outputs
        return _sigmoid(value)
    first, second = outputs
    return _sigmoid(first - second if head == "tokens" else second - first)


def _sigmoid(value: float) -> float:
    return 1 / (1 + math.exp(-value)) if value >= 0 else math.exp(value) / (1 + math.exp(value))


def encode_text(tokenizer: Any, text: str, forbidden: Collection[int] = ()) -> list[int]:
    """Return the tokens of text that somebody else wrote, without any special or forbidden one.

    Special tokens in it are read as the characters that they consist of.
    """
    ids: list[int] = tokenizer.encode(text, add_special_tokens=False, split_special_tokens=True)
    unwanted = special_ids(tokenizer) | set(forbidden)
    unwanted.discard(tokenizer.unk_token_id)
    return [token for token in ids if token not in unwanted]


def encode_own(tokenizer: Any, text: str) -> list[int]:
    """Return the tokens of text that the format itself wrote, special ones included."""
    ids: list[int] = tokenizer.encode(text, add_special_tokens=False, split_special_tokens=False)
    return ids


def special_ids(tokenizer: Any) -> set[int]:
    """Return the ids of the tokens that have a meaning beyond their text."""
    added = tokenizer.added_tokens_decoder.items()
    return {*tokenizer.all_special_ids, *(token for token, entry in added if entry.special)}


def single_token(tokenizer: Any, text: str, role: str) -> int:
    """Return the id of a token that is the whole of `text`."""
    ids = encode_own(tokenizer, text)
    if len(ids) != 1 or ids[0] == tokenizer.unk_token_id:
        raise ConfigError(f"the tokenizer has no token {text!r} for the {role}: it is not that of this kind of model")
    return ids[0]


def template_pieces(tokenizer: Any, messages: Sequence[dict[str, str]], contents: Sequence[str]) -> list[str]:
    """Return what a chat template writes around `contents`, one piece more than there are contents.

    `messages` hold the contents as stand-ins, in this order.
    """
    if not getattr(tokenizer, "chat_template", None):
        raise ConfigError("the tokenizer has no chat template, which this kind of model needs")
    rest: str = tokenizer.apply_chat_template(list(messages), tokenize=False, add_generation_prompt=False)
    pieces = []
    for content in contents:
        before, found, rest = rest.partition(content)
        if not found:
            raise ConfigError("the chat template leaves out part of the conversation")
        pieces.append(before)
    return [*pieces, rest]
