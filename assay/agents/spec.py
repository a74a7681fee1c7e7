"""AgentConfig: an agent as a few settings, for configuration files and the command line."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import Field, PositiveInt, ValidationError

from assay.agents.base import Agent
from assay.agents.engines.base import Engine, SamplingParams
from assay.core.chat import LogprobModel
from assay.core.config import Config
from assay.core.errors import ConfigError

MAY_DIFFER = frozenset({"api_key_env", "max_connections", "requests_per_minute", "device", "threads"})
"""Settings that do not change what the agent says."""


class AgentConfig(Config):
    """Who acts: a checkpoint directory in this process (`hf`, `vllm`), or a model behind an endpoint (`api`)."""

    engine: Literal["hf", "vllm", "api"] = "hf"
    model: str
    """Checkpoint directory; for `api` the name that the endpoint knows."""
    endpoint: str = "http://127.0.0.1:8000/v1"
    """`api`: address of the OpenAI-compatible server, up to and including the version."""
    api_key_env: str | None = None
    """`api`: environment variable that holds the key; None sends none."""
    max_connections: PositiveInt = 32
    requests_per_minute: float | None = Field(None, gt=0)
    native_tools: bool = True
    """`api`: whether the endpoint parses tool calls; otherwise the model is told how to write them."""
    tool_format: str = "hermes"
    """`hf`, `vllm`: how the model writes tool calls."""
    system: str | None = None
    """A system message before the environment's own."""
    max_tokens: PositiveInt = 1024
    """Tokens in one turn."""
    device: str = "auto"
    """`hf`: `auto` takes a GPU when there is one."""
    threads: PositiveInt | None = None
    """`hf`: CPU threads for one matrix product; None leaves it to torch."""

    def identity(self) -> dict[str, Any]:
        """Return what decides the agent's answers, for comparing runs."""
        return self.model_dump(mode="json", exclude=set(MAY_DIFFER))


@dataclass(frozen=True, slots=True)
class OpenAgent:
    """An agent that is ready, and how to let go of what it holds."""

    agent: Agent
    close: Callable[[], None]


def open_agent(
    config: AgentConfig, *, temperature: float = 1.0, top_p: float = 1.0, top_k: int = 0, min_p: float = 0.0
) -> OpenAgent:
    """Build the agent. `ConfigError` when the model cannot be had, before any episode starts."""
    sampling = SamplingParams(config.max_tokens, temperature, top_p, top_k, min_p)
    if config.engine == "api":
        return _api_agent(config, sampling)
    return _chat_agent(config, sampling)


def chat_model(**settings: Any) -> LogprobModel:
    """Build a chat model for judges from the settings of an `AgentConfig`; its `max_tokens` does not matter here.

    In a configuration: `model: {factory: "assay.agents.spec:chat_model", engine: hf, model: DIRECTORY}`.
    """
    try:
        config = AgentConfig(**settings)
    except ValidationError as error:
        first = error.errors()[0]
        raise ConfigError(f"chat_model: {'.'.join(map(str, first['loc']))}: {first['msg']}") from None
    if config.engine == "api":
        from assay.agents.engines.api import ApiModel

        return ApiModel(
            config.model,
            config.endpoint,
            api_key_env=config.api_key_env,
            max_connections=config.max_connections,
            requests_per_minute=config.requests_per_minute,
        )
    from assay.agents.local_chat import LocalChatModel

    return LocalChatModel(*_local(config))


def _api_agent(config: AgentConfig, sampling: SamplingParams) -> OpenAgent:
    from assay.agents.api_agent import ApiAgent
    from assay.agents.engines.api import ApiModel

    extra = {"top_k": sampling.top_k or None, "min_p": sampling.min_p or None}
    model = ApiModel(
        config.model,
        config.endpoint,
        api_key_env=config.api_key_env,
        max_connections=config.max_connections,
        requests_per_minute=config.requests_per_minute,
        body={name: value for name, value in extra.items() if value is not None},
    )
    model.check()
    agent = ApiAgent(model, sampling=sampling, system=config.system, native_tools=config.native_tools)
    return OpenAgent(agent, model.close)


def _chat_agent(config: AgentConfig, sampling: SamplingParams) -> OpenAgent:
    from assay.agents.chat import ChatAgent

    engine, tokenizer = _local(config)
    agent = ChatAgent(engine, tokenizer, tool_format=config.tool_format, sampling=sampling, system=config.system)

    def close() -> None:
        import asyncio

        asyncio.run(engine.close())

    return OpenAgent(agent, close)


def _local(config: AgentConfig) -> tuple[Engine, Any]:
    """Return the engine and the tokenizer of a checkpoint directory."""
    from assay.agents.checkpoint import pick_device, read_model, read_tokenizer, use_threads

    tokenizer = read_tokenizer(config.model)
    if config.engine == "vllm":
        from assay.agents.engines.vllm import VLLMEngine

        return VLLMEngine(config.model), tokenizer
    from assay.agents.engines.hf import HFEngine

    use_threads(config.threads)
    return HFEngine(read_model(config.model).to(pick_device(config.device))), tokenizer
