"""Values on their way between a trusted and an untrusted process: `encode` there, `decode` here, nothing executed.

The text is JSON. None, bool, str, lists and small integers stand for themselves; all else is an object with one key:

    {"i": "0x..."} integer    {"f": "0x1.8p+1"} float    {"c": [re, im]} complex    {"b": "hex"} bytes
    {"t": [...]} tuple        {"S": [...]} set           {"F": [...]} frozenset     {"d": [[key, value], ...]} dict

Invariants:

* `encode` looks at values through the methods of the exact built-in base types: an `int` subclass whose `__eq__`
  always agrees arrives as the plain integer that it holds. NumPy arrays and scalars arrive as lists and numbers,
  fractions and decimals as integers or the nearest floats.
* `decode` accepts exactly this format and returns instances of the exact built-in types, so that comparing them runs
  no code of the program. It never raises anything but `CodecError`, whatever the bytes.
* Sizes are limited on both sides: depth, count of values, length of the text, digits of an integer.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

MAX_DEPTH = 64
MAX_VALUES = 200_000
MAX_BYTES = 2**20
MAX_INT_BITS = 2**15
MAX_COLLISIONS = 64
"""Keys with the same hash; more would make building the dictionary quadratic."""
_SAFE = 2**53


class CodecError(ValueError):
    """The value, or the text, is outside of the format."""


def encode(value: Any) -> str:
    """Return the text of a value. Raises `CodecError` for what has no plain form."""
    text = json.dumps(_Encoder().plain(value, 0), separators=(",", ":"), allow_nan=False)
    if len(text) > MAX_BYTES:
        raise CodecError(f"the value is longer than {MAX_BYTES} bytes")
    return text


def decode(text: bytes | str) -> Any:
    """Return the value of a text. Raises `CodecError` for anything that `encode` would not write."""
    if len(text) > MAX_BYTES:
        raise CodecError(f"the value is longer than {MAX_BYTES} bytes")
    try:
        raw = json.loads(text, parse_constant=_refuse, parse_float=_refuse)
    except CodecError:
        raise
    except (ValueError, RecursionError) as error:
        raise CodecError(f"not a value: {type(error).__name__}") from None
    return from_json(raw)


def from_json(raw: Any) -> Any:
    """Return the value of parsed JSON in the format of `encode`."""
    return _Decoder().value(raw, 0)


def to_json(value: Any) -> Any:
    """Return what `encode` would dump."""
    return _Encoder().plain(value, 0)


def _refuse(text: str) -> Any:
    raise CodecError(f"a bare {text[:20]} is not in the format")


class _Counter:
    def __init__(self) -> None:
        self._left = MAX_VALUES

    def enter(self, depth: int) -> None:
        self._left -= 1
        if depth > MAX_DEPTH:
            raise CodecError(f"nested deeper than {MAX_DEPTH}")
        if self._left < 0:
            raise CodecError(f"more than {MAX_VALUES} values")


class _Encoder(_Counter):
    def plain(self, value: Any, depth: int) -> Any:
        self.enter(depth)
        kind = type(value)
        if value is None or kind is bool:
            return value
        if kind.__module__ == "numpy":
            return self.plain(kind.tolist(value), depth)
        if issubclass(kind, int):
            return _integer(int.__add__(value, 0))
        if issubclass(kind, float):
            return {"f": float.hex(value)}
        if issubclass(kind, str):
            return str.__str__(value)
        return self._container(value, kind, depth)

    def _container(self, value: Any, kind: type, depth: int) -> Any:
        deeper = depth + 1
        if issubclass(kind, list):
            return [self.plain(item, deeper) for item in list.__iter__(value)]
        if issubclass(kind, tuple):
            return {"t": [self.plain(item, deeper) for item in tuple.__iter__(value)]}
        if issubclass(kind, dict):
            return {"d": [[self.plain(k, deeper), self.plain(v, deeper)] for k, v in dict.items(value)]}
        if issubclass(kind, set):
            return {"S": [self.plain(item, deeper) for item in set.__iter__(value)]}
        if issubclass(kind, frozenset):
            return {"F": [self.plain(item, deeper) for item in frozenset.__iter__(value)]}
        if issubclass(kind, complex):
            return {"c": [float.hex(complex.real.__get__(value)), float.hex(complex.imag.__get__(value))]}  # type: ignore[attr-defined]
        if issubclass(kind, bytes):
            return {"b": bytes.hex(value)}
        if issubclass(kind, bytearray):
            return {"b": bytearray.hex(value)}
        if kind.__module__ == "collections" and kind.__name__ == "deque":
            return [self.plain(item, deeper) for item in list(value)]
        if (kind.__module__, kind.__name__) in _RATIONAL:
            return self.plain(_number(kind, value), deeper)
        raise CodecError(f"a value of type {kind.__module__}.{kind.__qualname__} has no plain form")


_RATIONAL = {("fractions", "Fraction"), ("decimal", "Decimal")}


def _number(kind: Any, value: Any) -> Any:
    try:
        numerator, denominator = kind.as_integer_ratio(value)
        return numerator if denominator == 1 else numerator / denominator
    except (ValueError, OverflowError) as error:
        raise CodecError(f"a number beyond floats: {type(error).__name__}") from None


def _integer(value: int) -> Any:
    if -_SAFE < value < _SAFE:
        return value
    if value.bit_length() > MAX_INT_BITS:
        raise CodecError(f"an integer of more than {MAX_INT_BITS} bits")
    return {"i": hex(value)}


class _Decoder(_Counter):
    def value(self, raw: Any, depth: int) -> Any:
        self.enter(depth)
        if raw is None or isinstance(raw, bool | str):
            return raw
        if isinstance(raw, int):
            if not -_SAFE < raw < _SAFE:
                raise CodecError("a bare integer beyond 2**53")
            return raw
        if isinstance(raw, list):
            return self._items(raw, depth)
        if isinstance(raw, dict) and len(raw) == 1:
            tag, body = next(iter(raw.items()))
            if tag in ("i", "f", "b") and isinstance(body, str):
                return _scalar(tag, body)
            if tag == "c" and isinstance(body, list) and len(body) == 2 and all(isinstance(x, str) for x in body):
                return complex(_scalar("f", body[0]), _scalar("f", body[1]))
            if tag in ("t", "S", "F", "d") and isinstance(body, list):
                return self._tagged(tag, body, depth)
        raise CodecError("not in the format")

    def _tagged(self, tag: str, body: list[Any], depth: int) -> Any:
        if tag == "d":
            if not all(isinstance(pair, list) and len(pair) == 2 for pair in body):
                raise CodecError("not in the format")
            items = [(self.value(key, depth + 1), self.value(item, depth + 1)) for key, item in body]
            return _hashed(dict, items)
        values = self._items(body, depth)
        if tag == "t":
            return tuple(values)
        return _hashed(set if tag == "S" else frozenset, values)

    def _items(self, raw: list[Any], depth: int) -> list[Any]:
        return [self.value(item, depth + 1) for item in raw]


def _hashed(kind: Any, items: list[Any]) -> Any:
    try:
        alike = Counter(hash(item[0] if kind is dict else item) for item in items)
        if max(alike.values(), default=0) > MAX_COLLISIONS:
            raise CodecError("keys or members made to collide")
        made = kind(items)
    except TypeError:
        raise CodecError("a key or member that cannot be hashed") from None
    if len(made) != len(items):
        raise CodecError("a key or member appears twice")
    return made


def _scalar(tag: str, text: str) -> Any:
    try:
        if tag == "i":
            if len(text) > MAX_INT_BITS // 4 + 4:
                raise CodecError("an integer that is too long")
            return int(text, 16)
        return float.fromhex(text) if tag == "f" else bytes.fromhex(text)
    except (ValueError, OverflowError) as error:
        raise CodecError(f"not in the format: {type(error).__name__}") from None
