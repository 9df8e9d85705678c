"""`copilot serve | keys | users`."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import asdict
from threading import Thread
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Column, Table

from api import people_commands
from api.role_names import roles_of
from copilot.errors import ConfigurationError
from copilot.settings import Settings

if TYPE_CHECKING:
    from fastapi import FastAPI

    from copilot.build import Parts
    from copilot.store.accounts import Accounts

console = Console()
Prepare = Callable[["Parts", str], None]
"""What to do with the parts, and the server's address, before it answers."""
JSON = Annotated[bool, typer.Option("--json", help="Print JSON for a program to read.")]
SHUTDOWN_SECONDS = 5
_CUSTOMER = re.compile(r"(/v1/customers/).+?(/timeline)?$")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(serve)
    keys = typer.Typer(help="API keys: shown once, kept as a hash, revocable.", no_args_is_help=True)
    keys.command("create")(create)
    keys.command("revoke")(revoke)
    keys.command("list")(show)
    app.add_typer(keys, name="keys")
    people_commands.register(app)


def serve(
    host: Annotated[
        str, typer.Option(help="The address to listen on; any but this machine's own needs a key first.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535)] = 8000,
) -> None:
    """Serve suggestions over HTTP and run the jobs of other commands. Example: copilot serve --port 8080."""
    run(Settings(), host, port)


def run(settings: Settings, host: str, port: int, *, prepare: Prepare | None = None) -> None:
    """Own the indexes, run the jobs and answer requests until the process is told to stop; `prepare` runs before the first of them.

    Raises ConfigurationError where strangers could get in, IndexesOwned where another process has the indexes.
    """
    with _accounts(settings) as accounts:
        keyless = not accounts.any()
    refuse_open_door(host, keyless)
    address = f"http://{f'[{host}]' if ':' in host else host}:{port}"
    with served(settings, address, prepare) as app:
        console.print(f"Support Copilot: {address}/desk  (its description: {address}/docs)", highlight=False)
        if keyless:
            console.print(
                "No key and no user exists, so only this machine is served, without signing in. `copilot users add` makes a user.",
                highlight=False,
            )
        answer_requests(app, host, port)


def refuse_open_door(host: str, keyless: bool) -> None:
    """Raise ConfigurationError where others could reach the server while it asks nobody for a key."""
    from api.auth import is_loopback

    if keyless and not is_loopback(host):
        raise ConfigurationError(
            f"Listening on {host} would let anyone on the network in. Create a key first (`copilot keys create --role admin`), "
            "or listen on 127.0.0.1."
        )


@contextmanager
def served(settings: Settings, address: str, prepare: Prepare | None = None) -> Iterator[FastAPI]:
    """The app, in a process that owns the indexes and runs the jobs, for as long as the block runs."""
    from copilot.jobs import JobThread, owning
    from copilot.store.ahead import reading_ahead

    with owning(settings, address), reading_ahead(settings, settings.workspace) as ahead, ExitStack() as stack:
        from copilot.build import build

        parts = stack.enter_context(closing(build(settings)))
        parts.frames.expect(ahead)
        for needed in (_model, _knowledge):
            warming = Thread(target=needed, args=(parts,), name="warming")
            warming.start()
            stack.callback(warming.join)

        from api.app import create_app
        from copilot.store.audit import Audit
        from ingest.pipeline import Indexer
        from ingest.schedule import Schedule

        parts.records.forget_older_than(settings.retention_days)
        Audit(parts.database).forget_older_than(settings.audit_days)
        if prepare:
            prepare(parts, address)
        jobs = JobThread(parts)
        jobs.start()
        stack.callback(jobs.stop)
        schedule = Schedule(parts)
        schedule.start()
        stack.callback(schedule.stop)
        yield create_app(parts, Indexer(parts).retire)


def _model(parts: Parts) -> None:
    """Load what the first request will need, while the rest of the server is still being imported; what fails here is told there."""
    with suppress(Exception):
        parts.embedder.embed(["The first request need not wait for the model."], "query")


def _knowledge(parts: Parts) -> None:
    """The same for the workspace's documents."""
    with suppress(Exception):
        parts.frames.at(parts.settings.workspace)


def answer_requests(app: FastAPI, host: str, port: int) -> None:
    """Run uvicorn until the process is told to stop."""
    import uvicorn

    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    for noisy in ("httpx", "chromadb", "alembic"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        server_header=False,
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,
        log_config=log_config(),
    )
    uvicorn.Server(config).run()


def log_config() -> dict[str, Any]:
    """Uvicorn's logging, with query strings and customers' ids left out of the access log."""
    from uvicorn.config import LOGGING_CONFIG

    config: dict[str, Any] = json.loads(json.dumps(LOGGING_CONFIG))
    config["filters"] = {"path": {"()": PathOnly}}
    config["handlers"]["access"]["filters"] = ["path"]
    return config


class PathOnly(logging.Filter):
    """Cuts the query string, which holds customers' words, and customers' ids from uvicorn's access lines."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Every line passes, cut."""
        if isinstance(record.args, tuple) and len(record.args) == 5:
            client, method, path, version, status = record.args
            shown = _CUSTOMER.sub(r"\1-\2", str(path).partition("?")[0])
            record.args = (client, method, shown, version, status)
        return True


def create(
    role: Annotated[
        list[str] | None,
        typer.Option(help="agent (the default), knowledge_manager, evaluator or admin; may be repeated."),
    ] = None,
    workspace: Annotated[
        str | None, typer.Option("--workspace", "-w", help="COPILOT_WORKSPACE where not given.")
    ] = None,
    team: Annotated[list[str] | None, typer.Option(help="Whose documents it may see; may be repeated.")] = None,
    as_json: JSON = False,
) -> None:
    """Make a key and show it, once. Example: copilot keys create --role agent --team billing."""
    settings = Settings()
    roles = roles_of(role)
    with _accounts(settings) as accounts:
        id, secret = accounts.create(workspace or settings.workspace, roles, team or ())
    if as_json:
        console.print_json(data={"id": id, "key": secret})
    else:
        console.print(f"{secret}", markup=False, highlight=False, soft_wrap=True)
        console.print(
            f"Key {id}. It is not kept, so it cannot be shown again. From now on every request needs a key.",
            highlight=False,
        )


def revoke(id: Annotated[str, typer.Argument(help="As `copilot keys list` shows it.")]) -> None:
    """Stop a key at once. Example: copilot keys revoke 1f0c9a7be2d34c55."""
    with _accounts(Settings()) as accounts:
        accounts.revoke(id)
    console.print(f"Key {id} is revoked.", markup=False, highlight=False)


def show(as_json: JSON = False) -> None:
    """List all keys without their secrets. Example: copilot keys list."""
    with _accounts(Settings()) as accounts:
        keys = accounts.list()
    if as_json:
        console.print_json(data=[asdict(key) for key in keys], default=str)
        return
    table = Table(Column("key", no_wrap=True), "workspace", "roles", "teams", "created", "revoked")
    for key in keys:
        revoked = f"{key.revoked_at:%Y-%m-%d}" if key.revoked_at else ""
        table.add_row(
            key.id, key.workspace, ", ".join(key.roles), ", ".join(key.teams), f"{key.created_at:%Y-%m-%d}", revoked
        )
    console.print(table)


@contextmanager
def _accounts(settings: Settings) -> Iterator[Accounts]:
    """The keys, without the rest of the product: this works beside a running server."""
    from copilot.store.accounts import Accounts
    from copilot.store.database import Database

    with closing(Database(settings.database_url())) as database:
        yield Accounts(database)
