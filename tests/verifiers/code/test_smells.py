"""The metrics of RLSQM, on the cases that define them."""

# ruff: noqa: E501

import pytest

from assay.verifiers.code.smells import smells

GOOD = 'def test_adds_two_numbers():\n    """Small numbers."""\n    assert f(1, 2) == 3\n'


def test_a_good_test_has_all_that_is_wanted_and_nothing_that_is_not():
    found = smells(GOOD, "f")
    assert (found.syntax, found.assertion, found.focal_call, found.documented, found.descriptive) == (1, 1, 1, 1, 1)
    assert (found.duplicate, found.conditional, found.empty, found.extra) == (0, 0, 0, 0)
    assert found.quality == 1.0


@pytest.mark.parametrize(
    ("source", "metric", "value", "quality"),
    [
        (GOOD + "    assert f(1, 2) == 3\n", "duplicate", 1, 8 / 9),
        (GOOD + "    if f(0, 0) == 0:\n        assert f(0, 1)\n", "conditional", 1, 8 / 9),
        (GOOD + "    try:\n        f()\n    except TypeError:\n        pass\n", "conditional", 1, 8 / 9),
        (GOOD + "def test_nothing_at_all():\n    pass\n", "empty", 1, 8 / 9),
        (GOOD + "print('done')\n", "extra", 1, 8 / 9),
        (GOOD.replace("f(", "g("), "focal_call", 0, 8 / 9),
        (GOOD.replace('"""Small numbers."""', "x = '#'"), "documented", 0, 8 / 9),
        (GOOD.replace('"""Small numbers."""', "# small"), "documented", 1, 1.0),
        (GOOD.replace("test_adds_two_numbers", "test_1"), "descriptive", 0, 8 / 9),
        (GOOD.replace("assert f(1, 2) == 3", "f(1, 2)"), "assertion", 0, 8 / 9),
        (GOOD + "if __name__ == '__main__':\n    pass\n", "extra", 0, 1.0),
        ("class TestF(unittest.TestCase):\n    def test_sums(self):\n        # one\n        self.assertEqual(f(1), 1)\n", "assertion", 1, 1.0),
        ("def test_broken(:", "syntax", 0, 0.0),
        ("", "empty", 1, 4 / 9),
    ],
)  # fmt: skip
def test_metrics(source, metric, value, quality):
    found = smells(source, "f")
    assert getattr(found, metric) == value
    assert found.quality == pytest.approx(quality)
