"""Writes structures and arrays of several packed dimensions as plain vectors, for tools that know no more than those.

`e[i].tag[1:0]` becomes `e[(i)*6 + 4 +: 2]`: the parser's own elaboration says where every item lies, so ranges may run
either way and be parameters. What the design says stays the same, but that an index outside an inner range meets a
neighbour instead of an unknown value. A design that cannot be put so, because a module has items of different widths in
two of its instances, is left as it stands.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import pyslang
from pyslang import ast, syntax

from .words import compiled

Span: TypeAlias = tuple[int, int]
Parts: TypeAlias = tuple["str | Span", ...]
"""What to write instead of a span: text, and spans of the source that are rewritten in turn."""

_QUERIES = ("$size", "$high", "$low", "$left", "$right", "$dimensions", "$increment")
_INDEX_WIDTH = 32
"""Bits in which an index is calculated: a narrower one wraps, and must go on doing so."""


def flatten(source: str, top: str) -> str:
    """Return the design without packed items of items; `source` is from the gate, or lowered already."""
    tree = syntax.SyntaxTree.fromText(source, pyslang.SourceManager())
    rewriter = _Rewriter(source)
    try:
        compiled(tree, top).getRoot().visit(rewriter.look)
        return rewriter.render((0, len(source)))
    except (_Ambiguous, RecursionError):
        return source


class _Ambiguous(Exception):
    """The same words mean different things in two places of the elaborated design."""


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a selected item lies: the variable or word, the terms of its lowest bit, its width."""

    base: Parts
    offset: Parts
    constant: int
    width: int
    nested: bool
    """Whether the way to it leads through a structure or an array of items."""


