"""A document's text as a page shows it: markdown made HTML, and from that whatever could load, run or mislead taken out."""

from __future__ import annotations

from collections.abc import MutableMapping, Sequence
from functools import cache
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import OptionsDict

TAGS = set(
    "p h1 h2 h3 h4 h5 h6 ul ol li strong em code pre blockquote a table thead tbody tr th td br hr del s sub sup".split()
)


def rendered(text: str) -> str:
    """The HTML: links go to http, https and mail only and tell nothing of where they were followed from; pictures are their words."""
    import nh3

    return nh3.clean(
        _markdown().render(text), tags=TAGS, attributes={"a": {"href"}, "ol": {"start"}}, url_schemes={"http", "https", "mailto"},
        link_rel="noopener noreferrer nofollow",
    )  # fmt: skip


@cache
def _markdown() -> MarkdownIt:
    made = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
    made.add_render_rule("image", _words)
    return made


def _words(
    self: RendererHTML, tokens: Sequence[Token], at: int, options: OptionsDict, env: MutableMapping[str, Any]
) -> str:
    from markdown_it.common.utils import escapeHtml

    said = tokens[at].content.strip()
    return f"[picture: {escapeHtml(said)}]" if said else "[picture]"
