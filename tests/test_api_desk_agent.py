"""An agent's day in a real browser: inbox, draft, citation, accept, edit, reject, paste; with hostile customers among them."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from playwright.sync_api import Browser, Dialog, Locator, Page, expect
from pydantic_core import to_jsonable_python

from copilot.domain import Draft, Suggestion
from copilot.draft import retold as replay
from copilot.store.choices import Choices
from tests.browser import Desk, barriers, look, shifted, shifts, window
from tests.test_copilot_foreign import GERMAN, Translates

pytestmark = pytest.mark.filterwarnings("default")

CANCELS = "I renewed my yearly Care plan on 1 March. How do I cancel it, and do I get money back?"
STRANGE = "My zeppelin does not fly over the moon base anymore. What colour is the captain's parrot?"
ANGRY = "This is the third time I write! I want to speak to a manager or my solicitor will call you."
HOSTILE = "\u202ecod.exe\u202c <img src=x onerror=alert(1)><script>alert(2)</script> ![x](https://evil.example/x.png) [click](javascript:alert(3))"


@pytest.fixture
def agent(page: Page) -> Page:
    """A window that may use the clipboard."""
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    return page


def arrive(page: Page, id: str, text: str, **fields: Any) -> None:
    """A customer writes."""
    data = {"id": id, "messages": [{"text": text}], **fields}
    assert page.request.post("/v1/conversations", data=data).status == 201


def open_draft(page: Page, id: str) -> None:
    page.goto(f"/desk/conversations/{id}")
    expect(page.get_by_role("button", name="Reject")).to_be_enabled()


def latest(desk: Desk, id: str) -> Suggestion:
    made = desk.parts.records.latest("default", id)
    assert made is not None
    return made


def verdict(desk: Desk, id: str) -> str:
    return next(
        one.verdict
        for one in Choices(desk.parts.database).judgements("default")
        if one.suggestion == latest(desk, id).id
    )


def editor(page: Page) -> Locator:
    return page.get_by_role("textbox", name="Reply")


def clipboard(page: Page) -> str:
    return str(page.evaluate("navigator.clipboard.readText()"))


def test_from_the_inbox_to_an_accepted_draft_by_keys_alone(agent: Page, desk: Desk) -> None:
    arrive(agent, "agent-1", CANCELS, customer={"name": "Ottoline Vex"})
    agent.goto("/desk/inbox")
    agent.keyboard.press("/")
    agent.keyboard.type("ottoline")
    row = agent.get_by_role("link").filter(has_text="Ottoline Vex")
    expect(row).to_have_count(1)
    expect(agent.locator("a.entry")).to_have_count(1)
    row.focus()
    agent.keyboard.press("Enter")
    expect(agent.get_by_role("button", name="Accept")).to_be_enabled()
    agent.keyboard.press("a")
    expect(agent.get_by_text("Nothing was sent: paste it into your help desk")).to_be_visible()
    draft = latest(desk, "agent-1").draft
    assert draft is not None
    assert clipboard(agent) == draft.text
    assert verdict(desk, "agent-1") == "accepted"
    assert len(desk.parts.records.conversation("default", "agent-1").conversation.messages) == 1
    agent.keyboard.press("x")
    expect(agent.get_by_text("resolved", exact=True)).to_be_visible()


def test_a_conversation_that_arrives_takes_no_focus_from_the_row_one_is_on(agent: Page) -> None:
    arrive(agent, "agent-focus-1", CANCELS, customer={"name": "Petronella Quill"})
    agent.goto("/desk/inbox?q=petronella")
    row = agent.get_by_role("link").filter(has_text="Petronella Quill")
    row.focus()
    arrive(agent, "agent-focus-2", CANCELS, customer={"name": "Petronella the Second"})
    expect(agent.locator("a.entry")).to_have_count(2)
    expect(row).to_be_focused()


def test_a_citation_opens_its_source_at_the_very_words_and_leads_back(agent: Page, desk: Desk) -> None:
    arrive(agent, "agent-2", CANCELS)
    open_draft(agent, "agent-2")
    cite = agent.locator(".cite").first
    cite.focus()
    agent.keyboard.press("Enter")
    draft = latest(desk, "agent-2").draft
    assert draft is not None
    quote = next(one.citations[0].quote for one in draft.statements if one.citations)
    marked = agent.locator("mark.cited")
    expect(marked.first).to_be_in_viewport()
    assert "\n".join(marked.all_text_contents()) == quote
    expect(agent.get_by_role("tab", name="Source")).to_have_attribute("aria-selected", "true")
    look(agent, "conversation")
    agent.keyboard.press("Escape")
    expect(agent.get_by_role("tab", name="Thread")).to_have_attribute("aria-selected", "true")
    expect(cite).to_be_focused()


def test_a_number_that_contradicts_its_source_is_told_while_one_types(agent: Page, desk: Desk) -> None:
    arrive(agent, "agent-3", CANCELS)
    open_draft(agent, "agent-3")
    agent.keyboard.press("e")
    expect(editor(agent)).to_be_focused()
    draft = editor(agent).input_value()
    number = re.search(r"\b(\d+) days", draft)
    assert number is not None, draft
    editor(agent).fill(draft.replace(number[0], "77 days", 1))
    warning = agent.locator(".warning").filter(has_text="77 days")
    expect(warning).to_contain_text(f"its source says {number[0]}")
    expect(agent.locator(".on-kept").first).to_be_attached()
    look(agent, "editing")
    agent.get_by_role("button", name=f"Use {number[0]}").first.click()
    expect(agent.locator(".warning").filter(has_text="77 days")).to_have_count(0)
    editor(agent).press("Control+End")
    editor(agent).type("\n\nI have noted it in your account.")
    editor(agent).press("Control+Enter")
    expect(agent.get_by_text("Nothing was sent: paste it")).to_be_visible()
    assert verdict(desk, "agent-3") == "edited"
    assert clipboard(agent) == f"{draft}\n\nI have noted it in your account."


def test_a_rejected_draft_is_kept_with_its_reason_and_put_right_tags(agent: Page, desk: Desk) -> None:
    arrive(agent, "agent-4", CANCELS)
    open_draft(agent, "agent-4")
    agent.keyboard.press("l")
    agent.get_by_label("Intent", exact=True).select_option("order_status")
    agent.get_by_role("dialog").get_by_role("button", name="Put right").click()
    agent.keyboard.press("r")
    agent.get_by_role("radio", name="It is wrong or out of date").check()
    agent.get_by_role("dialog").get_by_role("button", name="Reject").click()
    expect(agent.get_by_text("It is kept as what not to suggest")).to_be_visible()
    assert verdict(desk, "agent-4") == "rejected"
    corrections = Choices(desk.parts.database).corrections("default")
    assert [one.corrected.intent for one in corrections if one.suggestion == latest(desk, "agent-4").id] == [
        "order_status"
    ]


def test_no_answer_says_why_and_what_to_ask(agent: Page, desk: Desk) -> None:
    arrive(agent, "agent-5", STRANGE)
    agent.goto("/desk/conversations/agent-5")
    expect(agent.get_by_role("heading", name="No answer")).to_be_visible()
    look(agent, "no-answer")
    agent.get_by_role("button", name="Insert a question").first.click()
    expect(editor(agent)).to_have_value(re.compile("Could you please tell us"))
    agent.keyboard.press("Control+Enter")
    expect(agent.get_by_text("Nothing was sent: paste it")).to_be_visible()
    assert verdict(desk, "agent-5") == "edited"


def test_why_a_person_should_step_in_stands_in_the_customers_own_words(agent: Page) -> None:
    arrive(agent, "agent-6", ANGRY)
    open_draft(agent, "agent-6")
    banner = agent.get_by_role("region", name="Escalation")
    expect(banner).to_contain_text("Hand over to")
    banner.get_by_role("button").first.click()
    expect(agent.locator(".message mark").first).to_be_in_viewport()
    assert barriers(agent) == []


def test_a_new_message_appears_without_a_reload(agent: Page) -> None:
    agent.goto("/desk/inbox")
    expect(agent.locator("a.entry").first).to_be_visible()
    agent.evaluate("window.still = true")
    arrive(agent, "agent-7", CANCELS, customer={"name": "Quentin Newcome"})
    row = agent.get_by_role("link").filter(has_text="Quentin Newcome")
    expect(row).to_be_visible()
    row.click()
    expect(agent.get_by_role("button", name="Accept")).to_be_enabled()
    more = agent.request.post("/v1/conversations/agent-7/messages", data={"text": "And one more thing: it is urgent!"})
    assert more.status == 201
    expect(agent.get_by_text("And one more thing: it is urgent!")).to_be_visible()
    agent.keyboard.press("d")
    expect(agent.get_by_text("A new message arrived")).to_have_count(0)


def test_a_pasted_message_becomes_a_conversation_with_a_draft(agent: Page) -> None:
    agent.goto("/desk/paste")
    expect(agent.get_by_role("textbox", name="Message")).to_be_focused()
    agent.keyboard.type(CANCELS)
    agent.keyboard.press("Control+Enter")
    agent.wait_for_url("**/desk/conversations/*")
    expect(agent.get_by_role("button", name="Accept")).to_be_enabled()
    expect(agent.locator(".message")).to_contain_text("I renewed my yearly Care plan")


def test_nothing_moves_while_a_draft_streams(agent: Page) -> None:
    arrive(agent, "agent-8", CANCELS, customer={"name": "Ann"})
    shifts(agent)
    open_draft(agent, "agent-8")
    expect(agent.locator(".statement").first).to_be_visible()
    assert shifted(agent) < 0.02


def test_hostile_names_and_messages_are_only_ever_text(agent: Page) -> None:
    arrive(agent, "agent-9", f"{CANCELS} {HOSTILE}", subject=HOSTILE, customer={"name": HOSTILE, "id": "evil"})
    agent.goto("/desk/inbox?q=zeppelin-free-cod.exe")
    agent.goto("/desk/inbox?q=cod.exe")
    expect(agent.locator("a.entry")).to_have_count(1)
    open_draft(agent, "agent-9")
    agent.get_by_role("tab", name="History").click()
    expect(agent.get_by_text("First contact")).to_be_visible()
    for name in ("Tickets", "Macros", "Found", "Ask", "Thread"):
        agent.get_by_role("tab", name=re.compile(f"^{name}")).click()
        assert barriers(agent) == [], name
    expect(agent.locator(".message")).to_contain_text("<script>alert(2)</script>")
    assert agent.locator("#main img, #main script").count() == 0


def test_what_no_source_supports_is_struck_through_with_its_reason(agent: Page, desk: Desk) -> None:
    arrive(agent, "agent-12", CANCELS)
    made = agent.request.post("/v1/suggestions", data={"conversation_id": "agent-12"}).json()
    made["draft"]["dropped"] = [
        {"text": f"We refund twice the price. {HOSTILE}", "reason": "its source does not say so"}
    ]
    statements = retold(desk.parts.records.suggestion("default", made["id"]).draft)
    steps = [
        ("triage", made["triage"]),
        ("statement", statements[0]),
        ("statement", statements[0]),
        *(("statement", one) for one in statements[1:]),
    ]
    told = "".join(f"event: {name}\ndata: {json.dumps(data)}\n\n" for name, data in [*steps, ("done", made)])
    agent.route("**/v1/suggestions", lambda route: route.fulfill(body=told, content_type="text/event-stream"))
    agent.goto("/desk/conversations/agent-12")
    expect(agent.get_by_role("button", name="Accept")).to_be_enabled()
    agent.keyboard.press("d")
    expect(agent.locator("del")).to_contain_text("We refund twice the price.")
    expect(agent.locator(".dropped")).to_contain_text("its source does not say so")
    expect(agent.locator(".statement")).to_have_count(len(made["draft"]["statements"]))
    assert barriers(agent) == []
    agent.keyboard.press("a")
    expect(agent.get_by_text("Nothing was sent: paste it")).to_be_visible()
    assert clipboard(agent) == made["draft"]["text"]


def test_what_one_writes_outlasts_a_new_message_and_a_new_draft_is_asked_about(agent: Page) -> None:
    arrive(agent, "agent-13", CANCELS)
    open_draft(agent, "agent-13")
    agent.keyboard.press("e")
    draft = editor(agent).input_value()
    agent.request.post("/v1/conversations/agent-13/messages", data={"text": "And one more thing."})
    expect(agent.get_by_text("this draft answers the earlier ones")).to_be_visible()
    wrong = draft.replace("60 days", "77 days", 1)
    editor(agent).fill(wrong)
    expect(agent.locator(".warning").filter(has_text="77 days")).to_be_visible()
    expect(agent.get_by_text("this draft answers the earlier ones")).to_be_visible()
    agent.get_by_role("button", name="New draft").click()
    look(agent, "new-draft-asked")
    agent.get_by_role("dialog").get_by_role("button", name="Cancel").click()
    expect(editor(agent)).to_have_value(wrong)
    agent.get_by_role("button", name="New draft").click()
    agent.get_by_role("dialog").get_by_role("button", name="New draft").click()
    expect(editor(agent)).to_have_count(0)
    expect(agent.get_by_role("button", name="Reject")).to_be_enabled()
    expect(agent.get_by_text("this draft answers the earlier ones")).to_have_count(0)


BUSY = json.dumps({"type": "about:blank", "title": "Unavailable", "status": 503, "detail": "The indexes are busy."})


def test_a_rewrite_that_fails_leaves_the_draft_as_it_was(chromium: Browser, desk: Desk) -> None:
    with window(chromium, desk.url, expected=("503",)) as page:
        arrive(page, "agent-14", CANCELS)
        open_draft(page, "agent-14")
        made = latest(desk, "agent-14")
        assert made.draft is not None
        page.keyboard.press("w")
        expect(page.get_by_text("takes a language model")).to_be_visible()
        expect(page.get_by_role("textbox", name="Instruction")).to_have_count(0)
        answer = {"status": 503, "content_type": "application/problem+json", "body": BUSY}
        page.route("**/regenerate", lambda route: route.fulfill(**answer))
        page.get_by_role("button", name="Friendlier").click()
        expect(page.get_by_role("alert")).to_contain_text("The indexes are busy.")
        expect(page.locator(".statement")).to_have_count(len(made.draft.statements))
        look(page, "rewrite-failed")
        expect(page.get_by_role("button", name="Accept")).to_be_enabled()
        page.unroute("**/regenerate")
        page.get_by_role("button", name="Try again").click()
        expect(page.get_by_role("alert")).to_have_count(0)
        expect(page.get_by_role("button", name="Reject")).to_be_enabled()
        assert latest(desk, "agent-14").id != made.id


def test_a_draft_that_answers_something_else_is_made_from_other_sources(agent: Page, desk: Desk) -> None:
    arrive(agent, "agent-20", CANCELS)
    open_draft(agent, "agent-20")
    first = latest(desk, "agent-20")
    assert first.draft is not None
    told = next(first.draft.text[one.start : one.end] for one in first.draft.statements if one.citations)
    expect(agent.locator(".statement").filter(has_text=told)).to_have_count(1)
    agent.keyboard.press("o")
    expect(agent.locator(".statement").filter(has_text=told)).to_have_count(0)
    expect(agent.get_by_role("button", name="Reject")).to_be_enabled()
    look(agent, "other-sources")
    made = latest(desk, "agent-20")
    assert made.provenance.instead_of == (first.id,)
    for _ in range(20):
        if made.draft is None:
            break
        agent.request.post(f"/v1/suggestions/{made.id}/regenerate", data={"otherwise": True})
        made = latest(desk, "agent-20")
    agent.reload()
    expect(agent.get_by_text("No other source says anything that can be quoted.")).to_be_visible()
    look(agent, "no-other-source")
    agent.get_by_role("button", name="First draft").click()
    expect(agent.locator(".statement").first).to_be_visible()


def test_what_was_accepted_is_there_again_and_is_not_replaced_unasked(agent: Page, desk: Desk) -> None:
    arrive(agent, "agent-15", CANCELS)
    open_draft(agent, "agent-15")
    agent.keyboard.press("e")
    editor(agent).fill("Dear Ann, call me.")
    agent.keyboard.press("Control+Enter")
    expect(agent.get_by_text("Nothing was sent: paste it")).to_be_visible()
    made = latest(desk, "agent-15")
    agent.reload()
    expect(agent.get_by_role("group", name="Reply as edited")).to_have_text("Dear Ann, call me.")
    expect(agent.get_by_text("Copied and noted. Nothing was sent")).to_be_visible()
    agent.keyboard.press("w")
    agent.get_by_role("button", name="Friendlier").click()
    agent.get_by_role("dialog").get_by_role("button", name="Cancel").click()
    expect(agent.get_by_role("group", name="Reply as edited")).to_be_visible()
    assert latest(desk, "agent-15").id == made.id
    agent.get_by_role("button", name="Friendlier").click()
    agent.get_by_role("dialog").get_by_role("button", name="New draft").click()
    expect(agent.locator(".statement").first).to_be_visible()


def test_unsaved_words_outlast_a_reload_and_a_session_until_they_are_put_away(chromium: Browser, desk: Desk) -> None:
    with window(chromium, desk.url, expected=("dialog", "401")) as page:
        page.on("dialog", lambda one: one.accept())
        arrive(page, "agent-16", CANCELS)
        open_draft(page, "agent-16")
        page.keyboard.press("e")
        over = json.dumps({"type": "about:blank", "title": "x", "status": 401, "detail": "The session is over."})
        answer = {"status": 401, "content_type": "application/problem+json", "body": over}
        page.route("**/check", lambda route: route.fulfill(**answer))
        editor(page).fill("Dear Ann, I look into it.")
        expect(page.get_by_text("Your session is over.")).to_be_visible()
        expect(editor(page)).to_have_value("Dear Ann, I look into it.")
        page.unroute("**/check")
        page.reload()
        expect(page.get_by_text("You were writing a reply here.")).to_be_visible()
        look(page, "unsaved-offered")
        page.get_by_role("button", name="Bring back").click()
        expect(editor(page)).to_have_value("Dear Ann, I look into it.")
        page.reload()
        expect(page.get_by_text("You were writing a reply here.")).to_be_visible()
        page.keyboard.press("e")
        expect(editor(page)).to_have_value("Dear Ann, I look into it.")
        page.keyboard.press("Escape")
        expect(page.get_by_role("button", name="Reject")).to_be_enabled()
        page.reload()
        expect(page.get_by_role("button", name="Reject")).to_be_enabled()
        expect(page.get_by_text("You were writing a reply here.")).to_have_count(0)


def test_a_pasted_message_is_not_lost_unasked(chromium: Browser, desk: Desk) -> None:
    with window(chromium, desk.url, expected=("dialog",)) as page:
        asked = list[str]()

        def leave(one: Dialog) -> None:
            asked.append(one.type)
            one.accept()

        page.on("dialog", leave)
        page.goto("/desk/paste")
        page.get_by_role("textbox", name="Message").press_sequentially("My parcel")
        page.goto("/desk/inbox")
        assert asked == ["beforeunload"]


@pytest.mark.parametrize("text", ["https://support.example.com/" + "Abcdefghij0" * 20, "Rechtsschutzversicherungs" * 6])
def test_no_long_word_makes_a_phone_scroll_sideways(agent: Page, text: str) -> None:
    id = f"agent-long-{len(text)}"
    arrive(agent, id, f"My zeppelin does not fly: {text}", subject=f"Fwd: {text}", customer={"name": text[:190]})
    agent.set_viewport_size({"width": 400, "height": 860})
    for address in (f"/desk/conversations/{id}", "/desk/inbox?q=zeppelin"):
        agent.goto(address)
        expect(agent.get_by_text("My zeppelin").first).to_be_visible()
        if "inbox" not in address:
            expect(agent.get_by_role("button", name="Reject")).to_be_enabled()
            panel = agent.locator(".context-body").first
            assert panel.evaluate("one => one.scrollWidth - one.clientWidth") <= 0  # nor the thread
        assert agent.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0


def retold(draft: Draft | None) -> list[dict[str, Any]]:
    """A draft's statements as they are streamed."""
    assert draft is not None
    return [to_jsonable_python(one) for one in replay(draft)]


