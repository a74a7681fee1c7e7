"""What a right design answers: the reference's samples, made in a simulation of their own and kept.

The reference never meets a candidate: it runs here, alone, through the same bench. Results are kept by a hash of
everything they depend on, so that a task costs its golden run once.
"""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from assay.core.seeding import derive_seed
from assay.sandboxes import Job, Sandbox
from assay.sandboxes.languages.cache import BuildCache, build_key
from assay.verifiers.verilog import record
from assay.verifiers.verilog.compare import constant_matches, known
from assay.verifiers.verilog.flow import FlowRequest, NoDesign, run_flow, run_job
from assay.verifiers.verilog.stimulus import random_stimulus
from assay.verifiers.verilog.target import Target
from assay.verifiers.verilog.trace import Interface, Stimulus, read_interface

_CACHE_BYTES = 256 * 2**20


class UnusableReference(ValueError):
    """The gold itself cannot be used: no verdict is possible on any design."""


@dataclass(frozen=True, slots=True)
class Golden:
    """A stimulus and the right answers to it."""

    interface: Interface
    stimulus: Stimulus
    samples: tuple[str, ...]


class GoldenSource:
    """Makes and keeps golden runs. Safe to share between threads."""

    def __init__(self) -> None:
        self._cache: BuildCache[Golden] = BuildCache(_CACHE_BYTES)
        self._locks: dict[str, threading.Lock] = {}
        self._lock = threading.Lock()

    def get(self, target: Target, sandbox: Sandbox) -> Golden:
        """Return the golden run. Raises `UnusableReference`, `SandboxFault`, `MissingToolchain`."""
        if target.stimulus is not None and target.interface is not None:
            return _usable(Golden(target.interface, target.stimulus, target.expected))
        key = build_key(
            target.reference, target.reference_top, target.testbench, str(target.cycles), str(target.seed), target.top,
            target.context,
        )  # fmt: skip
        return self._once(key, lambda: self._make(target, sandbox))

    def _once(self, key: str, make: Callable[[], Golden]) -> Golden:
        """Make it in one thread; the others, who want the same, wait."""
        if (known_ := self._cache.get(key)) is not None:
            return known_
        with self._lock:
            lock = self._locks.setdefault(key, threading.Lock())
        with lock:
            golden = self._cache.get(key) or make()
            rows = sum(map(len, golden.stimulus.rows)) + sum(map(len, golden.samples))
            self._cache.put(key, golden, rows + 60 * (len(golden.stimulus.rows) + len(golden.samples)))
        with self._lock:
            self._locks.pop(key, None)
        return golden

    def _make(self, target: Target, sandbox: Sandbox) -> Golden:
        interface = reference_interface(target, sandbox)
        if target.testbench:
            for plainer in (False, True):  # the testbench's simulator may not read the reference as it stands
                try:
                    reference = _plainer(target, sandbox) if plainer else _reference(target)
                    return self._run(target, interface, _recorded(target, interface, sandbox, reference), sandbox)
                except UnusableReference:
                    continue  # a testbench that does not run, or drives nothing that tells designs apart
        digest = hashlib.sha256(target.reference.encode()).hexdigest()
        rng = np.random.default_rng(derive_seed("verilog", digest, target.seed))
        return self._run(target, interface, random_stimulus(interface, rng, target.cycles), sandbox)

    def _run(self, target: Target, interface: Interface, stimulus: Stimulus, sandbox: Sandbox) -> Golden:
        request = FlowRequest(target.reference_top, interface, ("simulate",), stimulus)
        try:
            report = run_flow(sandbox, _reference(target), request, target.limits)
        except NoDesign as problem:
            raise UnusableReference(f"the reference does not simulate: {problem}") from None
        return _usable(Golden(interface, stimulus, report.samples))


def _usable(golden: Golden) -> Golden:
    if not known(golden.samples):
        raise UnusableReference("the reference never drives a known value")
    unknown = any("x" in word for word in golden.samples)
    if unknown and constant_matches(golden.samples) == len(golden.samples):
        raise UnusableReference("the reference is unknown wherever it is not constant: every constant would pass")
    return golden


def reference_interface(target: Target, sandbox: Sandbox) -> Interface:
    """Return the ports of the reference."""
    if target.interface is not None:
        return target.interface
    try:
        report = run_flow(sandbox, _reference(target), FlowRequest(target.reference_top), target.limits)
    except NoDesign as problem:
        raise UnusableReference(f"the reference is no design: {problem}") from None
    return read_interface(report.ports)


def _reference(target: Target) -> str:
    return f"{target.reference}\n{target.context}" if target.context else target.reference


def _plainer(target: Target, sandbox: Sandbox) -> str:
    try:
        return run_flow(sandbox, _reference(target), FlowRequest(target.reference_top), target.limits).text
    except NoDesign as problem:
        raise UnusableReference(f"the reference is no design: {problem}") from None


def _recorded(target: Target, interface: Interface, sandbox: Sandbox, original: str) -> Stimulus:
    """Run the testbench around the reference and return what it did to it."""
    reference = re.sub(rf"\b{target.reference_top}\b", record.REFERENCE, original)
    testbench = record.without_dumps(target.testbench)
    instance_of_reference = target.reference_top != target.top and re.search(rf"\b{target.reference_top}\b", testbench)
    files = {
        "tb.sv": testbench.encode(),
        "reference.sv": reference.encode(),
        "recorder.sv": record.write_recorder(target.top, interface, target.testbench).encode(),
        "original.sv": original.encode() if instance_of_reference else b"",
    }
    top = record.top_of(target.testbench)
    select = f"-s {top}" if top else ""
    script = f"iverilog -g2012 {select} -o sim tb.sv reference.sv recorder.sv original.sv && vvp -n sim"
    result = run_job(sandbox, Job(argv=("sh", "-c", script), files=files, fetch=("trace",), limits=target.limits))
    trace = result.files.get("trace")
    if not trace:
        said = (result.stderr or result.stdout).decode("utf-8", "replace").strip().splitlines()
        raise UnusableReference(f"the testbench does not run: {(said or [result.reason])[0]}")
    try:
        return record.read_trace(trace.decode("ascii", "replace"), interface)
    except ValueError as error:
        raise UnusableReference(str(error)) from None
