from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.cli.program import assay, command, environment

ROWS = [
    {"id": "a", "target": "1/2", "response": "\\boxed{0.5}", "correct": 1},
    {"id": "b", "target": "1/2", "response": "\\boxed{2}", "correct": 0},
    {"id": "c", "target": "12", "response": "so it is \\boxed{12}", "correct": 1},
    {"id": "d", "target": "12", "response": "\\boxed{12}", "correct": 0},  # the label is wrong: a false positive
    {"id": "e", "target": "7", "response": "I do not know", "correct": 0},
    {"id": "f", "target": "7", "response": "\\boxed{8}", "correct": 1},  # and a false negative
]


def write(path: Path, rows: list[object]) -> Path:
    path.write_text("".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows))
    return path


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    return write(tmp_path / "labels.jsonl", list(ROWS))


def test_the_file_holds_rates_intervals_counts_and_latencies(labels: Path, tmp_path: Path) -> None:
    done = assay("audit", "math", "--labels", labels, "--json", tmp_path / "out.json").expect(0)
    result = json.loads((tmp_path / "out.json").read_text())
    assert result["n"] == 6
    assert result["fn_rate"] == pytest.approx(1 / 3)
    assert result["fp_rate"] == pytest.approx(1 / 3)
    for name in ("fn_interval", "fp_interval"):
        low, high = result[name]
        assert 0 < low < 1 / 3 < high < 1
    assert sum(result["status"].values()) == 6
    latency = result["latency"]
    assert 0 < latency["p50"] <= latency["p99"] <= latency["max"] < 10_000
    assert "33.3 % (1/3)" in done.out
    for row in ("d", "f"):  # what disagrees with the label is listed
        assert any(line.split()[1:2] == [row] for line in done.out.splitlines())


def test_options_go_to_the_verifier(tmp_path: Path) -> None:
    rows = write(tmp_path / "l.jsonl", [{"id": "a", "target": "0.5", "response": "the answer is 0.501", "correct": 1}])
    strict, loose = tmp_path / "strict.json", tmp_path / "loose.json"
    assay("audit", "number", "--labels", rows, "--json", strict).expect(0)
    assay("audit", "number", "rel_tol=0.01", "--labels", rows, "--json", loose).expect(0)
    assert json.loads(strict.read_text())["fn_rate"] == 1
    assert json.loads(loose.read_text())["fn_rate"] == 0


def test_a_function_in_a_file_beside_the_user(labels: Path, tmp_path: Path) -> None:
    (tmp_path / "my_grader.py").write_text("def contains(completion, answer):\n    return answer in completion\n")
    words = command("audit", "my_grader:contains", "--labels", labels, "--json", "out.json")
    done = subprocess.run(words, cwd=tmp_path, env=environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / "out.json").read_text())["fn_rate"] == pytest.approx(2 / 3)


def test_a_verifier_that_never_gives_a_verdict_fails_the_audit(labels: Path, tmp_path: Path) -> None:
    words = ["tests.audits.fixtures:broken", "--labels", labels, "--json", tmp_path / "out.json"]
    done = assay("audit", *words).expect(1)
    assert "gate: no verdict on any of 6 cases: AttributeError" in done.err
    worst = json.loads((tmp_path / "out.json").read_text())["findings"][0]
    assert (worst["kind"], worst["severity"], worst["count"]) == ("no-verdict", "critical", 6)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["maths", "--labels", "{labels}"], ["unknown verifier 'maths'; did you mean 'math'"]),
        (["no.such.module:f", "--labels", "{labels}"], ["cannot load 'no.such.module:f'"]),
        (["math", "colour=red", "--labels", "{labels}"], ["option 'colour'"]),
        (["math", "colour", "--labels", "{labels}"], ["'colour'", "key=value"]),
        (["math", "--labels", "{tmp}/none.jsonl"], ["none.jsonl", "cannot be read"]),
        (["math"], ["nothing to audit on"]),
    ],
)
def test_bad_input_is_one_line(words: list[str], expected: list[str], labels: Path, tmp_path: Path) -> None:
    assay("audit", *(word.format(labels=labels, tmp=tmp_path) for word in words)).refused(*expected)


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ('{"id": "x", ', "not JSON"),
        ("[]", "a row must be a JSON object"),
        ({"target": "1", "response": "1"}, "'correct' is missing"),
        ({"target": "1", "response": "1", "correct": 2}, "correct must be 0 or 1"),
        ({"target": "1", "response": "1", "correct": "yes"}, "correct must be 0 or 1"),
        ({"target": "1", "response": 1, "correct": 1}, "response must be text"),
        ({"target": None, "response": "1", "correct": 1}, "target is null"),
        ({**ROWS[0]}, "id 'a' was used in line 1"),
    ],
)
def test_a_bad_row_is_named_by_file_and_line(row: object, expected: str, tmp_path: Path) -> None:
    path = write(tmp_path / "labels.jsonl", [ROWS[0], row])
    assay("audit", "math", "--labels", path).refused(f"{path}:2: ", expected)


def test_unreadable_golds_are_counted_listed_and_refused_unless_allowed(tmp_path: Path) -> None:
    broken = [{"id": name, "target": "\\frac{", "response": "1", "correct": 0} for name in ("x", "y")]
    path = write(tmp_path / "labels.jsonl", [*ROWS, *broken])
    assay("audit", "math", "--labels", path).refused("cannot read 1 of the golds of 8 rows", "x: ")
    out = tmp_path / "out.json"
    assay("audit", "math", "--labels", path, "--allow-unreadable", "--json", out).expect(0)
    result = json.loads(out.read_text())
    assert [gold["target"] for gold in result["unreadable_golds"]] == ["\\frac{"]
    assert result["fp_rate"] == pytest.approx(1 / 3)  # no verdict is neither an error nor a success


def test_an_output_that_cannot_be_written_is_one_line(labels: Path, tmp_path: Path) -> None:
    for option in ("--json", "--html"):
        words = ("audit", "math", "--labels", labels, option)
        assay(*words, tmp_path / "no" / "place.json").refused("cannot be written", "no directory")
        assay(*words, tmp_path).refused("is a directory")
        if Path("/proc").is_dir():  # where not even root can make a file
            assay(*words, "/proc/no.json").refused("/proc/no.json", "cannot be written")


def test_a_latency_gate_is_a_duration(labels: Path) -> None:
    assert "p99 latency" in assay("audit", "math", "--labels", labels, "--max-p99", "0.000001ms").expect(1).err
    assay("audit", "math", "--labels", labels, "--max-p99", "1min").expect(0)
    assert "write it as 250ms" in assay("audit", "math", "--labels", labels, "--max-p99", "fast").expect(2).err


def test_two_verifiers_on_the_same_rows(labels: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    done = assay("audit", "math", "--labels", labels, "--against", "exact", "--json", out).expect(0)
    assert "McNemar" in done.out
    comparison = json.loads(out.read_text())["comparison"]
    assert (comparison["a"], comparison["b"]) == ("math", "exact")
    assert comparison["overall"]["both"] + comparison["overall"]["neither"] <= 6


def test_training_terms_are_told_with_their_caveat(labels: Path) -> None:
    done = assay("audit", "math", "--labels", labels).expect(0)
    words = " ".join(done.out.split())
    assert "rho0 0.3333, rho1 0.3333, J 0.333" in words
    assert "does not stop hacking" in words
