"""`copilot users`."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from api.role_names import roles_of
from copilot.errors import InputError
from copilot.settings import Settings

if TYPE_CHECKING:
    from copilot.store.people import People

console = Console()
PASSWORD = "COPILOT_USER_PASSWORD"
Name = Annotated[str, typer.Argument(help="What they sign in with: an e-mail address, for example.")]
PasswordFile = Annotated[
    Path | None,
    typer.Option(exists=True, dir_okay=False, help=f"A file whose first line is the password; {PASSWORD} works too."),
]
JSON = Annotated[bool, typer.Option("--json", help="Print JSON for a program to read.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    users = typer.Typer(help="People who sign in at the desk.", no_args_is_help=True)
    users.command("add")(add)
    users.command("list")(show)
    users.command("disable")(disable)
    users.command("password")(password)
    app.add_typer(users, name="users")


def add(
    name: Name,
    role: Annotated[
        list[str] | None,
        typer.Option(help="agent (the default), knowledge_manager, evaluator or admin; may be repeated."),
    ] = None,
    workspace: Annotated[
        str | None, typer.Option("--workspace", "-w", help="COPILOT_WORKSPACE where not given.")
    ] = None,
    team: Annotated[list[str] | None, typer.Option(help="Whose documents they may see; may be repeated.")] = None,
    password_file: PasswordFile = None,
) -> None:
    """Add a user; the password is asked for. Example: copilot users add ada@example.com --role agent --role knowledge_manager."""
    settings, roles = Settings(), roles_of(role)
    with _people(settings) as people:
        made = people.add(workspace or settings.workspace, name, _password(password_file), roles, team or ())
    console.print(
        f"{made.name} may sign in at /desk as {', '.join(made.roles)}. From now on everybody needs a user or a key.",
        markup=False, highlight=False,
    )  # fmt: skip


def show(as_json: JSON = False) -> None:
    """List all users. Example: copilot users list."""
    with _people(Settings()) as people:
        users = people.list()
    if as_json:
        console.print_json(data=[asdict(user) for user in users], default=str)
        return
    table = Table("name", "workspace", "roles", "teams", "created", "disabled")
    for user in users:
        disabled = f"{user.disabled_at:%Y-%m-%d}" if user.disabled_at else ""
        table.add_row(
            user.name,
            user.workspace,
            ", ".join(user.roles),
            ", ".join(user.teams),
            f"{user.created_at:%Y-%m-%d}",
            disabled,
        )
    console.print(table)


def disable(name: Name) -> None:
    """Sign a user out and let them in no more. Example: copilot users disable ada@example.com."""
    with _people(Settings()) as people:
        people.disable(name)
    console.print(f"{name} is disabled and signed out.", markup=False, highlight=False)


def password(name: Name, password_file: PasswordFile = None) -> None:
    """Give a user another password and sign them out; a disabled user may sign in again. Example: copilot users password ada@example.com."""
    with _people(Settings()) as people:
        people.named(name)
        people.set_password(name, _password(password_file))
    console.print(f"{name} has a new password and is signed out everywhere.", markup=False, highlight=False)


def _password(file: Path | None) -> str:
    """From the file, the environment or the terminal; never from the command line, which others on the machine can read."""
    if file is not None:
        lines = file.read_text(encoding="utf-8").splitlines()
        if not lines:
            raise InputError(f"{file} is empty. Its first line is taken as the password.")
        return lines[0]
    given = os.environ.get(PASSWORD)
    return given if given is not None else str(typer.prompt("Password", hide_input=True, confirmation_prompt=True))


@contextmanager
def _people(settings: Settings) -> Iterator[People]:
    """The users, without the rest of the product: this works beside a running server."""
    from copilot.store.database import Database
    from copilot.store.people import People

    with closing(Database(settings.database_url())) as database:
        yield People(database)
