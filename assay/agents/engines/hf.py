"""`HFEngine`: continuous batching over a Hugging Face causal language model, in this process.

Every request is a row of a slot cache (`hf_cache.py`). A scheduler admits what waits, computes prompts in batches,
and decodes all rows together, one token a step; rows come and go between steps. It is written for the case where
the model is the trainer's own and small enough that the time between kernels counts; large models on GPUs are what
the vLLM engine is for.

Invariants:

* One asyncio task computes the steps, inline, and yields to the loop after each. So weights change only between
  steps, there are no locks, and a run is repeatable. (A worker thread was no faster, whether the environments' turns
  took 0 or 1 ms of Python; environments that wait have threads of their own, which run while a kernel does.)
* After `update_weights` or `sleep`, all keys and values are recomputed with the weights of that moment before they
  are used. Requests in flight keep the tokens that they have, and go on with the new weights.
* A row keeps its keys and values after its request has ended, as long as the room is not needed. The next turn of
  the conversation then computes only what is new. Equal prompts that wait together are computed once.
* A seed fixes the random stream of a request (`hf_sampling.py`). Batch neighbours change logits only by floating-
  point rounding (matrix products round differently for different numbers of rows), about 1e-6 in float32.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from assay.agents.engines.base import Completion, SamplingParams
from assay.agents.engines.hf_attention import decoding
from assay.agents.engines.hf_cache import SlotCache
from assay.agents.engines.hf_sampling import most_probable, sample, uniforms
from assay.agents.engines.hf_slots import SlotTable
from assay.core.errors import ConfigError, EngineFault
from assay.core.seeding import derive_seed
from assay.core.trajectory import FinishReason

PASS_COST = 256
"""A forward pass costs about as much as this many tokens of padding (measured on a 1M-parameter model on a CPU)."""


@dataclass(slots=True, eq=False)
class _Request:
    """A request, and afterwards the cached prefix that it leaves behind."""

    tokens: list[int]
    """Prompt and what was sampled so far."""
    prompt_length: int
    sampling: SamplingParams
    seed: int
    future: asyncio.Future[Completion]
    limit: int
    """Number of tokens, prompt included, at which it ends."""
    logprobs: list[float] = field(default_factory=list)
    tops: list[tuple[tuple[int, float], ...]] = field(default_factory=list)
    spans: list[tuple[int, int]] = field(default_factory=list)
    """Versions before the present one, and how many tokens each has sampled."""
    cached: int = 0
    slot: int = -1

    @property
    def uncached(self) -> int:
        """How many tokens the next forward pass must compute."""
        return len(self.tokens) - self.cached

    def close_span(self, version: int) -> None:
        """Note that all tokens since the last span were sampled by `version`."""
        count = len(self.logprobs) - sum(tokens for _, tokens in self.spans)
        if count:
            self.spans.append((version, count))

    @property
    def ended(self) -> bool:
        """Whether it is answered, failed or cancelled."""
        return self.future.done()


class _NotFinite(Exception):
    """Some row's logits are not finite: it is failed, and the rest must not meet what it left in the cache."""


