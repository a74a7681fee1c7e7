import gymnasium
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.core.message import is_message, user
from assay.core.spaces import FreeText, Messages


@given(st.text())
def test_free_text_holds_any_text(text):
    assert text in FreeText()


def test_free_text_has_a_limit_and_holds_nothing_else():
    assert "abc" not in FreeText(2)
    assert "ab" in FreeText(2)
    assert 3 not in FreeText()
    assert None not in FreeText()


def test_samples_belong_to_the_space_and_follow_the_seed():
    for make in (FreeText, Messages):
        first, second = make(seed=3), make(seed=3)
        drawn = [first.sample() for _ in range(30)]
        assert drawn == [second.sample() for _ in range(30)]
        assert all(x in first for x in drawn)
        assert len({repr(x) for x in drawn}) > 5


def test_messages_hold_tuples_of_messages():
    space = Messages()
    assert () in space
    assert (user("x"),) in space
    assert [user("x")] not in space
    assert ({"role": "user"},) not in space
    assert all(is_message(m) for m in space.sample())


def test_equality_and_display():
    assert FreeText() == FreeText()
    assert FreeText(3) != FreeText(4)
    assert Messages() == Messages()
    assert Messages() != FreeText()
    assert repr(FreeText(5)) == "FreeText(5)"
    assert repr(Messages()) == "Messages()"


@pytest.mark.parametrize("space", [FreeText(), Messages()])
def test_they_are_gymnasium_spaces_without_an_array_form(space):
    assert isinstance(space, gymnasium.Space)
    assert space.is_np_flattenable is False
