"""Audit graders of other libraries as they are: plain functions, TRL, verl, lm-eval, open-instruct, Math-Verify.

`resolve` turns whatever names a verifier into a recipe (`VerifierSource`):

    resolve("math")                                    a registered verifier
    resolve("my_pkg.rewards:grade")                    a Verifier class, an instance, or a plain function
    resolve("math-verify")                             Math-Verify, as its README calls it
    resolve("trl:trl.rewards:accuracy_reward")         a reward function of TRL (lists of conversations)
    resolve("prime:my_env:correct_answer")             a reward function of Prime's `verifiers` (one conversation)
    resolve(lambda completion, answer: ...)            a function

A plain function is called by the names of its parameters where they are known ones (`solution_str`, `ground_truth`,
`completions`, ...), else as `f(completion, answer)`. What it returns is taken at its word: a bool or a number is the
score, None abstains, a dict or an object gives its `score`. Anything else, and every number that is not finite, is no
verdict, and the report shows it.
"""

from __future__ import annotations

import asyncio
import inspect
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from assay.audits.trials import VerifierSource
from assay.core.errors import ConfigError
from assay.core.registry import load
from assay.core.task import Task
from assay.core.verdict import Verdict, no_verdict
from assay.verifiers import VERIFIERS, Evidence, Verifier

GradeFunction = Callable[..., Any]
AnyVerifier = str | Verifier | type[Verifier] | GradeFunction
Call = Callable[[Task, Evidence], Any]

STYLES = ("plain", "trl", "trl-text", "prime", "verl", "lm-eval", "open-instruct")

_RESPONSE = {"completion", "response", "prediction", "pred", "solution_str", "output", "model_output", "given_answer"}
_TARGET = {"answer", "target", "gold", "ground_truth", "reference", "label", "expected"}
_PROBLEM = {"prompt", "problem", "question", "query"}
_METADATA = {"info", "metadata", "extra_info"}


class FunctionVerifier(Verifier):
    """A grading function as a verifier. `correct` is `score >= threshold`; isolation is the audit's business."""

    def __init__(
        self,
        function: GradeFunction,
        *,
        style: str | None = None,
        threshold: float = 0.5,
        score_range: tuple[float, float] = (-1.0, 1.0),
    ) -> None:
        """`style` is one of `STYLES`; by default it follows from the names of the parameters."""
        self._function, self._threshold = function, threshold
        self.score_range = score_range
        self.style = style or detect_style(function)
        if self.style not in STYLES:
            raise ConfigError(f"unknown style of grader {self.style!r}; use one of {', '.join(STYLES)}")
        self._call = _CALLS[self.style](function)

    @property
    def label(self) -> str:
        """Name of the function."""
        return getattr(self._function, "__name__", type(self._function).__name__)

    def verify(self, task: Task, evidence: Evidence) -> Verdict:
        """Call the function and take its answer at its word."""
        value = self._call(task, evidence)
        if inspect.isawaitable(value):
            value = asyncio.run(_await(value))
        return to_verdict(value, self._threshold)


class MathVerifyPeer(Verifier):
    """Math-Verify as a peer to audit: `verify(parse(gold), parse(answer))`, gold first.

    Short texts without math delimiters are put between dollar signs, since it reads LaTeX only there; `delimit=False`
    passes everything as it is. `timeouts=False` is what callers off the main thread must do.
    """

    name = "math-verify"

    def __init__(self, *, delimit: bool = True, timeouts: bool = True) -> None:
        self._delimit, self._seconds = delimit, 5 if timeouts else None

    def verify(self, task: Task, evidence: Evidence) -> Verdict:
        """Parse both sides and compare."""
        import math_verify

        gold = self._parse(str(task.target))
        if not gold:
            return no_verdict("the gold has no answer that it can read", status="unparsable")
        answer = self._parse(evidence.text)
        if not answer:
            return Verdict(0.0, False, "unparsable", reason="no answer found in the response", stage="parse")
        right = bool(math_verify.verify(gold, answer, timeout_seconds=self._seconds))
        return Verdict(float(right), right, extracted=str(answer[-1]), stage="verify")

    def check_target(self, task: Task) -> str | None:
        """Say whether the gold parses."""
        return None if self._parse(str(task.target)) else "it parses to nothing"

    def _parse(self, text: str) -> list[Any]:
        import math_verify

        if self._delimit and len(text) < 200 and not any(mark in text for mark in ("$", "\\(", "\\[", "\\boxed")):
            text = f"${text}$"
        return list(math_verify.parse(text, parsing_timeout=self._seconds))


