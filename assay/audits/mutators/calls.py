"""Mutants of tool-call golds: the same calls written otherwise, and calls that differ in one certain thing.

Certificates are arguments about JSON values: numbers are equal as numbers, objects whatever the order of their keys,
strings character by character.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from assay.audits.calls import Call, Calls, gold_calls, read_calls, write_calls
from assay.audits.case import Case, Relation
from assay.audits.mutators.base import Mutant, claimed
from assay.core.tool import ToolCall
from assay.envs.tools.calls.gold import Wanted
from assay.verifiers.tools.matching import ArgumentRule

TOLD = "I would call {} now, and that settles it."


def call_mutants(case: Case, rng: random.Random, frame: str) -> Iterator[Mutant]:
    """Yield whole responses to a tool-call gold; nothing for other golds."""
    wanted = read_calls(case.target)
    if wanted is None:
        return
    gold = gold_calls(case.target)
    yield _mutant(write_calls(gold, frame), "identity", "equal", "the gold itself")
    if not gold:
        yield from _unwanted(frame)
        return
    yield from _same(gold, frame)
    for family, calls, argument, convention in _others(gold, rng):
        if not _accepted(calls, wanted):
            yield _mutant(write_calls(calls, frame), family, "different", argument, convention)
    text = write_calls(gold, frame)
    yield _mutant(text[: len(text) // 2], "cut-off", "different", "the text ends within the call")
    yield _mutant(TOLD.format(gold[0]["name"]), "told-not-called", "different", "no call is made")


def _unwanted(frame: str) -> Iterator[Mutant]:
    for name in ("search", "finish"):
        text = write_calls([{"name": name, "arguments": {}}], frame)
        yield _mutant(text, "call-added", "different", "no call is wanted")


def _same(gold: Calls, frame: str) -> Iterator[Mutant]:
    """Yield the same calls, written otherwise."""
    turned = [{"name": c["name"], "arguments": dict(reversed(c["arguments"].items()))} for c in gold]
    ways: list[tuple[str, Calls, Callable[[Call], str] | None, str, str]] = [
        ("key-order", turned, None, "objects have no order", ""),
        ("indented", gold, lambda c: json.dumps(c, indent=2, ensure_ascii=False), "white space between tokens", ""),
        ("compact", gold, lambda c: json.dumps(c, separators=(",", ":"), ensure_ascii=False), "no white space", ""),
        ("escaped", gold, _escaped, "escaped characters are the same characters", ""),
        ("number-form", [_floats(c) for c in gold], None, "5.0 and 5 are one JSON number", "number-form"),
        ("calls-reordered", gold[::-1], None, "the same calls, in another order", "call-order"),
    ]
    plain = write_calls(gold, frame)
    for family, calls, dump, argument, convention in ways:
        text = write_calls(calls, frame, dump)
        if text != plain:
            yield _mutant(text, family, "equal", argument, convention)
    yield _mutant(f"Let me look that up.\n{plain}", "prose", "equal", "the calls are the same", "prose")


def _others(gold: Calls, rng: random.Random) -> Iterator[tuple[str, Calls, str, str]]:
    """Yield family, calls, argument and convention of lists of calls that are not the gold."""
    at = rng.randrange(len(gold))
    call, rest = gold[at], (gold[:at], gold[at + 1 :])

    def changed(**fields: Any) -> Calls:
        return [*rest[0], {**call, **fields}, *rest[1]]

    name, arguments = call["name"], call["arguments"]
    yield "name", changed(name=f"{name}_v2"), f"{name}_v2 is not {name}", ""
    yield "argument-added", changed(arguments={**arguments, "zz_extra": 1}), "zz_extra is not wanted", ""
    for key in rng.sample(sorted(arguments), min(2, len(arguments))):
        others = {k: v for k, v in arguments.items() if k != key}
        yield "argument-dropped", changed(arguments=others), f"{key} is missing", ""
        yield "argument-renamed", changed(arguments={**others, f"{key}_": arguments[key]}), f"{key}_ is not {key}", ""
        for family, value, convention in _values(arguments[key]):
            argument = f"{key}: {value!r} is not {arguments[key]!r}"
            yield family, changed(arguments={**arguments, key: value}), argument, convention
    yield "call-dropped", [*rest[0], *rest[1]], f"the call of {name} is missing", ""
    yield "call-repeated", [*gold, call], f"{name} is called once too often", ""
    yield "call-added", [*gold, {"name": "delete_everything", "arguments": {}}], "one call is not wanted", ""


def _values(value: Any) -> Iterator[tuple[str, Any, str]]:
    """Yield family, value and convention of values that differ from this one."""
    if isinstance(value, bool):
        yield "flag", not value, ""
        yield "flag-as-number", int(value), ""
    elif isinstance(value, (int, float)):
        yield "number", value + 1, ""
        yield "sign", -value if value else 1, ""
        yield "number-as-text", str(value), "text-numbers"
    elif isinstance(value, str):
        yield "text", f"{value}x", ""
        yield "text-emptied", "", ""
        if value.swapcase() != value:
            yield "case", value.swapcase(), "case"
    elif isinstance(value, list):
        yield "list-longer", [*value, value[-1] if value else 0], ""
        yield "list-wrapped", [value], ""
    elif isinstance(value, Mapping):
        yield "object-key-added", {**value, "zz_extra": 1}, ""
    if value is not None:
        yield "null", None, ""


def _accepted(calls: Calls, wanted: Sequence[Wanted] | Calls) -> bool:
    """Whether the calls are acceptable all the same: in another order, or with another accepted value."""
    if len(calls) != len(wanted):
        return False
    if not wanted or not isinstance(wanted[0], Wanted):
        return sorted(map(_canonical, calls)) == sorted(map(_canonical, wanted))  # type: ignore[arg-type]
    # Text is compared without case and numbers also as text, so that what is left is wrong under every convention.
    rule = ArgumentRule(text_numbers=True, ignore_case=True)
    made = [ToolCall(c["name"], c["arguments"]) for c in calls]
    return all(any(w.accepts(c, rule) for w in wanted) for c in made)  # type: ignore[union-attr]


def _canonical(call: Call) -> str:
    return json.dumps(_typed(dict(call)), sort_keys=True)


def _typed(value: Any) -> Any:
    """Write numbers in one form, so that 5 and 5.0 are one value and True is another."""
    if isinstance(value, Mapping):
        return {k: _typed(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_typed(v) for v in value]
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _floats(call: Call) -> dict[str, Any]:
    arguments = {k: float(v) if type(v) is int and abs(v) < 2**53 else v for k, v in call["arguments"].items()}
    return {"name": call["name"], "arguments": arguments}


def _escaped(call: Call) -> str:
    """Write the last letter of the name as an escape."""
    text = json.dumps(call, ensure_ascii=True)
    name = json.dumps(call["name"])
    return text.replace(name, f'{name[:-2]}\\u{ord(name[-2]):04x}"', 1) if name[-2].isalnum() else text


def _mutant(text: str, family: str, relation: Relation, argument: str, convention: str = "") -> Mutant:
    return claimed(text, "tool-call", family, relation, "json", argument, convention=convention, whole=True)


_CITIES = ("Paris", "São Paulo", "Oslo", "Łódź")


def bank_golds(rng: random.Random) -> Iterator[Calls]:
    """Yield golds of assay's own: one call, several, nested and empty arguments, and none at all."""
    weather = {"name": "get_weather", "arguments": {"city": rng.choice(_CITIES), "days": rng.randint(1, 9)}}
    price = {"name": "get_price", "arguments": {"item": "tea", "amount": rng.randint(2, 90) / 4, "gift": True}}
    mail = {"name": "send", "arguments": {"to": ["ann", "bob"], "body": {"text": f"see you at {rng.randint(1, 12)}"}}}
    yield [weather]
    yield [price]
    yield [weather, price]
    yield [mail, {"name": "list_files", "arguments": {}}]
    yield []
