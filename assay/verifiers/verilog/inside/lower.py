"""Rewrites a design for tools that know less of SystemVerilog than the parser does, such as Icarus 11 and Yosys 0.23.

What it says stays the same: enumerations become vectors and constants, casts to named types casts to their size,
`inside` comparisons, `break` and `continue` the end of a named block, a default for all items of an array a loop;
promises such as `unique` go. What is not known here is left as it stands, for the tools to refuse.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pyslang
from pyslang import parsing, syntax

from .processes import asks_first, block_names, decided, events, identifiers
from .several import loop_of_several, table_inputs
from .words import by_index, compiled, name_of, nodes_of, same_for_all

_SIZES = {"byte": 8, "shortint": 16, "int": 32, "longint": 64, "integer": 32, "logic": 1, "bit": 1, "reg": 1}
_LONGEST = 1_000_000
"""Characters of one comparison."""
_SILENT = ("unique", "unique0", "priority", "var")
_SIGNED = ("byte", "shortint", "int", "longint", "integer")


def lower(source: str, top: str) -> str:
    """Return the design in plainer words, or as it is when it is nested too deeply; `source` is from the gate."""
    tree = syntax.SyntaxTree.fromText(source, pyslang.SourceManager())
    try:
        return _Writer(compiled(tree, top)).write(tree.root)
    except RecursionError:
        return source


class _Writer:
    def __init__(self, compilation: Any) -> None:
        self._types: dict[str, tuple[int, bool] | None] = {}
        self._arrays: dict[str, list[tuple[int, int]] | None] = {}
        self._task = ""
        self._reset: dict[str, bool] = {}
        self._copied: dict[str, str] = {}
        self._automatic = False
        self._names = 0
        self._jumps: list[dict[str, str]] = []
        compilation.getRoot().visit(self._note)

    def _note(self, symbol: Any) -> None:
        """Remember what names stand for, widths of types and ranges of arrays; None where that depends on the place."""
        kind = symbol.kind.name
        if kind == "TypeAlias":
            meant = symbol.targetType.type
            width = (meant.bitWidth, meant.isSigned) if meant.isIntegral else None
            if self._types.setdefault(symbol.name, width) != width:
                self._types[symbol.name] = None
        elif kind in ("Variable", "Net", "FormalArgument", "Parameter"):
            meant, ranges = symbol.type, []
            while meant.isUnpackedArray and meant.hasFixedRange:
                ranges.append((meant.fixedRange.left, meant.fixedRange.right))
                meant = meant.arrayElementType
            if self._arrays.setdefault(symbol.name, ranges) != ranges:
                self._arrays[symbol.name] = None

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
        if (known := self._types.get(base)) is not None:
            base = f"logic [{known[0] - 1}:0]"
        texts, value = [], "0"
        for member in nodes_of(node.members):
            if member.initializer is not None:
                value = self.write(member.initializer.expr)
            for suffix in self._suffixes(member):
                name = f"{member.name.rawText}{suffix}"
                texts.append(f"\nlocalparam {base} {name} = {value};")
                value = f"{name} + 1"
        return "".join(texts), base

    def _suffixes(self, member: Any) -> list[str]:
        """Return what a range makes of an enumeration's name: `S[2]` is S0, S1."""
        for dimension in nodes_of(member.dimensions):
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
        for word, plainer in (("int unsigned", "logic [31:0]"), ("string ", "")):
            if node.type.kind.name != "ImplicitType" and word in text:
                return text.replace(word, plainer, 1)
        return text

    def _type_parameter(self, node: Any) -> str:
        """Write a parameter that is a type, whose name is used no more, as one that is a number."""
        names = (f"{name_of(item.name)} = 0" for item in nodes_of(node.declarators))
        return f" {node.keyword.rawText} {', '.join(names)}"

    def _parameter_value(self, node: Any) -> str | None:
        is_type = node.expr is not None and node.expr.kind.name.endswith("Type")
        return f".{node.name.rawText}(0)" if is_type else None

    def _filled(self, node: Any) -> str | None:
        """Write the declaration of an array with its items as one that is filled at the start."""
        texts = [self._set(item.name.rawText, "=", item.initializer.expr) for item in nodes_of(node.declarators)
                 if item.initializer is not None]  # fmt: skip
        if not texts or None in texts:
            return None
        return f"{self._uninitialised(node, [])} initial begin{''.join(text or '' for text in texts)} end"

    def _set(self, name: str, operator: str, right: Any) -> str | None:
        """Write the assignment of a pattern to an array item by item; None for any other assignment."""
        if not (ranges := self._arrays.get(name)):
            return None
        if (text := self._repeated(name, ranges, operator, right)) is not None:
            return text
        items = self._listed(name, ranges, right)
        return None if items is None else "".join(f" {target} {operator} {value};" for target, value in items)

    def _items(self, name: str, right: Any) -> list[tuple[str, str]] | None:
        """Return item -> value of an array that is set to a list of values, or of lists."""
        ranges = self._arrays.get(name)
        return self._listed(name, ranges, right) if ranges else None

    def _listed(self, target: str, ranges: list[tuple[int, int]], right: Any) -> list[tuple[str, str]] | None:
        first, last = ranges[0]
        step = 1 if first <= last else -1
        found: list[tuple[str, str]] = []
        for index, value in by_index(right, range(first, last + step, step)).items():
            item = f"{target}[{index}]"
            inner = self._listed(item, ranges[1:], value) if ranges[1:] else [(item, self.write(value))]
            if inner is None:
                return None
            found += inner
        return found or None

    def _continuous(self, node: Any) -> str | None:
        """Write an array that is wired to a list of values item by item."""
        texts = []
        for item in nodes_of(node.assignments):
            pairs = self._items(name_of(item.left), item.right)
            if pairs is None:
                return None
            texts += [f"\nassign {target} = {value};" for target, value in pairs]
        return "".join(texts)

    def _function(self, node: Any) -> str:
        void = node.prototype.returnType.kind.name == "VoidType"
        outer = self._automatic, self._task
        self._automatic = node.prototype.lifetime.rawText == "automatic"
        self._task = name_of(node.prototype.name) if void or node.kind.name == "TaskDeclaration" else ""
        text = self._block(node)
        self._automatic, self._task = outer
        if node.kind.name == "FunctionDeclaration" and void:
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
        for item in nodes_of(node.declarators):
            names.append(item.name.rawText + "".join(self.write(part) for part in item.dimensions))
            if item.initializer is not None:
                assignments.append(f" {item.name.rawText} = {self.write(item.initializer.expr)};")
        return f"{self.write(node.type)} {', '.join(names)};"

    def _cast_expression(self, node: Any) -> str | None:
        name = name_of(node.left)
        if name in _SIZES:
            width, signed = _SIZES[name], name in _SIGNED
        else:
            width, signed = self._types.get(name.rpartition("::")[2]) or (0, False)
        return _cast(width, signed, self.write(node.right)) if width else None

    def _signed_cast_expression(self, node: Any) -> str:
        return f" ${node.signing.rawText}{self.write(node.inner)}"

    def _inside_expression(self, node: Any) -> str:
        return self._among(self.write(node.expr), node.ranges.valueRanges)

    def _among(self, value: str, items: Any) -> str:
        text = f" ({' || '.join(self._test(value, item) for item in nodes_of(items))})"
        if len(text) > _LONGEST:
            raise RecursionError("comparisons within comparisons double the text by the level")
        return text

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
        loop = loop_of_several(self.write, node, body) if node.kind.name == "ForLoopStatement" else None
        if loop is None:
            loop = "".join(body if child is node.statement else self.write(child) for child in node)
        return f" begin : {jumps['break']} {loop} end" if "break" in jumps else loop

    def _jump_statement(self, node: Any) -> str | None:
        word = node.breakOrContinue.rawText
        if not self._jumps:
            return None
        return f" disable {self._jumps[-1].setdefault(word, self._fresh())};"

    def _return_statement(self, node: Any) -> str | None:
        return f" disable {self._task};" if self._task and node.returnValue is None else None

    def _void_call(self, node: Any) -> str:
        """Write a call whose value nobody wants as one whose value goes nowhere."""
        name = self._fresh()
        return f" begin : {name} logic {name}_value; {name}_value = {self.write(node.expr)}; end"

    def _promise(self, node: Any) -> str | None:
        """Leave out an assertion after which nothing is done."""
        within = node.kind.name != "ConcurrentAssertionMember"
        action = (node if within else node.statement).action
        idle = action.elseClause is None and action.statement.kind.name == "EmptyStatement"
        return (" ;" if within else " ") if idle else None

    def _always(self, node: Any) -> str | None:
        """Write a process with an asynchronous reset as one that first asks for the reset, as synthesis wants it."""
        edges = events(node.statement)
        read = identifiers(node.statement.statement) if len(edges) == 2 else set()
        resets = [(edge, name) for edge, name in edges if name in read]
        blocks = block_names(node.statement.statement)
        if len(resets) != 1 or blocks is None:
            return None
        edge, name = resets[0]
        if asks_first(node.statement.statement, name):
            return None
        bodies: list[str] = []
        for level in (edge == "posedge", edge != "posedge"):
            self._reset, self._copied = {name: level}, {name: f" 1'b{level:d}"}
            if bodies:
                self._copied |= {block: f" {self._fresh()}" for block in sorted(blocks)}
            bodies.append(self.write(node.statement.statement))
        self._reset, self._copied = {}, {}
        head = f"{self.write(node.keyword)} {self.write(node.statement.timingControl)}"
        return f"{head} if ({name} == 1'b{edge == 'posedge':d}) begin {bodies[0]} end else begin {bodies[1]} end"

    def _conditional(self, node: Any) -> str | None:
        """Write an `if` that the level of the reset decides as what it comes to."""
        value = decided(node, self._reset)
        if value is None:
            return None
        if value:
            return f" begin {self.write(node.statement)} end"
        return f" begin {self.write(node.elseClause.clause) if node.elseClause is not None else ''} end"

    def _identifier(self, node: Any) -> str | None:
        return self._copied.get(name_of(node)) if self._copied else None

    def _block_name(self, node: Any) -> str | None:
        name = self._copied.get(node.name.rawText)
        return None if name is None else f" :{name} "

    def _scoped_name(self, node: Any) -> str | None:
        return str(node) if self._copied else None

    def _expression_statement(self, node: Any) -> str | None:
        """Write an assignment to all items of an array."""
        inner = node.expr
        if inner.kind.name not in ("AssignmentExpression", "NonblockingAssignmentExpression"):
            return None
        name, operator = name_of(inner.left), inner.operatorToken.rawText
        text = self._set(name, operator, inner.right)
        return None if text is None else f" begin{text} end"

    def _repeated(self, name: str, ranges: list[tuple[int, int]], operator: str, value: Any) -> str | None:
        """Write the assignment of a default to all items of an array as a loop."""
        loops, target = [], name
        for left, right in ranges:
            value = same_for_all(value)
            if value is None:
                return None
            low, high = sorted((left, right))
            index = self._fresh()
            loops.append(f" for (int {index} = {low}; {index} <= {high}; {index} = {index} + 1)")
            target += f"[{index}]"
        return f"{''.join(loops)} {target} {operator} {self.write(value)};"


