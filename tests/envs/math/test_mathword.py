import json
import os
from pathlib import Path

import pytest

import assay
from assay.core.errors import ConfigError, DataError
from assay.core.verdict import right, wrong
from assay.envs.check import check_environment
from assay.envs.math.rows import last_boxed
from assay.verifiers.base import Verifier

GSM8K = {"question": "2 ducks and 3 ducks?", "answer": "There are 2+3=<<2+3=5>>5 ducks.\n#### 5"}
MATH = {
    "problem": "Halve $x^2$.",
    "solution": "We get $\\boxed{\\frac{x^2}{2}}$.",
    "answer": "\\frac{x^2}{2}",
    "subject": "Algebra",
    "level": "Level 4",
    "unique_id": "algebra/1",
}


class Boxed(Verifier):
    """Correct when the last box holds the target, letter for letter; golds with a question mark are unreadable."""

    name = "boxed"

    def verify(self, task, evidence):
        answer = last_boxed(evidence.text)
        if answer is None:
            return wrong("no box", status="no_answer")
        return right(extracted=answer) if answer == task.target else wrong("differs", extracted=answer)

    def check_target(self, task):
        return f"{task.target!r} cannot be read" if "?" in task.target else None


def write(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def make(path, **options):
    return assay.make("assay/MathWord-v0", data=path, **{"verifier": Boxed(), **options}).unwrapped


def many(n, **extra):
    return [{"question": f"What is {i} plus {i}?", "answer": f"#### {2 * i + 1000}", **extra} for i in range(n)]


def test_gsm8k_and_math_rows_are_understood(tmp_path):
    gsm, math = make(write(tmp_path / "a.jsonl", [GSM8K, MATH])).tasks
    assert gsm.target == "5" and math.target == "\\frac{x^2}{2}"
    assert gsm.prompt.startswith("2 ducks and 3 ducks?\n") and "\\boxed{}" in gsm.prompt
    assert gsm.metadata["solution"] == "There are 2+3=5 ducks."
    assert math.id == "algebra/1" and math.tags == ("Algebra",) and math.difficulty == 4.0
    assert "5" not in gsm.prompt.replace("2 ducks and 3 ducks?", "")


def test_a_gold_only_in_the_solution_is_found(tmp_path):
    row = {"problem": "p", "solution": "First $\\boxed{1}$, then $\\boxed{\\frac{1}{2}}$."}
    assert make(write(tmp_path / "a.jsonl", [row])).tasks[0].target == "\\frac{1}{2}"


def test_other_field_names_and_templates(tmp_path):
    path = write(tmp_path / "a.jsonl", [{"q": "1+1 {x}?", "gold": 2}])
    env = make(path, question_field="q", answer_field="gold", template="Q: {question} A:")
    assert env.tasks[0].prompt == "Q: 1+1 {x}? A:" and env.tasks[0].target == "2"
    with pytest.raises(ConfigError, match=r"\{question\}"):
        make(path, template="no place for it")


def test_the_environment_keeps_its_promises(tmp_path):
    report = check_environment("assay/MathWord-v0", data=write(tmp_path / "a.jsonl", many(400)), verifier=Boxed())
    assert report.ok and {c.status for c in report.checks} == {"ok"}, str(report)


def test_demonstrations_end_in_one_box(tmp_path):
    env = make(write(tmp_path / "a.jsonl", [GSM8K, MATH]))
    gsm, math = (env.demonstration(task)[0] for task in env.tasks)
    assert gsm == "There are 2+3=5 ducks.\n\nThe answer is $\\boxed{5}$."
    assert math == MATH["solution"]


def test_unreadable_gold_is_counted_listed_and_refused(tmp_path):
    rows = many(3) + [{"question": f"q{i}", "answer": "?"} for i in range(5)]
    path = write(tmp_path / "a.jsonl", rows)
    with pytest.raises(DataError) as caught:
        make(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: 5 of 8 gold answers cannot be read (line 4: '?' cannot be read; line 5: ")
    assert "line 7" not in message and "allow_unreadable" in message and "\n" not in message
    env = make(path, allow_unreadable=True)
    assert env.tasks.size == 3 and len(env.unreadable) == 5 and env.unreadable[0].startswith("4: ")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", ":2: not JSON"),
        ("[1]", ":2: a row must be a JSON object"),
        ('{"question": "x"}', ":2: no field 'answer'"),
        ('{"answer": "x"}', ":2: no field 'question' or 'problem'"),
        ('{"question": "x", "answer": null}', ":2: field 'answer' must be text"),
        ('{"question": "x", "solution": "no box"}', ":2: no field 'answer', and no"),
    ],
)
def test_bad_rows_are_named_by_line(tmp_path, line, message):
    path = tmp_path / "a.jsonl"
    path.write_text(json.dumps(GSM8K) + "\n" + line + "\n")
    with pytest.raises(DataError, match=r"a\.jsonl") as caught:
        make(path)
    assert message in str(caught.value)


def test_empty_and_missing_files(tmp_path):
    (tmp_path / "a.jsonl").write_text("\n")
    with pytest.raises(DataError, match="holds no rows"):
        make(tmp_path / "a.jsonl")
    with pytest.raises(DataError, match="cannot be read"):
        make(tmp_path / "b.jsonl")
    with pytest.raises(ConfigError, match="data"):
        assay.make("assay/MathWord-v0")


def test_splits_by_content_or_as_the_rows_say(tmp_path):
    path = write(tmp_path / "a.jsonl", many(300))
    everything, train, held_out = (make(path, split=s).tasks for s in ("all", "train", "eval"))
    assert everything.size == 300 == train.size + held_out.size and 10 < held_out.size < 60
    assert not {t.id for t in train} & {t.id for t in held_out}
    labelled = write(tmp_path / "b.jsonl", many(6, split="test") + [{**GSM8K, "split": "train"}])
    assert make(labelled, split="eval").tasks.size == 6 and make(labelled, split="train").tasks.size == 1
    with pytest.raises(DataError, match="no rows of split 'eval'"):
        make(write(tmp_path / "c.jsonl", many(2, split="train")), split="eval")
    with pytest.raises(ConfigError, match="split"):
        make(path, split="test")


def test_repeated_rows_keep_ids_apart_and_repeated_ids_are_refused(tmp_path):
    first, second = make(write(tmp_path / "a.jsonl", [GSM8K, GSM8K])).tasks
    assert second.id == f"{first.id}-2"
    with pytest.raises(DataError, match="algebra/1"):
        make(write(tmp_path / "b.jsonl", [MATH, MATH]))


def test_a_changed_file_is_read_again_and_an_unchanged_one_is_shared(tmp_path):
    path = write(tmp_path / "a.jsonl", many(3))
    assert make(path).tasks[0] is make(path).tasks[0]
    write(path, many(4))
    assert make(path).tasks.size == 4


def test_parquet_and_limit(tmp_path):
    pa = pytest.importorskip("pyarrow")
    pq = pytest.importorskip("pyarrow.parquet")
    pq.write_table(pa.Table.from_pylist(many(20)), tmp_path / "a.parquet")
    assert make(tmp_path / "a.parquet").tasks.size == 20
    assert make(tmp_path / "a.parquet", limit=7).tasks.size == 7


def test_real_gsm8k_and_math_rows():
    if "ASSAY_DATA" not in os.environ:
        pytest.skip("ASSAY_DATA does not name the folder with real rows")
    data = Path(os.environ["ASSAY_DATA"])
    env = make(data / "gsm8k_test_odd.jsonl")
    assert env.tasks.size == 660 and all(t.target.replace(",", "").lstrip("-").isdigit() for t in env.tasks)
    assert all("<<" not in t.metadata["solution"] for t in env.tasks)
    math = make(data / "math500_odd.jsonl")
    assert math.tasks.size == 250 and {t.difficulty for t in math.tasks} == {1, 2, 3, 4, 5}
    for source in (env, math, make(data / "gsm8k_test_odd.jsonl", verifier="math")):
        for task in source.tasks:
            source.reset(options={"task": task})
            assert source.step(source.demonstration(task)[0])[4]["verdict"].correct, task.id
