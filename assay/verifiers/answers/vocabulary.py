"""The words and commands that the lexer knows."""

from __future__ import annotations

FUNCTIONS = frozenset(
    (
        "sin", "cos", "tan", "cot", "sec", "csc", "arcsin", "arccos", "arctan", "arccot", "arcsec", "arccsc",
        "sinh", "cosh", "tanh", "coth", "sech", "csch", "arsinh", "arcosh", "artanh", "asin", "acos", "atan",
        "asinh", "acosh", "atanh", "ln", "log", "lg", "exp", "sqrt", "cbrt", "max", "min", "gcd", "lcm", "abs",
        "floor", "ceil", "det", "sgn", "sign", "arg", "Re", "Im", "arctg", "arcctg", "tg", "ctg", "cosec", "sup",
        "inf", "cis",
    )
)  # fmt: skip
ALIASES = {
    "asin": "arcsin", "acos": "arccos", "atan": "arctan", "tg": "tan", "ctg": "cot", "arctg": "arctan",
    "arcctg": "arccot", "cosec": "csc", "sign": "sgn", "asinh": "arsinh", "acosh": "arcosh", "atanh": "artanh",
    "arcsinh": "arsinh", "arccosh": "arcosh", "arctanh": "artanh",
}  # fmt: skip
CONSTANTS = {"pi": "pi", "infty": "inf", "infinity": "inf", "oo": "inf", "Inf": "inf"}
GREEK = frozenset(
    (
        "alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa", "lambda", "mu", "nu",
        "xi", "rho", "sigma", "tau", "upsilon", "phi", "chi", "psi", "omega", "Gamma", "Delta", "Theta", "Lambda",
        "Xi", "Pi", "Sigma", "Phi", "Psi", "Omega", "ell", "hbar",
    )
)  # fmt: skip
ENGLISH = frozenset(
    (
        "no", "on", "yes", "the", "are", "is", "it", "in", "at", "to", "of", "by", "we", "so", "an", "as", "be",
        "do", "he", "if", "me", "my", "not", "all", "one", "two", "six", "ten", "any", "for", "has", "its", "odd",
        "may", "nor", "now", "off", "out", "own", "per", "put", "set", "too", "use", "was", "way", "who", "why",
        "you", "can", "how", "let", "new", "old", "our", "see", "day", "man", "men", "top", "end", "bob", "sam",
        "tom", "amy", "dan", "joe", "max", "min", "red", "tie", "win", "and", "or", "go", "up", "us", "am", "pm",
        "none", "dne", "und",
    )
)  # fmt: skip
"""Short English words, which are no products of variables."""
JOINTS = {"and": "and", "or": "or", "&": "and"}
TEXT_COMMANDS = frozenset(("text", "mathrm", "operatorname", "mathit", "mathsf", "mathbf", "boldsymbol", "bm"))
SETS = {"R", "Z", "N", "Q", "C"}
OPERATORS = ("<=>", "<=", ">=", "=<", "!=", "==", "**", "...", "=>", "->")
OPERATOR_NAMES = {"<=": "le", ">=": "ge", "=<": "le", "!=": "ne", "==": "=", "**": "^"}
COMMAND_OPERATORS = {
    "le": "le", "ge": "ge", "ne": "ne", "approx": "approx", "equiv": "equiv", "in": "in", "notin": "notin",
    "cdot": "*", "times": "*", "pm": "pm", "mp": "mp", "cup": "cup", "cap": "cap", "setminus": "setminus",
    "{": "\\{", "}": "\\}", "\\": "row", "%": "%", "to": "to", "wedge": "and", "vee": "or", "sim": "sim",
    "choose": "choose", "|": "norm", "iff": "iff", "Rightarrow": "implies", "implies": "implies", "bmod": "mod",
    "mod": "mod", "&": "&", "over": "over", "atop": "choose", "parallel": "parallel",
    "perp": "perp",
}  # fmt: skip
