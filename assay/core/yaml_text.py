"""YAML as people mean it: the safe subset, with two traps of YAML 1.1 and of PyYAML taken away.

* `1e-3` is a number, as in YAML 1.2 and in Python; PyYAML reads the text `"1e-3"`.
* A key that stands twice in a mapping is an error; PyYAML keeps the last one and says nothing.
"""

from __future__ import annotations

import re
from collections.abc import Hashable
from pathlib import Path
from typing import Any

import yaml

from assay.core.errors import ConfigError


class _Loader(yaml.SafeLoader):
    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.tag != "tag:yaml.org,2002:merge":
                if key.value in seen:
                    raise yaml.constructor.ConstructorError(
                        None, None, f"the key {key.value!r} stands twice in a mapping", key.start_mark
                    )
                seen.add(key.value)
        return super().construct_mapping(node, deep)


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"[-+]?[0-9]+(?:\.[0-9]*)?[eE][-+]?[0-9]+$"), list("-+0123456789")
)


def read_value(text: str) -> Any:
    """Return the value that a word of a command line stands for; what is no YAML is text."""
    try:
        return yaml.load(text, _Loader)
    except (yaml.YAMLError, ValueError):  # ValueError: a date such as 2024-99-99
        return text


def read_file(path: str | Path) -> dict[str, Any]:
    """Return the mapping in a YAML file, `{}` for an empty one. `ConfigError` with the place of what is wrong."""
    try:
        found = yaml.load(Path(path).read_text(encoding="utf-8"), _Loader)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: not UTF-8 text ({error.reason})") from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = "" if mark is None else f":{mark.line + 1}"
        raise ConfigError(f"{path}{line}: not YAML: {' '.join((error.problem or str(error)).split())}") from None
    except (yaml.YAMLError, ValueError) as error:
        raise ConfigError(f"{path}: not YAML: {' '.join(str(error).split())}") from None
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise ConfigError(f"{path}: a configuration is a mapping of keys to values")
    return found
