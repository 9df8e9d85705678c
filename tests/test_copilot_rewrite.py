"""A reply in other words: by rule where a rule does it well, by a model grounded anew, and a clear answer where there is none."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from copilot.build import Parts
from copilot.domain import Conversation, Draft, Message, Suggestion
from copilot.errors import DrafterFailed, NeedsModel, TooLarge
from copilot.ports import Drafter, DraftRequest, Proposed, Rewrite
from copilot.text import sentences
from tests.conftest import AGENT, asks

QUESTION = asks("How long is the link to reset my password valid? It does not work for me.", "password link")
VALID = "The link in the e-mail is valid for 30 minutes and works once."


class Says:
    """A model that proposes what it is told to, and remembers what it was asked."""

    name = "fake:model"

    def __init__(self, *given: Proposed | Exception) -> None:
        self.given, self.asked = given, list[DraftRequest]()

    def stream(self, request: DraftRequest) -> Iterator[Proposed]:
        self.asked.append(request)
        for one in self.given:
            if isinstance(one, Exception):
                raise one
            yield one


def rewritten(parts: Parts, monkeypatch: pytest.MonkeyPatch, model: Drafter | None, rewrite: Rewrite) -> Suggestion:
    monkeypatch.setattr(parts.copilot, "_model", model)
    *_, last = parts.copilot.stream(AGENT, QUESTION, rewrite=rewrite)
    assert isinstance(last.data, Suggestion)
    return last.data


def draft_of(made: Suggestion) -> Draft:
    assert made.draft is not None
    return made.draft


def proposal(text: str, parts: Parts) -> Proposed:
    """Citing whatever is first among the evidence, which is the article on passwords."""
    return Proposed(text=text, evidence=(0,))


def test_a_models_rewriting_is_grounded_anew(company: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    model = Says(
        proposal("The link in the e-mail is valid for 30 minutes.", company),
        proposal("It is valid for 90 days.", company),
    )
    made = rewritten(
        company, monkeypatch, model, Rewrite(task="instruct", text=VALID, instruction="Begin with the time.")
    )
    draft = draft_of(made)
    assert (made.status, draft.generator) == ("drafted", "fake:model")
    assert "30 minutes" in draft.text
    assert "90 days" not in draft.text
    assert [one.text for one in draft.dropped] == ["It is valid for 90 days."]


def test_the_customers_data_in_the_reply_and_the_instruction_is_hidden_from_the_model(
    company: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = Says(proposal(VALID, company))
    asked = Rewrite(
        task="instruct",
        text=f"{VALID} Write to ana@example.com.",
        instruction="Offer to call +49 30 901820 for ana@example.com.",
    )
    rewritten(company, monkeypatch, model, asked)
    seen = model.asked[0].rewrite
    assert seen is not None
    assert "ana@example.com" not in seen.text + seen.instruction
    assert "901820" not in seen.instruction
    assert seen.text.endswith("Write to [email-1].")


def test_a_name_that_only_the_signature_tells_is_hidden_from_the_model_wherever_it_stands(
    company: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = Says(proposal(VALID, company))
    monkeypatch.setattr(company.copilot, "_model", model)
    text = "How long is the link to reset my password valid? It does not work for me (MAREK, marek.z＠example.org).\n\nRegards,\nMarek Zielinski"
    earlier = Message(author="agent", text="Dear customer,\n\nplease say more.\n\nKind regards,\nMaud Kessler")
    thread = Conversation(
        subject="password link, says Maud",
        messages=(Message(text="Hello"), earlier, Message(text=text)),
    )
    company.copilot.suggest(AGENT, thread)
    asked = Rewrite(task="instruct", text=f"{VALID} Maud and Marek say so.", instruction="Tell Zielinski.")
    *_, _ = company.copilot.stream(AGENT, thread, rewrite=asked)
    for request in model.asked:
        seen = request.message + (request.rewrite.text + request.rewrite.instruction if request.rewrite else "")
        assert not re.search("marek|zielinski|maud|kessler|example.org", seen, re.IGNORECASE), seen
        assert "reset my password valid" in seen
    assert len(model.asked) == 2


def test_a_translation_keeps_the_citations_and_is_marked_as_partly_supported(
    company: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = Says(Proposed(text="Der Link in der E-Mail gilt 30 Minuten und funktioniert ein Mal.", evidence=(0,)))
    made = rewritten(company, monkeypatch, model, Rewrite(task="translate", text=VALID, language="de"))
    draft = draft_of(made)
    claim = next(one for one in draft.statements if one.citations)
    assert (draft.language, claim.support) == ("de", "partial")
    assert claim.citations[0].quote == VALID
    assert draft.text.startswith("Guten Tag,")
    seen = model.asked[0].rewrite
    assert seen is not None
    assert seen.statements == (VALID,)


@pytest.mark.parametrize(
    ("text", "number", "reason"),
    [
        ("Der Link in der E-Mail gilt 90 Minuten und funktioniert ein Mal.", 0, "numbers"),
        ("Der Link in der E-Mail gilt nicht 30 Minuten, nur ein Mal.", 0, "negation"),
        ("Der Link in der E-Mail gilt 30 Minuten: https://evil.example/a", 0, "numbers or addresses"),
        ("30", 0, "as long"),
        ("Der Link in der E-Mail gilt 30 Minuten und funktioniert ein Mal.", 7, "no statement"),
    ],
)
def test_a_translation_with_other_facts_is_dropped(
    company: Parts, monkeypatch: pytest.MonkeyPatch, text: str, number: int, reason: str
) -> None:
    good = Proposed(text="Der Link in der E-Mail gilt 30 Minuten und funktioniert ein Mal.", evidence=(0,))
    model = Says(good, Proposed(text=text, evidence=(number,)))
    draft = draft_of(rewritten(company, monkeypatch, model, Rewrite(task="translate", text=VALID, language="de")))
    (dropped,) = draft.dropped
    assert dropped.text == text
    assert reason in dropped.reason


def test_only_what_a_source_supports_is_translated(company: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    model = Says(Proposed(text="Der Link in der E-Mail gilt 30 Minuten und funktioniert ein Mal.", evidence=(0,)))
    text = f"Hi Ana,\n\n{VALID} You get a voucher of 500 euro."
    made = rewritten(company, monkeypatch, model, Rewrite(task="translate", text=text, language="de"))
    seen = model.asked[0].rewrite
    assert seen is not None
    assert seen.statements == (VALID,)
    assert "You get a voucher of 500 euro." in [one.text for one in draft_of(made).dropped]


def test_a_reply_that_no_prompt_has_room_for_is_refused(company: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    model = Says(proposal(VALID, company))
    with pytest.raises(TooLarge, match="COPILOT_LLM_PROMPT_TOKENS"):
        rewritten(company, monkeypatch, model, Rewrite(task="grammar", text=VALID * 500))
    assert model.asked == []


def test_a_model_that_fails_leaves_the_extractive_draft_marked_so(
    company: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = rewritten(
        company, monkeypatch, Says(DrafterFailed("slow")), Rewrite(task="translate", text=VALID, language="de")
    )
    assert (made.status, draft_of(made).generator, draft_of(made).language) == ("extractive", "extractive", "en")


@pytest.mark.parametrize(
    "given",
    [DrafterFailed("slow"), Proposed(text="It is valid for 90 days.", evidence=(0,))],
    ids=["failed", "dropped"],
)
def test_a_text_that_was_not_rewritten_stays_as_it_was(
    company: Parts, monkeypatch: pytest.MonkeyPatch, given: Proposed | Exception
) -> None:
    text = f"Hi Ana,\n\n{VALID} I call you at ana@example.com tomorrow."
    asked = Rewrite(task="instruct", text=text, instruction="Shorter.")
    made = rewritten(company, monkeypatch, Says(given), asked)
    draft = draft_of(made)
    assert (made.status, draft.generator, draft.text) == ("extractive", "unchanged", text)
    assert [one.text for one in draft.dropped][-1] == "Shorter."
    cited = [draft.text[one.start : one.end] for one in draft.statements if one.citations]
    assert cited == [VALID]


def test_without_a_model_a_rewriting_says_what_to_configure(company: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(NeedsModel, match="COPILOT_LLM"):
        rewritten(company, monkeypatch, None, Rewrite(task="grammar", text=VALID))


def test_over_http_a_rewriting_needs_a_model_and_a_reply(client: TestClient) -> None:
    body = {"conversation": {"messages": [{"text": QUESTION.messages[0].text}]}}
    made = client.post("/v1/suggestions", json=body).json()
    path = f"/v1/suggestions/{made['id']}/regenerate"
    told = client.post(path, json={"rewrite": {"task": "translate", "language": "de"}})
    assert (told.status_code, told.json()["type"]) == (422, "urn:support-copilot:needs-model")
    assert "COPILOT_LLM" in told.json()["detail"]
    assert client.post(path, json={"rewrite": {"task": "sing"}}).status_code == 422


def tone(client: TestClient, tone: str | None) -> dict[str, Any]:
    body = {
        "conversation": {
            "messages": [{"text": "My disk is full. How do I compact a folder?"}],
            "customer": {"name": "Ana Sousa"},
        },
        "options": {"tone": tone},
    }
    draft: dict[str, Any] = client.post("/v1/suggestions", json=body).json()["draft"]
    return draft


def test_tones_without_a_model_change_the_frame_and_keep_the_statements(client: TestClient) -> None:
    plain, formal, friendly = (tone(client, name) for name in (None, "formal", "friendly"))
    assert formal["text"].startswith("Dear Ana,")
    assert formal["text"].endswith("Yours sincerely")
    assert friendly["text"].endswith("Warm regards")
    for draft in (formal, friendly):
        assert [s["citations"] for s in draft["statements"] if s["citations"]] == [
            s["citations"] for s in plain["statements"] if s["citations"]
        ]


def test_a_short_reply_has_at_most_three_whole_statements(client: TestClient) -> None:
    plain, short = tone(client, None), tone(client, "short")
    quoted = [c["quote"] for s in short["statements"] for c in s["citations"]]
    heading, *body = quoted
    assert heading == "Compact one folder"
    assert 1 <= len(body) <= 3
    assert "Shall I send you the next steps?" in short["text"]
    assert len(short["text"]) < len(plain["text"])
    assert set(quoted) <= {c["quote"] for s in plain["statements"] for c in s["citations"]}
    assert all(len(sentences(quote)) == 1 for quote in quoted)
