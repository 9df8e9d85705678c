"""Fits which section answers: prints the weights of `copilot.fit` and how well they do elsewhere.

`python -m benchmarks.sections DATA HOME [SUITE.yaml ...]`. A suite that is given has its answering words marked (`gold_spans`): right are the
sections that hold half of a marked place, and such a case counts twice. Without one, a case is a solved ticket of the demo company, or a
thread of Thunderbird from October 2024 to March 2025 that an agent answered with an article. Its candidates are the sections of the six best
articles; the right ones are those whose words and figures the agent's reply holds, among the linked articles where any is linked. Nothing
newer than the case is used. HOME keeps the indexes.
"""

from __future__ import annotations

import json
import math
import random
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

import ingest.demo
from copilot.build import Parts
from copilot.clauses import content
from copilot.domain import PUBLIC, Evidence
from copilot.draft import _resolution, _sections
from copilot.facts import facts
from copilot.fit import FEATURES, asking, features, words_of
from copilot.query import search_text
from copilot.rank import READ_WHOLE
from copilot.retrieve import Query, with_texts
from copilot.settings import Settings
from eval.cases import Case, load_jsonl
from eval.desk import ProcessDesk, bring_in, opened, settings_of
from eval.suite import load

ARTICLES, TICKETS, THREADS = 6, 5, 300
SINCE, UNTIL = datetime(2024, 10, 1, tzinfo=UTC), datetime(2025, 4, 1, tzinfo=UTC)
FIGURE = 3.0
LEAST = 2.0
HALF = 0.5
TWICE = 2
RIDGE = 1.0


@dataclass(frozen=True)
class Choice:
    """A message with its candidate sections: what the score looks at, how right each is, and whether its article was linked."""

    seen: NDArray[np.float64]
    right: NDArray[np.float64]
    linked: NDArray[np.bool_] | None


def main(data: Path, home: Path, suites: Sequence[str]) -> None:
    """Print the weights fitted on each company and on all, and what the best section is worth on each."""
    companies = {
        "demo": list(choices("demo", demo(), home)),
        "thunderbird": list(choices("thunderbird", threads(data), home)),
    }
    if suites:
        del companies["demo"]  # what agents replied is the noisier label
        companies |= {suite: list(choices(suite, marked(suite), home)) * TWICE for suite in suites}
    every = [choice for some in companies.values() for choice in some]
    others = {
        f"all but {name}": [c for other in companies if other != name for c in companies[other]] for name in suites
    }
    for name, some in {**companies, **others, "all": every}.items():
        weights = fit(some)
        print(name, len(some), dict(zip(FEATURES, np.round(weights, 2).tolist(), strict=True)))
        print("  measured on", {other: score(weights, rest) for other, rest in companies.items()})


def marked(suite: str) -> Iterator[tuple[Case, str]]:
    """A suite's messages whose answering words are marked."""
    chosen, _ = load(suite, ())
    yield from ((case, "") for case in chosen.load_cases() if case.gold_spans)


def demo() -> Iterator[tuple[Case, str]]:
    """The demo company's tickets with what its agents replied."""
    for file in sorted((ingest.demo.FOLDER / "tickets").glob("*.jsonl")):
        yield from replied(file)


def threads(data: Path) -> list[tuple[Case, str]]:
    """Thunderbird's, asked as of the first of them: one map is learned instead of hundreds."""
    found = [
        (replace(case, created=SINCE), reply)
        for case, reply in replied(data / "thunderbird" / "dev" / "answered_with_kb.jsonl")
        if case.created and SINCE <= case.created < UNTIL and case.gold_docs
    ]
    return random.Random(1).sample(found, min(THREADS, len(found)))


def replied(file: Path) -> Iterator[tuple[Case, str]]:
    """Each ticket of a file as a case, with the public words of its agents."""
    rows = {row["ticket_id"]: row for row in map(json.loads, file.read_text(encoding="utf-8").splitlines())}
    for case in load_jsonl(file):
        thread = rows[case.id].get("thread", ())
        said = [m["text"] for m in thread if m.get("role") == "agent" and m.get("visibility", "public") == "public"]
        yield case, rows[case.id].get("solution") or "\n".join(said)


def choices(suite: str, cases: Sequence[tuple[Case, str]] | Iterator[tuple[Case, str]], home: Path) -> Iterator[Choice]:
    """The cases that a section of what is found answers."""
    chosen, _ = load(suite, ())
    with opened(settings_of(chosen, Settings(home=home))) as parts:
        bring_in(chosen, parts, lambda *_: None)
        for case, reply in cases:
            if (choice := _choice(parts, chosen.workspace, case, reply)) is not None:
                yield choice


