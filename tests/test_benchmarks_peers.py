import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import pytest

from benchmarks import peers
from benchmarks.machine import machine
from benchmarks.pipelines.measure import Found, Job, Query, Result, pages, run

PAGE = "---\ndoc_id: {0}\n---\n\n# {0}\n\nThis page tells in plain words how the thing called {0} is put to use every day. More."


class Forgetful:
    """A pipeline that only ever adds: the trap that the measurement must show."""

    store: list[Found]

    def __init__(self) -> None:
        self.store = []

    def ingest(self, folder: Path) -> None:
        if len(self.store) > 8:
            raise ValueError("enough")
        self.store += [Found(page.stem, page.read_text(encoding="utf-8")) for page in pages(folder)]

    def search(self, query: Query, depth: int) -> Sequence[Found]:
        wanted = set(query.text.split())
        return sorted(self.store, key=lambda found: -len(wanted & set(found.text.split())))[:depth]

    def entries(self) -> int:
        return len(self.store)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    for folder in ("kb/product", "dev"):
        (tmp_path / folder).mkdir(parents=True)
    for number in range(50):
        (tmp_path / "kb" / "product" / f"page-{number:02}.md").write_text(PAGE.format(f"page-{number:02}"))
    past = [
        {"ticket_id": f"t{n}", "created": f"2024-{n:02}-03 10:00:00 +0000", "subject": "s", "message": "m", "cited_docs": ["page-01"]}
        for n in range(8, 13)
    ]  # fmt: skip
    incoming = [{**past[0], "ticket_id": f"i{n}", "gold_docs": ["page-02"] * n} for n in range(2)]
    for name, rows in (("answered_with_kb", past), ("incoming", incoming)):
        (tmp_path / "dev" / f"{name}.jsonl").write_text("\n".join(json.dumps(row) for row in rows))
    return tmp_path


def test_the_queries_are_those_of_the_half_year_and_the_incoming_with_gold_pages(data: Path) -> None:
    found = [(query.id, query.split, query.gold) for query in peers.queries(data / "dev")]
    past = [(f"t{n}", peers.PAST, ("page-01",)) for n in (10, 11, 12)]
    assert found == [*past, ("i1", peers.INCOMING, ("page-02",))]


def test_the_words_that_tell_a_page_are_in_it_alone(data: Path, tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    job = peers.prepare(data, tmp_path / "work", tickets=False)
    for page, words in ((job.edited, job.old_words), (job.deleted, job.deleted_words)):
        assert [one for one in pages(job.folder) if words in one.read_text()] == [page]


def test_a_pipeline_that_only_adds_is_shown_as_what_it_is(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "work").mkdir()
    job = peers.prepare(data, tmp_path / "work", tickets=False)
    for page in list(pages(job.folder)):
        if page not in (job.edited, job.deleted):
            page.unlink()
    described = tmp_path / "job.json"
    described.write_text(json.dumps({**asdict(job), "tickets": []}, default=str))
    monkeypatch.setattr("sys.argv", ["run", str(described)])
    pipeline = Forgetful()
    run(lambda job: pipeline, lambda: 7 * len(pipeline.store), ("pytest",))
    printed = json.loads(capsys.readouterr().out)
    assert (printed["entries"], printed["tokens"]) == (2, 14)
    assert printed["finds_words"]
    assert printed["again"]["entries"] == 4
    assert (printed["edit"]["still_found"], printed["edit"]["new_found"]) == (True, True)
    assert printed["deletion"]["still_found"]
    assert set(printed["ranks"]) == {peers.PAST, peers.INCOMING}
    assert printed["versions"] == {"pytest": pytest.__version__}


def test_the_interval_holds_the_mean_and_is_the_same_each_time() -> None:
    mean, low, high = peers.interval([1.0] * 30 + [0.0] * 70)
    assert low < mean < high
    assert (mean, round(high - low, 1)) == (0.3, 0.2)
    assert peers.interval([1.0] * 30 + [0.0] * 70) == (mean, low, high)


def kept(name: str, ranks: Sequence[int]) -> peers.Kept:
    by_query = {f"q{at:03}": rank for at, rank in enumerate(ranks)}
    result = Result(
        ranks={peers.PAST: by_query, peers.INCOMING: by_query}, ingest_seconds=2.0, tokens=100, entries=5,
        query_ms={"p50": 1.0, "p95": 2.0, "p99": 3.0},
    )  # fmt: skip
    return peers.Kept(name, 50, machine(()), result)


def test_the_lead_is_counted_query_by_query() -> None:
    one, other = kept("one", [1, 5, 6, 0]), kept("other", [1, 0, 5, 0])
    assert peers.hits(one, peers.PAST, 5) == [True, True, False, False]
    assert peers.differences(one, other, peers.PAST) == [0, 1, -1, 0]


def test_a_kept_result_is_read_as_it_was_written_and_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = [kept(peer.name, [1, 2, 0]) for peer in peers.PEERS[:3]]
    for peer, one in zip(peers.PEERS, made, strict=False):
        peers.write(peers.file(tmp_path, peer), one)
    found = [peers.read(tmp_path, peer) for peer in peers.PEERS[:3]]
    assert found == made
    peers.show(found)
    assert "LangChain" in capsys.readouterr().out


def test_every_peer_has_a_script_and_a_name_of_its_own() -> None:
    scripts = Path(peers.__file__).parent / "pipelines"
    assert all((scripts / f"{peer.module}.py").exists() for peer in peers.PEERS)
    assert len({peer.key for peer in peers.PEERS}) == len(peers.PEERS)


def test_a_job_names_its_model_and_tickets(data: Path, tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    job: Job = peers.prepare(data, tmp_path / "work", tickets=True)
    assert (job.model / "tokenizer.json").exists()
    assert [path.name for path in job.tickets] == ["resolved_tickets.jsonl", "answered_with_kb.jsonl"]
