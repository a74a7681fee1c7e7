"""The server and its clients over real HTTP on loopback, with a real (tiny, random) model behind."""

from __future__ import annotations

import asyncio
import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from assay.agents.api_agent import ApiAgent
from assay.agents.engines.api import ApiModel
from assay.agents.engines.base import Completion, SamplingParams
from assay.agents.engines.hf import HFEngine
from assay.agents.local_chat import LocalChatModel
from assay.agents.server import ChatServer
from assay.core.chat import ChatModel
from assay.core.errors import ConfigError
from assay.core.message import tool_result, user
from assay.core.tool import parse_tool_calls, tool
from tests.agents.engines.conformance import tiny_model, torch
from tests.agents.tokenizers import CHATML, make_tokenizer

TOKENIZER = make_tokenizer(CHATML)


def model_of(tokenizer: Any) -> Any:
    return tiny_model(vocab_size=len(tokenizer), max_position_embeddings=1024)


@pytest.fixture(scope="module")
def server() -> Iterator[ChatServer]:
    with ChatServer(HFEngine(model_of(TOKENIZER)), TOKENIZER, model_name="tiny", max_tokens=16) as running:
        yield running


def post(server: ChatServer, **fields: Any) -> httpx.Response:
    body = {"model": "tiny", "messages": [user("hello")], **fields}
    return httpx.post(f"{server.url}/chat/completions", json=body, timeout=120)


def test_log_probabilities_over_http_are_those_of_a_forward_pass(server: ChatServer) -> None:
    body = post(server, temperature=0.7, seed=3, max_tokens=12, logprobs=True).json()
    (choice,) = body["choices"]
    prompt = TOKENIZER.apply_chat_template([user("hello")], add_generation_prompt=True, return_dict=False)
    entries = choice["logprobs"]["content"]
    sampled = [TOKENIZER.convert_tokens_to_ids(entry["token"]) for entry in entries]
    with torch.no_grad():
        logits = model_of(TOKENIZER)(torch.tensor([[*prompt, *sampled]])).logits[0]
    logprobs = (logits / 0.7).log_softmax(-1)[len(prompt) - 1 : -1]
    expected = logprobs.gather(-1, torch.tensor(sampled)[:, None])[:, 0].numpy()
    np.testing.assert_allclose([entry["logprob"] for entry in entries], expected, atol=1e-4)
    assert bytes(entries[0]["bytes"]).decode() == entries[0]["token"]
    assert body["usage"] == {
        "prompt_tokens": len(prompt),
        "completion_tokens": len(sampled),
        "total_tokens": len(prompt) + len(sampled),
    }
    assert (body["object"], body["model"], choice["finish_reason"]) == ("chat.completion", "tiny", "length")


def test_seeds_repeat_and_choices_do_not_depend_on_n(server: ChatServer) -> None:
    texts = [[c["message"]["content"] for c in post(server, seed=5, n=n).json()["choices"]] for n in (1, 3, 5)]
    assert texts[1] == texts[2][:3]
    assert texts[0] == texts[1][:1]
    assert len(set(texts[2])) == 5
    assert len({post(server).json()["choices"][0]["message"]["content"] for _ in range(3)}) == 3


def test_the_model_is_listed(server: ChatServer) -> None:
    assert [entry["id"] for entry in httpx.get(f"{server.url}/models").json()["data"]] == ["tiny"]


