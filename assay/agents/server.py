"""A small OpenAI-compatible HTTP server over any engine: for tests over real HTTP, and to try a trained model.

    assay serve runs/demo/model --port 8000

`POST /v1/chat/completions` knows messages, n, seed, temperature, top_p, top_k, min_p, max_tokens, logprobs,
top_logprobs and tools; `GET /v1/models` lists the one model. A choice i > 0 of a seeded request has a seed derived from
(seed, i), so it does not depend on n. What the server cannot do (streams, stop strings) it refuses instead of ignoring.

A thread waits for each connection while the engine batches all requests on a loop of its own.
"""

from __future__ import annotations

import json
import time
import uuid
from typing import Any

from pydantic import BaseModel, Field, ValidationError

from assay.agents.engines.base import Engine, SamplingParams
from assay.agents.local_chat import Answer, LocalChatModel
from assay.core.errors import AssayError, EngineFault
from assay.core.http_server import BackgroundServer, JsonHandler, serve_until_interrupted
from assay.core.seeding import derive_seed
from assay.core.tool import ToolCall, parse_tool_calls, strip_tool_calls


class ChatRequest(BaseModel):
    """The fields of a request that the server acts on; others are ignored, as endpoints of the field do."""

    model: str
    messages: list[dict[str, Any]] = Field(min_length=1)
    n: int = Field(1, ge=1, le=256)
    seed: int | None = None
    temperature: float = Field(1.0, ge=0.0)
    top_p: float = Field(1.0, gt=0.0, le=1.0)
    top_k: int = Field(0, ge=0)
    min_p: float = Field(0.0, ge=0.0, le=1.0)
    max_tokens: int | None = Field(None, ge=1)
    max_completion_tokens: int | None = Field(None, ge=1)
    logprobs: bool = False
    top_logprobs: int = Field(0, ge=0, le=20)
    tools: list[dict[str, Any]] = []
    stream: bool = False
    stop: str | list[str] | None = None

    def sampling(self, choice: int, max_tokens: int) -> SamplingParams:
        """Return how to sample one of the choices."""
        seed = self.seed if self.seed is None or choice == 0 else derive_seed("choice", self.seed, choice)
        return SamplingParams(
            max_tokens=self.max_completion_tokens or self.max_tokens or max_tokens,
            temperature=self.temperature,
            top_p=self.top_p,
            top_k=self.top_k,
            min_p=self.min_p,
            seed=seed,
            top_logprobs=self.top_logprobs if self.logprobs else 0,
        )


class ChatServer(BackgroundServer):
    """Serves one engine until it is closed. A context manager."""

    def __init__(
        self,
        engine: Engine,
        tokenizer: Any,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        model_name: str = "assay",
        max_tokens: int = 1024,
    ) -> None:
        """Bind the address and start to answer in the background; port 0 takes a free one.

        `max_tokens` holds for requests that name none. Raises `ConfigError` when the address cannot be had.
        """
        self.model_name, self.max_tokens = model_name, max_tokens
        self.chat = LocalChatModel(engine, tokenizer)
        self.tokenizer = tokenizer
        super().__init__(host, port, _Handler, name="assay-server")

    @property
    def url(self) -> str:
        """The base URL for clients, `/v1` included."""
        return f"{super().url}/v1"

    def close(self) -> None:
        """Stop listening and close the engine. Idempotent."""
        super().close()
        self.chat.close()

    def answer(self, request: ChatRequest) -> dict[str, Any]:
        """Return the body of a chat completion."""
        if request.model != self.model_name:
            raise _HttpError(404, f"there is no model {request.model!r}; it is {self.model_name!r}", "model_not_found")
        if request.stream or request.stop:
            raise _HttpError(400, "this server knows neither streams nor stop strings")
        messages: list[Any] = [_as_message(message) for message in request.messages]
        futures = [
            self.chat.submit(messages, request.sampling(choice, self.max_tokens), request.tools)
            for choice in range(request.n)
        ]
        answers = [future.result() for future in futures]
        sampled = sum(len(answer.completion.token_ids) for answer in answers)
        prompt = answers[0].prompt_length
        return {
            "id": f"chatcmpl-{uuid.uuid4().hex}",
            "object": "chat.completion",
            "created": int(time.time()),
            "model": self.model_name,
            "choices": [self._choice(request, index, answer) for index, answer in enumerate(answers)],
            "usage": {"prompt_tokens": prompt, "completion_tokens": sampled, "total_tokens": prompt + sampled},
        }

    def models(self) -> dict[str, Any]:
        """Return the body of the list of models."""
        return {"object": "list", "data": [{"id": self.model_name, "object": "model", "owned_by": "assay"}]}

    def _choice(self, request: ChatRequest, index: int, answer: Answer) -> dict[str, Any]:
        completion, content, finish = answer.completion, answer.text, str(answer.completion.finish_reason)
        message: dict[str, Any] = {"role": "assistant", "content": content}
        calls = parse_tool_calls(content) if request.tools else []
        if calls and not any(call.error for call in calls):  # a broken call stays text, for the client to see
            message = {"role": "assistant", "content": strip_tool_calls(content).strip()}
            message["tool_calls"] = [_as_call(call) for call in calls]
            finish = "tool_calls"
        choice: dict[str, Any] = {"index": index, "message": message, "finish_reason": finish}
        if request.logprobs:
            tops = completion.top_logprobs or ((),) * len(completion.token_ids)
            tokens = zip(completion.token_ids, completion.logprobs, tops, strict=True)
            choice["logprobs"] = {
                "content": [
                    {**self._token(token, logprob), "top_logprobs": [self._token(*pair) for pair in top]}
                    for token, logprob, top in tokens
                ]
            }
        return choice

    def _token(self, token_id: int, logprob: float) -> dict[str, Any]:
        text = self.tokenizer.decode([token_id])
        return {"token": text, "logprob": logprob, "bytes": list(text.encode())}


