"""Labels of lines as PRLCoder defines them: what the tests say of a changed line."""

import os

import pytest

from assay.sandboxes import LocalSandbox
from assay.verifiers.code.lines import label_lines
from assay.verifiers.code.tests import read_suite

pytestmark = pytest.mark.skipif(not hasattr(os, "memfd_create"), reason="needs Linux")
CODE = "def add(a, b):\n    # the sum\n    return a+b\n"
SUITE = read_suite(
    {
        "tests": [{"args": [1, 2], "expected": 3}, {"args": [0, 5], "expected": 5}],
        "entry_point": "add",
        "cpu_seconds": 0.5,
    }
)


@pytest.fixture(scope="module")
def sandbox():
    with LocalSandbox(1) as sandbox:
        yield sandbox


def test_the_paper_s_cases(sandbox):
    wordings = {
        "    return a-b": ("mutate", -1, ""),
        "    return b+a": ("refactor", 1, ""),
        "    return a+b+0": ("mutate", 1, ""),  # an equivalent mutant
        "    return a+": ("mutate", -1, "compile"),
        "    while True: pass": ("mutate", -1, "timeout"),
    }

    def teacher(code, number):
        return [(kind, text) for text, (kind, _, _) in wordings.items()] if number == 3 else []

    labels = label_lines(sandbox, CODE, SUITE, per_line=9, teacher=teacher)
    assert [(label.line, label.kind) for label in labels[:2]] == [(1, "original"), (3, "original")]
    assert {label.text: (label.kind, label.label, label.flag) for label in labels[2:]} == wordings
    assert {label.prefix for label in labels if label.line == 3} == {"def add(a, b):\n    # the sum\n"}
    assert labels[0].to_json()["label"] == 1


def test_the_default_teacher_edits_the_line(sandbox):
    labels = label_lines(sandbox, CODE, SUITE, per_line=9)
    changed = {label.text.strip(): label.label for label in labels if label.kind != "original"}
    assert changed == {"return (a - b)": -1, "return None": -1, "return (b + a)": 1}


def test_a_wrong_program_has_no_labels(sandbox):
    with pytest.raises(ValueError, match="only a correct program"):
        label_lines(sandbox, "def add(a, b): return 3", SUITE)
