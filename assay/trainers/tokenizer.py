"""A character tokenizer for models built from a config, saved as an ordinary Hugging Face tokenizer.

Invariants:

* Every character of the vocabulary is one token, so a text has exactly one tokenisation and what the agent sampled
  is what a re-encoding would give. Characters outside it become `<unk>`.
* The chat template is the concatenation of the contents, each assistant turn closed by `<eos>`. It is prefix
  preserving by construction: appending a message never changes the tokens before it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from assay.core.errors import ConfigError

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

PAD, EOS, UNK = "<pad>", "<eos>", "<unk>"

CHAT_TEMPLATE = (
    "{% for message in messages %}{{ message['content'] }}"
    "{% if message['role'] == 'assistant' %}" + EOS + "{% endif %}{% endfor %}"
)


def character_tokenizer(vocabulary: str) -> PreTrainedTokenizerFast:
    """Return a tokenizer with one token for each character of `vocabulary`, after `<pad>`, `<eos>` and `<unk>`.

    Raises `ConfigError` when the vocabulary is empty or names a character twice.
    """
    from tokenizers import Tokenizer
    from tokenizers.decoders import Fuse
    from tokenizers.models import BPE
    from transformers import PreTrainedTokenizerFast

    if not vocabulary:
        raise ConfigError("model.vocabulary: list the characters that the environment and the agent use")
    twice = next((c for i, c in enumerate(vocabulary) if c in vocabulary[:i]), None)
    if twice is not None:
        raise ConfigError(f"model.vocabulary: the character {twice!r} appears more than once")
    ids = {token: index for index, token in enumerate([PAD, EOS, UNK, *vocabulary])}
    backend = Tokenizer(BPE(vocab=ids, merges=[], unk_token=UNK))  # byte-pair encoding without merges: characters
    backend.decoder = Fuse()
    return PreTrainedTokenizerFast(
        tokenizer_object=backend,
        pad_token=PAD,
        eos_token=EOS,
        unk_token=UNK,
        chat_template=CHAT_TEMPLATE,
        clean_up_tokenization_spaces=False,
    )


def check_vocabulary(vocabulary: str, texts: Iterable[str]) -> None:
    """Raise `ConfigError` when a text has characters that the vocabulary lacks: the agent could not read them."""
    missing = sorted({character for text in texts for character in text} - set(vocabulary))
    if missing:
        raise ConfigError(f"model.vocabulary: lacks {''.join(missing)!r}, which the environment's prompts contain")
