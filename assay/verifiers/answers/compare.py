"""Comparison of two parsed answers by type, under a policy.

`Comparison.same(gold, answer)` peels labels, units and conditions off, then compares like with like. What the types
leave to numbers goes to `equality.equal`. The gold decides which conventions apply, so the relation is not symmetric.
"""

from __future__ import annotations

from assay.verifiers.answers import (
    ellipsis,
    exactly,
    listings,
    matrices,
    numerals,
    quantities,
    realsets,
    relations,
    vectors,
    words,
)
from assay.verifiers.answers.choices import LETTERS
from assay.verifiers.answers.equality import equal
from assay.verifiers.answers.evaluate import LOCK, MP, Budget, CannotEvaluate, Evaluation
from assay.verifiers.answers.nodes import (
    Based,
    Builder,
    Call,
    Cases,
    Const,
    Expr,
    Group,
    Listing,
    Matrix,
    Mul,
    Node,
    Num,
    NumberSet,
    Qualified,
    Quantity,
    Ratio,
    Relation,
    SetOf,
    SetOperation,
    Sym,
    Text,
    substitute,
    symbols,
    walk,
)
from assay.verifiers.answers.policy import AnswerPolicy
from assay.verifiers.answers.signs import expand

_ROUNDING_DIGITS = 3
"""Significant digits from which a decimal gold may stand for an exact value."""
_PARAMETERS = frozenset("knmljt")
_CONSTANTS_OF_INTEGRATION = ("C", "K", "c", "k", "A", "B", "D")


