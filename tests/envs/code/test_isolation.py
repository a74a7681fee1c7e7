"""An environment whose programs could not be isolated as asked is refused when it is made, not sample by sample."""

import os

import pytest

from assay.core.errors import ConfigError
from assay.envs.code.code import CodeEnv
from assay.envs.code.interpreter import CodeInterpreterEnv
from assay.envs.code.repair import CodeRepairEnv
from assay.sandboxes import LocalSandbox, SandboxFault, Tier

pytestmark = pytest.mark.skipif(not hasattr(os, "memfd_create"), reason="needs Linux")


@pytest.mark.parametrize("env", [CodeEnv, CodeRepairEnv, CodeInterpreterEnv])
def test_weak_isolation_is_refused_at_once(env):
    with (
        LocalSandbox(1, strategies=["plain"], min_tier=Tier.NAMESPACES) as sandbox,
        pytest.raises(ConfigError, match=r"min_tier is 3.*missing: namespaces"),
    ):
        env(sandbox=sandbox)


def test_a_sandbox_that_does_not_start_is_refused_with_the_reason():
    class Broken:
        def check(self):
            raise SandboxFault("no slot")

    with pytest.raises(ConfigError, match=r"does not start: no slot; .*assay sandbox doctor"):
        CodeEnv(sandbox=Broken())
