"""Assertions as data: `assert f(1, [2]) == 3` becomes a call and an expected value, with no test code left to run.

What cannot be read off the syntax tree (loops, helpers, assertions about two calls) stays test code, to be run in a
sandbox of its own. Nothing is ever evaluated here but literals and arithmetic on them.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Collection
from typing import Any

from assay.sandboxes.local.agent import codec
from assay.verifiers.code.tests import CallTest, CheckTest, Test

_OPERATIONS: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
_MAX_NUMBER = 10**15


class _NotPlain(Exception):
    """The syntax says more than data can."""


def lift_check(source: str, entry_point: str, function: str = "check", prompt: str = "") -> list[Test]:
    """Return the tests of a HumanEval-style `check(candidate)`: all as data, or the whole as test code."""
    try:
        check = next(n for n in ast.parse(source).body if isinstance(n, ast.FunctionDef) and n.name == function)
        names = {entry_point, *(argument.arg for argument in check.args.args)}
        lifted = [test for statement in check.body if (test := _statement(statement, names)) is not None]
        if lifted:
            return [*lifted]
    except (SyntaxError, StopIteration, _NotPlain):
        pass
    return [CheckTest(f"{prompt}\n{source}", function)]


def lift_table(source: str, entry_point: str) -> list[CallTest] | None:
    """Return the tests of HumanEval+ and MBPP+ as published, None for anything else.

    They are two tables and a loop, at the top or in `check(candidate)`:
    `for i, (inp, exp) in enumerate(zip(inputs, results)): assertion(f(*inp), exp, 0)`, where `assertion` takes equal
    values, and floats within a tolerance.
    """
    try:
        tree = ast.parse(source)
    except (SyntaxError, RecursionError, MemoryError):
        return None
    check = next((n for n in tree.body if isinstance(n, ast.FunctionDef) and n.name == "check"), None)
    body = tree.body if check is None else check.body
    names = {entry_point} | ({a.arg for a in check.args.args} if check else set())
    tables = {
        node.targets[0].id: node.value
        for node in body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    }
    loops = [node for node in body if isinstance(node, ast.For | ast.While)]
    if not {"inputs", "results"} <= tables.keys() or len(loops) != 1:
        return None
    match loops[0].body:
        case [ast.Expr(ast.Call(ast.Name("assertion"), [ast.Call() as called, ast.Name("exp"), tolerance]))]:
            pass
        case _:
            return None
    try:
        if not _is_call(called, names) or ast.unparse(called.args[0]) != "*inp" or len(called.args) != 1:
            return None
        inputs, results, within = (_literal(table) for table in (tables["inputs"], tables["results"], tolerance))
    except _NotPlain:
        return None
    if not inputs or len(inputs) != len(results):
        return None
    return [_row(args, expected, float(within)) for args, expected in zip(inputs, results, strict=True)]


def _row(args: Any, expected: Any, within: float) -> CallTest:
    """Return one row of a table; a float may differ by what `numpy.allclose` allows there."""
    if not isinstance(expected, float):
        return CallTest(tuple(args), {}, expected, "value")
    return CallTest(tuple(args), {}, expected, "close", max(within, 1e-6) + 1e-7 * abs(expected))


def lift_assertion(source: str, entry_point: str, setup: str = "") -> Test:
    """Return the test of one MBPP-style assertion; with set-up code it stays test code unless it is plain."""
    try:
        (statement,) = ast.parse(source).body
        test = _statement(statement, {entry_point})
        if test is not None:
            return test
    except (SyntaxError, ValueError, _NotPlain):
        pass
    return CheckTest(f"{setup}\n{source}")


def lift_suite(source: str, entry_point: str) -> list[CallTest] | None:
    """Return the tests of a test file (functions `test...` and assertions at the top) as data, None if it is more."""
    tests: list[CallTest] = []
    try:
        for node in ast.parse(source).body:
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test") and not node.decorator_list:
                if node.args.args or node.args.posonlyargs or node.args.vararg:
                    return None
                body: list[ast.stmt] = node.body
            else:
                body = [node]
            tests += [test for statement in body if (test := _statement(statement, {entry_point})) is not None]
    except (SyntaxError, _NotPlain):
        return None
    return tests


def _statement(node: ast.stmt, names: Collection[str]) -> CallTest | None:
    """Return the test that a statement states, None when it states nothing. Raises `_NotPlain`."""
    if isinstance(node, ast.Pass) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)):
        return None
    if not isinstance(node, ast.Assert):
        raise _NotPlain
    test = node.test
    if isinstance(test, ast.Constant) and test.value is True:
        return None
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        args, kwargs = _call(test.operand, names)
        return CallTest(args, kwargs, None, "falsy")
    if isinstance(test, ast.Call):
        args, kwargs = _call(test, names)
        return CallTest(args, kwargs, None, "truthy")
    if isinstance(test, ast.Compare) and len(test.ops) == 1:
        return _comparison(test.left, test.ops[0], test.comparators[0], names)
    raise _NotPlain


def _comparison(left: ast.expr, op: ast.cmpop, right: ast.expr, names: Collection[str]) -> CallTest:
    if isinstance(op, ast.Lt):
        return _closeness(left, right, names)
    if isinstance(op, ast.Eq) and not _is_call(left, names):
        left, right = right, left
    args, kwargs = _call(left, names)
    expected = _literal(right)
    if isinstance(op, ast.Eq):
        return CallTest(args, kwargs, expected, "python")
    if isinstance(op, ast.Is) and (expected is None or isinstance(expected, bool)):
        return CallTest(args, kwargs, expected, "is")
    raise _NotPlain


def _closeness(left: ast.expr, right: ast.expr, names: Collection[str]) -> CallTest:
    """Read `abs(f(...) - c) < eps`."""
    tolerance = _literal(right)
    match left:
        case ast.Call(func=ast.Name(id="abs"), args=[ast.BinOp(left=inner, op=ast.Sub(), right=value)], keywords=[]):
            args, kwargs = _call(inner, names)
            expected = _literal(value)
        case _:
            raise _NotPlain
    if not all(isinstance(number, int | float) for number in (expected, tolerance)):
        raise _NotPlain
    return CallTest(args, kwargs, expected, "close", float(tolerance))


def _is_call(node: ast.expr, names: Collection[str]) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in names


def _call(node: ast.expr, names: Collection[str]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    if not isinstance(node, ast.Call) or not _is_call(node, names):
        raise _NotPlain
    kwargs: dict[str, Any] = {}
    for keyword in node.keywords:
        if keyword.arg is None:
            raise _NotPlain
        kwargs[keyword.arg] = _literal(keyword.value)
    return tuple(_literal(argument) for argument in node.args), kwargs


def _literal(node: ast.expr) -> Any:
    try:
        value = ast.literal_eval(_folded(node))
        codec.encode(value)
    except (ValueError, TypeError, RecursionError):
        raise _NotPlain from None
    return value


def _folded(node: ast.expr) -> ast.expr:
    """Fold arithmetic on numbers into a constant."""
    if isinstance(node, ast.BinOp):
        left, right = _folded(node.left), _folded(node.right)
        operation = _OPERATIONS.get(type(node.op))
        if operation is None or not (_is_number(left) and _is_number(right)):
            raise _NotPlain
        try:
            return ast.Constant(operation(ast.literal_eval(left), ast.literal_eval(right)))
        except ArithmeticError:
            raise _NotPlain from None
    return node


def _is_number(node: ast.expr) -> bool:
    try:
        value = ast.literal_eval(node)
    except ValueError:
        return False
    return isinstance(value, int | float) and abs(value) <= _MAX_NUMBER
