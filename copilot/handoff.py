"""The summary for the colleague who takes a conversation over: situation, tried, result, open; every line with the words it rests on."""

from __future__ import annotations

import logging
import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Any, Literal, get_args

from pydantic import BaseModel, ValidationError

from copilot.answers import numbers, objects
from copilot.clauses import content
from copilot.domain import Author, Conversation, Dropped, Evidence, Message
from copilot.errors import DrafterFailed
from copilot.ground import ground
from copilot.names import of_thread
from copilot.ports import Proposed, Writer
from copilot.query import says_yes
from copilot.redact import OURS, PLACEHOLDER, Redactor
from copilot.rewrite import CHARS_A_TOKEN, PARTED, RULES_CHARS
from copilot.sayable import DOES
from copilot.scripts import count_words
from copilot.text import normalise, own_sentences, own_words
from copilot.thanks import SOLVES
from prompts import fenced, render, unfenced

log = logging.getLogger(__name__)

Name = Literal["situation", "tried", "result", "open"]
NAMES: tuple[Name, ...] = get_args(Name)
MOST: dict[Name, int] = {"situation": 5, "tried": 4, "result": 3, "open": 3}
"""Lines a section: what a colleague reads in half a minute."""
FIRST, ANSWERS = 2, 3
"""Of the situation: sentences of what was asked first, and answers to what we asked."""
ANSWER_WORDS = 14
MODEL_LINES = 3
FEWEST_WORDS = 2
READ = 20_000
"""Characters of one message that are read: beyond that it is a log."""

