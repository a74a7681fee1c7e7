"""How well a test suite is written, read off its syntax tree: the static metrics of RLSQM (arXiv:2310.02368).

Wanted, each 1 or 0: the suite parses; it contains an assertion; it calls the function under test; it is documented (a
docstring or a comment); the names of its tests say what they test. Unwanted, each 1 or 0: the same assertion twice;
conditions, loops with conditions or exception handling inside a test; a test without content; text or code outside of
tests. `quality` is the mean over all metrics with the unwanted ones inverted, in [0, 1]; a suite that does not parse
scores 0 whatever else it is. The paper trains a model to predict these labels; here they are computed.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass

from assay.verifiers.code.extract import parse_python

_PLAIN_NAME = re.compile(r"test_?(?:case)?_?\d*\Z", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Smells:
    """Each 0 or 1."""

    syntax: int
    assertion: int = 0
    focal_call: int = 0
    documented: int = 0
    descriptive: int = 0
    duplicate: int = 0
    conditional: int = 0
    empty: int = 0
    extra: int = 0

    @property
    def quality(self) -> float:
        """The mean of the wanted metrics and of the absence of the unwanted ones; 0 for a suite that does not parse."""
        if not self.syntax:
            return 0.0
        good = self.assertion + self.focal_call + self.documented + self.descriptive
        bad = self.duplicate + self.conditional + self.empty + self.extra
        return (1 + good + 4 - bad) / 9

    def parts(self) -> dict[str, float]:
        """Return the metrics by name."""
        return {name: float(value) for name, value in asdict(self).items()}


def smells(source: str, function: str) -> Smells:
    """Return the metrics of a test suite for `function`."""
    try:
        tree = parse_python(source)
    except ValueError:
        return Smells(syntax=0)
    tests: list[ast.FunctionDef] = list(test_functions(tree))
    bodies: list[ast.AST] = [*tests] or [tree]
    asserted = [ast.dump(node) for node in ast.walk(tree) if is_assertion(node)]
    return Smells(
        syntax=1,
        assertion=int(bool(asserted)),
        focal_call=int(any(_calls(node, function) for node in ast.walk(tree))),
        documented=int("#" in _outside_strings(source) or any(ast.get_docstring(test) for test in tests)),
        descriptive=int(bool(tests) and not any(_PLAIN_NAME.match(test.name) for test in tests)),
        duplicate=int(len(set(asserted)) < len(asserted)),
        conditional=int(any(_branches(node) for body in bodies for node in ast.walk(body))),
        empty=int((not tests and not asserted) or any(_is_empty(test) for test in tests)),
        extra=int(any(_is_extra(node) for node in tree.body)),
    )


def test_functions(tree: ast.Module) -> Iterator[ast.FunctionDef]:
    """Yield the tests: functions named `test...`, at the top or in classes."""
    for node in tree.body:
        members = node.body if isinstance(node, ast.ClassDef) else [node]
        yield from (m for m in members if isinstance(m, ast.FunctionDef) and m.name.startswith("test"))


def is_assertion(node: ast.AST) -> bool:
    """Whether a node states a check: `assert`, `self.assert...(...)`, or `pytest.raises(...)`."""
    if isinstance(node, ast.Assert):
        return True
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
        return False
    return node.func.attr.startswith("assert") or node.func.attr == "raises"


def _calls(node: ast.AST, function: str) -> bool:
    return isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", None)) == function


def _branches(node: ast.AST) -> bool:
    return isinstance(node, ast.If | ast.While | ast.Try | ast.Match | ast.Raise)


def _is_empty(test: ast.FunctionDef) -> bool:
    """Whether nothing but `pass`, `...` and strings is inside."""
    return all(
        isinstance(node, ast.Pass) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
        for node in test.body
    )


def _is_extra(node: ast.stmt) -> bool:
    """Whether a statement at the top is neither import, definition, constant, string nor a bare assertion."""
    if isinstance(node, ast.If):  # the usual `if __name__ == "__main__":`
        return "__name__" not in ast.dump(node.test)
    allowed = ast.Import | ast.ImportFrom | ast.FunctionDef | ast.ClassDef | ast.Assign | ast.AnnAssign | ast.Assert
    return not (isinstance(node, allowed) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)))


def _outside_strings(source: str) -> str:
    """Return the source with its string literals blanked, so that a `#` in it begins a comment."""
    return re.sub(r"'''[\s\S]*?'''|\"\"\"[\s\S]*?\"\"\"|'(?:\\.|[^'\\\n])*'|\"(?:\\.|[^\"\\\n])*\"", "''", source)
