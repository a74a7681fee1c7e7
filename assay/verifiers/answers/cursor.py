"""The position in a list of tokens, and the rules that the parts of the parser call in each other.

`TokenCursor` <- `FunctionParser` (functions.py) <- `ExpressionParser` (expressions.py) <- `TableParser` (tables.py) <-
`AnswerParser` (parser.py). A rule that a lower class needs from a higher one is declared here.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import ClassVar

from assay.verifiers.answers.exact import MAX_DIGITS
from assay.verifiers.answers.lexer import AnswerSyntaxError, Token
from assay.verifiers.answers.nodes import Listing, Node, Num

MAX_DEPTH = 40


class TokenCursor:
    """Walks over tokens."""

    application: ClassVar[frozenset[str]] = frozenset("fghFGHP")
    """Symbols that apply to a bracket instead of multiplying it."""

    def __init__(self, tokens: list[Token]) -> None:
        self.tokens, self.at, self.depth = tokens, 0, 0
        self.functions = set(self.application)
        self.bar_closes = False
        """Whether `|` ends the present expression."""
        self.colon_closes = False
        self.integrals = 0
        """Integrals around the present expression, which end at their `dx`."""

    # -- tokens ------------------------------------------------------------------------------------------------

    @property
    def token(self) -> Token:
        """The token at hand."""
        return self.tokens[self.at]

    def take(self) -> Token:
        """Return the token at hand and move on; the end of the text cannot be taken."""
        token = self.tokens[self.at]
        if token.kind == "end":
            raise AnswerSyntaxError("the answer ends too early")
        self.at += 1
        return token

    def is_op(self, *values: str) -> bool:
        """Whether the token at hand is one of these operators."""
        return self.token.kind == "op" and self.token.value in values

    def accept(self, value: str) -> bool:
        """Consume this operator if it is at hand."""
        if self.is_op(value):
            self.at += 1
            return True
        return False

    def expect(self, value: str) -> None:
        """Consume this operator or refuse the answer."""
        if not self.accept(value):
            raise self.error(f"expected {value!r}")

    def error(self, what: str) -> AnswerSyntaxError:
        """Return the error to raise at the present token."""
        return AnswerSyntaxError(f"{what} at {self.token.value or 'the end'!r}")

    def nested(self, parse: Callable[[], Node]) -> Node:
        """Run a rule one level deeper, with the closing rules of the outer level switched off."""
        if self.depth >= MAX_DEPTH:
            raise AnswerSyntaxError("nested too deeply")
        saved = self.bar_closes, self.colon_closes
        self.depth, self.bar_closes, self.colon_closes = self.depth + 1, False, False
        try:
            return parse()
        finally:
            self.depth -= 1
            self.bar_closes, self.colon_closes = saved

    # -- rules defined by the classes above ----------------------------------------------------------------------

    def clause(self) -> Node:
        """Parse one item of a list."""
        raise NotImplementedError

    def listing(self, *closers: str) -> Node:
        """Parse items up to a closing operator, which stays."""
        raise NotImplementedError

    def expr(self) -> Node:
        """Parse a sum."""
        raise NotImplementedError

    def term(self) -> Node:
        """Parse a product."""
        raise NotImplementedError

    def power(self) -> Node:
        """Parse a factor."""
        raise NotImplementedError

    def postfix(self, base: Node) -> Node:
        """Parse what follows a factor."""
        raise NotImplementedError

    def exponent(self) -> Node:
        """Parse an exponent."""
        raise NotImplementedError

    def atom(self) -> Node:
        """Parse an indivisible factor."""
        raise NotImplementedError

    def bracket(self, opener: str) -> Node:
        """Parse what a bracket holds."""
        raise NotImplementedError

    def sign(self) -> str | None:
        """Consume the signs before a term."""
        raise NotImplementedError

    def starts_atom(self) -> bool:
        """Whether a factor begins here."""
        raise NotImplementedError

    def environment(self) -> Node:
        """Parse a LaTeX environment."""
        raise NotImplementedError


def literal(digits: str) -> Num:
    """Return the number of a decimal literal; `AnswerSyntaxError` beyond the cap of digits."""
    if len(digits) > MAX_DIGITS:
        raise AnswerSyntaxError("too many digits")
    whole, dot, decimals = digits.partition(".")
    return Num(Fraction(int(whole + decimals or "0"), 10 ** len(decimals)), len(decimals) if dot else None)


def items_of(node: Node) -> tuple[Node, ...]:
    """Return the items of a bare list, or the node alone."""
    return node.items if isinstance(node, Listing) else (node,)
