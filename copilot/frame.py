"""The lines around a draft's statements: greeting, a line for the mood, who takes over, closing. They claim nothing."""

from __future__ import annotations

from dataclasses import dataclass

from copilot.domain import Conversation
from copilot.grief import grieves
from copilot.ports import Handover
from copilot.query import replies
from copilot.sayable import APOLOGY
from prompts import LANGUAGES, render

TERSE = ("chat", "social")
"""Channels with no room for more than the answer."""
SENTENCE = 4
"""So many words are looked for anywhere in an earlier reply; fewer only as a line of their own."""
MOST_NAMES = 4
NO_NAMES = frozenset(
    "mr mrs ms miss mx dr prof sir madam herr frau mme mlle monsieur madame señor señora sr sra dhr mevr mevrouw the von van de der den del da "
    "la le el al null none nil unknown undefined unbekannt inconnu na info support admin administrator customer kunde client klant cliente guest "
    "gast test tester user anonymous anonym family familie famille team sales office contact kontakt noreply service billing accounts accounting "
    "shop webmaster hello name".split()
)
COMPANY = frozenset(
    "gmbh ag kg ug ohg ltd limited inc llc llp plc corp corporation company co bv nv sarl sas sa srl spa oy ab as aps gbr ev ek".split()
)
UPSET = frozenset({"negative", "very_negative"})
"""Moods that are met with a line of empathy, and in which thanks may be meant otherwise."""
GLAD = frozenset({"positive", "very_positive"})
"""Friendly words around a question are no good news ("my father moves into a home, you were so kind"): only thanks are good to read."""


@dataclass(frozen=True, slots=True)
class Frame:
    """The lines around the statements; they claim nothing."""

    opening: tuple[str, ...]
    closing: tuple[str, ...]


def frame(
    conversation: Conversation,
    sentiment: str,
    language: str,
    tone: str | None,
    handover: Handover | None = None,
    thanked: bool = False,
) -> Frame:
    """Greeting and a line that fits the mood; who takes over; closing that fits the channel. English where the language has no templates.

    Who only thanks (`thanked`) hears that it is good to read, and is asked nothing; who asks in a good mood is thanked for the message.
    Who is upset is not asked in a chat whether that helps, nor is who tells of a death, which nothing but condolence answers.

    Nothing is said twice in a thread, and nobody who has been apologised to is apologised to again.
    """
    language = language if language in LANGUAGES else "en"
    told = replies(conversation)
    grieving = not thanked and grieves(conversation)
    held, channel = thanked or (handover is not None and handover.only), conversation.channel
    inputs = {
        "name": first_name(conversation.customer.name), "channel": channel, "language": language,
        "sentiment": "positive" if thanked else "grieving" if grieving else "neutral" if sentiment in GLAD else sentiment,
        "tone": "short" if held else tone or "", "first": not told,
    }  # fmt: skip
    kind = render("empathy", {**inputs, "tone": "" if thanked else tone or ""})
    empathy = _fresh(kind, "" if thanked else told)
    opening = render("greeting", {**inputs, "tone": tone or ""}), empathy
    passed = _fresh(render("handover", {**inputs, "reason": handover.reason, "only": held}), told) if handover else ""
    silent = ((handover or thanked) and channel in TERSE) or (channel == "chat" and (grieving or sentiment in UPSET))
    alternatives = "" if silent else render("closing", inputs)
    closing = _fresh(alternatives, told)
    if channel != "chat":  # a mail is signed, and in public it is said each time where account details belong
        closing = closing or alternatives.split("%%")[-1].strip()
    return Frame(tuple(filter(None, opening)), tuple(filter(None, (passed, closing))))


def _fresh(alternatives: str, replies: str) -> str:
    """The first alternative that the thread has not seen, without a second apology."""
    seen = {line.strip(" ,.!") for line in replies.split("\n")}
    for words in map(str.strip, alternatives.split("%%")):
        first = words.partition("\n")[0]
        told = first.strip(" ,.!") in seen or (len(first.split()) >= SENTENCE and first in replies)
        if not told and not (APOLOGY.search(words) and APOLOGY.search(replies)):
            return words
    return ""


def first_name(name: str | None) -> str:
    """The customer's first name if it can stand in a greeting, else nothing: no title, no company, no mailbox, no placeholder."""
    words = (name or "").split()
    first = words[0].strip(",.") if words else ""
    plain = first.replace("-", "").replace("’", "").replace("'", "")
    if not plain.isalpha() or not 1 < len(first) <= 30 or len(words) > MOST_NAMES:
        return ""
    if first.lower() in NO_NAMES or any(word.strip(".,").lower() in COMPANY for word in words):
        return ""
    return first.title() if first.isupper() or first.islower() else first
