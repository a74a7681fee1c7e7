"""Values with what is measured or counted: units, money, words, and units of two sizes such as "1 hour 30 minutes"."""

from __future__ import annotations

from assay.verifiers.answers.lexer import Token
from assay.verifiers.answers.nodes import Node, Num, Quantity, negative, number, plus, times
from assay.verifiers.answers.normalise import CURRENCY
from assay.verifiers.answers.tables import TableParser
from assay.verifiers.answers.units import is_claim, parse_unit, split_magnitude

_QUALIFIERS = ("for all ", "for any ", "for every ", "for each ", "where ", "for ", "with ", "when ", "if ")
QUALIFIER_WORDS = frozenset(("for all", "for any", "for every", "for each", "where", "for", "with", "when", "if"))
PREFIXED = frozenset(("euro", "pound", "yen", "rupee", "rs", "usd", "eur", "gbp", "rmb"))
"""Money whose name or sign stands before the amount."""


class MeasureParser(TableParser):
    """Parses a value with the unit or words after it."""

    def sets(self) -> Node:
        """Parse unions of sets; `AnswerParser` has the rule."""
        raise NotImplementedError

    def annotated(self) -> Node:
        """Parse a value with the unit or words after it."""
        if self.accept(CURRENCY):
            return self.money(self.expr(), "$")
        minus = self.is_op("-") and self.tokens[self.at + 1].value == CURRENCY
        if minus:
            self.at += 2
            return self.money(negative(self.expr()), "$")
        value = self.sets()
        if self.accept(CURRENCY):
            return self.money(value, "$")
        if self.token.kind in ("text", "unit") and not self.is_qualifier():
            value = counted(value, self.unit())
            while self.at_number() and self.tokens[self.at + 1].kind in ("text", "unit"):
                smaller = counted(self.expr(), self.unit())
                both = compound(value, smaller)
                if both is None:
                    raise self.error("units that do not add up")
                value = both
        return value

    def money(self, amount: Node, sign: str) -> Node:
        """Parse what follows an amount of money: "million", "per hour", or words that change nothing."""
        if self.token.kind not in ("text", "unit") or self.is_qualifier():
            return Quantity(amount, sign)
        factor, words = split_magnitude(self.unit())
        amount = _scaled(amount, factor)
        if is_claim(words):
            raise self.error("words after an amount of money")
        if not words:
            return Quantity(amount, sign)
        for unit in (f"{words} {sign}", f"{sign} {words}"):
            if parse_unit(unit) is not None:
                return Quantity(amount, unit)
        return Quantity(amount, sign)

    def prefixed(self, name: str) -> Node:
        """Parse the amount after the name of a currency: `USD 5`."""
        self.accept(".")
        return self.money(self.expr(), name)

    def at_number(self) -> bool:
        """Whether a number is at hand."""
        return self.token.kind == "num"

    def is_qualifier(self) -> bool:
        """Whether words open a condition; a longer text that begins with one is split."""
        token = self.token
        if token.kind != "text":
            return False
        lower = token.value.lower()
        if lower in QUALIFIER_WORDS:
            return True
        for opener in _QUALIFIERS:
            if lower.startswith(opener):
                rest = token.value[len(opener) :]
                if opener in ("for all ", "where ") and len(rest) <= 2:
                    self.tokens[self.at : self.at + 1] = [Token("text", opener.strip()), Token("sym", rest.strip())]
                    return True
        return False

    def unit(self) -> str:
        """Parse a unit with its powers and quotients, as one string."""
        out: list[str] = []
        while True:
            token = self.token
            if token.kind in ("text", "unit"):
                out.append(self.take().value)
            elif self.is_op("^") and out:
                self.at += 1
                braced = self.accept("{")
                minus = "-" if self.accept("-") else ""
                power = self.take()
                if power.kind != "num":
                    raise self.error("unreadable power of a unit")
                out[-1] += f"^{minus}{power.value}"
                if braced:
                    self.expect("}")
            elif out and token.kind == "sym" and self.tokens[self.at + 1].value == "^" and parse_unit(token.value):
                out.append(self.take().value)
            elif self.is_op("/", "*") and out and self.tokens[self.at + 1].kind in ("text", "unit", "sym"):
                out.append(self.take().value)
                out.append(self.take().value)
            else:
                return " ".join(out)


def counted(value: Node, words: str) -> Node:
    """Return a value with its unit; "million" and its like are part of the value."""
    factor, unit = split_magnitude(words)
    value = _scaled(value, factor)
    return Quantity(value, unit) if unit else value


def compound(larger: Node, smaller: Node) -> Quantity | None:
    """Return "1 hour 30 minutes" as one quantity; None unless the second part is less than one unit of the first."""
    if not isinstance(larger, Quantity) or not isinstance(smaller, Quantity):
        return None
    one, two = parse_unit(larger.unit), parse_unit(smaller.unit)
    if one is None or two is None or one[1] != two[1] or two[0] >= one[0]:
        return None
    if isinstance(smaller.value, Num) and not 0 <= smaller.value.value * two[0] < one[0]:
        return None
    return Quantity(plus(larger.value, times(smaller.value, number(two[0] / one[0]))), larger.unit)


def _scaled(value: Node, factor: int) -> Node:
    if factor == 1:
        return value
    return number(value.value * factor) if isinstance(value, Num) else times(value, number(factor))
