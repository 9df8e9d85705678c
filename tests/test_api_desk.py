from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from api.desk import PAGES
from tests.browser import look

pytestmark = pytest.mark.filterwarnings("default")

PLAIN = [page for page in PAGES if "{" not in page.path]


def test_every_page_of_the_navigation_opens_without_an_error_or_a_barrier(page: Page) -> None:
    for one in PLAIN:
        page.goto(f"/desk{one.path}")
        expect(page.get_by_role("heading", level=1)).to_have_text(one.title)
        look(page, one.name)
