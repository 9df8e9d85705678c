"""What a help desk or a mailbox keeps of a conversation, as a row for `tickets.distil`; and HTML letters as text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from copilot.domain import Author
from ingest.plain import from_html, parse

if TYPE_CHECKING:
    from bs4.element import Tag

QUOTING = frozenset(
    "gmail_quote gmail_extra moz-cite-prefix yahoo_quoted protonmail_quote zmail_extra moz-signature gmail_signature".split()
)
"""Classes that mail programs give to a quoted mail or a signature."""
CUTTING = frozenset({"divRplyFwdMsg", "appendonsend"})
"""Ids below which Outlook puts the mail that is answered."""
CUT = "-----Original Message-----"


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One turn; it counts as private unless its source said that the customer could read it."""

    role: Author
    text: str
    public: bool
    author: str = ""
    at: datetime | None = None


def thread(turns: Sequence[Said], opening: int | None = None) -> dict[str, object]:
    """The fields `message`, `thread` and `solution`: the turn that asks (the customer's first where no place is given), what came after
    it, and the last public reply of an agent."""
    asks = (at for at, turn in enumerate(turns) if turn.public and turn.role == "customer")
    first = next(asks, None) if opening is None else opening
    after = turns[first + 1 :] if first is not None else turns
    replies = [turn for turn in after if turn.public and turn.role == "agent" and turn.text.strip()]
    return {
        "message": turns[first].text if first is not None else "",
        "thread": [_row(turn) for turn in after],
        "solution": replies[-1].text if replies else "",
        "solution_by": "agent" if replies else None,
    }


def _row(turn: Said) -> dict[str, object]:
    at = turn.at.isoformat() if turn.at else None
    return {"role": turn.role, "text": turn.text, "public": turn.public, "author": turn.author, "created": at}


def letter(html: str) -> str:
    """The text of an HTML mail without what it quotes. Raises UnreadableFile for one that is nested too deeply."""
    soup = parse(html)
    for tag in soup.find_all(_quotes):
        tag.clear()
    for tag in soup.find_all(id=list(CUTTING)):
        tag.clear()
        tag.append(CUT)
    return from_html(soup.body or soup)


def _quotes(tag: Tag) -> bool:
    cited = tag.name == "blockquote" and tag.get("type") == "cite"
    return cited or tag.get("data-signature") == "true" or not QUOTING.isdisjoint(tag.get_attribute_list("class"))
