"""What is wrong with a draft's own words: faults that any reader sees, whoever knows the right answer or not.

    35 + 53 × s  another customer's own words: s is their share of what the draft says
    35           the language differs from the message's
    32           the draft ends in the middle
    30           only fragments: a list without a sentence, or a few words
    28           its numbered steps begin in the middle, or leave some out
    20           raw markup shown

They are read off the text by shape alone, so they miss what only a person would notice.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from copilot.domain import Draft, Statement
from copilot.triage import language

FEWEST = 5
"""Fewer words than this, all told, say next to nothing."""
SENTENCE = 5
"""A bullet of fewer words is no sentence."""
READ = 600
"""So many characters of a text tell its language."""
ENOUGH = 60
SURE = 0.7
QUOTED = 90
FIRST_PERSON = re.compile(r"\b(?:I|I['’](?:m|ve|d|ll)|[Mm]y|[Mm]e|[Mm]ine|[Mm]yself)\b")
ADVICE = re.compile(
    r"\bI(?:['’]d| would)\b|\bI (?:also )?(?:suggest|recommend|advise|propose|assume|am not aware)\b|\b(?:let|tell|show|send|give) me\b|"
    r"[\"“][^\"“”]{0,80}\b(?:my|me|I)\b[^\"“”]{0,80}[\"”]|\b(?:how|when|why|where|what|can|should) (?:do |can |should )?I\b",
    re.I,
)
CHATTER = re.compile(
    r"\b(?:user error|problem (?:is )?solved|fixed it|(?:all|it) (?:now )?works (?:now|again|fine)|it worked|imho|btw|lol|"
    r"thank(?:s| you) (?:for (?:your|the|all)|to you)|really appreciate|my bad|(?:re)?solved the problem|cheers)\b|"
    r"^\W*sorry\b|\bthank(?:s| you)\W{0,5}$",
    re.I,
)
MARKUP = re.compile(
    r"\[(?:not )?[a-z][a-z0-9+]{1,15}(?:, ?[a-z][a-z0-9+]{1,15}){0,7}: |\[\[|\{\{|'''|\]\(https?:|&(?:nbsp|lt|gt|amp|quot|#\d{1,5});|"
    r"</?(?:p|div|span|br|ul|ol|li|a|b|i|em|strong|img|table|tr|td|h[1-6]|code|pre)(?:\s[^<>]{0,200})?/?>"
)
OPEN_END = re.compile(
    r"[:,;(\[–-]$|\b(?:and|or|the|a|an|of|to|with|in|on|at|from|for|by|und|oder|der|die|das|et|ou|le|la|de|en|of|y|o|el)$"
)
STEP = re.compile(r"(?:^|\n)[ \t]{0,8}(\d{1,2})[.)] ")
LISTED = re.compile(r"^\s{0,8}(?:[-*•]|\d{1,2}[.)])\s{1,8}")
TONGUES = {
    "en": "English", "de": "German", "fr": "French", "nl": "Dutch", "es": "Spanish", "it": "Italian", "pt": "Portuguese", "pl": "Polish",
    "da": "Danish", "sv": "Swedish", "no": "Norwegian", "fi": "Finnish", "cs": "Czech", "tr": "Turkish", "ja": "Japanese", "zh": "Chinese",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Flaw:
    """One thing that is wrong with the words: its kind, how bad it is and a plain sentence."""

    kind: str
    badness: float
    why: str


def flaws(draft: Draft, message: str) -> tuple[Flaw, ...]:
    """What is wrong with the draft's words as a reply to this message."""
    told = [one for one in draft.statements if one.support != "no_claim"]
    lines = [line for one in told if (line := draft.text[one.start : one.end].strip())]
    if not lines:
        return ()
    parts = (
        _borrowed(draft, told),
        _foreign(message, lines),
        _cut_off(lines),
        _fragments(lines),
        _steps(lines),
        _markup(lines),
    )
    return tuple(flaw for part in parts for flaw in part)  # fmt: skip


