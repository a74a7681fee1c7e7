"""The gate: what a design may contain, decided on its syntax tree and on its elaboration *alone*.

Elaborated without testbench or reference, every name that leads out of the design is an error, and so is every module
that the design does not bring itself. What comes out is the text that the parser saw, with macros expanded and without
directives, skipped branches and comments, so that no later tool can see a different design: neither by `ifdef` on a
tool's own macro, nor by a comment that switches translation off.
"""

from __future__ import annotations

from typing import Any

import pyslang
from pyslang import ast, parsing, syntax

from .words import compiled

FUNCTIONS = frozenset(
    ("$signed", "$unsigned", "$clog2", "$bits", "$size", "$high", "$low", "$left", "$right", "$dimensions",
     "$increment", "$countones", "$onehot", "$onehot0")
)  # fmt: skip
"""System functions that are values known to synthesis; every other system name is refused."""
_HARMLESS = ("$display", "$write", "$strobe", "$monitor", "$error", "$warning", "$info", "$time", "$stime",
             "$realtime", "$random", "$urandom", "$urandom_range", "$timeformat", "$assert")  # fmt: skip
"""Refused, but what a person would write without bad intent."""
_REFUSED = {
    "DPIImport": "imports a foreign function", "DPIExport": "exports a function", "BindDirective": "binds into modules",
    "ProceduralForceStatement": "forces a signal", "ProceduralReleaseStatement": "releases a signal",
    "ProgramDeclaration": "has a program block", "AnonymousProgram": "has a program block",
    "ConfigDeclaration": "has a configuration", "IncludeDirective": "includes a file",
    "ClassDeclaration": "has a class", "CheckerDeclaration": "has a checker", "CovergroupDeclaration": "has coverage",
    "ExternModuleDecl": "declares a foreign module", "ParallelBlockStatement": "forks processes",
}  # fmt: skip
_HOSTILE = ("DPIImport", "BindDirective", "ProceduralForceStatement", "IncludeDirective")
_MAX_ERRORS = 2000


def examine(source: str, top: str) -> dict[str, Any]:
    """Return what the gate says.

    `kind` is `ok`, `syntax` (no design at all), `refused` (a design that contains what it may not) or `interface` (no
    such module, or ports that are none). With `ok`: `text`, what the parser saw, and `ports`: name, direction, width.
    """
    manager = pyslang.SourceManager()
    tree = syntax.SyntaxTree.fromText(source, manager, "design.sv", "design.sv")
    if list(tree.getIncludeDirectives()):
        return _refusal("it includes a file", tampering=True)
    if found := _forbidden(tree.root):
        return found
    errors = [problem for problem in tree.diagnostics if problem.isError()]
    if errors:
        return {"kind": "syntax", "reason": _report(manager, errors)}
    compilation = compiled(tree, top)
    root = compilation.getRoot()
    tops = [instance for instance in root.topInstances if instance.name == top]
    if not tops:
        return {"kind": "interface", "reason": f"there is no module {top}"}
    errors = [problem for problem in compilation.getAllDiagnostics() if problem.isError()]
    if errors:
        return {"kind": "syntax", "reason": _report(manager, errors)}
    ports = [_port(port) for port in tops[0].body.portList]
    if None in ports:
        return {"kind": "interface", "reason": "ports must be inputs and outputs of a fixed width"}
    return {"kind": "ok", "text": _text(tree, manager), "ports": ports}


def _forbidden(root: Any) -> dict[str, Any] | None:
    found: list[dict[str, Any]] = []

    def look(node: Any) -> None:
        if isinstance(node, parsing.Token):
            if node.kind in (parsing.TokenKind.RootSystemName, parsing.TokenKind.UnitSystemName):
                found.append(_refusal(f"it names {node.valueText}", tampering=True))
            elif node.kind == parsing.TokenKind.SystemIdentifier and node.valueText not in FUNCTIONS:
                found.append(_refusal(f"it uses {node.valueText}", tampering=node.valueText not in _HARMLESS))
        else:
            kind = node.kind.name
            if kind in _REFUSED:
                found.append(_refusal(f"it {_REFUSED[kind]}", tampering=kind in _HOSTILE))

    root.visit(look)
    return max(found, key=lambda refusal: refusal["tampering"], default=None)


def _refusal(reason: str, *, tampering: bool) -> dict[str, Any]:
    return {"kind": "refused", "reason": reason, "tampering": tampering}


def _port(port: Any) -> list[Any] | None:
    directions = {ast.ArgumentDirection.In: "input", ast.ArgumentDirection.Out: "output"}
    if port.kind != ast.SymbolKind.Port or port.direction not in directions or not port.type.isIntegral:
        return None
    return [port.name, directions[port.direction], int(port.type.bitWidth)]


def _report(manager: Any, errors: list[Any]) -> str:
    return str(pyslang.DiagnosticEngine.reportAll(manager, errors)).strip()[:_MAX_ERRORS]


def _text(tree: Any, manager: Any) -> str:
    printer = syntax.SyntaxPrinter(manager)
    printer.setIncludeDirectives(False).setIncludeSkipped(False).setIncludeComments(False).setExpandMacros(True)
    printer.print(tree)
    return str(printer.str())