PEERS: Mapping[str, Callable[..., Verifier]] = {"math-verify": MathVerifyPeer}
"""Graders of other packages that can be audited by name."""
PEER_PACKAGES: Mapping[str, str] = {"math-verify": "math_verify"}


def resolve(spec: AnyVerifier, options: Mapping[str, Any] | None = None) -> VerifierSource:
    """Return the recipe of a verifier: a name, `module:attribute`, `style:module:attribute`, an object, a function.

    `options` go to the factory of a verifier, or to `FunctionVerifier` for a function.

    Raises:
        ConfigError: nothing of that name exists, or it is no verifier and no function.
    """
    settings = dict(options or {})
    if isinstance(spec, str):
        return VerifierSource(spec, lambda: _by_name(spec, settings), _package_of(spec))
    return VerifierSource(_label(spec), lambda: _as_verifier(spec, settings), (_module(spec) or "").partition(".")[0])


def _package_of(spec: str) -> str:
    path = spec.partition(":")[2] if spec.partition(":")[0] in STYLES else spec
    return path.partition(":")[0].partition(".")[0] if ":" in path else PEER_PACKAGES.get(spec, "")


def _module(thing: Any) -> str | None:
    return getattr(thing, "__module__", None) or type(thing).__module__


def _by_name(spec: str, options: dict[str, Any]) -> Verifier:
    if spec in PEERS and spec not in VERIFIERS.names():
        return PEERS[spec](**options)
    style, _, path = spec.partition(":")
    if style in STYLES and ":" in path:
        return _as_verifier(load(path), {"style": style, **options})
    if ":" in spec and spec not in VERIFIERS.names():
        return _as_verifier(load(spec), options)
    return VERIFIERS.make(spec, **options)


def _as_verifier(found: Any, options: dict[str, Any]) -> Verifier:
    if isinstance(found, Verifier):
        if options:
            raise ConfigError(f"{_label(found)} is built already; it takes no options ({', '.join(options)})")
        return found
    if inspect.isclass(found) and issubclass(found, Verifier):
        verifier: Verifier = _made(found, options)
        return verifier
    if inspect.isclass(found):
        return FunctionVerifier(_made(found, {}), **options)
    if not callable(found):
        raise ConfigError(f"{found!r} is neither a verifier nor a function f(completion, answer)")
    made = _verifier_from_factory(found, options)
    return made if made is not None else FunctionVerifier(found, **options)


def _verifier_from_factory(found: Any, options: dict[str, Any]) -> Verifier | None:
    """Call a function that declares to return a Verifier; anything else is a grading function."""
    returns = getattr(found, "__annotations__", {}).get("return")
    named = returns if isinstance(returns, str) else getattr(returns, "__name__", "")
    made = found(**options) if named.split(".")[-1].endswith("Verifier") else None
    return made if isinstance(made, Verifier) else None


def _made(factory: Callable[..., Any], options: dict[str, Any]) -> Any:
    try:
        return factory(**options)
    except TypeError as error:
        raise ConfigError(f"{_label(factory)}: {error}") from error


def _label(thing: Any) -> str:
    return str(thing.label if isinstance(thing, Verifier) else getattr(thing, "__name__", type(thing).__name__))


def to_verdict(value: Any, threshold: float = 0.5) -> Verdict:
    """Turn what a grading function returned into a verdict."""
    raw = _score_of(value)
    if raw is None:
        return no_verdict("it returned None", status="abstained")
    if isinstance(raw, (bool, int, float)) or hasattr(raw, "__float__"):
        score = float(raw)
        if math.isfinite(score):
            return Verdict(score, score >= threshold, stage="function")
        return no_verdict(f"it returned {score}, which is no score", details={"raw": str(score)})
    return no_verdict(f"it returned {type(raw).__name__}, which is no score", details={"raw": repr(raw)[:200]})


def _score_of(value: Any) -> Any:
    """Unwrap the usual containers: `[score]`, `(score, ...)`, `{"score": ...}`, `result.score`."""
    if isinstance(value, Mapping):
        return value.get("score")
    if isinstance(value, Sequence) and not isinstance(value, str) and len(value) > 0:
        return _score_of(value[0])
    return getattr(value, "score", value)


def detect_style(function: GradeFunction) -> str:
    """Guess from the names of the parameters how a grading function wants to be called."""
    names = set(_parameters(function))
    if "completions" in names:
        return "trl"
    if {"doc", "results"} <= names:
        return "lm-eval"
    if "solution_str" in names:
        return "verl"
    if "completion" in names and names & {"parser", "state"}:
        return "prime"
    return "open-instruct" if "tokenized_prediction" in names else "plain"


