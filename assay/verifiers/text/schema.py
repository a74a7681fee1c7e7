"""A JSON Schema validator for the keywords that answers and tool arguments need.

Unknown keywords are refused when the schema is read: a rule that nobody checks is not a rule. `format` and the
descriptive keywords are annotations, as in the standard. Integers are not booleans, 1.0 is an integer, NaN and
infinity are no JSON. `$ref` may point into the same document (`#/$defs/...`).
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

from assay.core.errors import ConfigError

MAX_DEPTH = 64

_TYPES: dict[str, Callable[[Any], bool]] = {
    "null": lambda v: v is None,
    "boolean": lambda v: isinstance(v, bool),
    "integer": lambda v: _is_number(v) and v == int(v),
    "number": lambda v: _is_number(v),
    "string": lambda v: isinstance(v, str),
    "array": lambda v: isinstance(v, list),
    "object": lambda v: isinstance(v, dict),
}
_ANNOTATIONS = frozenset(
    ("$schema", "$id", "$comment", "title", "description", "default", "examples", "format")
    + ("readOnly", "writeOnly", "deprecated")
)
_CHILD_LISTS = ("allOf", "anyOf", "oneOf", "prefixItems")
_CHILDREN = ("items", "additionalProperties", "not")


def parse_json(text: str) -> Any:
    """Parse strict JSON. ValueError for NaN, infinity, duplicate keys and absurd nesting."""
    try:
        return json.loads(text, parse_constant=_refuse_constant, object_pairs_hook=_unique)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON value")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key appears twice")
    return found


class Schema:
    """A checked schema."""

    def __init__(self, schema: Mapping[str, Any] | bool) -> None:
        self.root = schema
        self._check_keywords(schema, "#", 0)

    def problem(self, value: Any) -> str:
        """Return the first violation, such as `$.items[2].price: not a number`, or an empty string."""
        try:
            return self._validate(value, self.root, "$", 0)
        except RecursionError:
            return "$: nested too deeply"

    def _check_keywords(self, schema: Any, where: str, depth: int) -> None:
        if isinstance(schema, bool):
            return
        if not isinstance(schema, Mapping) or depth > MAX_DEPTH:
            raise ConfigError(f"JSON schema: {where} is no schema")
        for key, rule in schema.items():
            if key in _CHILD_LISTS:
                for i, child in enumerate(rule):
                    self._check_keywords(child, f"{where}/{key}/{i}", depth + 1)
            elif key in _CHILDREN:
                self._check_keywords(rule, f"{where}/{key}", depth + 1)
            elif key in ("properties", "$defs", "definitions"):
                for name, child in rule.items():
                    self._check_keywords(child, f"{where}/{key}/{name}", depth + 1)
            elif key == "$ref":
                self._resolve(rule)
            elif key == "type":
                for name in [rule] if isinstance(rule, str) else rule:
                    if name not in _TYPES:
                        raise ConfigError(f"JSON schema: {where} has the unknown type {name!r}")
            elif key == "pattern":
                try:
                    re.compile(rule)
                except (re.error, TypeError) as error:
                    raise ConfigError(f"JSON schema: {where}/pattern: {error}") from None
            elif key not in _RULES and key not in _ANNOTATIONS:
                raise ConfigError(f"JSON schema: {where} uses {key!r}, which is not supported")

    def _resolve(self, reference: str) -> Any:
        node: Any = self.root
        head, *path = str(reference).split("/")
        try:
            if head != "#":
                raise KeyError(reference)
            for part in path:
                node = node[part.replace("~1", "/").replace("~0", "~")]
        except (KeyError, TypeError):
            raise ConfigError(f"JSON schema: cannot resolve $ref {reference!r}") from None
        return node

    def _validate(self, value: Any, schema: Any, at: str, depth: int) -> str:
        if isinstance(schema, bool):
            return "" if schema else f"{at}: not allowed"
        if depth > MAX_DEPTH:
            return f"{at}: nested too deeply"
        for key, rule in schema.items():
            if key in _RULES:
                if why := _RULES[key](value, rule):
                    return f"{at}: {why}"
            elif why := self._apply(key, rule, value, schema, at, depth + 1):
                return why
        return ""

    def _apply(self, key: str, rule: Any, value: Any, schema: Any, at: str, depth: int) -> str:
        """Apply a keyword that contains schemas."""
        if key == "$ref":
            return self._validate(value, self._resolve(rule), at, depth)
        if key in ("allOf", "anyOf", "oneOf"):
            problems = [self._validate(value, option, at, depth) for option in rule]
            passed = problems.count("")
            if key == "allOf":
                return next(filter(None, problems), "")
            if passed == 0 or (key == "oneOf" and passed > 1):
                return f"{at}: matches {passed} of the {len(problems)} options"
        elif key == "not":
            return "" if self._validate(value, rule, at, depth) else f"{at}: matches what it must not"
        elif isinstance(value, dict):
            return self._apply_to_object(key, rule, value, schema, at, depth)
        elif isinstance(value, list):
            return self._apply_to_array(key, rule, value, schema, at, depth)
        return ""

    def _apply_to_array(self, key: str, rule: Any, value: list[Any], schema: Any, at: str, depth: int) -> str:
        if key not in ("items", "prefixItems"):
            return ""
        first = len(schema.get("prefixItems", ())) if key == "items" else 0
        rules = [rule] * len(value[first:]) if key == "items" else rule
        for i, (item, child) in enumerate(zip(value[first:], rules, strict=False), first):
            if why := self._validate(item, child, f"{at}[{i}]", depth):
                return why
        return ""

    def _apply_to_object(self, key: str, rule: Any, value: dict[str, Any], schema: Any, at: str, depth: int) -> str:
        known = schema.get("properties", {})
        if key == "properties":
            children = [(name, child) for name, child in rule.items() if name in value]
        elif key == "additionalProperties":
            children = [(name, rule) for name in value if name not in known]
        else:
            return ""
        for name, child in children:
            if why := self._validate(value[name], child, f"{at}.{name}", depth):
                return why
        return ""


def _is_number(value: Any) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    return isinstance(value, int) and not isinstance(value, bool)


def _same(a: Any, b: Any) -> bool:
    """JSON equality: True is not 1, 1 is 1.0."""
    if isinstance(a, bool) or isinstance(b, bool):
        return a is b
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(_same, a, b))
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(_same(a[k], b[k]) for k in a)
    return bool(a == b)


def _bound(kind: Any, test: Callable[[Any, Any], bool], text: str) -> Callable[[Any, Any], str]:
    def check(value: Any, rule: Any) -> str:
        applies = _is_number(value) if kind is float else isinstance(value, kind)
        return text.format(rule) if applies and not test(value, rule) else ""

    return check


def _type(value: Any, rule: Any) -> str:
    names = [rule] if isinstance(rule, str) else rule
    return "" if any(_TYPES[name](value) for name in names) else f"not of type {' or '.join(names)}"


def _unique_items(value: Any, rule: Any) -> str:
    if not rule or not isinstance(value, list):
        return ""
    keys = {json.dumps(item, sort_keys=True) for item in value}
    return "" if len(keys) == len(value) else "items repeat"


_RULES: dict[str, Callable[[Any, Any], str]] = {
    "type": _type,
    "enum": lambda v, rule: "" if any(_same(v, option) for option in rule) else "not one of the allowed values",
    "const": lambda v, rule: "" if _same(v, rule) else "not the required value",
    "minimum": _bound(float, lambda v, r: v >= r, "less than {}"),
    "maximum": _bound(float, lambda v, r: v <= r, "greater than {}"),
    "exclusiveMinimum": _bound(float, lambda v, r: v > r, "not greater than {}"),
    "exclusiveMaximum": _bound(float, lambda v, r: v < r, "not less than {}"),
    "multipleOf": _bound(float, lambda v, r: Fraction(repr(v)) % Fraction(repr(r)) == 0, "not a multiple of {}"),
    "minLength": _bound(str, lambda v, r: len(v) >= r, "shorter than {}"),
    "maxLength": _bound(str, lambda v, r: len(v) <= r, "longer than {}"),
    "pattern": _bound(str, lambda v, r: re.search(r, v) is not None, "does not match {}"),
    "minItems": _bound(list, lambda v, r: len(v) >= r, "fewer than {} items"),
    "maxItems": _bound(list, lambda v, r: len(v) <= r, "more than {} items"),
    "uniqueItems": _unique_items,
    "required": _bound(dict, lambda v, r: all(name in v for name in r), "one of {} is missing"),
    "minProperties": _bound(dict, lambda v, r: len(v) >= r, "fewer than {} properties"),
    "maxProperties": _bound(dict, lambda v, r: len(v) <= r, "more than {} properties"),
}
