"""Sources in another language than the customer's: what they say is quoted, and a model translates the quotes.

Asked to answer in the customer's language at once, a model writes what no rule can compare with the sources, so all of it would be dropped.
"""

from __future__ import annotations

from copilot.ports import Drafter, DraftRequest, Rewrite
from copilot.triage import language


def translation(quotes: Drafter, request: DraftRequest) -> Rewrite | None:
    """What this drafter quotes for the request, to be translated; None where it quotes nothing, or what the customer can read."""
    quoted = tuple(quotes.stream(request))
    claims = [one for one in quoted if one.pieces]
    if not claims:
        return None
    text = "\n".join(one.text for one in claims)
    told = {request.evidence[one.pieces[0].evidence].language for one in claims}
    spoken = told.pop() if len(told) == 1 else ""
    if (spoken or language(text, request.language).label).split("-")[0] == request.language:
        return None
    return Rewrite(task="translate", text=text, language=request.language, quoted=quoted)
