"""Contradictions: an article and something newer on the same matter that cannot both be right."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from copilot.ports import Vectors
from copilot.scripts import LETTERED
from copilot.variants import PLATFORMS
from ingest.insights.claims import Claim, Fact, claim
from ingest.insights.heads import head
from ingest.insights.material import Entry, of_kinds
from ingest.insights.nouns import Contradiction, Difference, Differing, Sides, Words, name
from ingest.insights.opposites import agreed, opposed
from ingest.insights.order import other_order
from ingest.insights.sides import Said, Side, Weights, candidates, stems

Embed = Callable[[Sequence[str]], Vectors]
Facts = tuple[tuple[Fact | None, Fact | None], ...]
"""Of each difference the article's fact and the other's; what one side only denies has a fact on that side alone."""

LIKELIEST, A_PAIR = 600, 3
"""Pairs of statements that are also compared by meaning, which takes the model; and how many of them one pair of documents may have."""
LOOKED_AT = 12
"""So many pairs of statements of two documents are read for their facts."""
WHOLE, SAME = 4, 0.6
"""Words of meaning that make a sentence, and the share of them that make two the same."""
PIECE = re.compile(rf"^(?:\d{{1,3}}[.)]|{LETTERED}) | \| ")
FEWEST = 2
ROUGHLY = 0.5
"""The cosine that is supposed before the model is asked."""
CHANGED = re.compile(
    r"\b(?:no longer|not any ?more|n['’]t any ?more|any ?more|now|since then|has changed|have changed|nowadays|nicht mehr|kein\w* mehr|inzwischen|"
    r"jetzt|mittlerweile|neuerdings|leider)\b", re.I,
)  # fmt: skip
DENIES = re.compile(r"\b(?:not|cannot|never|no longer|[a-z]{2,8}n['’]t|nicht|nie|niemals|nunca|jamais)\b", re.I)
"""A verb denied; "no" and "without" deny things, which the other statement may leave out."""
SUPPOSED = re.compile(r"\b(?:if|unless|in case|whether|should|wenn|falls|ob|si)\b[^,.;:]*\Z", re.I)
AROUND = 40
EXCEPTION = re.compile(
    r"\b(?:example|e\.g|for instance|exception\w*|gesture|goodwill|normally|usually|one-off|in your case|in that case|in this case|as a courtesy|"
    r"Beispiel|ausnahmsweise|Kulanz|normalerweise|i see that|your order|your parcel|you are on|you're on)\b", re.I,
)  # fmt: skip
ABSOLUTE = re.compile(
    r"\b(?:always|never|any|all|every|only|must|cannot|can't|no|none|nobody|nothing|everyone|everything|at all|whatever|ever|solely|exclusively|"
    r"immer|nie|nur|alle|kein\w*|jede\w*|toujours|jamais|aucun\w*|siempre|nunca|ning\w+)\b", re.I,
)  # fmt: skip
CONDITION = re.compile(
    r"\b(?:if|when|unless|except|once|as long as|in case|until then|wenn|falls|sofern|si|sauf|salvo)\b", re.I
)
REGRET = re.compile(
    r"\b(?:sorry|afraid|unfortunately|apolog\w+|regret|sadly|leider|bedauer\w+|tut mir leid|désolée?|malheureusement|lo siento|"
    r"lamentablemente|helaas)\b", re.I,
)  # fmt: skip
KINDS: tuple[tuple[str, Difference], ...] = (
    ("version", "version"), ("date", "date"), ("time", "date"), ("weekday", "date"), ("path", "step"), ("amount", "number"),
    ("negation", "negation"),
)  # fmt: skip


def contradictions(entries: Sequence[Entry], embed: Embed) -> list[Contradiction]:
    """Articles against newer articles and tickets, one finding a pair of documents, likeliest first.

    Words decide which pairs are likely; `embed` is asked about the likeliest of them alone.
    """
    judge, best = head("contradictions"), dict[tuple[str, str], Clash]()
    for one in weighed(clashes(entries), embed):
        if one.score >= judge.enough:
            best.setdefault((one.article.entry.id, one.other.entry.id), one)
    return sorted(map(_made, best.values()), key=lambda made: (-made.score, made.id))


# ---- whether they contradict ----


@dataclass(frozen=True, slots=True)
class Clash:
    """Two statements that differ in something, and how likely it is that both cannot be right."""

    article: Side
    other: Side
    score: float
    what: Difference
    ours: Said
    theirs: Said
    facts: Facts
    features: Mapping[str, float]

    @property
    def order(self) -> tuple[float, str, str, int, int]:
        """Likeliest first, then by place."""
        return -self.score, self.article.entry.id, self.other.entry.id, self.ours.start, self.theirs.start


def clashes(entries: Sequence[Entry], likeliest: int = LIKELIEST, a_pair: int = A_PAIR) -> list[Clash]:
    """The pairs of statements that are likeliest by their words, of each pair of documents a few."""
    sides = [Side(entry) for entry in of_kinds(entries, ("article", "ticket"))]
    weights = Weights.over(sides)
    pairs = (one for article, other in candidates(sides) for one in _clashes(article, other, weights)[:a_pair])
    return sorted(pairs, key=lambda one: one.order)[:likeliest]


def _clashes(article: Side, other: Side, weights: Weights) -> list[Clash]:
    """The likeliest clashes of two documents by their words, among the pairs of statements that share most of theirs."""
    passages = round(float((article.entry.vectors @ other.entry.vectors.T).max()), 6)
    found = [
        _clash(article, ours, other, theirs, weights, facts, _what(facts), passages)
        for ours, theirs in _alike(article, other, weights)
        for facts in (_facts(article, ours, other, theirs),)
        if facts or _tell(ours, theirs)
    ]
    if steps := other_order(article, other, weights):
        found.append(_clash(article, steps[0], other, steps[1], weights, (), "step", passages))
    return sorted(found, key=lambda one: one.order)


def _alike(article: Side, other: Side, weights: Weights) -> list[tuple[Said, Said]]:
    """The pairs of statements to look at: those that share most words first, then as they stand."""
    ours, theirs = _stated(article), _stated(other)
    if not ours or not theirs:
        return []
    columns = {word: at for at, word in enumerate(sorted(frozenset().union(*(one.words for one in ours))))}
    tell = np.array([weights.of.get(word, weights.most) for word in columns])
    shared = (_table(ours, columns) * tell) @ _table(theirs, columns).T
    least = np.minimum.outer(*(np.array([weights.sum(one.words) for one in said]) for said in (ours, theirs)))
    share = np.round(shared / np.maximum(least, 1e-9), 6).ravel()
    places = np.argsort(-share, kind="stable")[:LOOKED_AT].tolist()
    return [(ours[at // len(theirs)], theirs[at % len(theirs)]) for at in places]


def _table(said: Sequence[Said], columns: Mapping[str, int]) -> NDArray[np.float64]:
    """A row a statement, with 1 for each of these words that it has."""
    held = np.zeros((len(said), len(columns)))
    for row, one in enumerate(said):
        held[row, [columns[word] for word in one.words if word in columns]] = 1
    return held


def _stated(side: Side) -> list[Said]:
    """Its statements that are no questions."""
    return [one for one in side.said if not one.claim.text.endswith("?")]


def _tell(ours: Said, theirs: Said) -> bool:
    """Whether two statements without a differing fact may say the opposite: whole sentences, not numbered steps or rows of a table, and not
    nearly the same words unless one denies or they hold opposites."""
    one, its = ours.claim, theirs.claim
    if any(len(claim.words) < WHOLE or PIECE.search(claim.text) for claim in (one, its)):
        return False
    same = len(one.words & its.words) / min(len(one.words), len(its.words)) >= SAME
    return not same or bool(one.denials) != bool(its.denials) or bool(opposed(one.text, its.text))


def _facts(article: Side, ours: Said, other: Side, theirs: Said) -> Facts:
    """The facts that differ, or else what one side denies."""
    differing = _differing(article, ours.claim, other, theirs.claim)
    return differing or _denied(ours.claim, theirs.claim, bool(CHANGED.search(theirs.told)))


def _clash(
    article: Side, ours: Said, other: Side, theirs: Said, weights: Weights, facts: Facts, what: Difference, passages: float
) -> Clash:  # fmt: skip
    shared = weights.sum(ours.words & theirs.words)
    least = max(min(weights.sum(ours.words), weights.sum(theirs.words)), 1e-9)
    one, its = ours.claim.text, theirs.claim.text
    features = {
        "cosine": ROUGHLY, "titled": ROUGHLY, "asked": ROUGHLY, "documents": float(article.entry.mean @ other.entry.mean), "passages": passages,
        "either": shared / max(weights.sum(ours.words | theirs.words), 1e-9), "mutual": shared / least,
        "new": 1 - weights.share(theirs.words, article.words), "missing": 1 - weights.share(ours.words, other.words),
        **{f"in_{kind}": float(kind == what and bool(facts)) for kind in ("number", "date", "version", "step", "negation")},
        "in_order": float(what == "step" and not facts), "stated": float(bool(theirs.claim.facts)),
        "denies": float(bool(ours.claim.denials) != bool(theirs.claim.denials)),
        "opposed": min(len(opposed(one, its)), 3) / 3, "one_side": min(len(agreed(one, its)), 3) / 3,
        "same_facts": min(len(_values(ours) & _values(theirs)), 3) / 3,
        "changed": float(bool(CHANGED.search(theirs.told))), "exception": float(bool(EXCEPTION.search(theirs.told))),
        "absolute": float(bool(ABSOLUTE.search(its))), "condition": float(bool(CONDITION.search(its))), "regret": float(bool(REGRET.search(its))),
        "another": float(_other_subject(article, ours, other, theirs)),
    }  # fmt: skip
    return Clash(article, other, head("contradictions").score(features), what, ours, theirs, facts, features)


def _values(said: Said) -> set[tuple[str, str]]:
    return {(fact.type, fact.value) for fact in said.claim.facts}


def weighed(likely: Sequence[Clash], embed: Embed) -> list[Clash]:
    """The clashes scored anew with the likeness of their statements' meaning, alone and under their titles, likeliest first."""
    texts = sorted({text for one in likely for text in _texts(one)})
    vectors = dict(zip(texts, embed(texts), strict=True)) if texts else {}
    made = []
    for one in likely:
        ours, theirs, our_title, ours_titled, theirs_titled = (vectors[text].astype(np.float64) for text in _texts(one))
        near = {"cosine": ours @ theirs, "titled": ours_titled @ theirs_titled, "asked": our_title @ theirs}
        features = {**one.features, **{name: round(float(value), 6) for name, value in near.items()}}
        made.append(replace(one, score=head("contradictions").score(features), features=features))
    return sorted(made, key=lambda one: one.order)


