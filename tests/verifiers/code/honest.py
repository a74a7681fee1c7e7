"""Right answers in the ways models hand them in: for `half(x)` upon a prompt, `zero(xs)`, and a sum on stdin."""

# ruff: noqa: E501

PROMPT = 'from typing import List\n\n\ndef half(x):\n    """Half of x.\n\n    >>> half(2)\n    1.0\n    """\n'
BODY = "    return x / 2\n"
FULL = "def half(x):\n    return x / 2\n"


def fenced(code, language="python"):
    return f"```{language}\n{code}\n```\n"


HALF = {
    "body": BODY,
    "body after a blank line": f"\n{BODY}",
    "body, and another function": f"{BODY}\n\ndef other(z):\n    return z\n",
    "body without its margin": "return x / 2",
    "body, its first line without margin": "y = x\n    y /= 2\n    return y",
    "body in a block, without its margin": fenced("y = x\nif y:\n    y /= 2\nreturn y"),
    "body with a fence in its comment": f"    '''As in\n    ```\n    half(2)\n    ```\n    '''\n{BODY}",
    "function with a fence in its comment": fenced(f"def half(x):\n    '''As in\n    ```\n    half(2)\n    ```\n    '''\n{BODY}"),
    "example of its use": f"{fenced(FULL)}\nUsage:\n{fenced('print(half(3))')}",
    "tests of its own": f"{fenced(FULL)}\n{fenced('assert half(3) == 1.5')}",
    "output": f"{fenced(FULL)}\nIt prints\n{fenced('1.5', '')}",
    "named output": f"{fenced(FULL)}\nIt prints\n{fenced('1.5', 'text')}",
    "command": f"{fenced(FULL)}\nRun\n{fenced('python main.py', 'bash')}",
    "block in a list": "1. So:\n\n    ```python\n    def half(x):\n        return x / 2\n    ```\n",
    "fence behind words": f"Here: {fenced(FULL)}",
    "line ends of Windows": fenced(FULL).replace("\n", "\r\n"),
    "named fence": fenced(FULL, 'Python3 title="main.py"'),
    "import from the future": fenced(f"from __future__ import annotations\n{FULL}"),
    "input under the guard": fenced(f"{FULL}\nif __name__ == '__main__':\n    print(half(int(input())))"),
    "exit under the guard": fenced(f"{FULL}\nimport sys\nif __name__ == '__main__':\n    sys.exit(0)"),
    "fraction": fenced("from fractions import Fraction\ndef half(x): return Fraction(x, 2)"),
    "decimal": fenced("from decimal import Decimal\ndef half(x): return Decimal(x) / 2"),
    "annotated variable": fenced("from typing import Callable\nhalf: Callable = lambda x: x / 2"),
}  # fmt: skip

HELPED = 'import math\n\n\ndef poly(xs, x):\n    """Value at x"""\n    return sum(c * x**i for i, c in enumerate(xs))\n\n\ndef zero(xs):\n    """A zero of the line."""\n'
ZERO = {
    "body": "    assert poly(xs, 0) == xs[0]\n    return -xs[0] / xs[1]\n",
    "function": fenced("def zero(xs):\n    assert poly(xs, 0) == xs[0]\n    return -xs[0] / xs[1]\n"),
    "function of the future": fenced(
        "from __future__ import annotations\nfrom typing import (\n    List\n)\ndef zero(xs: list[float] | None) -> Undefined:\n"
        "    assert poly(xs, 0) == xs[0]\n    return -xs[0] / xs[1]\n"
    ),
}  # fmt: skip

_SUM = "import sys\nprint(sum(map(int, sys.stdin.read().split())))"
FAST = """
import os, sys
from io import BytesIO, IOBase
class Fast(IOBase):
    def __init__(self, file):
        self.fd, self.buffer = file.fileno(), BytesIO()
        self.write = lambda text: self.buffer.write(text.encode())
    def flush(self):
        os.write(self.fd, self.buffer.getvalue())
        self.buffer.truncate(0), self.buffer.seek(0)
sys.stdout = Fast(sys.stdout)
print(sum(map(int, input().split())))
"""
STDIO = {
    "input and output shown": f"{fenced(_SUM)}For\n{fenced('1 2', '')}it prints\n{fenced('3', '')}",
    "nameless blocks": f"{fenced(_SUM, '')}For\n{fenced('1 2', '')}it prints\n{fenced('3', '')}",
    "command": f"{fenced(_SUM)}{fenced('$ echo 1 | python main.py', 'console')}",
    "output of its own": fenced(FAST),
    "output gathered": fenced(
        "import io, sys\nsys.stdout = io.StringIO()\nprint(sum(map(int, input().split())))\n"
        "sys.__stdout__.write(sys.stdout.getvalue())"
    ),
    "output closed": fenced("import sys\nprint(sum(map(int, input().split())), flush=True)\nsys.stdout.close()"),
}  # fmt: skip
