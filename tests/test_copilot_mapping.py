"""The learned map and the votes, over a workspace of made-up vectors: forty-dimensional, no model needed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from copilot.domain import Chunk, Document, Link, Source, Use
from copilot.linear_map import apply, fit
from copilot.mapping import Mapper
from copilot.ports import Vectors
from copilot.store.arrivals import Arrival, Place, Staged
from copilot.store.database import Database
from copilot.store.frames import Frames, View
from copilot.store.ledger import Ledger
from copilot.store.maps import LearnedMap, Maps
from copilot.store.values import digest, now

W, MODEL, ARTICLES, CASES = "default", "model-a", 8, 100
DAY = datetime(2025, 1, 1, tzinfo=UTC)
CHANCE = np.random.default_rng(7)
WORDS = CHANCE.normal(size=(2 * ARTICLES, 40))
"""What articles say and, for each, what customers say when they mean it: nothing alike."""


class Company:
    """Articles, and cases in which customers ask for them in other words than the articles use."""

    def __init__(self, folder: Path) -> None:
        self.database = Database(f"sqlite:///{folder / 'copilot.db'}")
        self.ledger = Ledger(self.database, MODEL)
        self.ledger.open(W)
        self.frames = Frames(self.database, MODEL, most=10_000)
        self.mapper = Mapper(self.frames, Maps(self.database, MODEL))
        self.articles = [
            self.put(Document(id=f"a-{n}", kind="article", title=f"A {n}"), WORDS[n]) for n in range(ARTICLES)
        ]
        self.cases = [self.case(n) for n in range(CASES)]

    def case(self, n: int, audience: str = "public") -> Staged:
        at, about = DAY + timedelta(days=n), n % ARTICLES
        asked = Document(id=f"t-{n}", kind="ticket", title=f"T {n}", audience=audience, created_at=at, resolved_at=at)
        words = WORDS[ARTICLES + about] + CHANCE.normal(scale=0.3, size=40)
        return self.put(asked, words, (Link(document_id=f"a-{about}", at=at),))

    def put(self, document: Document, words: np.ndarray, links: tuple[Link, ...] = ()) -> Staged:
        text = f"{document.id} {words[0]:.9f}"
        chunk = Chunk(start=0, end=len(text), text=text, headings=(), embedded=text)
        self.ledger.keep_vectors({digest(text): unit(words)})
        place = Place(workspace=W, root="/docs", origin=document.id, fingerprint=digest(text))
        use: Use = "ranking" if links else "answers"
        source = Source(document=document, text=text, links=links, use=use)
        [staged] = self.ledger.stage(W, [Arrival(place, source, ((chunk, True),))])
        self.ledger.switch(W, [staged])
        return staged

    def map(self, before: datetime | None = None) -> Vectors | None:
        view = View(workspace=W, audiences=None, as_of=before or now(), before=before)
        return self.mapper.at(self.frames.at(W), view)


def unit(words: np.ndarray) -> Vectors:
    made: Vectors = (words / np.linalg.norm(words)).astype(np.float32)
    return made


def nearest(vector: Vectors) -> int:
    """The article that the vector points to."""
    return int(np.argmax(np.stack([unit(words) for words in WORDS[:ARTICLES]]) @ vector))


def right(matrix: Vectors | None) -> int:
    """How many of the customers' ways to ask lead to their article."""
    asked = [unit(words) for words in WORDS[ARTICLES:]]
    return sum(nearest(one if matrix is None else apply(one, matrix)) == n for n, one in enumerate(asked))


@pytest.fixture
def company(tmp_path: Path) -> Company:
    return Company(tmp_path)


def test_the_map_learns_what_customers_mean(company: Company) -> None:
    assert company.map() is None
    assert company.mapper.refit(W)
    assert right(None) < ARTICLES / 2
    assert right(company.map()) == ARTICLES


def test_the_same_cases_teach_the_same_bytes(company: Company, tmp_path: Path) -> None:
    company.mapper.refit(W)
    first = company.map()
    (maps := Maps(company.database, MODEL)).keep(W, company.frames.at(W).revision, replace_basis(company))
    assert Mapper(company.frames, maps).refit(W)
    again = company.map()
    assert first is not None
    assert again is not None
    assert first.tobytes() == again.tobytes()