def _texts(one: Clash) -> tuple[str, str, str, str, str]:
    """Both statements, the article's title, and both statements under their titles."""
    ours, theirs, title = one.ours.claim.text, one.theirs.claim.text, one.article.entry.document.title
    return ours, theirs, title, f"{title}. {ours}", f"{one.other.entry.document.title}. {theirs}"


def _differing(article: Side, ours: Claim, other: Side, theirs: Claim) -> Facts:
    """Facts of the same type with other values, where neither document names the other's value elsewhere as its own."""
    found = []
    for type in sorted({fact.type for fact in ours.facts} & {fact.type for fact in theirs.facts}):
        mine, its = ours.of(type), theirs.of(type)
        if type == "amount:" or {fact.value for fact in mine} & {fact.value for fact in its}:
            continue
        if any((type, fact.value) in other.values for fact in mine) or any(
            (type, fact.value) in article.values for fact in its
        ):
            continue
        if type == "path" and any(
            a.value.startswith(b.value) or b.value.startswith(a.value) for a in mine for b in its
        ):
            continue
        if type == "date" and any(a.value.endswith(b.value) or b.value.endswith(a.value) for a in mine for b in its):
            continue
        found.append((mine[0], its[0]))
    return tuple(found)


def _other_subject(article: Side, ours: Said, other: Side, theirs: Said) -> bool:
    """Whether each speaks of a model, plan or place that the other document never names."""
    codes, others = (
        ours.claim.codes | claim(article.entry.document.title).codes,
        theirs.claim.codes | claim(other.entry.document.title).codes,
    )
    if _strange(codes, other) and _strange(others, article):
        return True
    if _template(article.entry.document.title, other.entry.document.title):
        return True
    spoken, told = _platforms(ours.claim.text), _platforms(theirs.claim.text)
    if spoken and told and not spoken & told:
        return True
    german = len(ours.claim.names) > 0.3 * len(ours.claim.text.split())
    return not german and bool(_strange(ours.claim.names, other) and _strange(theirs.claim.names, article))


