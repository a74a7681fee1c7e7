"""Time of one GRPO step: assay against TRL's GRPOTrainer, same model, tasks and settings, interleaved in one run.

    pip install trl==1.16.0        # beside assay; the package itself does not need it
    python benchmarks/grpo_vs_trl.py [--rounds 3] [--steps 6] [--threads 2] [--precision float32]

Both sides start from the same weights (a short warm start, so that completions end by themselves as they do in
training), take 32 prompts x 16 samples a step, T = 1, at most 64 new tokens, PPO-clip 0.2/0.28 with token mean, AdamW,
one update a step, no KL. TRL gets what helps it on a CPU: no gradient checkpointing, no logging, no saving. The first
step of every round is a warm-up and is not counted. Prints the median of both sides and their ratio, and checks that
both sides sampled completions of about the same length.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

GROUPS, GROUP_SIZE, MAX_TOKENS, RATE = 32, 16, 64, 1e-4
MODEL = {
    "vocabulary": "0123456789+-*=;#",
    "hidden": 128,
    "layers": 4,
    "heads": 2,
    "feed_forward": 384,
    "max_positions": 128,
}


def config(model: dict[str, Any], *, steps: int, warmstart: int = 0) -> Any:
    """Return assay's configuration."""
    from assay.trainers.config import TrainConfig

    return TrainConfig.model_validate(
        {
            "env": {"id": "assay/Arithmetic-v0"},
            "model": model,
            "steps": steps,
            "warmstart": {
                "steps": warmstart,
                "demonstrations": 4000,
                "styles": {"careful": 0.15, "hasty": 0.45, "guess": 0.40},
            },
            "rollout": {"groups": GROUPS, "group_size": GROUP_SIZE, "max_tokens": MAX_TOKENS, "record_every": 1000},
            "algorithm": {"loss_options": {"clip_low": 0.2, "clip_high": 0.28}, "dynamic_sampling": "keep"},
            "optim": {"learning_rate": RATE, "betas": [0.9, 0.95]},
            "eval": {"every": 10_000, "tasks": 1, "samples": 1, "ks": [1]},
            "checkpoint": {"every": 10_000},
            "tensorboard": False,
        }
    )


def warm_model(directory: Path, steps: int) -> Path:
    """Build and warm-start the model that both sides begin with."""
    from assay.trainers.loop import train

    run = directory / "warm"
    train(config(MODEL, steps=0, warmstart=steps), run)
    return run / "model"


def assay_steps(model: Path, steps: int, precision: str, directory: Path) -> tuple[list[float], float]:
    """Return the seconds of each step, and the mean number of tokens of a completion."""
    from assay.trainers.loop import train
    from assay.trainers.metrics import read_metrics

    autocast = "bfloat16" if precision == "bfloat16" else "none"
    run = directory / f"assay-{time.time_ns()}"
    train(config({"path": str(model), "autocast": autocast}, steps=steps), run)
    rows = [row for row in read_metrics(run) if row["kind"] == "train"]
    seconds = [row["seconds/rollout"] + row["seconds/update"] for row in rows]
    return seconds[1:], statistics.mean(row["tokens_per_episode"] for row in rows)


def trl_steps(model: Path, steps: int, precision: str, directory: Path) -> tuple[list[float], float]:
    """Do the same with TRL."""
    import torch
    from datasets import Dataset
    from transformers import AutoModelForCausalLM, AutoTokenizer, TrainerCallback
    from trl import GRPOConfig, GRPOTrainer

    import assay

    tasks = assay.make("assay/Arithmetic-v0").unwrapped.tasks.head(GROUPS * steps)  # type: ignore[attr-defined]
    rows = [{"prompt": [{"role": "user", "content": str(t.prompt)}], "target": str(t.target)} for t in tasks]
    lengths: list[int] = []

    def reward(completions: list[Any], target: list[str], completion_ids: list[list[int]], **_: Any) -> list[float]:
        lengths.extend(len(ids) for ids in completion_ids)
        texts = [completion[0]["content"] for completion in completions]
        return [float(text.rpartition("#")[2].strip() == gold) for text, gold in zip(texts, target, strict=True)]

    class Clock(TrainerCallback):  # type: ignore[misc]
        seconds: list[float] = []

        def on_step_begin(self, *_: Any, **__: Any) -> None:
            self.started = time.perf_counter()

        def on_step_end(self, *_: Any, **__: Any) -> None:
            self.seconds.append(time.perf_counter() - self.started)

    clock = Clock()
    clock.seconds = []
    trainer = GRPOTrainer(
        model=AutoModelForCausalLM.from_pretrained(model, dtype=torch.float32),
        processing_class=AutoTokenizer.from_pretrained(model, padding_side="left"),
        reward_funcs=reward,
        train_dataset=Dataset.from_list(rows),
        callbacks=[clock],
        args=GRPOConfig(
            output_dir=str(directory / "trl"),
            per_device_train_batch_size=GROUPS * GROUP_SIZE,
            num_generations=GROUP_SIZE,
            max_completion_length=MAX_TOKENS,
            max_steps=steps,
            learning_rate=RATE,
            adam_beta2=0.95,
            lr_scheduler_type="constant",
            epsilon=0.2,
            epsilon_high=0.28,
            loss_type="dapo",
            beta=0.0,
            temperature=1.0,
            use_cpu=True,
            bf16=precision == "bfloat16",
            gradient_checkpointing=False,
            logging_strategy="no",
            save_strategy="no",
            report_to="none",
            disable_tqdm=True,
        ),
    )
    trainer.train()
    return clock.seconds[1:], statistics.mean(lengths)


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=6, help="steps of each side in a round, the first not counted")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--warmstart", type=int, default=150, help="supervised steps before")
    parser.add_argument("--precision", choices=("float32", "bfloat16"), default="float32")
    options = parser.parse_args()
    os.environ.setdefault("TRL_EXPERIMENTAL_SILENCE", "1")
    os.environ.setdefault("HF_HUB_OFFLINE", "1")

    import torch
    import transformers
    import trl

    torch.set_num_threads(options.threads)
    print(f"trl {trl.__version__}, transformers {transformers.__version__}, torch {torch.__version__}")
    ours: list[float] = []
    theirs: list[float] = []
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        model = warm_model(directory, options.warmstart)
        for number in range(options.rounds):
            for side, run, seconds in (("assay", assay_steps, ours), ("trl", trl_steps, theirs)):
                found, tokens = run(model, options.steps, options.precision, directory)
                seconds += found
                print(
                    f"round {number}: {side:<5} {statistics.median(found):.3f} s/step, {tokens:.1f} tokens/completion"
                )
    a, b = statistics.median(ours), statistics.median(theirs)
    print(f"assay {a:.3f} s/step, trl {b:.3f} s/step (medians of {len(ours)}, {options.precision})")
    print(f"ratio trl/assay {b / a:.2f}")


if __name__ == "__main__":
    main()
