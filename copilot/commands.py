"""`copilot suggest | search | policy`, and what `job_commands` adds."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Annotated, Any, cast, get_args

import typer
from pydantic import TypeAdapter
from rich.console import Console
from rich.markup import escape as plain
from rich.panel import Panel
from rich.table import Table

from copilot import job_commands
from copilot.domain import Channel, Conversation, Kind, Message, Principal, Role, Suggestion
from copilot.errors import InputError
from copilot.settings import Settings
from copilot.text import normalise

JSON = Annotated[bool, typer.Option("--json", help="Print JSON for a program to read.")]
Workspace = Annotated[
    str | None, typer.Option("--workspace", "-w", help="The workspace; COPILOT_WORKSPACE where not given.")
]
ROLES: frozenset[Role] = frozenset({"agent", "knowledge_manager", "evaluator", "admin"})

OUTCOME_CHARS = 200

console = Console()


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(suggest)
    app.command()(search)
    job_commands.register(app)
    policy = typer.Typer(help="The escalation policy.", no_args_is_help=True)
    policy.command("check")(policy_check)
    app.add_typer(policy, name="policy")


def suggest(
    message: Annotated[str, typer.Argument(help="What the customer wrote.")],
    subject: Annotated[str, typer.Option(help="The message's subject.")] = "",
    name: Annotated[str | None, typer.Option(help="The customer's name, for the greeting.")] = None,
    channel: Annotated[Channel, typer.Option(help="Where the customer wrote.")] = "email",
    workspace: Workspace = None,
    as_json: JSON = False,
) -> None:
    """Draft a cited reply. Example: copilot suggest "How do I replace the battery?" --name Ana."""
    settings = Settings()
    workspace = workspace or settings.workspace
    address = _owner(settings)
    message, subject = normalise(message), normalise(subject)  # a terminal can hand over bytes that are no text
    body = {
        "channel": channel, "subject": subject, "customer": {"name": name}, "messages": [{"author": "customer", "text": message}],
    }  # fmt: skip
    if address:
        from copilot.remote import ask

        answer = ask(address, "POST", "/v1/suggestions", workspace, json={"conversation": body})
    else:
        conversation = TypeAdapter(Conversation).validate_python({**body, "messages": [Message(text=message)]})
        with _copilot(settings, workspace) as copilot:
            made = copilot.suggest(_operator(workspace), conversation)
        answer = TypeAdapter(Suggestion).dump_python(made, mode="json")
    if as_json:
        _print_json(answer)
    else:
        _show_suggestion(answer)


def search(
    query: Annotated[str, typer.Argument(help="What to look for.")],
    limit: Annotated[int, typer.Option(min=1, max=50)] = 10,
    kind: Annotated[list[str] | None, typer.Option(help="article, ticket or macro; may be repeated.")] = None,
    workspace: Workspace = None,
    as_json: JSON = False,
) -> None:
    """Find documents and their best passages. Example: copilot search "blinking amber light" --kind article."""
    settings = Settings()
    if unknown := set(kind or ()) - set(get_args(Kind)):
        raise InputError(f"--kind {min(unknown)} is not known. Give {', '.join(get_args(Kind))}.")
    workspace = workspace or settings.workspace
    address = _owner(settings)
    if address:
        from copilot.remote import ask

        answer = ask(
            address, "GET", "/v1/search", workspace, params={"q": normalise(query), "limit": limit, "kind": kind or []}
        )
    else:
        from copilot.retrieve import KINDS, Found, Query

        with _copilot(settings, workspace) as copilot:
            kinds = tuple(cast("list[Kind]", kind)) if kind else KINDS
            found = copilot.search(_operator(workspace), Query(text=query, limit=limit, kinds=kinds))
        answer = TypeAdapter(Found).dump_python(found, mode="json")
    if as_json:
        _print_json(answer)
    else:
        _show_results(answer)


def policy_check(
    path: Annotated[Path | None, typer.Argument(help="The policy file; the one in force where not given.")] = None,
) -> None:
    """Run the examples that the escalation policy carries. Example: copilot policy check my-policy.yaml."""
    from copilot.entities import Own
    from copilot.escalate import Policy
    from copilot.policy_check import check, unknown_intents
    from copilot.taxonomy import taxonomy

    settings = Settings()
    policy = Policy.load(path or settings.policy_file())
    failures = check(policy, Own.load(settings.entities).patterns)
    for warning in unknown_intents(policy, taxonomy(settings.taxonomy_file()).labels):
        console.print(f"[yellow]warns[/yellow] {plain(warning)} (a workspace's own taxonomy may)")
    for failure in failures:
        console.print(f"[red]fails[/red] {plain(failure)}")
    console.print(f"{len(policy.rules)} rules, {len(failures)} failing examples")
    if failures:
        raise typer.Exit(1)


@contextmanager
def _copilot(settings: Settings, workspace: str) -> Iterator[Any]:
    """The product in this process, which owns the indexes meanwhile."""
    from copilot.jobs import owning
    from copilot.store.ahead import reading_ahead

    with owning(settings), reading_ahead(settings, workspace) as ahead:
        from copilot.build import build

        with closing(build(settings)) as parts:
            parts.frames.expect(ahead)
            yield parts.copilot


def _owner(settings: Settings) -> str | None:
    from copilot.jobs import owner_address

    return owner_address(settings)


def _operator(workspace: str) -> Principal:
    """Who sits at this machine's terminal may see everything in its data."""
    return Principal(id="local", workspace=workspace, roles=ROLES)