class _Rewriter:
    def __init__(self, source: str) -> None:
        self._source = source
        self._edits: dict[Span, Parts] = {}
        self._assigned: set[Span] = set()
        self._kept: set[Span] = set()

    def look(self, node: Any) -> None:
        """Note what has to be written otherwise at this node of the elaborated design."""
        if isinstance(node, ast.Symbol):
            declared = getattr(node, "declaredType", None)
            if declared is not None and declared.typeSyntax is not None:
                self._declaration(declared)
        elif isinstance(node, (ast.ElementSelectExpression, ast.RangeSelectExpression, ast.MemberAccessExpression)):
            self._selection(node)
        elif isinstance(node, ast.AssignmentExpression):
            self._assignment(node)
        elif isinstance(node, ast.CallExpression):
            self._call(node)
        elif isinstance(node, ast.ForeachLoopStatement):
            self._foreach(node)
        elif isinstance(node, ast.AssignmentPatternExpressionBase):
            self._pattern(node)
        elif isinstance(node, ast.StreamingConcatenationExpression):
            self._stream(node)

    def _assignment(self, node: Any) -> None:
        self._assigned.add(_span(node.left))
        left, right = node.left, node.right
        while isinstance(right, ast.ConversionExpression):
            right = right.operand
        for side, other in ((left, right), (right, left)):
            if isinstance(side, ast.StreamingConcatenationExpression):
                width, size = side.bitstreamWidth, side.sliceSize or 1
                if width != (other.bitstreamWidth if hasattr(other, "bitstreamWidth") else other.type.bitWidth) or (
                    side is left and width % size
                ):
                    self._kept.add(_span(side))

    def render(self, span: Span, within: Span | None = None) -> str:
        """Return the text of a span, rewritten, but not by the edit of the span `within`."""
        texts, position = [], span[0]
        for start, end in self._outermost(span, within):
            parts = self._edits[start, end]
            texts.append(self._source[position:start])
            texts += [part if isinstance(part, str) else self.render(part, (start, end)) for part in parts]
            position = end
        return "".join([*texts, self._source[position : span[1]]])

    def _outermost(self, span: Span, within: Span | None) -> Iterator[Span]:
        position = span[0]
        inside = (edit for edit in self._edits if span[0] <= edit[0] and edit[1] <= span[1] and edit != within)
        for start, end in sorted(inside, key=lambda edit: (edit[0], -edit[1])):
            if start >= position:
                yield start, end
                position = end

    def _edit(self, span: Span, *parts: str | Span) -> None:
        if self._edits.setdefault(span, parts) != parts:
            raise _Ambiguous

    def _declaration(self, declared: Any) -> None:
        meant, written = declared.type, declared.typeSyntax
        while meant.isUnpackedArray:
            meant = meant.arrayElementType
        named = written.kind.name == "NamedType"
        if not (named or _nested(meant)) or (width := _width(meant)) is None:
            return
        keyword = "" if written.kind.name == "ImplicitType" else "logic " if meant.isFourState else "bit "
        signed = "signed " if meant.isSigned else ""
        self._edit(_span(written), f"{keyword}{signed}{_slice(meant, width - 1, 0)}")

    def _selection(self, node: Any) -> None:
        place = self._place(node)
        if place is None or not place.nested or not place.base:
            return
        span = _span(node)
        low, width = place.constant, place.width
        if place.offset:
            terms: Parts = (*place.offset, f" + {low}" if low else "")
            select: Parts = ("[", *terms, "]") if width == 1 else ("[", *terms, f" +: {width}]")
        else:
            select = (f"[{low}]" if width == 1 else f"[{low + width - 1}:{low}]",)
        if node.type.isSigned and not any(start <= span[0] and span[1] <= end for start, end in self._assigned):
            self._edit(span, "$signed(", *place.base, *select, ")")
        else:
            self._edit(span, *place.base, *select)

    def _place(self, node: Any) -> _Place | None:
        """Return where the item of an expression lies; None when that is not in a variable of fixed size."""
        if isinstance(node, (ast.ElementSelectExpression, ast.RangeSelectExpression, ast.MemberAccessExpression)):
            outer = self._place(node.value)
            if outer is None:
                return None
            if isinstance(node, ast.MemberAccessExpression):
                return _member(outer, node)
            if not node.value.type.isUnpackedArray:
                return self._item(outer, node)
            if isinstance(node, ast.ElementSelectExpression) and (width := _width(node.type)) is not None:
                return _Place((*outer.base, "[", _span(node.selector), "]"), (), 0, width, outer.nested)
            return None
        if isinstance(node, (ast.NamedValueExpression, ast.HierarchicalValueExpression)):
            return _Place((_span(node),), (), 0, _width(node.type) or 0, nested=False)
        return None

    def _item(self, outer: _Place, node: Any) -> _Place | None:
        meant = node.value.type.canonicalType
        width = _width(node.type)
        if width is None or meant.kind.name != "PackedArrayType":
            return None
        each = _width(meant.arrayElementType) or 1
        nested = outer.nested or not meant.arrayElementType.isScalar
        if isinstance(node, ast.ElementSelectExpression):
            return self._at(outer, node.selector, meant.fixedRange, each, width, nested)
        kind, count = node.selectionKind.name, width // each
        low = meant.fixedRange.left >= meant.fixedRange.right
        if kind == "Simple":
            return self._at(outer, node.right, meant.fixedRange, each, width, nested)
        lowest_first = (kind == "IndexedUp") == low
        place = self._at(outer, node.left, meant.fixedRange, each, width, nested)
        back = 0 if lowest_first else (count - 1) * each
        return _Place(place.base, place.offset, place.constant - back, width, nested)

    def _at(self, outer: _Place, index: Any, bounds: Any, each: int, width: int, nested: bool) -> _Place:
        """Return the place that begins with the item of this index."""
        span = _span(index)
        text = self._source[slice(*span)].strip()
        descending = bounds.left >= bounds.right
        if text.isdecimal():
            item = int(text) - bounds.right if descending else bounds.right - int(text)
            return _Place(outer.base, outer.offset, outer.constant + item * each, width, nested)
        simple = index.type.bitWidth >= _INDEX_WIDTH or text.isidentifier()
        parts: Parts = ("(", span, ")") if simple else ("{", span, "}")
        constant = outer.constant - bounds.right * each if descending else outer.constant + bounds.right * each
        sign = (" + " if outer.offset else "") if descending else " - "
        scale = f"*{each}" if each > 1 else ""
        if not descending and not outer.offset:
            return _Place(outer.base, (f"{constant} - ", *parts, scale), 0, width, nested)
        return _Place(outer.base, (*outer.offset, sign, *parts, scale), constant, width, nested)

    def _call(self, node: Any) -> None:
        if not node.isSystemCall or not node.arguments:
            return
        first, name = node.arguments[0], str(node.subroutineName)
        if name in _QUERIES and _nested(first.type) and node.constant is not None:
            self._edit(_span(node), str(node.constant))
        elif first.type.isEnum and not name.startswith("$"):
            self._enumeration_method(node, first, name)

    def _enumeration_method(self, node: Any, value: Any, name: str) -> None:
        meant = value.type.canonicalType
        values = [f"{meant.bitWidth}'d{int(member.value.value)}" for member in meant]
        if name in ("first", "last", "num"):
            self._edit(_span(node), {"first": values[0], "last": values[-1], "num": str(len(values))}[name])
        elif name in ("next", "prev") and len(node.arguments) == 1:
            after = values[1:] + values[:1] if name == "next" else values[-1:] + values[:-1]
            parts: list[str | Span] = ["("]
            for this, other in zip(values, after, strict=True):
                parts += ["(", _span(value), f") == {this} ? {other} : "]
            self._edit(_span(node), *parts, f"{meant.bitWidth}'bx)")

    def _foreach(self, node: Any) -> None:
        if not _nested(node.arrayRef.type):
            return
        heads = []
        for dimension in node.loopDims:
            if dimension.loopVar is not None:
                name, first, last = dimension.loopVar.name, dimension.range.left, dimension.range.right
                test, step = ("<=", "+") if first <= last else (">=", "-")
                heads.append(f"for (int {name} = {first}; {name} {test} {last}; {name} = {name} {step} 1) ")
        self._edit(_span(node), *heads, _span(node.body))

    def _pattern(self, node: Any) -> None:
        if node.type.isUnpackedArray or _width(node.type) is None:
            return
        parts: list[str | Span] = []
        for element in node.elements:
            width = _width(element.type)
            if width is None:
                return
            parts += [", " if parts else "{", *self._sized(element, width)]
        self._edit(_span(node), *parts, "}")

    def _sized(self, element: Any, width: int) -> Parts:
        text = self._source[slice(*_span(element))].strip()
        if len(text) == 2 and text[0] == "'":
            return (f"{{{width}{{1'b{text[1]}}}}}",)
        if isinstance(element, ast.AssignmentPatternExpressionBase):
            return (_span(element),)
        return (f"{width}'(", _span(element), ")")

    def _stream(self, node: Any) -> None:
        """Write a stream of variables as the concatenation of their slices, the last slice first."""
        operands = [stream.operand for stream in node.streams]
        plain = all(isinstance(each, ast.NamedValueExpression) and each.type.isIntegral for each in operands)
        if not plain or _span(node) in self._kept:
            return
        bits = [(each, bit) for each in operands for bit in range(each.type.bitWidth)[::-1]]
        size = node.sliceSize or len(bits)
        parts: list[str | Span] = []
        for end in range(len(bits), 0, -size):
            piece = bits[max(0, end - size) : end]
            for operand in operands:
                own = [bit for each, bit in piece if each is operand]
                if own:
                    parts += [", " if parts else "{", _span(operand), _slice(operand.type, own[0], own[-1])]
        self._edit(_span(node), *parts, "}")