def _choice(parts: Parts, workspace: str, case: Case, reply: str) -> Choice | None:
    text = search_text(case.conversation)
    sections, solved = _candidates(parts, workspace, case, text)
    if not sections:
        return None
    words = [words_of(one) for one in sections]
    telling = asking(text, words, solved)
    seen = np.array([features(one, held, telling) for one, held in zip(sections, words, strict=True)])
    if case.gold_spans:
        right = np.array([float(_holds(case, one)) for one in sections])
        return Choice(seen, right, None) if right.any() else None
    told, gold = _told_by(reply, text, sections), set(case.gold_docs or ())
    if not gold:
        return Choice(seen, (told / told.max()) ** 4, None) if told.max() >= LEAST else None
    linked = np.array([one.document_id in gold for one in sections])
    if not linked.any():
        return None
    most = told[linked].max()
    return Choice(seen, linked * (0.3 + 0.7 * (told / most) ** 2 if most else 1.0), linked)


def _holds(case: Case, one: Evidence) -> bool:
    """Whether the section holds half of a marked place, or more; markup is not compared."""
    said = _letters(one.text)
    marks = [_letters(span.quote or "") for span in case.gold_spans or () if span.document_id == one.document_id]
    return any(mark[: int(HALF * len(mark))] in said or mark[int(HALF * len(mark)) :] in said for mark in marks if mark)


def _letters(text: str) -> str:
    return "".join(letter for letter in text.casefold() if letter.isalnum())


def _candidates(parts: Parts, workspace: str, case: Case, text: str) -> tuple[list[Evidence], list[Evidence]]:
    """The sections of the best public articles, and the resolutions of the nearest tickets."""
    agent, vector = ProcessDesk(parts, workspace).agent, parts.embedder.embed([text], "query")[0]
    as_of = case.created or parts.library.moment(workspace)[1]
    query = Query(text=text, before=case.created, as_of=as_of)
    ranked = parts.retriever.kinds(agent, query, vector, {"article": 3 * ARTICLES, "ticket": TICKETS})
    texts, _ = parts.library.texts(
        workspace, {(hit.document_id, hit.revision) for hits in ranked.hits.values() for hit in hits}
    )
    articles, tickets = (
        [hit for hit in with_texts(ranked.hits[kind], texts) if hit.audience == PUBLIC]
        for kind in ("article", "ticket")
    )
    sections = [
        one
        for number, hit in enumerate(articles[:ARTICLES])
        for one in _sections(hit, texts[hit.document_id, hit.revision][0], number < READ_WHOLE)
    ]
    resolutions = [_resolution(hit, *texts[hit.document_id, hit.revision]) for hit in tickets]
    return sections, [replace(one, words=words_of(one)) for one in resolutions]


def _told_by(reply: str, message: str, sections: Sequence[Evidence]) -> NDArray[np.float64]:
    """How much of what the agent said beyond the message each section holds, figures thrice."""
    words, figures = content(reply) - content(message), set(facts(reply)) - set(facts(message))
    held = [(content(one.text), set(facts(one.text))) for one in sections]
    seen = Counter(word for some, _ in held for word in some)
    return np.array(
        [
            (sum(math.log(1 + len(held) / seen[word]) for word in words & some) + FIGURE * len(figures & named)) / (len(some) + 20) ** 0.5
            for some, named in held
        ]
    )  # fmt: skip


def fit(some: Sequence[Choice]) -> NDArray[np.float64]:
    """Softmax over each message's sections, cross-entropy against how right they are, a ridge on standardised weights."""
    every = np.vstack([choice.seen for choice in some])
    mean, scale = every.mean(axis=0), every.std(axis=0) + 1e-6
    pairs = [((choice.seen - mean) / scale, choice.right / choice.right.sum()) for choice in some]

    def loss(weights: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        total, slope = RIDGE * float(weights @ weights), 2 * RIDGE * weights
        for seen, right in pairs:
            reach = seen @ weights
            chance = np.exp(reach - reach.max())
            chance /= chance.sum()
            total -= float(right @ np.log(chance + 1e-12))
            slope = slope + seen.T @ (chance - right)
        return total / len(pairs), slope / len(pairs)

    found: NDArray[np.float64] = minimize(loss, np.zeros(every.shape[1]), jac=True, method="L-BFGS-B").x / scale
    return found


def score(weights: NDArray[np.float64], some: Sequence[Choice]) -> dict[str, float]:
    """How right the best section is, and how often it is of a linked article."""
    best = [int(np.argmax(choice.seen @ weights)) for choice in some]
    right = [float(choice.right[at] / choice.right.max()) for at, choice in zip(best, some, strict=True)]
    linked = [bool(choice.linked[at]) for at, choice in zip(best, some, strict=True) if choice.linked is not None]
    return {
        "right": round(float(np.mean(right)), 3),
        **({"linked": round(float(np.mean(linked)), 3)} if linked else {}),
    }


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:])
