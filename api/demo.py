"""`copilot demo`: the demo company, loaded and served."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from copilot.settings import Settings

if TYPE_CHECKING:
    from copilot.build import Parts

console = Console()
EXAMPLE = {
    "conversation": {
        "customer": {"name": "Ana Sousa"},
        "messages": [
            {"text": "Since this morning the light on my hub blinks amber and all sensors are offline. What can I do?"}
        ],
    }
}


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(demo)


def demo(
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="The port to listen on.")] = 8000,
) -> None:
    """Load the demo company and serve it. Example: copilot demo --port 8000."""
    import ingest.demo
    from api.commands import run

    settings = Settings()
    if settings.taxonomy is None:
        settings = settings.model_copy(update={"taxonomy": ingest.demo.FOLDER / "taxonomy.yaml"})
    run(settings, host, port, prepare=_load)


def _load(parts: Parts, address: str) -> None:
    """Bring the demo company and its inbox in; the second time nothing is embedded."""
    import ingest.demo
    from copilot.store.values import now
    from ingest.demo.inbox import fill
    from ingest.load import Reading
    from ingest.pipeline import Indexer
    from ingest.summary import total

    indexer = Indexer(parts)
    paths = [ingest.demo.FOLDER / name for name in ("articles", "macros", "tickets")]
    with console.status("loading the demo company, Tarnbrook"):
        summary = total(indexer.ingest(parts.settings.workspace, path, Reading()) for path in paths)
        arrived = fill(parts, parts.settings.workspace, now())
    lines = (
        f"Tarnbrook: {summary.added} documents added, {summary.unchanged} unchanged, {summary.embedded} chunks embedded, "
        f"{summary.seconds:.1f} seconds; {arrived} conversations arrived in the inbox",
        "",
        f"Open    {address}/desk",
        f"Try     curl -s {address}/v1/suggestions -H 'Content-Type: application/json' -d '{json.dumps(EXAMPLE)}'",
        "Stop    Ctrl-C",
        "",
    )
    for line in lines:
        console.print(line, highlight=False, markup=False, soft_wrap=True)
