"""Reports of real runs: what they say is what was recorded, whatever the transcripts contain."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Sequence
from html.parser import HTMLParser
from pathlib import Path

import pytest

from assay.core.errors import DataError
from assay.core.trajectory import Step, Trajectory, Turn
from assay.core.verdict import Verdict, no_verdict, right, wrong
from assay.evals.summary import EvalSummary, summarise
from assay.reports import write_report
from assay.reports.load import load_run

HOSTILE = (
    '</pre></details><script>alert("x")</script><img src=http://evil.example/x.png onerror=alert(1)> {{ 7*7 }} &amp;'
)


class Page(HTMLParser):
    """Tags and text of a page; fails on tags that do not nest."""

    VOID = {"meta", "br", "img", "link", "input"}

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self._open: list[str] = []
        self.feed(html)
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._open[-1:] != ["style"]:
            self.text += data


def page(run: Path, tmp_path: Path) -> Page:
    html = write_report(run, tmp_path / "report.html").read_text()
    assert len(html) < 1_000_000
    found = Page(html)
    for tag, attributes in found.tags:  # nothing is fetched, nothing is run
        assert tag not in {"script", "link", "img", "iframe", "object", "embed", "form", "base"}
        assert not {"src", "href", "srcset", "action"} & set(attributes)
        assert not [name for name in attributes if name.startswith("on")]
    assert "url(" not in html
    assert "@import" not in html
    return found


def episode(task: int, sample: int, texts: Sequence[str], verdict: Verdict, prompt: str = "") -> Trajectory:
    steps = [
        Step(
            turn=Turn(text=text, output_ids=(1,) * 5),
            reward=(verdict.score or 0.0) if number == len(texts) - 1 else 0.0,
            observation=() if number == len(texts) - 1 else ({"role": "tool", "content": f"tool said {number}"},),
        )
        for number, text in enumerate(texts)
    ]
    return Trajectory(
        id=f"eval/{task:03d}#{sample}",
        group_id=f"eval/{task:03d}",
        task_id=f"task-{task}",
        env_id="test/Env-v0",
        seed=0,
        steps=tuple(steps),
        opening=({"role": "user", "content": prompt or f"question {task}"},),
        verdict=verdict,
    )


def evaluation(directory: Path, episodes: Sequence[Trajectory]) -> EvalSummary:
    directory.mkdir(parents=True)
    (directory / "config.yaml").write_text("env: test/Env-v0\nagent: {model: some-model}\nseed: 3\n")
    (directory / "trajectories.jsonl").write_text("".join(e.to_json() + "\n" for e in episodes))
    summary = summarise(episodes, (1, 2))
    (directory / "summary.json").write_text(summary.to_json())
    return summary


MIXED = [
    episode(task, sample, [f"answer {task}.{sample}"], right(extracted="1") if sample < task else wrong(extracted="2"))
    for task in range(4)
    for sample in range(3)
]


def test_a_training_run_says_what_its_summaries_say(smoke_run: Path, tmp_path: Path) -> None:
    run, found = load_run(smoke_run), page(smoke_run, tmp_path)
    before, after = run.evals[0], run.evals[4]
    for k in (1, 4):
        assert f"{after.pass_at[k].value:.3f}" in found.text
        assert f"[{after.pass_at[k].low:.3f}, {after.pass_at[k].high:.3f}]" in found.text
        assert f"before: {before.pass_at[k].value:.3f}" in found.text
    assert "assay/Arithmetic-v0" in found.text
    assert "4 of 4 steps" in found.text
    assert "Not finished" not in found.text
    for title in (
        "Held-out tasks",
        "Training episodes",
        "Entropy",
        "Gradient norm",
        "Warm start: loss",
        "before (step 0)",
    ):
        assert title in found.text
    assert sum(attributes.get("class") == "plot" for _, attributes in found.tags) >= 6
    for row in run.metrics["eval"]:
        assert f"pass@1, step {row['step']}: {row['pass@1']:.4g}" in found.text


def test_the_transcripts_are_those_of_the_same_task(smoke_run: Path, tmp_path: Path) -> None:
    run = load_run(smoke_run)
    html = write_report(smoke_run, tmp_path / "r.html").read_text()
    pairs = html.split('<div class="box pair">')[1:]
    assert 1 <= len(pairs) <= 8
    sides = [{e.task_id: e for e in run.episodes(step)} for step in (0, 4)]
    for pair in pairs:
        task = re.search(r"assay/Arithmetic-v0[^<\s]*", pair)
        assert task
        assert all(task[0] in side for side in sides)
        assert str(sides[0][task[0]].opening[0]["content"]) in pair
        assert re.findall(r"(before|after) \(step (\d)\)", pair) == [("before", "0"), ("after", "4")]
        assert len(re.findall(r"\d of 4 samples right", pair)) == 2


def test_a_run_that_is_still_going_on(smoke_run: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(smoke_run, run)
    shutil.rmtree(run / "model")
    lines = [line for line in (run / "metrics.jsonl").read_text().splitlines() if '"step": 4' not in line]
    lines = [line for line in lines if '"step": 3' not in line]
    (run / "metrics.jsonl").write_text("\n".join(lines) + '\n{"kind": "train", "st')  # a row is being written
    (run / "evals" / "step-000004.json").unlink()
    text = page(run, tmp_path).text
    assert "Not finished: 2 of 4 steps are recorded." in text
    assert "after (step 2)" in text
    for path in (run / "evals").iterdir():
        path.unlink()
    (run / "metrics.jsonl").write_text(lines[0] + "\n")  # in the middle of the warm start
    assert "Not finished: 0 of 4 steps" in page(run, tmp_path).text


def test_an_evaluation(tmp_path: Path) -> None:
    summary = evaluation(tmp_path / "run", MIXED)
    found = page(tmp_path / "run", tmp_path)
    assert summary.pass_at[1].value == 0.5
    for estimate in (*summary.pass_at.values(), *summary.pass_all.values(), summary.majority):
        assert estimate is not None
        assert f"{estimate.value:.3f}" in found.text
    assert "some-model" in found.text
    assert "Learning" not in found.text
    assert "before" not in found.text
    assert "answer 1.0" in found.text  # right
    assert "answer 1.1" in found.text  # wrong: one of each
    assert "Not finished" not in found.text


def test_an_evaluation_that_is_still_going_on(tmp_path: Path) -> None:
    evaluation(tmp_path / "run", MIXED)
    (tmp_path / "run" / "summary.json").unlink()
    lines = "".join(e.to_json() + "\n" for e in MIXED[:7]) + MIXED[7].to_json()[:40]
    (tmp_path / "run" / "trajectories.jsonl").write_text(lines)
    assert "Not finished: these are the 7 episodes recorded so far." in page(tmp_path / "run", tmp_path).text


def test_missing_verdicts_are_bounded_and_explained(tmp_path: Path) -> None:
    episodes = [*MIXED[:-1], episode(3, 2, ["?"], no_verdict("the verifier crashed"))]
    evaluation(tmp_path / "run", episodes)
    text = page(tmp_path / "run", tmp_path).text
    assert "if unscored were wrong to right" in text
    assert "the verifier crashed" in text
    assert "no verdict" in text


@pytest.mark.parametrize("place", ["answer", "prompt", "reason", "task", "config", "several turns"])
def test_hostile_text_is_text(place: str, tmp_path: Path) -> None:
    evil = {place: HOSTILE}
    verdict = wrong(evil.get("reason", "no"), extracted="1")
    turns = ["one", HOSTILE, "three"] if place == "several turns" else [evil.get("answer", "4")]
    first = episode(0, 0, turns, verdict, evil.get("prompt", ""))
    if place == "task":
        first = Trajectory.from_json(json.dumps({**json.loads(first.to_json()), "task_id": HOSTILE}))
    evaluation(
        tmp_path / "run", [first, episode(0, 1, ["5"], right(extracted="5"))] if place != "task" else [first] * 2
    )
    if place == "config":
        (tmp_path / "run" / "config.yaml").write_text(json.dumps({"env": HOSTILE, "agent": {"model": HOSTILE}}))
    assert HOSTILE in page(tmp_path / "run", tmp_path).text or place == "config"


def test_long_transcripts_are_cut_and_say_so(tmp_path: Path) -> None:
    evaluation(
        tmp_path / "run",
        [episode(t, s, ["x" * 300_000] + ["y"] * 99, wrong(extracted="1")) for t in range(9) for s in range(2)],
    )
    text = page(tmp_path / "run", tmp_path).text
    assert "[296000 more characters are not shown]" in text
    assert "more messages are not shown" in text


def test_tools_and_turns_are_shown_in_order(tmp_path: Path) -> None:
    evaluation(tmp_path / "run", [episode(0, s, ["call", "answer"], right(extracted="1")) for s in range(2)])
    text = page(tmp_path / "run", tmp_path).text
    assert text.index("question 0") < text.index("call") < text.index("tool said 0") < text.index("answer")


def test_what_is_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="not a run directory"):
        load_run(tmp_path)
    (tmp_path / "config.yaml").write_text("env: x\n")
    with pytest.raises(DataError, match="nothing is recorded yet"):
        load_run(tmp_path)
    (tmp_path / "config.yaml").write_text("[")
    with pytest.raises(DataError, match="not YAML"):
        load_run(tmp_path)
    for row in ("3", "{}", '{"kind": "train"}', '{"kind": 3, "step": 1}'):
        (tmp_path / "config.yaml").write_text("env: x\n")
        (tmp_path / "metrics.jsonl").write_text('{"kind": "train", "step": 1}\n' + row + "\n")
        with pytest.raises(DataError, match=r"metrics.jsonl:2: not a row"):
            load_run(tmp_path)
