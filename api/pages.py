"""The pages for a person's browser. Everything they need is served from here: they work without a network."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from importlib.resources import files
from pathlib import Path

from fastapi import FastAPI
from starlette.responses import FileResponse
from starlette.staticfiles import StaticFiles

WEB = Path(__file__).parent / "web"


def install(app: FastAPI) -> None:
    """Add the front page, Swagger UI at /docs, and their assets."""
    app.mount("/docs/swagger", StaticFiles(directory=str(files("fastapi_offline") / "static")), name="swagger")
    app.mount("/docs/assets", StaticFiles(directory=WEB / "assets"), name="assets")
    for path, page in {"/": "index.html", "/docs": "docs.html"}.items():
        app.add_api_route(path, _page(WEB / page), include_in_schema=False, response_class=FileResponse)


def _page(file: Path) -> Callable[[], Awaitable[FileResponse]]:
    async def page() -> FileResponse:
        return FileResponse(file, media_type="text/html")

    return page
