"""The languages that programs may be written in. One entry describes all there is to know about a language.

Python is run by the sandbox itself, without a command; it is named here so that it can be asked for like the others.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from assay.core.errors import UnknownNameError
from assay.sandboxes.languages.base import Language, Steps

_PUBLIC_CLASS = re.compile(r"\bpublic\s+(?:(?:abstract|final|sealed|strictfp)\s+)*(?:class|record|enum)\s+(\w+)")
_WORDLESS = re.compile(r'"(?:[^"\\\n]|\\.)*"|//[^\n]*|/\*.*?\*/', re.DOTALL)
_STRUCTURE = re.compile(
    r"\b(?:class|record|enum|interface)\s+(?P<name>\w+)|(?P<open>\{)|(?P<close>\})"
    r"|(?P<main>\bstatic\s+(?:final\s+)?void\s+main\s*\()"
)


def _fixed(steps: Steps) -> Callable[[str], Steps]:
    return lambda source: steps


def _java(source: str) -> Steps:
    """Name the file after the public class, and run the class that `main` stands in."""
    public = _PUBLIC_CLASS.search(source)
    name = public.group(1) if public else "Main"
    main = _main_class(source) or name
    pack = f"javac -J-XX:+UseSerialGC -J-XX:TieredStopAtLevel=1 -encoding UTF-8 -nowarn -d classes {name}.java"
    return Steps(
        source=f"{name}.java",
        compile=("sh", "-c", f"{pack} && cd classes && python3 -m zipfile -c ../program.jar *"),
        artefact="program.jar",
        run=("java", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xss64m", "-Xmx{memory_mb}m",
             "-XX:CompressedClassSpaceSize=64m", "-XX:ReservedCodeCacheSize=64m", "-XX:-UsePerfData",
             "-cp", "program.jar", main),
    )  # fmt: skip


def _main_class(source: str) -> str:
    """Return the binary name of the class whose body holds `main`, or an empty string."""
    bodies: list[str] = []
    pending = ""
    for token in _STRUCTURE.finditer(_WORDLESS.sub(" ", source)):
        if token["name"]:
            pending = token["name"]
        elif token["open"]:
            bodies.append(pending)
            pending = ""
        elif token["close"]:
            del bodies[-1:]
        else:
            return "$".join(filter(None, bodies))
    return ""


_ALL = (
    Language("python", (), "python3", (), _fixed(Steps("main.py", ())), ("py", "python3")),
    Language(
        "c", ("gcc",), "gcc", ("gcc", "--version"),
        _fixed(Steps("main.c", ("./program",),
                     ("gcc", "-O2", "-std=gnu17", "-pipe", "-o", "program", "main.c", "-lm"), "program")),
    ),
    Language(
        "cpp", ("g++",), "g++", ("g++", "--version"),
        _fixed(Steps("main.cpp", ("./program",),
                     ("g++", "-O2", "-std=gnu++17", "-pipe", "-o", "program", "main.cpp"), "program")),
        ("c++", "cc"),
    ),
    Language(
        "rust", ("rustc", "cc"), "rustc", ("rustc", "--version"),
        _fixed(Steps("main.rs", ("./program",),
                     ("rustc", "-O", "--edition=2021", "-Cstrip=symbols", "-o", "program", "main.rs"), "program")),
        ("rs",),
    ),
    Language("java", ("javac", "java"), "default-jdk-headless", ("javac", "-version"), _java, address_space=4 * 2**30),
    Language(
        "javascript", ("node",), "nodejs", ("node", "--version"),
        _fixed(Steps("main.js", ("node", "--max-old-space-size={memory_mb}", "main.js"))),
        ("js", "nodejs", "node"), address_space=4 * 2**30,
    ),
    Language(
        "verilog", ("iverilog", "vvp"), "iverilog", ("iverilog", "-V"),
        _fixed(Steps("main.sv", ("vvp", "-n", "main.vvp"),
                     ("iverilog", "-g2012", "-Winfloop", "-o", "main.vvp", "main.sv"), "main.vvp")),
        ("systemverilog", "sv", "v"),
    ),
    Language("shell", ("bash",), "bash", ("bash", "--version"), _fixed(Steps("main.sh", ("bash", "main.sh"))),
             ("bash", "sh")),
)  # fmt: skip

LANGUAGES: dict[str, Language] = {language.name: language for language in _ALL}
"""Name -> language."""
_NAMES = {name: language for language in _ALL for name in language.names}


def find_language(name: str) -> Language:
    """Return the language with this name or alias. Raises `UnknownNameError`."""
    try:
        return _NAMES[name.lower()]
    except KeyError:
        raise UnknownNameError("language", name, LANGUAGES) from None
