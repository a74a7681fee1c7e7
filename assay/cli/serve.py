"""`assay serve`: a checkpoint directory behind an OpenAI-compatible endpoint."""

from __future__ import annotations

from typing import Annotated

import typer


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command("serve")(serve)


def serve(
    model: Annotated[str, typer.Argument(help="Checkpoint directory with model and tokenizer.")],
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port; 0 takes a free one.", min=0, max=65535)] = 8000,
    name: Annotated[str, typer.Option(help="Name of the model; that of the directory if left out.")] = "",
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    max_batch: Annotated[int, typer.Option(help="Requests computed together.", min=1)] = 256,
) -> None:
    """Serve a model at /v1/chat/completions, for evaluation and smoke tests, until Ctrl-C."""
    from assay.agents.checkpoint import pick_device, read_model, read_tokenizer
    from assay.agents.engines.hf import HFEngine
    from assay.agents.server import serve as run

    tokenizer = read_tokenizer(model)
    engine = HFEngine(read_model(model).to(pick_device(device)), max_batch=max_batch)
    run(engine, tokenizer, host, port, model_name=name or model.rstrip("/").rpartition("/")[2])
