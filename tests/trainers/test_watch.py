"""A run that is watched by a second verifier: what it counts, tells, logs, reports and resumes."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from assay.core.config import load_config
from assay.core.task import Task
from assay.core.verdict import Verdict, right, wrong
from assay.reports import write_report
from assay.trainers.config import TrainConfig
from assay.trainers.loop import train
from assay.trainers.metrics import read_metrics
from assay.trainers.reporter import SilentReporter
from assay.verifiers import Evidence, Verifier
from tests.trainers.test_loop import timeless

SMOKE = Path(__file__).parents[2] / "configs" / "smoke.yaml"


class Strict(Verifier):
    """Disagrees with the environment about everything that it accepts."""

    name = "strict"

    def verify(self, task: Task, evidence: Evidence) -> Verdict:
        assert task.target is not None
        assert [m["role"] for m in evidence.messages][-1] == "assistant"
        return right() if not evidence.text else wrong()


class Notices(SilentReporter):
    def __init__(self) -> None:
        self.notices: list[str] = []

    def on_notice(self, text: str) -> None:
        self.notices.append(text)


def smoke(*overrides: str) -> TrainConfig:
    torch.set_num_threads(1)
    return load_config(TrainConfig, SMOKE, ["tensorboard=false", "eval.tasks=2", *overrides])


WATCHED = (
    f"monitor.verifier={__name__}:Strict",
    "monitor.fraction=1.0",
    "monitor.rejected_fraction=1.0",
    "monitor.baseline=0.01",
)


def rows(run: Path) -> list[dict[str, object]]:
    """The rows of training, without what depends on the clock."""
    return [timeless(row) for row in read_metrics(run) if row["kind"] == "train"]


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    run, reporter = tmp_path_factory.mktemp("watched") / "run", Notices()
    train(smoke(*WATCHED), run, reporter=reporter)
    return run, reporter.notices


def test_every_rewarded_episode_is_checked_and_nothing_else_changes(
    watched: tuple[Path, list[str]], tmp_path: Path
) -> None:
    run, _ = watched
    plain = tmp_path / "plain"
    train(smoke(), plain)
    for seen, unseen in zip(rows(run), rows(plain), strict=True):
        assert {k: v for k, v in seen.items() if not k.startswith("monitor/")} == unseen
        assert seen["monitor/checked"] == seen["episodes"]
        assert seen["monitor/accepted"] == round(float(seen["correct"]) * float(seen["episodes"]))


def test_the_alarm_is_told_once_and_reported(watched: tuple[Path, list[str]], tmp_path: Path) -> None:
    run, notices = watched
    alarms = [row["step"] for row in rows(run) if row["monitor/alarm"]]
    assert alarms, "all rewarded episodes are refuted"
    assert len(notices) == 1
    assert f"step {alarms[0]} " in notices[0]
    html = write_report(run, tmp_path / "report.html").read_text()
    assert f"alarm went on at step {alarms[0]}:" in html
    assert "Rejected by the second verifier" in html


def test_a_resumed_run_is_watched_as_an_unbroken_one(watched: tuple[Path, list[str]], tmp_path: Path) -> None:
    run, _ = watched
    half = tmp_path / "half"
    train(smoke(*WATCHED, "steps=2"), half)
    train(smoke(*WATCHED), half, resume=True)
    assert rows(half) == rows(run)


def test_a_correction_says_its_caveat(tmp_path: Path) -> None:
    reporter = Notices()
    noisy = ("algorithm.advantage=dr_grpo", "algorithm.noise.method=backward", "algorithm.noise.rho0=0.05")
    run = tmp_path / "run"
    train(smoke(*noisy, "steps=1"), run, reporter=reporter)
    assert any("does not stop hacking" in notice for notice in reporter.notices)
    (row,) = rows(run)
    # Metrics are those of the episodes as they were played: the correction comes after them.
    assert row["reward"] == row["correct"]
