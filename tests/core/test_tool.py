import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.core.errors import ToolError
from assay.core.tool import Tool, ToolCall, find_tool, map_tool_calls, parse_tool_calls, strip_tool_calls, tool


@tool
def power(base: int, exponent: int = 2) -> int:
    """Raise a number to a power.

    Args:
        base: The number.
        exponent (int): How often it is multiplied.
    """
    return base**exponent


def test_the_schema_comes_from_signature_and_docstring():
    assert power.schema() == {
        "type": "function",
        "function": {
            "name": "power",
            "description": "Raise a number to a power.",
            "parameters": {
                "type": "object",
                "additionalProperties": False,
                "properties": {
                    "base": {"type": "integer", "description": "The number."},
                    "exponent": {"type": "integer", "default": 2, "description": "How often it is multiplied."},
                },
                "required": ["base"],
            },
        },
    }


def test_a_call_validates_converts_and_answers_with_text():
    assert power(base=3) == "9"
    assert power(base="3", exponent="3") == "27"
    assert Tool(lambda: "text", name="t")() == "text"
    assert Tool(lambda: {"a": [1, None]}, name="t")() == '{"a":[1,null]}'


@pytest.mark.parametrize(
    ("arguments", "what"),
    [({}, "'base'"), ({"base": "x"}, "'base'"), ({"base": 1, "exponant": 2}, "'exponant'")],
)
def test_wrong_arguments_are_the_agents_to_mend(arguments, what):
    with pytest.raises(ToolError, match=f"power: argument {what}"):
        power(**arguments)


def test_faults_of_the_function_are_not_tool_errors():
    def broken() -> str:
        """Break."""
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        tool(broken)()


def test_signatures_without_a_schema_are_refused():
    with pytest.raises(TypeError, match=r"\*args"):
        tool(lambda *args: None)


def test_tools_are_found_by_name():
    assert find_tool([power], "power") is power
    with pytest.raises(ToolError, match="no tool 'pow'; the tools are: power"):
        find_tool([power], "pow")
    with pytest.raises(ToolError, match="none"):
        find_tool([], "pow")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner, max_size=3), max_leaves=5
)


@given(st.lists(st.tuples(st.text(min_size=1), st.dictionaries(st.text(), json_values, max_size=3)), max_size=3))
def test_rendered_calls_are_read_back(calls):
    wanted = [ToolCall(name, arguments) for name, arguments in calls]
    if any("</tool_call>" in repr(call) for call in wanted):
        return
    text = "thinking " + " and ".join(call.render() for call in wanted)
    assert parse_tool_calls(text) == wanted


@given(st.text())
def test_no_text_breaks_the_parser(text):
    for call in parse_tool_calls(f"<tool_call>{text}</tool_call>"):
        assert isinstance(call, ToolCall)


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ("{", "not JSON"),
        ("[]", '"name" and "arguments"'),
        ('{"name": 3}', '"name" and "arguments"'),
        ('{"name": "x", "arguments": "4"}', "must be a JSON object"),
        ("[" * 100_000, "not JSON"),
        ('{"name": "x", "arguments": {"a": ' + "[" * 49 + "]" * 49 + "}}", "more than 50 levels"),
        ('{"name": "x", "arguments": {"a": "\\ud800"}}', "no character"),  # such a text breaks tools and their servers
    ],
)
def test_malformed_calls_are_kept_with_their_error(body, error):
    (call,) = parse_tool_calls(f"a<tool_call>{body}</tool_call>b")
    assert call.name == ""
    assert error in call.error


def test_the_text_around_calls():
    text = f"let me see {power.name} {ToolCall('power', {'base': 2}).render()} done"
    assert strip_tool_calls(text) == "let me see power  done"
    assert parse_tool_calls("<tool_call>never closed") == []
    for text in ("<tool_call>" + " " * 100_000, "<tool_call> " * 100_000):  # would take hours if it were not linear
        assert parse_tool_calls(text) == [] and strip_tool_calls(text) == text


def test_a_description_may_take_several_lines():
    def find(query: str, limit: int = 3) -> str:
        """Find things.

        Args:
            query: What to look for:
                words, or a name.
            limit (int): How many
                at most.

        Returns:
            nothing: of interest.
        """
        return query * limit

    properties = Tool(find).parameters["properties"]
    assert properties["query"]["description"] == "What to look for: words, or a name."
    assert properties["limit"]["description"] == "How many at most."


def test_calls_are_changed_where_they_stand_and_broken_ones_stay():
    text = "a" + ToolCall("f", {"x": 1}).render() + "b<tool_call>{</tool_call>c"
    changed = map_tool_calls(text, lambda call: ToolCall("g", call.arguments))
    assert changed == text.replace('"f"', '"g"')
    assert map_tool_calls("no call", lambda call: ToolCall("g")) == "no call"
