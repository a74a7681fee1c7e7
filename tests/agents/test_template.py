"""Chat templates rendered piece by piece: the pieces are the whole, or the template is known to rewrite the past."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.agents.template import ChatTemplate
from assay.core.errors import ConfigError
from assay.core.message import Message, assistant, system, tool_result, user
from assay.core.tool import tool
from tests.agents.tokenizers import BARE, CHATML, FORGETFUL, NARROW, UNCLOSED, make_tokenizer

TOKENIZER = make_tokenizer()
CHAT = ChatTemplate(TOKENIZER)
TEXT = st.text(alphabet="ab 1\n<>", max_size=6)


@tool
def lookup(word: str) -> str:
    """Look a word up."""
    return word


@settings(max_examples=60)
@given(st.lists(st.tuples(TEXT, st.lists(st.tuples(st.booleans(), TEXT), max_size=3)), min_size=1, max_size=4), TEXT)
def test_the_pieces_are_the_template_s_rendering_of_the_whole(
    turns: list[tuple[str, list[tuple[bool, str]]]], question: str
) -> None:
    messages: list[Message] = [user(question)]
    stream = CHAT.opening(messages)
    for answer, follow in turns:
        new = [tool_result("lookup", text) if from_tool else user(text) for from_tool, text in follow]
        messages += [assistant(answer), *new]
        stream += TOKENIZER.encode(answer, add_special_tokens=False) + CHAT.suffix(new)
    assert not CHAT.forks("", [user("x")])
    assert stream == CHAT.opening(messages)


@pytest.mark.parametrize("template", [CHATML, FORGETFUL, NARROW, BARE])
def test_a_suffix_begins_with_the_closing_token(template: str) -> None:
    chat = ChatTemplate(make_tokenizer(template))
    expected = "<eos>" if template == BARE else "<|im_end|>"
    assert chat.closing == TOKENIZER.convert_tokens_to_ids(expected)
    assert chat.suffix([user("7")])[0] == chat.closing
    assert set(chat.stop_token_ids) == {chat.closing, TOKENIZER.eos_token_id}


def test_a_template_that_drops_reasoning_forks_only_then() -> None:
    chat = ChatTemplate(make_tokenizer(FORGETFUL))
    thought = "<think>\nhm\n</think>\n\nyes"
    assert chat.forks(thought, [user("and?")])
    assert chat.forks(thought, [tool_result("lookup", "x"), user("and?")])
    assert not chat.forks(thought, [tool_result("lookup", "x")])
    assert not chat.forks("yes", [user("and?")])


def test_a_template_without_a_closing_token_always_forks() -> None:
    chat = ChatTemplate(make_tokenizer(UNCLOSED))
    assert chat.closing is None
    assert chat.forks("yes", [user("and?")])
    assert chat.stop_token_ids == (TOKENIZER.eos_token_id,)


def test_tool_results_come_from_the_user_where_the_template_knows_no_tools() -> None:
    tokenizer = make_tokenizer(NARROW)
    chat = ChatTemplate(tokenizer)
    text = tokenizer.decode(chat.suffix([tool_result("lookup", "42")]))
    assert text == "<|im_end|>\n<|im_start|>user\n42<|im_end|>\n<|im_start|>assistant\n"
    with pytest.raises(ConfigError, match="cannot render the roles system, user: only user and assistant"):
        chat.opening([system("s"), user("u")])


def test_tools_reach_the_template() -> None:
    chat = ChatTemplate(TOKENIZER, schemas=[lookup.schema()])
    assert '"lookup"' in TOKENIZER.decode(chat.opening([user("q")]))
    assert chat.mentions_tools
    assert not ChatTemplate(make_tokenizer(BARE), schemas=[lookup.schema()]).mentions_tools
    assert ChatTemplate(make_tokenizer(BARE)).mentions_tools


def test_options_reach_the_template() -> None:
    tokenizer = make_tokenizer(CHATML + "{% if quiet %}hush{% endif %}")
    chat = ChatTemplate(tokenizer, options={"quiet": True})
    assert tokenizer.decode(chat.opening([user("q")])).endswith("hush")
    assert tokenizer.decode(chat.suffix([user("q")])).endswith("hush")


def test_what_cannot_be_used_is_refused() -> None:
    with pytest.raises(ConfigError, match="no chat template"):
        ChatTemplate(make_tokenizer(None))
    with pytest.raises(ConfigError, match="leaves out what the assistant said"):
        ChatTemplate(
            make_tokenizer("{% for m in messages %}{% if m.role == 'user' %}{{ m.content }}{% endif %}{% endfor %}")
        )


def test_characters_outside_the_vocabulary_do_not_confuse_the_checks() -> None:
    chat = ChatTemplate(make_tokenizer(BARE, "0123456789+*"))
    assert not chat.forks("1", [user("2")])
    assert len({len(chat.suffix([user("2")])), 2}) == 1
    assert all(a != b for a, b in pairwise(chat.suffix([user("12")])))
