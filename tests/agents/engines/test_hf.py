"""HFEngine: the contract of engines, and what is its own: one batch, a shared module, a cache that never goes stale."""

from __future__ import annotations

import asyncio
import copy
import math
from typing import Any

import pytest

from assay.agents.engines.base import SamplingParams
from assay.agents.engines.hf import HFEngine
from assay.core.errors import ConfigError, EngineFault
from tests.agents.engines.conformance import (
    CONTEXT,
    STOP,
    EngineConformance,
    opened,
    prompts,
    run,
    tiny_model,
    torch,
    transformers,
    worst,
)


class TestContract(EngineConformance):
    def make(self, model: Any) -> HFEngine:
        return HFEngine(model)


class TestContractInACrowdedCache(EngineConformance):
    """Five rows for dozens of requests: rows are handed over, moved and dropped all the time."""

    def make(self, model: Any) -> HFEngine:
        return HFEngine(model, max_batch=5, max_prefill_tokens=16)


@pytest.mark.parametrize("family", ["Llama", "Qwen3", "Mistral"])
def test_other_families_and_eager_attention(family: str) -> None:
    options = {"vocab_size": 40, "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2}
    options |= {"num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 8, "max_position_embeddings": 64}
    extra = {"sliding_window": None} if family == "Mistral" else {}
    config = getattr(transformers, f"{family}Config")(**options, **extra, initializer_range=0.3)
    for attention in ("sdpa", "eager"):
        config._attn_implementation = attention
        model = getattr(transformers, f"{family}ForCausalLM")(config).eval()
        asked = prompts(5)

        async def work(model: Any = model, asked: Any = asked) -> float:
            engine = HFEngine(model)
            done = await asyncio.gather(*(engine.generate(p, SamplingParams(max_tokens=9)) for p in asked))
            return max(worst(model, p, c, 1.0) for p, c in zip(asked, done, strict=True))

        assert run(work()) < 1e-4


class Spy:
    """Counts the tokens that a model is asked to compute, and looks at its mode."""

    def __init__(self, model: Any) -> None:
        self.widths: list[tuple[int, int]] = []
        self.training: list[bool] = []
        model.register_forward_pre_hook(self._look, with_kwargs=True)

    def _look(self, model: Any, args: Any, kwargs: Any) -> None:
        if kwargs.get("past_key_values") is None:
            return  # a reference pass of the test
        self.widths.append(tuple(kwargs["input_ids"].shape))
        self.training.append(any(module.training for module in model.modules()))


def test_equal_prompts_are_computed_once() -> None:
    model = tiny_model()
    spy = Spy(model)

    async def work() -> None:
        engine = HFEngine(model)
        await asyncio.gather(*(engine.generate([5, 6, 7], SamplingParams(max_tokens=2)) for _ in range(16)))

    run(work())
    assert spy.widths == [(1, 3), (16, 1)]


def test_the_next_turn_computes_only_what_is_new() -> None:
    model = tiny_model()
    spy = Spy(model)

    async def work() -> float:
        engine = HFEngine(model)
        first = await engine.generate([5, 6, 7], SamplingParams(max_tokens=4, seed=1))
        longer = [5, 6, 7, *first.token_ids, 8, 9]
        spy.widths.clear()
        # Two continuations of one conversation (a search tree does that) both profit.
        done = await asyncio.gather(
            engine.generate(longer, SamplingParams(max_tokens=1, seed=2)),
            engine.generate([*longer, 10], SamplingParams(max_tokens=1, seed=3)),
        )
        return max(worst(model, p, c, 1.0) for p, c in zip([longer, [*longer, 10]], done, strict=True))

    assert run(work()) < 1e-4
    assert spy.widths == [(2, 4)]  # the last sampled token, which was never fed, and the two or three new ones


def test_requests_in_flight_go_on_with_the_new_weights() -> None:
    """Tokens sampled after the update have the log-probabilities of the new weights over a recomputed context."""
    first, second = tiny_model(0), tiny_model(1)
    shared = copy.deepcopy(first)
    prompt = [5, 6, 7]

    async def work() -> Any:
        engine = HFEngine(shared)
        flying = asyncio.create_task(engine.generate(prompt, SamplingParams(max_tokens=60, seed=1)))
        for _ in range(12):
            await asyncio.sleep(0)
        assert not flying.done()
        shared.load_state_dict(second.state_dict())
        await engine.update_weights(None, 3)
        return await flying

    completion = run(work())
    assert completion.weight_version == 3
    assert len(completion.token_ids) == 60
    errors = []
    for model in (first, second):
        with torch.no_grad():
            logits = model(torch.tensor([[*prompt, *completion.token_ids]])).logits[0]
        logprobs = logits.log_softmax(-1)[len(prompt) - 1 : -1]
        chosen = logprobs.gather(-1, torch.tensor(completion.token_ids)[:, None])[:, 0]
        errors.append((chosen - torch.tensor(completion.logprobs)).abs())
    old, new = errors[0] < 1e-4, errors[1] < 1e-4
    switch = int(old.long().sum())
    assert 0 < switch < 60
    assert completion.weight_spans == ((0, switch), (3, 60 - switch))
    assert old[:switch].all()
    assert new[switch:].all()
    assert not new[:switch].all()
    assert not old[switch:].any()


def test_in_place_changes_of_a_shared_module_need_no_copy() -> None:
    model = tiny_model()

    async def work() -> tuple[float, float]:
        async with opened(HFEngine(model)) as engine:
            first = await engine.generate([5, 6], SamplingParams(max_tokens=5, seed=1))
            with torch.no_grad():
                for parameter in model.parameters():
                    parameter.mul_(1.1)
            await engine.update_weights(None, 1)
            longer = [5, 6, *first.token_ids, 7]
            second = await engine.generate(longer, SamplingParams(max_tokens=5, seed=1))
            return worst(model, longer, second, 1.0), worst(model, [5, 6], first, 1.0)

    new, old = run(work())
    assert new < 1e-4 < old


def test_a_module_in_training_mode_is_evaluated_without_dropout_and_left_as_it_was() -> None:
    model = tiny_model(attention_dropout=0.5)
    model.train()
    model.model.layers[0].mlp.eval()
    before = [module.training for module in model.modules()]
    spy = Spy(model)

    async def work() -> Any:
        return await HFEngine(model).generate([5, 6], SamplingParams(max_tokens=12))

    completion = run(work())
    assert [module.training for module in model.modules()] == before
    assert not any(spy.training)
    assert worst(model.eval(), [5, 6], completion, 1.0) < 1e-4


def test_an_adapter_that_the_trainer_changes_is_served() -> None:
    peft = pytest.importorskip("peft", reason="peft is not installed (extra: train)")
    model = peft.get_peft_model(tiny_model(), peft.LoraConfig(r=4, target_modules="all-linear", task_type="CAUSAL_LM"))

    async def work() -> tuple[float, float]:
        engine = HFEngine(model)
        sampling = SamplingParams(max_tokens=8, seed=1)
        before = await engine.generate([5, 6], sampling)
        with torch.no_grad():
            for name, parameter in model.named_parameters():
                if "lora_B" in name:
                    parameter.normal_(std=0.3)
        await engine.update_weights(None, 1)
        after = await engine.generate([5, 6], sampling)
        model.eval()
        return worst(model, [5, 6], after, 1.0), worst(model, [5, 6], before, 1.0)

    new, old = run(work())
    assert new < 1e-4 < old


def test_gradients_still_flow_after_sampling() -> None:
    model = tiny_model()
    run(HFEngine(model).generate([5, 6], SamplingParams(max_tokens=3)))
    model(torch.tensor([[5, 6]])).logits.sum().backward()
    assert model.lm_head.weight.grad is not None


def test_bfloat16_autocast_stays_near() -> None:
    model = tiny_model()

    async def work() -> float:
        engine = HFEngine(model, dtype=torch.bfloat16)
        done = await asyncio.gather(*(engine.generate(p, SamplingParams(max_tokens=9)) for p in prompts(6)))
        return max(worst(model, p, c, 1.0) for p, c in zip(prompts(6), done, strict=True))

    assert 1e-5 < run(work()) < 0.3


def test_logits_that_are_not_finite_fail_the_request_and_do_not_spread() -> None:
    """Token 30 has an embedding of NaN. Its neighbours, in flight and in the same rows later, must not notice."""
    model = tiny_model()
    with torch.no_grad():
        model.model.embed_tokens.weight[30] = math.nan
        model.lm_head.weight[30] = 0.0  # a logit of 0 is never the largest, so nobody else says 30

    async def work() -> float:
        engine = HFEngine(model, max_batch=4)
        healthy = [p for p in prompts(30) if 30 not in p][:8]
        sick = asyncio.create_task(engine.generate([5, 30, 6], SamplingParams(max_tokens=8)))
        sampling = SamplingParams(max_tokens=12, temperature=0.0)
        done = await asyncio.gather(*(engine.generate(p, sampling) for p in healthy))
        with pytest.raises(EngineFault, match="not finite"):
            await sick
        return max(worst(model, p, c, 1.0) for p, c in zip(healthy, done, strict=True))

    assert run(work()) < 1e-4


def test_a_failing_step_faults_everyone_and_the_engine_recovers() -> None:
    model = tiny_model()

    async def work() -> None:
        engine = HFEngine(model)
        forward, model.forward = model.forward, lambda **_: 1 / 0
        results = await asyncio.gather(
            *(engine.generate(p, SamplingParams(max_tokens=3)) for p in prompts(4)), return_exceptions=True
        )
        assert [type(r) for r in results] == [EngineFault] * 4
        assert "ZeroDivisionError" in str(results[0])
        model.forward = forward
        assert len((await engine.generate([5], SamplingParams(max_tokens=3))).token_ids) == 3

    run(work())


def test_it_outlives_its_event_loop() -> None:
    engine = HFEngine(tiny_model())
    sampling = SamplingParams(max_tokens=5, seed=1)
    assert run(engine.generate([5], sampling)) == run(engine.generate([5], sampling))


def test_cancelled_requests_give_their_rows_back() -> None:
    async def work() -> None:
        engine = HFEngine(tiny_model(), max_batch=2)
        doomed = [asyncio.create_task(engine.generate([5, i], SamplingParams(max_tokens=120))) for i in range(6, 8)]
        for _ in range(5):
            await asyncio.sleep(0)
        for task in doomed:
            task.cancel()
        waiting = engine.generate([9], SamplingParams(max_tokens=1))
        assert len((await asyncio.wait_for(waiting, 5)).token_ids) == 1

    run(work())


def test_bad_weights_are_refused_and_change_nothing() -> None:
    model = tiny_model()
    before = copy.deepcopy(model.state_dict())
    engine = HFEngine(model)
    good = ("lm_head.weight", torch.zeros(40, 32))
    with pytest.raises(ConfigError, match=r"no weight 'lm_head\.wieght'"):
        run(engine.update_weights([good, ("lm_head.wieght", torch.zeros(40, 32))], 1))
    with pytest.raises(ConfigError, match=r"shape \(41, 32\), not \(40, 32\)"):
        run(engine.update_weights([good, ("lm_head.weight", torch.zeros(41, 32))], 1))
    assert engine.weight_version == 0
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())


def test_tied_weights_may_come_under_either_name() -> None:
    model = tiny_model(tie_word_embeddings=True)
    run(HFEngine(model).update_weights([("lm_head.weight", torch.ones(40, 32))], 1))
    assert torch.equal(model.model.embed_tokens.weight, torch.ones(40, 32))


def test_models_it_cannot_serve_are_refused() -> None:
    model = tiny_model()
    model.config._attn_implementation = "flash_attention_2"
    with pytest.raises(ConfigError, match="attn_implementation='sdpa'"):
        HFEngine(model)
    model = tiny_model()
    model.config.layer_types = ["linear_attention", "full_attention"]
    with pytest.raises(ConfigError, match="cannot compute linear_attention over 128 tokens; use vllm"):
        HFEngine(model)


@pytest.mark.parametrize("listed", [True, False])
def test_windows_are_served_as_far_as_they_see_everything(listed: bool) -> None:
    if listed:
        model = tiny_model(use_sliding_window=True, sliding_window=24, max_window_layers=1)
        assert "sliding_attention" in model.config.layer_types
    else:
        sizes = {"vocab_size": 40, "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2}
        sizes |= {"num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 8, "max_position_embeddings": 64}
        config = transformers.MistralConfig(**sizes, sliding_window=24, initializer_range=0.3)
        model = transformers.MistralForCausalLM(config).eval()
    with pytest.raises(ConfigError, match=r"cannot compute sliding_attention over .*; set max_context=24, or use vllm"):
        HFEngine(model)
    completion = run(HFEngine(model, max_context=24).generate([5, 6], SamplingParams(max_tokens=50)))
    assert len(completion.token_ids) == 22
    assert worst(model, [5, 6], completion, 1.0) < 1e-4


def test_nothing_is_computed_once_it_sleeps() -> None:
    """Also in the moment between the call of `sleep` and the step that was about to begin."""
    model = tiny_model()
    spy = Spy(model)

    async def work() -> None:
        engine = HFEngine(model)
        flying = asyncio.create_task(engine.generate([5], SamplingParams(max_tokens=100)))
        for pause in range(6):
            for _ in range(pause):
                await asyncio.sleep(0)
            await engine.sleep()
            spy.widths.clear()
            for _ in range(5):
                await asyncio.sleep(0)
            assert not spy.widths
            await engine.wake()
        assert len((await flying).token_ids) == 100

    run(work())


def test_a_shorter_context_can_be_asked_for() -> None:
    engine = HFEngine(tiny_model(), max_context=10)
    completion = run(engine.generate([5] * 8, SamplingParams(max_tokens=50)))
    assert (len(completion.token_ids), completion.finish_reason) == (2, "length")
    assert HFEngine(tiny_model(), max_context=10**6).max_context == CONTEXT


def test_stop_tokens_end_only_their_own_request() -> None:
    async def work() -> Any:
        engine = HFEngine(tiny_model())
        stopping = SamplingParams(max_tokens=40, stop_token_ids=(STOP, *range(4, 20)), seed=1)
        return await asyncio.gather(
            engine.generate([5], stopping), engine.generate([5], SamplingParams(max_tokens=40, seed=1))
        )

    stopped, free = run(work())
    assert free.token_ids[: len(stopped.token_ids)] == stopped.token_ids
    assert (stopped.finish_reason, free.finish_reason) == ("stop", "length")
