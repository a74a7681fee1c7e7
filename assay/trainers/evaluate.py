"""Evaluation in the course of training: the policy as it is, on held-out tasks."""

from __future__ import annotations

from assay.core.trajectory import Group
from assay.evals.summary import EvalSummary, summarise
from assay.rollouts.groups import group_requests, play_groups
from assay.rollouts.runner import Runner
from assay.trainers import episodes
from assay.trainers.rundir import RunDirectory
from assay.trainers.session import Session


async def evaluate(session: Session) -> EvalSummary:
    """Evaluate on the first held-out tasks; write the episodes, the summary and a row of metrics.

    Tasks and seeds are the same at every step, so that two evaluations of a run differ by the policy alone.
    """
    config, step = session.config, session.progress.step
    tasks = session.eval_tasks.head(config.eval.tasks)
    requests = group_requests(tasks, config.eval.samples, seed=config.seed, split="eval")
    session.reporter.on_phase("eval", 0, len(tasks) * config.eval.samples)
    with session.record("eval", step) as store:
        runner = Runner(
            session.make_eval_env,
            session.agent(session.engine, config.eval.temperature),
            concurrency=config.rollout.concurrency,
            limits=episodes.episode_limits(config.rollout),
            hand_over=True,
            store=store,
        )
        with runner:
            groups: list[Group] = await play_groups(runner, requests)
    summary = summarise([trajectory for group in groups for trajectory in group], config.eval.ks)
    session.run.evaluation(step).write_text(summary.to_json(), encoding="utf-8")
    session.log("eval", step, _numbers(summary))
    return summary


def read_evaluations(run: RunDirectory) -> dict[int, EvalSummary]:
    """Return all evaluations of a run by step."""
    return {
        int(path.stem.rpartition("-")[2]): EvalSummary.read(path) for path in sorted(run.path.glob("evals/step-*.json"))
    }


def _numbers(summary: EvalSummary) -> dict[str, float | None]:
    """Return the flat numbers of a row of metrics."""
    numbers: dict[str, float | None] = {}
    for k, estimate in summary.pass_at.items():
        numbers |= {f"pass@{k}": estimate.value, f"pass@{k}/low": estimate.low, f"pass@{k}/high": estimate.high}
    return {
        **numbers,
        "reward": summary.reward.value,
        "unscored": float(summary.unscored),
        "truncated": summary.truncated,
        "tokens_per_episode": summary.tokens.mean,
        "turns": summary.turns.mean,
    }
