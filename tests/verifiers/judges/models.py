"""Scripted chat models: the seam at which a real model would sit."""

import json
import re
import threading

from assay.core.chat import Reply
from assay.core.errors import EngineFault


class Scripted:
    """Answers with what `policy(sections, number)` returns; a dict gets the right id, text goes out as it is."""

    def __init__(self, policy):
        self.policy = policy
        self.prompts = []
        self.lock = threading.Lock()

    def complete(self, messages, *, temperature=0.0, max_tokens=1024, seed=None):
        text = messages[-1]["content"]
        nonce = re.findall(r"The random id is (\w+)\.", text)[-1]
        sections = dict(re.findall(rf"<<<([\w ]+) {nonce}>>>\n(.*?)\n<<<end of \1 {nonce}>>>", text, re.DOTALL))
        with self.lock:
            number = len(self.prompts)
            self.prompts.append({"text": text, "nonce": nonce, "temperature": temperature, "seed": seed})
        answer = self.policy(sections, number)
        if isinstance(answer, dict):
            answer = json.dumps({"id": nonce, **answer})
        return Reply(answer, prompt_tokens=100, completion_tokens=10, seconds=0.25)


class Unreachable:
    def complete(self, messages, *, temperature=0.0, max_tokens=1024, seed=None):
        raise EngineFault("connection refused")


def always(**answer):
    return Scripted(lambda sections, number: answer)
