"""Among few articles, the passage that has most of a question's telling words speaks for its article; among many, words meet by chance."""

from __future__ import annotations

from math import log
from pathlib import Path

import numpy as np
import pytest

from copilot.build import Parts, build
from copilot.covering import MOST, Wording, covering_trust
from copilot.domain import Hit
from copilot.retrieve import Query
from copilot.settings import Settings
from tests.conftest import AGENT, ingest

ASKED = "Which tariff has the harbour pilot lunch?"


def write(folder: Path, name: str, text: str) -> None:
    (folder / f"{name}.md").write_text(f"---\ndoc_id: {name}\ntitle: Prices\n---\n\n{text}\n", encoding="utf-8")


def found(parts: Parts) -> dict[str, Hit]:
    return {hit.document_id: hit for hit in parts.copilot.search(AGENT, Query(text=ASKED, kinds=("article",))).results}


def test_a_rare_word_counts_more_and_the_best_passage_decides() -> None:
    places = {
        "common": np.array([0, 1, 2]),
        "rare": np.array([1]),
    }  # two passages of the first article, one of the second
    wording = Wording("1", ("a", "b"), np.array([0, 2, 3]), places)
    common, rare = log(1 + 0.5 / 2.5), log(1 + 1.5 / 1.5)
    shares = wording.shares("common and rare, and unknown", np.array([True, True]))
    assert shares.tolist() == pytest.approx([1, common / (common + rare)], abs=1e-6)


def test_an_article_that_may_not_be_seen_has_no_share_and_makes_no_word_common() -> None:
    places = {"tariff": np.array([0, 2]), "pilot": np.array([1])}
    wording = Wording("1", ("a", "b", "c"), np.array([0, 1, 2, 3]), places)
    shares = wording.shares("the tariff of a pilot", np.array([True, True, False]))
    assert shares.tolist() == [0.5, 0.5, 0.0]
    assert wording.shares("the tariff of a pilot", np.zeros(3, dtype=np.bool_)).tolist() == [0, 0, 0]


def test_it_is_trusted_less_the_more_articles_there_are() -> None:
    trusts = [covering_trust(count) for count in (0, 30, 125, MOST, 10 * MOST)]
    assert trusts == [1, pytest.approx(0.88), 0.5, 0, 0]


def test_the_article_with_all_the_words_gains_on_one_that_is_near_and_the_setting_takes_that_away(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "docs"
    folder.mkdir()
    write(folder, "all", "The harbour pilot lunch stands in the blue tariff.")
    write(folder, "some", "Every tariff at a glance: prices, fees and charges by month.")
    ahead = []
    for weight in (0.35, 0):
        parts = build(Settings(home=tmp_path / f"home{weight}", covered_weight=weight))
        ingest(parts, folder)
        hits = found(parts)
        ahead.append(hits["all"].score - hits["some"].score)
        parts.close()
    assert ahead[0] > ahead[1]


def test_what_an_article_says_now_counts_and_what_it_said_before_does_not(parts: Parts, tmp_path: Path) -> None:
    folder = tmp_path / "docs"
    folder.mkdir()
    write(folder, "a", "The harbour pilot lunch stands in the blue tariff.")
    write(folder, "b", "Something else about boats, sails and ropes.")
    ingest(parts, folder)
    covering = parts.retriever._covering
    found(parts)
    assert {"pilot", "lunch"} <= covering._wording(parts.frames.at("default"), "default").places.keys()
    write(folder, "a", "Dinner is in the green tariff.")
    ingest(parts, folder)
    found(parts)
    words = covering._wording(parts.frames.at("default"), "default").places.keys()
    assert "dinner" in words
    assert not {"pilot", "lunch"} & words
