"""Small tokenizers for tests: every printable ASCII character a token, and chat templates of several families."""

from __future__ import annotations

import string
from typing import Any

import pytest

transformers = pytest.importorskip("transformers", reason="transformers is not installed (extra: train)")

SPECIAL = ["<pad>", "<eos>", "<unk>", "<|im_start|>", "<|im_end|>"]

CHATML = (
    "{% if tools %}<|im_start|>system\ntools: {{ tools | tojson }}<|im_end|>\n{% endif %}"
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
"""Keeps its prefix; the assistant's turn is closed by <|im_end|> and a newline."""

FORGETFUL = CHATML.replace(
    "{{ m.content }}",
    "{% if m.role == 'assistant' and messages[-1].role != 'tool' %}{{ m.content.split('</think>')[-1].lstrip('\n') }}"
    "{% else %}{{ m.content }}{% endif %}",
)
"""Drops the reasoning of earlier turns once the user speaks again, but not while tools answer (as Qwen3's does)."""

NARROW = (
    "{% for m in messages %}"
    "{% if m.role not in ('user', 'assistant') %}{{ raise_exception('only user and assistant') }}{% endif %}"
    "<|im_start|>{{ m.role }}\n{{ m.content | trim }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
"""Knows neither system nor tools (as Gemma's)."""

UNCLOSED = "".join(
    [
        "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}",
        "{% if add_generation_prompt %}assistant: {% endif %}",
    ]
)
"""Has no token that closes a turn."""

BARE = "{% for m in messages %}{{ m.content }}{% if m.role == 'assistant' %}<eos>{% endif %}{% endfor %}"
"""Contents and nothing else: for tiny models."""


def make_tokenizer(template: str | None = CHATML, characters: str = string.printable) -> Any:
    from tokenizers import Tokenizer
    from tokenizers.decoders import Fuse
    from tokenizers.models import BPE

    ids = {token: index for index, token in enumerate([*SPECIAL, *characters])}
    backend = Tokenizer(BPE(vocab=ids, merges=[], unk_token="<unk>"))
    backend.decoder = Fuse()
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=backend,
        pad_token="<pad>",
        eos_token="<eos>",
        unk_token="<unk>",
        extra_special_tokens=SPECIAL[3:],
        chat_template=template,
        clean_up_tokenization_spaces=False,
    )