def _platforms(text: str) -> set[str]:
    return {name for name, shape in PLATFORMS.items() if shape.search(text)}


def _strange(names: frozenset[str], side: Side) -> set[str]:
    """The names that the document does not hold."""
    return {one for one in names if one.lower() not in side.low}


def _template(one: str, other: str) -> bool:
    """Whether two titles are the same but for a word or two in one place: `Summer course 2026`, `Winter course 2026`."""
    first, second = one.lower().split(), other.lower().split()
    common = sum(a == b for a, b in zip(first, second, strict=False))
    return len(first) == len(second) and 2 <= common < len(first)


def _denied(ours: Claim, theirs: Claim, corrects: bool) -> Facts:
    """What one of the two denies and the other says, where it is the denied words that both have, or a change is told."""
    mine, its = list(_denials(ours.text)), list(_denials(theirs.text))
    if bool(mine) == bool(its):
        return ()
    one, (start, end), other = (ours, mine[0], theirs) if mine else (theirs, its[0], ours)
    if corrects and its:
        return ((None, Fact("negation", "", start, end)),)
    around = stems(claim(one.text[max(0, start - AROUND) : end + AROUND]).words)
    if len(around & stems(other.words)) < max(FEWEST, 0.4 * len(around)):
        return ()
    denial = Fact("negation", "", start, end)
    return ((denial, None),) if mine else ((None, denial),)


