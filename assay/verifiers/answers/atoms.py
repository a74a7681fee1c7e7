"""Numerals, constants and symbols: the rules for what one token begins and little follows."""

from __future__ import annotations

from fractions import Fraction

from assay.verifiers.answers.cursor import items_of, literal
from assay.verifiers.answers.functions import FunctionParser
from assay.verifiers.answers.lexer import AnswerSyntaxError, Token
from assay.verifiers.answers.nodes import Based, Call, Const, Group, Node, Num, Sym

_BASES = {"two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10,
          "twelve": 12, "sixteen": 16}  # fmt: skip


class AtomParser(FunctionParser):
    """Parses numerals with bases and repeating decimals, constants, and symbols with what hangs on them."""

    def numeral(self, digits: str) -> Node:
        """Parse a number: with a base, or with a repeating part."""
        if self.is_op("_") and "." not in digits:
            return self.based(digits, self.take())
        if self.token.kind == "cmd" and self.token.value in ("overline", "bar", "dot") and "." in digits:
            self.at += 1
            repeating = self.argument_digits()
            whole = literal(digits)
            places = len(digits.partition(".")[2])
            tail = Fraction(int(repeating), (10 ** len(repeating) - 1) * 10**places)
            return Num(whole.value + tail)
        if not digits.isdecimal() and "." not in digits:
            raise AnswerSyntaxError("letters among digits")
        if self.token.kind == "cmd" and self.token.value == "ldots" and "." in digits:
            self.at += 1
            return self.continued(digits)
        return literal(digits)

    def continued(self, digits: str) -> Node:
        """Return the number of decimals that go on as they evidently do: `0.1666...`; others are refused."""
        whole, _, decimals = digits.partition(".")
        for period in range(1, len(decimals) // 2 + 1):
            block = decimals[-period:]
            times_seen = 3 if period == 1 else 2
            if decimals.endswith(block * times_seen):
                places = len(decimals) - period
                tail = Fraction(int(block), (10**period - 1) * 10**places)
                return Num(literal(f"{whole}.{decimals[:places]}0").value + tail)
        raise AnswerSyntaxError("decimals that go on unknown")

    def argument_digits(self) -> str:
        """Parse a braced run of digits."""
        braced = self.accept("{")
        token = self.take()
        if braced:
            self.expect("}")
        if token.kind != "num" or not token.value.isdigit() or len(token.value) > 30:
            raise AnswerSyntaxError("expected digits")
        return token.value

    def based(self, digits: str, _underscore: Token) -> Node:
        """Parse the base of a numeral after `_`."""
        braced = self.accept("{")
        bracketed = self.accept("(")
        token = self.take()
        if bracketed:
            self.expect(")")
        if braced:
            self.expect("}")
        if token.kind == "text" and token.value.lower() in _BASES:
            token = Token("num", str(_BASES[token.value.lower()]))
        if token.kind != "num" or not token.value.isdigit() or not 2 <= int(token.value[:4]) <= 36 or "/" in digits:
            raise AnswerSyntaxError(f"{token.value!r} is no base")
        return Based(digits, int(token.value))

    def constant(self, name: str) -> Node:
        """Parse a constant; `e` and `i` with a subscript are symbols."""
        if name in "ei" and self.is_op("_"):
            return self.symbol(name)
        if name == "pi" or name == "e" or name == "i" or name == "inf":
            return Const(name)  # type: ignore[arg-type]
        raise AnswerSyntaxError(f"unknown constant {name!r}")

    def symbol(self, name: str) -> Node:
        """Parse a symbol with its primes, subscript and arguments."""
        index: Node | None = None
        while self.accept("'"):
            name += "'"
        if self.accept("_"):
            name, index = self.subscript(name)
        while self.accept("'"):
            name += "'"
        if index is not None:
            return Call(f"_{name}", (index,))
        if name in self.functions and self.at_inverse():
            self.at += 5
            name = f"{name}^-1"
            self.functions.add(name)
        if name.rstrip("'") in self.functions and self.is_op("("):
            self.at += 1
            inner = self.nested(lambda: self.listing(")"))
            self.expect(")")
            return Call(name, items_of(inner))
        return Sym(name)

    def at_inverse(self) -> bool:
        """Whether `^{-1}(` is at hand."""
        return [t.value for t in self.tokens[self.at : self.at + 6]] == ["^", "{", "-", "1", "}", "("]

    def subscript(self, name: str) -> tuple[str, Node | None]:
        """Parse a subscript: part of the name when it is a number or label, else an index."""
        if not self.accept("{"):
            token = self.take()
            if token.kind not in ("num", "sym", "const", "text", "fn"):
                raise AnswerSyntaxError("unreadable subscript")
            if token.kind == "sym" and token.value.islower() and len(token.value) == 1:
                return name, Sym(token.value)
            return f"{name}_{token.value}", None
        start = self.at
        simple = 0
        while self.tokens[self.at].kind in ("num", "sym", "const", "text", "fn") and simple < 8:
            self.at += 1
            simple += 1
        inside = self.tokens[start : self.at]
        if simple and self.accept("}"):
            if len(inside) == 1 and inside[0].kind == "sym" and inside[0].value.islower() and len(inside[0].value) == 1:
                return name, Sym(inside[0].value)
            return f"{name}_{''.join(token.value for token in inside)}", None
        self.at = start
        index = self.nested(self.expr)
        if self.accept(","):
            index = Group((index, self.nested(self.expr)), "(", ")")
        self.expect("}")
        return name, index
