"""check, list, play, report, serve, and what holds for the whole program."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from assay import __version__
from assay.envs.math.arithmetic import ArithmeticEnv
from tests.cli.program import assay, command, environment

COMMANDS = ("train", "eval", "compare", "audit", "label", "check", "list", "play", "report", "serve")


def test_version_and_help() -> None:
    assert assay("--version").expect(0).out == f"assay {__version__}\n"
    text = assay("--help").expect(0).out
    assert [name for name in COMMANDS if f" {name} " not in text] == []
    for name in COMMANDS:
        assert "Usage: assay" in assay(name, "--help").expect(0).out


@pytest.mark.parametrize(
    "words", [["trian"], ["train"], ["train", "--epochs", "3", "x"], ["check", "x", "--episodes", "0"]]
)
def test_wrong_usage_exits_with_2(words: list[str]) -> None:
    done = assay(*words).expect(2)
    assert "Usage" in done.err
    assert "Traceback" not in done.err


def test_a_process_of_its_own_says_the_same() -> None:
    words = command("check", "assay/Countdwn-v0")
    done = subprocess.run(words, capture_output=True, text=True, env=environment(), check=False)
    assert done.returncode == 2
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: unknown environment 'assay/Countdwn-v0'; did you mean 'assay/Countdown-v0'")


def test_a_missing_word_after_the_program_shows_help() -> None:
    assert "Usage: assay" in "".join([(done := assay()).out, done.err])


def test_check_reports_each_promise() -> None:
    done = assay("check", "assay/Countdown-v0", "--episodes", 5).expect(0)
    for promise in ("gymnasium", "seed determinism", "no verdict", "oracle scores 1", "disjoint splits"):
        assert re.search(rf"^ok +{promise}", done.out, re.MULTILINE), done.out
    assay("check", "assay/Countdown-v0", "sizee=3").refused("has no option 'sizee'")
    assay("check", "assay/MathWord-v0").refused("needs the option 'data'")


def test_check_fails_with_1() -> None:
    done = assay("check", "tests.cli.generous:test/Generous-v0", "--episodes", 3).expect(1)
    assert re.search(r"^failed +empty scores 0", done.out, re.MULTILINE), done.out


def test_list() -> None:
    text = assay("list").expect(0).out
    for name in ("assay/Arithmetic-v0", "assay/GuessNumber-v0", "math", "grpo", "rloo", "ppo_clip"):
        assert re.search(rf"^{re.escape(name)} ", text, re.MULTILINE), name
    assert "CartPole" not in text
    assert "grpo" not in assay("list", "environments").expect(0).out
    assay("list", "verifers").refused("unknown kind of thing 'verifers'; did you mean 'verifiers'?")


def test_explain_tells_what_can_be_set() -> None:
    settings = assay("explain", "train").expect(0).out
    for row in (r"env\.id +required", r"rollout\.group_size +16 +Episodes per task", r"algorithm\.critic\.lam +[\d.]+"):
        assert re.search(rf"^{row}", settings, re.MULTILINE), row
    only = assay("explain", "train", "optim").expect(0).out
    assert {line.split(".")[0] for line in only.splitlines() if line[:1].isalpha()} == {"optim"}
    assert re.search(r"^agent\.model +required", assay("explain", "eval").expect(0).out, re.MULTILINE)
    for name, option in {
        "assay/Maze-v0": "size +3 +int",
        "math": "steps +800 +int",
        "ppo_clip": "clip_high +0.28 +float",
        "gae": r"algorithm\.critic\.kind +'",
    }.items():
        text = assay("explain", name).expect(0).out
        assert re.search(rf"^{option}", text, re.MULTILINE), name
    assay("explain", "gropo").refused("unknown name 'gropo'; did you mean 'grpo'")
    assay("explain", "train", "optimm").refused("unknown setting 'optimm'; did you mean 'optim'")


def test_play_takes_the_agents_seat() -> None:
    env = ArithmeticEnv(split="train")
    (gold,) = env.demonstration(env.tasks[3])
    done = assay("play", "assay/Arithmetic-v0", "--task", 3, stdin=gold + "\n").expect(0)
    assert env.tasks[3].prompt in done.out
    assert "correct, score 1, total reward 1" in done.out
    assert "not correct" in assay("play", "assay/Arithmetic-v0", "--task", 3, stdin="#no\n").expect(0).out


def test_play_calls_tools_and_shows_what_they_answer() -> None:
    done = assay("play", "assay/Calculator-v0", stdin='/tool calculator {"expression": "6*7"}\n/quit\n').expect(0)
    assert "42" in done.out
    assert "left before the end: no verdict" in done.out
    done = assay("play", "assay/Calculator-v0", stdin="/tool calculator {nonsense\n/quit\n").expect(0)
    assert "the arguments are not JSON" in done.out


def test_play_in_several_turns_and_lines() -> None:
    done = assay("play", "assay/GuessNumber-v0", stdin="5\\\n5\n").expect(0)  # a turn of two lines, then the end
    assert done.out.count("user") >= 2
    assert "left before the end" in done.out


def test_play_refuses_what_is_not_there() -> None:
    assay("play", "assay/Countdow-v0").refused("did you mean 'assay/Countdown-v0'")
    assay("play", "assay/Countdown-v0", "--task", "nonsense").refused("no task 'nonsense'")


def test_report_writes_one_file(smoke_run: Path, tmp_path: Path) -> None:
    out = tmp_path / "r.html"
    assert str(out) in assay("report", smoke_run, "--out", out).expect(0).out.replace("\n", "")
    assert out.read_text().startswith("<!doctype html>")
    assay("report", tmp_path).refused(str(tmp_path), "not a run directory")
    assay("report", tmp_path / "none").refused("not a run directory")
    assay("report", smoke_run, "--out", tmp_path / "no" / "r.html").refused("cannot be written")


def test_report_of_a_record_that_is_damaged_or_too_new(smoke_run: Path, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    run = tmp_path / "run"
    shutil.copytree(smoke_run, run)
    summary = run / "evals" / "step-000004.json"
    good = summary.read_text()
    summary.write_text(json.dumps({**json.loads(good), "schema_version": 999}))
    assay("report", run).refused("step-000004.json", "999")
    summary.write_text("{")
    assay("report", run).refused("step-000004.json")
    summary.write_text(good)
    (run / "metrics.jsonl").write_text('{"kind": \n')
    assay("report", run).refused("metrics.jsonl:1")
