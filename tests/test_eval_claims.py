from __future__ import annotations

import random
from typing import Any

import pytest

from eval.claims import claims
from eval.metrics import Outcome
from eval.support import Judge
from tests.eval_cases import Texts, by_name, case, cite, draft, hit, outcome, rows, suggestion, ticket

JUDGE = Judge.of([], tau=1.0)
"""Strict, so that only a claim whose every word is there is supported."""
OPEN, COMPACT, WAIT, MOON = "Open the folder.", "Choose Compact.", "Wait three minutes.", "Cheese covers the moon."
FOLDER, SPACE = hit("folder", f"{OPEN} {COMPACT}"), hit("space", MOON)


def said(*statements: str, reference: str | None = f"{OPEN} {COMPACT} {WAIT}", **known: Any) -> Outcome:
    """A draft of these statements beside what was found: one useful article, one about the moon."""
    answer = suggestion(draft(*((one, ()) for one in statements)) if statements else None, passages=[FOLDER, SPACE])
    return outcome(case(reference_reply=reference, **known), answer)


def test_the_decomposition_by_hand() -> None:
    """Right and found; wrong, from the moon article; right, from nowhere; wrong, from nowhere."""
    found = rows(claims([said(OPEN, MOON, WAIT, "Dance all night.")], JUDGE))
    assert found == {
        "claims.precision": 2 / 4,
        "claims.recall": pytest.approx(2 / 3),
        "claims.f1": pytest.approx(2 * (1 / 2) * (2 / 3) / (1 / 2 + 2 / 3)),
        "claims.claim_recall": pytest.approx(2 / 3),
        "claims.context_precision": 1 / 2,
        "claims.context_utilization": 1 / 2,
        "claims.faithfulness": 2 / 4,
        "claims.hallucination": 1 / 4,
        "claims.self_knowledge": 1 / 4,
        "claims.noise_sensitivity_relevant": 0,
        "claims.noise_sensitivity_irrelevant": 1 / 4,
    }


def test_a_wrong_claim_of_a_useful_source_is_told_from_one_of_a_useless_source() -> None:
    found = rows(claims([said(OPEN, COMPACT, MOON, reference=OPEN)], JUDGE))
    assert found["claims.noise_sensitivity_relevant"] == pytest.approx(1 / 3)
    assert found["claims.noise_sensitivity_irrelevant"] == pytest.approx(1 / 3)


def test_a_statement_of_two_sentences_is_two_claims() -> None:
    assert rows(claims([said(f"{OPEN} {MOON}", reference=None)], JUDGE)) == {"claims.faithfulness": 1}
    assert rows(claims([said(f"{OPEN} Dance all night.", reference=None)], JUDGE)) == {"claims.faithfulness": 0.5}


def test_greeting_question_and_closing_of_the_reference_are_no_claims() -> None:
    full = said(OPEN, reference=f"Hi Ana,\n\n{OPEN}\n\nWhich version do you have?\n\nKind regards\nBen")
    assert rows(claims([full], JUDGE)) == rows(claims([said(OPEN, reference=OPEN)], JUDGE))


def test_silence_makes_no_claim_but_retrieval_is_judged() -> None:
    found = rows(claims([said()], JUDGE))
    assert found == {
        "claims.recall": 0,
        "claims.f1": 0,
        "claims.claim_recall": pytest.approx(2 / 3),
        "claims.context_precision": 1 / 2,
    }


def test_resolutions_and_cited_stretches_are_context_too() -> None:
    texts: Texts = {("long", 1): f"{OPEN} {WAIT}"}
    answer = suggestion(draft((WAIT, [cite("long", 17, 36, texts)]), (MOON, [])), tickets=[ticket("t", MOON)])
    assert rows(claims([outcome(said=answer, texts=texts)], JUDGE)) == {"claims.faithfulness": 1}


def test_which_metrics_are_better_low() -> None:
    metrics = by_name(claims([said(OPEN, MOON)], JUDGE))
    lower = {name.removeprefix("claims.") for name, one in metrics.items() if one.better == "lower"}
    assert lower == {"hallucination", "noise_sensitivity_relevant", "noise_sensitivity_irrelevant"}
    assert metrics["claims.self_knowledge"].better == "neither"


def test_it_agrees_with_ragcheckers_own_loops_on_random_answers() -> None:
    rng = random.Random(11)
    facts = [f"{word} {word}ing" for word in ("red", "green", "blue", "black", "white", "brown")]
    for _ in range(150):
        wanted, made, *found = (rng.sample(facts, rng.randint(1, 4)) for _ in range(5))
        answer = suggestion(
            draft(*((f"{one}.", ()) for one in made)),
            passages=[hit(str(n), ". ".join(some)) for n, some in enumerate(found)],
        )
        reference = "\n".join(f"{one}." for one in wanted)
        assert rows(claims([outcome(case(reference_reply=reference), answer)], JUDGE)) == pytest.approx(
            {f"claims.{name}": value for name, value in _ragchecker(wanted, made, found).items()}
        )


def _ragchecker(wanted: list[str], made: list[str], found: list[list[str]]) -> dict[str, float]:
    a2r, r2a = [one in wanted for one in made], [one in made for one in wanted]
    relevant = [any(one in some for one in wanted) for some in found]
    recalled = [any(one in some for some in found) for one in wanted]
    counts = dict.fromkeys(("faithful", "hallucinated", "known", "relevant", "irrelevant"), 0)
    for claim, right in zip(made, a2r, strict=True):
        holders = [n for n, some in enumerate(found) if claim in some]
        counts["faithful"] += bool(holders)
        counts["hallucinated"] += not holders and not right
        counts["known"] += not holders and right
        if holders and not right:
            counts["relevant" if any(relevant[n] for n in holders) else "irrelevant"] += 1
    precision, recall = sum(a2r) / len(made), sum(r2a) / len(wanted)
    values = {
        "precision": precision,
        "recall": recall,
        "f1": 2 * precision * recall / (precision + recall) if precision + recall else 0.0,
        "claim_recall": sum(recalled) / len(wanted),
        "context_precision": sum(relevant) / len(found),
        "faithfulness": counts["faithful"] / len(made),
        "hallucination": counts["hallucinated"] / len(made),
        "self_knowledge": counts["known"] / len(made),
        "noise_sensitivity_relevant": counts["relevant"] / len(made),
        "noise_sensitivity_irrelevant": counts["irrelevant"] / len(made),
    }
    if any(recalled):
        values["context_utilization"] = sum(x and y for x, y in zip(recalled, r2a, strict=True)) / sum(recalled)
    return values