def _denials(text: str) -> Iterator[tuple[int, int]]:
    """Where a verb is denied and not only supposed to be."""
    return (
        found.span()
        for found in DENIES.finditer(text)
        if not SUPPOSED.search(text[max(0, found.start() - 2 * AROUND) : found.start()])
    )


def _what(facts: Facts) -> Difference:
    types = {fact.type.partition(":")[0] for pair in facts for fact in pair if fact}
    return next((what for type, what in KINDS if type in types), "negation")


# ---- what is shown ----


def _made(clash: Clash) -> Contradiction:
    article, other = clash.article.entry, clash.other.entry
    sides = Sides(
        article=article.cite(clash.ours.start, clash.ours.end), against=other.cite(clash.theirs.start, clash.theirs.end)
    )
    differs = tuple(
        Differing(what=clash.what, article=_words(article, clash.ours, mine), against=_words(other, clash.theirs, its))
        for mine, its in clash.facts
    )
    return Contradiction(
        id=name("c", article.id, other.id), score=min(clash.score, 1.0), what=clash.what, article=article.named, against=other.named,
        evidence=sides, differs=differs or (Differing(what=clash.what, article=None, against=None),),
    )  # fmt: skip


def _words(entry: Entry, said: Said, fact: Fact | None) -> Words | None:
    if fact is None:
        return None
    start, end = said.start + fact.start, said.start + fact.end
    return Words(start=start, end=end, quote=entry.text[start:end])
