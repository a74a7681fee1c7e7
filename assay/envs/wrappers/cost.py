"""Costs of acting: every step, or every tool call, takes a little away."""

from __future__ import annotations

from collections.abc import Mapping

from gymnasium.utils import RecordConstructorArgs

from assay.core.errors import ConfigError
from assay.core.tool import parse_tool_calls
from assay.envs.wrappers.base import AnyEnv, Outcome, RewardWrapper, check_not_negative


class StepCost(RewardWrapper):
    """Takes `cost` for each turn, the last one included: among right answers the shortest episode earns most."""

    name = "step_cost"

    def __init__(self, env: AnyEnv, *, cost: float = 0.01) -> None:
        check_not_negative(self.name, cost=cost)
        RecordConstructorArgs.__init__(self, cost=cost)
        super().__init__(env)
        self.cost = cost

    @property
    def bonus_range(self) -> tuple[float, float]:
        """The cost."""
        return -self.cost, -self.cost

    def bonus(self, outcome: Outcome) -> float:
        """Return the cost of one turn."""
        return -self.cost


class ToolCost(RewardWrapper):
    """Takes a cost for each tool call that a turn asks for, valid or not."""

    name = "tool_cost"

    def __init__(
        self, env: AnyEnv, *, cost: float = 0.01, tools: Mapping[str, float] | None = None, max_calls: int = 16
    ) -> None:
        """`tools` gives some tools a cost of their own; calls beyond `max_calls` of one turn cost nothing more."""
        tools = dict(tools or {})
        check_not_negative(self.name, cost=cost, **tools)
        if max_calls < 1:
            raise ConfigError(f"wrapper {self.name!r}: max_calls must be at least 1, not {max_calls!r}")
        RecordConstructorArgs.__init__(self, cost=cost, tools=tools, max_calls=max_calls)
        super().__init__(env)
        self.cost, self.tools, self.max_calls = cost, tools, max_calls

    @property
    def bonus_range(self) -> tuple[float, float]:
        """From as many of the dearest calls as count in one turn, to none."""
        return -self.max_calls * max(self.cost, *self.tools.values(), 0.0), 0.0

    def bonus(self, outcome: Outcome) -> float:
        """Return the cost of the calls in this turn."""
        calls = parse_tool_calls(outcome.action)[: self.max_calls]
        return -sum(self.tools.get(call.name, self.cost) for call in calls)
