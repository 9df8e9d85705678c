"""Mailboxes: threads, who asks and who answers, what is private, and mail that nobody should have to read."""

from __future__ import annotations

import mailbox
from email.message import EmailMessage
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from pathlib import Path
from typing import Any

import pytest

from copilot.build import Parts
from copilot.errors import InputError, MassDeletion, SourceFailed
from copilot.store.sources import Sources, Upstream
from ingest import letters
from ingest.connect import connector_of
from ingest.summary import Summary
from ingest.sync import Syncer, Wish

W = "default"
HELP = "ACME Help <help@acme.example>"
ANNA = "Anna Ruiz <anna.ruiz@example.com>"


def mail(id: str, sender: str, to: str, text: str, *, day: int = 1, answers: str = "", **fields: Any) -> EmailMessage:
    made = EmailMessage()
    made["Message-ID"], made["From"], made["To"] = f"<{id}@x.example>", sender, to
    made["Date"], made["Subject"] = f"Sat, {day:02} Mar 2025 10:00:00 +0000", fields.get("subject", "Kettle stays cold")
    if answers:
        made["In-Reply-To"] = f"<{answers}@x.example>"
        made["References"] = f"<{answers}@x.example>"
    made.set_content(text)
    return made


ASK = mail(
    "a1", ANNA, HELP, "Hello,\n\nmy kettle stays cold since this morning, the lamp is off.\n\nRegards\nAnna Ruiz"
)
NOTE = mail("a2", "Maud <maud@acme.example>", HELP, "PRIVATE-BASALT she complains each week", day=2, answers="a1")
REPLY = mail(
    "a3", HELP, ANNA, "Hi Anna,\n\nPress the reset button under the base for five seconds, then the kettle heats again.\n\nBest\nMaud\n\n"
    "On Sat, 1 Mar 2025 at 10:00, Anna Ruiz wrote:\n> QUOTED-OBSIDIAN my kettle stays cold", day=3, answers="a1",
)  # fmt: skip
OPEN = mail("b1", "Ben <ben@example.com>", HELP, "UNANSWERED-OBSIDIAN where is my order?", subject="Order")


@pytest.fixture
def box(tmp_path: Path) -> Path:
    """A folder with a mailbox that has each mail twice, and one mail in a file of its own."""
    folder = tmp_path / "mail"
    (folder / "deep").mkdir(parents=True)
    kept = mailbox.mbox(folder / "inbox.mbox")
    for one in (REPLY, ASK, OPEN, ASK):
        kept.add(one)
    kept.close()
    (folder / "deep" / "note.eml").write_bytes(NOTE.as_bytes())
    (folder / ".hidden.eml").write_bytes(b"no mail")
    (folder / "notes.txt").write_bytes(b"no mail")
    return folder


def upstream(path: Path, **options: str) -> Upstream:
    return Upstream(
        workspace=W,
        id="post",
        connector="mail",
        address=str(path),
        options={"staff": "@acme.example, agent@partner.example", **options},
    )


def sync(parts: Parts, path: Path, **wish: bool) -> Summary:
    source = upstream(path)
    if not Sources(parts.database).list(W):
        Sources(parts.database).add(source)
    return Syncer(parts).sync(source, Wish(**wish))


def ids(parts: Parts) -> list[str]:
    return sorted(one.id for one in parts.ledger.known(W, "source:post").values())


def test_an_answered_thread_is_a_solved_ticket_without_quotes_notes_and_names(parts: Parts, box: Path) -> None:
    made = sync(parts, box)
    (id,) = ids(parts)
    assert (made.added, made.failed, id.startswith("post/threads/")) == (1, 0, True)
    found = parts.library.text(W, id)
    assert found.text.startswith("Kettle stays cold\n\nmy kettle stays cold since this morning")
    assert found.text[found.answer_start :].startswith("Press the reset button under the base")
    for hidden in ("BASALT", "OBSIDIAN", "Anna", "Ruiz", "Maud", "Best"):
        assert hidden not in found.text
    assert (found.document.kind, found.document.solution_by) == ("ticket", "agent")
    assert sync(parts, box).unchanged == 1


