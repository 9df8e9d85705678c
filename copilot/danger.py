"""Which passages speak of the danger that a customer is in: only these may answer somebody whose adapter smokes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from copilot.domain import Evidence
from copilot.reading import ITEM
from copilot.text import sentences

KINDS: dict[str, re.Pattern[str]] = {
    kind: re.compile(rf"\b(?:{words})", re.I)
    for kind, words in {
        "fire": r"hot\b|heats?\b|overheat|burn|fires?\b|flame|ablaze|smok|smoulder|smolder|fumes\b|melt|scorch|singe|charred|spark|smell|smelt|"
        r"stink|stench|odou?rs?\b|explo|heiß|überhitz|brenn|verbrann|brand|feuer|flamm|rauch|raucht|qualm|schmor|verschmor|funken|riech|geruch|"
        r"chaud|surchauff|brûl|feu\b|fum[ée]|incendi|étincel|fondu|odeur|heet\b|oververhit|verbrand|vuur|vlam|rook|gesmolten|vonk|ruik|geur|"
        r"calient|sobrecal|quem|fuego|llamas\b|humo|chispa|huele|olor",
        "gas": r"gas\b|gases\b|monoxid|gasgeruch|gaz\b|gaslucht|gaslek",
        "swelling": r"swell|swoll|bulg|bloat|puffed|puffy|gebläht|aufgebläht|ausgelaufen|gonfl|enflé|opgezwollen|gezwollen|hinchad",
        "shock": r"(?:electric(?:al)? )?shocks?\b|shocked|electrocut|zapp|jolt|stromschlag|décharge|électrocut|schok|calambr|descarga eléctrica",
        "injury": r"injur|hurt|wound|bleed|scald|bruis|fractur|verletz|bless[ée]|gewond|herid[oa]|lesion",
        "poison": r"poison|toxic|swallow|chok|fumes\b|inhal|vergift|verschluck|intoxi|avalé|vergiftig|ingeslikt|envenen|tragad",
        "water": r"flood|burst|leak|water|überschwemm|rohrbruch|wasser|inondation|fuite|eau\b|lekk|overstro|inund|agua\b",
    }.items()
}
"""How people and pages speak of each danger: beginnings of words."""
CAUTION = re.compile(
    r"\b(?:(?:do not|don['’]t|never|not to) (?:touch|use|charge|open|unplug|restart|move|put)|hands off|danger\w*|"
    r"keep (?:\w+ ){0,3}(?:away|off|clear|out)|"
    r"emergency|112|999|911|call us|ambulance|fire (?:brigade|department|service)|doctor|first aid|poison control|stop using|unplug (?:it|the)|"
    r"evacuat\w*|get out|leave the (?:house|room|building|flat)|open (?:a|the) windows?|air the room|fuse box|circuit breaker|main (?:tap|valve)|"
    r"stopcock|stop valve|nicht (?:berühren|anfassen|benutzen)|gefahr|notruf|feuerwehr|sofort|hauptventil|sicherung\w*|ne (?:la |le |les )?touche\w*|"
    r"urgence\w*|pompiers|immédiatement|débranche\w*|niet (?:aanraken|gebruiken)|gevaar\w*|noodnummer|brandweer|onmiddellijk|hoofdkraan|meterkast|"
    r"no (?:lo |la )?(?:toque|use|toques)\w*|peligro\w*|emergencias?|bomberos|inmediatamente|desenchuf\w*)\b",
    re.I,
)
"""Words of a page that tells somebody in danger what to do."""


def kinds(text: str) -> frozenset[str]:
    """The dangers that a text names."""
    return frozenset(kind for kind, words in KINDS.items() if words.search(text))


def about(message: str, evidence: Iterable[Evidence]) -> tuple[Evidence, ...]:
    """What of the evidence speaks of the message's danger and says what to do: a section by its heading, else the lines that do."""
    named = kinds(message)
    return tuple(part for one in evidence for part in _parts(one, named))


def _parts(one: Evidence, named: frozenset[str]) -> Iterator[Evidence]:
    head = one.text.partition("\n")[0] if one.text.startswith("#") else ""
    if kinds(head) & named and CAUTION.search(one.text):
        yield one
        return
    done = 0
    for line in re.finditer(r"[^\n]+", one.text):
        stated = _stated(one.text, *line.span(), named)
        if stated is not None and line.start() >= done:
            done = line.end()
            yield _cut(one, stated, done)


def _stated(text: str, start: int, end: int, named: frozenset[str]) -> int | None:
    """Where a line begins to speak of the danger, if it says what to do; a list's item may have that said where the list is announced."""
    at = next((start + a for a, b in sentences(text[start:end]) if kinds(text[start + a : start + b]) & named), None)
    mark = ITEM.match(text, start)
    if at is None or CAUTION.search(text, at, end):
        return at if at is None or not mark else max(at, mark.end())
    announced = _announced(text, start) if mark else end
    return announced if CAUTION.search(text, announced, start) else None


def _announced(text: str, item: int) -> int:
    """Where the line begins that announces this item's list; the item's own place where none does."""
    start = item
    while start and (ITEM.match(text, start) or text.startswith("\n", start)):
        start = text.rfind("\n", 0, start - 1) + 1
    return start if text[start:item].partition("\n")[0].rstrip().endswith(":") else item


def _cut(one: Evidence, start: int, end: int) -> Evidence:
    text = one.text[start:end].rstrip()
    start += one.start
    return replace(one, start=start, end=start + len(text), text=text, focus=None, words=frozenset())
