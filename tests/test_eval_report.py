"""The report: one file that loads nothing, believes nobody, and shows the worst first."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise
from typing import Any

import pytest

from copilot.domain import Conversation, Message
from eval.compare import Comparison, Difference
from eval.record import CaseRecord, Run
from eval.report import DETAILED, render
from eval.shown import LONG
from tests.eval_cases import case, cite, draft, hit, suggestion, triage
from tests.eval_cases import tag as label_of
from tests.eval_runs import record, run, score, sliced

HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)>\"'&"
LOADING = {"src", "srcset", "data", "poster", "background", "action", "formaction", "xlink:href"}


class Reader(HTMLParser):
    """Every element with its attributes, and the text of the scripts."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self.words = ""
        self._in = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self._in = tag

    def handle_data(self, data: str) -> None:
        if self._in == "script":
            self.scripts.append(data)
        elif self._in != "style":
            self.words += data

    def handle_endtag(self, tag: str) -> None:
        self._in = ""


def hostile() -> Run:
    texts = {(HOSTILE, 1): HOSTILE}
    quote = replace(cite(HOSTILE, 0, len(HOSTILE), texts), title=HOSTILE, url="javascript:alert(3)")
    said = suggestion(draft((HOSTILE, [quote])), passages=[hit(HOSTILE, HOSTILE)])
    asked = replace(
        case(HOSTILE, gold_docs=("right",), reference_reply=HOSTILE, escalate=True, escalate_reason=HOSTILE, slices={HOSTILE: HOSTILE}),
        conversation=Conversation(subject=HOSTILE, messages=(Message(text=HOSTILE),)),
    )  # fmt: skip
    labels: dict[str, Any] = {"triage__intent__macro_f1": (HOSTILE, "refund"), HOSTILE: 0.5}
    scores = [
        score("triage.intent.macro_f1", statistic="macro_f1"),
        score(HOSTILE, about=HOSTILE),
        score("broken", 0.5, invariant=True),
    ]
    slices = tuple(sliced("triage.intent.macro_f1", HOSTILE, value) for value in (HOSTILE, "plain"))
    made = record(asked, said, {"article": (HOSTILE,)}, **labels, broken=0.0)
    return run(made, scores=scores, slices=slices, notes=(HOSTILE,))


def bad(id: str, **known: Any) -> Any:
    """A case that was left without an answer."""
    return record(case(id, **{"gold_docs": ("right",), **known}), suggestion(), {"article": ("other",)})


def difference(name: str, verdict: Any, by: float = -0.2) -> Difference:
    return Difference(
        name=name, a=0.8, b=0.8 + by, difference=by, low=by - 0.1, high=by + 0.05, p=0.001, p_holm=0.012, n=50, better="higher",
        verdict=verdict, wins=2, losses=11,
    )  # fmt: skip


def section(page: str, id: str) -> str:
    return page.split(f'<section id="{id}"')[1].split('<section id="')[0]


def test_hostile_words_stay_words() -> None:
    page = render(hostile())
    found = Reader(page)
    assert [tag for tag, _ in found.elements if tag in ("img", "iframe", "object", "embed", "link", "base")] == []
    assert [attributes.get("type") for tag, attributes in found.elements if tag == "script"] == [
        "application/json",
        None,
    ]
    assert not [name for _, attributes in found.elements for name in attributes if name.startswith("on")]
    assert HOSTILE in found.words


def test_data_cannot_end_its_script_early() -> None:
    data = Reader(render(hostile())).scripts[0]
    assert "<" not in data
    (known,) = json.loads(data)
    assert known["slices"] == [f"{HOSTILE}: {HOSTILE}"]


def test_a_link_is_written_only_for_a_web_address() -> None:
    texts = {("a", 1): "words"}
    for url, links in (("https://help.example/a", 1), ("javascript:alert(1)", 0)):
        said = suggestion(draft(("Do this.", [replace(cite("a", 0, 5, texts), url=url)])))
        page = render(run(record(case(gold_docs=("right",)), said)))
        targets = [attributes["href"] for tag, attributes in Reader(page).elements if tag == "a"]
        assert targets.count(url) == links


def test_the_file_loads_nothing_and_its_own_policy_says_so() -> None:
    page = render(hostile())
    for tag, attributes in Reader(page).elements:
        assert not LOADING & attributes.keys(), tag
        assert tag == "a" or not (attributes.get("href") or "#").startswith(("http", "//"))
    assert not re.search(r"@import|url\((?!#)", page)
    policy = next(
        a["content"] or "" for tag, a in Reader(page).elements if a.get("http-equiv") == "Content-Security-Policy"
    )
    assert policy.startswith("default-src 'none'")
    script = base64.b64encode(hashlib.sha256(Reader(page).scripts[1].encode()).digest()).decode()
    assert f"script-src 'sha256-{script}'" in policy


