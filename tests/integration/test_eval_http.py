"""`assay eval` of GSM8K rows against a real `assay serve`, killed without warning half-way and resumed."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import httpx
import pytest

from assay.core.task import read_jsonl
from tests.agents.engines.conformance import tiny_model
from tests.agents.tokenizers import CHATML, make_tokenizer
from tests.cli.program import assay, spawn

pytestmark = pytest.mark.slow
SAMPLES = 3


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve a tiny model with random weights: what it says is noise, how it gets here is real."""
    directory = tmp_path_factory.mktemp("served") / "noise"
    tokenizer = make_tokenizer(CHATML)
    tiny_model(vocab_size=len(tokenizer), max_position_embeddings=4096).save_pretrained(directory)
    tokenizer.save_pretrained(directory)
    server = spawn("serve", directory, "--port", 0, "--max-batch", 4)
    assert server.stdout is not None
    try:
        line = server.stdout.readline()
        found = re.search(r"serving 'noise' at (http://127\.0\.0\.1:\d+/v1)", line)
        assert found, line or server.communicate()
        yield found[1]
    finally:
        server.send_signal(signal.SIGINT)
        server.communicate(timeout=120)
    assert server.returncode in (0, 130)


def words(data: Path, endpoint: str, run: Path, *more: object) -> list[object]:
    return [
        *("eval", "assay/MathWord-v0", f"env_options.data={data}", f"samples={SAMPLES}", f"ks=[1,{SAMPLES}]"),
        *("agent.engine=api", "agent.model=noise", f"agent.endpoint={endpoint}", "agent.max_tokens=24"),
        *("concurrency=4", "agent.max_connections=4", "--run-dir", run, *more),
    ]


def stored(run: Path) -> list[str]:
    """Ids of the episodes on disk, a torn last line left out."""
    path = run / "trajectories.jsonl"
    lines = path.read_text().splitlines(keepends=True) if path.is_file() else []
    return [json.loads(line)["id"] for line in lines if line.endswith("\n")]


def kill_half_way(process: subprocess.Popen[str], run: Path, half: int) -> None:
    deadline = time.monotonic() + 120
    while len(stored(run)) < half:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline, "the evaluation does not get on"
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL


def check(data: Path, endpoint: str, run: Path, questions: list[str]) -> None:
    """Evaluate, kill, resume; every row `SAMPLES` times, none twice."""
    total = len(questions) * SAMPLES
    kill_half_way(spawn(*words(data, endpoint, run)), run, total // 2)
    before = (run / "trajectories.jsonl").read_bytes()
    before = before[: before.rfind(b"\n") + 1]
    first = stored(run)
    assert total // 2 <= len(first) < total
    assert not (run / "summary.json").exists()

    resumed = assay(*words(data, endpoint, run)).expect(0)
    assert f"{len(first)} of {total} episodes are done already" in resumed.err
    after = (run / "trajectories.jsonl").read_bytes()
    assert after.startswith(before)  # what was done stays as it was
    ids = stored(run)
    assert len(ids) == len(set(ids)) == total
    rows = [json.loads(line) for line in after.splitlines()]
    asked = [row["opening"][0]["content"].split("\n\nPlease reason")[0] for row in rows]
    assert sorted(asked) == sorted(questions * SAMPLES)
    summary = json.loads((run / "summary.json").read_text())
    assert (summary["tasks"], summary["episodes"], summary["unscored"]) == (len(questions), total, 0)

    again = assay(*words(data, endpoint, run)).expect(0)  # all is done: nothing is asked
    assert f"{total} of {total}" in again.err
    assert (run / "trajectories.jsonl").read_bytes() == after


def test_killed_and_resumed_no_row_is_lost_or_done_twice(endpoint: str, tmp_path: Path) -> None:
    data = tmp_path / "gsm8k.jsonl"
    questions = [f"Ann has {n} apples and buys {n + 1} more. How many has she?" for n in range(40)]
    rows = [
        {"question": text, "answer": f"She has {n}+{n + 1}=<<{n}+{n + 1}={2 * n + 1}>>{2 * n + 1}.\n#### {2 * n + 1}"}
        for n, text in enumerate(questions)
    ]
    data.write_text("".join(json.dumps(row) + "\n" for row in rows))
    check(data, endpoint, tmp_path / "run", questions)


def test_ctrl_c_ends_it_and_the_same_command_goes_on(endpoint: str, tmp_path: Path) -> None:
    data, run = tmp_path / "rows.jsonl", tmp_path / "run"
    data.write_text("".join(json.dumps({"question": f"{n}+1?", "answer": f"#### {n + 1}"}) + "\n" for n in range(40)))
    process = spawn(*words(data, endpoint, run))
    while len(stored(run)) < 20:
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert "Traceback" not in said
    assert f"the same command goes on: {run}" in " ".join(said.split())
    done = len(stored(run))
    assert 20 <= done < 120
    assert f"{done} of 120 episodes are done already" in assay(*words(data, endpoint, run)).expect(0).err


def test_real_gsm8k_rows(endpoint: str, tmp_path: Path) -> None:
    source = os.environ.get("ASSAY_DATA")
    if not source:
        pytest.skip("ASSAY_DATA is not set: no GSM8K rows at hand")
    rows = [row for _, row in islice(read_jsonl(Path(source) / "gsm8k_test_odd.jsonl"), 40)]
    data = tmp_path / "gsm8k.jsonl"
    data.write_text("".join(json.dumps(row) + "\n" for row in rows))
    check(data, endpoint, tmp_path / "run", [row["question"] for row in rows])


def test_answers_do_not_depend_on_the_interruption(endpoint: str, tmp_path: Path) -> None:
    """The server honours seeds: an unbroken run and an interrupted one hold the same episodes."""
    data = tmp_path / "rows.jsonl"
    data.write_text("".join(json.dumps({"question": f"{n}+1?", "answer": str(n + 1)}) + "\n" for n in range(20)))
    assay(*words(data, endpoint, tmp_path / "whole")).expect(0)
    kill_half_way(spawn(*words(data, endpoint, tmp_path / "broken")), tmp_path / "broken", 20)
    assay(*words(data, endpoint, tmp_path / "broken")).expect(0)
    texts = []
    for run in ("whole", "broken"):
        rows = map(json.loads, (tmp_path / run / "trajectories.jsonl").read_text().splitlines())
        texts.append({row["id"]: row["steps"][0]["turn"]["text"] for row in rows})
    assert texts[0] == texts[1]


def test_the_server_refuses_bad_words() -> None:
    assay("serve", "nowhere").refused("nowhere", "no such directory")


def test_a_wrong_model_name_is_one_line(endpoint: str, tmp_path: Path) -> None:
    (tmp_path / "d.jsonl").write_text('{"question": "1+1?", "answer": "2"}\n')
    names = httpx.get(f"{endpoint}/models").json()["data"]
    assert [entry["id"] for entry in names] == ["noise"]
    assay(*words(tmp_path / "d.jsonl", endpoint, tmp_path / "r", "agent.model=nois")).refused("nois")
