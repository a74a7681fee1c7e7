"""Functions, roots and LaTeX commands: the rules for everything that begins with a name."""

from __future__ import annotations

import itertools

from assay.verifiers.answers.cursor import TokenCursor, items_of, literal
from assay.verifiers.answers.lexer import AnswerSyntaxError, Token
from assay.verifiers.answers.nodes import (
    HALF,
    MINUS_ONE,
    Add,
    Big,
    Call,
    Const,
    Expr,
    Group,
    Matrix,
    Mul,
    Node,
    Pow,
    Relation,
    SetOf,
    Sym,
    negative,
    number,
    over,
    plus,
    times,
)

_INVERSE = {"sin": "arcsin", "cos": "arccos", "tan": "arctan", "cot": "arccot", "sec": "arcsec", "csc": "arccsc",
            "sinh": "arsinh", "cosh": "arcosh", "tanh": "artanh"}  # fmt: skip
DECORATIONS = frozenset(("overline", "bar", "vec", "hat", "tilde", "overrightarrow", "widehat", "underline", "dot"))
LABELS = frozenset(("angle", "triangle", "Delta", "odot", "square", "measuredangle"))


class FunctionParser(TokenCursor):
    """Parses named functions and commands."""

    def function(self, name: str) -> Node:
        """Parse a named function with its subscript, power and argument."""
        base: Node | None = None
        power: Node | None = None
        if name == "sqrt":
            return self.root()
        if name in ("max", "min", "sup", "inf") and self.is_op("_"):
            raise self.error("a bound operator")
        if self.accept("_"):
            base = self.nested(self.exponent)
        if self.accept("^"):
            power = self.nested(self.exponent)
        args = self.arguments()
        if power == MINUS_ONE and name in _INVERSE:
            name, power = _INVERSE[name], None
        value = _apply(name, args, base)
        return value if power is None else Pow(value, power)

    def arguments(self) -> tuple[Node, ...]:
        """Parse the arguments of a function: bracketed, or the factors up to the next sign or function."""
        if self.is_op("("):
            self.at += 1
            inner = self.nested(lambda: self.listing(")"))
            self.expect(")")
            return items_of(inner)
        if self.is_op("\\{", "{"):
            inner = self.bracket(self.take().value)
            return inner.items if isinstance(inner, SetOf) else (self.postfix(inner),)
        sign = self.sign() or ""
        factors = [self.nested(self.power)]
        while True:
            if self.accept("/"):
                factors[-1] = over(factors[-1], self.nested(self.power))
            elif self.at_differential():
                break
            elif self.starts_atom() and self.token.kind != "fn" and not self.is_op("(", "["):
                factors.append(self.nested(self.power))
            else:
                break
        argument = times(*factors)
        return (negative(argument) if sign.count("-") % 2 else argument,)

    def at_differential(self) -> bool:
        """Whether the `dx` that ends an integral is at hand."""
        return self.integrals > 0 and self.token.value == "d" and self.tokens[self.at + 1].kind == "sym"

    def root(self) -> Node:
        r"""Parse a root: `\\sqrt[3]{x}`, `sqrt(x)`, `\\sqrt2`."""
        degree: Node | None = None
        if self.accept("["):
            degree = self.nested(self.expr)
            self.expect("]")
        token = self.token
        radicand = literal(self.take().value) if token.kind == "num" else self.nested(self.atom)
        if not isinstance(radicand, Expr):
            raise self.error("a root of no number")
        if degree is None or degree == number(2):
            return Pow(radicand, HALF)
        return Call("root", (degree, radicand))

    def command(self, name: str) -> Node:
        """Parse a LaTeX command."""
        if name == "frac":
            above = self.argument()
            return over(above, self.argument())
        if name == "surd":
            return self.root()
        if name == "binom":
            above = self.argument()
            return Call("binom", (above, self.argument()))
        if name in ("lfloor", "lceil"):
            inner = self.nested(self.expr)
            closer = self.take()
            if closer.kind != "cmd" or closer.value not in ("rfloor", "rceil") or closer.value[1:] != name[1:]:
                raise self.error("the bracket does not close")
            return Call("floor" if name == "lfloor" else "ceil", (inner,))
        if name in ("sum", "prod", "int", "lim"):
            return self.nested(lambda: self.big(name))
        if name == "ldots":
            return Call("ellipsis", ())
        if name in DECORATIONS or name == "boxed":
            return self.argument()
        if name in LABELS:
            return self.label(name)
        if name == "begin":
            return self.nested(self.environment)
        if name == "langle":
            inner = self.nested(lambda: self.listing("rangle"))
            return Group(items_of(inner), "(", ")")
        self.at -= 1
        raise self.error("unknown command")

    def label(self, name: str) -> Node:
        r"""Parse a labelled figure such as `\\angle ABC`, which is one symbol."""
        letters = ""
        while self.token.kind == "sym" and len(letters) < 8:
            letters += self.take().value
        return Sym(f"{name}{letters}")

    def argument(self) -> Node:
        """Parse a LaTeX argument: a group, or one token (of a number one digit)."""
        token = self.token
        if token.kind == "num" and len(token.value) > 1 and token.value.isdigit():
            self.tokens[self.at] = Token("num", token.value[1:])
            return literal(token.value[0])
        if token.kind == "op" and token.value != "{":
            raise self.error("expected an argument")
        return self.nested(self.atom)

    def big(self, name: str) -> Node:
        """Parse a sum, product, integral or limit."""
        variable, low, high = "", None, None
        if self.accept("_"):
            self.read_index()
            inner = self.nested(self.bound)
            if isinstance(inner, Relation) and len(inner.operands) == 2 and isinstance(inner.operands[0], Sym):
                variable, low = inner.operands[0].name, inner.operands[1]
            elif name == "int":
                low = inner
            else:
                raise self.error("an unreadable bound")
        if self.accept("^"):
            high = self.nested(self.exponent)
        if name == "int":
            return self.integral(low, high)
        if not variable or (high is None) != (name == "lim"):
            raise self.error("a bound is missing")
        return Big(name, variable, low, high, self.term())  # type: ignore[arg-type]

    def read_index(self) -> None:
        r"""Read `i` as a symbol from here on when it runs: `\\sum_{i=1}^n i`."""
        opening = self.tokens[self.at : self.at + 3]
        if [t.value for t in opening] == ["{", "i", "="]:
            rest = self.tokens[self.at :]
            self.tokens[self.at :] = [Token("sym", "i", t.spaced) if t.value == "i" else t for t in rest]

    def bound(self) -> Node:
        r"""Parse a lower bound: `k=1`, `x \\to 0`, or a value."""
        if not self.accept("{"):
            token = self.token
            minus = self.accept("-")
            value = self.argument() if token.kind == "num" else self.atom()
            return negative(value) if minus else value
        left = self.expr()
        for op in ("=", "to"):
            if self.accept(op):
                left = Relation((left, self.expr()), (op,))
        self.expect("}")
        return left

    def integral(self, low: Node | None, high: Node | None) -> Node:
        """Parse the integrand up to its `dx`; what follows is added."""
        self.integrals += 1
        body = self.expr()
        self.integrals -= 1
        terms = body.terms if isinstance(body, Add) else (body,)
        for position, term in enumerate(terms):
            factors = term.factors if isinstance(term, Mul) else (term,)
            for place, (mark, variable) in enumerate(itertools.pairwise(factors)):
                if mark == Sym("d") and isinstance(variable, Sym):
                    rest = factors[:place] + factors[place + 2 :]
                    integrand = plus(*terms[:position], times(*rest) if rest else number(1))
                    return plus(Big("int", variable.name, low, high, integrand), *terms[position + 1 :])
        raise self.error("an integral without its variable")


def _apply(name: str, args: tuple[Node, ...], base: Node | None) -> Node:
    """Return a function value in terms of the primitive functions."""
    if name == "exp" and len(args) == 1:
        return Pow(Const("e"), args[0])
    if name == "cbrt" and len(args) == 1:
        return Call("root", (number(3), args[0]))
    if name == "cis" and len(args) == 1:
        return plus(Call("cos", args), times(Const("i"), Call("sin", args)))
    if name == "lg" and len(args) == 1:
        return Call("log", (args[0], base if base is not None else number(10)))
    if name == "log" and len(args) == 1:
        return Call("log", args if base is None else (args[0], base))
    if base is not None:
        raise AnswerSyntaxError(f"{name} takes no subscript")
    if name == "det" and len(args) == 1 and isinstance(args[0], Matrix):
        return Matrix(args[0].rows, determinant=True)
    return Call(name, args)