def test_a_customers_history_leads_to_their_other_conversations(agent: Page) -> None:
    arrive(
        agent, "agent-10", CANCELS, channel="phone", customer={"id": "vera", "name": "Vera"}, subject="The earlier call"
    )
    arrive(agent, "agent-11", CANCELS, customer={"id": "vera", "name": "Vera"})
    open_draft(agent, "agent-11")
    agent.keyboard.press("h")
    agent.get_by_role("link", name="The earlier call").click()
    agent.wait_for_url("**/agent-10")
    expect(agent.get_by_role("heading", level=1)).to_have_text("The earlier call")


def test_a_draft_in_another_language_than_the_customers_is_translated_at_a_click(
    agent: Page, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desk.parts, "settings", desk.parts.settings.model_copy(update={"llm": "fake:model"}))
    arrive(agent, "agent-foreign", GERMAN)
    open_draft(agent, "agent-foreign")
    expect(agent.get_by_text("the draft is in English")).to_be_visible()
    look(agent, "draft-in-another-language")
    monkeypatch.setattr(desk.parts.copilot, "_model", Translates())
    agent.get_by_role("button", name="Translate into German").click()
    expect(agent.locator(".statement").filter(has_text="DE ").first).to_be_visible()
    expect(agent.get_by_text("the draft is in English")).to_have_count(0)
    look(agent, "translated")
    made = latest(desk, "agent-foreign")
    assert made.draft is not None
    assert made.draft.language == "de"
