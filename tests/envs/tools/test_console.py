"""Commands and calls say the same, and a command that fits no function is none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.core.errors import ToolError
from assay.core.tool import ToolCall
from assay.envs.tools.console import as_call, as_command

KINDS = {"place": {"type": "string"}, "level": {"type": "integer"}, "on": {"type": "boolean"}}
HEAT = {"name": "heat", "parameters": {"properties": KINDS}}


def read(command):
    return as_call(ToolCall("run", {"command": command}), [HEAT])


@given(st.text(max_size=20), st.integers(-(10**17), 10**17), st.booleans())
def test_a_call_comes_back_from_its_command(place, level, on):
    call = ToolCall("heat", {"place": place, "level": level, "on": on})
    assert as_call(as_command(call), [HEAT]) == call


def test_words_are_typed_by_what_they_are_for():
    assert read("heat 16 16 true").arguments == {"place": "16", "level": 16, "on": True}
    assert read("heat hall 1_6 1").arguments == {"place": "hall", "level": "1_6", "on": "1"}
    assert read("heat 'the hall'").arguments == {"place": "the hall"}


@pytest.mark.parametrize("command", ["", "cool hall", "heat a 1 true more", "heat 'a"])
def test_what_fits_no_function_is_refused(command):
    with pytest.raises(ToolError):
        read(command)


@pytest.mark.parametrize("call", [ToolCall("heat", {"place": "a"}), ToolCall("run", {"command": 1}), ToolCall("run")])
def test_there_is_no_way_but_commands(call):
    with pytest.raises(ToolError, match="one tool"):
        as_call(call, [HEAT])
