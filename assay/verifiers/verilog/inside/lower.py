"""Rewrites a design for tools that know less of SystemVerilog than the parser does, such as Icarus 11 and Yosys 0.23.

What it says stays the same: enumerations become vectors and constants, casts to named types casts to their size,
`inside` comparisons, `break` and `continue` the end of a named block, streams concatenations, a default for all items
of an array a loop; promises such as `unique` go. What is not known here is left as it stands, for the tools to refuse.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pyslang
from pyslang import ast, parsing, syntax

_SIZES = {"byte": 8, "shortint": 16, "int": 32, "longint": 64, "integer": 32, "logic": 1, "bit": 1, "reg": 1}
_SILENT = ("unique", "unique0", "priority", "var")
_SIGNED = ("byte", "shortint", "int", "longint", "integer")


def lower(source: str, top: str) -> str:
    """Return the design in plainer words, or as it is when it is nested too deeply; `source` is from the gate."""
    tree = syntax.SyntaxTree.fromText(source, pyslang.SourceManager())
    options = ast.CompilationOptions()
    options.topModules = {top}
    options.flags = ast.CompilationFlags.AllowUseBeforeDeclare | ast.CompilationFlags.RelaxEnumConversions
    compilation = ast.Compilation(pyslang.Bag([options]))
    compilation.addSyntaxTree(tree)
    try:
        return _Writer(compilation).write(tree.root)
    except RecursionError:
        return source


class _Writer:
    def __init__(self, compilation: Any) -> None:
        self._types: dict[str, tuple[int, bool]] = {}
        self._vectors: dict[str, tuple[int, int]] = {}
        self._arrays: dict[str, tuple[int, int]] = {}
        self._automatic = False
        self._names = 0
        self._jumps: list[dict[str, str]] = []
        compilation.getRoot().visit(self._note)

    def _note(self, symbol: Any) -> None:
        """Remember what names stand for: widths of types, ranges of vectors and arrays."""
        kind = symbol.kind.name
        if kind == "TypeAlias":
            meant = symbol.targetType.type
            if meant.isIntegral:
                self._types[symbol.name] = (meant.bitWidth, meant.isSigned)
        elif kind in ("Variable", "Net", "FormalArgument", "Parameter"):
            meant = symbol.type.canonicalType
            if meant.kind.name in ("PackedArrayType", "FixedSizeUnpackedArrayType"):
                flat = meant.kind.name == "PackedArrayType" and meant.elementType.bitWidth == 1
                known = self._vectors if flat else self._arrays
                if flat or meant.isUnpackedArray:
                    known[symbol.name] = (meant.fixedRange.left, meant.fixedRange.right)

    def write(self, node: Any) -> str:
        """Return the text of a node."""
        if isinstance(node, parsing.Token):
            return " " if node.rawText in _SILENT else str(node)
        kind = node.kind.name
        change = _CHANGES.get(kind)
        text = None if change is None else change(self, node)
        return self._same(node) if text is None else text

    def _same(self, node: Any) -> str:
        return "".join(self.write(child) for child in node)

    def _fresh(self) -> str:
        self._names += 1
        return f"lowered_{self._names}"

    def _module_header(self, node: Any) -> str:
        return self._same(node).replace("macromodule", "module", 1)

    def _typedef_declaration(self, node: Any) -> str | None:
        if node.type.kind.name != "EnumType":
            return None
        constants, base = self._enumeration(node.type)
        return f"{constants} typedef {base} {node.name.rawText};"

    def _data_declaration(self, node: Any) -> str | None:
        if node.type.kind.name != "EnumType":
            return self._filled(node)
        constants, base = self._enumeration(node.type)
        return f"{constants} {base} {''.join(map(self.write, node.declarators))};"

    def _enumeration(self, node: Any) -> tuple[str, str]:
        """Return the constants of an enumeration, and its base type."""
        base = "int" if node.baseType is None else self.write(node.baseType).strip()
        if base in self._types:
            base = f"logic [{self._types[base][0] - 1}:0]"
        texts, value = [], "0"
        for member in _nodes(node.members):
            if member.initializer is not None:
                value = self.write(member.initializer.expr)
            for suffix in self._suffixes(member):
                name = f"{member.name.rawText}{suffix}"
                texts.append(f"\nlocalparam {base} {name} = {value};")
                value = f"{name} + 1"
        return "".join(texts), base

    def _suffixes(self, member: Any) -> list[str]:
        """Return what a range makes of an enumeration's name: `S[2]` is S0, S1."""
        for dimension in _nodes(member.dimensions):
            bounds = self.write(dimension).strip(" []").split(":")
            if not all(bound.strip().isdecimal() for bound in bounds):
                break
            first, last = (0, int(bounds[0]) - 1) if len(bounds) == 1 else map(int, bounds)
            step = 1 if first <= last else -1
            return [str(number) for number in range(first, last + step, step)]
        return [""]

    def _parameters(self, node: Any) -> str | None:
        return self._filled(node.parameter) if node.parameter.kind.name == "ParameterDeclaration" else None

    def _parameter(self, node: Any) -> str | None:
        text = self._same(node)
        return text.replace("int unsigned", "logic [31:0]", 1) if "int unsigned" in text else None

    def _filled(self, node: Any) -> str | None:
        """Write the declaration of an array with its items as one that is filled at the start."""
        items = [self._items(item.name.rawText, item.initializer.expr) for item in _nodes(node.declarators)
                 if item.initializer is not None]  # fmt: skip
        if not items or None in items:
            return None
        texts = [f" {target} = {value};" for pairs in items for target, value in pairs or ()]
        return f"{self._uninitialised(node, [])} initial begin{''.join(texts)} end"

    def _items(self, name: str, right: Any) -> list[tuple[str, str]] | None:
        """Return item -> value of an array that is set to a list of values."""
        pattern = getattr(right, "pattern", None)
        if name not in self._arrays or pattern is None or pattern.kind.name != "SimpleAssignmentPattern":
            return None
        first, last = self._arrays[name]
        step = 1 if first <= last else -1
        values = map(self.write, _nodes(pattern.items))
        return [
            (f"{name}[{index}]", value) for index, value in zip(range(first, last + step, step), values, strict=False)
        ]

    def _continuous(self, node: Any) -> str | None:
        """Write an array that is wired to a list of values item by item."""
        texts = []
        for item in _nodes(node.assignments):
            pairs = self._items(_name(item.left), item.right)
            if pairs is None:
                return None
            texts += [f"\nassign {target} = {value};" for target, value in pairs]
        return "".join(texts)

    def _function(self, node: Any) -> str:
        outer, self._automatic = self._automatic, node.prototype.lifetime.rawText == "automatic"
        text = self._block(node)
        self._automatic = outer
        if node.kind.name == "FunctionDeclaration" and node.prototype.returnType.kind.name == "VoidType":
            head, _, tail = text.replace("function", "task", 1).replace(" void", "", 1).rpartition("endfunction")
            return f"{head}endtask{tail}"
        return text

    def _block(self, node: Any) -> str:
        """Write what automatic variables begin with as assignments after the declarations."""
        texts: list[str] = []
        assignments: list[str] = []
        for child in node:
            if not isinstance(child, parsing.Token) and child.kind.name == "DataDeclaration":
                words = [str(word.rawText) for word in child.modifiers]
                if "automatic" in words or (self._automatic and "static" not in words):
                    texts.append(self._uninitialised(child, assignments))
                    continue
            elif not isinstance(child, parsing.Token) or child.rawText.startswith("end"):
                texts += assignments
                assignments = []
            texts.append(self.write(child))
        return "".join(texts)

    def _uninitialised(self, node: Any, assignments: list[str]) -> str:
        names = []
        for item in _nodes(node.declarators):
            names.append(item.name.rawText + "".join(self.write(part) for part in item.dimensions))
            if item.initializer is not None:
                assignments.append(f" {item.name.rawText} = {self.write(item.initializer.expr)};")
        return f"{self.write(node.type)} {', '.join(names)};"

    def _cast_expression(self, node: Any) -> str | None:
        name = _name(node.left)
        if name in _SIZES:
            width, signed = _SIZES[name], name in _SIGNED
        else:
            width, signed = self._types.get(name.rpartition("::")[2], (0, False))
        return _cast(width, signed, self.write(node.right)) if width else None

    def _signed_cast_expression(self, node: Any) -> str:
        return f" ${node.signing.rawText}{self.write(node.inner)}"

    def _inside_expression(self, node: Any) -> str:
        return self._among(self.write(node.expr), node.ranges.valueRanges)

    def _among(self, value: str, items: Any) -> str:
        tests = [self._test(value, item) for item in _nodes(items)]
        return f" ({' || '.join(tests)})"

    def _test(self, value: str, item: Any) -> str:
        if item.kind.name == "ValueRangeExpression":
            low, high = self.write(item.left).strip(), self.write(item.right).strip()
            bounds = [f"({value}) >= ({low})" if low != "$" else "", f"({value}) <= ({high})" if high != "$" else ""]
            return f"({' && '.join(filter(None, bounds)) or 1})"
        text = self.write(item).strip()
        literal = item.kind.name == "IntegerVectorExpression"
        return f"(({value}) {'==?' if literal and set(text.lower()) & set('?xz') else '=='} ({text}))"

    def _case_statement(self, node: Any) -> str | None:
        if node.matchesOrInside.rawText != "inside":
            return None
        value, arms = self.write(node.expr), []
        for item in node.items:
            if item.kind.name == "StandardCaseItem":
                arms.append(f"\n{self._among(value, item.expressions)}: {self.write(item.clause)}")
            else:
                arms.append(self.write(item))
        return f" case (1'b1) {''.join(arms)} endcase"

    def _loop(self, node: Any) -> str:
        jumps: dict[str, str] = {}
        self._jumps.append(jumps)
        body = self.write(node.statement)
        self._jumps.pop()
        if "continue" in jumps:
            body = f" begin : {jumps['continue']} {body} end"
        head = "".join(self.write(child) for child in node if child is not node.statement)
        loop = f"{head}{body}"
        return f" begin : {jumps['break']} {loop} end" if "break" in jumps else loop

    def _jump_statement(self, node: Any) -> str | None:
        word = node.breakOrContinue.rawText
        if not self._jumps:
            return None
        return f" disable {self._jumps[-1].setdefault(word, self._fresh())};"

    def _streaming_concatenation_expression(self, node: Any) -> str | None:
        parts = _nodes(node.expressions)
        if node.operatorToken.rawText == ">>":
            return f" {{{', '.join(self.write(part) for part in parts)}}}"
        size = _name(node.sliceSize) if node.sliceSize is not None else "1"
        size = str(_SIZES.get(size, size))
        name = _name(parts[0])
        if len(parts) > 1 or name not in self._vectors or not size.isdecimal() or int(size) == 0:
            return None
        left, right = self._vectors[name]
        step = 1 if left < right else -1
        bits = list(range(left, right + step, step))[::-1]  # from the last bit on
        slices = [bits[start : start + int(size)] for start in range(0, len(bits), int(size))]
        return f" {{{', '.join(f'{name}[{slice_[-1]}:{slice_[0]}]' for slice_ in slices)}}}"

    def _expression_statement(self, node: Any) -> str | None:
        """Write an assignment of a default to all items of an array as a loop."""
        inner = node.expr
        if inner.kind.name not in ("AssignmentExpression", "NonblockingAssignmentExpression"):
            return None
        name = _name(inner.left)
        pattern = getattr(inner.right, "pattern", None)
        if (pairs := self._items(name, inner.right)) is not None:
            steps = [f" {target} {inner.operatorToken.rawText} {value};" for target, value in pairs]
            return f" begin{''.join(steps)} end"
        items = [] if pattern is None or pattern.kind.name != "StructuredAssignmentPattern" else pattern.items
        values = _nodes(items)
        if name not in self._arrays or len(values) != 1 or _name(values[0].key) != "default":
            return None
        low, high = sorted(self._arrays[name])
        index = self._fresh()
        each = f"{name}[{index}] {inner.operatorToken.rawText} {self.write(values[0].expr)};"
        return f" for (int {index} = {low}; {index} <= {high}; {index} = {index} + 1) {each}"


