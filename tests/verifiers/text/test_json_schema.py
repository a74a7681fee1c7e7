import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.core.errors import ConfigError
from assay.verifiers import make_verifier, verify_text
from assay.verifiers.text.schema import Schema, parse_json

ORDER = {
    "type": "object",
    "required": ["id", "items"],
    "additionalProperties": False,
    "properties": {
        "id": {"type": "integer", "minimum": 1},
        "items": {"type": "array", "minItems": 1, "uniqueItems": True, "items": {"$ref": "#/$defs/item"}},
        "note": {"type": ["string", "null"], "maxLength": 5, "pattern": "^[a-z]*$"},
    },
    "$defs": {"item": {"enum": ["tea", "milk", 1]}},
}


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ({"id": 1, "items": ["tea"]}, ""),
        ({"id": 1.0, "items": [1.0], "note": None}, ""),
        ({"id": True, "items": ["tea"]}, "$.id: not of type integer"),
        ({"id": 0, "items": ["tea"]}, "$.id: less than 1"),
        ({"id": 1, "items": []}, "$.items: fewer than 1 items"),
        ({"id": 1, "items": ["tea", "tea"]}, "$.items: items repeat"),
        ({"id": 1, "items": ["tea", "gin"]}, "$.items[1]: not one of the allowed values"),
        ({"id": 1, "items": [True]}, "$.items[0]: not one of the allowed values"),
        ({"id": 1, "items": ["tea"], "x": 1}, "$.x: not allowed"),
        ({"id": 1}, "$: one of ['id', 'items'] is missing"),
        ({"id": 1, "items": ["tea"], "note": "abcdef"}, "$.note: longer than 5"),
        ({"id": 1, "items": ["tea"], "note": "A"}, "$.note: does not match ^[a-z]*$"),
        ([], "$: not of type object"),
    ],
)
def test_first_violation_is_named(value, problem):
    assert Schema(ORDER).problem(value) == problem


def test_combinations():
    assert not Schema({"anyOf": [{"type": "string"}, {"minimum": 3}]}).problem(4)
    assert Schema({"oneOf": [{"type": "number"}, {"minimum": 3}]}).problem(4)
    assert Schema({"not": {"type": "string"}}).problem("x")
    assert Schema({"allOf": [{"minimum": 1}, {"maximum": 2}]}).problem(3) == "$: greater than 2"
    assert not Schema({"prefixItems": [{"type": "string"}], "items": {"type": "integer"}}).problem(["a", 1, 2])
    assert Schema({"prefixItems": [{"type": "string"}], "items": {"type": "integer"}}).problem(["a", "b"])
    assert not Schema({"multipleOf": 0.1}).problem(0.3)
    assert Schema({"multipleOf": 0.1}).problem(0.35)
    assert not Schema({"type": "integer"}).problem(10**400)
    tree = {"type": "object", "properties": {"next": {"$ref": "#"}}, "additionalProperties": False}
    assert Schema(tree).problem({"next": {"next": {"no": 1}}}) == "$.next.next.no: not allowed"
    assert "deep" in Schema({"$ref": "#"}).problem(1)


@pytest.mark.parametrize(
    "schema",
    [{"minimun": 1}, {"type": "int"}, {"properties": {"a": {"foo": 1}}}, {"$ref": "#/$defs/none"}, {"pattern": "("}, 5],
)
def test_rules_that_nobody_checks_are_refused(schema):
    with pytest.raises(ConfigError, match="JSON schema"):
        Schema(schema)


@pytest.mark.parametrize("text", ['{"a": NaN}', "[Infinity]", '{"a": 1, "a": 2}', "[" * 100_000, "1 2", ""])
def test_strict_json(text):
    with pytest.raises(ValueError):
        parse_json(text)


def test_verifier_reads_the_json_of_the_response():
    def judge(response, target=None, **options):
        return verify_text(make_verifier("json_schema", **options), target, response)

    schema = {"type": "object", "required": ["a"]}
    assert judge('{"a": 1}', schema=schema).correct
    assert judge('Here it is:\n```json\n{"a": 1}\n```\n', schema).correct
    assert judge('<answer>{"a": 1}</answer>', schema).correct
    assert judge("{}", schema).correct is False
    assert judge("{'a': 1}", schema).status == "unparsable"
    assert judge("", schema).status == "no_answer"
    assert judge('{"a": 1}', "no schema").score is None
    assert judge('{"a": 1}', {"minimun": 1}).score is None


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=4),
    max_leaves=10,
)


@given(json_values)
def test_a_value_satisfies_its_own_constant(value):
    assert not Schema({"const": value}).problem(value)
    assert Schema(ORDER).problem(value) is not None
