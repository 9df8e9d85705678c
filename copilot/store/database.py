"""The database: engine, migrations, and the two kinds of transaction."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, inspect, make_url, text
from sqlalchemy.exc import ArgumentError

from copilot.disk import storage_failure
from copilot.errors import ConfigurationError

MIGRATIONS = Path(__file__).parent / "migrations"
log = logging.getLogger(__name__)


class Database:
    """One SQLite file or PostgreSQL database, at the newest schema when this returns."""

    def __init__(self, url: str) -> None:
        self.engine = engine_of(url)
        migrate(self.engine)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A consistent snapshot."""
        with self.engine.connect() as connection:
            if connection.dialect.name == "postgresql":
                connection = connection.execution_options(isolation_level="REPEATABLE READ")
            with connection.begin():
                yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """All or nothing. On SQLite the write lock is taken at once: two readers that turn writers would deadlock."""
        with self.engine.connect() as connection:
            connection = connection.execution_options(copilot_write=True)
            with connection.begin():
                yield connection

    def forget(self) -> None:
        """Take deleted text out of SQLite's write-ahead log as well; a reader in the way leaves it to the next time."""
        if self.engine.dialect.name == "sqlite":
            try:
                with self.engine.connect() as connection:
                    connection.connection.driver_connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # type: ignore[union-attr]
            except Exception as error:  # what was deleted is deleted all the same
                if storage_failure(error) is None:
                    raise
                log.warning("deleted text stays in the write-ahead log until the next time: %s", storage_failure(error))

    def vacuum(self) -> None:
        """Give the space of deleted rows back and leave none of their bytes behind; PostgreSQL does the first by itself."""
        if self.engine.dialect.name == "sqlite":
            with self.engine.connect() as connection:
                connection.connection.driver_connection.execute("VACUUM")  # type: ignore[union-attr]
            self.forget()

    def close(self) -> None:
        """Let go of the connections."""
        self.engine.dispose()


def migrate(engine: Engine) -> None:
    """Bring the schema to the newest revision. Raises ConfigurationError where the database is newer than this program."""
    if _revision(engine) == max(file.name[:4] for file in (MIGRATIONS / "versions").glob("[0-9]*.py")):
        return  # without Alembic, which takes a third of a second to import

    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, "head")
        except CommandError as error:
            raise ConfigurationError(
                f"The database was written by a newer Support Copilot ({error}). Install that version."
            ) from error


def _revision(engine: Engine) -> str | None:
    """The schema's revision, or None in an empty database."""
    with engine.begin() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def engine_of(url: str) -> Engine:
    """Connections to the database as it is, with whatever schema it has. Raises ConfigurationError for what is no address of one."""
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise ConfigurationError(
            "COPILOT_DATABASE is not a database URL. Example: postgresql+psycopg://user@host/name."
        ) from error
    if parsed.get_backend_name() != "sqlite":
        return create_engine(parsed, pool_pre_ping=True)
    if parsed.database:
        Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(parsed, connect_args={"timeout": 30, "check_same_thread": False})
    event.listen(engine, "connect", _configure_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _configure_sqlite(connection: Any, record: Any) -> None:
    connection.isolation_level = None  # the driver's own BEGIN comes too late: see _begin_sqlite
    for pragma in (
        "journal_mode=WAL",
        "synchronous=NORMAL",
        "foreign_keys=ON",
        "secure_delete=ON",
        "cache_size=-65536",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    if connection.get_execution_options().get("copilot_write"):
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    else:  # takes no lock and cannot fail, so it goes to the driver: a suggestion reads six times
        connection.connection.driver_connection.execute("BEGIN")  # type: ignore[union-attr]