def _slice(meant: Any, high: int, low: int) -> str:
    """Return the select of the bits from place `high` down to `low` of a variable."""
    meant = meant.canonicalType
    if meant.isScalar:
        return ""
    if meant.kind.name == "PackedArrayType" and meant.arrayElementType.isScalar:
        bounds = meant.fixedRange
        step = 1 if bounds.left >= bounds.right else -1
        high, low = bounds.right + step * high, bounds.right + step * low
    return f"[{high}:{low}]"


def _member(outer: _Place, node: Any) -> _Place | None:
    width = _width(node.type)
    fields = _fields(node.value.type)
    below = 0
    for field in reversed(fields):
        if field.name == node.member.name:
            break
        below += _width(field.type) or 0
    if width is None or _width(node.value.type) is None:
        return None
    if node.value.type.isPackedUnion:
        below = 0
    return _Place(outer.base, outer.offset, outer.constant + below, width, nested=True)


def _nested(meant: Any) -> bool:
    """Whether a type is a structure, or an array of anything but single bits, in packed form."""
    meant = meant.canonicalType
    if meant.kind.name == "PackedArrayType":
        return not meant.arrayElementType.isScalar
    return bool(meant.isPackedUnion or meant.isStruct)


def _fields(meant: Any) -> Sequence[Any]:
    return [field for field in meant.canonicalType if field.kind.name == "Field"]


def _width(meant: Any) -> int | None:
    """Return the bits of a type of fixed size, None for one that cannot be a vector."""
    if meant.isIntegral:
        return int(meant.bitWidth)
    if not meant.isUnpackedStruct:
        return None
    widths = [_width(field.type) for field in _fields(meant)]
    return None if None in widths else sum(width or 0 for width in widths)


def _span(node: Any) -> Span:
    found = node.sourceRange
    if callable(found):
        found = found()
    return found.start.offset, found.end.offset