_CHANGES: dict[str, Callable[[_Writer, Any], str | None]] = {
    "ModuleHeader": _Writer._module_header,
    "TypedefDeclaration": _Writer._typedef_declaration,
    "DataDeclaration": _Writer._data_declaration,
    "ParameterDeclarationStatement": _Writer._parameters,
    "ParameterDeclaration": _Writer._parameter,
    "ContinuousAssign": _Writer._continuous,
    "CastExpression": _Writer._cast_expression,
    "SignedCastExpression": _Writer._signed_cast_expression,
    "InsideExpression": _Writer._inside_expression,
    "CaseStatement": _Writer._case_statement,
    "ForLoopStatement": _Writer._loop,
    "LoopStatement": _Writer._loop,
    "ForeachLoopStatement": _Writer._loop,
    "JumpStatement": _Writer._jump_statement,
    "StreamingConcatenationExpression": _Writer._streaming_concatenation_expression,
    "ExpressionStatement": _Writer._expression_statement,
    "SequentialBlockStatement": _Writer._block,
    "FunctionDeclaration": _Writer._function,
    "TaskDeclaration": _Writer._function,
}
"""Kind of node -> how to write it; None from there leaves it as it is."""


def _name(node: Any) -> str:
    """Return the text of what may be a plain name. To write it and throw it away doubles the work by the level."""
    return str(node).strip()


def _nodes(items: Any) -> list[Any]:
    """Return the items of a list without the commas between them."""
    return [item for item in items if not isinstance(item, parsing.Token)]


def _cast(width: int, signed: bool, inner: str) -> str:
    return f" ${'signed' if signed else 'unsigned'}({width}'{inner.strip()})"
