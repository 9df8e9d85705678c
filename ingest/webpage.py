"""What a web page says of itself: its address, its language, its links, and whether it asks not to be listed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit, urlunsplit

from ingest.page import language
from ingest.plain import parse

if TYPE_CHECKING:
    from bs4 import BeautifulSoup

_TRACKING = ("utm_", "mc_", "pk_")
_TRACKERS = frozenset({"gclid", "fbclid", "msclkid", "yclid", "igshid", "ref_src"})


@dataclass(frozen=True, slots=True)
class Facts:
    """A page's head and where it leads to."""

    canonical: str | None
    """What it says that its address is."""
    links: tuple[str, ...]
    unlisted: bool
    language: str | None


def facts(body: bytes, url: str) -> Facts:
    """What the page at this address says. Raises UnreadableFile for one that is nested too deeply."""
    soup = parse(body.decode("utf-8", "replace"))
    base = _base(soup, url)
    link = soup.find("link", rel="canonical", href=True)
    anchors = [a for a in soup.find_all("a", href=True) if "nofollow" not in (a.get("rel") or ())]
    found = (canonical(_joined(base, str(a["href"]))) for a in anchors)
    said = [str(tag.get("content", "")) for tag in soup.find_all("meta", attrs={"name": "robots"})]
    return Facts(
        canonical=canonical(_joined(base, str(link["href"]))) if link else None,
        links=tuple(dict.fromkeys(filter(None, found))),
        unlisted=any("noindex" in words.lower() for words in said),
        language=language(soup.html.get("lang")) if soup.html else None,
    )


def canonical(url: str | None) -> str | None:
    """One spelling of a web address: small host, no default port, no fragment, nothing that only tracks; None for what is none."""
    try:
        parts = urlsplit(url or "")
        port = parts.port
    except ValueError:
        return None
    if parts.scheme.lower() not in ("http", "https") or not parts.hostname or parts.username or parts.password:
        return None
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    place = host if port in (None, {"http": 80, "https": 443}[parts.scheme.lower()]) else f"{host}:{port}"
    query = urlencode([(k, v) for k, v in parse_qsl(parts.query, keep_blank_values=True) if not _tracks(k.lower())])
    return urlunsplit(
        (parts.scheme.lower(), place, urlsplit(urljoin(url or "", parts.path or "/")).path or "/", query, "")
    )


def _base(soup: BeautifulSoup, url: str) -> str:
    """What the page's relative addresses begin at: the first `<base href>`, else the page itself."""
    tag = soup.find("base", href=True)
    return (_joined(url, str(tag["href"])) if tag else None) or url


def _joined(base: str, link: str) -> str | None:
    try:
        return urljoin(base, link.strip())
    except ValueError:
        return None


def _tracks(name: str) -> bool:
    return name.startswith(_TRACKING) or name in _TRACKERS
