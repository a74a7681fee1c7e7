"""Where agents act. Importing this package registers the environments with Gymnasium; each loads when made."""

from __future__ import annotations

import gymnasium

_ENVIRONMENTS: dict[str, str] = {}

for _id, _path in _ENVIRONMENTS.items():
    if _id not in gymnasium.registry:
        gymnasium.register(id=_id, entry_point=_path, disable_env_checker=True)
