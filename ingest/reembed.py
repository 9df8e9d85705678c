"""Makes every vector anew with another embedding model, in a shadow beside those in force, and switches when the shadow is whole."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import asdict, dataclass
from time import perf_counter
from typing import Any, cast

from sqlalchemy import select, update

from copilot.build import Parts, model_of, successor, with_model
from copilot.crash import point
from copilot.errors import InputError
from copilot.store import schema as t
from copilot.store.contents import Contents
from copilot.store.jobs import Job
from copilot.store.makers import Lacking, Makers, Model
from copilot.store.values import digest
from ingest.repair import Repaired, mend_vectors, put_in_step, twin_of
from ingest.split import embedded

PAGE = 256
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Reembedded:
    """The model now in force, how many texts it has vectors of, and how many of them this run embedded; `recut` are chunks that the next ingest
    cuts anew, since the model reads less at once than they hold."""

    model: str
    texts: int
    embedded: int
    recut: int
    seconds: float


def reembed(parts: Parts, other: Parts, progress: Progress = lambda done, all: None, wished: str = "") -> Reembedded:
    """Bring the index to the model of `other` (see `copilot.build.successor`), whose place `parts` then take.

    Readers are answered with the old model's vectors until the new one's are whole, and writers wait only for the last moment. Whatever was
    embedded is kept: cut off anywhere, the same call goes on from there. Where the model made the index already, another's shadow is dropped.
    `wished` is what the operator's settings name, where that is not the model itself: nobody is reminded of it then.
    """
    started, makers, fingerprint = perf_counter(), Makers(parts.database), other.embedder.fingerprint
    model, made, recut = model_of(other.settings), 0, 0
    if makers.made_all(fingerprint):
        makers.abandon()
        makers.note(fingerprint, model)
        put_in_step(other)
        parts.become(other)
    else:
        makers.begin(fingerprint, model, str(wished or model))
        made, recut = _change(parts, other, progress)
        _learn(parts)
    seconds = round(perf_counter() - started, 3)
    return Reembedded(str(model), makers.size(fingerprint)[1], made, recut, seconds)


def _change(parts: Parts, other: Parts, progress: Progress) -> tuple[int, int]:
    """How many texts were embedded, and how many of these must be cut anew."""
    makers, contents = Makers(parts.database), Contents(parts.database, other.embedder.fingerprint)
    made, recut = fill(parts, other, progress)
    point("reembed.filled")
    with twin_of(other.vectors) as twin:
        mend_vectors(other, twin, contents.held(), Repaired())
        point("reembed.twin")
        with parts.writing:
            parts.ledger.recover()
            late, more = fill(parts, other, progress)
            mend_vectors(other, twin, contents.held(), Repaired())
            makers.switch(other.embedder.fingerprint)
            parts.become(other)
            parts.vectors.adopt(twin)
            point("reembed.adopted")
            makers.arrived(other.embedder.fingerprint)
    point("reembed.done")
    return made + late, recut + more


def fill(parts: Parts, other: Parts, progress: Progress) -> tuple[int, int]:
    """Embed what the shadow of `other` lacks; how many texts that were, and how many chunks of them must be cut anew."""
    makers, fingerprint = Makers(parts.database), other.embedder.fingerprint
    (before, all), made, recut = makers.size(fingerprint), 0, 0
    for page in makers.lacking(fingerprint, PAGE):
        texts = [_read(parts, other, one) for one in page]
        rows = other.embedder.embed(texts, "document")
        long = [one.hash for one, text in zip(page, texts, strict=True) if _is_cut_off(one, text, other)]
        _cut_anew(parts, long)
        other.ledger.keep_vectors({one.hash: row for one, row in zip(page, rows, strict=True)})
        point("reembed.page")
        made, recut = made + len(page), recut + len(long)
        progress(before + made, max(all, before + made))
    return made, recut


def _read(parts: Parts, other: Parts, one: Lacking) -> str:
    """The text that the chunk's hash is of; where the former model counted tokens differently, what it would be now."""
    window = parts.settings.window
    former = embedded(one.title, one.headings, one.words, count=parts.embedder.count_tokens, window=window)
    if digest(former) == one.hash:
        return former
    return embedded(one.title, one.headings, one.words, count=other.embedder.count_tokens, window=other.settings.window)


def _is_cut_off(one: Lacking, text: str, other: Parts) -> bool:
    return digest(text) != one.hash or other.embedder.count_tokens(text) > other.settings.window


def _cut_anew(parts: Parts, hashes: Collection[str]) -> None:
    """Let the next ingest read the documents that have these chunks."""
    if not hashes:
        return
    keys = select(t.chunks.c.document).where(t.chunks.c.vector.in_(hashes))
    with parts.database.write() as connection:
        connection.execute(update(t.documents).where(t.documents.c.key.in_(keys)).values(fingerprint=""))


def _learn(parts: Parts) -> None:
    with parts.database.read() as connection:
        workspaces = connection.execute(select(t.workspaces.c.id).order_by(t.workspaces.c.id)).scalars().all()
    for workspace in workspaces:
        parts.mapper.refit(workspace)


def reembed_job(parts: Parts, job: Job, tell: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
    """Handler of `reembed` jobs: the payload names the model as the settings do."""
    started = perf_counter()
    first: list[int] = []

    def told(done: int, total: int) -> None:
        first.append(done)
        rate = (done - first[0]) / max(perf_counter() - started, 1e-6)
        left = round((total - done) / rate) if rate else None
        tell({"done": done, "total": total, "rate": round(rate, 1), "eta_seconds": left})

    other = successor(parts, with_model(parts.settings, _wanted(job.payload, model_of(parts.settings))))
    return asdict(reembed(parts, other, told))


def _wanted(payload: dict[str, Any], now: Model) -> Model:
    """Raises InputError where the payload names no model that can be."""
    embedder, engine, window = (payload.get(name, getattr(now, name)) for name in ("embedder", "engine", "window"))
    if not isinstance(embedder, str) or engine not in ("onnx", "onnx-int8", "torch") or not isinstance(window, int):
        raise InputError(
            "A model is named by `embedder` (a path or name), `engine` (onnx, onnx-int8 or torch) and `window` (tokens)."
        )
    return Model(embedder, cast("Any", engine), window)
