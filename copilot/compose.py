"""A reply put together without a model: which sources answer, which of their steps, and what to ask where a fact decides.

Everything is whole sentences of the sources in their order, or such sentences without what is meant for others.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta

from copilot.clauses import content
from copilot.domain import Evidence
from copilot.excerpt import ENOUGH, Bounds, Opened, Wanted, excerpt
from copilot.facts import says_no
from copilot.fit import LEAST, Telling, heading
from copilot.frame import UPSET
from copilot.ports import DraftRequest, Proposed
from copilot.query import replies
from copilot.reading import ADDRESSED, ITEM, Reading, blocks, hosts
from copilot.sayable import DOES, says
from copilot.scripts import COLONS, latin
from copilot.variants import Known, undecided, undecided_plan
from copilot.versions import headed, spoken
from prompts import LANGUAGES, render

VERSIONS = r"\bversion \d[\w.]{0,12} (?:or|and) (?:later|newer|higher|above|earlier|older)\b|\b(?:from|since|before|until|up to|in) version \d"
PLANS = (
    r"\b(?:with|on|in|for|to|have) (?:an? |the |our )?(?:free|basic|standard|plus|premium|pro|professional|business|teams?|family|student|enterprise|"
    r"company|personal|reseller) (?:plan|account|subscription|membership)s?\b"
)
ASKED_FOR = (
    ("order number", re.compile(r"\border (?:number|no\.?|id)\b", re.I), re.compile(r"\b[A-Z]{2,4}-?\d{4,}|\b\d{6,}|\border (?:number|no)", re.I)),
    ("serial number", re.compile(r"\bserial (?:number|no\.?)\b", re.I), re.compile(r"\bserial|\b[A-Z0-9]{8,}\b", re.I)),
    ("version", re.compile(VERSIONS, re.I), re.compile(r"\bversion\b|\bv?\d{1,5}\.\d", re.I)),
    ("account", re.compile(PLANS, re.I), re.compile(r"\b(?:plan|account|subscription|membership|abo|tarif|konto)\b", re.I)),
    ("error code", re.compile(r"\berror (?:code|message)s?\b", re.I), re.compile(r"\berror|\b[A-Z]\d{2,}\b", re.I)),
)  # fmt: skip
# The shares and margins below are set by hand from drafts that were read; docs/evaluation-drafts.md says what still goes wrong.
SHORT_ANSWER = 60
ASKED = 1.5
"""What a whole answer to one of several questions is worth, where a section is looked for that answers it."""
ANSWERED = 0.5
BETTER = 0.25
NEARLY, AS_GOOD = 3.0, 1.0
"""How much less than the best a section may be worth, to answer a further question: one of the same article, and of another."""
BESIDE, BEYOND = 0.8, 0.3
"""The same for a section that is added since it may be the one that answers."""
STALE = timedelta(days=300)
ALIKE = 0.5
MUCH, LATER = 3.0, 0.01
"""A newer page comes first where it is worth at most so much less than the older one of the same title."""
REPEATED = 2.0
KNOWN = 0.8
"""The share of a section's words that an agent has said before, from which it counts as said."""
MOST = 2
FIRST_SHARE = 0.6
FEWEST = 2
COMPLETE = ("email", "form")
"""Where steps are told to the last one, even if nothing else finds room then."""
REPEATS = 0.6
"""The share of statements that were told already, from which a source is not told again."""
PRIVATE_FACTS = ("order number", "serial number", "account")
PRIVATE = re.compile(
    r"\b(?:(?:send|give|tell|write|e-?mail|let) us\b(?: know)?|reply with|share with us)[^.\n]{0,80}\b(?:order number|serial number|card|iban|"
    r"(?:account|customer|phone) number|e-?mail address|postcode|zip code|address|date of birth|password)",
    re.I,
)
"""What asks to be told facts that have no place where everybody reads."""
MOST_STEPS, STEPS_MORE = 24, 600
STEP = re.compile(r"^ *(\d{1,3})(?:[.)] |[、．](?!\d))", re.M)
NEAR_LINES, NEAR_CHARS = 3, 600
"""So far may a step stand from the next one: what is said between them belongs to it."""


