"""A small static analyser for weaknesses in Python, each named by its CWE. It reads the syntax tree and runs nothing.

It knows the patterns that the vulnerability-repair tasks are made of, and how they are usually mended; it is no
replacement for a general analyser. Comments (`# nosec`) change nothing. A program that reaches into other modules
(`builtins.open = ...`, `setattr(os, ...)`, `sys.modules`, `import gc`) has a finding as well: no repair needs that.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from assay.verifiers.code.extract import parse_python


@dataclass(frozen=True, slots=True)
class Finding:
    """One weakness at one place."""

    cwe: str
    line: int
    message: str


class _Program:
    """What the rules look at."""

    def __init__(self, tree: ast.Module) -> None:
        self.tree = tree
        self.nodes = list(ast.walk(tree))
        self.calls = [node for node in self.nodes if isinstance(node, ast.Call)]
        self.modules = {
            (alias.asname or alias.name).partition(".")[0]
            for node in self.nodes
            if isinstance(node, ast.Import)
            for alias in node.names
        }
        self.texts = [n.value for n in self.nodes if isinstance(n, ast.Constant) and isinstance(n.value, str)]
        self.called = {name(call.func) for call in self.calls}
        self._assigned: dict[str, list[ast.expr]] = {}
        for node in self.nodes:
            if isinstance(node, ast.Assign):
                for target in node.targets:
                    if isinstance(target, ast.Name):
                        self._assigned.setdefault(target.id, []).append(node.value)

    def imported(self, module: str) -> Iterator[tuple[ast.ImportFrom, set[str]]]:
        """Yield the statements `from module import ...` with what they import."""
        for node in self.nodes:
            if isinstance(node, ast.ImportFrom) and node.module == module:
                yield node, {alias.name for alias in node.names}

    def values(self, node: ast.expr) -> list[ast.expr]:
        """Return what an expression may stand for: itself, or what was assigned to its name."""
        return self._assigned.get(node.id, [node]) if isinstance(node, ast.Name) else [node]

    def built(self, node: ast.expr) -> bool:
        """Whether a text is put together from parts that are no constants."""
        return any(_is_built(value) for value in self.values(node))


def _is_built(node: ast.expr) -> bool:
    if isinstance(node, ast.JoinedStr):
        return any(isinstance(part, ast.FormattedValue) for part in node.values)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Mod):
        return not all(isinstance(side, ast.Constant) for side in (node.left, node.right))
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in ("format", "join")


def name(node: ast.expr) -> str:
    """Return the dotted name of a function, such as `os.path.join`; of what is no name, only its last part."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return f"{name(node.value)}.{node.attr}"
    return ""


def last(node: ast.expr) -> str:
    """Return the last part of a function's name."""
    return name(node).rpartition(".")[2]


def analyse(source: str) -> list[Finding]:
    """Return the findings in the order of the text. ValueError when the source is no Python."""
    program = _Program(parse_python(source))
    found = [
        Finding(cwe, getattr(node, "lineno", 0), message) for cwe, message, rule in _RULES for node in rule(program)
    ]
    return sorted(dict.fromkeys(found), key=lambda finding: (finding.line, finding.cwe))


_Rule = Callable[[_Program], Iterator[ast.AST]]


def _shell(program: _Program) -> Iterator[ast.AST]:
    for call in program.calls:
        full = name(call.func)
        shell = next((k.value for k in call.keywords if k.arg == "shell"), None)
        asks = shell is not None and not (isinstance(shell, ast.Constant) and not shell.value)
        direct = full in (
            "os.system",
            "os.popen",
            "subprocess.getoutput",
            "subprocess.getstatusoutput",
            "popen",
            "system",
        )
        interpreter = call.args and isinstance(call.args[0], ast.List | ast.Tuple) and len(call.args[0].elts) > 1
        if asks or direct or (interpreter and _runs_shell(call.args[0])):
            yield call


def _runs_shell(command: ast.expr) -> bool:
    assert isinstance(command, ast.List | ast.Tuple)
    words = [part.value for part in command.elts[:2] if isinstance(part, ast.Constant)]
    return len(words) == 2 and str(words[0]).rpartition("/")[2] in ("sh", "bash", "dash") and "-" in str(words[1])


def _query(program: _Program) -> Iterator[ast.AST]:
    for call in program.calls:
        if last(call.func) in ("execute", "executemany", "executescript") and call.args and program.built(call.args[0]):
            yield call


def _evaluation(program: _Program) -> Iterator[ast.AST]:
    for call in program.calls:
        if name(call.func).removeprefix("builtins.") in ("eval", "exec") and not isinstance(
            call.args[:1], ast.Constant
        ):
            yield call


def _path(program: _Program) -> Iterator[ast.AST]:
    checks = {"realpath", "resolve", "abspath", "normpath", "basename", "secure_filename"}
    if checks & {called.rpartition(".")[2] for called in program.called}:
        return
    for call in program.calls:
        if last(call.func) in ("open", "read_text", "read_bytes", "write_text") and call.args:
            for value in program.values(call.args[0]):
                joined = isinstance(value, ast.Call) and name(value.func).endswith(("path.join", "Path", "joinpath"))
                if (joined and not _constant_path(value)) or (_is_built(value) and not _in_temporary(value)):
                    yield call


