"""Where documents stand on this machine: a file that was ingested with its folder stays with it, by whichever path it comes the next time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

from sqlalchemy import or_, select

from copilot.ports import Broken, Raw
from copilot.store import schema as t
from copilot.store.database import Database
from copilot.store.ledger import Known
from ingest.load import SUFFIXES
from ingest.owners import file_of, is_there, name_of


def home(database: Database, workspace: str, path: Path) -> Path:
    """The outermost folder that was ingested and holds this path, where its walk comes by; else the path itself."""
    d, above = t.documents.c, {str(one): one for one in path.parents}
    query = select(d.root).where(d.workspace == workspace, d.root.in_(above)).distinct()
    with database.read() as connection:
        roots = sorted(connection.execute(query).scalars(), key=len)
    walked = not path.is_file() or path.suffix.lower() in SUFFIXES
    for root in roots if walked else ():
        if not any(name.startswith((".", "~$")) for name in path.relative_to(root).parts):
            return above[root]
    return path


def part(root: Path, path: Path, known: dict[str, Known]) -> tuple[dict[str, Known], dict[str, str]]:
    """Of what is known of this root what lies in the path; and the rest by id, since no other file may take that."""
    name = path.relative_to(root).as_posix()
    within, rest = dict[str, Known](), dict[str, str]()
    for origin, one in known.items():
        if origin == name or origin.startswith((f"{name}/", f"{name}#")):
            within[origin] = one
        elif is_there(file_of(root, origin)):
            rest[one.id] = origin
    return within, rest


class Read(Protocol):
    """A run that has read a root: the origins of what is there, by id, and of what turned out to be no document."""

    workspace: str
    root: str
    kept: dict[str, str]
    dropped: set[str]


@dataclass(frozen=True, slots=True)
class Inner:
    """Documents of other roots that lie in the folder: those whose file is a document of the folder now, and
    those whose file or row is gone."""

    taken: dict[int, Known] = field(default_factory=dict)
    gone: dict[int, Known] = field(default_factory=dict)
    many: int = 0


def inner(database: Database, run: Read, folder: Path, path: Path, broken: Iterable[str]) -> Inner:
    """What other roots have of what lies in `path`, after this run over `folder` has read it but for what is `broken`."""
    found, many, holds = Inner(), 0, sheltered(broken)
    origins = {*run.kept.values(), *run.dropped}
    tables = {origin.split("#")[0] for origin in origins if "#" in origin}
    for key, id, root, origin, fingerprint in _inside(database, run.workspace, run.root, path):
        many += 1
        file = file_of(Path(root), origin)
        before, here = name_of(file, Path(root)), name_of(file, folder)
        if id in run.kept or holds(here):
            continue
        if here + origin[len(before) :] in origins:
            found.taken[key] = Known(key, id, fingerprint)
        elif here in tables or not is_there(file):
            found.gone[key] = Known(key, id, fingerprint)
    return replace(found, many=many)


def _inside(database: Database, workspace: str, but: str, path: Path) -> Iterator[tuple[int, str, str, str, str]]:
    """Key, id, root, origin and fingerprint of what other roots at or in this path have, and those around it have in it."""
    d, place = t.documents.c, str(path)
    around = {str(one): path.relative_to(one).as_posix() for one in path.parents}
    query = select(d.key, d.id, d.root, d.origin, d.fingerprint).where(d.workspace == workspace, d.root != but)
    query = query.where(d.active_revision.is_not(None))
    with database.read() as connection:
        roots = or_(d.root == place, d.root.startswith(f"{place}/", autoescape=True), d.root.in_(around))
        for row in connection.execute(query.where(roots)).all():
            if (name := around.get(row.root)) is not None:
                within = row.origin == name or row.origin.startswith((f"{name}/", f"{name}#"))
            else:
                within = row.root == place or row.root.startswith(f"{place}/")  # the database may not tell A from a
            if within:
                yield tuple(row)


def noted(found: Iterable[Raw | Broken], broken: list[str]) -> Iterator[Raw | Broken]:
    """The same one by one, so that a large table's rows are not all in memory; the origins of those that could not be read are noted."""
    for one in found:
        if isinstance(one, Broken):
            broken.append(one.origin)
        yield one


def sheltered(broken: Iterable[str]) -> Callable[[str], bool]:
    """Whether an origin lies in a file or folder that could not be opened: it may hold it still, so it loses nothing."""
    closed = {origin.split("#")[0] for origin in broken}
    folders = tuple("" if origin == "./" else origin for origin in closed if origin.endswith("/"))
    return lambda origin: origin.split("#")[0] in closed or origin.startswith(folders)
