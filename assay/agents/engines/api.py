"""`ApiModel`: a client for OpenAI-compatible chat endpoints, for evaluation and judges (it has no token ids).

Invariants:

* At most `max_connections` requests are open and at most `requests_per_minute` begin in any minute, over all
  threads and event loops that use the model: all traffic runs on one loop in a thread of its own.
* Trouble that may pass (429, 5xx, timeouts, broken connections) is tried again with exponential backoff and jitter,
  or after what `Retry-After` says. What cannot pass by waiting is one clear `ConfigError` (key, model, address) or
  an `EngineFault`.
"""

from __future__ import annotations

import asyncio
import email.utils
import os
import random
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpx

from assay.core.chat import FirstToken, Reply
from assay.core.errors import ConfigError, EngineFault
from assay.core.loop_thread import LoopThread
from assay.core.message import Message
from assay.core.tool import Tool

RETRIED = frozenset({408, 409, 425, 429})
"""Status codes, besides all from 500 on, that may go away."""
LONGEST_WAIT = 60.0
"""Seconds; a `Retry-After` beyond it is cut, since the next answer will say again how long to wait."""


@dataclass(frozen=True, slots=True)
class ApiCall:
    """A tool call as the endpoint returned it. `arguments` is JSON text, as the model wrote it, maybe broken."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class ApiReply(Reply):
    """A reply, with the tool calls that the endpoint parsed."""

    calls: tuple[ApiCall, ...] = ()


@dataclass(slots=True)
class ApiUsage:
    """What a model cost so far."""

    requests: int = 0
    retries: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0


class ApiModel:
    """A model behind `POST {base_url}/chat/completions`. A `LogprobModel`; safe to share between threads and loops."""

    def __init__(
        self,
        model: str,
        base_url: str = "https://api.openai.com/v1",
        *,
        api_key_env: str | None = None,
        max_connections: int = 32,
        requests_per_minute: float | None = None,
        retries: int = 6,
        timeout: float = 600.0,
        backoff: float = 0.5,
        body: Mapping[str, Any] | None = None,
    ) -> None:
        """Connects when it is first used.

        Args:
            model: the name that the endpoint knows.
            base_url: the address up to and including the version, such as `http://127.0.0.1:8000/v1`.
            api_key_env: environment variable that holds the key; None sends none. `ConfigError` when it is not set.
            max_connections: most requests at a time.
            requests_per_minute: most requests begun in a minute, retries included; None: no limit.
            retries: how often a request is tried again.
            timeout: seconds for one try, from connecting to the last byte.
            backoff: seconds before the first retry; doubles each time.
            body: fields for every request; None removes a field that would be sent.
        """
        if not re.match(r"https?://[^/\s\[]+|https?://\[[0-9a-fA-F:]+\]", base_url):
            raise ConfigError(f"{base_url!r} is no address of an endpoint; it looks like http://127.0.0.1:8000/v1")
        self.model, self.base_url = model, base_url.rstrip("/")
        self.usage = ApiUsage()
        self._retries, self._timeout, self._backoff, self._body = retries, timeout, backoff, dict(body or {})
        self._key_env, self._headers = api_key_env, _headers(api_key_env)
        self._gap = 60.0 / requests_per_minute if requests_per_minute else 0.0
        self._next_start = 0.0
        self._max_connections = max_connections
        self._session: tuple[httpx.AsyncClient, asyncio.Semaphore] | None = None
        self._thread = LoopThread("assay-api")

    def complete(
        self,
        messages: Sequence[Message],
        *,
        temperature: float = 0.0,
        max_tokens: int = 1024,
        seed: int | None = None,
    ) -> Reply:
        """Return the model's answer; blocks. Raises `EngineFault`, or `ConfigError` when no request could succeed."""
        request = self._payload(messages, temperature=temperature, max_tokens=max_tokens, seed=seed)
        return self._thread.submit(self._chat(request)).result()

    def first_token(self, messages: Sequence[Message], *, top: int = 20) -> FirstToken:
        """Return how the answer would begin; blocks. `EngineFault` also when the endpoint tells no probabilities."""
        request = self._payload(messages, temperature=0.0, max_tokens=1, logprobs=True, top_logprobs=top)
        return self._thread.submit(self._first(request)).result()

    async def chat(
        self,
        messages: Sequence[Mapping[str, Any]],
        *,
        temperature: float = 1.0,
        max_tokens: int = 1024,
        seed: int | None = None,
        tools: Sequence[Tool] = (),
        **fields: Any,
    ) -> ApiReply:
        """Do what `complete` does without blocking the event loop, with tools and further fields of the request."""
        if tools:
            fields["tools"] = [tool.schema() for tool in tools]
        request = self._payload(messages, temperature=temperature, max_tokens=max_tokens, seed=seed, **fields)
        return await asyncio.wrap_future(self._thread.submit(self._chat(request)))

    def check(self) -> None:
        """Raise the error that every request would meet: no connection, a refused key, an unknown model."""
        self._thread.submit(self._check()).result()

    def close(self) -> None:
        """Close the connections. Idempotent."""
        if self._session is not None:
            self._thread.submit(self._session[0].aclose()).result()
            self._session = None
        self._thread.close()

    # -- on the loop of the thread ----------------------------------------------------------------------------

    def _payload(self, messages: Sequence[Mapping[str, Any]], **fields: Any) -> dict[str, Any]:
        payload = {"model": self.model, "messages": list(messages), **fields, **self._body}
        return {name: value for name, value in payload.items() if value is not None}

    async def _chat(self, payload: dict[str, Any]) -> ApiReply:
        return (await self._answer(payload))[1]

    async def _first(self, payload: dict[str, Any]) -> FirstToken:
        body, reply = await self._answer(payload)
        return FirstToken(_read_first(body), reply.prompt_tokens, reply.completion_tokens, reply.seconds)

    async def _answer(self, payload: dict[str, Any]) -> tuple[dict[str, Any], ApiReply]:
        started = time.perf_counter()
        body = await self._request("POST", "/chat/completions", payload)
        reply = _read_reply(body, time.perf_counter() - started)
        self.usage.prompt_tokens += reply.prompt_tokens
        self.usage.completion_tokens += reply.completion_tokens
        return body, reply

    async def _check(self) -> None:
        try:
            listing = await self._request("GET", "/models", retries=min(self._retries, 2))
        except RequestRefused as refusal:
            if refusal.status in (404, 405):  # an endpoint need not list its models
                return
            raise
        except EngineFault as fault:
            raise ConfigError(f"no endpoint answers: {fault}") from fault
        names = [entry.get("id") for entry in listing.get("data") or [] if isinstance(entry, dict)]
        if names and self.model not in names:
            raise ConfigError(f"{self.base_url} has no model {self.model!r}; it has {', '.join(map(str, names[:8]))}")

    async def _request(
        self, method: str, path: str, payload: dict[str, Any] | None = None, *, retries: int | None = None
    ) -> dict[str, Any]:
        """Send a request until it succeeds, is refused, or the retries are used up."""
        retries = self._retries if retries is None else retries
        trouble = ""
        for attempt in range(retries + 1):
            if attempt:
                self.usage.retries += 1
            await self._turn()
            wait: float | None = None
            client, places = self._connect()
            try:
                async with places:
                    self.usage.requests += 1
                    async with asyncio.timeout(self._timeout):
                        response = await client.request(method, self.base_url + path, json=payload)
            except (httpx.TransportError, TimeoutError) as error:
                trouble = str(error) or type(error).__name__
            else:
                if response.is_success:
                    return _object(response)
                trouble = f"{response.status_code} {_complaint(response)}"
                if response.status_code not in RETRIED and response.status_code < 500:
                    raise self._refusal(response, path)
                wait = _retry_after(response)
            if attempt < retries:
                full = min(self._backoff * 2.0**attempt, LONGEST_WAIT)
                # Jitter, so that those who failed together do not come back together.
                await asyncio.sleep(min(wait, LONGEST_WAIT) if wait is not None else random.uniform(full / 2, full))
        raise EngineFault(f"{self.base_url}{path} failed {retries + 1} times; the last time: {trouble}")

    async def _turn(self) -> None:
        """Wait for the rate limit."""
        if self._gap:
            now = time.monotonic()
            start = max(now, self._next_start)
            self._next_start = start + self._gap
            await asyncio.sleep(start - now)

    def _connect(self) -> tuple[httpx.AsyncClient, asyncio.Semaphore]:
        """Return the client and the places for its requests. Waiting happens here, so the client has no time limits."""
        if self._session is None:
            limits = httpx.Limits(max_connections=None, max_keepalive_connections=self._max_connections)
            client = httpx.AsyncClient(limits=limits, timeout=None, headers=self._headers)
            self._session = client, asyncio.Semaphore(self._max_connections)
        return self._session

    def _refusal(self, response: httpx.Response, path: str) -> Exception:
        status, complaint = response.status_code, _complaint(response)
        if status in (401, 403):
            key = f"the key in {self._key_env}" if self._key_env else "a request without a key (set api_key_env)"
            return ConfigError(f"{self.base_url} refuses {key}: {complaint}")
        if path == "/chat/completions" and (status == 404 or "model_not_found" in response.text):
            return ConfigError(f"{self.base_url} has no model {self.model!r}, or is no chat endpoint: {complaint}")
        return RequestRefused(status, f"{self.base_url}{path} refuses the request: {status} {complaint}")