def _parameters(function: GradeFunction) -> list[str]:
    try:
        return list(inspect.signature(function).parameters)
    except (TypeError, ValueError):  # builtins without a signature
        return []


def _plain(function: GradeFunction) -> Call:
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):  # builtins without a signature
        parameters = []
    needed = [
        p.name for p in parameters if p.default is p.empty and p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)
    ]
    known = _RESPONSE | _TARGET | _PROBLEM | _METADATA | {"data_source"}
    if not needed or not set(needed) <= known or not set(needed) & _RESPONSE:
        return lambda task, evidence: function(evidence.text, task.target)
    wanted = {p.name for p in parameters} & known

    def call(task: Task, evidence: Evidence) -> Any:
        return function(**{name: _value(name, task, evidence) for name in wanted})

    return call


def _value(name: str, task: Task, evidence: Evidence) -> Any:
    if name in _RESPONSE:
        return evidence.text
    if name in _TARGET:
        return task.target
    if name in _PROBLEM:
        return task.prompt
    return dict(task.metadata) if name in _METADATA else task.metadata.get("data_source", "")


def _trl(function: GradeFunction) -> Call:
    def call(task: Task, evidence: Evidence) -> Any:
        return function(completions=[[{"role": "assistant", "content": evidence.text}]], **_trl_columns(task))

    return call


def _trl_text(function: GradeFunction) -> Call:
    return lambda task, evidence: function(completions=[evidence.text], **_trl_columns(task))


def _trl_columns(task: Task) -> dict[str, list[Any]]:
    """Columns of the data set as TRL hands them on, under the names in use for the gold."""
    columns: dict[str, list[Any]] = {name: [value] for name, value in task.metadata.items()}
    return (
        columns | {name: [task.target] for name in ("solution", "answer", "ground_truth")} | {"prompts": [task.prompt]}
    )


class LastTurn:
    """What Prime's parsers promise at the least: the answer is the text of the last assistant turn."""

    def parse(self, text: str) -> str:
        """Return the text."""
        return text

    def parse_answer(self, completion: Any) -> str | None:
        """Return the text of the last assistant turn."""
        if isinstance(completion, str):
            return completion
        return next((m["content"] for m in reversed(completion) if m["role"] == "assistant"), None)


def _prime(function: GradeFunction) -> Call:
    """Call a reward function by the names of its parameters, as a rubric of `verifiers` does; `**kwargs` gets all."""
    parameters = inspect.signature(function).parameters.values()
    names = {p.name for p in parameters}
    takes_all = any(p.kind is p.VAR_KEYWORD for p in parameters)

    def call(task: Task, evidence: Evidence) -> Any:
        info = dict(task.metadata)
        completion = [{"role": "assistant", "content": evidence.text}]
        known = {
            "completion": completion,
            "prompt": [dict(message) for message in task.messages()],
            "answer": task.target,
            "info": info,
            "task": task.id,
            "state": {"completion": completion, "answer": task.target, "info": info},
            "parser": LastTurn(),
        }
        return function(**{name: value for name, value in known.items() if takes_all or name in names})

    return call


def _verl(function: GradeFunction) -> Call:
    names = _parameters(function)
    wanted = {"data_source", "solution_str", "ground_truth", "extra_info"} & set(names)
    return lambda task, evidence: function(**{name: _value(name, task, evidence) for name in wanted})


def _lm_eval(function: GradeFunction) -> Call:
    def call(task: Task, evidence: Evidence) -> Any:
        document = {"problem": task.prompt, "question": task.prompt, "answer": task.target, "target": task.target}
        document["solution"] = rf"\boxed{{{task.target}}}"
        metrics = function({**document, **task.metadata}, [evidence.text])
        return next(iter(metrics.values()), None) if isinstance(metrics, Mapping) else metrics

    return call


def _open_instruct(function: GradeFunction) -> Call:
    return lambda task, evidence: function([], evidence.text, task.target, task.prompt)


_CALLS: Mapping[str, Callable[[GradeFunction], Call]] = {
    "plain": _plain,
    "trl": _trl,
    "trl-text": _trl_text,
    "prime": _prime,
    "verl": _verl,
    "lm-eval": _lm_eval,
    "open-instruct": _open_instruct,
}


async def _await(value: Any) -> Any:
    return await value
