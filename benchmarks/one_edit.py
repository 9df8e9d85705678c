"""One edit among thousands: `python -m benchmarks.one_edit DATA FOLDER` with DATA a folder that holds `thunderbird/`.

Ingests the help centre and the solved tickets (minutes, once: FOLDER keeps them). Then, ten times: it asks a real message, puts one word into the
first sentence that the draft quotes and that stands once in its article (`--word`, before its last word of four letters or more that the message does
not have; no question, since those are headings), ingests the help centre again and asks the same.
Within a second of the ingest's return the draft must be there, say the new word, and quote nothing of that article but the new revision; one document
may have been embedded again.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
from contextlib import closing
from itertools import islice
from pathlib import Path
from time import perf_counter

from benchmarks.machine import machine
from copilot.build import Parts, build
from copilot.domain import Citation, Conversation, Message, Principal, Suggestion
from copilot.settings import Settings
from ingest.load import Reading
from ingest.pipeline import Indexer
from ingest.summary import Summary

READER = Principal(id="agent", workspace="default", roles=frozenset({"agent"}))
EDITS = 10


def main() -> None:
    """Measure and print; the exit code says whether the bar holds."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("data", type=Path)
    arguments.add_argument("folder", type=Path)
    arguments.add_argument("--word", default="indeed", help="a plain one, so that the sentence still says the same")
    given = arguments.parse_args()
    data, docs = given.data / "thunderbird", given.folder / "kb"
    shutil.rmtree(docs, ignore_errors=True)
    shutil.copytree(data / "kb", docs)
    lines = (data / "dev" / "incoming.jsonl").read_text(encoding="utf-8").splitlines()
    asked = [
        Conversation(subject=row["subject"], messages=(Message(text=row["message"]),)) for row in map(json.loads, lines)
    ]
    with closing(build(Settings(home=given.folder / "home"))) as parts:
        for path in (docs, data / "dev" / "resolved_tickets.jsonl", data / "dev" / "answered_with_kb.jsonl"):
            print(f"{path.name}:", shown(bring_in(parts, path)))
        documents = parts.library.census("default")[0]
        measured = list(
            islice((held for one in asked if (held := edited(parts, docs, one, given.word)) is not None), EDITS)
        )
    print(f"{documents} documents; {len(measured)} edits")
    print(machine().line())
    raise SystemExit(not measured or not all(measured))


def edited(parts: Parts, docs: Path, conversation: Conversation, new: str) -> bool | None:
    """Whether the draft after one edit says it in time; None where no quoted sentence stands in a file as it is quoted, or it has the word."""
    before = parts.copilot.suggest(READER, conversation)
    place = cited(docs, conversation, before)
    if place is None or before.draft is None or new in before.draft.text:
        return None
    file, citation, word = place
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace(citation.quote, put(citation.quote, word, new), 1), encoding="utf-8")
    summary = bring_in(parts, docs)
    returned = perf_counter()
    made = parts.copilot.suggest(READER, conversation)
    seconds = perf_counter() - returned
    newest = parts.library.text("default", citation.document_id)
    quoted = [one for part in (made.draft.statements if made.draft else ()) for one in part.citations]
    mine = [one for one in quoted if one.document_id == citation.document_id]
    fresh = new in newest.text and all(one.revision == newest.number for one in mine)
    says = made.draft is not None and new in made.draft.text
    file.write_text(text, encoding="utf-8")
    bring_in(parts, docs)
    print(
        f"{citation.document_id}, {word!r}: {shown(summary)}; the draft {seconds:.3f} s later {'says' if says else 'DOES NOT SAY'} the new word "
        f"and {'quotes the new revision alone' if fresh else 'QUOTES WHAT IS NOT IN FORCE'}",
        flush=True,
    )
    return says and fresh and seconds < 1 and summary.changed == 1


def cited(docs: Path, asked: Conversation, made: Suggestion) -> tuple[Path, Citation, str] | None:
    """The first sentence that the draft quotes as it stands once in an article's file, and a word of it that was not asked with."""
    known = set(re.findall(r"\w+", f"{asked.subject} {asked.messages[-1].text}".lower()))
    for statement in made.draft.statements if made.draft else ():
        for citation in (
            one for one in statement.citations if one.kind == "article" and not re.search(r"\n|\?$", one.quote)
        ):
            words = [word for word in re.findall(r"\b[a-z]{4,}\b", citation.quote) if word not in known]
            for file in docs.rglob(f"*{citation.document_id.rsplit('/', 1)[-1]}*.md"):
                if words and file.read_text(encoding="utf-8").count(citation.quote) == 1:
                    return file, citation, words[-1]
    return None


def put(quote: str, word: str, new: str) -> str:
    """The quote with the new word before the last occurrence of this one."""
    at = [found.start() for found in re.finditer(rf"\b{word}\b", quote)][-1]
    return f"{quote[:at]}{new} {quote[at:]}"


def bring_in(parts: Parts, path: Path) -> Summary:
    """Ingest the path."""
    return Indexer(parts).ingest("default", path, Reading())


def shown(summary: Summary) -> str:
    """The counts that matter here."""
    counts = f"{summary.added} added, {summary.changed} changed, {summary.unchanged} unchanged, {summary.embedded} chunks embedded"
    return f"{counts}, {summary.seconds:.1f} s"


if __name__ == "__main__":
    main()