def _print_json(value: Any) -> None:
    console.print(json.dumps(value, ensure_ascii=False, indent=2), markup=False, highlight=False, soft_wrap=True)


def _show_suggestion(answer: dict[str, Any]) -> None:
    triage, escalation = answer["triage"], answer["escalation"]
    tags = [
        f"{name} {triage[name]['label']} ({triage[name]['confidence']:.2f})"
        for name in ("intent", "sentiment", "urgency", "language")
    ]
    console.print("  ".join(tags), markup=False)
    if escalation["recommended"]:
        reasons = "; ".join(f"{r['code']} “{r['quote']}”" for r in escalation["reasons"])
        console.print(f"[yellow]step in:[/yellow] {escalation['level']}, {escalation['team']}: {plain(reasons)}")
    if answer["draft"]:
        _show_draft(answer["draft"])
    else:
        _show_abstention(answer["abstention"])
    if answer["similar_tickets"]:
        table = Table("similar solved ticket", "what solved it", "by", "score", title_justify="left")
        for ticket in answer["similar_tickets"]:
            outcome = " ".join(ticket["resolution"].split())[:OUTCOME_CHARS]
            by = plain(ticket["solution_by"] or "-")
            table.add_row(
                plain(f"{ticket['document_id']}  {ticket['title']}"), plain(outcome), by, f"{ticket['score']:.2f}"
            )
        console.print(table)
    console.print(f"{answer['status']}, {answer['timings_ms']['total']:.0f} ms, suggestion {answer['id']}", style="dim")


def _show_draft(draft: dict[str, Any]) -> None:
    """The reply with a number behind each cited statement, and below what each number rests on."""
    text, sources, done = "", list[str](), 0
    for statement in draft["statements"]:
        text += plain(draft["text"][done : statement["end"]])
        done = statement["end"]
        cited = (f"{one['title']} — {one['document_id']}, revision {one['revision']}" for one in statement["citations"])
        for source in dict.fromkeys(cited):  # one that it rests on twice has one number
            if source not in sources:
                sources.append(source)
            text += f"[cyan]\\[{sources.index(source) + 1}][/cyan]"
    console.print(Panel(text + plain(draft["text"][done:]), title=f"draft ({draft['generator']})", title_align="left"))
    for number, source in enumerate(sources, 1):
        console.print(f"[cyan]\\[{number}][/cyan] {plain(source)}")


def _show_abstention(abstention: dict[str, Any]) -> None:
    near = "\n".join(f"- {one['title']} ({one['score']:.2f})" for one in abstention["nearest"])
    ask = "\n".join(f"- {fact}" for fact in abstention["missing_facts"])
    words = f"{abstention['reason']}\n\nNearest:\n{near or '- nothing'}\n\nAsk the customer for:\n{ask}"
    console.print(Panel(plain(words), title="no answer", title_align="left"))


def _show_results(answer: dict[str, Any]) -> None:
    for hit in answer["results"]:
        console.print(
            f"[bold]{hit['score']:.3f}[/bold]  {plain(hit['title'])}  [dim]{hit['kind']} {plain(hit['document_id'])}[/dim]"
        )
        passage = hit["passages"][0]
        console.print(f"       {plain(' '.join(passage['text'].split())[:200])}", highlight=False)
    console.print(f"{len(answer['results'])} documents", style="dim")
