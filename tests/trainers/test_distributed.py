"""`torchrun -m assay train`: the run of one process, shared by several."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from assay.core.config import load_config
from assay.trainers.checkpoint import checkpoints
from assay.trainers.config import TrainConfig
from assay.trainers.loop import train
from assay.trainers.metrics import read_metrics

ROOT = Path(__file__).parents[2]
SMOKE = ROOT / "configs" / "smoke.yaml"


def torchrun(*words: str, program: tuple[str, ...] = ("-m", "assay")) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT), "CUDA_VISIBLE_DEVICES": ""}
    return subprocess.run(
        [*command, *program, "train", *words], env=environment, capture_output=True, text=True, check=False
    )


def settings(*overrides: str) -> TrainConfig:
    return load_config(TrainConfig, SMOKE, ["tensorboard=false", *overrides])


PLAIN = ("algorithm.kl_coef=0.01",)
FULL = (
    "model.lora={rank: 3}",
    "optim.activation_checkpointing=true",
    "algorithm.advantage=gae",
    "algorithm.critic={kind: separate, learning_rate: 1.0e-3}",
    "algorithm.kl_coef=0.01",
)


@pytest.mark.slow
@pytest.mark.skipif(not torch.distributed.is_available(), reason="torch has no distributed package here")
@pytest.mark.parametrize("features", [PLAIN, FULL], ids=["plain", "adapter-critic-recomputing"])
def test_two_processes_train_as_one_and_the_run_goes_on_with_any_number(
    tmp_path: Path, features: tuple[str, ...]
) -> None:
    torch.set_num_threads(1)
    train(settings("steps=0"), tmp_path / "start")
    start = tmp_path / "start" / "model"
    words = ["tensorboard=false", "model.vocabulary=''", f"model.path={start}", "model.device=cpu", *features]
    words += [
        "seed=3",
        "warmstart.steps=3",
        "warmstart.checkpoint_every=3",
        "algorithm.dynamic_sampling=keep",
        "eval.every=9",
    ]
    alone, shared = tmp_path / "alone", tmp_path / "shared"
    train(settings(*words, "steps=3"), alone)
    first = torchrun(str(SMOKE), *words, "steps=1", "--run-dir", str(shared))
    assert first.returncode == 0, first.stderr
    assert first.stdout.count("model:") == 1
    train(settings(*words, "steps=2"), shared, resume=True)
    last = torchrun(str(SMOKE), *words, "steps=3", "--run-dir", str(shared), "--resume")
    assert last.returncode == 0, last.stderr
    before, ours, theirs = (
        load_file(path / "model.safetensors") for path in (start, shared / "model", alone / "model")
    )
    assert ours.keys() == theirs.keys()
    moved = sum(float((theirs[name] - before[name]).square().sum()) for name in ours) ** 0.5
    apart = sum(float((theirs[name] - ours[name]).square().sum()) for name in ours) ** 0.5
    assert apart < 0.02 * moved
    rows = [[row for row in read_metrics(run) if row["kind"] == "train"] for run in (alone, shared)]
    assert [row["step"] for row in rows[1]] == [1, 2, 3] and all(row["reward"] > 0 for row in rows[0])
    for one, other in zip(*rows, strict=True):
        assert other["reward"] == one["reward"] and other["tokens"] == one["tokens"]
        assert other["grad_norm"] == pytest.approx(one["grad_norm"], rel=1e-2)
        assert other["loss"] == pytest.approx(one["loss"], rel=1e-2, abs=1e-4)


@pytest.mark.slow
def test_what_one_process_refuses_is_said_once(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "metrics.jsonl").write_text("{}\n")
    ended = torchrun(str(SMOKE), "--run-dir", str(tmp_path / "run"))
    assert ended.returncode != 0
    assert ended.stderr.count("error: ") == 1 and "holds a run already" in ended.stderr


BREAKS = """
import os
from assay.cli import main
from assay.trainers.learner import Learner
if os.environ["RANK"] == "1":
    Learner.learn = lambda *_: os._exit(9)
main()
"""


@pytest.mark.slow
def test_a_process_that_dies_ends_all_and_the_checkpoint_is_there(tmp_path: Path) -> None:
    (tmp_path / "breaks.py").write_text(BREAKS)
    words = [str(SMOKE), "tensorboard=false", "warmstart.steps=3", "algorithm.dynamic_sampling=keep"]
    ended = torchrun(*words, "--run-dir", str(tmp_path / "run"), program=(str(tmp_path / "breaks.py"),))
    assert ended.returncode != 0
    assert ended.stderr.count("another process of the run has ended") == 1
    assert [path.name for path in checkpoints(tmp_path / "run" / "checkpoints")] == ["step-000000"]


INTERRUPTED = """
import os, signal, threading
from assay.cli import main
from assay.trainers.interrupt import StopSignal
from assay.trainers.learner import Learner

arrived, handle, learn = threading.Event(), StopSignal._handle, Learner.learn

def caught(self, number, frame):
    handle(self, number, frame)
    arrived.set()

def interrupted(self, groups):
    if os.environ["RANK"] == "0":
        os.kill(os.getppid(), signal.SIGINT)  # a terminal sends it to torchrun, which hands it on
        arrived.wait()
    return learn(self, groups)

StopSignal._handle, Learner.learn = caught, interrupted
main()
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("staleness", "features"), [(0, PLAIN), (1, (*FULL, "model.autocast=bfloat16"))], ids=["turns", "stream"]
)
def test_ctrl_c_ends_the_step_and_the_run_goes_on_from_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, staleness: int, features: tuple[str, ...]
) -> None:
    monkeypatch.setenv("TORCH_ELASTIC_SHUTDOWN_TIMEOUT", "600")  # what is tested is not how fast this machine is
    (tmp_path / "interrupted.py").write_text(INTERRUPTED)
    words = [str(SMOKE), "tensorboard=false", "warmstart.steps=3", "steps=2", "algorithm.dynamic_sampling=keep"]
    words += ["model.device=cpu", f"rollout.staleness={staleness}", *features, "--run-dir", str(tmp_path / "run")]
    stopped = torchrun(*words, program=(str(tmp_path / "interrupted.py"),))
    assert "stopped after step 1; go on with: " in stopped.stdout, stopped.stderr
    assert "error: " not in stopped.stderr and "KeyboardInterrupt" not in stopped.stderr
    assert checkpoints(tmp_path / "run" / "checkpoints")[-1].name == "step-000001"
    assert not (tmp_path / "run" / "model").exists()
    ended = torchrun(*words, "--resume")
    assert ended.returncode == 0, ended.stderr
    rows = [row for row in read_metrics(tmp_path / "run") if row["kind"] == "train"]
    assert [row["step"] for row in rows] == [1, 2]
    assert all(row.get("staleness_max", 0.0) <= staleness for row in rows)
    assert (tmp_path / "run" / "model" / "model.safetensors").is_file()