class RequestRefused(EngineFault):
    """The endpoint says no, and would say so again."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def _headers(api_key_env: str | None) -> dict[str, str]:
    if api_key_env is None:
        return {}
    key = os.environ.get(api_key_env, "").strip()
    if not key:
        raise ConfigError(f"the environment variable {api_key_env} is not set; it should hold the API key")
    return {"Authorization": f"Bearer {key}"}


def _object(response: httpx.Response) -> dict[str, Any]:
    try:
        value = response.json()
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise EngineFault(f"{response.request.url} answered with something other than a JSON object")
    return value


def _read_reply(value: dict[str, Any], seconds: float) -> ApiReply:
    try:
        choice = value["choices"][0]
        message, usage = choice["message"], value.get("usage") or {}
        if not isinstance(message.get("content") or "", str):
            raise TypeError(f"content is {type(message['content']).__name__}, not text")
        calls = tuple(
            ApiCall(str(call.get("id") or index), call["function"]["name"], call["function"].get("arguments") or "{}")
            for index, call in enumerate(message.get("tool_calls") or ())
        )
        return ApiReply(
            text=message.get("content") or "",
            finish_reason=choice.get("finish_reason") or "stop",
            prompt_tokens=int(usage.get("prompt_tokens") or 0),
            completion_tokens=int(usage.get("completion_tokens") or 0),
            seconds=seconds,
            calls=calls,
        )
    except (KeyError, IndexError, TypeError, AttributeError) as error:
        raise EngineFault(f"the endpoint's answer is no chat completion: {type(error).__name__} {error}") from error


def _read_first(value: dict[str, Any]) -> tuple[tuple[str, float], ...]:
    try:
        best = value["choices"][0]["logprobs"]["content"][0]["top_logprobs"]
        return tuple(sorted(((str(e["token"]), float(e["logprob"])) for e in best), key=lambda pair: -pair[1]))
    except (KeyError, IndexError, TypeError, ValueError):
        raise EngineFault("the endpoint tells no log-probabilities (logprobs, top_logprobs)") from None


def _complaint(response: httpx.Response) -> str:
    """Return what the body of an error says, in one line."""
    text = response.text
    try:
        error = response.json()["error"]
        text = error["message"] if isinstance(error, dict) else str(error)
    except (ValueError, KeyError, TypeError):
        pass
    return " ".join(text.split())[:200] or response.reason_phrase


def _retry_after(response: httpx.Response) -> float | None:
    """Return the seconds that `Retry-After` asks for, given as a number or as a date (RFC 9110, section 10.2.3)."""
    value = response.headers.get("retry-after")
    if value is None:
        return None
    try:
        return max(float(value), 0.0)
    except ValueError:
        pass
    try:
        return max(email.utils.parsedate_to_datetime(value).timestamp() - time.time(), 0.0)
    except ValueError:
        return None
