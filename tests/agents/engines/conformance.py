"""What every engine that samples from a local model must do. Subclass, give `make`, and pytest runs it all."""

from __future__ import annotations

import asyncio
import contextlib
import copy
import random
from collections.abc import Coroutine, Sequence
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed (extra: train)")
transformers = pytest.importorskip("transformers", reason="transformers is not installed (extra: train)")

from assay.agents.engines.base import Completion, Engine, SamplingParams  # noqa: E402
from assay.core.errors import EngineFault  # noqa: E402

VOCABULARY, CONTEXT, STOP = 40, 128, 3


def tiny_model(seed: int = 0, **changes: Any) -> Any:
    """A two-layer Qwen2-type model with untied weights large enough that contexts matter a lot."""
    torch.manual_seed(seed)
    options = {
        "vocab_size": VOCABULARY,
        "hidden_size": 32,
        "intermediate_size": 48,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "max_position_embeddings": CONTEXT,
        "initializer_range": 0.3,
        "tie_word_embeddings": False,
        "bos_token_id": None,
        "eos_token_id": STOP,
    }
    return transformers.Qwen2ForCausalLM(transformers.Qwen2Config(**(options | changes))).eval()


def reference(model: Any, prompt: Sequence[int], completion: Completion, temperature: float) -> Any:
    """Log-probabilities of a completion by one plain forward pass over all tokens."""
    with torch.no_grad():
        logits = model(torch.tensor([[*prompt, *completion.token_ids]]), use_cache=False).logits[0].float()
    logprobs = (logits / temperature).log_softmax(-1)[len(prompt) - 1 : -1]
    return logprobs.gather(-1, torch.tensor(completion.token_ids)[:, None])[:, 0].numpy()


def worst(model: Any, prompt: Sequence[int], completion: Completion, temperature: float) -> float:
    difference = reference(model, prompt, completion, temperature) - np.array(completion.logprobs)
    return float(np.abs(difference).max())


def run(work: Coroutine[Any, Any, Any]) -> Any:
    """Run with a time limit: a lost request must fail a test, not hang it."""
    return asyncio.run(asyncio.wait_for(work, 120))


def prompts(count: int, seed: int = 0, longest: int = 12) -> list[list[int]]:
    draw = random.Random(seed)
    return [[draw.randrange(4, VOCABULARY) for _ in range(draw.randrange(1, longest + 1))] for _ in range(count)]


