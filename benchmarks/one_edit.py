"""One edit among thousands: `python -m benchmarks.one_edit DATA FOLDER` with DATA a folder that holds `thunderbird/`.

Ingests the help centre and the solved tickets (minutes, once: FOLDER keeps them), then edits one cited sentence of one article at a time, ingests
the help centre again and asks the same question: the next draft must say the new words, within a second of the ingest's return.
"""

from __future__ import annotations

import argparse
import json
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
WORD = "QX-7431"
EDITS = 5


def main() -> None:
    """Measure and print; the exit code says whether the bar holds."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("data", type=Path)
    arguments.add_argument("folder", type=Path)
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
        measured = list(islice((held for one in asked if (held := edited(parts, docs, one)) is not None), EDITS))
    print(f"{documents} documents; {len(measured)} edits")
    print(machine().line())
    raise SystemExit(not measured or not all(measured))


def edited(parts: Parts, docs: Path, conversation: Conversation) -> bool | None:
    """Whether the draft after one edit says it in time; None where no cited sentence stands in a file as it is quoted."""
    place = cited(docs, parts.copilot.suggest(READER, conversation))
    if place is None:
        return None
    file, citation = place
    text, words = file.read_text(encoding="utf-8"), citation.quote.rstrip(".!?")
    file.write_text(text.replace(words, f"{words} {WORD}", 1), encoding="utf-8")
    summary = bring_in(parts, docs)
    returned = perf_counter()
    made = parts.copilot.suggest(READER, conversation)
    seconds = perf_counter() - returned
    file.write_text(text, encoding="utf-8")
    bring_in(parts, docs)
    says = made.draft is not None and WORD in made.draft.text
    print(
        f"{citation.document_id}: {shown(summary)}; the draft {seconds:.3f} s later {'says' if says else 'DOES NOT SAY'} it"
    )
    return says and seconds < 1 and summary.changed == 1


def cited(docs: Path, made: Suggestion) -> tuple[Path, Citation] | None:
    """The file of an article in which a cited sentence stands as it is quoted."""
    for statement in made.draft.statements if made.draft else ():
        for citation in (one for one in statement.citations if one.kind == "article" and "\n" not in one.quote):
            for file in docs.rglob(f"*{citation.document_id.rsplit('/', 1)[-1]}*.md"):
                if citation.quote.rstrip(".!?") in file.read_text(encoding="utf-8"):
                    return file, citation
    return None


def bring_in(parts: Parts, path: Path) -> Summary:
    """Ingest the path."""
    return Indexer(parts).ingest("default", path, Reading())


def shown(summary: Summary) -> str:
    """The counts that matter here."""
    counts = f"{summary.added} added, {summary.changed} changed, {summary.unchanged} unchanged, {summary.embedded} chunks embedded"
    return f"{counts}, {summary.seconds:.1f} s"


if __name__ == "__main__":
    main()
