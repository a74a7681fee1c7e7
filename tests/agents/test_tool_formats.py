"""Dialects of tool calls: translation loses nothing, and what cannot be written is refused."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.agents.tool_formats import describe_tools, make_tool_format
from assay.core.errors import ConfigError, UnknownNameError
from assay.core.tool import ToolCall, parse_tool_calls, tool


@tool
def calculator(expression: str) -> str:
    """Evaluate."""
    return expression


@tool
def search(query: str, count: int = 3) -> str:
    """Search the documents.

    Args:
        query: What to look for.
    """
    return query


TOOLS = [calculator]
PLAIN = make_tool_format("plain")
ARGUMENTS = st.text(alphabet=st.characters(exclude_characters="?;", exclude_categories=["Cs"]))


def test_plain_calls_are_translated_and_text_is_left_alone() -> None:
    canonical = '<tool_call>{"name": "calculator", "arguments": {"expression": "7*4"}}</tool_call>'
    assert PLAIN.to_canonical("?7*4;", TOOLS) == canonical
    assert PLAIN.to_canonical("so?7*4;?1+1;#3", TOOLS).count("<tool_call>") == 2
    assert PLAIN.from_canonical(canonical, TOOLS) == "?7*4;"
    for text in ("#29", "?7*4", "7*4;", ";?", ""):
        assert PLAIN.to_canonical(text, TOOLS) == text


def test_without_tools_nothing_is_a_call() -> None:
    assert PLAIN.to_canonical("?7*4;", []) == "?7*4;"
    assert PLAIN.from_canonical("?7*4;", []) == "?7*4;"


@given(st.text(alphabet='?;#0123456789+*-= \n"\\{}é'))
def test_what_the_model_wrote_comes_back_exactly(text: str) -> None:
    assert PLAIN.from_canonical(PLAIN.to_canonical(text, TOOLS), TOOLS) == text


@given(st.lists(ARGUMENTS, max_size=4), st.text(alphabet="#0123 ab\n", max_size=5))
def test_canonical_calls_come_back_exactly(arguments: list[str], between: str) -> None:
    calls = [ToolCall("calculator", {"expression": argument}) for argument in arguments]
    canonical = between.join(call.render() for call in calls)
    back = PLAIN.to_canonical(PLAIN.from_canonical(canonical, TOOLS), TOOLS)
    assert back == canonical
    assert [dict(call.arguments) for call in parse_tool_calls(back)] == [{"expression": a} for a in arguments]


@given(st.text())
def test_hermes_is_canonical(text: str) -> None:
    hermes = make_tool_format("hermes")
    assert hermes.to_canonical(text, TOOLS) == hermes.from_canonical(text, TOOLS) == text


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (ToolCall("search", {"query": "x"}), "knows calculator"),
        (ToolCall("calculator", {"expression": "1", "more": "2"}), "knows calculator"),
        (ToolCall("calculator", {"expression": 3}), "knows calculator"),
        (ToolCall("calculator", {"expression": "1;2"}), "inside an argument"),
    ],
)
def test_what_plain_cannot_write_is_refused(call: ToolCall, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        PLAIN.from_canonical(call.render(), TOOLS)


@pytest.mark.parametrize("tools", [[search], [calculator, search]])
def test_plain_is_for_one_tool_with_one_string(tools: list[object]) -> None:
    with pytest.raises(ConfigError, match="one tool that takes one string; use 'hermes'"):
        PLAIN.to_canonical("?x;", tools)  # type: ignore[arg-type]


def test_unknown_formats_get_a_suggestion() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'hermes'"):
        make_tool_format("hermess")


def test_the_description_names_every_tool_and_its_schema() -> None:
    lines = describe_tools([calculator.schema(), search.schema()]).splitlines()
    schemas = [json.loads(line) for line in lines if line.startswith('{"name"')]
    assert [schema["name"] for schema in schemas] == ["calculator", "search"]
    assert schemas[1]["parameters"]["properties"]["query"]["description"] == "What to look for."
    example = next(line for line in lines if line.startswith("<tool_call>"))
    assert example.replace("{...}", "{}") == '<tool_call>{"name": "...", "arguments": {}}</tool_call>'
