"""A reply put together without a model: which sources answer, which of their steps, and what to ask where a fact decides.

Everything is whole sentences of the sources in their order, or such sentences without what is meant for others.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace

from copilot.domain import Evidence
from copilot.excerpt import ENOUGH, Room, Telling, Wanted, excerpt
from copilot.ground import content
from copilot.ports import DraftRequest, Proposed
from copilot.reading import ITEM, Reading, blocks, hosts
from copilot.sayable import DOES, says
from copilot.variants import Known, undecided
from prompts import render

ASKED_FOR = (
    ("order number", re.compile(r"\border (?:number|no\.?|id)\b", re.I), re.compile(r"\b[A-Z]{2,4}-?\d{4,}|\b\d{6,}|\border (?:number|no)", re.I)),
    ("serial number", re.compile(r"\bserial (?:number|no\.?)\b", re.I), re.compile(r"\bserial|\b[A-Z0-9]{8,}\b", re.I)),
    ("error code", re.compile(r"\berror (?:code|message)s?\b", re.I), re.compile(r"\berror|\b[A-Z]\d{2,}\b", re.I)),
)  # fmt: skip
# The shares and margins below are set by hand from drafts that were read; docs/evaluation-drafts.md says what still goes wrong.
SHORT_ANSWER = 60
MUCH_NEW = 0.3
NEAR_AS = 0.03
NEW_SAME = 0.12
NEAR_SAME = 0.15
EXCLUDES = 0.15
LATER = 0.07
STEPS = 0.08
HOW = re.compile(
    r"\bhow (?:do|can|to|would|should|could)\b|\bsteps?\b|\bset(?:ting)? ?up\b|\binstructions?\b|\bwalk me\b", re.I
)
EXCEPTION = re.compile(r"\b(?:not|except\w{0,4}|cannot|nicht|niet|sauf|salvo)\b", re.I)
FAIR = 0.8
FEWEST = 2


def compose(request: DraftRequest, room: Room, resolution_from: float) -> Iterator[Proposed]:
    """The statements of a reply in order; none where no source has a sentence to quote."""
    telling = Telling.of(request.message, request.evidence)
    known = Known.of(_asked(request), request.conversation.customer.tier)
    own = hosts([one.url for one in request.evidence if one.kind == "article"])
    wanted = Wanted(telling, known, own)
    first, second = choose(request, telling, resolution_from)
    for chosen in first:
        lines = excerpt(request.evidence[chosen], chosen, wanted, room)
        if lines:
            break
    else:
        return
    yield from lines
    said = content(" ".join(line.text for line in lines))
    left = Room(room.statements - len(lines), room.characters - sum(len(line.text) for line in lines))
    if second is not None and left.statements >= FEWEST and left.characters >= ENOUGH:
        more = excerpt(request.evidence[second], second, replace(wanted, said=frozenset(said)), left)
        yield from (replace(line, lead=line.lead or "\n\n") for line in more)
        lines += more
    yield from _questions(request, lines, known, room)


def _asked(request: DraftRequest) -> str:
    turns = [m.text for m in request.conversation.messages if m.author == "customer" and m.visibility == "public"]
    return "\n".join([request.conversation.subject, *turns])


# ---- which sources ----


def choose(request: DraftRequest, telling: Telling, resolution_from: float) -> tuple[list[int], int | None]:
    """The sources to draw on: the best section or a very similar case first, others to fall back on; and one for what the first leaves open."""
    evidence = request.evidence
    worth = _worth(evidence, telling, bool(HOW.search(request.message)))
    articles = sorted(worth, key=lambda i: (-worth[i], i))
    tickets = [i for i, one in enumerate(evidence) if one.kind == "ticket" and useful(one)]
    best = max(tickets, key=lambda i: (evidence[i].score, -i), default=None)
    near = max((evidence[i].score for i in articles), default=0.0)
    if best is not None and (not articles or evidence[best].score >= max(resolution_from, near)):
        return [best, *articles], None
    return articles, _second(evidence, articles, worth, telling, request.message.count("?"))


def _second(
    evidence: Sequence[Evidence], articles: Sequence[int], worth: Mapping[int, float], telling: Telling, asks: int
) -> int | None:
    """A further section where the message asks for more than the first one holds."""
    if not articles or asks < 2:
        return None
    first = evidence[articles[0]]
    left = telling.without(telling.words[articles[0]])
    for index in articles[1:]:
        other = evidence[index]
        new = telling.share(left.weights.keys() & telling.words[index])
        same = other.document_id == first.document_id
        near = other.near >= first.near - (NEAR_SAME if same else NEAR_AS)
        if new >= (NEW_SAME if same else MUCH_NEW) and near and worth[index] >= FAIR * worth[articles[0]]:
            return index
    return None


def _worth(evidence: Sequence[Evidence], telling: Telling, how: bool) -> dict[int, float]:
    """What each section is worth; of one article's sections the best-matching comes first, steps before prose where steps are asked for."""
    worth: dict[int, float] = {}
    earlier = Counter[str]()
    for index, one in enumerate(evidence):
        if one.kind == "article":
            steps = STEPS if how and "\n1. " in one.text else 0.0
            worth[index] = worthy(one, telling, telling.words[index]) + steps - LATER * earlier[one.document_id]
            earlier[one.document_id] += 1
    return worth


