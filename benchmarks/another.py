"""How often the answer stands in the first draft, and in those that an agent gets who asks for another answer.

`python -m benchmarks.another HOME SUITE.yaml ...` with suites whose answering words are marked (`gold_spans`). A marked place is told by a
draft that quotes `TOLD` of its content words from its document. HOME keeps the indexes.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from copilot.clauses import content
from copilot.domain import Options, Suggestion
from copilot.settings import Settings
from eval.cases import Case, Span
from eval.desk import Desk, ProcessDesk, bring_in, opened, settings_of
from eval.suite import load

DRAFTS = 3
TOLD = 0.6


def main(home: Path, suites: Sequence[str]) -> None:
    """Print the share of each suite's messages that is answered by the first draft, by one of two, by one of three."""
    every = {suite: list(answered(suite, home)) for suite in suites}
    for suite, found in {**every, "all": [one for some in every.values() for one in some]}.items():
        shares = [float(np.mean([at <= n for at in found])) for n in range(DRAFTS)]
        print(suite, len(found), np.round(shares, 3).tolist())


def answered(suite: str, home: Path) -> Iterator[int]:
    """For each marked message which of the drafts tells one of its places, from 0; DRAFTS where none does."""
    chosen, _ = load(suite, ())
    with opened(settings_of(chosen, Settings(home=home))) as parts:
        bring_in(chosen, parts, lambda *_: None)
        desk = ProcessDesk(parts, chosen.workspace)
        yield from (first_that_tells(desk, case) for case in chosen.load_cases() if case.gold_spans)


def first_that_tells(desk: Desk, case: Case) -> int:
    """The number of the first such draft."""
    passed: tuple[str, ...] = ()
    for number in range(DRAFTS):
        made = desk.suggest(case.conversation, Options(before=case.created, instead_of=passed))
        if made.draft is None:
            break
        if any(tells(made, span) for span in case.gold_spans or ()):
            return number
        passed = (*passed, made.id)
    return DRAFTS


def tells(made: Suggestion, span: Span) -> bool:
    """Whether the draft quotes enough of the marked words."""
    cited = [one for said in made.draft.statements for one in said.citations] if made.draft else []
    quoted = content(" ".join(one.quote for one in cited if one.document_id == span.document_id))
    wanted = content(span.quote or "")
    return bool(wanted) and len(wanted & quoted) >= TOLD * len(wanted)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
