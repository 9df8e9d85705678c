"""`copilot insights`: what keeps knowledge true, from the command line."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Annotated, Any, Literal

import typer
from rich.console import Console
from rich.markup import escape

from copilot.settings import Settings

console = Console()
QUOTE_CHARS = 160
Shown = Literal["gaps", "duplicates", "contradictions", "stale", "unused", "proposals"]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(insights)


def insights(
    kind: Annotated[Shown | None, typer.Argument(help="What to list; where left out, how many there are of each.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=200, help="How many to list.")] = 50,
    workspace: Annotated[str | None, typer.Option("--workspace", "-w", help="COPILOT_WORKSPACE where not given.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for a program to read.")] = False,
) -> None:  # fmt: skip
    """List gaps, duplicates, contradictions, stale and unused documents, or proposed articles. Example: copilot insights contradictions."""
    settings = Settings()
    answer = _answer(settings, workspace or settings.workspace, kind, limit)
    if as_json:
        console.print(json.dumps(answer, ensure_ascii=False, indent=2), markup=False, highlight=False, soft_wrap=True)
        return
    for line in _overview(answer) if kind is None else _listed(kind, answer):
        console.print(line, highlight=False, soft_wrap=True)


def _answer(settings: Settings, workspace: str, kind: Shown | None, limit: int) -> Any:
    """What the server answers, where one owns the indexes; else the same made here."""
    from copilot.jobs import owner_address

    address = owner_address(settings)
    if address is None:
        return _made_here(settings, workspace, kind, limit)
    from copilot.remote import ask

    if kind == "proposals":
        return ask(address, "GET", "/v1/proposals", workspace)
    return ask(
        address,
        "GET",
        f"/v1/insights/{kind}" if kind else "/v1/insights",
        workspace,
        params={"limit": limit} if kind else {},
    )


def _made_here(settings: Settings, workspace: str, kind: Shown | None, limit: int) -> Any:
    from pydantic_core import to_jsonable_python

    from copilot.build import build
    from copilot.domain import Principal
    from copilot.jobs import owning
    from ingest.insights.proposals import Proposals
    from ingest.insights.report import REPORTS, Insights

    who = Principal(id="operator", workspace=workspace, roles=frozenset({"admin"}))
    with owning(settings), closing(build(settings)) as parts:
        found = Insights.of(parts, who)
        if kind == "proposals":
            proposals = Proposals(parts).list(who)
            return to_jsonable_python({"total": len(proposals), "items": proposals})
        if kind is not None:
            return to_jsonable_python(REPORTS[kind](found, limit))
        counts = {name: report(found, 1).total for name, report in REPORTS.items()}
        waiting = len(Proposals(parts).list(who, "waiting"))
        revision = parts.library.clock(workspace)
        return to_jsonable_python(
            {"counts": {**counts, "proposals": waiting}, "index_revision": revision, "as_of": found.as_of}
        )


# ---- for a person to read ----


def _overview(answer: Any) -> Iterator[str]:
    yield from (f"{count:>6}  {name}" for name, count in answer["counts"].items())
    yield "`copilot insights contradictions` lists one kind with its evidence."


def _listed(kind: Shown, answer: Any) -> Iterator[str]:
    if not answer["items"]:
        yield f"no {kind}"
    for item in answer["items"]:
        yield from LINES[kind](item)
    if answer["total"] > len(answer["items"]):
        yield f"… and {answer['total'] - len(answer['items'])} more; --limit shows them"


def _gap(item: Any) -> Iterator[str]:
    yield f"[bold]{item['size']} customers[/bold] {escape(item['title'])} ({escape(', '.join(item['terms']))})"
    yield from (_quote(example["quote"], example["at"][:10]) for example in item["examples"][:3])


def _duplicate(item: Any) -> Iterator[str]:
    yield f"[bold]{item['score']:.2f}[/bold] {_name(item['first'])} = {_name(item['second'])}"
    for pair in item["evidence"]:
        yield _quote(pair["first"]["quote"], item["first"]["document_id"])
        yield _quote(pair["second"]["quote"], item["second"]["document_id"])


def _contradiction(item: Any) -> Iterator[str]:
    yield f"[bold]{item['what']}[/bold] {_name(item['article'])} against {_name(item['against'])}"
    yield _quote(item["evidence"]["article"]["quote"], item["article"]["document_id"])
    yield _quote(item["evidence"]["against"]["quote"], item["against"]["document_id"])


def _stale(item: Any) -> Iterator[str]:
    yield f"{_name(item['document'])}: {escape('; '.join(reason['detail'] for reason in item['reasons']))}"
    yield from (_quote(one["quote"], one["document_id"]) for one in item["evidence"])


def _unused(item: Any) -> Iterator[str]:
    yield f"{_name(item['document'])}: in none of {item['suggestions']} suggestions since {item['since'][:10]}"


def _proposal(item: Any) -> Iterator[str]:
    yield f"[bold]{item['id']}[/bold] {item['state']}: {escape(item['title'])}, from {item['size']} tickets"
    yield from (
        _quote(item["text"][one["start"] : one["end"]], one["citations"][0]["document_id"])
        for one in item["statements"]
    )


LINES: dict[Shown, Callable[[Any], Iterator[str]]] = {
    "gaps": _gap, "duplicates": _duplicate, "contradictions": _contradiction, "stale": _stale, "unused": _unused, "proposals": _proposal,
}  # fmt: skip


def _name(document: Any) -> str:
    return f"{escape(document['title'])} ({escape(document['document_id'])})"


def _quote(words: str, where: str) -> str:
    short = " ".join(words.split())
    short = short if len(short) <= QUOTE_CHARS else short[:QUOTE_CHARS] + "…"
    return f"    “{escape(short)}” [dim]{escape(where)}[/dim]"