def compose(request: DraftRequest, room: Bounds, resolution_from: float) -> Iterator[Proposed]:
    """The statements of a reply in order; none where no source has a sentence to quote."""
    telling = Telling.of(request.message, request.evidence)
    known = Known.of(_asked(request), request.conversation.customer.tier)
    own = hosts([one.url for one in request.evidence if one.kind == "article"])
    wanted = Wanted(telling, known, own)
    first, more = choose(request, telling, resolution_from)
    more = [] if room.tight else more
    share = Bounds(room.statements, int(room.characters * FIRST_SHARE)) if more else room
    told: dict[int, list[Proposed]] = {}
    said_before, again = replies(request.conversation), dict[int, list[Proposed]]()
    for chosen in first:
        lines = _told(request, chosen, wanted, share, room)
        if lines and not _repeats(lines, said_before):
            told[chosen] = lines
            break
        if lines and not again:
            again[chosen] = lines
    told = told or again  # nothing else answers
    for further in more if told else ():
        said = [line for lines in told.values() for line in lines]
        left = Bounds(room.statements - len(said), room.characters - sum(len(line.text) for line in said))
        if further not in told and left.statements >= FEWEST and left.characters >= ENOUGH:
            told[further] = _without_cut(request, _told(request, further, wanted.after(said), left, left))
            if _repeats(told[further], said_before) or _repeats(told[further], "\n".join(line.text for line in said)):
                del told[further]
    lines = [line for number in _in_order(told, request.evidence) for line in _apart(told[number])]
    if request.conversation.channel == "social":
        public = [line for line in lines if not PRIVATE.search(line.text)]
        lines = public if len(public) == len(lines) or len(public) > 1 else []  # a heading alone says nothing
    yield from lines
    if lines:
        yield from _questions(request, lines, known, room)


def _repeats(lines: Sequence[Proposed], said: str) -> bool:
    """Whether most of these statements stand word for word in what was said before."""
    again = [line for line in lines if line.text in said] if said else []
    return bool(again) and len(again) >= REPEATS * len(lines)


def _told(request: DraftRequest, chosen: int, wanted: Wanted, room: Bounds, most: Bounds) -> list[Proposed]:
    """The statements of one source; where its list finds no room for its end it may take all there is, and a little more."""
    opened = Opened.of(request.evidence[chosen], chosen, wanted)
    lines = excerpt(opened, wanted, room)
    if request.tone == "short" or request.conversation.channel not in COMPLETE:
        return lines
    cut, listed = _cut(request, lines), _ends_in_list(lines)
    longer = excerpt(opened, wanted, Bounds(MOST_STEPS, most.characters + STEPS_MORE)) if cut or listed else lines
    return longer if cut or _goes_on(lines, longer) else lines


def _ends_in_list(lines: Sequence[Proposed]) -> bool:
    """Whether the last lines are an item of a list and what is said in it."""
    for line in reversed(lines):
        if ITEM.match(line.text) or "\n\n" in line.lead:
            return ITEM.match(line.text) is not None
    return False


def _goes_on(lines: Sequence[Proposed], longer: Sequence[Proposed]) -> bool:
    """Whether what had more room goes on with the list that these lines end in."""
    following = next(iter(longer[len(lines) :]), None)
    same = following is not None and list(longer[: len(lines)]) == list(lines)
    return bool(same and following and "\n\n" not in following.lead)


def _in_order(told: Mapping[int, Sequence[Proposed]], evidence: Sequence[Evidence]) -> list[int]:
    """The sources as they are told: those of the first one's document as they stand in it, then the others."""
    documents = [evidence[number].document_id for number in told]
    return sorted(told, key=lambda i: (documents.index(evidence[i].document_id), evidence[i].start))


def _apart(lines: Sequence[Proposed]) -> list[Proposed]:
    return [replace(line, lead=line.lead or "\n\n") for line in lines]


def _asked(request: DraftRequest) -> str:
    turns = [m.text for m in request.conversation.messages if m.author == "customer" and m.visibility == "public"]
    return "\n".join([request.conversation.subject, *turns])


# ---- which source ----


