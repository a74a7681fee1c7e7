"""Which program a response hands in.

Complete fenced blocks after the reasoning count; a response without any fence may be a program as it stands. Of several
blocks it is the last one, passing over blocks in other languages, shown output, and, where a function is asked for,
examples of its use: one program, chosen without a look at the tests. A fence that was never closed is an answer that
was never finished. Linear time on any input.
"""

from __future__ import annotations

import ast
import re
import textwrap
import warnings
from collections.abc import Sequence
from dataclasses import dataclass

from assay.sandboxes.languages import find_language
from assay.verifiers.text.extract import after_reasoning

MAX_CODE = 100_000
"""Longest program in characters; a longer one is no answer."""
_FENCE = re.compile(
    r"^(?P<margin>[ \t]{0,40})(?P<fence>`{3,}|~{3,})[ \t]*+\{?\.?(?P<language>[\w+#-]*+)[^\n`]*+$"
    r"|(?<=[^`\n])(?P<late>`{3,}+)(?P<named>[A-Za-z][\w+#-]*+)[ \t\r]*+$",
    re.MULTILINE,
)
_LOOKED_AT = 4
"""How many of the last blocks are parsed to tell programs from shown output."""


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block."""

    language: str
    """As the fence names it, in lower case; often nothing."""
    text: str


def extract_code(response: str, language: str = "python", defining: re.Pattern[str] | None = None) -> str | None:
    """Return the program, or None when the response holds none. `defining` is found in programs, if that is known."""
    text = after_reasoning(response)
    blocks = fenced_blocks(text)
    if language == "python" and (is_python(text) or continues(text)):
        code: str | None = text  # fences in it stand in texts of the program
    elif blocks is None:
        code = text if language != "python" else None
    else:
        code = _handed_in(blocks, language, defining)
    if code is None or not code.strip() or len(code) > MAX_CODE:
        return None
    return code


def _handed_in(blocks: Sequence[Block], language: str, defining: re.Pattern[str] | None) -> str | None:
    names = find_language(language).names
    ours = [block.text for block in blocks if block.language.rstrip("0123456789.") in names]
    nameless = [block.text for block in blocks if not block.language]
    if defining is not None:
        likely = [block.text for block in blocks if not block.language or block.text in ours]
        ours = [text for text in likely if defining.search(text)] or ours
    if not ours and language == "python":
        ours = [text for text in nameless[-_LOOKED_AT:] if is_python(text) or continues(text)]
    found = ours or nameless or [block.text for block in blocks]
    return found[-1] if found else None


def definition(entry_point: str) -> re.Pattern[str] | None:
    """Return what is found in a Python program that defines a function; of `Class.method`, the class."""
    name = re.escape(entry_point.partition(".")[0])
    if not name:
        return None
    return re.compile(rf"^[ \t]*(?:(?:async[ \t]+)?def|class)[ \t]+{name}\b|^{name}[ \t]*(?::[^=\n]*)?=", re.MULTILINE)


def fenced_blocks(text: str) -> list[Block] | None:
    """Return the complete fenced blocks in order; None when there is no fence at all."""
    blocks: list[Block] = []
    opening: re.Match[str] | None = None
    fenced = False
    for fence in _FENCE.finditer(text):
        fenced = True
        if opening is None or (opening["late"] and fence["language"]):  # words about a fence, and then one
            opening = fence
        elif _closes(fence, opening):
            language = (opening["language"] or opening["named"] or "").lower()
            blocks.append(Block(language, _inside(text[opening.end() + 1 : fence.start()], opening["margin"] or "")))
            opening = None
    return blocks if fenced else None


def _closes(fence: re.Match[str], opening: re.Match[str]) -> bool:
    """Whether a fence ends a block: no name behind it, as long as the opening one, hardly further to the right."""
    if fence["fence"] is None or fence["language"]:
        return False
    deeper = len(fence["margin"]) - len(opening["margin"] or "")
    return fence["fence"].startswith(opening["fence"] or opening["late"]) and deeper <= 3


def _inside(text: str, margin: str) -> str:
    """Take the margin of a block, in a list or a quotation, off its lines."""
    if not margin:
        return text
    return "".join(line.removeprefix(margin) for line in text.splitlines(keepends=True))


def is_python(text: str) -> bool:
    """Whether the text compiles and does more than state an expression, as a word of prose does."""
    try:
        tree = parse_python(text)
    except ValueError:
        return False
    return _does_something(tree.body)


def continues(text: str) -> bool:
    """Whether the text is the rest of a function, as completions of a prompt are."""
    for body in bodies(text, "    "):
        try:
            function, *more = parse_python(f"def _():\n{body}").body
        except ValueError:
            continue
        if isinstance(function, ast.FunctionDef) and _does_something([*function.body, *more]):
            return True
    return False


def _does_something(body: Sequence[ast.stmt]) -> bool:
    return any(not isinstance(node, ast.Expr) or isinstance(node.value, ast.Call) for node in body)


def bodies(text: str, margin: str) -> tuple[str, ...]:
    """Return how the rest of a function may be meant: as it stands, its first line stripped, or all of its margin."""
    bare = text.lstrip("\r\n")
    return bare, margin + bare, textwrap.indent(textwrap.dedent(bare), margin)


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
