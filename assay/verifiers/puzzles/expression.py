"""Exact evaluation of arithmetic text: integers, `+ - * /`, parentheses, minus signs. No `eval`, no recursion.

Every input either gives an exact `Fraction` or raises `ExpressionError` with a line that a person (or an agent) can
act on. Work is bounded by the length of the text: there are no powers, and the text is cut off at `MAX_LENGTH`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction

MAX_LENGTH = 400
Token = int | str

_TOKEN = re.compile(r"\s*(?:([0-9]+)|([-+*/()]))")
_SPELLINGS = str.maketrans({"×": "*", "·": "*", "÷": "/", "−": "-"})
_NEGATE = "~"
_PRECEDENCE = {"+": 1, "-": 1, "*": 2, "/": 2, _NEGATE: 3}


class ExpressionError(ValueError):
    """The text is not an expression, or has no value."""


def tokenize(text: str) -> list[Token]:
    """Return numbers as `int`, everything else as one-character strings."""
    if len(text) > MAX_LENGTH:
        raise ExpressionError(f"longer than {MAX_LENGTH} characters")
    text = text.translate(_SPELLINGS).rstrip()
    tokens: list[Token] = []
    position = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise ExpressionError(f"unexpected {text[position:].lstrip()[0]!a}")
        number, symbol = match.groups()
        tokens.append(int(number) if number else symbol)
        position = match.end()
    return tokens


def evaluate(tokens: Sequence[Token], *, signs: bool = True) -> Fraction:
    """Return the exact value. `signs=False` refuses minus signs (`-3+10`), as number games do.

    Dijkstra's shunting-yard algorithm: two stacks, so that no depth of parentheses can exhaust the interpreter's.
    """
    values: list[Fraction] = []
    pending: list[str] = []
    operand_next = True
    for token in tokens:
        if isinstance(token, int):
            if not operand_next:
                raise ExpressionError(f"an operator is missing before {token}")
            values.append(Fraction(token))
            operand_next = False
        elif token == "(":
            if not operand_next:
                raise ExpressionError("an operator is missing before '('")
            pending.append(token)
        elif token == ")":
            if operand_next:
                raise ExpressionError("a number is missing before ')'")
            while pending and pending[-1] != "(":
                _apply(pending.pop(), values)
            if not pending:
                raise ExpressionError("')' without '('")
            pending.pop()
        elif operand_next:
            if token != "-" or not signs:
                raise ExpressionError(f"a number is missing before {token!r}")
            pending.append(_NEGATE)
        else:
            while pending and pending[-1] != "(" and _PRECEDENCE[pending[-1]] >= _PRECEDENCE[token]:
                _apply(pending.pop(), values)
            pending.append(token)
            operand_next = True
    if operand_next:
        raise ExpressionError("a number is missing at the end" if tokens else "empty")
    while pending:
        operator = pending.pop()
        if operator == "(":
            raise ExpressionError("'(' without ')'")
        _apply(operator, values)
    return values[0]


def count_operations(tokens: Sequence[Token]) -> int:
    """Return the number of operations with two operands in a well-formed expression."""
    return sum(isinstance(token, int) for token in tokens) - 1


def _apply(operator: str, values: list[Fraction]) -> None:
    right = values.pop()
    if operator == _NEGATE:
        values.append(-right)
        return
    left = values.pop()
    if operator == "+":
        values.append(left + right)
    elif operator == "-":
        values.append(left - right)
    elif operator == "*":
        values.append(left * right)
    elif right == 0:
        raise ExpressionError("division by zero")
    else:
        values.append(left / right)