def choose(request: DraftRequest, telling: Telling, resolution_from: float) -> tuple[list[int], list[int]]:
    """The sources by how well each answers as a whole, and those that answer further questions.

    A solved ticket leads where it is very near, nearer than any article, and its resolution does something.
    """
    evidence = request.evidence
    worth = _worth(request, telling)
    articles = sorted(worth, key=lambda i: (-worth[i], i))
    least = max([resolution_from, *(evidence[i].score for i in articles)]) if articles else 0.0
    near = (i for i, one in enumerate(evidence) if one.kind == "ticket" and one.score >= least and useful(one))
    best = max(near, key=lambda i: (evidence[i].score, -i), default=None)
    if best is not None:
        return [best, *articles], []
    return articles, _further(articles, worth, request, telling)


def _further(articles: Sequence[int], worth: Mapping[int, float], request: DraftRequest, telling: Telling) -> list[int]:
    """For each thing asked that the best section does not hold, the section that does; then one of the same article that is nearly as good."""
    chosen, several = list(articles[:1]), len(telling.asks) > 1
    below = {
        i: worth[chosen[0]] - worth[i] for i in articles[1:]
        if worth[chosen[0]] - worth[i] <= max((NEARLY, BESIDE) if _same(request, i, chosen[0]) else (AS_GOOD, BEYOND))
    }  # fmt: skip
    for ask in telling.asks if several else ():
        held = max((telling.share(telling.words[i], ask) for i in chosen), default=0.0)
        others = (i for i in below if i not in chosen)  # of another article a place's name alone is no matter
        near = (i for i in others if _same(request, i, chosen[0]) or len(telling.words[i] & ask) >= LEAST)
        share = {i: telling.share(telling.words[i], ask) for i in near}
        fair = [i for i in share if share[i] >= max(ANSWERED, held + BETTER)]
        if fair:
            chosen.append(max(fair, key=lambda i: (ASKED * share[i] - below[i], -i)))
    rivals = (i for i in below if i not in chosen and below[i] <= (BESIDE if _same(request, i, chosen[0]) else BEYOND))
    return [*chosen[1:], *rivals][:MOST]


def _same(request: DraftRequest, one: int, other: int) -> bool:
    return request.evidence[one].document_id == request.evidence[other].document_id


def _replaces(newer: Evidence, older: Evidence) -> bool:
    """Whether a page of much the same title was changed so much later that it is the one that holds."""
    if not newer.date[:10] or not older.date[:10]:
        return False
    if date.fromisoformat(newer.date) - date.fromisoformat(older.date) < STALE:
        return False
    titles = content(newer.title), content(older.title)
    return len(titles[0] & titles[1]) >= ALIKE * max(1, min(map(len, titles)))


def _worth(request: DraftRequest, telling: Telling) -> dict[int, float]:
    """What each section is worth; of one article's sections the best comes first, and what an agent said already comes last."""
    said = content(replies(request.conversation))
    worth = {i: one.fit for i, one in enumerate(request.evidence) if one.kind == "article"}
    for i in worth:
        newer = [worth[j] for j in worth if _replaces(request.evidence[j], request.evidence[i])]
        worth[i] = min([worth[i], *(other - LATER for other in newer if other >= worth[i] - MUCH)])
    for i in worth if said else ():
        words = telling.words[i]
        worth[i] -= REPEATED * (len(words & said) >= KNOWN * len(words))
    others = _for_others(request, worth)
    return {i: value for i, value in worth.items() if i not in others}


def _for_others(request: DraftRequest, sections: Iterable[int]) -> frozenset[int]:
    """The sections that by their heading are for other versions than the customer's, where the same page has one for theirs."""
    mine = spoken(_asked(request))
    bounds = {i: headed(heading(request.evidence[i])) for i in sections} if mine else {}
    fits = {i: any(one.holds(version) for one in some for version in mine) for i, some in bounds.items() if some}
    served = {request.evidence[i].document_id for i, fit in fits.items() if fit}
    return frozenset(i for i, fit in fits.items() if not fit and request.evidence[i].document_id in served)


def useful(one: Evidence) -> bool:
    """Whether a resolution can stand in another customer's mail: an agent's, with something to do in it once chatter is out."""
    if one.solution_by == "customer":
        return False
    kept = [
        span
        for block in blocks(Reading(one.text, tuple(range(len(one.text)))))
        for span in block.spans
        if says(one, ADDRESSED.sub("", one.text[slice(*span)]))
    ]
    words = " ".join(one.text[a:b] for a, b in kept)
    return len(words) >= SHORT_ANSWER and bool(DOES.search(words))