def _constant_path(node: ast.expr) -> bool:
    assert isinstance(node, ast.Call)
    return all(isinstance(part, ast.Constant) for part in node.args[1:])


def _in_temporary(node: ast.expr) -> bool:
    return any(isinstance(n, ast.Call) and last(n.func) == "gettempdir" for n in ast.walk(node))


def _temporary(program: _Program) -> Iterator[ast.AST]:
    for call in program.calls:
        if last(call.func) == "mktemp":
            yield call
        if last(call.func) == "open" and call.args:
            for value in program.values(call.args[0]):
                fixed = isinstance(value, ast.Constant) and str(value.value).startswith("/tmp/")
                if fixed or _in_temporary(value):
                    yield call


def _pickle(program: _Program) -> Iterator[ast.AST]:
    for call in program.calls:
        full = name(call.func)
        if full in ("pickle.loads", "pickle.load", "pickle.Unpickler", "marshal.loads", "shelve.open", "dill.loads"):
            yield call
        loader = [name(k.value) for k in call.keywords if k.arg == "Loader"]
        if full in ("yaml.load", "yaml.unsafe_load") and not any("Safe" in part for part in loader):
            yield call
    for module in ("pickle", "marshal"):
        yield from (node for node, names in program.imported(module) if names & {"load", "loads", "Unpickler"})


def _entities(program: _Program) -> Iterator[ast.AST]:
    guards = any("<!doctype" in text.lower() or "<!entity" in text.lower() for text in program.texts)
    handlers = {n.attr for n in program.nodes if isinstance(n, ast.Attribute)} & {
        "EntityDeclHandler", "StartDoctypeDeclHandler",
    }  # fmt: skip
    if guards or handlers or "defusedxml" in program.modules:
        return
    for call in program.calls:
        if last(call.func) in ("fromstring", "XML", "iterparse", "parseString", "XMLParser", "XMLPullParser"):
            yield call


def _fast_hash(program: _Program) -> Iterator[ast.AST]:
    for call in program.calls:
        full = name(call.func)
        named = full.endswith("hashlib.new") and call.args and isinstance(call.args[0], ast.Constant)
        if full in ("hashlib.md5", "hashlib.sha1", "md5", "sha1") or (
            named and str(getattr(call.args[0], "value", "")).lower() in ("md5", "sha1", "md4")
        ):
            yield call


def _random(program: _Program) -> Iterator[ast.AST]:
    for call in program.calls:
        full = name(call.func)
        if full.startswith("random.") and full not in ("random.SystemRandom", "random.SystemRandom.choice"):
            yield call
    yield from (node for node, names in program.imported("random") if names - {"SystemRandom"})


def _host(program: _Program) -> Iterator[ast.AST]:
    if {"urlsplit", "urlparse"} & {called.rpartition(".")[2] for called in program.called}:
        return
    for node in program.nodes:
        if isinstance(node, ast.Call) and last(node.func) == "startswith" and node.args:
            options = node.args[0].elts if isinstance(node.args[0], ast.Tuple) else [node.args[0]]
            if any(re.match(r"https?://[^/]*\Z", _constant_text(option)) for option in options):
                yield node
        elif isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.In | ast.Eq):
            sides = [side for side in (node.left, *node.comparators) if isinstance(side, ast.Constant)]
            sliced = any(isinstance(side, ast.Subscript) for side in (node.left, *node.comparators))
            contains = isinstance(node.ops[0], ast.In) and isinstance(node.left, ast.Constant)
            if (sliced or contains) and any(re.match(r"(https?://)?[\w-]+(\.[\w-]+)+\Z", str(s.value)) for s in sides):
                yield node


