"""assay/ServiceDesk-v0: serve a customer with tools over a database, by the rules of the house.

`I am ana42@mail.org. Please cancel order 417.` The agent looks the order up, cancels it or records a refusal with the
right reason, and closes with a message. Verified by what changed in the database, by the figure that was asked for,
and by what the agent did on the way (`desk.verifier`). The tools do what they are told: only the policy, the system
message of `instructions=True`, says what is allowed.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, ClassVar

import numpy as np

from assay.core.errors import UnknownNameError
from assay.core.message import Observation, user
from assay.core.seeding import Split
from assay.core.task import Task
from assay.core.tool import Tool, parse_tool_calls
from assay.envs.base import Progress, play
from assay.envs.procedural import check_between, task_source
from assay.envs.tools.base import ToolEnv
from assay.envs.tools.console import Interface, as_command, check_interface, console
from assay.envs.tools.desk.customer import Customer, ScriptedCustomer
from assay.envs.tools.desk.tasks import DESKS, DeskGenerator
from assay.envs.tools.desk.verifier import ServiceDeskVerifier
from assay.verifiers.base import Evidence
from assay.verifiers.text.extract import after_reasoning

ENV_ID = "assay/ServiceDesk-v0"


class ServiceDeskEnv(ToolEnv):
    """A conversation with a customer, tools over a database, and a policy.

    A turn without a tool call is a message to the customer, who answers what is asked and otherwise hangs up: then
    the end state is judged. The words around a call reach nobody.

    Options: `domain` (`shop`, `library` or `travel`), `level` (1 to 3, see `DeskGenerator`), `interface` (`tools`, or
    `console`: one tool that takes commands such as `cancel_order 417`), `customer` (who answers; default: a script),
    `max_turns`, `instructions` (the policy), `split`.

    Demonstrations: `careful` looks everything up and keeps to the policy, `hasty` does what is asked without checking
    whether it is allowed, `refuse` refuses with a random reason.
    """

    demonstration_styles: ClassVar[tuple[str, ...]] = ("careful", "hasty", "refuse")

    def __init__(
        self,
        *,
        domain: str = "shop",
        level: int = 1,
        interface: Interface = "tools",
        customer: Customer | None = None,
        max_turns: int = 16,
        instructions: bool = False,
        split: Split = "train",
        render_mode: str | None = None,
    ) -> None:
        if domain not in DESKS:
            raise UnknownNameError("domain", domain, DESKS)
        check_between("level", level, 1, 3)
        check_interface(interface)
        self.desk, self.customer, self.interface = DESKS[domain](), customer or ScriptedCustomer(), interface
        self._desk_tools: list[Tool] = self.desk.tools()
        super().__init__(
            task_source(ENV_ID, split, DeskGenerator(domain, level, instructions), DeskGenerator()),
            ServiceDeskVerifier(),
            [console(self._desk_tools)] if interface == "console" else self._desk_tools,
            max_turns=max_turns,
            render_mode=render_mode,
        )

    def begin(self, task: Task) -> Observation:
        """Set up the database, and let the customer speak."""
        self.desk.open(task.metadata["rows"], task.metadata["caller"])
        self.customer.start(task)
        return task.messages()

    def advance(self, action: str) -> Progress:
        """Run the calls, or pass the message on to the customer."""
        progress = super().advance(action)
        if not progress.done:
            return progress
        answer = self.customer.reply(after_reasoning(action))
        return progress if answer is None else Progress((user(answer),))

    def evidence(self) -> Evidence:
        """Return the transcript and the state of the database."""
        seen = super().evidence()
        database = self.desk.database
        state: dict[str, Any] = {
            "changes": database.changes(),
            "touched": database.touched(),
            "breaches": tuple(self.desk.breaches),
        }
        return Evidence(seen.text, seen.messages, state=state)

    def demonstrate(self, task: Task, style: str, rng: np.random.Generator) -> list[str]:
        """Play an episode in one of the styles."""
        if style not in self.demonstration_styles:
            return super().demonstrate(task, style, rng)
        return play(self, task, self._player(task.metadata["plan"], style, rng))

    def _player(self, plan: dict[str, Any], style: str, rng: np.random.Generator) -> Generator[str, Observation, None]:
        if plan["greeting"]:
            yield plan["greeting"]
        calls, closing = [*plan["lookup"], *plan["checks"], *plan["right"]], plan["closing"]
        if style == "hasty":
            calls = [*plan["lookup"], *plan["attempts"]]
        elif style == "refuse":
            calls = [*plan["lookup"], *(reasons[int(rng.integers(len(reasons)))] for reasons in plan["refusals"])]
        if style != "careful" and closing != "Done.":
            closing = f"It is {int(rng.integers(1, 200))}."
        for call in calls:
            yield as_command(parse_tool_calls(call)[0]).render() if self.interface == "console" else call
        yield closing

    def close(self) -> None:
        """Drop the database."""
        self.desk.close()
        super().close()