class EngineConformance:
    """Mix in and define `make`."""

    tolerance = 1e-4

    def make(self, model: Any) -> Engine:
        raise NotImplementedError

    def model(self, seed: int = 0) -> Any:
        return tiny_model(seed)

    async def converse(self, engine: Engine, model: Any, prompt: list[int], seed: int, turns: int = 3) -> float:
        """Several turns with new context between them; return the worst error of any log-probability."""
        draw, ids, error = random.Random(seed), list(prompt), 0.0
        for turn in range(turns):
            sampling = SamplingParams(
                max_tokens=draw.randrange(1, 12), temperature=0.7, stop_token_ids=(STOP,), seed=100 * seed + turn
            )
            completion = await engine.generate(ids, sampling)
            error = max(error, worst(model, ids, completion, 0.7))
            ids = [*ids, *completion.token_ids, *(draw.randrange(4, VOCABULARY) for _ in range(draw.randrange(1, 4)))]
        return error

    def test_the_most_probable_tokens_of_every_position(self) -> None:
        model, prompt = self.model(), [5, 6, 7]

        async def work() -> list[Completion]:
            async with opened(self.make(model)) as engine:
                asked = [
                    SamplingParams(max_tokens=4, seed=1, top_logprobs=3),
                    SamplingParams(max_tokens=4, seed=1),
                    SamplingParams(max_tokens=2, temperature=0.0, top_logprobs=5),
                ]
                return list(await asyncio.gather(*(engine.generate(prompt, sampling) for sampling in asked)))

        with_top, without, greedy = run(work())
        assert with_top.token_ids == without.token_ids
        assert without.top_logprobs == ()
        for completion, count in ((with_top, 3), (greedy, 5)):
            with torch.no_grad():
                logits = model(torch.tensor([[*prompt, *completion.token_ids]]), use_cache=False).logits[0].float()
            best = logits.log_softmax(-1)[len(prompt) - 1 : -1].topk(count)
            assert [[token for token, _ in at] for at in completion.top_logprobs] == best.indices.tolist()
            values = [[value for _, value in at] for at in completion.top_logprobs]
            np.testing.assert_allclose(values, best.values.numpy(), atol=self.tolerance)
        assert greedy.token_ids == tuple(at[0][0] for at in greedy.top_logprobs)

    def test_logprobs_are_those_of_a_plain_forward_at_a_temperature_over_turns(self) -> None:
        model = self.model()

        async def work() -> list[float]:
            async with opened(self.make(model)) as engine:
                talks = [self.converse(engine, model, prompt, i) for i, prompt in enumerate(prompts(24))]
                return await asyncio.gather(*talks)

        assert max(run(work())) < self.tolerance

    def test_after_an_update_everything_comes_from_the_new_weights(self) -> None:
        """The second turn extends the first one's context, so an engine that kept its old cache would be seen."""
        first, second = self.model(0), self.model(1)

        async def work() -> tuple[float, float, list[int]]:
            async with opened(self.make(copy.deepcopy(first))) as engine:
                sampling = SamplingParams(max_tokens=10, temperature=0.8, seed=5)
                asked = prompts(8, seed=1)
                before = await asyncio.gather(*(engine.generate(p, sampling) for p in asked))
                await engine.update_weights(list(second.state_dict().items()), 7)
                longer = [[*p, *c.token_ids, 9] for p, c in zip(asked, before, strict=True)]
                again = asked + longer
                after = await asyncio.gather(*(engine.generate(p, sampling) for p in again))
                old = max(worst(first, p, c, 0.8) for p, c in zip(asked, before, strict=True))
                new = max(worst(second, p, c, 0.8) for p, c in zip(again, after, strict=True))
                return old, new, [before[0].weight_version, after[0].weight_version, engine.weight_version]

        old, new, versions = run(work())
        assert max(old, new) < self.tolerance
        assert versions == [0, 7, 7]

    def test_a_seeded_request_does_not_depend_on_its_neighbours(self) -> None:
        async def work() -> tuple[list[Completion], list[Completion]]:
            async with opened(self.make(self.model())) as engine:
                asked = prompts(12, seed=2)
                settings = [SamplingParams(max_tokens=16, seed=i) for i in range(len(asked))]
                alone = [await engine.generate(p, s) for p, s in zip(asked, settings, strict=True)]
                crowd = [engine.generate(p, SamplingParams(max_tokens=20)) for p in prompts(30, seed=3)]
                mixed = [engine.generate(p, s) for p, s in zip(asked, settings, strict=True)]
                return alone, (await asyncio.gather(*crowd, *mixed))[len(crowd) :]

        alone, mixed = run(work())
        assert [c.token_ids for c in alone] == [c.token_ids for c in mixed]

    def test_samples_follow_the_distribution(self) -> None:
        """Pearson's chi-square over 1,500 seeds of the first token; the 99.9 % point for 36 degrees is 68."""
        model, prompt, temperature, n = self.model(), [5, 9, 11], 1.5, 1500

        async def work() -> list[Completion]:
            async with opened(self.make(model)) as engine:
                settings = [SamplingParams(max_tokens=1, temperature=temperature, seed=i) for i in range(n)]
                return await asyncio.gather(*(engine.generate(prompt, s) for s in settings))

        counts = np.bincount([c.token_ids[0] for c in run(work())], minlength=VOCABULARY)
        with torch.no_grad():
            expected = (model(torch.tensor([prompt])).logits[0, -1] / temperature).softmax(-1).numpy() * n
        likely = expected >= 5
        observed = np.append(counts[likely], counts[~likely].sum())
        wanted = np.append(expected[likely], expected[~likely].sum())
        assert ((observed - wanted) ** 2 / wanted).sum() < 68

    def test_unseeded_requests_differ_and_seeds_repeat(self) -> None:
        async def work() -> tuple[list[Completion], list[Completion]]:
            async with opened(self.make(self.model())) as engine:
                free = await asyncio.gather(*(engine.generate([5], SamplingParams(max_tokens=20)) for _ in range(6)))
                seeded = SamplingParams(max_tokens=20, seed=3)
                return free, await asyncio.gather(*(engine.generate([5], seeded) for _ in range(3)))

        free, seeded = run(work())
        assert len({c.token_ids for c in free}) == 6
        assert len({c.token_ids for c in seeded}) == 1

    def test_temperature_zero_is_greedy(self) -> None:
        model = self.model()

        async def work() -> Completion:
            async with opened(self.make(model)) as engine:
                return await engine.generate([5, 6], SamplingParams(max_tokens=8, temperature=0.0))

        ids = [5, 6]
        for _ in range(8):
            with torch.no_grad():
                ids.append(int(model(torch.tensor([ids])).logits[0, -1].argmax()))
        assert list(run(work()).token_ids) == ids[2:]

    def test_it_stops_at_a_stop_token_and_keeps_it(self) -> None:
        async def work() -> list[Completion]:
            async with opened(self.make(self.model())) as engine:
                stops = tuple(range(20))
                settings = [SamplingParams(max_tokens=60, stop_token_ids=stops, seed=i) for i in range(10)]
                return await asyncio.gather(*(engine.generate([25], s) for s in settings))

        for completion in run(work()):
            assert completion.finish_reason == "stop"
            assert completion.token_ids[-1] < 20
            assert all(token >= 20 for token in completion.token_ids[:-1])
            assert len(completion.logprobs) == len(completion.token_ids)

    def test_it_ends_at_max_tokens_and_at_the_end_of_the_context(self) -> None:
        async def work() -> tuple[Completion, Completion, Completion]:
            async with opened(self.make(self.model())) as engine:
                short = await engine.generate([5], SamplingParams(max_tokens=4))
                long = await engine.generate([5] * (CONTEXT - 3), SamplingParams(max_tokens=50))
                full = await engine.generate([5] * CONTEXT, SamplingParams(max_tokens=50))
                return short, long, full

        short, long, full = run(work())
        assert (len(short.token_ids), short.finish_reason) == (4, "length")
        assert (len(long.token_ids), long.finish_reason) == (3, "length")
        assert (len(full.token_ids), full.finish_reason) == (0, "length")

    def test_cancelling_a_request_leaves_the_others_alone(self) -> None:
        model = self.model()

        async def work() -> float:
            async with opened(self.make(model)) as engine:
                long = SamplingParams(max_tokens=100, seed=1)
                doomed = [asyncio.create_task(engine.generate(p, long)) for p in prompts(6, seed=4)]
                asked = prompts(6, seed=5)
                kept = [asyncio.create_task(engine.generate(p, SamplingParams(max_tokens=30))) for p in asked]
                await asyncio.sleep(0.01)
                for task in doomed:
                    task.cancel()
                done = await asyncio.gather(*kept)
                assert all(isinstance(r, asyncio.CancelledError) for r in await cancelled(doomed))
                return max(worst(model, p, c, 1.0) for p, c in zip(asked, done, strict=True))

        assert run(work()) < self.tolerance

    def test_requests_wait_while_it_sleeps(self) -> None:
        async def work() -> Completion:
            async with opened(self.make(self.model())) as engine:
                await engine.generate([5], SamplingParams(max_tokens=2))
                await engine.sleep()
                waiting = asyncio.create_task(engine.generate([5, 6], SamplingParams(max_tokens=2)))
                await asyncio.sleep(0.05)
                assert not waiting.done()
                await engine.wake()
                return await waiting

        assert len(run(work()).token_ids) == 2

    def test_closing_fails_what_waits_and_what_comes(self) -> None:
        async def work() -> None:
            engine = self.make(self.model())
            waiting = asyncio.create_task(engine.generate([5], SamplingParams(max_tokens=120)))
            await asyncio.sleep(0)
            await engine.close()
            await engine.close()
            with pytest.raises(EngineFault):
                await waiting
            with pytest.raises(EngineFault):
                await engine.generate([5], SamplingParams(max_tokens=1))

        run(work())


@contextlib.asynccontextmanager
async def opened(engine: Engine) -> Any:
    try:
        yield engine
    finally:
        await engine.close()


async def cancelled(tasks: Sequence[asyncio.Task[Any]]) -> list[Any]:
    return await asyncio.gather(*tasks, return_exceptions=True)
