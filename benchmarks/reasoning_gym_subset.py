"""Which datasets of reasoning-gym can be trusted, and with which scorer.

    python benchmarks/reasoning_gym_subset.py [--items 8] [dataset ...] > assay/envs/puzzles/data/reasoning_gym.txt

Goes through every dataset of the installed package with its default settings and prints a line for each that passes:
its name and the scorers that may be used. What failed goes to stderr with the reason. Asked of a dataset: the same seed
gives the same item, and no item takes a quarter of a second. Asked of a scorer:
full score for the gold answer (where there is one), and less for nonsense, for the question repeated, and for the gold
with something more at the end. Scorers that run the answer as code are out.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
import time
from collections.abc import Callable, Iterator
from importlib.metadata import version
from typing import Any, get_args

from assay.core.errors import ConfigError
from assay.core.seeding import derive_seed
from assay.core.task import Task
from assay.envs.puzzles.reasoning_gym import ReasoningGymEnv, Scorer
from assay.envs.sources.reasoning_gym import dataset_names, make_dataset
from assay.verifiers.base import Evidence, run_verifier

SECONDS = 0.25


def controls(question: str, gold: str | None) -> Iterator[str]:
    yield from ("", "?!", "yes and no", question)
    if gold is not None:
        yield f"{gold} or {gold}1"


def complaint_about_items(dataset: str, items: int) -> str:
    for index in range(items):
        seed = derive_seed("audit", dataset, index) % 2**31
        started = time.process_time()
        item = make_dataset(dataset, seed, {})[0]
        if time.process_time() - started > SECONDS:
            return f"an item takes more than {SECONDS} s"
        if repr(make_dataset(dataset, seed, {})[0]) != repr(item):
            return "the same seed gives another item"
    return ""


def complaint_about_scorer(dataset: str, scorer: Scorer, items: int) -> str:
    env = ReasoningGymEnv(dataset=dataset, scorer=scorer, unaudited=True)

    def paid(task: Task, answer: str) -> Any:
        text = f"<answer>{answer}</answer>"
        return run_verifier(env.verifier, task, Evidence(text=text)).correct

    for task in env.tasks.head(items):
        gold = task.target
        if (scorer == "exact" or gold is not None) and paid(task, gold) is not True:
            return f"does not accept the gold answer {gold!r:.60}"
        for text in controls(task.metadata["item"]["question"], gold):
            if paid(task, text) is not False:
                return f"gives full score or no verdict to {text!r:.60}"
    return ""


def complaint_of(check: Callable[..., str], *asked: Any) -> str:
    try:
        return check(*asked)
    except ConfigError as error:
        return str(error)


def audit(dataset: str, items: int) -> list[str]:
    """Return the scorers that may be used; say on stderr what speaks against the others."""
    passed = []
    unfit = complaint_of(complaint_about_items, dataset, items)
    for scorer in get_args(Scorer):
        complaint = unfit or complaint_of(complaint_about_scorer, dataset, scorer, items)
        if complaint:
            print(f"{dataset}: {scorer}: {complaint}", file=sys.stderr, flush=True)
        else:
            passed.append(scorer)
    return passed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    parser.add_argument("--items", type=int, default=8)
    parser.add_argument("datasets", nargs="*")
    options = parser.parse_args()
    print(f"# Audited with reasoning-gym {version('reasoning_gym')}, {options.items} items of each dataset.")
    print("# python benchmarks/reasoning_gym_subset.py")
    known = dataset_names()  # imports the package, which is no dataset's fault
    for dataset in options.datasets or known:
        with contextlib.redirect_stdout(sys.stderr):  # some generators print
            scorers = audit(dataset, options.items)
        if scorers:
            print(f"{dataset}: {' '.join(scorers)}", flush=True)


if __name__ == "__main__":
    main()
