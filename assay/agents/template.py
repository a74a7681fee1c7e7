"""A tokenizer's chat template, rendered piece by piece, so that sampled tokens never have to be encoded again.

A conversation is one growing stream of tokens: the opening prompt, what was sampled, the *suffix* that the template
puts between this and the next turn, what is sampled next, ... The suffix is what the template appends when new
messages follow an assistant turn; it is cut from the rendering of a stand-in conversation.

Invariants:

* The stream equals the template's own rendering of the whole conversation wherever the template keeps its prefix,
  which is checked on stand-in conversations when a template is opened. Where it does not (templates that drop
  earlier reasoning, for example) `forks` says so, and the caller renders the whole conversation anew.
* A suffix begins with the token that closes an assistant turn. It is a token of its own, so encoding what follows it
  does not depend on what came before.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from assay.agents.engines.base import Completion
from assay.core.errors import ConfigError
from assay.core.message import Message, assistant, system, text_of, tool_result, user

# Stand-ins. They are compared as text and never encoded, so they may have letters that the vocabulary lacks.
_ANSWER = "stand-in-answer"
_THOUGHT = "<think>\nstand-in-thought\n</think>\n\n"
_QUESTION = user("stand-in-question")
_REASONED = "</think>"


class ChatTemplate:
    """Renders messages to token ids with a Hugging Face tokenizer."""

    def __init__(
        self,
        tokenizer: Any,
        *,
        schemas: Sequence[Mapping[str, Any]] = (),
        options: Mapping[str, Any] | None = None,
    ) -> None:
        """Check the template. Raises `ConfigError` when there is none or it cannot render a question and an answer.

        Args:
            tokenizer: a `PreTrainedTokenizerBase`.
            schemas: of the tools (`Tool.schema()`), for the template to tell the model.
            options: further variables of the template, such as `enable_thinking`.
        """
        self._tokenizer, self._options = tokenizer, dict(options or {})
        self._schemas = [dict(schema) for schema in schemas] or None
        if not getattr(tokenizer, "chat_template", None):
            raise ConfigError("the tokenizer has no chat template; give it one, or choose an instruction-tuned model")
        self.closing = self._closing()
        """The token that closes an assistant turn, or None when the template closes it with plain text."""
        self._tool_role = self._renders(_QUESTION, assistant(_ANSWER), tool_result("tool", "stand-in"))
        self._forks = {
            (role, reasoned): not self._keeps_prefix(role, reasoned)
            for role in ("user", "tool")
            for reasoned in (False, True)
        }

    @property
    def stop_token_ids(self) -> tuple[int, ...]:
        """Tokens that end an assistant turn."""
        return tuple({token for token in (self.closing, self._tokenizer.eos_token_id) if token is not None})

    @property
    def mentions_tools(self) -> bool:
        """Whether the template tells the model of its tools."""
        return self._schemas is None or self._text([_QUESTION]) != self._text([_QUESTION], tools=False)

    def opening(self, messages: Sequence[Message]) -> list[int]:
        """Return the tokens of a whole conversation, up to where the assistant speaks."""
        return self._encode(self._text(self._rendered(messages)))

    def suffix(self, messages: Sequence[Message]) -> list[int]:
        """Return the tokens from the one that closes an assistant turn to where the assistant speaks again."""
        return self._encode(self._suffix_text(messages))

    def spoken(self, completion: Completion) -> str:
        """Return what was said as text, without the token that ended it. Other special tokens stay visible."""
        ids = completion.token_ids[:-1] if completion.finish_reason == "stop" else completion.token_ids
        text: str = self._tokenizer.decode(ids, skip_special_tokens=False, clean_up_tokenization_spaces=False)
        return text

    def forks(self, last_turn: str, messages: Sequence[Message]) -> bool:
        """Return whether the template, given these messages after this turn, renders what went before differently."""
        reasoned = _REASONED in last_turn
        return any(self._forks["tool" if message["role"] == "tool" else "user", reasoned] for message in messages)

    # -- checks -----------------------------------------------------------------------------------------------

    def _closing(self) -> int | None:
        text = self._text([_QUESTION, assistant(_ANSWER)], generate=False)
        if _ANSWER not in text:
            raise ConfigError("the chat template leaves out what the assistant said")
        tail = self._encode(text.partition(_ANSWER)[2])
        special = {*self._tokenizer.all_special_ids, *self._tokenizer.added_tokens_decoder}
        return tail[0] if tail and tail[0] in special else None

    def _keeps_prefix(self, role: str, reasoned: bool) -> bool:
        if self.closing is None:
            return False
        answer = _THOUGHT + _ANSWER if reasoned else _ANSWER
        follow = self._rendered([tool_result("tool", "stand-in") if role == "tool" else user("stand-in")])
        before = self._text([_QUESTION])
        after = self._text([_QUESTION, assistant(answer), *follow])
        return after == before + answer + self._suffix_text(follow)

    def _suffix_text(self, messages: Sequence[Message]) -> str:
        conversation = [_QUESTION, assistant(_ANSWER), *self._rendered(messages)]
        return self._text(conversation).partition(_ANSWER)[2]

    def _renders(self, *messages: Message) -> bool:
        try:
            self._text(list(messages))
        except ConfigError:
            return False
        return True

    # -- rendering --------------------------------------------------------------------------------------------

    def _rendered(self, messages: Sequence[Message]) -> list[Message]:
        """Give tool results to the user where the template knows no tools."""
        if self._tool_role:
            return list(messages)
        return [user(text_of(m)) if m["role"] == "tool" else m for m in messages]

    def _text(self, messages: Sequence[Message], *, generate: bool = True, tools: bool = True) -> str:
        from jinja2 import TemplateError

        try:
            text: str = self._tokenizer.apply_chat_template(
                list(messages),
                tools=self._schemas if tools else None,
                add_generation_prompt=generate,
                tokenize=False,
                **self._options,
            )
        except TemplateError as error:
            roles = ", ".join(message["role"] for message in messages)
            raise ConfigError(f"the chat template cannot render the roles {roles}: {error}") from error
        return text

    def _encode(self, text: str) -> list[int]:
        ids: list[int] = self._tokenizer.encode(text, add_special_tokens=False)
        return ids


def instructed(messages: Sequence[Message], *instructions: str | None) -> list[Message]:
    """Put instructions before a conversation, in one message with its own system message: many templates take one."""
    parts, rest = [text for text in instructions if text], list(messages)
    if parts and rest and rest[0]["role"] == "system":
        parts.append(text_of(rest.pop(0)))
    return [system("\n\n".join(parts)), *rest] if parts else rest
