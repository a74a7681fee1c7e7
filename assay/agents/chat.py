"""`ChatAgent`: a language model behind an engine, talked to through its chat template, tokens in and tokens out.

Invariants:

* What was sampled is never encoded again: a conversation is one growing list of token ids, and only the new messages
  are rendered (see `template.py`). The concatenation of the turns' `prompt_ids` and `output_ids` is exactly what the
  engine saw.
* Where the chat template would render the past differently, the turn starts a new stream: `Turn.fork` is set and its
  `prompt_ids` are the whole conversation.
* `Turn.text` is canonical; the special token that ended the turn is not part of it.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from assay.agents.engines.base import Engine, SamplingParams
from assay.agents.template import ChatTemplate, instructed
from assay.agents.tool_formats import ToolFormat, describe_tools, make_tool_format
from assay.core.message import Message, Observation, assistant, text_of
from assay.core.seeding import derive_seed
from assay.core.tool import Tool
from assay.core.trajectory import Turn


class ChatAgent:
    """An `Agent` over an engine and a tokenizer. Shared by all episodes."""

    def __init__(
        self,
        engine: Engine,
        tokenizer: Any,
        *,
        tool_format: str | ToolFormat = "hermes",
        sampling: SamplingParams | None = None,
        system: str | None = None,
        template_options: Mapping[str, Any] | None = None,
    ) -> None:
        """Raises `ConfigError` when the tokenizer's chat template cannot be used.

        Args:
            engine: samples.
            tokenizer: a `PreTrainedTokenizerBase` with a chat template.
            tool_format: how the model writes tool calls: a name of `TOOL_FORMATS` or a dialect.
            sampling: its `stop_token_ids` are added to the template's own; its `seed` is not used.
            system: a system message before the environment's own.
            template_options: variables of the chat template, such as `enable_thinking`.
        """
        self.engine, self.tokenizer = engine, tokenizer
        self.tool_format = make_tool_format(tool_format) if isinstance(tool_format, str) else tool_format
        self.sampling = sampling or SamplingParams()
        self.system = system
        self._options = template_options
        self._templates: dict[str, ChatTemplate] = {}
        self.template()

    def open(self, *, tools: Sequence[Tool] = (), seed: int = 0) -> ChatConversation:
        """Start a conversation. The seed decides all of its sampling."""
        return ChatConversation(self, tools, seed)

    def template(self, tools: Sequence[Tool] = ()) -> ChatTemplate:
        """Return the chat template for these tools."""
        schemas = [tool.schema() for tool in tools] if self.tool_format.native else []
        key = repr(schemas)
        if key not in self._templates:
            self._templates[key] = ChatTemplate(self.tokenizer, schemas=schemas, options=self._options)
        return self._templates[key]

    def prompt_length(self, observation: Observation, tools: Sequence[Tool] = ()) -> int:
        """Return how many tokens the prompt of an episode's first turn has."""
        return self.open(tools=tools).prompt_length(observation)

    def encode_turn(self, text: str, tools: Sequence[Tool] = ()) -> list[int]:
        """Return the tokens that the model should write for a canonical turn, the closing one included.

        For demonstrations: what was sampled never passes through here.
        """
        written = self.tool_format.from_canonical(text, tools)
        closing = self.template(tools).closing
        end = self.tokenizer.eos_token_id if closing is None else closing
        return [*self.tokenizer.encode(written, add_special_tokens=False), *([] if end is None else [end])]


class ChatConversation:
    """One episode of a `ChatAgent`."""

    def __init__(self, agent: ChatAgent, tools: Sequence[Tool], seed: int) -> None:
        self._agent, self._tools, self._seed = agent, tuple(tools), seed
        self._template = agent.template(self._tools)
        stops = (*agent.sampling.stop_token_ids, *self._template.stop_token_ids)
        self._sampling = replace(agent.sampling, stop_token_ids=tuple(dict.fromkeys(stops)))
        self._messages: list[Message] = []
        self._stream: list[int] = []
        self._turns = 0

    async def act(self, observation: Observation, *, max_tokens: int | None = None) -> Turn:
        """Read the new messages and answer. At the end of the context the answer is empty, `length` its reason."""
        started = time.perf_counter()
        prompt, fork = self._read(observation)
        if fork:
            self._stream.clear()
        self._stream += prompt
        limit = self._sampling.max_tokens if max_tokens is None else min(max_tokens, self._sampling.max_tokens)
        seed = derive_seed("turn", self._seed, self._turns)
        completion = await self._agent.engine.generate(
            self._stream, replace(self._sampling, max_tokens=limit, seed=seed)
        )
        self._turns += 1
        self._stream += completion.token_ids
        written = self._template.spoken(completion)
        self._messages.append(assistant(written))
        return Turn(
            text=self._agent.tool_format.to_canonical(written, self._tools),
            prompt_ids=tuple(prompt),
            output_ids=completion.token_ids,
            logprobs=completion.logprobs,
            finish_reason=completion.finish_reason,
            weight_version=completion.weight_version,
            seconds=time.perf_counter() - started,
            fork=fork,
            weight_spans=completion.weight_spans,
        )

    def prompt_length(self, observation: Observation) -> int:
        """Return how many tokens a first turn would read; nothing is taken note of."""
        return len(self._template.opening(self._introduced(observation)))

    def _read(self, observation: Observation) -> tuple[list[int], bool]:
        """Take note of new messages; return the tokens to append, or those of a new stream and True."""
        if not self._messages:
            self._messages = self._introduced(observation)
            return self._template.opening(self._messages), False
        last = text_of(self._messages[-1])
        self._messages += observation
        if self._template.forks(last, observation):
            return self._template.opening(self._messages), True
        suffix = self._template.suffix(observation)
        # A turn that hit a limit was not closed by the model; then the template's closing token is context.
        closed = self._stream[-1] == self._template.closing
        return suffix[1:] if closed else suffix, False

    def _introduced(self, observation: Observation) -> list[Message]:
        agent, tools = self._agent, None
        if self._tools and agent.tool_format.native and not self._template.mentions_tools:
            tools = describe_tools([tool.schema() for tool in self._tools])
        return instructed(observation, agent.system, tools)