def worthy(one: Evidence, telling: Telling, words: Collection[str]) -> float:
    """How well a section answers: its document's rank, its passage's nearness, and the share of the message's words that it holds."""
    heading = one.text.partition("\n")[0] if one.text.startswith("#") else ""
    exclusion = EXCLUDES if EXCEPTION.search(heading) else 0.0
    return 3 * one.rank + one.near - exclusion + telling.share(words) / (1 + math.log(1 + len(words) / 40))


def useful(one: Evidence) -> bool:
    """Whether a resolution can stand in another customer's mail: an agent's, with something to do in it once chatter is out."""
    if one.solution_by == "customer":
        return False
    kept = [
        span
        for block in blocks(Reading(one.text, tuple(range(len(one.text)))))
        for span in block.spans
        if says(one, one.text[slice(*span)])
    ]
    words = " ".join(one.text[a:b] for a, b in kept)
    return len(words) >= SHORT_ANSWER and bool(DOES.search(words))


# ---- what to ask ----


def _questions(request: DraftRequest, lines: Sequence[Proposed], known: Known, room: Room) -> Iterator[Proposed]:
    """One question where a fact that decides the answer is missing."""
    sources = {piece.evidence for line in lines for piece in line.pieces if _labelled(line)}
    platforms = [name for i in sorted(sources) for name in undecided(request.evidence[i].text, known)]
    asked, quoted = _asked(request), " ".join(line.text for line in lines)
    missing = [name for name, wanted, given in ASKED_FOR if wanted.search(quoted) and not given.search(asked)]
    about = "platform" if platforms else missing[0] if missing else ""
    if request.tone == "short" and not about:
        about = "rest" if _cut(request, lines) else ""
    if request.conversation.channel == "chat":
        calm = request.sentiment not in ("negative", "very_negative")  # else a line of empathy takes the third sentence
        about = "rest" if calm and len(lines) >= room.statements and _cut(request, lines) else ""
    if about and request.conversation.channel != "phone":
        question = render("question", {"about": about, "platforms": list(dict.fromkeys(platforms))})
        yield Proposed(text=question, lead="\n\n")


def _cut(request: DraftRequest, lines: Sequence[Proposed]) -> bool:
    """Whether the last line is a step and the source has more of them."""
    if not lines or not lines[-1].pieces:
        return False
    last = lines[-1].pieces[-1]
    source = request.evidence[last.evidence].text
    listed = ITEM.match(source, source.rfind("\n", 0, last.start) + 1)
    following = source[last.end :].partition("\n")[2].lstrip()
    return bool(listed and ITEM.match(following))


def _labelled(line: Proposed) -> bool:
    """Whether names of platforms were put in."""
    return len(line.text) > sum(piece.end - piece.start for piece in line.pieces) + 3
