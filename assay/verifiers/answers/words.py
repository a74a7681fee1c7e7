"""Comparison of answers in words, choices among letters, and the few words that stand for symbols."""

from __future__ import annotations

import re

from assay.verifiers.answers.nodes import Const, Listing, Mul, Node, Num, NumberSet, SetOf, Sym, Text, number

_ARTICLES = frozenset(("a", "an", "the"))
_TOKEN = re.compile(r"[^\W_]+", re.UNICODE)
_LATEX = re.compile(r"\\(?:text|mathrm|textbf|mathbf|textit)\s*\{|\\[a-zA-Z]+|[{}$]")
_CHOICES = frozenset("ABCDEFGH")
_MEANINGS: dict[str, Node] = {
    **dict.fromkeys(("infinitely many", "infinite", "infinity", "infinitely many solutions"), Const("inf")),
    **dict.fromkeys(("all real numbers", "all reals", "real numbers", "all real x", "any real number"), NumberSet("R")),
    **dict.fromkeys(("all integers", "integers", "any integer"), NumberSet("Z")),
    **dict.fromkeys(("empty set", "no solution", "no solutions", "no real solution", "no real solutions"), SetOf(())),
    "zero": number(0), "one": number(1), "two": number(2), "three": number(3), "four": number(4), "five": number(5),
    "six": number(6), "seven": number(7), "eight": number(8), "nine": number(9), "ten": number(10),
    "eleven": number(11), "twelve": number(12),
}  # fmt: skip


def key(text: str) -> str:
    """Return words in lower case without articles, punctuation and LaTeX commands; a single letter keeps its case."""
    words: list[str] = _TOKEN.findall(_LATEX.sub(" ", text))
    if len(words) == 1 and len(words[0]) == 1:
        return words[0]
    kept = [w.casefold() for w in words]
    return " ".join(w for w in kept if w not in _ARTICLES) or " ".join(kept)


def spoken(node: Node) -> str | None:
    """Return how a node reads as words: a text, a letter, or a product of letters; None for other nodes."""
    if isinstance(node, Text):
        return key(node.words)
    if isinstance(node, Sym):
        return node.name
    if isinstance(node, Const):
        return "infinity" if node.name == "inf" else node.name
    if isinstance(node, Num):
        return None
    if isinstance(node, Mul) and all(isinstance(f, Sym | Const) for f in node.factors):
        return "".join(f.name for f in node.factors if isinstance(f, Sym | Const))
    return None


def same(left: Node, right: Node) -> bool:
    """Whether two answers, of which one is words, say the same."""
    one, two = spoken(left), spoken(right)
    if not one or not two:
        return False
    return one == two


def meaning(node: Node) -> Node:
    """Return the value that words stand for, such as the reals for "all real numbers"; else the node itself."""
    return _MEANINGS.get(key(node.words), node) if isinstance(node, Text) else node


def same_choices(left: Node, right: Node) -> bool:
    """Whether two answers name the same choices, of which at least one is written as a list: `A, C` and `AC`."""
    listed = isinstance(left, Listing | SetOf) or isinstance(right, Listing | SetOf)
    named = _letters(left)
    return listed and named is not None and named == _letters(right)


def same_verdict(left: Node, right: Node) -> bool:
    """Whether one answer is a bare yes or no and the other begins with the same word: "Yes, it is"."""
    one, two = _verdict(left), _verdict(right)
    return one is not None and one == two and (isinstance(left, Text) or isinstance(right, Text))


def _verdict(node: Node) -> str | None:
    first = node
    if isinstance(node, Listing):
        if node.joint != "," or any(_verdict(item) is not None for item in node.items[1:]):
            return None
        first = node.items[0]
    if not isinstance(first, Text):
        return None
    head, comma, rest = first.words.partition(",")
    if comma and {"yes", "no"} & set(key(rest).split()):
        return None
    word = key(head)
    return word if word in ("yes", "no") else None


def _letters(node: Node) -> frozenset[str] | None:
    """Return the choices that an answer such as `A, C` or `AC` names; None for any other answer and for one letter."""
    if isinstance(node, Listing | SetOf):
        spelled = "".join(item.name if isinstance(item, Sym) else "?" for item in node.items)
    elif isinstance(node, Text):
        spelled = node.words.strip()
    elif isinstance(node, Mul):
        spelled = "".join(f.name if isinstance(f, Sym) else "?" for f in node.factors)
    else:
        return None
    distinct = len(set(spelled)) == len(spelled) >= 2
    return frozenset(spelled) if distinct and set(spelled) <= _CHOICES else None


def as_product(text: Text) -> Node | None:
    """Return a short run of letters as a product of variables: `ab`."""
    word = text.words.strip()
    if 2 <= len(word) <= 4 and word.isascii() and word.isalpha():
        return Mul(tuple(Const(c) if c in "ei" else Sym(c) for c in word))  # type: ignore[arg-type]
    return None


def is_wordy(text: str) -> bool:
    """Whether a text that is no formula can be meant as words: mostly letters, and no operator but a hyphen."""
    plain = _LATEX.sub(" ", text)
    letters = sum(c.isalpha() or c.isspace() for c in plain)
    return len(_TOKEN.findall(plain)) > 0 and letters >= 0.8 * len(plain) and not re.search(r"[=<>^_+*/|]", plain)