def replace_basis(company: Company) -> LearnedMap:
    learned = company.frames.at(W).learned
    assert learned is not None
    return replace(learned, basis=frozenset())


def test_storing_a_map_moves_the_clock_and_a_map_learned_on_an_older_index_is_refused(company: Company) -> None:
    old = company.frames.at(W).revision
    company.mapper.refit(W)
    frame = company.frames.at(W)
    assert frame.revision != old
    assert frame.learned is not None
    assert not Maps(company.database, MODEL).keep(W, old, frame.learned)


@pytest.mark.parametrize("of", ["cases", "articles"])
def test_a_deleted_case_or_article_takes_the_map_with_it_at_once_and_a_refit_does_without(
    company: Company, of: str
) -> None:
    company.mapper.refit(W)
    gone = getattr(company, of)[3]
    company.ledger.retire(W, [gone.key])
    assert company.frames.at(W).learned is None
    assert company.map() is None
    assert company.mapper.refit(W)
    learned = company.frames.at(W).learned
    assert learned is not None
    assert f"{gone.key}.1" not in learned.basis


def test_a_map_is_refitted_when_a_tenth_has_changed_and_not_before(company: Company) -> None:
    company.mapper.refit(W)
    for n in range(CASES, CASES + 10):
        company.case(n)
    assert not company.mapper.refit(W)
    company.case(CASES + 10)
    company.case(CASES + 11)
    assert company.mapper.refit(W)


def test_a_map_is_refitted_when_a_tenth_of_the_articles_has_changed_however_many_cases_there_are(
    tmp_path: Path,
) -> None:
    company = Company(tmp_path)
    for n in range(ARTICLES, 11):
        company.put(Document(id=f"a-{n}", kind="article", title=f"A {n}"), WORDS[n])
    company.mapper.refit(W)
    company.put(Document(id="a-11", kind="article", title="A 11"), WORDS[11])
    assert not company.mapper.refit(W)
    company.put(Document(id="a-12", kind="article", title="A 12"), WORDS[12])
    assert company.mapper.refit(W)


def test_a_query_from_the_past_is_turned_by_nothing_that_came_later(company: Company) -> None:
    company.mapper.refit(W)
    then = DAY + timedelta(days=69, hours=1)
    early = company.map(before=then)
    assert early is not None
    for case in company.cases[70:]:
        company.ledger.retire(W, [case.key])
    later = company.map(before=then)
    assert later is not None
    assert early.tobytes() == later.tobytes()
    assert company.map(before=DAY + timedelta(days=40)) is None
    assert company.map(before=DAY + timedelta(days=CASES)) is not None


def test_too_few_cases_teach_nothing(company: Company) -> None:
    company.ledger.retire(W, [case.key for case in company.cases[49:]])
    assert not company.mapper.refit(W)
    assert company.map() is None


def test_a_team_s_cases_teach_nobody(company: Company) -> None:
    secret = company.case(CASES, audience="team:legal")
    company.mapper.refit(W)
    learned = company.frames.at(W).learned
    assert learned is not None
    assert f"{secret.key}.1" not in learned.basis


def test_a_map_that_ranks_the_latest_cases_worse_is_not_used(tmp_path: Path) -> None:
    company = Company(tmp_path)
    for n in range(CASES, CASES + 30):  # customers have begun to say what articles say, and links have turned around
        at, about = DAY + timedelta(days=n), n % ARTICLES
        asked = Document(id=f"t-{n}", kind="ticket", title="T", created_at=at, resolved_at=at)
        words = WORDS[ARTICLES + about] + 0.5 * WORDS[(about + 1) % ARTICLES]
        company.put(asked, words, (Link(document_id=f"a-{(about + 1) % ARTICLES}", at=at),))
    assert company.mapper.refit(W)
    learned = company.frames.at(W).learned
    assert learned is not None
    assert learned.matrix is None
    assert company.map() is None


def test_an_untaught_map_changes_nothing() -> None:
    from copilot.linear_map import Lesson

    alike = np.eye(4, dtype=np.float32)
    matrix = fit(Lesson(alike, alike, np.full((4, 4), 0.25, dtype=np.float32)))
    assert np.abs(apply(alike, matrix) @ alike - alike).max() < 1
