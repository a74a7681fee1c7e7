"""Small real environments and agents for the tests of rollouts and evaluation."""

import asyncio
import time
from collections import Counter
from dataclasses import dataclass, field

import gymnasium

from assay.core.errors import Fault
from assay.core.message import text_of, user
from assay.core.seeding import derive_seed
from assay.core.task import Task, TaskList
from assay.core.trajectory import Turn
from assay.core.verdict import no_verdict, right, wrong
from assay.envs.base import Progress, TaskEnv
from assay.rollouts import EpisodeRequest
from assay.verifiers.base import Verifier


class SameText(Verifier):
    name = "same-text"

    def verify(self, task, evidence):
        if evidence.text == "unreadable gold":
            return no_verdict("the gold cannot be read", status="unparsable")
        answer = evidence.text.removeprefix("answer ")
        return right(extracted=answer) if answer == task.target else wrong("different", extracted=answer)


def make_tasks(n=8):
    return TaskList(
        Task(f"t{i}", f"what is {i}?", target=str(i), tags=("even" if i % 2 == 0 else "odd",), difficulty=float(i // 4))
        for i in range(n)
    )


@dataclass
class Census:
    """What happened to the environments of a test."""

    made: int = 0
    resets: int = 0
    closed: Counter = field(default_factory=Counter)
    open_at_once: int = 0

    @property
    def all_closed_once_or_more(self):
        return len(self.closed) == self.made


class Quiz(TaskEnv):
    """Hints until the agent says `answer ...`; words of the agent make it misbehave."""

    def __init__(self, census=None, *, max_turns=3, tasks=None):
        super().__init__(tasks or make_tasks(), SameText(), max_turns=max_turns)
        self.census = census if census is not None else Census()
        self.number, self.census.made = self.census.made, self.census.made + 1

    def reset(self, *, seed=None, options=None):
        self.census.resets += 1
        return super().reset(seed=seed, options=options)

    def begin(self, task):
        if task.prompt == "break on reset":
            raise RuntimeError("no such room\nsecond line")
        self.hint = int(self.np_random.integers(1000))
        return task.messages()

    def advance(self, action):
        match action:
            case "crash":
                raise ZeroDivisionError("in the environment")
            case "fault":
                raise Fault("the sandbox is gone")
            case "unreadable gold":
                return Progress(done=True)
            case "nan":
                return Progress(messages=[user("?")], reward=float("nan"))
        if action.startswith("answer"):
            return Progress(done=True, reward=0.25, parts={"answered": 0.25})
        return Progress(messages=[user(f"hint {self.hint}")], reward=0.1, parts={"asked": 0.1})

    def close(self):
        self.census.closed[self.number] += 1
        super().close()


class QuizOf(Quiz):
    """A quiz of `count` questions, for registration."""

    def __init__(self, *, count=8, delay=0.0):
        super().__init__(tasks=make_tasks(count))
        self.blocking, self.delay = delay > 0, delay

    def advance(self, action):
        time.sleep(self.delay)
        return super().advance(action)


gymnasium.register("test-rollouts/Quiz-v0", entry_point="tests.rollouts.support:QuizOf", disable_env_checker=True)


class SlowQuiz(Quiz):
    """A quiz that waits in a thread."""

    blocking = True
    delay = 0.0

    def advance(self, action):
        time.sleep(float(action.removeprefix("sleep ")) if action.startswith("sleep ") else self.delay)
        return super().advance(action)


class Scripted:
    """An agent that says fixed lines; `{n}` in a line is the number in the task's question. Thirteen ids a turn."""

    def __init__(self, *lines, wait=0.0, tokens=0):
        self.lines, self.wait, self.tokens = lines, wait, tokens
        self.seeds, self.budgets, self.acting, self.most = [], [], 0, 0

    def open(self, *, tools=(), seed=0):
        self.seeds.append(seed)
        return _Conversation(self, seed)


class _Conversation:
    def __init__(self, agent, seed):
        self.agent, self.turn, self.number, self.seed = agent, 0, "", seed

    async def act(self, observation, *, max_tokens=None):
        agent = self.agent
        agent.budgets.append(max_tokens)
        if self.turn == 0:
            self.number = "".join(c for c in text_of(observation[-1]) if c.isdigit())
        line = agent.lines[min(self.turn, len(agent.lines) - 1)]
        self.turn += 1
        agent.acting += 1
        agent.most = max(agent.most, agent.acting)
        try:
            await asyncio.sleep(agent.wait)
        finally:
            agent.acting -= 1
        if line == "agent crash":
            raise RuntimeError("the model is gone")
        if line == "endpoint timeout":
            raise TimeoutError("the endpoint did not answer")
        if line == "abort":
            return Turn("half a", finish_reason="abort")
        if line == "guess":  # right in about half of the samples
            line = "answer {n}" if derive_seed("guess", self.seed) % 2 else "answer wrong"
        if line == "by tag or fault":  # odd numbers break the environment
            line = "by tag" if int(self.number) % 2 == 0 else "crash"
        if line == "by tag":  # right in 3 of 4 for even numbers, 1 of 4 for odd ones
            line = "answer {n}" if derive_seed(self.seed) % 4 < (3 if int(self.number) % 2 == 0 else 1) else "answer x"
        ids = tuple(range(agent.tokens if max_tokens is None else min(agent.tokens, max_tokens)))
        return Turn(line.replace("{n}", self.number), output_ids=ids, logprobs=(-0.5,) * len(ids))


def requests(n=8, *, tasks=None, prefix="e"):
    tasks = tasks or make_tasks(n)
    return [EpisodeRequest(f"{prefix}{i}", f"g{i}", tasks[i], seed=i) for i in range(n)]
