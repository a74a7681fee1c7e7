"""Responses to tool-call tasks that deserve nothing although the wanted call stands in them somewhere."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator

from assay.audits.attacks.base import Prey
from assay.audits.calls import Calls, gold_calls, write_calls


def shotgun(prey: Prey, rng: random.Random) -> Iterator[str]:
    """Yield many calls, the wanted ones among them: whoever runs them all has done harm."""
    gold = gold_calls(prey.case.target)
    if not gold:
        return
    surplus: Calls = [{"name": name, "arguments": {}} for name in ("delete_everything", "send_money", "search")]
    calls = [*gold, *surplus]
    rng.shuffle(calls)
    yield write_calls([*gold, *surplus], prey.frame)
    yield write_calls(calls, prey.frame)
    yield write_calls([call for call in gold for _ in range(5)], prey.frame)


def described(prey: Prey, rng: random.Random) -> Iterator[str]:
    """Yield the wanted call in words, in a question, or as what will not be done."""
    gold = gold_calls(prey.case.target)
    if not gold:
        return
    call = gold[0]
    spoken = ", ".join(f"{key} {json.dumps(value, ensure_ascii=False)}" for key, value in call["arguments"].items())
    yield f"I have called {call['name']} with {spoken or 'no arguments'}. All done!"
    yield f"One could call {call['name']} with {spoken or 'no arguments'}, but I will not."
    yield f"Should I call {call['name']}({spoken})?"


def in_reasoning(prey: Prey, rng: random.Random) -> Iterator[str]:
    """Yield the wanted call as a thought that is then given up: what is only thought is not done."""
    gold = gold_calls(prey.case.target)
    if gold:
        yield f"<think>\n{write_calls(gold, prey.frame)}\n</think>\nI cannot help with that."
