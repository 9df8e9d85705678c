"""Documents for one version of a product are not shown to who has another."""

from __future__ import annotations

from pathlib import Path

import pytest

from copilot.build import Parts
from copilot.domain import Conversation, Message
from copilot.retrieve import Query
from copilot.versions import is_for, named, ranges
from tests.conftest import ADMIN, asks, ingest


@pytest.mark.parametrize(
    ("products", "text", "fits"),
    [
        (["App >=3.1 <4"], "My app 3.1 crashes", True),
        (["App >=3.1 <4"], "My app 3.2.7 crashes", True),
        (["App >=3.1 <4"], "My app 4.0 crashes", False),
        (["App >=3.1 <4"], "My App version 2.9 crashes", False),
        (["App >=3.1<4"], "My App v2 crashes", False),
        (["App >=3.1 <4"], "My app crashes", True),
        (["App >=3.1 <4"], "My lamp 2.9 crashes and so does the app", True),
        (["App 3.x"], "app 3.9.1", True),
        (["App 3.x"], "app 30.1", False),
        (["App ==3.1"], "app 3.1.5", True),
        (["App <=3.1"], "app 3.1.5", True),
        (["App <=3.1"], "app 3.2", False),
        (["App >3.1"], "app 3.1", False),
        (["App 2.x", "App 4.x"], "app 4.2", True),
        (["App 2.x", "App 4.x"], "app 3.2", False),
        (["App 2.x"], "with app 2.9 it went, with app 3.0 it does not", True),
        (["App 2"], "app 3", True),
        (["Drop"], "drop 2", True),
        (["App >=3.1"], "whatsapp 2.1", True),
        (["C++ >=3"], "c++ 2", False),
        (["Gizmo >=3 <4"], "My Gizmo (version 2.9) hums", False),
        (["Gizmo >=3 <4"], "My Gizmo (2.9) hums", False),
        (["Gizmo >=3 <4"], "I have version 2.9 of the Gizmo.", False),
        (["Gizmo >=3 <4"], "I have version 3.2 of the Gizmo.", True),
        (["Gizmo >=3 <4"], "I have version 2.9 of Gizmotron", True),
        (["Gizmo >=3 <4"], "We run Gizmo, release 2.9.1, here", False),
        (["Gizmo >=3 <4"], "My Gizmo is on 2.9", False),
        (["Gizmo >=3 <4"], "My Gizmo is now at version 2", False),
        (["Gizmo >=3 <4"], "my gizmo's version is 2.9", False),
        (["Gizmo >=3 <4"], "Gizmo version: 2.9", False),
        (["Gizmo >=3 <4"], "Product: Gizmo\nVersion: 2.9\nIt hums", False),
        (["Gizmo >=3 <4"], "Gizmo-2.9 hums", False),
        (["Gizmo >=3 <4"], "Ich habe Version 2.9 von Gizmo", False),
        (["Gizmo >=3 <4"], "Mein Gizmo ist auf 2.9", False),
        (["Gizmo >=3 <4"], "My Gizmo is 2 years old", True),
        (["Gizmo >=3 <4"], "My Gizmo is 2.5 years old", True),
        (["Gizmo >=3 <4"], "I have a Gizmo, 2 of them hum", True),
        (["Gizmo >=3 <4"], "It is about my Gizmo\n2. It hums", True),
        (["Gizmo >=3 <4"], "I use the Gizmo on Android version 12", True),
        (["Gizmo >=3 <4"], "Gizmo-2", True),
        (["Gizmo >=3 <4"], "my Gizmo (12.03.2024) hums", True),
        (["Gizmo >=3 <4"], "Gizmo: 49.90 EUR", True),
        (["Gizmo >=3 <4"], "It is a Gizmo, version 12 of Android runs on it", True),
        (["Gizmo >=3 <4"], "It is a Gizmo\n\nVersion 12 is out", True),
    ],
)
def test_a_documents_products_say_whom_it_is_for(products: list[str], text: str, fits: bool) -> None:
    bound = ranges(products)
    assert is_for(bound, named(text, {one.product for one in bound})) is fits


def test_a_long_product_or_text_costs_no_time() -> None:
    assert ranges(["a " * 5000 + ">=1", ">= " * 5000, "1." * 5000 + "x"]) == ()
    for text in (
        "app " * 50_000 + "1." * 50_000,
        "app is on the " * 20_000,
        "version 1.1.1 of " * 20_000,
        "v" * 100_000,
        "app-1.1" * 20_000,
    ):
        assert named(text + "app  , (", {"app", "app app"}) is not None
    assert named("app 2." + "1" * 200_000, {"app"}) == {}


def test_retrieval_and_drafts_keep_to_the_version_that_is_named(parts: Parts, tmp_path: Path) -> None:
    for version, word in (("3.x", "GRANITE"), ("4.x", "MARBLE")):
        text = (
            f"---\nproducts: [Kettle App {version}]\n---\n\n# Reset the kettle app\n\n"
            f"To reset the kettle app, open Settings and choose the {word} button, then wait for two minutes."
        )
        (tmp_path / f"{word}.md").write_text(text, encoding="utf-8")
    ingest(parts, tmp_path)

    def seen(text: str) -> set[str]:
        return {hit.document_id for hit in parts.copilot.search(ADMIN, Query(text=text)).results}

    assert seen("How do I reset the Kettle App?") == {"GRANITE", "MARBLE"}
    assert seen("How do I reset the Kettle App 3.4?") == {"GRANITE"}
    assert seen("How do I reset the kettle app version 4?") == {"MARBLE"}
    made = parts.copilot.suggest(ADMIN, asks("How do I reset the Kettle App 4.1? It hangs since this morning."))
    assert "GRANITE" not in str(made)


@pytest.mark.parametrize(
    ("subject", "first"), [("", "I have Gizmo 2.9 and want to zap it."), ("Gizmo 2.9", "I want to zap it.")]
)
def test_a_version_that_was_named_before_is_not_forgotten(
    parts: Parts, tmp_path: Path, subject: str, first: str
) -> None:
    text = "---\nproducts: ['Gizmo >=3 <4']\n---\n\n# Zapping the gizmo\n\nZap the gizmo for 8 minutes with the red button pressed."
    (tmp_path / "zap.md").write_text(text, encoding="utf-8")
    ingest(parts, tmp_path)
    ask = "How long must I zap the gizmo with the red button pressed?"
    assert "8 minutes" in str(parts.copilot.suggest(ADMIN, asks(ask)).draft)
    agent = Message(author="agent", text="Sure. Is it not Gizmo 3.1?")
    thread = Conversation(subject=subject, messages=(Message(text=first), agent, Message(text=ask)))
    made = parts.copilot.suggest(ADMIN, thread)
    assert made.passages == ()
    assert "8 minutes" not in str(made)
