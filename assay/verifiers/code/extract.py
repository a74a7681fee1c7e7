"""Which program a response hands in.

The last complete fenced block after the reasoning counts; a response without any fence may be a program as it stands.
A fence that was never closed is an answer that was never finished. Linear time on any input.
"""

from __future__ import annotations

import ast
import re
import warnings

from assay.verifiers.text.extract import after_reasoning

MAX_CODE = 100_000
"""Longest program in characters; a longer one is no answer."""
_FENCE = re.compile(r"^[ \t]{0,3}(`{3,}|~{3,})[ \t]*([\w+.#-]*)[^\n`]*$", re.MULTILINE)


def extract_code(response: str, language: str = "python") -> str | None:
    """Return the program, or None when the response holds none."""
    text = after_reasoning(response)
    blocks = fenced_blocks(text)
    if blocks is None:
        code = text if language != "python" or is_python(text) else None
    else:
        code = blocks[-1] if blocks else None
    if code is None or not code.strip() or len(code) > MAX_CODE:
        return None
    return code


def fenced_blocks(text: str) -> list[str] | None:
    """Return the contents of the complete fenced blocks in order; None when there is no fence at all."""
    blocks: list[str] = []
    opening: re.Match[str] | None = None
    fenced = False
    for fence in _FENCE.finditer(text):
        fenced = True
        if opening is None:
            opening = fence
        elif not fence.group(2) and fence.group(1).startswith(opening.group(1)):
            blocks.append(text[opening.end() + 1 : fence.start()])
            opening = None
    return blocks if fenced else None


def is_python(text: str) -> bool:
    """Whether the text compiles and does more than state an expression, as a word of prose does."""
    try:
        tree = parse_python(text)
    except ValueError:
        return False
    return any(not isinstance(node, ast.Expr) or isinstance(node.value, ast.Call) for node in tree.body)


def parse_python(text: str) -> ast.Module:
    """Return the syntax tree; a program that is too long, too deep or no Python is a ValueError."""
    if len(text) > MAX_CODE:
        raise ValueError(f"the program is longer than {MAX_CODE} characters")
    try:
        return ast.parse(text)
    except (SyntaxError, RecursionError, MemoryError) as error:
        raise ValueError(f"not Python: {type(error).__name__}") from None


# What the compiler thinks of a candidate's style (`1if x else 2`) is no business of the user's terminal.
warnings.filterwarnings("ignore", category=SyntaxWarning, module=r"<unknown>\Z")
