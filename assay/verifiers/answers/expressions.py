"""Recursive descent over the tokens of an expression: sums, products, powers, functions, brackets.

`AnswerParser` (parser.py) adds what stands around expressions: lists, relations, sets, units, words. Invariants: each
token is consumed once (no backtracking beyond one symbol), and nesting deeper than `MAX_DEPTH` is refused, so parsing
is linear and cannot exhaust the stack.
"""

from __future__ import annotations

from assay.verifiers.answers.atoms import AtomParser
from assay.verifiers.answers.cursor import items_of, literal
from assay.verifiers.answers.functions import DECORATIONS, LABELS
from assay.verifiers.answers.nodes import (
    Call,
    Group,
    Matrix,
    Node,
    Num,
    Pow,
    SetOf,
    Sym,
    negative,
    number,
    over,
    plus,
    times,
)

_ATOM_COMMANDS = (
    frozenset(
        ("frac", "sqrt", "surd", "binom", "lfloor", "lceil", "sum", "prod", "int", "lim", "ldots", "begin", "boxed")
    )
    | DECORATIONS
    | LABELS
)


class ExpressionParser(AtomParser):
    """Parses expressions from a list of tokens."""

    # -- sums and products -------------------------------------------------------------------------------------

    def expr(self) -> Node:
        """Parse a sum."""
        terms: list[Node] = []
        while True:
            sign = self.sign()
            if sign is None and terms:
                return self.stacked(plus(*terms))
            term = self.term()
            for name in reversed(sign or ""):
                term = negative(term) if name == "-" else Call("pm" if name == "±" else "mp", (term,))
            terms.append(term)

    def stacked(self, above: Node) -> Node:
        r"""Parse what is below in plain TeX: `3 \over 4`, `5 \choose 2`."""
        if self.accept("over"):
            return over(above, self.expr())
        if self.accept("choose"):
            return Call("binom", (above, self.expr()))
        return above

    def sign(self) -> str | None:
        """Consume the signs before a term: a string of `-`, `±`, `∓`, or None when there is none."""
        found: str | None = None
        while self.is_op("+", "-", "pm", "mp"):
            value = self.take().value
            found = (found or "") + {"+": "", "-": "-", "pm": "±", "mp": "∓"}[value]
            if len(found) > 8:
                raise self.error("too many signs")
        return found

    def term(self) -> Node:
        """Parse a product, with `*`, `/` or nothing between the factors."""
        product = self.power()
        while True:
            if self.accept("*"):
                product = times(product, self.signed_power())
            elif self.accept("/"):
                product = over(product, self.signed_power())
            elif self.token.kind == "num" and self.tokens[self.at - 1].value == "!":
                product = times(product, self.power())
            elif self.token.kind == "num":
                product = self.mixed(product)
            elif self.starts_atom():
                after_number = isinstance(product, Num)
                factor = self.power()
                if after_number and self.is_mixed(product, factor):
                    product = plus(product, factor)
                elif after_number and isinstance(factor, Call) and factor.name in ("percent", "deg"):
                    if not self.is_mixed(product, factor.args[0]):
                        raise self.error("a number right after a factor")
                    product = Call(factor.name, (plus(product, factor.args[0]),))
                else:
                    product = times(product, factor)
            else:
                return product

    def signed_power(self) -> Node:
        """Parse a factor that may carry its own sign, as in `2*-3`."""
        minus = False
        while self.is_op("-", "+"):
            minus ^= self.take().value == "-"
        factor = self.power()
        return negative(factor) if minus else factor

    def mixed(self, whole: Node) -> Node:
        """Parse `1/2` after a whole number: `3 1/2`. Two numbers side by side are nothing else."""
        above = self.take()
        if isinstance(whole, Num) and above.spaced and self.accept("/") and self.token.kind == "num":
            factor = over(literal(above.value), literal(self.take().value))
            if self.is_mixed(whole, factor):
                return plus(whole, factor)
        self.at -= 1
        raise self.error("a number right after a factor")

    @staticmethod
    def is_mixed(whole: Node, part: Node) -> bool:
        """Whether whole and part make a mixed number such as 1 4/5."""
        return (
            isinstance(whole, Num)
            and isinstance(part, Num)
            and whole.decimals is None
            and whole.value.denominator == 1
            and 0 < part.value < 1
        )

    def starts_atom(self) -> bool:
        """Whether the token at hand can begin a factor without an operator before it."""
        token = self.token
        if token.kind in ("sym", "const", "fn"):
            return True
        if token.kind == "cmd":
            return token.value in _ATOM_COMMANDS
        if token.value == "(" and self.tokens[self.at + 1].value == "mod":
            return False
        return token.kind == "op" and (token.value in ("(", "[", "{") or (token.value == "|" and not self.bar_closes))

    # -- powers and postfixes ----------------------------------------------------------------------------------

    def power(self) -> Node:
        """Parse an atom with what follows it: `^`, `!`, `%`, degree signs."""
        return self.postfix(self.atom())

    def postfix(self, base: Node) -> Node:
        """Parse the postfixes of an atom."""
        while True:
            if self.accept("!"):
                base = Call("factorial2" if self.accept("!") else "factorial", (base,))
            elif self.accept("%"):
                base = Call("percent", (base,))
            elif self.is_op("_") and isinstance(base, Num):
                base = self.based(str(base.value), self.take())
            elif self.accept("^"):
                base = self.superscript(base)
            else:
                return base

    def superscript(self, base: Node) -> Node:
        """Parse what follows `^`."""
        token = self.token
        if token.kind == "cmd" and token.value == "circ":
            self.at += 1
            return self.degrees(base)
        if token.kind == "end" or (token.kind == "op" and token.value in (")", "]", ",", "\\}")):
            return Call("deg", (base,))  # a degree sign that was lost
        if token.kind == "op" and token.value == "{":
            following = self.tokens[self.at + 1]
            closed = self.tokens[self.at + 2] if self.at + 2 < len(self.tokens) else following
            if following.kind == "cmd" and following.value == "circ" and closed.value == "}":
                self.at += 3
                return self.degrees(base)
            if following.kind == "text" and closed.value == "}":
                self.at += 3
                if following.value in ("th", "st", "nd", "rd"):
                    return base
                raise self.error("words in an exponent")
        if token.kind == "text" and token.value in ("th", "st", "nd", "rd"):
            self.at += 1
            return base
        if isinstance(base, Group | Matrix) and self.transposes():
            return base if isinstance(base, Group) else Matrix(tuple(zip(*base.rows, strict=True)), base.determinant)
        power = self.nested(self.exponent)
        if isinstance(base, Sym) and base.name.startswith("C_") and base.name[2:].isdigit() and isinstance(power, Num):
            return Call("binom", (literal(base.name[2:]), power))  # C_n^k, as it is written in much of the world
        if isinstance(base, Sym) and base.name.startswith("A_") and base.name[2:].isdigit() and isinstance(power, Num):
            total = literal(base.name[2:])  # A_n^k, likewise
            return over(Call("factorial", (total,)), Call("factorial", (number(total.value - power.value),)))
        return Pow(base, power)

    def transposes(self) -> bool:
        """Consume the mark of a transposed vector or matrix, if it is at hand."""
        braced = int(self.is_op("{"))
        if self.tokens[self.at + braced].value not in ("T", "top"):
            return False
        self.at += 1 + 2 * braced
        return True

    def exponent(self) -> Node:
        """Parse an exponent: a group or one atom, with its sign; `a^b^c` is `a^(b^c)`."""
        if self.accept("-"):
            return negative(self.nested(self.exponent))
        self.accept("+")
        token = self.token
        atom = literal(self.take().value) if token.kind == "num" else self.atom()
        if self.accept("^"):
            return Pow(atom, self.nested(self.exponent))
        while self.accept("!"):
            atom = Call("factorial", (atom,))
        return atom

    def degrees(self, base: Node) -> Node:
        """Parse degrees, with minutes and seconds of arc."""
        value = base
        if self.token.kind == "num" and self.tokens[self.at + 1].value == "'":
            value = plus(value, over(literal(self.take().value), number(60)))
            self.at += 1
            if self.token.kind == "num" and self.tokens[self.at + 1].value == "'":
                value = plus(value, over(literal(self.take().value), number(3600)))
                while self.accept("'"):
                    pass
        if self.token.kind in ("sym", "text") and self.token.value in ("C", "F"):
            return Call(f"deg{self.take().value}", (value,))
        return Call("deg", (value,))

    # -- atoms -------------------------------------------------------------------------------------------------

    def atom(self) -> Node:
        """Parse one indivisible factor."""
        token = self.take()
        match token.kind:
            case "num":
                return self.numeral(token.value)
            case "const":
                return self.constant(token.value)
            case "sym":
                return self.symbol(token.value)
            case "fn":
                return self.function(token.value)
            case "op":
                return self.bracket(token.value)
            case "cmd":
                return self.command(token.value)
            case _:
                self.at -= 1
                raise self.error("expected a value")

    def bracket(self, opener: str) -> Node:
        """Parse what an opening bracket holds."""
        if opener in ("(", "["):
            return self.nested(lambda: self.round_or_square(opener))
        if opener == "{":
            return self.nested(lambda: self.braces("}"))
        if opener == "\\{":
            return self.nested(lambda: self.braces("\\}"))
        if opener in ("|", "norm"):
            return self.nested(lambda: self.absolute(opener))
        self.at -= 1
        raise self.error("expected a value")

    def round_or_square(self, opener: str) -> Node:
        """Parse a grouped expression, a tuple or an interval."""
        inner = self.listing(")", "]")
        closer = self.take().value
        items = items_of(inner)
        if len(items) == 1 and (opener, closer) in (("(", ")"), ("[", "]")):
            return items[0]
        return Group(items, opener, closer)

    def braces(self, closer: str) -> Node:
        """Parse a group or set; `AnswerParser` adds set-builder notation."""
        inner = self.listing(closer)
        self.expect(closer)
        items = items_of(inner)
        return items[0] if len(items) == 1 and closer == "}" else SetOf(items)

    def absolute(self, bar: str) -> Node:
        """Parse an absolute value."""
        self.bar_closes = True
        inner = self.expr()
        self.bar_closes = False
        self.expect(bar)
        return Call("abs", (inner,))
