"""Run an errand on a generated web site, and see what decides whether it was run.

    python examples/web.py

The oracle finds its way on the page as an agent sees it; the verdict is the difference in the site's database. With
driver="browser" the same turns work in a real browser.
"""

from __future__ import annotations

import assay
from assay.core.message import text_of
from assay.core.tool import ToolCall

env = assay.make("assay/WebTask-v0", level=2, sites=["mail"]).unwrapped
task = next(task for task in env.tasks.head(50) if "move" in task.tags)
turns = env.demonstration(task)

(opening,), _ = env.reset(options={"task": task})
print(text_of(opening))
for turn in turns:
    print(f"\n> {turn}")
    messages, reward, terminated, truncated, info = env.step(turn)
    print("\n".join(text_of(messages[0]).splitlines()[:3]))
print(f"\nthe oracle: reward {reward:g}, {info['verdict'].extracted}")

env.reset(options={"task": task})
*_, info = env.step("I moved the message. " + ToolCall("done").render())
print(f"only saying so: reward {info['verdict'].score:g}, {info['verdict'].reason}")
env.close()
