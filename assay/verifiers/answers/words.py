"""Comparison of answers in words, choices among letters, and the few words that stand for symbols."""

from __future__ import annotations

import re

from assay.verifiers.answers.choices import LETTERS
from assay.verifiers.answers.nodes import Const, Listing, Mul, Node, NumberSet, SetOf, Sym, Text, negative, number
from assay.verifiers.answers.spelled import spelled

_HEADS = frozenset(("triangle", "number", "numbers", "function", "series", "sequence", "only"))
_ARTICLES = frozenset(("a", "an", "the"))
_TOKEN = re.compile(r"[^\W_]+", re.UNICODE)
_LATEX = re.compile(r"\\(?:text|mathrm|textbf|mathbf|textit|operatorname)\s*\{|[{}$]")
_COMMAND = re.compile(r"\\[A-Za-z]")
_PLAIN = re.compile(r"[A-Za-z0-9 ,.:']{3,80}")
_LONG_WORD = re.compile(r"[A-Za-z]{3,}")
_ORDINAL = re.compile(r"(?<=\d) ?(?:st|nd|rd|th)\b")
_MEANINGS: dict[str, Node] = {
    **dict.fromkeys(("negative infinity", "minus infinity"), negative(Const("inf"))),
    **dict.fromkeys(("does not exist", "limit does not exist", "doesn t exist", "undefined"), Text("dne")),
    **dict.fromkeys(
        ("infinitely many", "infinite", "infinity", "positive infinity", "plus infinity", "infinitely many solutions"),
        Const("inf"),
    ),
    **dict.fromkeys(("all real numbers", "all reals", "real numbers", "all real x", "any real number"), NumberSet("R")),
    **dict.fromkeys(("all integers", "integers", "any integer"), NumberSet("Z")),
    **dict.fromkeys(("empty set", "no solution", "no solutions", "no real solution", "no real solutions"), SetOf(())),
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
    if isinstance(node, NumberSet):
        return node.name
    if isinstance(node, Mul) and all(isinstance(f, Sym | Const) for f in node.factors):
        return "".join(f.name for f in node.factors if isinstance(f, Sym | Const))
    return None


def same(left: Node, right: Node) -> bool:
    """Whether two answers, of which one is words, say the same."""
    one, two = spoken(left), spoken(right)
    if not one or not two:
        return False
    return one == two or _without_head(one) == _without_head(two)


def _without_head(said: str) -> str:
    """Return words without the noun that a one-word answer may leave out: "obtuse triangle"."""
    first, _, last = said.rpartition(" ")
    return first if first and last in _HEADS else said


def meaning(node: Node) -> Node:
    """Return the value that words stand for, such as the reals for "all real numbers"; else the node itself."""
    if not isinstance(node, Text):
        return node
    said = key(node.words)
    value = spelled(said)
    return _MEANINGS.get(said, node) if value is None else number(value)


def plain(text: str) -> str | None:
    """Return the key of an answer of words and whole numbers only, such as "March 5th"; None for any other."""
    bare = _LATEX.sub(" ", text)
    if _PLAIN.fullmatch(bare) is None or _LONG_WORD.search(bare) is None:
        return None
    return key(_ORDINAL.sub("", bare))


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
    return frozenset(spelled) if distinct and set(spelled) <= LETTERS else None


def is_wordy(text: str) -> bool:
    """Whether a text that is no formula can be meant as words: mostly letters, and no operator but a hyphen."""
    plain = _LATEX.sub(" ", text)
    if _COMMAND.search(plain):
        return False
    letters = sum(c.isalpha() or c.isspace() for c in plain)
    return len(_TOKEN.findall(plain)) > 0 and letters >= 0.8 * len(plain) and not re.search(r"[=<>^_+*/|]", plain)
