"""Programs in any language, on any sandbox: build once, run often.

    tools = toolchains(sandbox)
    build = tools.build("cpp", source)
    if build.ok:
        sandbox.run(build.job(stdin=b"1 2"))

Invariants: compiling and running happen inside the sandbox, as jobs of their own, so that a run has no part of the
compiler's limits and a compiler none of the caller's files. A missing toolchain is an absent capability
(`MissingToolchain`), never a program's failure; a fault of the sandbox raises `SandboxFault`.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from assay.sandboxes.base import DEFAULT_LIMITS, Job, JobResult, Limits, Sandbox, SandboxFault, Tier
from assay.sandboxes.languages import headers
from assay.sandboxes.languages.base import COMPILE_LIMITS, Language, MissingToolchain, Steps
from assay.sandboxes.languages.cache import BuildCache, build_key
from assay.sandboxes.languages.catalogue import LANGUAGES, find_language

_CACHE_BYTES = 256 * 2**20
_HEAP_SHARE = 0.75
"""Of the memory limit: what a managed heap may take, the rest is the runtime's."""
_MESSAGE = 4000


@dataclass(frozen=True, slots=True)
class Build:
    """A program that is ready to run, or why there is none."""

    language: Language
    steps: Steps
    source: str = field(repr=False)
    artefact: bytes = field(default=b"", repr=False)
    result: JobResult | None = None
    """Of the compile step; None without one."""
    counted: bool = True
    """Whether the sandbox counts memory; otherwise it limits address space."""

    @property
    def ok(self) -> bool:
        """Whether there is a program to run."""
        return self.result is None or (self.result.ok and bool(self.artefact))

    @property
    def message(self) -> str:
        """What the compiler said: the program's words in part, so untrusted."""
        if self.result is None:
            return ""
        said = (self.result.stderr or self.result.stdout).decode("utf-8", "replace").strip()
        return said[:_MESSAGE] or self.result.reason

    def job(
        self,
        *,
        stdin: bytes = b"",
        files: Mapping[str, bytes] | None = None,
        limits: Limits = DEFAULT_LIMITS,
        arguments: tuple[str, ...] = (),
    ) -> Job:
        """Return the job that runs the program. Only for a build that is `ok`."""
        if self.language.name == "python" and not arguments:
            return Job(source=self.source, stdin=stdin, files=files or {}, limits=limits)
        name, content = self.steps.artefact, self.artefact
        if not name:
            name, content = self.steps.source, _encode(self.source)
        heap = max(16, int(limits.memory_bytes * _HEAP_SHARE) // 2**20)
        if not self.counted and self.language.address_space > limits.memory_bytes:
            limits = replace(limits, memory_bytes=self.language.address_space)
        argv = tuple(part.replace("{memory_mb}", str(heap)) for part in self.steps.run)
        if self.language.name == "python":
            argv = ("python3", self.steps.source)
        return Job(argv=argv + arguments, files={**(files or {}), name: content}, stdin=stdin, limits=limits)


class Toolchains:
    """The languages of one sandbox. Safe to share between threads; get it from `toolchains`."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = weakref.ref(sandbox)  # `toolchains` keeps this object exactly as long as the sandbox
        self._lock = threading.Lock()
        self._found: dict[str, str] | None = None
        self._versions: dict[str, str] = {}
        self._include: dict[str, tuple[str, ...]] = {}
        self._tier = Tier.NONE
        self._builds: BuildCache[Build] = BuildCache(_CACHE_BYTES)

    def available(self) -> tuple[str, ...]:
        """Return the names of the languages whose programs are there."""
        found = self._tools()
        return tuple(name for name, language in LANGUAGES.items() if all(tool in found for tool in language.tools))

    def missing(self, language: str | Language) -> str | None:
        """Return what a language lacks in this sandbox and how to mend it, or None."""
        spec = language if isinstance(language, Language) else find_language(language)
        lacking = [tool for tool in spec.tools if tool not in self._tools()]
        if not lacking:
            return None
        return f"{spec.name} needs {' and '.join(lacking)}, which the sandbox has not; Debian's package: {spec.package}"

    def build(self, language: str | Language, source: str, *, limits: Limits = COMPILE_LIMITS) -> Build:
        """Compile, or take from the cache what was compiled before.

        Raises `MissingToolchain`, `UnknownNameError`, or `SandboxFault` when the sandbox failed. A source that does
        not compile is a `Build` that is not `ok`.
        """
        spec = language if isinstance(language, Language) else find_language(language)
        if reason := self.missing(spec):
            raise MissingToolchain(reason)
        steps = spec.steps(source)
        counted = self._tier >= Tier.CGROUPS
        if not steps.compile:
            return Build(spec, steps, source, counted=counted)
        compile_ = steps.compile + self._header_flags(spec, steps, source)
        key = build_key(spec.name, self._version(spec), compile_, source)
        if (known := self._builds.get(key)) is not None:
            return known
        files = {steps.source: _encode(source)}
        result = self._run(Job(argv=compile_, files=files, fetch=(steps.artefact,), limits=limits))
        artefact = result.files.get(steps.artefact) or b"" if result.ok else b""
        build = Build(spec, steps, source, artefact, replace(result, files={}), counted)
        if result.status in ("ok", "nonzero"):  # a limit may not be hit the next time
            self._builds.put(key, build, len(artefact) + len(source) + len(result.stderr) + 1000)
        return build

    def _tools(self) -> dict[str, str]:
        with self._lock:
            if self._found is None:
                names = sorted({tool for language in LANGUAGES.values() for tool in language.tools})
                result = self._run(Job(argv=("sh", "-c", 'for t; do command -v "$t"; done; true', "sh", *names)))
                self._tier = result.tier
                paths = result.text.split()
                self._found = {path.rpartition("/")[2]: path for path in paths}
            return self._found

    def _version(self, language: Language) -> str:
        with self._lock:
            if language.name not in self._versions:
                result = self._run(Job(argv=language.version, limits=COMPILE_LIMITS))
                self._versions[language.name] = (result.stdout + result.stderr).decode("utf-8", "replace")
            return self._versions[language.name]

    def _header_flags(self, language: Language, steps: Steps, source: str) -> tuple[str, ...]:
        if language.name != "cpp" or headers.NAME not in source:
            return ()
        version = self._version(language)
        with self._lock:
            if language.name not in self._include:
                self._include[language.name] = headers.include_flags(self._owner(), language, steps.compile, version)
            return self._include[language.name]

    def _run(self, job: Job) -> JobResult:
        result = self._owner().run(job)
        if result.fault:
            raise SandboxFault(result.reason)
        return result

    def _owner(self) -> Sandbox:
        sandbox = self._sandbox()
        if sandbox is None:
            raise SandboxFault("the sandbox of these toolchains is gone")
        return sandbox


def _encode(source: str) -> bytes:
    return source.encode("utf-8", "surrogatepass")


_all: weakref.WeakKeyDictionary[Any, Toolchains] = weakref.WeakKeyDictionary()
_all_lock = threading.Lock()


def toolchains(sandbox: Sandbox) -> Toolchains:
    """Return the toolchains of a sandbox: the same object, and so the same cache, for the same sandbox."""
    with _all_lock:
        known = _all.get(sandbox)
        if known is None:
            known = _all[sandbox] = Toolchains(sandbox)
        return known
