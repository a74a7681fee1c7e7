"""Values survive the way, hostile ones do not, and no text makes the decoder fail in its own way."""

import contextlib
import json
import math
from collections import Counter, OrderedDict, deque, namedtuple
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.sandboxes.local.agent.codec import CodecError, decode, encode

hashable = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary(),
    lambda inner: st.tuples(inner, inner) | st.frozensets(inner, max_size=3),
    max_leaves=5,
)
values = st.recursive(
    hashable | st.complex_numbers(allow_nan=False),
    lambda inner: st.lists(inner) | st.tuples(inner) | st.dictionaries(hashable, inner) | st.sets(hashable, max_size=3),
    max_leaves=10,
)


def same(a, b):
    return type(a) is type(b) and a == b


@given(values)
def test_round_trip(value):
    assert same(decode(encode(value)), value)


@given(st.text() | st.binary())
def test_any_text_decodes_or_is_refused(text):
    with contextlib.suppress(CodecError):
        decode(text)


json_like = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from("ifcbtSFdx"), inner, max_size=2),
    max_leaves=12,
)


@given(json_like)
def test_any_json_decodes_or_is_refused(raw):
    with contextlib.suppress(CodecError):
        decode(json.dumps(raw))


def test_special_floats():
    assert math.isnan(decode(encode(math.nan)))
    assert decode(encode([math.inf, -math.inf])) == [math.inf, -math.inf]
    assert math.copysign(1, decode(encode(-0.0))) == -1


class Liar(int):
    def __eq__(self, other):
        return True

    __hash__ = int.__hash__

    def __add__(self, other):
        return 42

    def __index__(self):
        return 42


class LyingText(str):
    def __str__(self):
        return "right"


def test_subclasses_arrive_as_what_they_hold():
    assert same(decode(encode(Liar(7))), 7)
    assert same(decode(encode(LyingText("wrong"))), "wrong")
    assert same(decode(encode(Counter("aab"))), {"a": 2, "b": 1})
    assert same(decode(encode(OrderedDict(a=1))), {"a": 1})
    assert same(decode(encode(namedtuple("P", "x")(1))), (1,))
    assert same(decode(encode(deque([1]))), [1])
    assert same(decode(encode([Fraction(6, 2), Fraction(1, 3), Decimal("2.0"), Decimal("0.1")])), [3, 1 / 3, 2, 0.1])
    assert same(decode(encode(np.array([[1, 2]]))), [[1, 2]])
    assert same(decode(encode(np.float64(0.5))), 0.5)


@pytest.mark.parametrize(
    "value", [object(), (x for x in ()), range(3), print, 1 << 40000, type, Decimal("NaN")], ids=type
)
def test_what_has_no_plain_form(value):
    with pytest.raises(CodecError):
        encode(value)


def test_bombs():
    nested: list = []
    for _ in range(100):
        nested = [nested]
    with pytest.raises(CodecError, match="deeper"):
        encode(nested)
    cyclic: list = []
    cyclic.append(cyclic)
    with pytest.raises(CodecError):
        encode(cyclic)
    colliding = {"S": [{"i": hex(k * (2**61 - 1))} for k in range(2**10, 2**10 + 100)]}
    with pytest.raises(CodecError, match="collide"):
        decode(json.dumps(colliding))
    for text in ("[" * 100_000, "9" * 5000, "NaN", "1.5", '{"i": "0x' + "f" * 20_000 + '"}', '{"d": [[1, 1], [1, 2]]}'):
        with pytest.raises(CodecError):
            decode(text)