def test_a_thread_goes_on_and_is_a_ticket_again_once_it_is_answered(parts: Parts, box: Path) -> None:
    sync(parts, box)
    again = mail("a4", ANNA, HELP, "It is cold again.", day=4, answers="a3")
    (box / "a4.eml").write_bytes(again.as_bytes())
    with pytest.raises(MassDeletion):
        sync(parts, box)
    assert sync(parts, box, allow_mass_delete=True).retired == 1
    last = mail(
        "a5", HELP, ANNA, "Then send it to us, we will repair it for free within two weeks.", day=5, answers="a4"
    )
    (box / "a5.eml").write_bytes(last.as_bytes())
    assert sync(parts, box).added == 1
    assert "repair it for free" in parts.library.text(W, ids(parts)[0]).text


def test_an_erased_customer_is_found_by_the_address(parts: Parts, box: Path) -> None:
    from ingest.erase import erase

    sync(parts, box)
    assert erase(parts, W, "anna.ruiz@example.com").tickets == 1
    assert sync(parts, box).skipped == 1
    assert ids(parts) == []


@pytest.mark.parametrize(("wrong", "advice"), [({"staff": ""}, "staff=ADDRESS"), ({"staff": "maud"}, "staff=ADDRESS")])
def test_who_answers_must_be_said(parts: Parts, tmp_path: Path, wrong: dict[str, str], advice: str) -> None:
    with pytest.raises(InputError, match=advice):
        connector_of(upstream(tmp_path, **wrong), parts.settings)


def test_a_mailbox_that_is_not_mounted_retires_nothing(parts: Parts, box: Path) -> None:
    sync(parts, box)
    box.rename(box.with_name("elsewhere"))
    with pytest.raises(SourceFailed):
        sync(parts, box, allow_mass_delete=True)
    assert len(ids(parts)) == 1


HEAD = (
    b"Message-ID: <h@x>\nFrom: a@b.example\nTo: help@acme.example\nDate: Sat, 01 Mar 2025 10:00:00 +0000\nSubject: S\n"
)
BODIES: dict[str, tuple[bytes, str]] = {
    "an encoding that there is none of": (b'Content-Type: text/plain; charset="klingon-8"\n\nThe kettle is cold.', "kettle is cold"),
    "a wrong encoding": (b'Content-Type: text/plain; charset="utf-8"\n\nDas Ger\xe4t ist zu hei\xdf geworden, schon wieder.', "ist zu"),
    "no encoding": ("\n\nDer Kessel für Tee.".encode()[1:], "Kessel für Tee"),
    "broken base64": (b"Content-Type: text/plain\nContent-Transfer-Encoding: base64\n\n!!!not base64 at all", ""),
    "broken quoted-printable": (b"Content-Type: text/plain\nContent-Transfer-Encoding: quoted-printable\n\nKettle =ZZ cold=", "Kettle"),
    "an encoding of the transfer that there is none of": (b"Content-Transfer-Encoding: x-zip\n\nThe kettle is cold.", "kettle is cold"),
    "a boundary that never comes": (b'Content-Type: multipart/mixed; boundary="zz"\n\nThe kettle is cold.', ""),
    "HTML alone": (b"Content-Type: text/html\n\n<p>The <b>kettle</b> is cold.</p><div class='gmail_quote'>OLD</div>", "The kettle is cold."),
    "deep HTML": (b"Content-Type: text/html\n\n" + b"<div>" * 50_000 + b"x", ""),
    "parts within parts": (b"".join(b'Content-Type: multipart/mixed; boundary="b%d"\n\n--b%d\n' % (n, n) for n in range(3000)), ""),
    "an attachment alone": (b"Content-Type: application/pdf\nContent-Disposition: attachment; filename=x.pdf\n\nJVBERi0=", ""),
    "nothing": (b"\n", ""),
}  # fmt: skip


@pytest.mark.parametrize("name", BODIES)
def test_a_mail_of_any_shape_is_read_or_refused_with_a_reason(name: str) -> None:
    from copilot.errors import UnreadableFile

    data, words = BODIES[name]
    try:
        found = letters.read(HEAD + data).text
    except UnreadableFile as error:
        found = f"refused: {error}"
    assert words in found
    assert words or not found or found.startswith("refused: ") or len(found) < 100


