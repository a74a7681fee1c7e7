"""From an evaluation to a labelling sheet, and from the labels to error rates on all of its rollouts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from assay.evals import EvalConfig, evaluate
from tests.cli.program import assay
from tests.rollouts.support import Scripted

QUIZ = "test-rollouts/Quiz-v0"


def lenient(completion: str, answer: Any) -> float:
    """Another verifier: takes every answer of an even task for right."""
    return float(completion.startswith("answer") and int(str(answer)) % 2 == 0)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("label") / "run"
    config = EvalConfig(env=QUIZ, env_options={"count": 30}, samples=4)
    evaluate(config, Scripted("ask", "by tag"), path)
    return path


def rows(sheet: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in sheet.read_text().splitlines()]


def fill(sheet: Path, filled: list[dict[str, Any]]) -> None:
    sheet.write_text("".join(json.dumps(row) + "\n" for row in filled))


def test_labels_of_some_give_the_rates_of_all(run: Path, tmp_path: Path) -> None:
    sheet = tmp_path / "sheet.jsonl"
    done = assay("label", "plan", run, sheet, "--budget", 40, "--against", f"{__name__}:lenient").expect(0)
    assert "disputed" in done.out and f"assay label rates {sheet}" in done.out.replace("\n", " ")
    chosen = rows(sheet)
    assert len(chosen) == 40 and {row["correct"] for row in chosen} == {None}
    assert {row["stratum_size"] for row in chosen} != {40}
    first = chosen[0]
    assert first["response"] and first["question"] and first["target"] is not None
    assert [m["role"] for m in first["transcript"]][-1] == "assistant"
    assay("label", "rates", sheet).refused("no label in stratum")
    # The reader finds that of the accepted every one whose verdicts differ is wrong.
    fill(sheet, [row | {"correct": int(row["accepted"] and row["others"] == [True])} for row in chosen])
    found = json.loads(assay("label", "rates", sheet, "--json").expect(0).out)
    accepted = sum(1 for line in (run / "trajectories.jsonl").read_text().splitlines() if '"correct":true' in line)
    low, high = found["pass_rate"]["interval"]
    assert low < found["pass_rate"]["rate"] < high and found["pass_rate"]["rate"] < accepted / 120
    assert found["fn"]["rate"] == 0 and found["fp"]["rate"] > 0
    assert "accepted among the wrong" in assay("label", "rates", sheet).expect(0).out
    assay("audit", "exact", "--labels", sheet).expect(0)  # a sheet that is filled in is a corpus


def test_a_sheet_with_labels_is_never_written_over(run: Path, tmp_path: Path) -> None:
    sheet = tmp_path / "sheet.jsonl"
    sheet.write_text("mine")
    assay("label", "plan", run, sheet).refused("is there already", str(sheet))
    assert sheet.read_text() == "mine"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"correct": "yes"}, "correct must be 0, 1 or null"),
        ({"stratum_size": 7777}, "two sizes"),
        ({"accepted": ...}, "no row of a labelling sheet"),
    ],
)
def test_bad_rows_are_named(run: Path, tmp_path: Path, change: dict[str, Any], words: str) -> None:
    sheet = tmp_path / "sheet.jsonl"
    assay("label", "plan", run, sheet, "--budget", 30).expect(0)
    chosen = rows(sheet)
    for key, value in change.items():
        chosen[3].pop(key)
        if value is not ...:
            chosen[3][key] = value
    fill(sheet, chosen)
    assay("label", "rates", sheet).refused(words, "sheet.jsonl:4" if words != "two sizes" else "sheet.jsonl:")


def test_an_empty_sheet_is_none(tmp_path: Path) -> None:
    (tmp_path / "sheet.jsonl").touch()
    assay("label", "rates", tmp_path / "sheet.jsonl").refused("sheet.jsonl", "holds no rows")


def test_the_run_must_be_one(tmp_path: Path) -> None:
    assay("label", "plan", tmp_path / "none", tmp_path / "s.jsonl").refused("cannot be read")