def _constant_text(node: ast.expr) -> str:
    """Return the text of a constant, or of constants that are added up."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return _constant_text(node.left) + _constant_text(node.right)
    return str(node.value) if isinstance(node, ast.Constant) else ""


def _redirect(program: _Program) -> Iterator[ast.AST]:
    if {"//", "/\\", "\\"} & set(program.texts):
        return
    if {"urlsplit", "urlparse", "match", "fullmatch"} & {called.rpartition(".")[2] for called in program.called}:
        return
    for node in program.nodes:
        starts = isinstance(node, ast.Call) and last(node.func) == "startswith" and node.args
        if starts and isinstance(node, ast.Call) and getattr(node.args[0], "value", None) == "/":
            yield node
        if isinstance(node, ast.Compare) and any(getattr(side, "value", None) == "/" for side in node.comparators):
            yield node


def _pattern(program: _Program) -> Iterator[ast.AST]:
    for call in program.calls:
        if name(call.func).startswith("re.") and call.args:
            for value in program.values(call.args[0]):
                if isinstance(value, ast.Constant) and isinstance(value.value, str) and nested_repeat(value.value):
                    yield call


def nested_repeat(pattern: str) -> bool:
    """Whether something that is repeated without end holds, at its beginning, something repeated without end."""
    try:
        return _nested(re._parser.parse(pattern), inside=False)  # type: ignore[attr-defined]
    except (re.error, RecursionError, OverflowError):
        return False


def _nested(parsed: Any, *, inside: bool) -> bool:
    """`inside`: whether the parsed items are what an endless repetition begins with."""
    for position, (operation, argument) in enumerate(parsed):
        first = inside and position == 0
        kind = str(operation)
        if kind in ("MAX_REPEAT", "MIN_REPEAT"):
            endless = str(argument[1]) == "MAXREPEAT"
            if (first and endless) or _nested(argument[2], inside=first or endless):
                return True
        elif kind == "SUBPATTERN":
            if _nested(argument[3], inside=first):
                return True
        elif kind == "BRANCH" and any(_nested(branch, inside=first) for branch in argument[1]):
            return True
    return False


def _markup(program: _Program) -> Iterator[ast.AST]:
    for node in program.nodes:
        if isinstance(node, ast.JoinedStr):
            tags = any(isinstance(part, ast.Constant) and re.search(r"<\w", str(part.value)) for part in node.values)
            raw = [p.value for p in node.values if isinstance(p, ast.FormattedValue) and not _escaped(program, p.value)]
            if tags and raw:
                yield node
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Mod):
            left = node.left.value if isinstance(node.left, ast.Constant) else ""
            if re.search(r"<\w", str(left)) and not _escaped(program, node.right):
                yield node


def _escaped(program: _Program, node: ast.expr) -> bool:
    return any(isinstance(value, ast.Constant) or any(map(_escapes, ast.walk(value))) for value in program.values(node))


def _escapes(node: ast.AST) -> bool:
    if not isinstance(node, ast.Call):
        return False
    by_hand = isinstance(node.func, ast.Attribute) and node.func.attr == "replace"
    return last(node.func) == "escape" or (by_hand and any(getattr(a, "value", None) == "&lt;" for a in node.args))


def _template(program: _Program) -> Iterator[ast.AST]:
    for call in program.calls:
        if not isinstance(call.func, ast.Attribute) or call.func.attr not in ("format", "format_map", "vformat"):
            continue
        if not all(isinstance(value, ast.Constant | ast.JoinedStr) for value in program.values(call.func.value)):
            yield call


_SECRET = re.compile(r"token|digest|secret|signature|hmac|password|key", re.IGNORECASE)


def _early_exit(program: _Program) -> Iterator[ast.AST]:
    for function in (n for n in program.nodes if isinstance(n, ast.FunctionDef)):
        secret = {argument.arg for argument in function.args.args if _SECRET.search(argument.arg)}
        if not secret:
            continue
        for node in ast.walk(function):
            if isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.Eq | ast.NotEq | ast.In):
                sides = (node.left, *node.comparators)
                if any(isinstance(side, ast.Name) and side.id in secret for side in sides):
                    yield node
            elif isinstance(node, ast.For):
                early = any(isinstance(n, ast.Return | ast.Break) for n in ast.walk(node))
                if early and any(isinstance(n, ast.Name) and n.id in secret for n in ast.walk(node.iter)):
                    yield node


_REFLECTION = frozenset({"inspect", "gc", "ctypes", "importlib", "builtins"})
_REACHING = frozenset({"_getframe", "currentframe", "__globals__", "__subclasses__"})


def _tampering(program: _Program) -> Iterator[ast.AST]:
    others = program.modules | {"builtins", "__builtins__"}
    for node in program.nodes:
        if isinstance(node, ast.Import | ast.ImportFrom):
            origins = {getattr(node, "module", None) or "", *(alias.name for alias in node.names)}
            if _REFLECTION & {origin.partition(".")[0] for origin in origins}:
                yield node
        if isinstance(node, ast.Call) and name(node.func) in ("setattr", "globals", "__import__", "vars"):
            yield node
        elif isinstance(node, ast.Attribute):
            stored = isinstance(node.ctx, ast.Store | ast.Del) and name(node.value).partition(".")[0] in others
            if stored or node.attr in _REACHING or name(node) == "sys.modules":
                yield node


_RULES: tuple[tuple[str, str, _Rule], ...] = (
    ("CWE-78", "a command line goes through the shell", _shell),
    ("CWE-89", "a query is put together from data", _query),
    ("CWE-95", "data is evaluated as code", _evaluation),
    ("CWE-22", "a path from outside is opened without a check of where it leads", _path),
    ("CWE-377", "a temporary file has a path that can be guessed", _temporary),
    ("CWE-502", "objects are restored from data", _pickle),
    ("CWE-776", "XML is parsed with its document type", _entities),
    ("CWE-916", "a broken or fast hash", _fast_hash),
    ("CWE-338", "random numbers that are not made for secrets", _random),
    ("CWE-918", "a host is recognised by a piece of text", _host),
    ("CWE-601", "a path is recognised by its first slash", _redirect),
    ("CWE-1333", "a repeated group begins with a repeated part", _pattern),
    ("CWE-79", "text goes into markup without being escaped", _markup),
    ("CWE-134", "a template comes from outside", _template),
    ("CWE-208", "a secret is compared with an early end", _early_exit),
    ("CWE-913", "the program reaches into other modules", _tampering),
)