def told(draft: Draft) -> str:
    """What the draft tells the customer, without greeting and closing, on one line."""
    claims = [draft.text[one.start : one.end] for one in draft.statements if one.support != "no_claim"]
    return " ".join(" ".join(claims or [draft.text]).split())


def same_words(one: str, other: str) -> bool:
    """Whether two texts say the same but for list marks and spaces."""
    return _plain(one) == _plain(other)


def _borrowed(draft: Draft, told: Sequence[Statement]) -> Iterator[Flaw]:
    """Ticket words in the first person, unless they advise: they are whoever wrote the ticket's, and now sound like ours."""
    taken = [words for one in told if _of_ticket(one) and _personal(words := draft.text[one.start : one.end].strip())]
    if taken:
        length = sum(len(draft.text[one.start : one.end]) for one in told)
        share = min(1.0, sum(map(len, taken)) / max(1, length))
        why = f"It passes on another person’s own words as ours: “{_brief(max(taken, key=len))}”"
        yield Flaw(kind="another customer's own words", badness=35 + 53 * share, why=why)


def _of_ticket(one: Statement) -> bool:
    return any(citation.kind == "ticket" for citation in one.citations)


def _personal(words: str) -> bool:
    return bool(CHATTER.search(words) or FIRST_PERSON.search(ADVICE.sub("", words)))


def _foreign(message: str, lines: Sequence[str]) -> Iterator[Flaw]:
    asked, answered = _tongue(message), _tongue(" ".join(lines))
    if asked and answered and asked != answered:
        why = f"The message is in {TONGUES.get(asked, asked)}, the draft tells its answer in {TONGUES.get(answered, answered)}."
        yield Flaw(kind="language differs", badness=35, why=why)


def _tongue(text: str) -> str | None:
    """The language of a text that is long enough to tell."""
    found = language(text[:READ], "und") if len(text) >= ENOUGH else None
    return found.label if found and found.label != "und" and found.confidence >= SURE else None


def _cut_off(lines: Sequence[str]) -> Iterator[Flaw]:
    if OPEN_END.search(lines[-1]):
        yield Flaw(kind="ends in the middle", badness=32, why=f"It ends in the middle: “{_brief(lines[-1], end=True)}”")


def _fragments(lines: Sequence[str]) -> Iterator[Flaw]:
    words = [len(LISTED.sub("", line).split()) for line in lines]
    if sum(words) < FEWEST or all(line[0] in "-*•" and n < SENTENCE for line, n in zip(lines, words, strict=True)):
        yield Flaw(kind="only fragments", badness=30, why=f"It says next to nothing: “{_brief(' '.join(lines))}”")


def _steps(lines: Sequence[str]) -> Iterator[Flaw]:
    """The first list whose steps do not follow on from 1."""
    before = 0
    for step in map(int, STEP.findall("\n".join(lines))):
        if step not in (1, before, before + 1):
            why = f"Its steps begin at {step}." if not before else f"After step {before} comes step {step}."
            yield Flaw(
                kind="steps begin in the middle", badness=28, why=f"{why} The customer misses what comes before."
            )
            return
        before = step


def _markup(lines: Sequence[str]) -> Iterator[Flaw]:
    for line in lines:
        if found := MARKUP.search(line):
            shown = _brief(line[max(0, found.start() - 20) :], 60)
            yield Flaw(kind="raw markup shown", badness=20, why=f"The customer would see raw markup: “{shown}”")
            return


def _brief(text: str, most: int = QUOTED, end: bool = False) -> str:
    flat = " ".join(text.split())
    if len(flat) <= most:
        return flat
    return f"… {flat[-most:].lstrip()}" if end else f"{flat[:most].rstrip()} …"


def _plain(text: str) -> str:
    return " ".join(LISTED.sub("", text).split())
