"""`LocalChatModel`: a `LogprobModel` over an engine in this process, for judges and for the HTTP server."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from typing import Any

from assay.agents.engines.base import Completion, Engine, SamplingParams
from assay.agents.template import ChatTemplate, instructed
from assay.agents.tool_formats import describe_tools
from assay.core.chat import FirstToken, Reply
from assay.core.errors import EngineFault
from assay.core.loop_thread import LoopThread
from assay.core.message import Message


@dataclass(frozen=True, slots=True)
class Answer:
    """A sampled answer. `text` is without the token that ended it."""

    text: str
    prompt_length: int
    """Tokens of the rendered conversation."""
    completion: Completion
    seconds: float

    @property
    def reply(self) -> Reply:
        """The answer as a `ChatModel` gives it."""
        tokens = len(self.completion.token_ids)
        return Reply(self.text, self.completion.finish_reason, self.prompt_length, tokens, self.seconds)


class LocalChatModel:
    """Answers conversations with an engine that nobody else uses: it is driven by a thread of this object."""

    def __init__(self, engine: Engine, tokenizer: Any, *, template_options: Mapping[str, Any] | None = None) -> None:
        """Raises `ConfigError` when the tokenizer's chat template cannot be used."""
        self.engine, self.tokenizer, self._options = engine, tokenizer, template_options
        self._template = ChatTemplate(tokenizer, options=template_options)
        self._thread = LoopThread("assay-local-chat")

    def complete(
        self,
        messages: Sequence[Message],
        *,
        temperature: float = 0.0,
        max_tokens: int = 1024,
        seed: int | None = None,
    ) -> Reply:
        """Return the model's answer; blocks, from any thread. Raises `EngineFault`."""
        sampling = SamplingParams(max_tokens=max_tokens, temperature=temperature, seed=seed)
        return self.submit(messages, sampling).result().reply

    def first_token(self, messages: Sequence[Message], *, top: int = 20) -> FirstToken:
        """Return how the answer would begin; blocks, from any thread. Raises `EngineFault`."""
        answer = self.submit(messages, SamplingParams(max_tokens=1, temperature=0.0, top_logprobs=top)).result()
        if not answer.completion.top_logprobs:
            raise EngineFault("the conversation fills the context: there is no room for an answer")
        best = answer.completion.top_logprobs[0]
        texts = self.tokenizer.batch_decode([[token] for token, _ in best], clean_up_tokenization_spaces=False)
        pairs = tuple((text, logprob) for text, (_, logprob) in zip(texts, best, strict=True))
        return FirstToken(pairs, answer.prompt_length, 1, answer.seconds)

    def submit(
        self, messages: Sequence[Message], sampling: SamplingParams, schemas: Sequence[Mapping[str, Any]] = ()
    ) -> Future[Answer]:
        """Begin to answer a conversation, in which the model may call the tools with these schemas."""
        return self._thread.submit(self._answer(messages, sampling, schemas))

    def close(self) -> None:
        """Close the engine and end the thread. Idempotent."""
        self._thread.submit(self.engine.close()).result()
        self._thread.close()

    async def _answer(
        self, messages: Sequence[Message], sampling: SamplingParams, schemas: Sequence[Mapping[str, Any]]
    ) -> Answer:
        started = time.perf_counter()
        template = self._template
        if schemas:
            template = ChatTemplate(self.tokenizer, schemas=schemas, options=self._options)
            if not template.mentions_tools:
                messages = instructed(messages, describe_tools(schemas))
        prompt = template.opening(messages)
        stops = (*sampling.stop_token_ids, *template.stop_token_ids)
        completion = await self.engine.generate(prompt, replace(sampling, stop_token_ids=stops))
        return Answer(template.spoken(completion), len(prompt), completion, time.perf_counter() - started)
