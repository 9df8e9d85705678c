"""Letters that a question in another language shares with a title lead to the article; a question in English is ranked as if there were none."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.feature_extraction.text import TfidfVectorizer

from copilot.build import Parts, build
from copilot.letters import Letters
from copilot.retrieve import Query
from copilot.settings import Settings
from tests.conftest import AGENT, ingest

WORD = st.text(st.characters(codec="utf-8", categories=("Lu", "Ll", "Nd")), min_size=1, max_size=9)
LINE = st.lists(WORD, min_size=1, max_size=6).map(" ".join)
GERMAN = "Meine Mails brauchen zu viel Platz auf der Disk, wie kann ich die Folders kompakt machen?"
ENGLISH = "My mails take too much room, how do I make the folders smaller?"


@settings(deadline=None)
@given(st.lists(LINE, min_size=1, max_size=5), LINE)
def test_it_is_the_cosine_that_scikit_learn_computes(titles: list[str], asked: str) -> None:
    peer = TfidfVectorizer(
        analyzer="char_wb", ngram_range=(4, 4), sublinear_tf=True, strip_accents="unicode", lowercase=True
    )
    expected = (peer.fit_transform(titles) @ peer.transform([asked]).T).toarray()[:, 0]
    assert np.allclose(Letters.of(titles).shared(asked), expected, atol=1e-6)


def test_a_word_meets_its_cousin_in_another_language() -> None:
    found = Letters.of(["Replace the battery", "Download an invoice", "Wi-Fi and network"]).shared(
        "Welche Batterie passt?"
    )
    assert found[0] > 0 == found[1] == found[2]


def test_only_a_question_in_another_language_is_ranked_by_letters(folder: Path, tmp_path: Path) -> None:
    def scores(parts: Parts, text: str) -> dict[str, float]:
        query = Query(text=text, kinds=("article",))
        return {hit.document_id: hit.score for hit in parts.copilot.search(AGENT, query).results}

    parts = build(Settings(home=tmp_path / "home"))
    ingest(parts, folder)
    with_letters = scores(parts, ENGLISH), scores(parts, GERMAN)
    parts.close()
    parts = build(Settings(home=tmp_path / "home", letters_weight=0))
    without = scores(parts, ENGLISH), scores(parts, GERMAN)
    parts.close()
    assert with_letters[0] == without[0]
    ahead = [found["compact-folders"] - found["reset-password"] for found in (with_letters[1], without[1])]
    assert ahead[0] > ahead[1]


def test_an_article_whose_letters_alone_are_near_is_proposed(tmp_path: Path) -> None:
    for n in range(14):
        (tmp_path / f"a{n}.md").write_text(
            f"---\ndoc_id: a{n}\ntitle: Garantie {n}\n---\n\nText {n} about a warranty.\n"
        )
    (tmp_path / "z.md").write_text("---\ndoc_id: z\ntitle: Thermostatkalibrierung\n---\n\nSomething else entirely.\n")
    parts = build(Settings(home=tmp_path / "home", candidates=10))
    ingest(parts, tmp_path)
    query = Query(text="Gibt es eine Garantie auf meine Thermostatkalibrierungen, bitte?", kinds=("article",), limit=3)
    assert "z" in [hit.document_id for hit in parts.copilot.search(AGENT, query).results]
    parts.close()
