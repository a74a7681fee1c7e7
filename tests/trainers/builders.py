"""Small models, groups and samples for the tests of the trainer's mathematics."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from transformers import Qwen2Config, Qwen2ForCausalLM

from assay.core.trajectory import Group, Sample, Step, Trajectory, Turn
from assay.core.verdict import no_verdict, right, wrong

VOCAB = 23
torch.set_num_threads(1)  # these models are too small for more, and the tests share the machine


def tiny_model(seed: int = 0, *, tied: bool = True, vocab: int = VOCAB, bias: bool = False) -> Qwen2ForCausalLM:
    """A Qwen2 of 2 layers with hidden size 32."""
    torch.manual_seed(seed)
    config = Qwen2Config(
        vocab_size=vocab,
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=256,
        tie_word_embeddings=tied,
        initializer_range=0.3,
    )
    model = Qwen2ForCausalLM(config).eval()
    if bias:
        model.lm_head.bias = torch.nn.Parameter(torch.randn(vocab))
    return model


def trajectory(
    rewards: Sequence[float],
    *,
    name: str = "t",
    group: str = "g",
    correct: bool | None = None,
    scored: bool = True,
    tokens: Sequence[int] | None = None,
    parts: Sequence[dict[str, float | None]] | None = None,
    observations: Sequence[str] | None = None,
    logprob: float = -1.0,
) -> Trajectory:
    """One episode with a turn for each reward; turn t samples `tokens[t]` tokens after a prompt of two."""
    total = sum(rewards)
    correct = total > 0 if correct is None else correct
    sizes = tokens if tokens is not None else [3] * len(rewards)
    verdict = (right(total) if correct else wrong(score=total)) if scored else no_verdict("crashed")
    steps = tuple(
        Step(
            turn=Turn(text="x", prompt_ids=(1, 2), output_ids=(3,) * n, logprobs=(logprob,) * n),
            reward=reward,
            parts={} if parts is None else parts[t],
            observation=({"role": "user", "content": observations[t + 1]},) if observations else (),
        )
        for t, (reward, n) in enumerate(zip(rewards, sizes, strict=True))
    )
    opening = ({"role": "user", "content": observations[0]},) if observations else ()
    return Trajectory(
        id=name, group_id=group, task_id="task", env_id="e", seed=0, steps=steps, opening=opening, verdict=verdict
    )


def outcome_group(rewards: Sequence[float | None], name: str = "g", tokens: Sequence[int] | None = None) -> Group:
    """A group of single-turn episodes; None is a member without a verdict."""
    sizes = tokens if tokens is not None else [3] * len(rewards)
    return Group(
        name,
        tuple(
            trajectory([r or 0.0], name=f"{name}-{i}", group=name, scored=r is not None, tokens=[n])
            for i, (r, n) in enumerate(zip(rewards, sizes, strict=True))
        ),
    )


def random_samples(count: int = 12, seed: int = 0, vocab: int = VOCAB) -> list[Sample]:
    """Multi-turn samples of 4 to 30 tokens: a prompt, then stretches that are trainable or context by turns."""
    rng = np.random.default_rng(seed)
    out = []
    for number in range(count):
        length = int(rng.integers(4, 31))
        mask = np.zeros(length, np.bool_)
        turns = np.full(length, -1, np.int32)
        start, turn = int(rng.integers(1, 4)), 0
        while start < length:
            end = min(length, start + int(rng.integers(1, 7)))
            mask[start:end] = True
            turns[start:end] = turn
            start, turn = end + int(rng.integers(1, 4)), turn + 1
        out.append(
            Sample(
                token_ids=rng.integers(0, vocab, length).astype(np.int64),
                loss_mask=mask,
                logprobs=np.where(mask, rng.normal(-3, 0.5, length), 0).astype(np.float32),
                advantages=np.where(mask, rng.normal(), 0).astype(np.float32),
                weights=np.zeros(length, np.float32),
                turn_index=turns,
                group_id=f"g{number // 4}",
                trajectory_id=f"t{number}",
            )
        )
    return out


def grouped_samples(groups: int = 3, size: int = 5, seed: int = 0, vocab: int = VOCAB) -> list[Sample]:
    """Groups with a prompt each, whose members go on with few different tokens, so that some begin alike."""
    rng = np.random.default_rng(seed)
    samples = random_samples(groups * size, seed, vocab)
    for number, sample in enumerate(samples):
        if number % size == 0:
            prompt = rng.integers(0, vocab, int(rng.integers(1, 9)))
        length = len(prompt) + int(rng.integers(1, 8))
        sample.token_ids = np.concatenate([prompt, rng.integers(0, 2, length - len(prompt))]).astype(np.int64)
        sample.loss_mask = np.arange(length) >= len(prompt)
        sample.logprobs = np.where(sample.loss_mask, rng.normal(-3, 0.5, length), 0).astype(np.float32)
        sample.advantages = np.where(sample.loss_mask, rng.normal(), 0).astype(np.float32)
        sample.weights = np.zeros(length, np.float32)
        sample.turn_index = np.where(sample.loss_mask, 0, -1).astype(np.int32)
    return samples
