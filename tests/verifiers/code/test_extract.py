"""The last complete block is the answer; a program without a fence may be one too."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.verifiers.code.extract import extract_code


@pytest.mark.parametrize(
    ("response", "code"),
    [
        ("```python\nx = 1\n```", "x = 1\n"),
        ("```\nx = 1\n```", "x = 1\n"),
        ("First\n```py\na = 1\n```\nthen\n```python\nb = 2\n```\ndone", "b = 2\n"),
        ("<think>```python\na = 1\n```</think>```python\nb = 2\n```", "b = 2\n"),
        ("````python\ns = '''\n```\n'''\n````", "s = '''\n```\n'''\n"),
        ("```python\na = 1\n```\n```python\nb = ", "a = 1\n"),
        ("x = 1", "x = 1"),
        ("    return 1\n", "    return 1\n"),
        ("1. So\n   ```python\n   a = 1\n   ```", "a = 1\n"),
        ("It begins with ```python\nlike this:\n```python\na = 1\n```", "a = 1\n"),
        ("```python\na = 1\n```\nprints\n```\n1\n```", "a = 1\n"),
        ("```\na = 1\n```\nprints\n```\n1\n```", "a = 1\n"),
        ("```cpp\nint a;\n```", "int a;\n"),
        ("print(1)", "print(1)"),
        ("```python\n```", None),
        ("```python\nx = 1", None),
        ("hello", None),
        ("The answer is 3.", None),
        ("", None),
        ("<think>x = 1", None),
    ],
)
def test_extraction(response, code):
    assert extract_code(response) == code


@given(st.text(alphabet="`~ \npython=1<>think/"))
def test_any_text_gives_a_program_or_none(response):
    code = extract_code(response)
    assert code is None or code.strip()