# ---- what to ask ----


def _questions(request: DraftRequest, lines: Sequence[Proposed], known: Known, room: Bounds) -> Iterator[Proposed]:
    """One question where a fact that decides the answer is missing, if the thread has not asked it."""
    platforms, about = _missing(request, lines, known)
    channel = request.conversation.channel
    if request.tone == "short" and not about:
        about = "rest" if _cut(request, lines) else ""
    if channel == "chat":
        calm = request.sentiment not in UPSET  # else a line of empathy takes the third sentence
        wanted = "platform" if platforms else "rest" if _cut(request, lines) else ""
        about = wanted if calm and len(lines) < room.statements else ""
    spoken = request.language in LANGUAGES or all(latin(line.text) for line in lines)
    if not (about and spoken) or channel == "phone" or (channel == "social" and about in PRIVATE_FACTS):
        return
    language = request.language if request.language in LANGUAGES else "en"
    question = render("question", {"about": about, "platforms": platforms, "language": language})
    if question not in replies(request.conversation):
        yield Proposed(text=question, lead="\n\n")


def _missing(request: DraftRequest, lines: Sequence[Proposed], known: Known) -> tuple[list[str], str]:
    """The platforms between which the answer is open, and which fact is missing, if any is."""
    sources = {piece.evidence for line in lines for piece in line.pieces if _labelled(line)}
    platforms = list(
        dict.fromkeys(name for i in sorted(sources) for name in undecided(_marked(request.evidence[i]), known))
    )
    asked = f"{_asked(request)} {_plan(request)}"
    quoted = " ".join(line.text for line in lines if not says_no(line.text))
    missing = ["account"] if any(undecided_plan(_marked(request.evidence[i]), known) for i in sources) else []
    missing += [name for name, wanted, given in ASKED_FOR if wanted.search(quoted) and not given.search(asked)]
    return platforms, "platform" if platforms else missing[0] if missing else ""


def _marked(one: Evidence) -> str:
    """Its text, with the marks of the variants that it begins inside of."""
    return "".join((*one.within, one.text))


def _plan(request: DraftRequest) -> str:
    """What is known of the customer's plan, as if they had said it."""
    return f"my plan: {request.conversation.customer.tier}" if request.conversation.customer.tier else ""


def _without_cut(request: DraftRequest, lines: Sequence[Proposed]) -> list[Proposed]:
    """Without steps whose end found no room, nor what announces them."""
    if not _cut(request, lines):
        return list(lines)
    steps = [_step(request, line) for line in lines]
    first = max(i for i in range(len(lines)) if not i or (steps[i] == 1 and steps[i - 1] != 1))
    while first and lines[first - 1].text.endswith(COLONS):
        first -= 1
    return list(lines[:first]) if first > 1 else []  # a heading alone says nothing


def _step(request: DraftRequest, line: Proposed) -> int:
    """The number of the step that a line ends in; 0 where it is none."""
    last = line.pieces[-1]
    source = request.evidence[last.evidence].text
    found = STEP.match(source, source.rfind("\n", 0, last.start) + 1)
    return int(found[1]) if found else 0


def _cut(request: DraftRequest, lines: Sequence[Proposed]) -> bool:
    """Whether the last step that is told has another one below it in the source."""
    quoted = [line for line in lines if line.pieces]
    last = next((line for line in reversed(quoted) if _step(request, line)), None)
    if last is None or len(quoted) - quoted.index(last) > NEAR_LINES:
        return False
    source = request.evidence[last.pieces[-1].evidence].text
    rest = source[max(piece.end for line in quoted[quoted.index(last) :] for piece in line.pieces) :]
    following = STEP.search(rest.partition("\n#")[0], 0, NEAR_CHARS)
    return following is not None and int(following[1]) == _step(request, last) + 1


def _labelled(line: Proposed) -> bool:
    """Whether names of platforms were put in."""
    return len(line.text) > sum(piece.end - piece.start for piece in line.pieces) + 3
