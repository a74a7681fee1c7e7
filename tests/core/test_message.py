import pytest

from assay.core.message import assistant, is_message, system, text_of, tool_result, user


def test_messages_are_plain_dicts():
    assert system("a") == {"role": "system", "content": "a"}
    assert user("a") == {"role": "user", "content": "a"}
    assert assistant("a") == {"role": "assistant", "content": "a"}
    assert tool_result("calc", "4") == {"role": "tool", "content": "4", "name": "calc"}


def test_the_text_of_a_message_leaves_images_out():
    parts = [{"type": "text", "text": "a"}, {"type": "image", "image": "x.png"}, {"type": "text", "text": "b"}]
    assert text_of({"role": "user", "content": parts}) == "ab"
    assert text_of(user("plain")) == "plain"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (user(""), True),
        ({"role": "user", "content": [{"type": "text", "text": "x"}]}, True),
        ({"role": "robot", "content": "x"}, False),
        ({"role": "user"}, False),
        ({"role": "user", "content": 3}, False),
        ({"role": "user", "content": [{"text": "no type"}]}, False),
        ("hello", False),
    ],
)
def test_what_is_a_message(value, expected):
    assert is_message(value) is expected
