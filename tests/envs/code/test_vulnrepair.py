"""Repairing weaknesses: only a repair that keeps the behaviour is paid, in every family and whatever the names."""

import os
import re

import numpy as np
import pytest

from assay.core.errors import ConfigError, UnknownNameError
from assay.core.message import text_of
from assay.envs.code.vulnrepair import VulnRepairEnv
from assay.envs.code.weaknesses import draw_weakness, family_names
from assay.sandboxes import LocalSandbox
from assay.verifiers.code.analyser import analyse

pytestmark = pytest.mark.skipif(not hasattr(os, "memfd_create"), reason="needs Linux")


@pytest.fixture(scope="module")
def sandbox():
    with LocalSandbox(1) as sandbox:
        yield sandbox


def play(env, task, code):
    env.reset(options={"task": task})
    _, reward, _, _, info = env.step(f"```python\n{code}\n```")
    return reward, info["verdict"]


def test_there_are_many_kinds():
    rng = np.random.default_rng(0)
    cwes = {draw_weakness(rng, [name]).cwe for name in family_names()}
    assert len(family_names()) == len(cwes) == 15


@pytest.mark.parametrize("family", family_names())
def test_the_analyser_finds_the_weakness_and_nothing_in_its_repair(family):
    for seed in range(20):
        weakness = draw_weakness(np.random.default_rng(seed), [family])
        assert weakness.cwe in {f.cwe for f in analyse(weakness.vulnerable)}, weakness.vulnerable
        assert not analyse(weakness.repaired), weakness.repaired


@pytest.mark.parametrize("family", family_names())
def test_the_repair_is_paid_and_no_control_is(sandbox, family):
    env = VulnRepairEnv(families=[family], sandbox=sandbox)
    for index in range(2):
        task = env.tasks[index]
        code, name = task.metadata["vulnerable"], task.target["entry_point"]
        reward, verdict = play(env, task, task.metadata["solution"])
        assert reward == 1.0, verdict
        reward, unchanged = play(env, task, code)
        assert reward == 0.0
        assert unchanged.parts["behaviour"] == 1.0, "the vulnerable function does its work"
        assert unchanged.parts["safety"] < 1.0, "and can be attacked"
        controls = {
            "comment": f"# nosec: repaired\n{code}",
            "emptied": f"def {name}(*args):\n    pass",
            "raises": f"def {name}(*args):\n    raise ValueError('unsafe')",
            "ends": f"import os\ndef {name}(*args):\n    os._exit(0)",
            "deleted": "",
            "another": code.replace(f"def {name}", "def other"),
            "wrapped": f"{code}\n_inner = {name}\ndef {name}(*args):\n    return _inner(*args)",
            "constant": f"def {name}(*args):\n    return ''",
            "true": f"def {name}(*args):\n    return True",
            "false": f"def {name}(*args):\n    return False",
        }
        for control, source in controls.items():
            reward, verdict = play(env, task, source)
            assert reward == 0.0, (control, verdict)


def test_train_and_eval_share_no_function():
    train, held_out = VulnRepairEnv(split="train"), VulnRepairEnv(split="eval")
    seen = {train.tasks[i].metadata["vulnerable"] for i in range(200)}
    assert not seen & {held_out.tasks[i].metadata["vulnerable"] for i in range(50)}


def test_the_target_is_not_shown():
    env = VulnRepairEnv(families=["sql_injection"], hint=False, instructions=False)
    task = env.tasks[0]
    opening, _ = env.reset(options={"task": task})
    shown = "".join(map(text_of, opening))
    assert task.metadata["vulnerable"].strip() in shown
    assert "CWE" not in shown
    assert "vault" not in shown


def test_breaking_the_harness_instead_of_the_weakness_is_a_finding():
    for line in (
        "import builtins\nbuiltins.open = None",
        "import random\nrandom.seed = print",
        "import sys\nsys.modules.clear()",
        "import os\nsetattr(os, 'system', print)",
        "import sys\nsys._getframe(1)",
        "import inspect",
        "from gc import get_objects",
    ):
        assert "CWE-913" in {f.cwe for f in analyse(line)}, line


OTHER_REPAIRS = {
    "path_traversal": lambda code: code.replace(
        "    with open",
        "    path = os.path.abspath(path)\n    if not path.startswith(os.path.abspath({1}) + os.sep):\n"
        "        raise PermissionError(path)\n    with open",
    ),
    "command_injection": lambda code: code.split("    return ")[0] + "    return '{doc} ' + {1} + '\\n'\n",
    "cross_site_scripting": lambda code: code.replace(
        '    return', "    {1} = {1}.replace('&', '&amp;').replace('<', '&lt;').replace('\"', '&quot;')\n    return"
    ),
    "open_redirect": lambda code: code.replace("    if ", "    if {1}[1:2] not in ('/', '\\\\') and "),
    "guessable_token": lambda code: code.replace("random.", "random.SystemRandom()."),
    "timing_comparison": lambda code: code.split('"""\n')[0] + '"""\n    return hmac.compare_digest({1}, {2})\n',
    "entity_expansion": lambda code: code.replace(
        "    root =", "    if '<!doctype' in {1}.lower():\n        raise ValueError('no')\n    root ="
    ),
}  # fmt: skip


@pytest.mark.parametrize("family", OTHER_REPAIRS)
def test_there_is_more_than_one_way_to_repair(sandbox, family):
    env = VulnRepairEnv(families=[family], sandbox=sandbox)
    for index in range(4):
        task = env.tasks[index]
        code = task.metadata["vulnerable"]
        first, *rest = re.search(r"def \w+\((.*)\)", code)[1].split(", ")
        greeting = (re.search(r'prints: "(\w+)"', code) or [None, ""])[1]
        mended = (
            OTHER_REPAIRS[family](code).replace("{1}", first).replace("{2}", "".join(rest)).replace("{doc}", greeting)
        )
        reward, verdict = play(env, task, mended)
        assert reward == 1.0, (verdict, mended)


def test_findings_can_be_left_out(sandbox):
    strict, lenient = (VulnRepairEnv(families=["guessable_token"], analysis=a, sandbox=sandbox) for a in (True, False))
    task = strict.tasks[0]
    seeded = task.metadata["solution"].replace("secrets.choice", "random.SystemRandom().choice")
    assert play(strict, task, seeded)[0] == 1.0
    noisy = task.metadata["solution"] + "\nrandom.random()\n"
    assert (play(strict, task, noisy)[0], play(lenient, task, noisy)[0]) == (0.0, 1.0)


def test_options():
    with pytest.raises(UnknownNameError, match="did you mean 'sql_injection'"):
        VulnRepairEnv(families=["sql_injektion"])
    with pytest.raises(ConfigError, match="at least one"):
        VulnRepairEnv(families=[])
