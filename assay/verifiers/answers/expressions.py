"""Recursive descent over the tokens of an expression: sums, products, powers, functions, brackets.

`AnswerParser` (parser.py) adds what stands around expressions: lists, relations, sets, units, words. Invariants: each
token is consumed once (no backtracking beyond one symbol), and nesting deeper than `MAX_DEPTH` is refused, so parsing
is linear and cannot exhaust the stack.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import ClassVar

from assay.verifiers.answers.exact import MAX_DIGITS
from assay.verifiers.answers.lexer import AnswerSyntaxError, Token
from assay.verifiers.answers.nodes import (
    HALF,
    MINUS_ONE,
    Add,
    Based,
    Big,
    Call,
    Const,
    Expr,
    Group,
    Matrix,
    Mul,
    Node,
    Num,
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

MAX_DEPTH = 40
_INVERSE = {"sin": "arcsin", "cos": "arccos", "tan": "arctan", "cot": "arccot", "sec": "arcsec", "csc": "arccsc"}
_SIGNS = {"+": 1, "-": -1}
_DECORATIONS = frozenset(("overline", "bar", "vec", "hat", "tilde", "overrightarrow", "widehat", "underline", "dot"))
_LABELS = frozenset(("angle", "triangle", "Delta", "odot", "square", "measuredangle"))
_ATOM_COMMANDS = (
    frozenset(
        ("frac", "sqrt", "surd", "binom", "lfloor", "lceil", "sum", "prod", "int", "lim", "ldots", "begin", "boxed")
    )
    | _DECORATIONS
    | _LABELS
)


class ExpressionParser:
    """Parses expressions from a list of tokens."""

    application: ClassVar[frozenset[str]] = frozenset("fghFGH")
    """Symbols that apply to a bracket instead of multiplying it."""

    def __init__(self, tokens: list[Token]) -> None:
        self.tokens, self.at, self.depth = tokens, 0, 0
        self.functions = set(self.application)
        self.bar_closes = False
        """Whether `|` ends the present expression."""
        self.colon_closes = False

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

    def clause(self) -> Node:
        """Parse one item of a list; `AnswerParser` defines it."""
        raise NotImplementedError

    def listing(self, *closers: str) -> Node:
        """Parse items up to a closing operator; `AnswerParser` defines it."""
        raise NotImplementedError

    # -- sums and products -------------------------------------------------------------------------------------

    def expr(self) -> Node:
        """Parse a sum."""
        terms: list[Node] = []
        while True:
            sign = self.sign()
            if sign is None and terms:
                return plus(*terms)
            term = self.term()
            for name in reversed(sign or ""):
                term = negative(term) if name == "-" else Call("pm" if name == "±" else "mp", (term,))
            terms.append(term)

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
            elif self.token.kind == "num":
                product = self.mixed(product)
            elif self.starts_atom():
                after_number = isinstance(product, Num)
                factor = self.power()
                if after_number and self.is_mixed(product, factor):
                    product = plus(product, factor)
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
            factor = over(_literal(above.value), _literal(self.take().value))
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
        return Pow(base, self.nested(self.exponent))

    def exponent(self) -> Node:
        """Parse an exponent: a group or one atom, with its sign; `a^b^c` is `a^(b^c)`."""
        if self.accept("-"):
            return negative(self.nested(self.exponent))
        self.accept("+")
        token = self.token
        atom = _literal(self.take().value) if token.kind == "num" else self.atom()
        if self.accept("^"):
            return Pow(atom, self.nested(self.exponent))
        while self.accept("!"):
            atom = Call("factorial", (atom,))
        return atom

    def degrees(self, base: Node) -> Node:
        """Parse degrees, with minutes and seconds of arc."""
        value = base
        if self.token.kind == "num" and self.tokens[self.at + 1].value == "'":
            value = plus(value, over(_literal(self.take().value), number(60)))
            self.at += 1
            if self.token.kind == "num" and self.tokens[self.at + 1].value == "'":
                value = plus(value, over(_literal(self.take().value), number(3600)))
                while self.accept("'"):
                    pass
        return Call("deg", (value,))

    def based(self, digits: str, _underscore: Token) -> Node:
        """Parse the base of a numeral after `_`."""
        braced = self.accept("{")
        token = self.take()
        if braced:
            self.expect("}")
        if token.kind != "num" or not token.value.isdigit() or not 2 <= int(token.value[:4]) <= 36 or "/" in digits:
            raise AnswerSyntaxError(f"{token.value!r} is no base")
        return Based(digits, int(token.value))

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

    def numeral(self, digits: str) -> Node:
        """Parse a number: with a base, or with a repeating part."""
        if self.is_op("_") and "." not in digits:
            return self.based(digits, self.take())
        if self.token.kind == "cmd" and self.token.value in ("overline", "bar", "dot") and "." in digits:
            self.at += 1
            repeating = self.argument_digits()
            whole = _literal(digits)
            places = len(digits.partition(".")[2])
            tail = Fraction(int(repeating), (10 ** len(repeating) - 1) * 10**places)
            return Num(whole.value + tail)
        return _literal(digits)

    def argument_digits(self) -> str:
        """Parse a braced run of digits."""
        braced = self.accept("{")
        token = self.take()
        if braced:
            self.expect("}")
        if token.kind != "num" or not token.value.isdigit() or len(token.value) > 30:
            raise AnswerSyntaxError("expected digits")
        return token.value

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
        if name.rstrip("'") in self.functions and self.is_op("("):
            self.at += 1
            inner = self.nested(lambda: self.listing(")"))
            self.expect(")")
            return Call(name, _items(inner))
        return Sym(name)

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
        items = _items(inner)
        if len(items) == 1 and (opener, closer) in (("(", ")"), ("[", "]")):
            return items[0]
        return Group(items, opener, closer)

    def braces(self, closer: str) -> Node:
        """Parse a group or set; `AnswerParser` adds set-builder notation."""
        inner = self.listing(closer)
        self.expect(closer)
        items = _items(inner)
        return items[0] if len(items) == 1 and closer == "}" else SetOf(items)

    def absolute(self, bar: str) -> Node:
        """Parse an absolute value."""
        self.bar_closes = True
        inner = self.expr()
        self.bar_closes = False
        self.expect(bar)
        return Call("abs", (inner,))

    # -- functions and commands --------------------------------------------------------------------------------

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
            return _items(inner)
        if self.is_op("\\{", "{"):
            inner = self.bracket(self.take().value)
            return inner.items if isinstance(inner, SetOf) else (self.postfix(inner),)
        sign = self.sign() or ""
        factors = [self.nested(self.power)]
        while True:
            if self.accept("/"):
                factors[-1] = over(factors[-1], self.nested(self.power))
            elif self.starts_atom() and self.token.kind != "fn" and not self.is_op("(", "["):
                factors.append(self.nested(self.power))
            else:
                break
        argument = times(*factors)
        return (negative(argument) if sign.count("-") % 2 else argument,)

    def root(self) -> Node:
        r"""Parse a root: `\\sqrt[3]{x}`, `sqrt(x)`, `\\sqrt2`."""
        degree: Node | None = None
        if self.accept("["):
            degree = self.nested(self.expr)
            self.expect("]")
        token = self.token
        radicand = _literal(self.take().value) if token.kind == "num" else self.nested(self.atom)
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
        if name in _DECORATIONS or name == "boxed":
            return self.argument()
        if name in _LABELS:
            return self.label(name)
        if name == "begin":
            return self.nested(self.environment)
        if name == "langle":
            inner = self.nested(lambda: self.listing("rangle"))
            return Group(_items(inner), "(", ")")
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
            return _literal(token.value[0])
        if token.kind == "op" and token.value != "{":
            raise self.error("expected an argument")
        return self.nested(self.atom)

    def environment(self) -> Node:
        r"""Parse `\\begin{...}`; `AnswerParser` defines it."""
        raise NotImplementedError

    def big(self, name: str) -> Node:
        """Parse a sum, product, integral or limit."""
        variable, low, high = "", None, None
        if self.accept("_"):
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
        body = self.expr()
        terms = body.terms if isinstance(body, Add) else (body,)
        for position, term in enumerate(terms):
            factors = term.factors if isinstance(term, Mul) else (term,)
            if len(factors) >= 2 and factors[-2] == Sym("d") and isinstance(factors[-1], Sym):
                integrand = plus(*terms[:position], times(*factors[:-2]) if len(factors) > 2 else number(1))
                return plus(Big("int", factors[-1].name, low, high, integrand), *terms[position + 1 :])
        raise self.error("an integral without its variable")


def _literal(digits: str) -> Num:
    if len(digits) > MAX_DIGITS:
        raise AnswerSyntaxError("too many digits")
    whole, dot, decimals = digits.partition(".")
    return Num(Fraction(int(whole + decimals or "0"), 10 ** len(decimals)), len(decimals) if dot else None)


def _items(node: Node) -> tuple[Node, ...]:
    """Return the items of a bare list, or the node alone."""
    from assay.verifiers.answers.nodes import Listing

    return node.items if isinstance(node, Listing) else (node,)


def _apply(name: str, args: tuple[Node, ...], base: Node | None) -> Node:
    """Return a function value in terms of the primitive functions."""
    if name == "exp" and len(args) == 1:
        return Pow(Const("e"), args[0])
    if name == "cbrt" and len(args) == 1:
        return Call("root", (number(3), args[0]))
    if name == "lg" and len(args) == 1:
        return Call("log", (args[0], base if base is not None else number(10)))
    if name == "log" and len(args) == 1:
        return Call("log", args if base is None else (args[0], base))
    if base is not None:
        raise AnswerSyntaxError(f"{name} takes no subscript")
    if name == "det" and len(args) == 1 and isinstance(args[0], Matrix):
        return Matrix(args[0].rows, determinant=True)
    return Call(name, args)
