"""ApiModel against a real HTTP server on loopback that misbehaves on purpose."""

from __future__ import annotations

import asyncio
import contextlib
import email.utils
import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from assay.agents.engines.api import ApiModel
from assay.core.chat import ChatModel
from assay.core.errors import ConfigError, EngineFault
from assay.core.message import user

Answer = tuple[int, Any] | tuple[int, Any, dict[str, str]]


def completion(text: str = "yes", **message: Any) -> dict[str, Any]:
    choice = {"message": {"role": "assistant", "content": text, **message}, "finish_reason": "stop"}
    return {"choices": [choice], "usage": {"prompt_tokens": 7, "completion_tokens": 2}}


class Endpoint:
    """Answers with what `respond` returns, and keeps what it was asked."""

    def __init__(self) -> None:
        self.respond: Callable[[int, dict[str, Any]], Answer] = lambda number, body: (200, completion())
        self.models: Answer = (200, {"data": [{"id": "m"}]})
        self.bodies: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.times: list[float] = []
        self.open = self.most = 0
        lock, outer = threading.Lock(), self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                self.send(outer.models)

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                with lock:
                    outer.times.append(time.monotonic())
                    outer.bodies.append(body)
                    outer.headers.append(dict(self.headers))
                    number = len(outer.bodies)
                    outer.open += 1
                    outer.most = max(outer.most, outer.open)
                answer = outer.respond(number, body)
                with lock:
                    outer.open -= 1
                self.send(answer)

            def send(self, answer: Answer) -> None:
                status, body, *headers = answer
                data = body if isinstance(body, bytes) else json.dumps(body).encode()
                self.send_response(status)
                for name, value in (headers[0] if headers else {}).items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                with contextlib.suppress(BrokenPipeError):  # the client has given up
                    self.wfile.write(data)

            def log_message(self, *args: Any) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/v1"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    server = Endpoint()
    yield server
    server.server.shutdown()
    server.server.server_close()


def model(endpoint: Endpoint, name: str = "m", **options: Any) -> ApiModel:
    return ApiModel(name, endpoint.url, **({"backoff": 0.01} | options))


def test_a_reply_and_what_was_asked(endpoint: Endpoint) -> None:
    client = model(endpoint, body={"top_k": 5, "seed": None})
    reply = client.complete([user("really?")], temperature=0.3, max_tokens=9, seed=4)
    assert (reply.text, reply.finish_reason, reply.prompt_tokens, reply.completion_tokens) == ("yes", "stop", 7, 2)
    assert reply.seconds > 0
    assert endpoint.bodies == [
        {
            "model": "m",
            "messages": [{"role": "user", "content": "really?"}],
            "temperature": 0.3,
            "max_tokens": 9,
            "top_k": 5,
        }
    ]
    assert "Authorization" not in endpoint.headers[0]
    assert isinstance(client, ChatModel)
    client.close()
    client.close()


def told(*best: Any) -> dict[str, Any]:
    body = completion("y")
    body["choices"][0]["logprobs"] = {"content": [{"token": "y", "logprob": -0.1, "top_logprobs": list(best)}]}
    return body


def test_the_probabilities_of_the_first_token(endpoint: Endpoint) -> None:
    best = [{"token": "no", "logprob": -2.3, "bytes": [110, 111]}, {"token": "yes", "logprob": -0.1}]
    endpoint.respond = lambda number, body: (200, told(*best))
    client = model(endpoint)
    first = client.first_token([user("really?")], top=2)
    assert first.logprobs == (("yes", -0.1), ("no", -2.3)), "the most probable first"
    assert (first.prompt_tokens, first.completion_tokens, client.usage.prompt_tokens) == (7, 2, 7)
    asked = endpoint.bodies[0]
    assert [asked[name] for name in ("logprobs", "top_logprobs", "max_tokens", "temperature")] == [True, 2, 1, 0.0]
    client.close()


