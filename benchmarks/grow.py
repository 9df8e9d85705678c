"""A corpus of any size from real text: sections, tickets and messages put together anew from the paragraphs and sentences of others.

The same pool, size and seed give the same files. A section and a ticket's question take about the room of one chunk, so the number of
chunks asked for is about the number that ingest makes.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import ingest.demo
from copilot.domain import Conversation, Message
from copilot.text import sentences

SECTIONS = 4
WORDS = 70
"""At which a section or message is long enough: a chunk aims at 128 tokens."""
SHORTEST, LONGEST = 40, 400
LINKED = 0.2
FOLDER_SIZE = 1000
FILE_SIZE = 10_000
"""So many tickets stand in one file: the shipped settings take none above 50 MB."""


@dataclass(frozen=True, slots=True)
class Pool:
    """Real text in pieces: titles and paragraphs of articles, sentences of customers and of agents, and whole incoming messages."""

    titles: tuple[str, ...]
    paragraphs: tuple[str, ...]
    asks: tuple[str, ...]
    answers: tuple[str, ...]
    incoming: tuple[tuple[str, str], ...]

    def with_text(self, other: Pool) -> Pool:
        """The same with another's text in it; the incoming messages stay those that the demo company's own documents answer."""
        return Pool(
            self.titles + other.titles, self.paragraphs + other.paragraphs, self.asks + other.asks,
            self.answers + other.answers, self.incoming,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Corpus:
    """What was grown: a folder of articles and one of solved tickets."""

    articles: Path
    tickets: Path

    @property
    def paths(self) -> tuple[Path, Path]:
        """Both, to be ingested."""
        return self.articles, self.tickets


def demo_pool() -> Pool:
    """The demo company's articles, tickets and incoming messages."""
    home = ingest.demo.FOLDER
    tickets = [row for file in sorted((home / "tickets").glob("*.jsonl")) for row in rows(file)]
    incoming = [(row["subject"], row["messages"][-1]["text"]) for row in rows(home / "incoming" / "incoming.jsonl")]
    return _pool(home / "articles", tickets, incoming)


def thunderbird_pool(data: Path) -> Pool:
    """The Thunderbird help centre, its solved tickets and incoming messages."""
    home = data / "thunderbird"
    incoming = [(row["subject"], row["message"]) for row in rows(home / "dev" / "incoming.jsonl")]
    return _pool(home / "kb", rows(home / "dev" / "resolved_tickets.jsonl"), incoming)


def grow(pool: Pool, chunks: int, folder: Path, seed: int = 0) -> Corpus:
    """About this many chunks on disk, half of them in articles, half in tickets of which one in five was answered with an article."""
    random = Random(seed)
    corpus = Corpus(folder / "articles", folder / "tickets")
    names = [f"article-{number}" for number in range(max(1, chunks // 2 // SECTIONS))]
    for number, name in enumerate(names):
        home = corpus.articles / str(number // FOLDER_SIZE)
        home.mkdir(parents=True, exist_ok=True)
        (home / f"{name}.md").write_text(_article(pool, name, random), encoding="utf-8")
    corpus.tickets.mkdir(parents=True, exist_ok=True)
    for first in range(0, chunks // 2, FILE_SIZE):
        made = [_ticket(pool, number, names, random) for number in range(first, min(first + FILE_SIZE, chunks // 2))]
        lines = "".join(json.dumps(ticket, ensure_ascii=False) + "\n" for ticket in made)
        (corpus.tickets / f"{first // FILE_SIZE}.jsonl").write_text(lines, encoding="utf-8")
    return corpus


def conversations(pool: Pool, count: int, seed: int) -> list[Conversation]:
    """Distinct messages: each a real one with a sentence of another's behind it. Another seed gives others."""
    random, seen = Random(f"messages {seed}"), dict[str, Conversation]()
    while len(seen) < count:
        subject, text = random.choice(pool.incoming)
        text = f"{text}\n\n{random.choice(pool.asks)}"
        seen.setdefault(text, Conversation(subject=subject, messages=(Message(text=text),)))
    return list(seen.values())


def rows(file: Path) -> list[dict[str, Any]]:
    """The rows of a JSON-lines file."""
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


# ---- taking apart ----


def _pool(articles: Path, tickets: Sequence[dict[str, Any]], incoming: Iterable[tuple[str, str]]) -> Pool:
    import frontmatter

    posts = [frontmatter.load(str(file)) for file in sorted(articles.rglob("*.md"))]
    turns = [turn for ticket in tickets for turn in ticket["thread"] if turn.get("visibility") != "private"]
    return Pool(
        titles=tuple(str(post.metadata["title"]) for post in posts),
        paragraphs=tuple(part for post in posts for part in _paragraphs(post.content)),
        asks=_sentences(ticket["message"] for ticket in tickets),
        answers=_sentences(turn["text"] for turn in turns if turn["role"] == "agent"),
        incoming=tuple((subject, text) for subject, text in incoming if text.strip()),
    )


def _paragraphs(text: str) -> Iterator[str]:
    """Paragraphs of prose: no headings, tables or lists."""
    for part in text.split("\n\n"):
        words = " ".join(part.split())
        if SHORTEST <= len(words) <= LONGEST and words[0] not in "#|-*>!0123456789":
            yield words


def _sentences(texts: Iterable[str]) -> tuple[str, ...]:
    cut = (" ".join(text[start:end].split()) for text in texts for start, end in sentences(text))
    return tuple(dict.fromkeys(words for words in cut if SHORTEST <= len(words) <= LONGEST))


# ---- putting together ----


def _article(pool: Pool, name: str, random: Random) -> str:
    title = _heading(pool, random)
    sections = (
        f"## {_heading(pool, random)}\n\n{_words(pool.paragraphs, random, chr(10) * 2)}" for _ in range(SECTIONS)
    )
    head = f"---\ndoc_id: {name}\ntitle: {json.dumps(title)}\nurl: https://help.example/{name}\n---\n\n"
    return head + f"# {title}\n\n" + "\n\n".join(sections) + "\n"


def _heading(pool: Pool, random: Random) -> str:
    return " ".join(random.choice(pool.titles).split()).replace("#", "")


def _ticket(pool: Pool, number: int, names: Sequence[str], random: Random) -> dict[str, Any]:
    subject, _ = random.choice(pool.incoming)
    created = f"20{random.randint(20, 25)}-{random.randint(1, 12):02}-{random.randint(1, 28):02}"
    solution = _words(pool.answers, random, " ")
    turn = {"role": "agent", "author": "helper", "created": f"{created}T12:00:00Z", "text": solution}
    return {
        "ticket_id": f"grown-{number}", "created": f"{created}T10:00:00Z", "subject": subject, "status": "solved",
        "message": _words(pool.asks, random, " "), "thread": [turn], "solution": solution, "solution_by": "agent",
        "cited_docs": [random.choice(names)] if random.random() < LINKED else [],
    }  # fmt: skip


def _words(pieces: Sequence[str], random: Random, between: str) -> str:
    """Pieces from here and there until they are enough for a chunk."""
    taken: list[str] = []
    while sum(len(piece.split()) for piece in taken) < WORDS:
        taken.append(random.choice(pieces))
    return between.join(taken[:-1] or taken)
