"""The names of the workspace's own products in a message: as whole words, with their exact place, as its articles stand."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from time import perf_counter

import pytest

from copilot.build import Parts, build
from copilot.domain import Entity
from copilot.entities import Products, in_message, naming, product_names
from copilot.escalate import Policy, escalate
from copilot.settings import Settings
from ingest.pipeline import Indexer
from tests.conftest import asks, ingest

NAMES = frozenset({"BrightBox", "BrightBox Pro", "C++ Kit", "Überwacher", "Word"})


def named(text: str, names: frozenset[str] = NAMES) -> list[Entity]:
    return in_message(text, 0, naming("product", names))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("My brightbox pro fell, the BRIGHTBOX not.", ["brightbox pro", "BRIGHTBOX"]),
        ("BrightBox,BrightBox Pro/BrightBox", ["BrightBox", "BrightBox Pro", "BrightBox"]),
        ("BrightBox\n  Pro and BrightBox\u00a0Pro", ["BrightBox\n  Pro", "BrightBox\u00a0Pro"]),
        ("BrightBoxes, myBrightBox, BrightBox_2, éBrightBox, BrightBoxé", []),
        ("BrightBox Profile", ["BrightBox"]),
        ("The c++ kit's ÜBERWACHER 😀 is off, words too", ["c++ kit", "ÜBERWACHER"]),
        ("\ud800 e\u0301 BrightBox", ["BrightBox"]),
        ("", []),
    ],
)
def test_names_are_found_as_whole_words_with_their_place(text: str, found: list[str]) -> None:
    made = named(text)
    assert [(one.type, one.text) for one in made] == [("product", name) for name in found]
    assert all(text[one.start : one.end] == one.text for one in made)


def test_a_version_beside_a_product_of_that_name_is_still_one() -> None:
    found = named("Firefox 128.0 on Windows 11", frozenset({"Firefox"}))
    assert [(one.type, one.text) for one in found] == [
        ("product", "Firefox"), ("version", "128.0"), ("version", "Windows 11")
    ]  # fmt: skip


def test_many_names_take_linear_time() -> None:
    made = naming("product", frozenset(f"Model {n} plus" for n in range(5_000)))
    started = perf_counter()
    in_message("model 4999 plus " * 3_000 + "é" + "model 12 " * 20_000, 0, made)
    assert perf_counter() - started < 5


def test_no_names_find_nothing() -> None:
    assert naming("product", frozenset()) == ()


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Parts]:
    folder = tmp_path / "shop"
    folder.mkdir()
    write(folder, "box", "[BrightBox >=2 <4, 'BrightBox Pro 3.x']")
    write(folder, "secret", "[Falcon]", "audience: tier2\n")
    write(folder, "macro", "[BrightLine]", "kind: macro\n")
    made = build(Settings(home=tmp_path / "home"))
    ingest(made, folder)
    yield made
    made.close()


def write(folder: Path, id: str, products: str, more: str = "") -> None:
    head = f"---\ndoc_id: {id}\ntitle: About {id}\nproducts: {products}\n{more}---\n\n"
    (folder / f"{id}.md").write_text(f"{head}Hold the button for ten seconds to reset it.\n", encoding="utf-8")


def products(parts: Parts, text: str) -> list[str]:
    triage, _ = parts.copilot.read("default", asks(text))
    return [one.text for one in triage.entities if one.type == "product"]


def test_products_are_those_of_articles_that_every_agent_may_see(shop: Parts) -> None:
    assert product_names(shop.frames.at("default")) == {"BrightBox", "BrightBox Pro"}
    assert products(shop, "My BrightBox Pro and the falcon do not start") == ["BrightBox Pro"]


def test_names_are_made_once_for_a_revision_and_go_with_their_article(shop: Parts) -> None:
    finder = Products(shop.frames)
    made = finder.of("default")
    assert made
    assert finder.of("default") is made
    Indexer(shop).retire("default", ["box"])
    assert products(shop, "My BrightBox does not start") == []
    assert finder.of("default") == ()


def test_a_workspace_without_an_index_has_no_products(shop: Parts) -> None:
    assert Products(shop.frames).of("nowhere") == ()


def test_a_policy_rule_may_ask_for_a_product(shop: Parts, tmp_path: Path) -> None:
    file = tmp_path / "policy.yaml"
    rule = "{code: product_named, level: lead, team: desk, weight: 0.6, entities: [product]}"
    file.write_text(f"version: 1\nthreshold: 0.5\nrules:\n  - {rule}\n", encoding="utf-8")
    asked = asks("My BrightBox does not start")
    triage, _ = shop.copilot.read("default", asked)
    (reason,) = escalate(Policy.load(file), asked, triage, False, 150.0).reasons
    assert (reason.code, reason.quote) == ("product_named", "BrightBox")
