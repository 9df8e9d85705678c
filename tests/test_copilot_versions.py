"""Documents for one version of a product are not shown to who has another."""

from __future__ import annotations

from pathlib import Path

import pytest

from copilot.build import Parts
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
    ],
)
def test_a_documents_products_say_whom_it_is_for(products: list[str], text: str, fits: bool) -> None:
    bound = ranges(products)
    assert is_for(bound, named(text, {one.product for one in bound})) is fits


def test_a_long_product_or_text_costs_no_time() -> None:
    assert ranges(["a " * 5000 + ">=1", ">= " * 5000, "1." * 5000 + "x"]) == ()
    assert named("app " * 50_000 + "1." * 50_000, {"app", "app app"}) is not None


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
