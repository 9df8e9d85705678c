"""Stale and unused documents: told from their dates, from what agents did with statements that rested on them, and from how often they were used."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from copilot.domain import Citation
from ingest.insights.claims import dates
from ingest.insights.material import Entry
from ingest.insights.nouns import Stale, StaleReason, Unused, name

RECENT = timedelta(days=183)
LEAST_DECIDED, OFTEN = 3, 0.5
"""Edited away: at least so many decisions of the last half year, and this share of them took the statement out."""
OLD = timedelta(days=730)
HEAVILY = 10
"""Old and heavily cited: unchanged for so long, and cited so often within a year."""
UNUSED_DAYS = timedelta(days=90)
LEAST_MADE = 20
"""Unused: there for so long, while so many suggestions were made."""
SHOWN = 3
_VALID = (
    r"valid|offer|offers|promotion|deal|voucher|vouchers|ends?|expires?|gültig|gilt|Aktion|valables?|offres?|se termine|válid[oa]s?|ofertas?|"
    r"promoción|termina|geldig|aanbieding|actie|loopt|valid[oaie]|offert[ae]|promozione|promoção|expirent|expir(?:a|an|am)|scad(?:e|ono)|"
    r"verlo(?:opt|pen)|vervalt"
)
_UNTIL = r"until|till|through|on|by|to|bis(?: zum)?|hasta(?: el)?|jusqu['’]au|tot(?: en met)?|t/m|fino al?|até(?: ao?)?"
_RUNS_OUT = r"(?:expirent|expires?|expir(?:a|an|am)|se termine|termina|scad(?:e|ono)|verlo(?:opt|pen)|vervalt) (?:le|el|il|op|em)\b"
ENDS = re.compile(rf"(?:\b(?:{_VALID})\b[^.\n]{{0,60}}?\b(?:{_UNTIL})\b|\b{_RUNS_OUT})[^.\n]{{0,20}}", re.I)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """What an agent did with a statement that rested on a document's text of today."""

    at: datetime
    removed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """How a document fared: when suggestions used it, and what became of the statements that rested on it."""

    used: int = 0
    used_lately: int = 0
    decided: tuple[Decided, ...] = ()


NOTHING = Usage()


def stale(entries: Sequence[Entry], usage: Mapping[str, Usage], as_of: datetime) -> list[Stale]:
    """Articles and macros that should be looked at again, the most pressing first."""
    found = []
    for entry in entries:
        if entry.document.kind == "ticket":
            continue
        reasons, evidence = _reasons(entry, usage.get(entry.id, NOTHING), as_of)
        if reasons:
            found.append(Stale(
                id=name("s", entry.id), score=max(score for _, score in reasons), document=entry.named,
                reasons=tuple(reason for reason, _ in reasons), evidence=evidence or entry.opening(),
            ))  # fmt: skip
    return sorted(found, key=lambda one: (-one.score, one.id))


def _reasons(
    entry: Entry, usage: Usage, as_of: datetime
) -> tuple[list[tuple[StaleReason, float]], tuple[Citation, ...]]:
    told, words = _ended_in_words(entry, as_of)
    found = [
        reason
        for reason in (_past(entry, as_of) or told, _edited_away(usage, as_of), _old(entry, usage, as_of))
        if reason
    ]
    return found, words


def _past(entry: Entry, as_of: datetime) -> tuple[StaleReason, float] | None:
    until = entry.document.valid_until
    if until is None or until > as_of:
        return None
    return StaleReason(code="past_validity", detail=f"valid until {until:%Y-%m-%d}", since=until), 1.0


def _ended_in_words(entry: Entry, as_of: datetime) -> tuple[tuple[StaleReason, float] | None, tuple[Citation, ...]]:
    """An end that the text itself names in full and that is past, where the document says nothing of it; the last one named counts."""
    ends = [
        (day, entry.cite(found.start() + start, found.start() + end))
        for found in ENDS_WITH_DATE.finditer(entry.text)
        for value, start, end in dates(found[0])
        if (day := _day(value)) is not None
    ]
    if not ends or entry.document.valid_until is not None:
        return None, ()
    day, words = max(ends, key=lambda end: (end[0], end[1].start))
    since = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1)
    if since > as_of or (entry.at is not None and entry.at >= since):
        return None, ()
    return (StaleReason(code="past_validity", detail=f"its text ends on {day}", since=since), 0.7), (words,)


