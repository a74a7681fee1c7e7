from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import yaml

from tests.cli.program import Ran, assay

pytest.importorskip("torch", reason="torch is not installed (extra: train)")

ENV = ("assay/Arithmetic-v0", "env_options.terms=2", "agent.max_tokens=16")
SIZE = ("tasks=6", "samples=4", "ks=[1,4]")


def evaluate(model: Path, *words: object) -> Ran:
    return assay("eval", *ENV, f"agent.model={model}", *SIZE, *words)


@pytest.fixture(scope="module")
def evaluated(smoke_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("eval") / "run"
    evaluate(smoke_run / "model", "--run-dir", directory).expect(0)
    return directory


def test_the_summary_is_printed_and_recorded(smoke_run: Path, tmp_path: Path) -> None:
    done = evaluate(smoke_run / "model", "--run-dir", tmp_path / "run").expect(0)
    summary = json.loads((tmp_path / "run" / "summary.json").read_text())
    assert len((tmp_path / "run" / "trajectories.jsonl").read_text().splitlines()) == 24
    assert "6 tasks, 24 episodes" in done.out
    for k in ("1", "4"):
        row = next(line for line in done.out.splitlines() if f"pass@{k} " in line and "estimate" not in line)
        assert f"{summary['pass_at'][k]['value']:.3f}" in row
        assert f"{summary['pass_at'][k]['high']:.3f}" in row
    assert done.err == ""


def test_prompts_that_fill_the_context_are_told(smoke_run: Path, tmp_path: Path) -> None:
    words = ("env_options.terms=40", "tasks=2", "samples=1", "ks=[1]", "--run-dir", tmp_path / "run")
    done = assay("eval", "assay/Arithmetic-v0", f"agent.model={smoke_run / 'model'}", *words).expect(0)
    assert "2 episodes filled the model's context of 64 tokens" in done.out


def test_running_it_again_resumes_and_plays_nothing_twice(smoke_run: Path, evaluated: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(evaluated, run)
    lines = (run / "trajectories.jsonl").read_text().splitlines(keepends=True)
    (run / "trajectories.jsonl").write_text("".join(lines[:10]) + lines[10][:50])  # torn in the middle of a line
    (run / "summary.json").unlink()
    done = evaluate(smoke_run / "model", "--run-dir", run).expect(0)
    assert "10 of 24 episodes are done already" in done.err
    again = (run / "trajectories.jsonl").read_text().splitlines(keepends=True)
    assert again[:10] == lines[:10]
    ids = [json.loads(line)["id"] for line in again]
    assert sorted(ids) == sorted(json.loads(line)["id"] for line in lines)
    assert (
        json.loads((run / "summary.json").read_text())["pass_at"]
        == json.loads((evaluated / "summary.json").read_text())["pass_at"]
    )


def test_a_directory_of_another_configuration_is_refused(smoke_run: Path, evaluated: Path) -> None:
    evaluate(smoke_run / "model", "samples=5", "--run-dir", evaluated).refused("was made with samples=4, not 5")
    evaluate(smoke_run / "model", "agent.system=hi", "--run-dir", evaluated).refused("agent.system")
    evaluate(smoke_run / "model", "--run-dir", smoke_run).refused(str(smoke_run), "a run of `assay train`")


def test_without_a_directory_the_same_command_resumes_and_another_one_does_not(
    smoke_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert "recorded in runs/eval-arithmetic-" in evaluate(smoke_run / "model", "tasks=2").expect(0).out
    assert "8 of 8 episodes" in evaluate(smoke_run / "model", "tasks=2").expect(0).err
    assert evaluate(smoke_run / "model", "tasks=2", "concurrency=3").expect(0).err  # decides nothing, so it resumes
    assert evaluate(smoke_run / "model", "tasks=3").expect(0).err == ""
    assert len(list((tmp_path / "runs").iterdir())) == 2


def test_a_file_holds_the_same_settings(smoke_run: Path, evaluated: Path, tmp_path: Path) -> None:
    job = {
        "env": "assay/Arithmetic-v0",
        "env_options": {"terms": 2},
        "tasks": 6,
        "samples": 4,
        "ks": [1, 4],
        "agent": {"model": str(smoke_run / "model"), "max_tokens": 16},
    }
    (tmp_path / "job.yaml").write_text(yaml.safe_dump(job))
    assert "24 of 24" in assay("eval", tmp_path / "job.yaml", "--run-dir", evaluated).expect(0).err


def test_two_evaluations_are_compared(smoke_run: Path, evaluated: Path, tmp_path: Path) -> None:
    evaluate(smoke_run / "model", "sampling.temperature=0", "--run-dir", tmp_path / "greedy").expect(0)
    done = assay("compare", evaluated, tmp_path / "greedy").expect(0)
    rates = [
        json.loads((run / "summary.json").read_text())["pass_at"]["1"]["value"]
        for run in (evaluated, tmp_path / "greedy")
    ]
    assert f"pass@1 over 6 tasks: {rates[0]:.3f} against {rates[1]:.3f}" in done.out
    assert "McNemar" in done.out
    evaluate(smoke_run / "model", "tasks=5", "--run-dir", tmp_path / "fewer").expect(0)
    assay("compare", evaluated, tmp_path / "fewer").refused("different tasks")
    assay("compare", evaluated, tmp_path / "none").refused("none", "cannot be read")
    assay("compare", evaluated, smoke_run).refused(str(smoke_run), "a run of `assay train`")


RAISING = """
from assay import make_verifier
from assay.core.task import ProceduralTaskSet
from assay.envs import SingleTurnEnv

def generate(rng):
    raise KeyError("gone")

class Environment(SingleTurnEnv):
    def __init__(self, split="train", render_mode=None):
        super().__init__(ProceduralTaskSet("raising", split, generate), make_verifier("exact"))
"""


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["assay/Aritmetic-v0", "agent.model={model}", "tasks=2"], ["unknown environment", "did you mean"]),
        (["assay/Arithmetic-v0", "agent.model={model}", "taks=2"], ["unknown key 'taks'; did you mean 'tasks'?"]),
        (["assay/Arithmetic-v0", "agent.model={model}", "agent.modl=2"], ["unknown key 'agent.modl'", "'model'"]),
        (["assay/Arithmetic-v0", "agent.model={model}"], ["endless tasks", "tasks="]),
        (["assay/Arithmetic-v0", "agent.model={model}", "tasks=2", "ks=[1,8]"], ["pass@8 needs at least 8 samples"]),
        (["assay/Arithmetic-v0", "agent.model={model}", "tasks=2", "ks=[0]"], ["k must be at least 1"]),
        (["assay/Arithmetic-v0", "agent.model={model}", "tasks=2", "split=test"], ["split", "test"]),
        (["assay/Arithmetic-v0", "tasks=2"], ["who is evaluated", "agent.model="]),
        (["assay/Arithmetic-v0", "agent.model=nowhere", "tasks=2"], ["nowhere", "no such directory"]),
        (["assay/Arithmetic-v0", "agent.model={tmp}", "tasks=2"], ["no config.json"]),
        (["assay/Arithmetic-v0", "agent.model={model}", "tasks=2", "agent.engine=hff"], ["agent.engine"]),
        (["assay/Arithmetic-v0", "agent.engine=api", "agent.model=m", "tasks=2"], ["endpoint"]),
        (["assay/Arithmetic-v0", "agent.model={model}", "tasks=2", "agent.device=tpu"], ["device"]),
        (["assay/Arithmetic-v0", "agent.model={model}", "tasks=2", "agent.tool_format=x"], ["unknown tool format"]),
        (["assay/Arithmetic-v0", "agent.model={model}", "tasks=2", "env_options.termz=2"], ["'termz'", "'terms'"]),
        (["assay/MathWord-v0", "agent.model={model}"], ["needs the option 'data'"]),
        (["assay/MathWord-v0", "agent=gpt"], ["agent: is a section of the keys engine, model"]),
        (["raising:Environment", "agent.model={model}", "tasks=2"], ["your code raised KeyError: 'gone' (raising.py:"]),
        (["assay/MathWord-v0", "agent.model={model}", "env_options.data={tmp}/none.jsonl"], ["cannot be read"]),
        (["assay/MathWord-v0", "agent.model={model}", "env_options.data={tmp}/x.csv"], ["unknown kind of data file"]),
        (["none.yaml"], ["none.yaml: cannot be read"]),
        (["assay/Arithmetic-v0", "agent.model={model}", "tasks"], ["'tasks'", "key=value"]),
    ],
)
def test_bad_input_is_one_line(
    words: list[str], expected: list[str], smoke_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "raising.py").write_text(RAISING)
    filled = [word.format(model=smoke_run / "model", tmp=tmp_path) for word in words]
    assay("eval", *filled).refused(*expected)
    assert not (tmp_path / "runs").exists()