TRIED = re.compile(
    r"\b(?:i|we)(?:['’]ve| have| had)? (?:(?:already|also|even|now|just|both|then|first) ){0,3}(?:tried|restarted|rebooted|re-?installed|uninstalled|"
    r"reset|checked|followed|changed|cleared|deleted|removed|updated|upgraded|unplugged|replaced|called|contacted|switched|turned|"
    r"searched|ran|tested|repaired|disabled|enabled|opened|clicked|rang|cleaned|moved|dried|pressed|waited|installed|entered|approved|"
    r"did (?:that|this|so|all of (?:it|that)))\b|^(?:did|tried|checked|restarted|reset) (?:that|it|all|everything)\b"
    r"|\b(?:already|after) (?:tried|trying|restart|reinstall)"
    r"|\bhabe\b.{0,60}\b(?:versucht|probiert|gestartet|installiert|zurückgesetzt|geprüft)\b"
    r"|\bj['’]ai (?:déjà )?(?:essayé|redémarré|réinstallé|vérifié)"
    r"|\bheb\b.{0,60}\b(?:geprobeerd|herstart|opnieuw|gecontroleerd)\b|\b(?:ya )?he (?:probado|intentado|reiniciado|comprobado)\b",
    re.I,
)
DONE = re.compile(
    r"\b(?:i|we)(?:['’]ve| have)? (?:(?:already|now|just|also) ){0,2}(?:sent|refunded|replaced|reset|escalated|checked|asked|contacted|forwarded|"
    r"opened|created|raised|re-?sent|cancelled|credited|looked|tested|passed|added|changed|booked|arranged)\b"
    r"|^(?:asked|called|refunded|sent|checked|escalated)\b",
    re.I,
)
STEP = rf"(?:{DOES.pattern}|(?:touch|carry|dry|clean|sign in|log in|confirm|scan|unscrew|attach|sign out|log out)\b)"
ADVISES = re.compile(
    rf"^(?:please |then |next |now |first |also |if [^,.]{{1,60}}, |\d{{1,2}}[.)] |[-*•] ){{0,3}}{STEP}", re.I
)
SUGGESTS = re.compile(rf"\b(?:please|try|you can|could you try|you could|make sure)\b.{{0,60}}?{STEP}", re.I)
RESULT = re.compile(
    r"\b(?:still|no (?:change|difference|luck|success|effect)|same (?:problem|issue|error|thing|result|message)|"
    r"did(?:n['’]t| not) (?:help|work|change|fix)|does(?:n['’]t| not) (?:help|work|change|fix)|"
    r"(?:that|it|this) (?:worked|helped|fixed|solved|did it|did the trick)|works? (?:now|again|fine)|"
    r"working (?:now|again)|(?:fixed|solved|resolved|gone)(?: now)?$|nothing (?:changed|changes|happens|happened|helped|helps)|persists|"
    r"to no avail|in vain|(?:it|this|that|they)(?:['’]s| is| are| has| have| went| keeps?| came| happened)\b(?! me\b).{0,40}\bagain|"
    r"immer noch|hat nicht geholfen|funktioniert (?:jetzt|wieder|nicht)|toujours|n['’]a rien changé|nog steeds|hielp niet|"
    r"lukt (?:nog )?niet|werkt (?:nu|weer|niet)|sigue|no funcionó|funciona ahora)\b",
    re.I,
)
WANTS = re.compile(
    r"\b(?:please|can you|could you|i (?:want|need|would like|expect)|i['’]d like|how (?:do|can)|"
    r"when (?:will|can)|bitte|s['’]il vous plaît|graag|por favor)\b",
    re.I,
)
PROMISES = re.compile(
    r"\b(?:i|we)(?:['’]ll| will| are going to)\b|\bget back to you\b|\bwir werden\b|\bnous allons\b|\bwe zullen\b", re.I
)
COURTESY = re.compile(
    r"^(?:thank|thanks|many thanks|hope|please help|any help|sorry|merci|danke|bedankt|gracias|let me know|looking forward)\b",
    re.I,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """Words of message number `message` of the conversation, at their place in it as received."""

    message: int
    start: int
    end: int
    quote: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One thing that the next agent should know, who said it, and the words that it rests on."""

    text: str
    author: Author
    spans: tuple[Words, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One of the four parts; it may be empty."""

    name: Name
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class HandOff:
    """A conversation in four sections, always in the same order; `fallback` says that a configured model failed."""

    conversation_id: str
    generator: str
    fallback: bool
    sections: tuple[Section, ...]


class Summariser:
    """Sums conversations up: by rule, and in a model's words where one is configured and keeps to what was said."""

    def __init__(self, model: Writer | None, prompt_tokens: int, redactor: Redactor = OURS) -> None:
        self._model, self._prompt_chars, self._redactor = model, prompt_tokens * CHARS_A_TOKEN, redactor

    def summary(self, conversation: Conversation) -> HandOff:
        """The hand-off; with a model that fails or says nothing that stands, the extractive one."""
        ruled = by_rule(conversation)
        told: list[tuple[Name, Line]] = []
        if self._model is not None:
            try:
                told = list(_by_model(conversation, self._model, self._prompt_chars, self._redactor))
            except DrafterFailed as error:
                log.warning("%s failed, the extractive summary steps in: %s", self._model.name, error)
        notes = [(name, line) for name, line in ruled if _private(conversation, line)]
        generator = self._model.name if told and self._model else "extractive"
        return HandOff(
            conversation_id=conversation.id or "", generator=generator, fallback=self._model is not None and not told,
            sections=tuple(Section(name=name, lines=_of(name, [*told, *notes] if told else ruled)) for name in NAMES),
        )  # fmt: skip


def _of(name: Name, lines: Sequence[tuple[Name, Line]]) -> tuple[Line, ...]:
    return tuple(line for section, line in lines if section == name)


def _private(conversation: Conversation, line: Line) -> bool:
    return conversation.messages[line.spans[0].message].visibility == "private"


# ---- by rule ----


@dataclass(frozen=True, slots=True)
class Said:
    """A sentence of the conversation, with what it is about."""

    message: int
    author: Author
    start: int
    end: int
    text: str

    def line(self, message: Message) -> Line:
        """As a line of the summary."""
        quote = message.text[self.start : self.end]
        return Line(
            text=self.text, author=self.author, spans=(Words(message=self.message, start=self.start, end=self.end, quote=quote),)
        )  # fmt: skip


def by_rule(conversation: Conversation) -> list[tuple[Name, Line]]:
    """Whole sentences of the conversation under their sections, in order; what was said twice stands once."""
    told = list(_sentences(conversation.messages))
    picked: dict[Name, list[Said]] = {"tried": _tried(told), "result": _results(told), "open": _open(told)}
    used = {one for some in picked.values() for one in some}
    done = {*picked["tried"], *picked["result"]}
    left = [one for one in told if one not in done]
    first = _situation(conversation, left, used)
    picked["situation"] = [*first, *_answers(conversation.messages, left, {*used, *first})[-ANSWERS:]]
    return [
        (name, one.line(conversation.messages[one.message]))
        for name in NAMES
        for one in _limited(_distinct(picked[name]), MOST[name], latest=name != "situation")
    ]


def _sentences(messages: Sequence[Message]) -> Iterator[Said]:
    """What customers and staff wrote themselves; wrapped lines are put together, quotes and signatures left out."""
    for index, message in enumerate(messages):
        if message.author in ("customer", "agent"):
            read = message.text[:READ]
            begun = _beginning(read)
            least = 1 if message.author == "customer" and _asked(messages[:index]) else FEWEST_WORDS
            for start, end, text in own_sentences(read[begun:]):
                if count_words(text) >= least and not (count_words(text) < FEWEST_WORDS and says_yes(text)):
                    yield Said(index, message.author, begun + start, begun + end, text)


def _asked(before: Sequence[Message]) -> bool:
    """Whether the last public message before is an agent's with a question in it."""
    last = next(
        (one for one in reversed(before) if one.visibility == "public" and one.author in ("customer", "agent")), None
    )
    return last is not None and last.author == "agent" and "?" in own_words(normalise(last.text[:READ]))


def _beginning(text: str) -> int:
    """Where the writer's own words begin: after "Hi, " within a line, too, so that the sentence behind it is told."""
    first = own_words(normalise(text)).partition("\n")[0]
    return max(0, text.find(first))


def _tried(told: Sequence[Said]) -> list[Said]:
    """What the customer did already, and what staff did or told them to do."""
    return [one for one in told if _is_tried(one)]


def _is_tried(one: Said) -> bool:
    if one.text.endswith("?"):
        return False
    shapes = (TRIED,) if one.author == "customer" else (DONE, ADVISES, SUGGESTS)
    return any(shape.search(one.text) for shape in shapes)


def _results(told: Sequence[Said]) -> list[Said]:
    """What the customer says came of it: after something was tried or answered, not before."""
    after = next((i for i, one in enumerate(told) if one.author == "agent" or _is_tried(one)), len(told))
    return [
        one
        for one in told[after:]
        if one.author == "customer"
        and (RESULT.search(one.text) or SOLVES.search(one.text))
        and not TRIED.search(one.text)
        and not one.text.endswith("?")
    ]


def _open(told: Sequence[Said]) -> list[Said]:
    """What the last speaker left for the other side: the customer's questions and wishes, or ours and what we promised."""
    if not told:
        return []
    last = told[-1].author
    fresh = list(takewhile(lambda one: one.author == last, reversed(told)))[::-1]
    if last == "agent":
        return [one for one in fresh if one.text.endswith("?") or PROMISES.search(one.text)]
    asks = [one for one in fresh if not COURTESY.match(one.text) and not TRIED.search(one.text)]
    return [one for one in asks if one.text.endswith("?")] or [one for one in asks if WANTS.search(one.text)]


def _answers(messages: Sequence[Message], told: Sequence[Said], used: Collection[Said]) -> list[Said]:
    """What the customer answered to our questions: the first words of the letter behind each, where they are few."""
    firsts = {one.message: one for one in reversed(told) if one.author == "customer"}
    return [
        one
        for index, one in sorted(firsts.items())
        if one not in used
        and count_words(one.text) <= ANSWER_WORDS
        and not (one.text.endswith("?") or COURTESY.match(one.text) or says_yes(one.text))
        and _asked(messages[:index])
    ]


def _situation(conversation: Conversation, told: Sequence[Said], used: Collection[Said]) -> list[Said]:
    """The sentences of what the customer wrote before a reply, of those not told elsewhere, that say most of what their letters are about."""
    theirs = [one for one in told if one.author == "customer"]
    replied = next(
        (i for i, one in enumerate(conversation.messages) if one.author == "agent"), len(conversation.messages)
    )
    first = [one for one in theirs if one.message < replied] or [
        one for one in theirs if one.message == theirs[0].message
    ]
    free = [one for one in first if one not in used and not COURTESY.match(one.text)] or first
    free = [one for one in free if not one.text.endswith("?")] or free
    about = Counter(word for one in theirs for word in content(one.text))
    about.update(2 * list(content(normalise(conversation.subject))))

    def telling(one: Said) -> float:
        words = content(one.text)
        return sum(about[word] for word in words) / (6 + len(words))

    best = sorted(free, key=lambda one: (-telling(one), one.message, one.start))[:FIRST]
    return sorted(best, key=lambda one: (one.message, one.start))


def _distinct(lines: Sequence[Said]) -> list[Said]:
    seen: dict[str, Said] = {}
    for one in lines:
        seen.setdefault(one.text.casefold(), one)
    return list(seen.values())


def _limited(lines: Sequence[Said], most: int, *, latest: bool) -> Sequence[Said]:
    """The latest lines of a section that outgrows a glance; of the situation the first."""
    return lines[-most:] if latest else lines[:most]


# ---- by a model ----


class _Answer(BaseModel):
    section: Name
    text: str
    messages: list[int]


def _by_model(conversation: Conversation, model: Writer, chars: int, redactor: Redactor) -> Iterator[tuple[Name, Line]]:
    """The model's lines that the messages they name support, with the customer's own data back in place. Raises DrafterFailed."""
    shown = _shown(conversation, chars)
    said = PARTED.join(normalise(conversation.messages[i].text) for i in shown)
    whole = redactor.redact(said, of_thread(conversation))
    inputs = [
        {"author": conversation.messages[i].author, "text": fenced(text[: chars // 2])}
        for i, text in zip(shown, whole.text.split(PARTED), strict=True)
    ]
    evidence = [_evidence(i, conversation.messages[i]) for i in shown]
    counts = Counter[str]()
    for value in objects(model.lines(render("summary", {"messages": inputs}))):
        answer = _read(value)
        if answer is None or counts[answer.section] >= MODEL_LINES:
            continue
        text = whole.restore(unfenced(" ".join(normalise(answer.text).split())))
        named = tuple(number - 1 if 1 <= number <= len(shown) else len(shown) for number in answer.messages)
        for judged in () if PLACEHOLDER.search(text) else ground([Proposed(text=text, evidence=named)], evidence):
            if not isinstance(judged, Dropped) and judged.citations:
                counts[answer.section] += 1
                spans = tuple(
                    Words(message=int(c.document_id), start=c.start, end=c.end, quote=c.quote) for c in judged.citations
                )
                yield (
                    answer.section,
                    Line(text=text, author=conversation.messages[spans[0].message].author, spans=spans),
                )


def _shown(conversation: Conversation, chars: int) -> list[int]:
    """The public messages that fit the budget: the first, and the latest ones."""
    public = [i for i, m in enumerate(conversation.messages) if m.visibility == "public" and m.text.strip()]
    left, kept = chars - RULES_CHARS, list[int]()
    for index in [*public[:1], *reversed(public[1:])]:
        left -= min(len(conversation.messages[index].text), chars // 2)
        if left < 0:
            break
        kept.append(index)
    return sorted(kept)


def _read(value: Mapping[str, Any]) -> _Answer | None:
    try:
        return _Answer.model_validate({**value, "messages": numbers(value.get("messages"))})
    except ValidationError:
        return None


def _evidence(index: int, message: Message) -> Evidence:
    return Evidence(
        document_id=str(index), revision=0, start=0, end=len(message.text), text=message.text, title="", url=None, kind="ticket"
    )  # fmt: skip
