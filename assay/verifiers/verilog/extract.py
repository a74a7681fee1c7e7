"""Which design a response hands in."""

from __future__ import annotations

import re

from assay.verifiers.code.extract import extract_code, fenced_blocks
from assay.verifiers.text.extract import after_reasoning

_MODULE = re.compile(r"\b(?:module|interface|package|primitive)\s+(?:automatic\s+|static\s+)?([A-Za-z_]\w*)")
_START = re.compile(
    r"^[ \t]*(?:`(?:timescale|default_nettype|define|resetall|ifn?def)\b|package\s+\w+\s*;"
    r"|module\s+\w+\s*(?:[#(;]|import\b))",
    re.MULTILINE,
)
_FILES = 16
"""Blocks, from the last one back, that a design may be spread over."""
_END = re.compile(r"\bendmodule\b(?:[ \t]*:[ \t]*\w+)?")


def extract_design(response: str, top: str = "") -> str | None:
    """Return the design, or None when the response holds none.

    It is the last complete code block after the reasoning, of those that define `top` if any does, with the modules
    that it uses from other blocks. Without any fence it is what stands from a module's beginning to the last one's end.
    """
    blocks = fenced_blocks(after_reasoning(response))
    defining = re.compile(rf"\bmodule\s+(?:automatic\s+|static\s+)?{re.escape(top)}\b") if top else None
    code = extract_code(response, "verilog", defining)
    if code is None:
        return None
    if blocks is not None:
        return _with_others(code, [block.text for block in blocks], top)
    ends = [end.end() for end in _END.finditer(code)]
    if not ends:
        return None
    start = _START.search(code, 0, ends[-1])
    return code[start.start() if start else 0 : ends[-1]] + "\n"


def _with_others(code: str, blocks: list[str], top: str) -> str:
    """Put in front the blocks that define modules which the design uses, but not those that use `top`: testbenches."""
    others = [text for text in blocks[-_FILES:] if text != code and not re.search(rf"\b{re.escape(top)}\b", text)]
    defined = set(_MODULE.findall(code))
    while (text := _needed(code, others, defined)) is not None:
        code = f"{text}\n{code}"
        defined.update(_MODULE.findall(text))
        others.remove(text)
    return code


def _needed(code: str, others: list[str], defined: set[str]) -> str | None:
    """Return a text with modules that the code names and nobody has defined yet."""
    for text in others:
        names = set(_MODULE.findall(text))
        if not names & defined and any(re.search(rf"\b{name}\b", code) for name in names):
            return text
    return None