class Comparison:
    """Compares answers under one policy, within one budget."""

    def __init__(self, policy: AnswerPolicy, budget: Budget) -> None:
        self.policy, self.budget = policy, budget

    # -- dispatch ----------------------------------------------------------------------------------------------

    def same(self, gold: Node, answer: Node) -> bool:
        """Return whether the answer means the gold.

        Raises:
            Undecided: the numbers could not be compared.
            BudgetExceeded: the steps are used up.
        """
        self.budget.spend(1)
        gold, answer = self._unqualified(gold, answer)
        gold, answer = matrices.fold(expand(gold)), matrices.fold(expand(answer))
        gold, answer = vectors.alike(_peeled(gold, answer), _peeled(answer, gold))
        if isinstance(gold, Text) or isinstance(answer, Text):
            return self._texts(gold, answer)
        if isinstance(gold, Quantity) or isinstance(answer, Quantity) or quantities.has_sign(gold, answer):
            return quantities.same(self, gold, answer)
        if isinstance(gold, Relation) or isinstance(answer, Relation):
            return relations.same(self, gold, answer)
        if self._both_sets(gold, answer):
            return self.same_set(gold, answer)
        if isinstance(gold, Matrix) or isinstance(answer, Matrix):
            return self._matrices(gold, answer)
        if isinstance(gold, Listing | SetOf | Group) or isinstance(answer, Listing | SetOf | Group):
            return listings.same(self, gold, answer)
        if isinstance(gold, Ratio) or isinstance(answer, Ratio):
            return numerals.same_ratio(self, gold, answer)
        if isinstance(gold, Based) or isinstance(answer, Based):
            return numerals.same_numeral(self, gold, answer)
        if isinstance(gold, Cases) and isinstance(answer, Cases):
            rows = [Group(row, "(", ")") for row in gold.rows], [Group(row, "(", ")") for row in answer.rows]
            return len(gold.rows) == len(answer.rows) and listings.paired_off(self, *rows)
        if isinstance(gold, Expr) and isinstance(answer, Expr):
            return self.same_value(gold, answer)
        if isinstance(gold, NumberSet) or isinstance(answer, NumberSet):
            return words.same(gold, answer)
        return gold == answer

    def _unqualified(self, gold: Node, answer: Node) -> tuple[Node, Node]:
        """Drop conditions that only one side states, and memberships that only name a parameter's range."""
        if isinstance(gold, Qualified) and isinstance(answer, Qualified) and gold.condition != answer.condition:  # noqa: SIM102
            if not _same_range(gold.condition, answer.condition):
                return gold, Text("")
        while isinstance(gold, Qualified):
            gold = gold.value
        while isinstance(answer, Qualified):
            answer = answer.value
        return _without_ranges(gold), _without_ranges(answer)

    # -- values ------------------------------------------------------------------------------------------------

    def same_value(self, gold: Node, answer: Node) -> bool:
        """Compare two expressions, with rounding, tolerance and renaming as the policy has them."""
        if self.policy.simplified and isinstance(gold, Num) and not isinstance(answer, Num):
            return False
        if any(isinstance(n, Call) and n.name == "ellipsis" for side in (gold, answer) for n in walk(side)):
            return ellipsis.same(self, gold, answer)
        if equal(gold, answer, self.budget):
            return True
        if not symbols(gold) and not symbols(answer):
            return self._rounded(gold, answer)
        renamed = self._renamed(gold, answer) if self.policy.renaming else None
        return renamed is not None and equal(gold, renamed, self.budget)

    def _rounded(self, gold: Node, answer: Node) -> bool:
        """Whether the answer lies within the tolerance, or rounds to a decimal gold."""
        policy = self.policy
        if policy.rel_tol == 0.0 and policy.rounding == "never":
            return False
        with LOCK:
            MP.dps = 30
            try:
                run = Evaluation({}, 30, self.budget, real=True)
                one, two = run.value(gold), run.value(answer)
                if policy.rel_tol and abs(one - two) <= policy.rel_tol * abs(one):
                    return True
                if policy.rounding == "never" or not isinstance(gold, Num) or not gold.decimals:
                    return False
                if policy.rounding == "exact_forms":
                    digits = len(str(abs(gold.value.numerator * 10**gold.decimals // gold.value.denominator)))
                    if digits < _ROUNDING_DIGITS or _terminates(answer):
                        return False
                return bool(abs(one - two) <= MP.mpf(10) ** -gold.decimals / 2)
            except CannotEvaluate:
                return False
            finally:
                MP.dps = 15

    def _renamed(self, gold: Node, answer: Node) -> Node | None:
        """Return the answer with the gold's name for a constant of integration or an integer parameter."""
        mine, theirs = symbols(gold) - symbols(answer), symbols(answer) - symbols(gold)
        if len(mine) != 1 or len(theirs) != 1:
            return None
        (old,), (new,) = theirs, mine
        names = {old[0], new[0]}
        if names <= set(_CONSTANTS_OF_INTEGRATION) and _is_added(gold, new) and _is_added(answer, old):
            return substitute(answer, {old: Sym(new)})
        if {old, new} <= _PARAMETERS and _multiplies_pi(gold, new) and _multiplies_pi(answer, old):
            return substitute(answer, {old: Sym(new)})
        return None

    def approximate(self, node: Node) -> float | None:
        """Return a float for ordering, or None for a symbolic or unreadable value."""
        if symbols(node):
            return None
        with LOCK:
            MP.dps = 25
            try:
                return float(Evaluation({}, 25, self.budget, real=True).value(node))
            except (CannotEvaluate, OverflowError):
                return None
            finally:
                MP.dps = 15

    # -- words, units --------------------------------------------------------------------------------------------

    def _texts(self, gold: Node, answer: Node) -> bool:
        if words.same(gold, answer):
            return True
        if words.same_choices(gold, answer) or words.same_verdict(gold, answer):
            return True
        meaning1, meaning2 = words.meaning(gold), words.meaning(answer)
        if (meaning1, meaning2) != (gold, answer):
            return self.same(meaning1, meaning2)
        if isinstance(answer, Relation) and isinstance(gold, Text) and answer.ops == ("=",):
            if isinstance(answer.operands[0], Text) and answer.operands[0].words in LETTERS:
                return self.same(gold, answer.operands[0])
            return self.same(gold, answer.operands[1])
        if isinstance(gold, Relation) and isinstance(answer, Text) and gold.ops == ("=",):
            return self.same(gold.operands[1], answer)
        if isinstance(gold, Quantity) and isinstance(answer, Text):
            return False
        return False

    # -- collections -------------------------------------------------------------------------------------------

    def _both_sets(self, gold: Node, answer: Node) -> bool:
        one_is_list = isinstance(gold, Listing) != isinstance(answer, Listing)
        if one_is_list and (realsets.is_inequality(gold) or realsets.is_inequality(answer)):
            return self.policy.relation_as_set
        return realsets.is_set(gold) or realsets.is_set(answer)

    def same_set(self, gold: Node, answer: Node) -> bool:
        """Compare two sets of reals."""
        if gold == answer or (isinstance(answer, Sym) and words.same(gold, answer)):
            return True
        one, two = realsets.spans(gold, self.approximate), realsets.spans(answer, self.approximate)
        if one is None or two is None:
            return self._builders(gold, answer)
        one, two = realsets.normal(one, self.approximate), realsets.normal(two, self.approximate)
        return len(one) == len(two) and all(self._same_span(a, b) for a, b in zip(one, two, strict=True))

    def _builders(self, gold: Node, answer: Node) -> bool:

        if isinstance(gold, Builder) and isinstance(answer, Builder):
            mine, theirs = symbols(gold) - symbols(answer), symbols(answer) - symbols(gold)
            if self.policy.renaming and len(mine) == len(theirs) == 1 and mine | theirs <= _PARAMETERS:
                renamed = substitute(answer, {next(iter(theirs)): Sym(next(iter(mine)))})
                assert isinstance(renamed, Builder)
                answer = renamed
            return self.same(gold.element, answer.element) and self.same(gold.condition, answer.condition)
        if isinstance(gold, SetOperation) and isinstance(answer, SetOperation) and gold.kind == answer.kind:
            return len(gold.parts) == len(answer.parts) and listings.paired_off(self, gold.parts, answer.parts)
        return False

    def _same_span(self, one: realsets.Span, two: realsets.Span) -> bool:
        if (one.low_closed, one.high_closed) != (two.low_closed, two.high_closed):
            return False
        for a, b in ((one.low, two.low), (one.high, two.high)):
            if (a is None) != (b is None) or (a is not None and b is not None and not self.same(a, b)):
                return False
        return True

    def _matrices(self, gold: Node, answer: Node) -> bool:
        one, two = _as_matrix(gold), _as_matrix(answer)
        if one is None or two is None:
            return False
        if one.determinant != two.determinant:
            return False
        if len(one.rows) != len(two.rows) or len(one.rows[0]) != len(two.rows[0]):
            vector = 1 in (len(one.rows), len(one.rows[0])) and not (
                isinstance(gold, Matrix) and isinstance(answer, Matrix)
            )
            if not vector or len(one.children()) != len(two.children()):
                return False
        return all(self.same(a, b) for a, b in zip(one.children(), two.children(), strict=True))


# -- helpers -------------------------------------------------------------------------------------------------------


def _terminates(node: Node) -> bool:
    """Whether a number has a finite decimal expansion."""
    try:
        below = exactly.rational(node).denominator
    except (exactly.NotRational, exactly.Pole):
        return False
    while below % 2 == 0:
        below //= 2
    while below % 5 == 0:
        below //= 5
    return below == 1


def _is_added(node: Node, name: str) -> bool:
    terms = node.children() if isinstance(node, Expr) and type(node).__name__ == "Add" else ()
    return Sym(name) in terms and sum(n == Sym(name) for n in walk(node)) == 1


def _multiplies_pi(node: Node, name: str) -> bool:
    return any(isinstance(n, Mul) and Const("pi") in n.factors and name in symbols(n) for n in walk(node))


def _as_matrix(node: Node) -> Matrix | None:
    if isinstance(node, Matrix):
        return node
    if isinstance(node, Group) and (rows := matrices.nested_rows(node)) is not None:
        return Matrix(rows)
    if isinstance(node, Group) and (node.left, node.right) in (("(", ")"), ("[", "]")):
        return Matrix(tuple((item,) for item in node.items))
    return None


def _peeled(node: Node, other: Node) -> Node:
    """Return the set in `x in {1, 2}`, and the point in `A(1, 2)` where the other side is one; any other node as is."""
    if isinstance(node, Relation) and node.ops == ("in",) and isinstance(node.operands[1], SetOf):
        return node.operands[1]
    if isinstance(other, Group):
        if isinstance(node, Mul) and len(node.factors) == 2 and isinstance(node.factors[1], Group):
            label = node.factors[0]
            return node.factors[1] if isinstance(label, Sym) and label.name[:1].isupper() else node
        if isinstance(node, Call) and len(node.args) > 1 and len(node.name) == 1 and node.name.isupper():
            return Group(node.args, "(", ")")
    return node


def _is_range(node: Node) -> bool:
    """Whether a node only says where a parameter lives: `k in Z`."""
    return isinstance(node, Relation) and node.ops == ("in",) and isinstance(node.operands[1], NumberSet)


def _same_range(one: Node, two: Node) -> bool:
    return _is_range(one) and _is_range(two)


def _without_ranges(node: Node) -> Node:
    if not isinstance(node, Listing):
        return node
    kept = [item for item in node.items if not _is_range(item)]
    if len(kept) in (0, len(node.items)):
        return node
    return kept[0] if len(kept) == 1 else Listing(tuple(kept), node.joint)