@pytest.mark.parametrize("body", [completion(), told({"token": "yes"}), told({"token": "yes", "logprob": "high"})])
def test_an_endpoint_that_tells_no_probabilities_faults(endpoint: Endpoint, body: dict[str, Any]) -> None:
    endpoint.respond = lambda number, asked: (200, body)
    client = model(endpoint)
    with pytest.raises(EngineFault, match="tells no log-probabilities"):
        client.first_token([user("really?")])
    client.close()


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 529])
def test_what_may_pass_is_tried_again(endpoint: Endpoint, status: int) -> None:
    endpoint.respond = lambda number, body: (status, {"error": "busy"}) if number < 3 else (200, completion())
    client = model(endpoint)
    assert client.complete([user("q")]).text == "yes"
    assert (client.usage.requests, client.usage.retries) == (3, 2)
    assert (client.usage.prompt_tokens, client.usage.completion_tokens) == (7, 2)
    client.close()


def test_waits_grow_and_differ(endpoint: Endpoint) -> None:
    endpoint.respond = lambda number, body: (500, {})
    client = model(endpoint, backoff=0.04, retries=3)
    with pytest.raises(EngineFault, match="failed 4 times; the last time: 500"):
        client.complete([user("q")])
    waits = [b - a for a, b in zip(endpoint.times, endpoint.times[1:], strict=False)]
    for wait, full in zip(waits, (0.04, 0.08, 0.16), strict=True):
        assert full / 2 <= wait < full + 0.5
    client.close()


@pytest.mark.parametrize("as_date", [False, True])
def test_retry_after_is_honoured(endpoint: Endpoint, as_date: bool) -> None:
    def respond(number: int, body: dict[str, Any]) -> Answer:
        if number > 1:
            return 200, completion()
        wait = email.utils.formatdate(time.time() + 2, usegmt=True) if as_date else "0.7"
        return 429, {}, {"Retry-After": wait}

    endpoint.respond = respond
    client = model(endpoint, backoff=30.0)
    client.complete([user("q")])
    assert 0.6 < endpoint.times[1] - endpoint.times[0] < 5.0
    client.close()


def test_slow_and_broken_connections_are_tried_again(endpoint: Endpoint) -> None:
    def respond(number: int, body: dict[str, Any]) -> Answer:
        if number == 1:
            time.sleep(3.0)
        return 200, completion()

    endpoint.respond = respond
    client = model(endpoint, timeout=1.5)
    assert client.complete([user("q")]).text == "yes"
    assert client.usage.retries == 1
    client.close()
    nowhere = ApiModel("m", "http://127.0.0.1:9/v1", retries=2, backoff=0.01)
    with pytest.raises(EngineFault, match="failed 3 times"):
        nowhere.complete([user("q")])
    nowhere.close()


@pytest.mark.parametrize(
    ("status", "body", "message"),
    [
        (401, {"error": {"message": "bad key"}}, "refuses a request without a key .*: bad key"),
        (403, {}, "refuses a request without a key"),
        (404, {"error": {"message": "no such model"}}, "has no model 'm', or is no chat endpoint: no such model"),
        (400, {"error": {"message": "what?", "code": "model_not_found"}}, "has no model 'm'"),
    ],
)
def test_what_the_user_must_mend_is_one_clear_error_at_once(
    endpoint: Endpoint, status: int, body: Any, message: str
) -> None:
    endpoint.respond = lambda number, asked: (status, body)
    client = model(endpoint)
    with pytest.raises(ConfigError, match=message):
        client.complete([user("q")])
    assert len(endpoint.bodies) == 1
    client.close()


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ((400, {"error": {"message": "the context is too long"}}), "refuses the request: 400 the context is too long"),
        ((200, b"<html>hello</html>"), "other than a JSON object"),
        ((200, {"choices": []}), "no chat completion"),
        ((200, {"choices": [{"message": None}]}), "no chat completion"),
    ],
)
def test_answers_that_cannot_be_used_fault_one_request(endpoint: Endpoint, answer: Answer, message: str) -> None:
    endpoint.respond = lambda number, body: answer
    client = model(endpoint)
    with pytest.raises(EngineFault, match=message):
        client.complete([user("q")])
    assert len(endpoint.bodies) == 1
    client.close()