def serve(engine: Engine, tokenizer: Any, host: str = "127.0.0.1", port: int = 8000, **options: Any) -> None:
    """Serve until interrupted (Ctrl-C). The options are those of `ChatServer`."""
    server = ChatServer(engine, tokenizer, host=host, port=port, **options)
    serve_until_interrupted(server, f"serving {server.model_name!r} at {server.url}")


class _HttpError(Exception):
    def __init__(self, status: int, message: str, code: str | None = None) -> None:
        super().__init__(message)
        self.status, self.code = status, code


class _Handler(JsonHandler):
    @property
    def _owner(self) -> ChatServer:
        return self.server.owner  # type: ignore[attr-defined,no-any-return]

    def do_GET(self) -> None:
        """Answer a GET request."""
        if self.path == "/v1/models":
            self.send_json(200, self._owner.models())
        else:
            self._refuse(_HttpError(404, f"there is no GET {self.path}"))

    def do_POST(self) -> None:
        """Answer a POST request."""
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        try:
            if self.path != "/v1/chat/completions":
                raise _HttpError(404, f"there is no POST {self.path}")
            self.send_json(200, self._owner.answer(ChatRequest.model_validate_json(body)))
        except _HttpError as error:
            self._refuse(error)
        except ValidationError as error:
            first = error.errors()[0]
            self._refuse(_HttpError(400, f"{'.'.join(map(str, first['loc']))}: {first['msg']}"))
        except AssayError as error:
            self._refuse(_HttpError(400, str(error)))
        except EngineFault as error:
            self._refuse(_HttpError(500, str(error)))

    def _refuse(self, error: _HttpError) -> None:
        kind = "invalid_request_error" if error.status < 500 else "server_error"
        self.send_json(error.status, {"error": {"message": str(error), "type": kind, "code": error.code}})


def _as_message(message: dict[str, Any]) -> dict[str, Any]:
    """Write the tool calls of an earlier assistant message into its text, as the model wrote them."""
    calls = [
        f'<tool_call>{{"name": {json.dumps(call["function"]["name"])}, '
        f'"arguments": {call["function"].get("arguments") or "{}"}}}</tool_call>'
        for call in message.get("tool_calls") or ()
    ]
    content = message.get("content") or ""
    if not isinstance(content, str):
        if any(part.get("type") != "text" for part in content):
            raise _HttpError(400, "this server reads text only")
        content = "".join(part["text"] for part in content)
    if calls:
        content = "\n".join(part for part in (content, *calls) if part)
    return {"role": message.get("role", ""), "content": content}


def _as_call(call: ToolCall) -> dict[str, Any]:
    arguments = json.dumps(dict(call.arguments), ensure_ascii=False)
    return {
        "id": f"call_{uuid.uuid4().hex[:24]}",
        "type": "function",
        "function": {"name": call.name, "arguments": arguments},
    }
