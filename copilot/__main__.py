"""The `copilot` command: its sub-commands are found by the entry-point group `copilot.commands`."""

from __future__ import annotations

import os
import sys
from importlib.metadata import entry_points

import typer
from pydantic import ValidationError
from rich.console import Console

from copilot.disk import storage_failure
from copilot.errors import CopilotError
from copilot.memory import collect_rarely

app = typer.Typer(
    help="A self-hosted copilot for customer support: cited suggestions over your own documents and solved tickets.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)


def main() -> None:
    """Run the command line; an expected error is one line on stderr and exit code 1."""
    collect_rarely()
    os.environ.setdefault("ANONYMIZED_TELEMETRY", "False")
    os.environ.setdefault("LANGSMITH_TRACING", "false")
    for point in sorted(entry_points(group="copilot.commands"), key=lambda point: point.name):
        point.load()(app)
    try:
        app()
    except CopilotError as error:
        _fail(error.__class__.__name__, str(error))
    except ValidationError as error:  # only the settings are read without a check of our own
        wrong = "; ".join(f"COPILOT_{str(one['loc'][0]).upper()}: {one['msg']}" for one in error.errors() if one["loc"])
        _fail("ConfigurationError", wrong)
    except Exception as error:
        failed = storage_failure(error)
        if failed is None:
            raise
        _fail("StorageFailed", str(failed))


def _fail(kind: str, words: str) -> None:
    errors = Console(stderr=True)
    errors.print(f"[red]{kind}[/red]: ", end="")
    errors.print(words, markup=False, highlight=False)
    sys.exit(1)


if __name__ == "__main__":
    main()
