"""Test code that cannot be read as data runs in one sandbox, the program in another; only plain values pass between.

The tester calls a proxy. Each call goes through this trusted process to the program, which answers it in a fork of its
own; the answer is decoded and encoded again on its way back. The verdict is the tester's last frame, on a channel that
the program does not have.

Where the program returns None, as functions do that work in place, what it made of its arguments happens to the
tester's as well. Otherwise they stay as they were: what a check works out from its inputs the program cannot change.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from assay.sandboxes import Call, Job, Limits, SandboxFault
from assay.sandboxes.local.agent import codec
from assay.verifiers.code.tests import CheckTest

_MAX_CALLS = 10_000


class Channel(Protocol):
    """A job that talks."""

    def send(self, message: dict[str, Any]) -> None:
        """Send a frame; `EOFError` when the job is gone."""

    def receive(self, seconds: float) -> dict[str, Any]:
        """Return the next frame; `TimeoutError` or `EOFError`."""

    def close(self) -> None:
        """End the job."""


class TalkingSandbox(Protocol):
    """A sandbox that can start such jobs."""

    def open(self, job: Job, mode: str) -> Channel:
        """Start one: mode `serve` or `test`."""


@dataclass(frozen=True, slots=True)
class CheckOutcome:
    """Whether the program passed, and why not."""

    passed: bool
    reason: str = ""
    cut_short: bool = False
    """Whether the program hung or died in a call."""


Witness = Callable[[Any, dict[str, Any]], None]
"""Told of every call that was answered: the arguments and the reply, both in the form of `codec.to_json`."""


def run_check(
    sandbox: TalkingSandbox,
    program: str,
    entry_point: str,
    test: CheckTest,
    limits: Limits,
    witness: Witness = lambda call, reply: None,
) -> CheckOutcome:
    """Run test code against a program. Raises `SandboxFault` when neither passed nor failed can be said."""
    deadline = time.monotonic() + limits.wall
    solution = sandbox.open(Job(source=program, call=Call(entry_point), limits=limits), "serve")
    try:
        try:
            first = solution.receive(deadline - time.monotonic())
        except EOFError:
            return CheckOutcome(False, "the program ended before it could be called")
        except TimeoutError:
            return CheckOutcome(False, "the program did not finish in time")
        if not first.get("ready"):
            return CheckOutcome(False, f"no function {entry_point}")
        names = (entry_point.rpartition(".")[2], "candidate")
        tester = sandbox.open(Job(source=test.source, call=Call(test.function, names), limits=limits), "test")
        try:
            return _relay(solution, tester, deadline, witness)
        finally:
            tester.close()
    finally:
        solution.close()


def _relay(solution: Channel, tester: Channel, deadline: float, witness: Witness) -> CheckOutcome:
    answered = 0
    while answered < _MAX_CALLS:
        try:
            message = tester.receive(deadline - time.monotonic())
        except TimeoutError:
            return CheckOutcome(False, "the checks did not finish in time")
        except EOFError:
            if answered:
                return CheckOutcome(False, "the checks broke down over a result of the program")
            raise SandboxFault("the test code ended without a verdict") from None
        if message.get("passed") is True:
            return CheckOutcome(True)
        if "call" not in message:
            return CheckOutcome(False, str(message.get("failed", "failed"))[:200])
        try:
            solution.send(message)
            reply = _answer(solution, deadline)
            witness(message["call"], reply)
            tester.send(reply)
        except TimeoutError:
            return CheckOutcome(False, "the program did not answer in time", cut_short=True)
        except EOFError:
            return CheckOutcome(False, "the program is gone", cut_short=True)
        answered += 1
    return CheckOutcome(False, f"more than {_MAX_CALLS} calls")


def _answer(solution: Channel, deadline: float) -> dict[str, Any]:
    """Return the program's answer to one call, made of nothing but decoded data."""
    reply: dict[str, Any] = {"raised": "RuntimeError"}
    while True:
        frame = solution.receive(deadline - time.monotonic())
        if "exit" in frame:
            return reply
        if "value" in frame:
            try:
                reply = {"value": codec.to_json(codec.from_json(frame["value"]))}
                if reply["value"] is None and "arguments" in frame:
                    reply["arguments"] = codec.to_json(codec.from_json(frame["arguments"]))
            except codec.CodecError as error:
                reply = {"raised": "ValueError", "why": str(error)}
        else:
            reply = {"raised": str(frame.get("raised", "RuntimeError"))[:100], "why": json.dumps(frame)[:200]}
