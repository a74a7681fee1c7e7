import json

import pytest

from assay.audits.corpora import load_labels, refuse_unreadable, unreadable_golds
from assay.core.errors import DataError
from assay.verifiers import Verifier
from assay.verifiers.base import Evidence


def write(path, rows):
    path.write_text("".join(r if isinstance(r, str) else json.dumps(r) + "\n" for r in rows))
    return path


GOOD = {"id": "a", "target": "5", "response": "5", "correct": 1}


def test_reads_all_fields(tmp_path):
    row = GOOD | {"problem": "p1", "question": "What is 2+3?", "class": "number", "metadata": {"unit": "cm"}}
    (case,) = load_labels(write(tmp_path / "x.jsonl", [row]))
    assert (case.correct, case.cls, case.cluster, case.problem) == (True, "number", "p1", "What is 2+3?")
    assert case.task().metadata == {"unit": "cm"}


def test_rows_without_id_get_a_stable_one(tmp_path):
    row = {k: v for k, v in GOOD.items() if k != "id"}
    first = load_labels(write(tmp_path / "x.jsonl", [row]))[0].id
    assert first == load_labels(write(tmp_path / "y.jsonl", [row]))[0].id != ""


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        ({"target": "5", "response": "5"}, "'correct' is missing"),
        (GOOD | {"id": "b", "correct": 2}, "must be 0 or 1"),
        (GOOD | {"id": "b", "correct": 0.0}, "must be 0 or 1"),
        (GOOD | {"id": "b", "correct": "1"}, "must be 0 or 1"),
        (GOOD | {"id": "b", "response": 5}, "response must be text"),
        (GOOD | {"id": "b", "target": None}, "target is null"),
        (GOOD | {"id": "b", "metadata": [1]}, "metadata must be an object"),
        (GOOD, "was used in line 1"),
        ("[1, 2]\n", "must be a JSON object"),
        ("{broken\n", "not JSON"),
    ],
)
def test_a_bad_row_names_file_and_line(tmp_path, bad, says):
    path = write(tmp_path / "labels.jsonl", [GOOD, bad])
    with pytest.raises(DataError, match=rf"labels\.jsonl:2: .*{says}"):
        load_labels(path)


def test_an_empty_corpus_is_refused(tmp_path):
    with pytest.raises(DataError, match="no labelled rows"):
        load_labels(write(tmp_path / "x.jsonl", []))


class NeedsNumber(Verifier):
    def verify(self, task, evidence: Evidence):
        raise NotImplementedError

    def check_target(self, task):
        return None if str(task.target).isdigit() else "no number"


def test_unreadable_golds_are_listed_once_for_each_target(tmp_path):
    rows = [GOOD | {"id": str(i), "target": t} for i, t in enumerate(["1", "x", "x", "y"])]
    cases = load_labels(write(tmp_path / "x.jsonl", rows))
    golds = unreadable_golds(NeedsNumber(), cases)
    assert [(g.id, g.target) for g in golds] == [("1", "x"), ("3", "y")]
    with pytest.raises(DataError, match=r"cannot read 2 of the golds of 4 rows: 1: 'x' \(no number\)"):
        refuse_unreadable(golds, "needs-number", 4)