_CHANGES: dict[str, Callable[[_Writer, Any], str | None]] = {
    "ModuleHeader": _Writer._module_header,
    "TypedefDeclaration": _Writer._typedef_declaration,
    "DataDeclaration": _Writer._data_declaration,
    "ParameterDeclarationStatement": _Writer._parameters,
    "ParameterDeclaration": _Writer._parameter,
    "TypeParameterDeclaration": _Writer._type_parameter,
    "NamedParamAssignment": _Writer._parameter_value,
    "ConcurrentAssertionMember": _Writer._promise,
    "ImmediateAssertStatement": _Writer._promise,
    "ImmediateAssumeStatement": _Writer._promise,
    "ImmediateCoverStatement": _Writer._promise,
    "PropertyDeclaration": lambda _writer, _node: " ",
    "SequenceDeclaration": lambda _writer, _node: " ",
    "UdpInputPortDecl": lambda _writer, node: table_inputs(node),
    "EmptyMember": lambda _writer, _node: " ",
    "ContinuousAssign": _Writer._continuous,
    "CastExpression": _Writer._cast_expression,
    "SignedCastExpression": _Writer._signed_cast_expression,
    "InsideExpression": _Writer._inside_expression,
    "CaseStatement": _Writer._case_statement,
    "ForLoopStatement": _Writer._loop,
    "LoopStatement": _Writer._loop,
    "DoWhileStatement": _Writer._loop,
    "ConditionalStatement": _Writer._conditional,
    "IdentifierName": _Writer._identifier,
    "NamedBlockClause": _Writer._block_name,
    "ScopedName": _Writer._scoped_name,
    "ForeachLoopStatement": _Writer._loop,
    "JumpStatement": _Writer._jump_statement,
    "ReturnStatement": _Writer._return_statement,
    "VoidCastedCallStatement": _Writer._void_call,
    "AlwaysBlock": _Writer._always,
    "AlwaysFFBlock": _Writer._always,
    "ExpressionStatement": _Writer._expression_statement,
    "SequentialBlockStatement": _Writer._block,
    "FunctionDeclaration": _Writer._function,
    "TaskDeclaration": _Writer._function,
}
"""Kind of node -> how to write it; None from there leaves it as it is."""


def _cast(width: int, signed: bool, inner: str) -> str:
    return f" ${'signed' if signed else 'unsigned'}({width}'{inner.strip()})"
