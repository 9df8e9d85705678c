"""A desk in a real browser: a server over the demo company, Chromium, and a page that fails its test for any error, leak or barrier."""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from time import monotonic, sleep
from typing import TYPE_CHECKING

import pytest

import ingest.demo
from api.commands import served
from copilot.build import Parts
from copilot.settings import Settings
from ingest.load import Reading
from ingest.pipeline import Indexer

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

PATIENCE = 30_000
"""Milliseconds that an expectation waits: the machine may be slow and shared."""
WIDTHS = {"wide": (1280, 860), "phone": (390, 844)}
SHOTS = "DESK_SHOTS"
"""A folder for screenshots; none are made where it is unset."""


@dataclass(frozen=True)
class Desk:
    """A server that runs, and its parts."""

    url: str
    parts: Parts


@contextmanager
def running(settings: Settings, prepare: Callable[[Parts], None] = lambda parts: None) -> Iterator[Desk]:
    """A real server on a free port of this machine, with its jobs, for as long as the block runs."""
    import uvicorn

    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        with served(settings, url, lambda parts, address: prepare(parts)) as app:
            config = uvicorn.Config(app, log_config=None, timeout_graceful_shutdown=1)
            server = uvicorn.Server(config)
            thread = Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
            thread.start()
            try:
                _await(lambda: server.started)
                yield Desk(url, app.state.parts)
            finally:
                server.should_exit = True
                thread.join(20)


def _await(true: Callable[[], bool], seconds: float = 30) -> None:
    end = monotonic() + seconds
    while not true():
        assert monotonic() < end, "the server did not start"
        sleep(0.02)


def demo_company(parts: Parts) -> None:
    """Bring the demo company in."""
    for name in ("articles", "macros", "tickets"):
        Indexer(parts).ingest("default", ingest.demo.FOLDER / name, Reading())


@pytest.fixture(scope="session")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """The demo company's desk in single-user mode. All browser tests share it: what a test adds is under ids of its own."""
    home = tmp_path_factory.mktemp("desk")
    with running(Settings(home=home, taxonomy=ingest.demo.FOLDER / "taxonomy.yaml"), demo_company) as made:
        yield made


@pytest.fixture(
    scope="module"
)  # Playwright keeps an event loop in this thread: other files' own loops could not run beside it
def chromium() -> Iterator[Browser]:
    """Debian's Chromium; the test is skipped where there is none."""
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        pytest.skip("There is no chromium on the PATH: `make browser` installs it.")
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=PATIENCE)
    options = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=options)
        yield browser
        browser.close()


@pytest.fixture
def page(chromium: Browser, desk: Desk) -> Iterator[Page]:
    """A new browser window on the demo company's desk; addresses may be relative: `page.goto("/desk/inbox")`."""
    with window(chromium, desk.url) as made:
        yield made


@contextmanager
def window(chromium: Browser, url: str, *, expected: tuple[str, ...] = ()) -> Iterator[Page]:
    """A new browser window; at its end nothing may have gone wrong in it but for errors that hold one of the expected words."""
    width, height = WIDTHS["wide"]
    context = chromium.new_context(base_url=url, viewport={"width": width, "height": height}, locale="en-GB")
    context.set_default_timeout(PATIENCE)
    context.set_default_navigation_timeout(PATIENCE)
    wrong = _watched(context, url)
    page = context.new_page()
    try:
        yield page
    finally:
        context.close()
    assert [one for one in wrong if not any(word in one for word in expected)] == []


def _watched(context: BrowserContext, url: str) -> list[str]:
    """Whatever a browser complains of (scripts, CSP, what failed to load), and every request that leaves for another host."""
    wrong: list[str] = []
    context.on("console", lambda one: wrong.append(f"console: {one.text}") if one.type == "error" else None)
    context.on("weberror", lambda one: wrong.append(f"script: {one.error}"))
    context.on(
        "request", lambda one: None if one.url.startswith((url, "data:", "blob:")) else wrong.append(f"left: {one.url}")
    )
    context.on("dialog", lambda one: wrong.append(f"dialog: {one.message}"))
    return wrong


def barriers(page: Page) -> list[str]:
    """What axe-core finds on the page that is serious or critical: rule, and the elements."""
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page).response["violations"]
    serious = [one for one in found if one["impact"] in ("serious", "critical")]
    return [f"{one['id']}: {one['help']}: {[node['target'] for node in one['nodes']][:5]}" for one in serious]


def look(page: Page, name: str) -> None:
    """No serious barrier in either theme and at either width; with DESK_SHOTS set, a screenshot of each, NAME-THEME-WIDTH.png."""
    before = page.viewport_size or {"width": 1280, "height": 860}
    for width, size in WIDTHS.items():
        page.set_viewport_size({"width": size[0], "height": size[1]})
        for theme in ("light", "dark"):
            page.evaluate("theme => { document.documentElement.dataset.theme = theme; }", theme)
            _settle(page)
            assert barriers(page) == [], (name, width, theme)
            _shoot(page, f"{name}-{theme}-{width}")
        sideways = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert sideways <= 0, f"{name} scrolls sideways at {size[0]} pixels"
    page.evaluate("() => { delete document.documentElement.dataset.theme; }")
    page.set_viewport_size(before)


def _settle(page: Page) -> None:
    """Bring transitions to their end: however slow the machine is, no colour is seen half changed."""
    page.evaluate(
        "async () => { await new Promise(drawn => requestAnimationFrame(() => requestAnimationFrame(drawn))); "
        "for (const one of document.getAnimations()) "
        "if (one.effect.getComputedTiming().endTime !== Infinity) one.finish(); }"
    )


def _shoot(page: Page, name: str) -> None:
    folder = os.environ.get(SHOTS)
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=Path(folder) / f"{name}.png")


def shifts(page: Page) -> None:
    """Begin to measure how much the layout shifts from the next navigation on; `shifted(page)` tells."""
    page.add_init_script(
        "window.__shift = 0; new PerformanceObserver(list => { for (const one of list.getEntries()) "
        "if (!one.hadRecentInput) window.__shift += one.value; }).observe({type: 'layout-shift', buffered: true});"
    )


def shifted(page: Page) -> float:
    """The cumulative layout shift so far; under 0.1 counts as good."""
    return float(page.evaluate("window.__shift"))
