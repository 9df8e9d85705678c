"""Why a document that bears on a query is not among its results: which of the query's filters cut it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from copilot.domain import Hit, Kind
from copilot.store.active import Head
from copilot.store.frames import View
from copilot.versions import is_for, named, ranges

Filter = Literal["kind", "audience", "language", "before", "not_yet_valid", "expired", "version", "limit"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """A document that came near, its scores as they would be without the filters, and the filters that cut it."""

    hit: Hit
    by: tuple[Filter, ...]


def cut_by(head: Head, view: View, kinds: tuple[Kind, ...]) -> tuple[Filter, ...]:
    """Every filter that the document does not pass; `limit` where it passes all and others came before it."""
    return tuple(_failed(head, view, kinds)) or ("limit",)


def _failed(head: Head, view: View, kinds: tuple[Kind, ...]) -> Iterator[Filter]:
    if head.kind not in kinds:
        yield "kind"
    if view.audiences is not None and head.audience not in view.audiences:
        yield "audience"
    if view.language is not None and head.language not in (view.language, None):
        yield "language"
    if view.before is not None and head.known_since is not None and head.known_since > view.before:
        yield "before"
    if head.valid_from is not None and head.valid_from > view.as_of:
        yield "not_yet_valid"
    if head.valid_until is not None and head.valid_until <= view.as_of:
        yield "expired"
    bound = ranges(head.products)
    if bound and not is_for(bound, named(view.said, {one.product for one in bound})):
        yield "version"
