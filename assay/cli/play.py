"""`assay play`: a person takes the agent's seat."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.panel import Panel

from assay.cli.common import out, parse_options
from assay.core.message import Observation, text_of
from assay.core.registry import make
from assay.core.verdict import Verdict

_STYLES = {"system": "dim", "user": "cyan", "tool": "yellow", "assistant": "green"}


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command("play")(play)


def play(
    env_id: Annotated[str, typer.Argument(help="Environment id, such as assay/GuessNumber-v0, or module:Class.")],
    options: Annotated[list[str] | None, typer.Argument(help="Options of the environment, key=value.")] = None,
    task: Annotated[str, typer.Option(help="Task id or number; drawn from the seed when left out.")] = "",
    seed: Annotated[int, typer.Option(help="Seed of the episode.", min=0)] = 0,
) -> None:
    """Act in an environment from the terminal.

    Type your turn and press Enter. End a line with a backslash to go on in the next one. `/tool NAME {json}` writes
    a tool call, `/quit` leaves.
    """
    env = make(env_id, **parse_options(options or []))
    wanted: Any = int(task) if task.isdigit() else task or None
    try:
        observation, _ = env.reset(seed=seed, options={"task": wanted} if wanted is not None else None)
        _describe_tools(env.unwrapped)
        _show(observation)
        total, over = 0.0, False
        while not over:
            action = _read()
            if action is None:
                out.print("left before the end: no verdict")
                return
            observation, reward, terminated, truncated, info = env.step(action)
            over = terminated or truncated
            total += float(reward)
            _show(observation)
            if reward or over:
                out.print(f"reward {float(reward):+.3f}  {_parts(info)}", highlight=False)
        _show_verdict(info.get("verdict"), total)
    finally:
        env.close()


def _describe_tools(env: Any) -> None:
    for tool in getattr(env, "tools", ()):
        names = ", ".join(tool.parameters["properties"])
        out.print(f"tool [bold]{tool.name}[/]({names}): {escape(tool.description)}", highlight=False)


def _show(observation: Observation) -> None:
    for message in observation:
        title = message.get("name") or message["role"]
        out.print(Panel(escape(text_of(message)), title=title, title_align="left", style=_STYLES[message["role"]]))


def _read() -> str | None:
    lines: list[str] = []
    while True:
        try:
            line = out.input("[bold green]> [/]" if not lines else "[bold green]… [/]")
        except EOFError:
            return "\n".join(lines) or None
        if line.strip() == "/quit":
            return None
        if line.startswith("/tool "):
            return _tool_call(line)
        if line.endswith("\\"):
            lines.append(line[:-1])
            continue
        lines.append(line)
        return "\n".join(lines)


def _tool_call(line: str) -> str:
    from assay.core.tool import ToolCall

    _, name, *rest = line.split(maxsplit=2)
    try:
        arguments = json.loads(rest[0]) if rest else {}
    except json.JSONDecodeError as error:
        out.print(f"[red]the arguments are not JSON: {error.msg}[/]; sent as plain text")
        return line
    return ToolCall(name, arguments).render()


def _parts(info: dict[str, Any]) -> str:
    parts = info.get("reward_parts") or {}
    return "  ".join(f"{name}={'none' if value is None else f'{value:g}'}" for name, value in parts.items())


def _show_verdict(verdict: Verdict | None, total: float) -> None:
    if verdict is None:
        out.print(f"total reward {total:g}")
        return
    if verdict.score is None:
        out.print(f"[yellow]no verdict[/] ({verdict.status}): {escape(verdict.reason)}")
        return
    word = "[green]correct[/]" if verdict.correct else "[red]not correct[/]"
    why = f": {escape(verdict.reason)}" if verdict.reason else ""
    out.print(f"{word}, score {verdict.score:g}, total reward {total:g}{why}", highlight=False)