_OPENS = (
    r"(?m:^|(?<=[.!?] ))(?:Only |Nur |Seulement |S[oó]lo |Alleen |Apenas |Só )?"
    r"(?:Until|Till|Through|Bis(?: zum)?|Hasta el|Jusqu['’]au|Tot(?: en met)?|T/m|Fino al?|Até(?: ao?)?)\b"
)
_DAY = r"(?:(?:19|20)\d\d-\d\d-\d\d|\d{1,2}[./]\d{1,2}[./](?:19|20)\d\d|\d{0,2}\.?[^.\n]{0,25}(?:19|20)\d\d(?!-\d))\b"
_OVER = r"(?!.{0,80}\b(?:was|were|had|used to|war|waren|hatten?|galt|galten|était|étaient|avai(?:t|ent)|era|eran|erano|eram|fue|foi|werd)\b)"
ENDS_WITH_DATE = re.compile(rf"(?:{ENDS.pattern}{_DAY}|{_OPENS}[^.\n]{{0,5}}?{_DAY}{_OVER})", re.I)
"""An end with its year: of something that is said to end, or one that a sentence opens with, unless it tells of what was before."""


def _day(value: str) -> date | None:
    try:
        return date.fromisoformat(value)
    except ValueError:
        return None


def _edited_away(usage: Usage, as_of: datetime) -> tuple[StaleReason, float] | None:
    recent = [one for one in usage.decided if as_of - RECENT <= one.at <= as_of]
    removed = [one for one in recent if one.removed]
    if len(recent) < LEAST_DECIDED or len(removed) < OFTEN * len(recent):
        return None
    detail = f"agents took it out in {len(removed)} of {len(recent)} decisions"
    reason = StaleReason(code="edited_away", detail=detail, since=min(one.at for one in removed), count=len(removed))
    return reason, round(0.5 + 0.5 * len(removed) / len(recent), 6)


def _old(entry: Entry, usage: Usage, as_of: datetime) -> tuple[StaleReason, float] | None:
    if entry.at is None or entry.at > as_of - OLD or usage.used_lately < HEAVILY:
        return None
    years = (as_of - entry.at).days / 365.25
    detail = f"unchanged for {years:.1f} years and cited {usage.used_lately} times in the last year"
    return StaleReason(code="old_and_cited", detail=detail, since=entry.at, count=usage.used_lately), round(
        min(0.4 + years / 20, 0.9), 6
    )


def unused(
    entries: Sequence[Entry], usage: Mapping[str, Usage], linked: frozenset[str], made: Sequence[datetime], as_of: datetime
) -> list[Unused]:  # fmt: skip
    """Articles and macros that were there for three months while suggestions were made, and that neither these nor an agent's reply ever used."""
    found = [_unused(entry, made) for entry in entries if _never(entry, usage, linked, as_of)]
    return sorted((one for one in found if one.suggestions >= LEAST_MADE), key=lambda one: (one.since, one.id))


def _never(entry: Entry, usage: Mapping[str, Usage], linked: frozenset[str], as_of: datetime) -> bool:
    fate, since = usage.get(entry.id, NOTHING), _since(entry)
    if (
        entry.document.kind == "ticket"
        or fate.used
        or entry.id in linked
        or since is None
        or since > as_of - UNUSED_DAYS
    ):
        return False
    starts, ends = entry.document.valid_from, entry.document.valid_until
    return (starts is None or starts <= as_of - UNUSED_DAYS) and (ends is None or ends > as_of)


def _since(entry: Entry) -> datetime | None:
    return entry.document.created_at or entry.since


def _unused(entry: Entry, made: Sequence[datetime]) -> Unused:
    since = _since(entry) or datetime.min.replace(tzinfo=UTC)
    return Unused(
        id=name("u", entry.id), document=entry.named, since=since, suggestions=sum(at >= max(since, entry.since or since) for at in made),
        evidence=entry.opening(),
    )  # fmt: skip


def tally(
    used: Sequence[tuple[str, datetime]], decided: Sequence[tuple[str, Decided]], as_of: datetime
) -> dict[str, Usage]:
    """Usage by document: each time that a suggestion used it, and each decision on it, up to `as_of`."""
    past = [(id, at) for id, at in used if at <= as_of]
    all, lately = Counter(id for id, _ in past), Counter(id for id, at in past if at > as_of - timedelta(days=365))
    fates: dict[str, list[Decided]] = {}
    for id, one in decided:
        fates.setdefault(id, []).append(one)
    return {id: Usage(used=all[id], used_lately=lately[id], decided=tuple(fates.get(id, ()))) for id in {*all, *fates}}