def test_the_same_run_gives_the_same_bytes() -> None:
    assert render(hostile()) == render(hostile())


def test_headings_step_down_one_at_a_time() -> None:
    levels = [int(tag[1]) for tag, _ in Reader(render(hostile())).elements if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


def test_ids_are_unique_and_the_navigation_leads_somewhere() -> None:
    elements = Reader(render(hostile())).elements
    ids = [attributes["id"] for _, attributes in elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    targets = [a["href"][1:] for tag, a in elements if tag == "a" and (a["href"] or "").startswith("#")]  # type: ignore[index]
    assert targets
    assert set(targets) <= set(ids)


def test_a_broken_promise_stands_before_everything_else_with_its_cases() -> None:
    promise = score("citations.exactness", 0.98, invariant=True)
    made = run(
        record(case("c-7"), citations__exactness=0.5), record(case("c-8"), citations__exactness=1.0), scores=[promise]
    )
    alarm = section(render(made), "headline").split("<h2")[0]
    assert "A promise is broken: citations.exactness is 0.980 and must be 1." in alarm
    assert "c-7" in alarm
    assert "c-8" not in alarm


def test_a_kept_promise_raises_no_alarm() -> None:
    assert 'role="alert"' not in render(run(scores=[score("citations.exactness", 1.0, invariant=True)]))


def test_kept_promises_are_the_first_thing_said_in_words_and_numbers() -> None:
    kept = [score("citations.exactness", 1.0, invariant=True), score("citations.validity", 1.0, invariant=True)]
    first = " ".join(Reader(section(render(run(scores=kept)), "headline").split("<h2")[0]).words.split())
    assert "Promises kept: every citation equals the stored words (7 of 7 cases); every citation leads to" in first


def test_a_broken_promise_is_not_counted_among_the_kept() -> None:
    promises = [score("citations.exactness", 1.0, invariant=True), score("citations.validity", 0.5, invariant=True)]
    first = section(render(run(scores=promises)), "headline").split("<h2")[0]
    alarm, kept = first.split('class="kept"')
    assert "citations.validity is 0.500" in alarm
    assert "leads to a document" not in kept


@pytest.mark.parametrize(("generator", "shown"), [("extractive", False), ("model", True)])
def test_scores_that_extracts_cannot_miss_are_no_headline(generator: str, shown: bool) -> None:
    made = record(case(), suggestion(draft(("Turn it off and on again.", ()), generator=generator)))
    names = ("claims.faithfulness", "citations.recall.lexical", "drafts.token_f1")
    cards = section(render(run(made, scores=[score(name, 1.0) for name in names])), "headline")
    assert ("#claims.faithfulness" in cards) is shown
    assert ("#citations.recall.lexical" in cards) is shown
    assert "#drafts.token_f1" in cards


def labelled(id: str, intent: str, said: str) -> CaseRecord:
    rows: dict[str, Any] = {
        "triage__intent__macro_f1": (said, intent),
        "triage__intent__accuracy": float(said == intent),
    }
    return record(case(id, intent=intent), suggestion(triage_=triage(label_of(said))), **rows)


def test_intents_that_the_copilot_does_not_have_are_said_and_neither_chipped_nor_in_the_headline() -> None:
    scores = [score("triage.intent.accuracy"), score("triage.intent.macro_f1", statistic="macro_f1")]
    page = render(run(labelled("a", "junk_spam", "billing"), labelled("b", "billing", "billing"), scores=scores))
    assert "1 of 2 labelled intents are none that this copilot has" in page
    assert "1 of the 2 labels are none that this copilot has" in section(page, "plots")
    assert "No case has a known fault." in page
    assert "#triage.intent.accuracy" not in section(page, "headline")
    known = render(run(labelled("b", "billing", "billing"), scores=scores))
    assert "none that this copilot has" not in known
    assert "#triage.intent.accuracy" in section(known, "headline")


def test_the_count_tells_grave_faults_from_lesser_ones_and_labels_and_what_nobody_can_judge() -> None:
    texts = {("right", 1): "words"}
    mood: dict[str, Any] = {"triage__sentiment__macro_f1": ("neutral", "positive")}
    said = suggestion(draft(("Turn it off and on again.", [cite("right", 0, 5, texts)])))
    partly = record(case("partly", gold_docs=("right", "other")), said, {"article": ("right", "other")})
    page = render(run(bad("silent"), partly, record(case("mood"), **mood), record(case("unjudged"), said)))
    assert "<strong>1 of 4 cases</strong>" in page
    assert "Lesser faults of the reply: 1. Only a wrong label, or a person not called: 1." in page
    assert "1 of 2 drafts have no right answer to hold them against" in page


def test_the_lesser_list_is_filtered_and_counted_too() -> None:
    count = DETAILED + 3
    page = render(run(*(bad(f"c{n:03}") for n in range(count))))
    known = json.loads(Reader(page).scripts[0])
    ids = {attributes.get("id") for _, attributes in Reader(page).elements}
    assert len(known) == count
    assert {one["id"] for one in known} <= ids
    assert f"silent though answerable ({count})" in page


def test_the_line_of_a_case_says_what_the_customer_was_told() -> None:
    texts = {("other", 1): "words"}
    said = suggestion(draft(("Turn it off and on again.", [cite("other", 0, 5, texts)]), opening="Hello,"))
    page = section(render(run(record(case(answerable=False), said))), "worst")
    assert "The draft: “Turn it off and on again.”" in page.split("</summary>")[0]


def test_eight_headline_scores_at_most_the_telling_ones_first() -> None:
    scores = [*(score(f"drafts.other{n}") for n in range(9)), score("retrieval.article.hit@5", 0.875)]
    cards = section(render(run(scores=scores)), "headline").split('<li class="card">')[1:]
    assert len(cards) == 8
    assert "Right article among the first five found" in cards[0]
    assert "0.875" in cards[0]
    assert "0.775 – 0.975 · n 7" in cards[0]


@pytest.mark.parametrize(
    ("better", "recorded", "tone", "words"),
    [("higher", 0.9, "bad", "−0.400 worse"), ("higher", 0.2, "good", "+0.300 better"), ("lower", 0.2, "bad", "+0.300 worse"),
     ("higher", 0.45, "level", "+0.050"), ("higher", 0.5, "level", "±0")],
)  # fmt: skip
def test_a_change_is_good_or_bad_by_its_direction_and_only_beyond_the_interval(
    better: Any, recorded: float, tone: str, words: str
) -> None:
    page = render(run(scores=[score("drafts.token_f1", 0.5, better=better)]), {"drafts.token_f1": recorded})
    assert f'<span class="change {tone}">{words}</span>' in section(page, "headline")


def test_without_a_recorded_run_no_change_is_claimed_and_the_report_says_so() -> None:
    page = render(run(scores=[score("drafts.token_f1")]))
    assert 'class="change' not in page
    assert 'id="got-worse"' not in page
    assert "#got-worse" not in page
    assert "No run is recorded for this suite" in section(page, "notes")


def test_the_worst_stand_first_each_with_its_verdict_in_sight() -> None:
    texts = {("other", 1): "words"}
    wrong = record(
        case("wrong", answerable=False), suggestion(draft(("Turn it off and on again.", [cite("other", 0, 5, texts)])))
    )
    page = section(render(run(bad("silent"), wrong, record(case("fine")))), "worst")
    lines = re.findall(r"<summary>(.*?)</summary>", page, re.DOTALL)
    assert "No document answers this, yet it wrote a reply from “other”." in lines[0]
    assert "It wrote nothing" in next(line for line in lines[1:] if "number" in line)
    assert "<strong>2 of 3 cases</strong>" in page
    assert "fine" not in page


def test_ten_stand_open_to_view_and_the_rest_is_folded_or_a_line_each() -> None:
    count = DETAILED + 5
    page = section(render(run(*(bad(f"case-number-{n:03}") for n in range(count)))), "worst")
    top, more = page.split('id="more"')
    assert top.count('<details class="case"') == 10
    assert more.count('<details class="case"') == DETAILED - 10
    assert "The other 5, a line each" in more
    assert more.count("<td><code>case-number-") == 5


def test_a_case_shows_message_draft_quotes_gold_and_what_was_found() -> None:
    texts = {("other", 1): "Restart the hub twice."}
    said = suggestion(
        draft(("Restart it.", [cite("other", 0, 22, texts)]), opening="Hello,"), passages=[hit("right", "x")]
    )
    asked = case(
        gold_docs=("right",), reference_reply="Replace the battery.", slices={"channel": "chat"}, intent="refund"
    )
    page = section(render(run(record(asked, said, {"article": ("other", "right")}))), "worst")
    for words in ("Help!", "Restart it.", "Restart the hub twice.", "Replace the battery.", "claims nothing", "channel: chat",
                  "✗ not a right one", "found at place 2, not cited", "✓ right", "refund"):  # fmt: skip
        assert words in page, words


def test_offsets_of_a_draft_are_code_points() -> None:
    texts = {("other", 1): "words"}
    said = suggestion(draft(("Zurücksetzen 👍🏽 bitte.", [cite("other", 0, 5, texts)]), opening="😀 Hallo,"))
    page = render(run(record(case(gold_docs=("right",)), said)))
    assert '<p class="said">😀 Hallo,' in page
    assert '<p class="said">Zurücksetzen 👍🏽 bitte.' in page


def test_faults_slices_and_blame_can_be_filtered_and_without_script_all_is_there() -> None:
    page = section(render(run(bad("a", slices={"channel": "chat"}), bad("b", slices={"channel": "email"}))), "worst")
    assert re.search(r'<form class="filter" id="filter" hidden>', page)
    assert '<option value="silent though answerable">silent though answerable (2)</option>' in page
    assert '<option value="channel: chat">chat</option>' in page
    assert 'class="case" hidden' not in page


def test_what_got_worse_is_told_from_what_chance_explains() -> None:
    found = Comparison(
        a="recorded", b="tiny", cases=50, notes=("seed: 0 in the first run, 1 in the second",),
        differences=(difference("retrieval.article.hit@5", "worse"), difference("drafts.token_f1", "same", -0.01), difference("up", "better", 0.2)),
    )  # fmt: skip
    told = section(render(run(scores=[score("retrieval.article.hit@5")]), {}, found), "got-worse")
    fell, chance = told.split("<details", 1)
    assert "1 score fell by more than chance explains" in fell
    assert "retrieval.article.hit@5" in fell
    assert "−0.200" in fell
    assert "11 / 2" in fell
    assert "drafts.token_f1" in chance
    assert "<code>up</code>" not in told
    assert "seed: 0 in the first run" in told


def now(id: str, name: str, row: float) -> CaseRecord:
    return replace(record(case(id)), rows={name: row})


def test_cases_that_were_right_and_are_wrong_now_are_named() -> None:
    name = "retrieval.article.hit@5"
    made = run(now("fell", name, 0.0), now("held", name, 1.0), now("never", name, 0.0), scores=[score(name)])
    earlier = {name: {"fell": 1.0, "held": 1.0, "never": 0.0, "gone": 1.0}, "other": {"fell": 1.0}}
    told = section(render(made, None, None, earlier), "got-worse")
    assert [id for id in ("fell", "held", "never", "gone") if id in told] == ["fell"]
    assert name in told


def test_where_lower_is_better_a_one_is_wrong() -> None:
    name = "abstention.false_abstain"
    made = run(now("fell", name, 1.0), now("rose", name, 0.0), scores=[score(name, better="lower")])
    told = section(render(made, None, None, {name: {"fell": 0.0, "rose": 1.0}}), "got-worse")
    assert [id for id in ("fell", "rose") if f"<code>{id}</code>" in told] == ["fell"]


def test_a_label_that_was_right_and_is_mistaken_now_counts_as_wrong() -> None:
    name = "triage.intent.macro_f1"
    made = run(
        replace(record(case("fell")), rows={name: ("other", "refund")}), scores=[score(name, statistic="macro_f1")]
    )
    assert "fell" in section(render(made, None, None, {name: {"fell": ("refund", "refund")}}), "got-worse")


def test_every_score_has_a_row_in_its_group() -> None:
    names = ("retrieval.article.hit@5", "drafts.chrf", "judge.helpful", "odd")
    table = section(
        render(run(scores=[score(name, 44.25 if name == "drafts.chrf" else 0.5) for name in names])), "scores"
    )
    assert re.findall(r"<h3>(.*?)</h3>", table) == ["Retrieval", "Drafts", "Judge", "odd"]
    assert all(f"<code>{name}</code>" in table for name in names)
    assert "44.2" in table


def test_an_undefined_score_is_a_dash_and_breaks_nothing() -> None:
    table = section(render(run(scores=[score("drafts.token_f1", float("nan"))])), "scores")
    assert '<td class="figure value">–</td>' in table


def test_notes_and_protocol_end_the_page() -> None:
    told = section(render(run(notes=("One is skipped.",))), "notes")
    assert "One is skipped." in told
    assert "corpus c0ffee" in told


def test_long_texts_are_cut_so_that_three_hundred_cases_stay_a_small_file() -> None:
    long = "word " * LONG
    records = [bad(f"c{n}", reference_reply=long) for n in range(300)]
    page = render(run(*records))
    assert "… [cut]" in page
    assert len(page) < 3_000_000
