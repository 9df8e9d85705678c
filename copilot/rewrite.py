"""A reply in other words: what a model makes of it is grounded anew; a translation stands where it keeps each statement's facts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from copilot.domain import Dropped
from copilot.errors import InputError, NeedsModel, TooLarge
from copilot.facts import ADDRESS, NUMBER, menus, says_no
from copilot.ground import Grounded, ground, harm
from copilot.ports import Drafter, DraftRequest, Proposed, Rewrite
from copilot.reading import hosts
from copilot.redact import Redacted, Redactor
from copilot.text import normalise, sentences

SHORTEST, LONGEST = 0.4, 2.5
"""A translation is about as long as what it translates."""
KNOWN_NO = frozenset({"en", "de", "fr", "nl", "es"})
"""Languages whose negations are known."""
CHARS_A_TOKEN, RULES_CHARS = 4, 1_500
"""How a prompt's budget in tokens is kept: of its characters so many are our own words, in every prompt."""
NONE_GIVEN = "it translates no statement that was given"
PARTED = "\n\n\x1f\n\n"
HOW = "Set COPILOT_LLM=provider:model (see docs/settings.md). Without one, `options.tone` may be friendly, formal or short."


def allowed(rewrite: Rewrite | None, model: Drafter | None, prompt_tokens: int) -> None:
    """Raise what stands against it: NeedsModel without a model, InputError where there is nothing to rewrite, TooLarge where a prompt has no room."""
    if rewrite is None:
        return
    if model is None:
        raise NeedsModel(f"Rewriting by instruction, translating and correcting take a language model. {HOW}")
    if not rewrite.text.strip():
        raise InputError("There is no draft to rewrite: the suggestion abstained. Send the reply to rewrite in `text`.")
    most = max(0, prompt_tokens * CHARS_A_TOKEN - RULES_CHARS) // 2
    if len(rewrite.text) > most:
        raise TooLarge(
            f"The reply has {len(rewrite.text)} characters, and a prompt has room for {most}. Send a part of it, or raise COPILOT_LLM_PROMPT_TOKENS."
        )


def hidden(
    text: str, names: Sequence[str], rewrite: Rewrite | None, redactor: Redactor
) -> tuple[Redacted, str, Rewrite | None]:
    """The message and what is to be rewritten, both without personal data and with the same placeholders, and what was taken out."""
    if rewrite is None:
        redacted = redactor.redact(text, names)
        return redacted, redacted.text, None
    redacted = redactor.redact(PARTED.join((text, normalise(rewrite.text), normalise(rewrite.instruction))), names)
    message, reply, instruction = redacted.text.split(PARTED)
    return redacted, message, replace(rewrite, text=reply, instruction=instruction)


def proposed(drafter: Drafter, request: DraftRequest) -> Iterator[Grounded | Dropped]:
    """What the drafter says, each statement grounded or dropped. Raises DrafterFailed."""
    rewrite = request.rewrite
    if rewrite is None or rewrite.task != "translate":
        yield from ground(drafter.stream(request), request.evidence, request.message, request.conversation.channel)
        return
    stand, rest = _standing(rewrite, request)
    if statements := tuple(one.text for one in stand if one.citations):
        asked = replace(request, rewrite=replace(rewrite, statements=statements))
        yield from _translated(drafter.stream(asked), stand, asked)
    for one in rest:
        yield (
            one if rewrite.quoted else Dropped(text=one.text, reason="no source supports it, so it was not translated")
        )


def _standing(rewrite: Rewrite, request: DraftRequest) -> tuple[list[Grounded], list[Grounded | Dropped]]:
    """What is translated: the statements that a source supports, and what we ask between those that were quoted for it; and the others.

    The frame around an agent's reply is none of them: it is made anew, in the other language.
    """
    lines = rewrite.quoted or _lines(rewrite.text, tuple(range(len(request.evidence))))
    judged = list(ground(lines, request.evidence, request.message, request.conversation.channel))
    stand = [one for one in judged if isinstance(one, Grounded) and (one.citations or rewrite.quoted)]
    return stand, [one for one in judged if one not in stand]


def _lines(text: str, evidence: tuple[int, ...]) -> Iterator[Proposed]:
    done = 0
    for start, end in sentences(text):
        gap, done = text[done:start], end
        yield Proposed(text=text[start:end], evidence=evidence, lead=gap if gap.isspace() else "")


def _translated(
    given: Iterable[Proposed], stand: Sequence[Grounded], request: DraftRequest
) -> Iterator[Grounded | Dropped]:
    """Each statement in its place, translated, with its original's citations: whether both say the same no rule can tell, so it is `partial`.

    What the model did not translate, or not truly, stays as it was: a step that is left out misleads. Where it translated nothing, nothing stands.
    """
    claims, done = [i for i, one in enumerate(stand) if one.citations], 0
    own = hosts([one.url for one in request.evidence if one.kind == "article"])
    for one in given:
        at = claims[one.evidence[0]] if len(one.evidence) == 1 and 0 <= one.evidence[0] < len(claims) else -1
        judged = replace(stand[at], text=one.text, support="partial")
        fault = NONE_GIVEN if at < 0 else _fault(one.text, stand[at].text, request.language) or harm(judged, own)
        if fault or at < done:
            yield Dropped(text=one.text, reason=fault or NONE_GIVEN)
            continue
        yield from stand[done:at]
        yield judged
        done = at + 1
    if done:
        yield from stand[done:]


def _fault(text: str, original: str, language: str) -> str:
    """What tells that a translation says something else."""
    if not SHORTEST * len(original) <= len(text) <= LONGEST * len(original):
        return "it is not as long as what it translates"
    if _figures(text) != _figures(original):
        return "its numbers or addresses are not those of what it translates"
    if any(label not in text.casefold() for label in menus(original)):
        return "its menu path is not that of what it translates"
    return "it lost or gained a negation" if language in KNOWN_NO and says_no(text) != says_no(original) else ""


def _figures(text: str) -> list[str]:
    """Numbers and addresses, in order of size; a decimal comma is a decimal point."""
    numbers = (found["number"] or found["amount"] for found in NUMBER.finditer(ADDRESS.sub(" ", text)))
    addresses = (found.rstrip(".,;") for found in ADDRESS.findall(text))
    return sorted([*(number.replace(",", ".") for number in numbers), *addresses])
