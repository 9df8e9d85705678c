"""Whether a draft's citations are what they say they are, carry what they stand behind, and are the right ones."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import groupby

from copilot.clauses import WORD
from copilot.domain import Citation, Statement
from copilot.variants import SPOKEN
from eval.metrics import Metric, Outcome
from eval.rates import Kind, Rows, harmonic, rates, share
from eval.support import Judge, Level, contains, fold

Place = tuple[str, int, int]
"""Document, start, end."""
NOWHERE = "\0unknown"
_SPOKEN = "|".join(SPOKEN.values())
_PLATFORM = re.compile(
    rf"\((?:not )?(?:{_SPOKEN})(?:, (?:{_SPOKEN}))*\)|(?:\bnot )?\b(?:{_SPOKEN})(?:, (?:{_SPOKEN}))*:"
)
"""How a draft names the platforms of a variant that the source marks as `[win,mac: …]`."""

KINDS = (
    Kind(
        "exactness",
        "Share of citations that quote their source to the letter, and of extractive statements that stand in what they quote; a promise: 1.",
        invariant=True,
    ),
    Kind("validity", "Share of citations that lead to a stretch of a stored document that can be read; a promise: 1.", invariant=True),
    Kind("coverage", "Share of claiming statements with a citation; 1 is best."),
    Kind("gold_precision", "Share of a draft's cited documents that are among the right ones; 1 is best."),
    Kind("gold_recall", "Share of the right documents that the draft cites; 1 is best."),
    Kind("gold_spans", "Overlap (F1 over characters) of the cited stretches with the right ones, counting silence as none; 1 is best."),
)  # fmt: skip


def citations(outcomes: Sequence[Outcome], judge: Judge) -> list[Metric]:
    """The citations of the drafts against their sources, against the judge at each of its levels, and against the gold documents.

    exactness: held checks / checks, one a citation (quote = text[start:end] of its revision) and one a supported statement of an extractive
    draft (its words, in one spelling, stand in a quote or are its quotes'). validity: citations whose stretch is in the text.
    ALCE (Gao et al. 2023, `compute_autoais`), over the claiming statements s_1..s_n with citations C_i, passages "Title: t\\n text":
    recall = 1/n Σ r_i with r_i = 0 where C_i is empty or any of it is invalid, else sup(all of C_i, s_i); precision = precise citations /
    citations, 0 without any, where with r_i = 1 the citation c is precise if it is alone, or sup(c, s_i), or not sup(C_i without c, s_i); f1 is
    the harmonic mean of a case's two. gold_precision = |C ∩ G| / |C|, gold_recall = |C ∩ G| / |G| over document ids. gold_spans: with
    characters cited P and right G, 2|P ∩ G| / (|P| + |G|), 1 where both are empty.
    """
    kinds = (*KINDS, *(kind for level in judge.levels for kind in _support_kinds(level)))
    return rates("citations", kinds, outcomes, partial(_row, judge=judge))


def cited(outcome: Outcome) -> list[Citation]:
    """All citations of the draft, in its order; none where there is no draft."""
    draft = outcome.suggestion.draft
    return [one for statement in (draft.statements if draft else ()) for one in statement.citations]


def claiming(outcome: Outcome) -> list[tuple[str, Statement]]:
    """The draft's statements that claim anything, with their words; none where there is no draft."""
    draft = outcome.suggestion.draft
    statements = draft.statements if draft else ()
    return [(draft.text[one.start : one.end], one) for one in statements if one.support != "no_claim"] if draft else []


def words_cited(outcome: Outcome, citation: Citation) -> str | None:
    """The stored words at the citation's place; None where it leads nowhere."""
    text = outcome.texts.get((citation.document_id, citation.revision), "")
    return text[citation.start : citation.end] if 0 <= citation.start < citation.end <= len(text) else None


def _support_kinds(level: Level) -> Iterator[Kind]:
    by = {"exact": "word for word", "lexical": "by their words, numbers and negations", "nli": "by an NLI model"}[level]
    yield Kind(f"recall.{level}", f"Share of claiming statements that their citations support, {by}; 1 is best.")
    yield Kind(
        f"precision.{level}",
        f"Share of citations that their statement needs or that support it alone, {by}; 1 is best.",
    )
    yield Kind(f"f1.{level}", f"Citation recall and precision in one number, {by}; 1 is best.")


def _row(outcome: Outcome, judge: Judge) -> Rows:
    rows = {"gold_spans": _gold_spans(outcome)}
    if outcome.suggestion.draft is None:
        return rows
    places = cited(outcome)
    statements = claiming(outcome)
    support = [_alce(outcome, statements, judge, level) for level in judge.levels] if statements else []
    return {
        **rows,
        "exactness": share(list(_exact(outcome))),
        "validity": share([words_cited(outcome, one) is not None for one in places]),
        "coverage": share([bool(statement.citations) for _, statement in statements]),
        **_gold(outcome),
        **{name: value for one in support for name, value in one.items()},
    }


def _exact(outcome: Outcome) -> Iterator[bool]:
    for citation in cited(outcome):
        yield words_cited(outcome, citation) == citation.quote
    draft = outcome.suggestion.draft
    if draft and draft.generator == "extractive":
        for text, statement in claiming(outcome):
            if statement.support == "supported":
                yield _put_together(text, _quotes(statement))


def _put_together(text: str, quotes: Sequence[str]) -> bool:
    """Whether the words stand in one quote, or are those of quotes in a row; a variant's platform may be named between them."""
    if any(contains(text, one) for one in quotes):
        return True
    runs = (quotes[i:j] for i in range(len(quotes)) for j in range(i + 1, len(quotes) + 1))
    words = (_spelt(text), _spelt(_PLATFORM.sub(" ", text)))
    return any(_spelt(" ".join(run)) in words for run in runs)


def _spelt(text: str) -> list[str]:
    return [word.casefold() for word in WORD.findall(fold(text))]


def _quotes(statement: Statement) -> list[str]:
    return [citation.quote for citation in statement.citations]


# ---- ALCE ----


def _alce(
    outcome: Outcome, statements: Sequence[tuple[str, Statement]], judge: Judge, level: Level
) -> Mapping[str, float]:
    supported, precise, total = 0, 0, 0
    for text, statement in statements:
        passages = [_passage(outcome, citation) for citation in statement.citations]
        needed = _precise(text, passages, judge, level)
        supported, precise, total = supported + (needed is not None), precise + (needed or 0), total + len(passages)
    recall, precision = supported / len(statements), precise / total if total else 0.0
    return {f"recall.{level}": recall, f"precision.{level}": precision, f"f1.{level}": harmonic(precision, recall)}


def _passage(outcome: Outcome, citation: Citation) -> str | None:
    words = words_cited(outcome, citation)
    return None if words is None else f"Title: {citation.title}\n{words}"


def _precise(text: str, passages: Sequence[str | None], judge: Judge, level: Level) -> int | None:
    """How many of a statement's citations are precise; None where they do not support it together."""
    known = [passage for passage in passages if passage is not None]
    if not known or len(known) < len(passages) or not judge.supports(text, "\n".join(known), level):
        return None
    return sum(_is_needed(text, known, index, judge, level) for index in range(len(known)))


def _is_needed(text: str, passages: Sequence[str], index: int, judge: Judge, level: Level) -> bool:
    rest = "\n".join((*passages[:index], *passages[index + 1 :]))
    return not rest or judge.supports(text, passages[index], level) or not judge.supports(text, rest, level)


# ---- gold ----


def _gold(outcome: Outcome) -> Rows:
    gold = {*(outcome.case.gold_docs or ()), *(outcome.case.gold_tickets or ())}
    if not gold:
        return {}
    ids = {citation.document_id for citation in cited(outcome)}
    return {"gold_precision": len(ids & gold) / len(ids) if ids else 0.0, "gold_recall": len(ids & gold) / len(gold)}


def _gold_spans(outcome: Outcome) -> float | None:
    if outcome.case.gold_spans is None:
        return None
    right = list(_right(outcome))
    if outcome.case.gold_spans and not right:
        return None  # they name whole documents only
    said = [(one.document_id, one.start, one.end) for one in cited(outcome)]
    right_size, said_size = _size(right), _size(said)
    shared = right_size + said_size - _size([*right, *said])
    return 2 * shared / (right_size + said_size) if right_size + said_size else 1.0


def _right(outcome: Outcome) -> Iterator[Place]:
    """Where the gold spans lie; a quote in a document that was neither cited nor shown lies somewhere else."""
    texts = {document: text for (document, _), text in sorted(outcome.texts.items())}
    for number, span in enumerate(outcome.case.gold_spans or ()):
        if span.start is not None and span.end is not None:
            yield span.document_id, span.start, span.end
        elif span.quote:
            at = texts.get(span.document_id, "").find(span.quote)
            yield (span.document_id if at >= 0 else f"{NOWHERE}{number}", max(at, 0), max(at, 0) + len(span.quote))


def _size(places: Iterable[Place]) -> int:
    """How many characters the places cover together, each counted once."""
    size = 0
    for _, some in groupby(sorted(places), key=lambda place: place[0]):
        reached = 0
        for _, start, end in some:
            size, reached = size + max(0, end - max(start, reached)), max(reached, end)
    return size