class HFEngine:
    """An `Engine` over a `transformers` causal language model with full attention (Llama, Qwen2, Qwen3, ...)."""

    def __init__(
        self,
        model: Any,
        *,
        max_batch: int = 512,
        max_context: int | None = None,
        max_prefill_tokens: int = 16384,
        dtype: torch.dtype | None = None,
        seed: int = 0,
    ) -> None:
        """Serve `model`, which the caller may go on training (see `update_weights`).

        Args:
            model: the module; it is put in evaluation mode only while a step runs.
            max_batch: rows of the cache: requests computed together plus conversations that wait with their cache.
            max_context: longest sequence in tokens, prompt included; the model's own limit when None.
            max_prefill_tokens: most tokens, padding included, in one forward pass over prompts.
            dtype: run under autocast to this type and keep the cache in it; None computes as the weights are.
            seed: seed of the requests that bring none.
        """
        config = model.config.get_text_config()
        positions = config.max_position_embeddings
        self.weight_version = 0
        self.max_context = positions if max_context is None else min(max_context, positions)
        _check_supported(config, self.max_context)
        self._model, self._dtype, self._seed, self._max_prefill = model, dtype, seed, max_prefill_tokens
        self._cache = SlotCache(dtype)
        self._table: SlotTable[_Request] = SlotTable(max_batch, self._cache.copy_rows)
        self._waiting: deque[_Request] = deque()
        self._autocast = torch.autocast(model.device.type, dtype, enabled=dtype is not None)
        self._task: asyncio.Task[None] | None = None
        self._unseeded = 0
        self._awake, self._closed = True, False

    # -- the Engine protocol ----------------------------------------------------------------------------------

    async def generate(self, token_ids: Sequence[int], sampling: SamplingParams) -> Completion:
        """Sample a continuation; cancelling the call frees its row.

        `finish_reason` is `length` after `max_tokens` or at the end of the context, `stop` after a stop token.
        Raises `EngineFault` when the engine is closed or a step fails.
        """
        if self._closed:
            raise EngineFault("the engine is closed")
        if not token_ids:
            raise ConfigError("an engine needs at least one token to continue")
        limit = min(len(token_ids) + sampling.max_tokens, self.max_context)
        if limit <= len(token_ids):
            return Completion((), (), "length", self.weight_version)
        seed = sampling.seed
        if seed is None:
            self._unseeded += 1
            seed = derive_seed("engine", self._seed, self._unseeded)
        loop = asyncio.get_running_loop()
        request = _Request(list(token_ids), len(token_ids), sampling, seed % 2**64, loop.create_future(), limit)
        self._waiting.append(request)
        self._ensure_running(loop)
        return await request.future

    async def update_weights(self, source: Iterable[tuple[str, torch.Tensor]] | None, version: int) -> None:
        """Take new weights and forget every key and value of the old ones.

        With `source=None` the trainer has changed the shared module in place already; no other task may have run
        since (or the engine must be asleep while the module changes). Otherwise the pairs are copied into the
        module; a name that it does not have, or another shape, is a `ConfigError`, and nothing is changed then.
        """
        if source is not None:
            _load(self._model, source)
        self._forget()
        for request in self._waiting:
            request.close_span(self.weight_version)
        self.weight_version = version

    async def sleep(self) -> None:
        """Stop computing and free the cache. Requests wait until `wake`."""
        self._awake = False
        self._forget()
        self._cache.clear()

    async def wake(self) -> None:
        """Go on."""
        self._awake = True
        if self._waiting:
            self._ensure_running(asyncio.get_running_loop())

    async def close(self) -> None:
        """Stop, and fail what is still waiting with `EngineFault`. Idempotent."""
        self._closed = True
        self._fail("the engine was closed")

    # -- the scheduler ----------------------------------------------------------------------------------------

    def _ensure_running(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._awake and (self._task is None or self._task.done() or self._task.get_loop() is not loop):
            self._task = loop.create_task(self._run())

    async def _run(self) -> None:
        """Step while there is work; then end, so that an idle engine costs nothing and outlives its event loop."""
        while True:
            # Everything that became ready in the last step gets to ask for its next turn before this one begins.
            await asyncio.sleep(0)
            if not self._awake or not (self._waiting or self._table.rows):
                return
            try:
                with torch.inference_mode(), _evaluating(self._model), decoding(self._model), self._autocast:
                    self._step()
            except _NotFinite:
                self._forget()
                self._cache.clear()
            except Exception as error:  # noqa: BLE001 - any failure of a step must reach those who wait for it
                self._fail(f"{type(error).__name__}: {error}")

    def _step(self) -> None:
        """Free the rows of finished and cancelled requests, admit new ones, and decode one token for each row."""
        table = self._table
        table.release()
        self._admit()
        table.release()
        table.tidy()
        if table.rows:
            logits = self._forward(table.rows, range(len(table.rows)))
            taken = [slot for slot, row in enumerate(table.rows) if row is not None]
            self._extend(table.active, logits if len(taken) == len(logits) else logits[taken])

    def _admit(self) -> None:
        """Give rows to waiting requests, compute their prompts, and sample the first token of each."""
        arrivals: list[_Request] = []
        room = self._table.capacity - len(self._table.active)
        while self._waiting and len(arrivals) < room:
            request = self._waiting.popleft()
            if not request.ended:
                arrivals.append(request)
        if not arrivals:
            return
        placement = self._table.place(arrivals)
        followers: dict[int, list[_Request]] = {}
        for leader, follower in placement.followers:
            followers.setdefault(leader.slot, []).append(follower)
        for batch in self._prefill_batches(placement.leaders):
            logits = self._forward(batch, [row.slot for row in batch])
            together = [(row, index) for index, row in enumerate(batch)]
            for index, leader in enumerate(batch):
                for follower in followers.get(leader.slot, ()):
                    follower.cached = leader.cached
                    together.append((follower, index))
            self._extend([row for row, _ in together], logits[[index for _, index in together]])
        self._cache.copy_rows([(leader.slot, row.slot, row.cached) for leader, row in placement.followers])

    def _prefill_batches(self, rows: Sequence[_Request]) -> Iterator[Sequence[_Request]]:
        """Cut rows, sorted by what is to compute, into batches that are not too large and not too padded."""
        begin = 0
        for end in range(1, len(rows) + 1):
            if end < len(rows):
                count, width = end - begin, rows[end].uncached
                padding = count * (width - rows[end - 1].uncached)
                if padding <= PASS_COST and (count + 1) * width <= self._max_prefill:
                    continue
            yield rows[begin:end]
            begin = end

    def _forget(self) -> None:
        """Send everything in flight back to the queue, to be computed again from its tokens."""
        self._waiting.extendleft(reversed(self._table.forget()))

    def _fail(self, reason: str) -> None:
        """Answer all requests with a fault, and start afresh."""
        self._forget()
        self._cache.clear()
        while self._waiting:
            request = self._waiting.popleft()
            if not request.ended:
                request.future.set_exception(EngineFault(reason))

    # -- computing --------------------------------------------------------------------------------------------

    def _forward(self, rows: Sequence[_Request | None], slots: Sequence[int]) -> torch.Tensor:
        """Compute what is not cached of rows in these slots; return logits [rows, vocabulary] of their last tokens."""
        new = [row.tokens[row.cached :] if row else [] for row in rows]
        ends = [len(row.tokens) if row else 0 for row in rows]
        width = max(map(len, new))
        self._cache.reserve(self._table.used, max(ends))
        # Padding is on the left, so that the last column holds the last token of every row.
        ids = np.array([[0] * (width - len(tokens)) + tokens for tokens in new])
        positions = np.array(ends)[:, None] + np.arange(-width, 0)
        positions[np.arange(width) < width - np.array([[len(tokens)] for tokens in new])] = -1
        for row in rows:
            if row:
                row.cached = len(row.tokens)
        device = self._model.device
        visible = self._cache.begin(slots, torch.from_numpy(positions).to(device), max(ends))
        output = self._model(
            input_ids=torch.from_numpy(ids).to(device),
            attention_mask=self._cache.mask(visible, self._dtype or self._model.dtype),
            position_ids=visible,
            past_key_values=self._cache,
            use_cache=True,
            logits_to_keep=1,
        )
        logits: torch.Tensor = output.logits[:, -1]
        return logits

    def _extend(self, rows: Sequence[_Request], logits: torch.Tensor) -> None:
        """Append a sampled token to each row, and answer those that end with it."""
        seeds = np.array([row.seed for row in rows], np.uint64)
        counters = np.array([len(row.logprobs) for row in rows], np.uint64)
        tokens, logprobs = sample(logits, [row.sampling for row in rows], uniforms(seeds, counters))
        lost = [row for row, logprob in zip(rows, logprobs, strict=True) if not math.isfinite(logprob)]
        for row in lost:
            row.future.set_exception(EngineFault("the model's logits are not finite"))
        if lost:
            raise _NotFinite
        curious = [index for index, row in enumerate(rows) if row.sampling.top_logprobs]
        if curious:
            tops = most_probable(logits[curious], [rows[index].sampling for index in curious])
            for index, pairs in zip(curious, tops, strict=True):
                rows[index].tops.append(pairs)
        for row, token, logprob in zip(rows, tokens, logprobs, strict=True):
            row.tokens.append(token)
            row.logprobs.append(logprob)
            if token in row.sampling.stop_token_ids:
                self._answer(row, "stop")
            elif len(row.tokens) >= row.limit:
                self._answer(row, "length")

    def _answer(self, row: _Request, reason: FinishReason) -> None:
        output = tuple(row.tokens[row.prompt_length :])
        if row.spans:
            row.close_span(self.weight_version)
        completion = Completion(
            output, tuple(row.logprobs), reason, self.weight_version, tuple(row.tops), tuple(row.spans)
        )
        row.future.set_result(completion)


@contextlib.contextmanager
def _evaluating(model: torch.nn.Module) -> Iterator[None]:
    """Put the modules that are in training mode into evaluation mode for a while."""
    training = [module for module in model.modules() if module.training]
    for module in training:
        module.training = False
    try:
        yield
    finally:
        for module in training:
            module.training = True


def _load(model: torch.nn.Module, source: Iterable[tuple[str, torch.Tensor]]) -> None:
    """Copy tensors into the parameters and buffers of these names (tied ones may come under either name)."""
    known = dict(model.named_parameters(remove_duplicate=False)) | dict(model.named_buffers(remove_duplicate=False))
    pairs = list(source)
    for name, tensor in pairs:
        if name not in known:
            raise ConfigError(f"the model has no weight {name!r}")
        if known[name].shape != tensor.shape:
            shapes = f"{tuple(tensor.shape)}, not {tuple(known[name].shape)}"
            raise ConfigError(f"weight {name!r} has the shape {shapes}")
    with torch.no_grad():
        for name, tensor in pairs:
            known[name].copy_(tensor)


def _check_supported(config: Any, max_context: int) -> None:
    """Refuse models whose attention a mask of ours cannot express, or that take no mask."""
    if config._attn_implementation not in ("sdpa", "eager"):
        raise ConfigError(
            f"the hf engine cannot use attention {config._attn_implementation!r}; "
            "load the model with attn_implementation='sdpa'"
        )
    kinds = set(getattr(config, "layer_types", None) or ())
    window = getattr(config, "sliding_window", None)
    if window is None or max_context <= window:
        kinds.discard("sliding_attention")
    elif not kinds:
        kinds.add("sliding_attention")  # models of one kind of layer do not list it
    if kinds - {"full_attention"}:
        kind = ", ".join(sorted(kinds - {"full_attention"}))
        hint = f"set max_context={window}, or use vllm" if kind == "sliding_attention" else "use vllm"
        raise ConfigError(f"the hf engine cannot compute {kind} over {max_context} tokens; {hint}")