def test_an_endpoint_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    words = ("agent.engine=api", "agent.model=m", "agent.endpoint=http://127.0.0.1:9/v1", "tasks=2")
    assay("eval", ENV[0], *words, "--run-dir", tmp_path / "r").refused("http://127.0.0.1:9/v1")


def write(path: Path, *rows: object) -> Path:
    path.write_text("".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows))
    return path


def test_a_malformed_row_is_named_by_file_and_line(smoke_run: Path, tmp_path: Path) -> None:
    good = {"question": "1+1?", "answer": "#### 2"}
    data = tmp_path / "rows.jsonl"
    words = ("eval", "assay/MathWord-v0", f"agent.model={smoke_run / 'model'}", f"env_options.data={data}")
    for bad in ('{"question": ', "[1]", {"question": "1+1?"}, {"question": 3.5, "answer": None}):
        write(data, good, bad)
        assay(*words, "--run-dir", tmp_path / "r").refused(f"{data}:2: ")
    data.write_bytes(b'{"question": "\xff"}\n')
    assay(*words, "--run-dir", tmp_path / "r").refused(str(data), "UTF-8")
    data.write_text("")
    assay(*words, "--run-dir", tmp_path / "r").refused(str(data), "no rows")


def test_unreadable_golds_are_counted_listed_and_refused_unless_allowed(smoke_run: Path, tmp_path: Path) -> None:
    rows = [
        {"question": "1+1?", "answer": "2"},
        {"question": "a?", "answer": ""},
        {"question": "b?", "answer": "\\frac{"},
    ]
    data = write(tmp_path / "rows.jsonl", *rows)
    words = ("eval", "assay/MathWord-v0", f"agent.model={smoke_run / 'model'}", f"env_options.data={data}")
    assay(*words, "--run-dir", tmp_path / "r").refused("2 of 3 gold answers cannot be read", "line 2", "line 3")
    done = assay(*words, "env_options.allow_unreadable=true", "--run-dir", tmp_path / "r").expect(0)
    assert "1 tasks, 1 episodes" in done.out


def test_a_record_of_a_newer_schema_is_refused(smoke_run: Path, evaluated: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(evaluated, run)
    lines = (run / "trajectories.jsonl").read_text().splitlines()
    lines[1] = json.dumps({**json.loads(lines[1]), "schema_version": 999})
    (run / "trajectories.jsonl").write_text("\n".join(lines) + "\n")
    evaluate(smoke_run / "model", "--run-dir", run).refused("trajectories.jsonl:2", "999", "upgrade")


def test_a_directory_that_cannot_be_made_is_one_line(smoke_run: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    evaluate(smoke_run / "model", "--run-dir", tmp_path / "file" / "run").refused("cannot be written")