@pytest.mark.parametrize(
    ("fields", "status", "message"),
    [
        ({"model": "huge"}, 404, "there is no model 'huge'; it is 'tiny'"),
        ({"stream": True}, 400, "neither streams nor stop strings"),
        ({"stop": ["x"]}, 400, "neither streams nor stop strings"),
        ({"n": 0}, 400, "n: "),
        ({"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}, 400, "reads text only"),
        ({"messages": []}, 400, "messages: "),
        ({"temperature": -1}, 400, "temperature: "),
        ({"messages": [{"role": "user"}], "max_tokens": "many"}, 400, "max_tokens: "),
    ],
)
def test_what_it_cannot_do_is_refused(server: ChatServer, fields: dict[str, Any], status: int, message: str) -> None:
    response = post(server, **fields)
    assert response.status_code == status
    assert message in response.json()["error"]["message"]


def test_broken_json_and_unknown_paths(server: ChatServer) -> None:
    assert httpx.post(f"{server.url}/chat/completions", content=b"{").status_code == 400
    assert httpx.post(f"{server.url}/completions", json={}).status_code == 404
    assert httpx.get(f"{server.url}/nothing").status_code == 404


def test_our_client_talks_to_it_many_at_a_time(server: ChatServer) -> None:
    client = ApiModel("tiny", server.url, max_connections=16)
    client.check()

    async def work() -> list[str]:
        replies = await asyncio.gather(*(client.chat([user(f"{i}")], seed=i, max_tokens=8) for i in range(48)))
        return [reply.text for reply in replies]

    assert asyncio.run(work()) == asyncio.run(work())
    assert client.complete([user("0")], temperature=1.0, seed=0, max_tokens=8).completion_tokens <= 8
    with pytest.raises(ConfigError, match="has no model 'huge'; it has tiny"):
        ApiModel("huge", server.url).check()
    with pytest.raises(ConfigError, match="has no model 'huge'"):
        ApiModel("huge", server.url).complete([user("0")])
    client.close()


class Script:
    """An engine that says what it is told."""

    weight_version = 0

    def __init__(self, *answers: str) -> None:
        self.answers, self.asked = list(answers), list[str]()

    async def generate(self, token_ids: Sequence[int], sampling: SamplingParams) -> Completion:
        self.asked.append(TOKENIZER.decode(token_ids))
        ids = tuple(TOKENIZER.encode(self.answers.pop(0) + "<|im_end|>", add_special_tokens=False))
        return Completion(ids, (-1.0,) * len(ids), "stop")

    async def update_weights(self, source: Any, version: int) -> None: ...

    async def sleep(self) -> None: ...

    async def wake(self) -> None: ...

    async def close(self) -> None: ...


@tool
def calculator(expression: str) -> str:
    """Evaluate."""
    return expression


CALLS = (
    'so <tool_call>{"name": "calculator", "arguments": {"expression": "7*4"}}</tool_call>'
    '<tool_call>{"name": "calculator", "arguments": {"expression": "1+1"}}</tool_call>'
)
BROKEN = '<tool_call>{"name": "calculator", "arguments": {"expr</tool_call>'


@pytest.mark.parametrize("native", [True, False])
def test_tool_calls_travel_through_the_api_and_arrive_canonical(native: bool) -> None:
    engine = Script(CALLS, BROKEN, "#30")
    with ChatServer(engine, TOKENIZER, model_name="tiny") as server:
        client = ApiModel("tiny", server.url)
        agent = ApiAgent(client, native_tools=native, system="Be brief.")

        async def work() -> list[str]:
            talk = agent.open(tools=[calculator], seed=1)
            first = await talk.act((user("7*4+1+1="),))
            second = await talk.act((tool_result("calculator", "28"), tool_result("calculator", "2")))
            third = await talk.act((tool_result("", "error: no JSON"),))
            assert all(turn.output_tokens > 0 for turn in (first, second, third))  # as the endpoint counts them
            return [first.text, second.text, third.text]

        texts = asyncio.run(work())
        client.close()
    assert [dict(call.arguments) for call in parse_tool_calls(texts[0])] == [
        {"expression": "7*4"},
        {"expression": "1+1"},
    ]
    assert texts[0].startswith("so")
    assert parse_tool_calls(texts[1])[0].error
    assert texts[2] == "#30"
    assert all("calculator" in asked and "Be brief." in asked for asked in engine.asked)
    assert "7*4" in engine.asked[1].split("assistant\n", 1)[1]
    role = "tool" if native else "user"
    assert f"<|im_start|>{role}\n28<|im_end|>\n<|im_start|>{role}\n2<|im_end|>" in engine.asked[1]
    assert "error: no JSON" in engine.asked[2]


def test_calls_that_the_environment_does_not_answer_are_closed() -> None:
    engine = Script(CALLS, "done")
    with ChatServer(engine, TOKENIZER, model_name="tiny") as server:
        client = ApiModel("tiny", server.url)

        async def work() -> str:
            talk = ApiAgent(client).open(tools=[calculator])
            await talk.act((user("q"),))
            return (await talk.act((tool_result("calculator", "28"), user("hurry")))).text

        assert asyncio.run(work()) == "done"
        client.close()
    assert "tool\n28<|im_end|>\n<|im_start|>tool\nnot run<|im_end|>\n<|im_start|>user\nhurry" in engine.asked[1]


def test_a_local_model_is_a_chat_model() -> None:
    chat = LocalChatModel(HFEngine(model_of(TOKENIZER)), TOKENIZER)
    assert isinstance(chat, ChatModel)
    first = chat.complete([user("hi")], max_tokens=6)
    assert first.text == chat.complete([user("hi")], max_tokens=6).text
    assert 0 < first.completion_tokens <= 6
    assert first.prompt_tokens == len(
        TOKENIZER.apply_chat_template([user("hi")], add_generation_prompt=True)["input_ids"]
    )
    chat.close()


@pytest.mark.slow
def test_a_directory_is_served_from_the_command_line(tmp_path: Path) -> None:
    model_of(TOKENIZER).save_pretrained(tmp_path / "tiny")
    TOKENIZER.save_pretrained(tmp_path / "tiny")
    command = [sys.executable, "-m", "assay", "serve", str(tmp_path / "tiny"), "--port", "0"]
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        text=True,
        # A test runner in the background hands down an ignored SIGINT.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        match = re.fullmatch(r"serving 'tiny' at (http://\S+/v1)\n", line)
        assert match, line
        client = ApiModel("tiny", match[1])
        assert client.complete([user("hi")], max_tokens=5).completion_tokens <= 5
        client.close()
    finally:
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0


def test_a_taken_port_is_refused(server: ChatServer) -> None:
    port = int(server.url.split(":")[2].split("/")[0])
    with pytest.raises(ConfigError, match="cannot listen on"):
        ChatServer(Script(), TOKENIZER, port=port)


def test_requests_are_json_as_others_send_it(server: ChatServer) -> None:
    """Fields that the server does not act on are ignored, and content parts are text."""
    body = {
        "model": "tiny",
        "messages": [{"role": "user", "content": [{"type": "text", "text": "hel"}, {"type": "text", "text": "lo"}]}],
        "user": "me",
        "presence_penalty": 0,
        "seed": 3,
        "max_completion_tokens": 4,
    }
    reply = httpx.post(f"{server.url}/chat/completions", content=json.dumps(body), timeout=120).json()
    plain = post(server, seed=3, max_tokens=4).json()
    assert reply["choices"][0]["message"] == plain["choices"][0]["message"]
