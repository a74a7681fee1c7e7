"""Reading checkpoint directories."""

from __future__ import annotations

from pathlib import Path

from assay.agents.checkpoint import read_tokenizer
from tests.agents.engines.conformance import tiny_model
from tests.agents.tokenizers import CHATML, make_tokenizer


def test_a_tokenizer_comes_back_as_it_was_whatever_the_model_is(tmp_path: Path) -> None:
    """transformers would read it as Qwen2's own, which has no token for spaces in this vocabulary, and drop them."""
    tokenizer = make_tokenizer(CHATML)
    tiny_model(vocab_size=len(tokenizer)).save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    again = read_tokenizer(tmp_path)
    text = "two words,\n<|im_start|>and a line"
    assert again.encode(text) == tokenizer.encode(text)
    assert again.decode(again.encode(text)) == text
    assert (again.chat_template, again.eos_token_id) == (tokenizer.chat_template, tokenizer.eos_token_id)
