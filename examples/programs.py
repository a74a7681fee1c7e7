"""Programs, tests and what they are worth: run `python examples/programs.py`."""

from __future__ import annotations

from assay import verify_text
from assay.audits.code import function_hacks
from assay.sandboxes import LocalSandbox
from assay.verifiers import make_verifier
from assay.verifiers.code.lines import label_lines
from assay.verifiers.code.pairs import preference_pair
from assay.verifiers.code.tests import read_suite

ADD = "def add(a, b):\n    return a + b\n"
TARGET = {
    "tests": [{"args": [1, 2], "expected": 3}, {"args": [5, 6], "expected": 11}],
    "entry_point": "add",
    "cpu_seconds": 0.5,
}
EXAM = {"reference": ADD, "entry_point": "add", "inputs": [{"args": [1, 2]}, {"args": [5, -6]}]}


def fenced(code: str) -> str:
    """Return a program as an answer."""
    return f"```python\n{code}\n```"


def main() -> None:
    """Judge a program, every hack, two test suites; label the lines of a program; pair two of them."""
    programs, suites = make_verifier("code"), make_verifier("test_suite", smell_weight=0.0)
    print("honest program:", verify_text(programs, TARGET, fenced(ADD)).score)
    hacks = list(function_hacks("add"))
    paid = sum(verify_text(programs, TARGET, fenced(hack.source)).score for hack in hacks)
    print(f"hacks paid: {paid:.0f} of {len(hacks)}")
    for tests in ("def test_add():\n    assert add(5, -6) == -1", "def test_add():\n    assert add(0, 0) == 0"):
        print("tests:", verify_text(suites, EXAM, fenced(tests)).reason or "all mutants killed")
    with LocalSandbox(1) as sandbox:
        for label in label_lines(sandbox, ADD, read_suite(TARGET)):
            print(f"line {label.line} {label.kind:8} {label.label:+d} {label.text.strip()}")
        wrong = ADD.replace("+", "*")
        pair = preference_pair(sandbox, [wrong, ADD], ["def test_add():\n    assert add(1, 2) == 3"], "add")
    print("chosen:", pair.chosen.splitlines()[1].strip() if pair else "no clear gap")


if __name__ == "__main__":
    main()
