"""Junk in the place of each value that a help desk sends: errors of the tree, or nothing."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from itertools import islice
from typing import Any

import pytest

from copilot.domain import Source
from copilot.errors import CopilotError
from copilot.ports import Raw
from copilot.settings import Settings
from copilot.store.sources import Upstream
from ingest.connect import connector_of
from tests.servers import Asked, Reply, serving, shown
from tests.test_ingest_connectors_hostile import PLACES, source

JUNK: list[Any] = [None, 0, -1, True, 1e308, "", "\ud800\0", "9" * 400, [], [None], {}, {"id": None}]
TRIES = 40
"""Of one connector: values spread evenly over all of its answers."""


def leaves(found: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to each value in a payload."""
    inside = found.items() if isinstance(found, dict) else enumerate(found) if isinstance(found, list) else ()
    for key, value in inside:
        yield (*path, key)
        yield from leaves(value, (*path, key))


def put(found: Any, path: tuple[Any, ...], junk: Any) -> Any:
    made = copy.deepcopy(found)
    at = made
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = junk
    return made


@pytest.mark.parametrize("name", [name for name in sorted(PLACES) if name != "web"])
def test_whatever_stands_in_a_payload_is_no_fault_of_ours(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    """Each value of each answer in turn replaced by junk: the connector and its parsers raise errors of the tree, or nothing."""
    place = PLACES[name]
    monkeypatch.setattr("ingest.fetch.time.sleep", lambda seconds: None)
    settings = Settings(home=tmp_path)
    with serving() as server:
        place.build(server)
        upstream = source(place, server, monkeypatch)
        answers: dict[str, Any] = {}
        server.spoil = lambda asked, reply: noted(answers, asked, reply)
        assert read(upstream, settings) == []
        ways = [(path, way) for path, answer in sorted(answers.items()) for way in leaves(answer)]
        chosen = ways[:: max(1, len(ways) // TRIES)]
        for at, (path, way) in enumerate(chosen):
            junk = JUNK[at % len(JUNK)]
            spoilt = shown(put(answers[path], way, junk))
            server.spoil = lambda asked, reply, path=path, spoilt=spoilt: spoilt if asked.path == path else reply  # type: ignore[misc]
            assert read(upstream, settings) == [], (path, way, junk)
        assert len(chosen) >= TRIES


def noted(answers: dict[str, Any], asked: Asked, reply: Reply) -> Reply:
    if reply.status == 200 and asked.path not in answers:
        answers[asked.path] = json.loads(reply.body)
    return reply


def read(upstream: Upstream, settings: Settings) -> list[str]:
    """What went wrong that should not, reading everything there is."""
    wrong: list[str] = []
    try:
        for change in islice(connector_of(upstream, settings).changes(None), 500):
            if isinstance(change, Raw):
                wrong += parsed(change)
    except CopilotError:
        pass
    except Exception as error:
        wrong.append(f"changes: {error!r}")
    return wrong


def parsed(raw: Raw) -> list[str]:
    try:
        made = raw.read()
    except CopilotError:
        return []
    except Exception as error:
        return [f"{raw.origin}: {error!r}"]
    return [] if isinstance(made, Source) else [f"{raw.origin}: no source"]