HEADS = [
    b"From: =?utf-8?q?Anna?= <a@b.example>", b"From: =?nonsense?b?/////?= <a@b.example>", b"From: \xff\xfe\xfd <a@b.example>",
    b"From: a@b.example\nDate: the day after", b"From: a@b.example\nDate: Sat, 99 Mar 99999 99:99:99 +9999",
    b"From: a@b.example\nReferences: " + b"<x@y> " * 5000, b"From: a@b.example\nSubject: =?utf-8?b?" + b"A" * 50_000 + b"?=",
    b"From: a@b.example\nContent-Type: ;;;;====\"\"\"", b"From: " + b'"' * 5000 + b" <a@b.example>", b"From: a@b.example\nTo: " + b"(" * 2000,
    b"From: a@b.example\nMessage-ID: <<<>>>",
]  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "bodies", "text"),
    [
        ("alternative", {"plain": "Plain words.", "html": "<p>The same words at length, with a picture and more.</p>"}, "Plain words."),
        ("mixed", {"html": "<p>The hub has been red since this morning and nothing helps.</p>", "plain": "_____\nhub-list"},
         "The hub has been red since this morning and nothing helps.\n\n_____\nhub-list"),
        ("mixed", {"plain": "My hub is red.", "html": "<p>My hub is red.</p>"}, "My hub is red."),
        ("mixed", {"plain": " ", "html": "<p>My hub is red.</p>"}, "My hub is red."),
    ],
)  # fmt: skip
def test_a_mail_of_several_bodies_loses_and_doubles_nothing(kind: str, bodies: dict[str, str], text: str) -> None:
    made = MIMEMultipart(kind)
    made["From"], made["To"] = ANNA, HELP
    for subtype, words in bodies.items():
        made.attach(MIMEText(words, subtype))
    assert letters.read(made.as_bytes()).text.strip() == text


def test_an_out_of_office_reply_of_an_old_program_is_automatic() -> None:
    away = mail("c1", HELP, ANNA, "I am away until Monday.")
    away["X-Autoreply"] = "yes"
    assert letters.envelope(away.as_bytes()).automatic


@pytest.mark.parametrize("head", HEADS, ids=range(len(HEADS)))
def test_an_envelope_of_any_shape_has_a_sender_or_is_none(head: bytes) -> None:
    found = letters.envelope(head + b"\n\nwords")
    assert found.sender == "a@b.example"
    assert found.id


def test_what_is_no_mail_is_reported_and_the_rest_is_taken(parts: Parts, box: Path) -> None:
    (box / "broken.eml").write_bytes(b"\x00\x01\x02 no mail at all")
    made = sync(parts, box)
    assert (made.added, made.failed) == (1, 1)
    assert "no sender" in made.problems[0].reason


def test_references_that_tie_everything_together_are_not_believed(parts: Parts, tmp_path: Path) -> None:
    for number in range(210):
        one = mail(f"m{number}", ANNA if number % 2 else HELP, HELP if number % 2 else ANNA, "words", answers="m0")
        (tmp_path / f"{number}.eml").write_bytes(one.as_bytes())
    made = sync(parts, tmp_path)
    assert (made.added, made.failed) == (0, 1)
    assert "more than 200 mails" in made.problems[0].reason


def test_a_line_without_end_is_no_mailbox(parts: Parts, box: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (box / "bomb.mbox").write_bytes(b"From x" + b"a" * 3_000_000)
    source = upstream(box)
    connector = connector_of(source, parts.settings.model_copy(update={"max_file_bytes": 1_000_000}))
    reasons = [getattr(change, "reason", "") for change in connector.changes(None)]
    assert any("it is no mbox" in reason for reason in reasons)


def test_automatic_mail_answers_nobody(parts: Parts, tmp_path: Path) -> None:
    robot = mail("r1", HELP, ANNA, "We have received your message.", day=2, answers="a1")
    robot["Auto-Submitted"] = "auto-replied"
    for name, one in (("a", ASK), ("r", robot)):
        (tmp_path / f"{name}.eml").write_bytes(one.as_bytes())
    assert sync(parts, tmp_path).added == 0