def test_the_key_comes_from_the_environment(endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ASSAY_TEST_KEY", raising=False)
    with pytest.raises(ConfigError, match="ASSAY_TEST_KEY is not set"):
        model(endpoint, api_key_env="ASSAY_TEST_KEY")
    monkeypatch.setenv("ASSAY_TEST_KEY", "s3cret")
    client = model(endpoint, api_key_env="ASSAY_TEST_KEY")
    client.complete([user("q")])
    assert endpoint.headers[0]["Authorization"] == "Bearer s3cret"
    endpoint.respond = lambda number, body: (401, {})
    with pytest.raises(ConfigError, match="refuses the key in ASSAY_TEST_KEY") as caught:
        client.complete([user("q")])
    assert "s3cret" not in str(caught.value)
    client.close()


def test_connections_are_capped_over_threads_and_loops(endpoint: Endpoint) -> None:
    def respond(number: int, body: dict[str, Any]) -> Answer:
        time.sleep(0.05)
        return 200, completion(body["messages"][0]["content"])

    endpoint.respond = respond
    client = model(endpoint, max_connections=3)
    threads = [threading.Thread(target=client.complete, args=([user("t")],)) for _ in range(6)]
    for thread in threads:
        thread.start()

    async def work() -> list[str]:
        return [r.text for r in await asyncio.gather(*(client.chat([user(str(i))]) for i in range(12)))]

    assert asyncio.run(work()) == [str(i) for i in range(12)]
    for thread in threads:
        thread.join()
    assert endpoint.most == 3
    client.close()


def test_the_rate_limit_spaces_requests(endpoint: Endpoint) -> None:
    client = model(endpoint, requests_per_minute=1200)

    async def work() -> None:
        await asyncio.gather(*(client.chat([user("q")]) for _ in range(8)))

    started = time.monotonic()
    asyncio.run(work())
    assert endpoint.times[-1] - started >= 7 * 0.05
    client.close()


def test_the_event_loop_stays_free_and_cancelling_gives_the_place_back(endpoint: Endpoint) -> None:
    answered = threading.Event()

    def respond(number: int, body: dict[str, Any]) -> Answer:
        if body["messages"][0]["content"] == "slow":
            assert answered.wait(60), "the quick request waits for the slow one"
        return 200, completion()

    endpoint.respond = respond
    client = model(endpoint, max_connections=1)

    async def work() -> None:
        slow = asyncio.create_task(client.chat([user("slow")]))
        await asyncio.sleep(0.2)
        slow.cancel()
        await asyncio.wait_for(client.chat([user("quick")]), 50)
        answered.set()

    asyncio.run(work())
    client.close()


def test_check_finds_what_every_request_would_meet(endpoint: Endpoint) -> None:
    model(endpoint).check()
    with pytest.raises(ConfigError, match="has no model 'mm'; it has m"):
        model(endpoint, "mm").check()
    endpoint.models = (401, {})
    with pytest.raises(ConfigError, match="refuses"):
        model(endpoint).check()
    endpoint.models = (404, {})
    model(endpoint).check()
    with pytest.raises(ConfigError, match=r"no endpoint answers: http://127\.0\.0\.1:9/v1/models failed 1 times"):
        ApiModel("m", "http://127.0.0.1:9/v1", retries=0).check()


@pytest.mark.parametrize("address", ["127.0.0.1:8000/v1", "http://", "ftp://host/v1", "http://[bad", "http:// a"])
def test_an_address_that_is_none_is_refused(address: str) -> None:
    with pytest.raises(ConfigError, match="is no address of an endpoint"):
        ApiModel("m", address)


def test_tool_calls_are_read(endpoint: Endpoint) -> None:
    call = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"x": 1}'}}
    endpoint.respond = lambda number, body: (200, completion("", content=None, tool_calls=[call]))
    client = model(endpoint)
    reply = asyncio.run(client.chat([user("q")]))
    assert reply.text == ""
    assert [(c.id, c.name, c.arguments) for c in reply.calls] == [("c1", "f", '{"x": 1}')]
    client.close()
