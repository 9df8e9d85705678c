import itertools
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from copilot.text import normalise, not_own, own_words, sentences

ANY = st.text(alphabet=st.characters(), max_size=300)
PROSE = st.text(alphabet='aA.!?… \n1>-()"“e.g,:', max_size=200)


def cut(text: str) -> list[str]:
    return [text[start:end] for start, end in sentences(text)]


# ---- normalise ----


@pytest.mark.parametrize(
    ("given_text", "clean"),
    [
        ("a\r\nb\rc\u2028d", "a\nb\nc\nd"),
        ("\ufeffcafe\u0301", "caf\u00e9"),
        ("a\tb\0c\x1b", "a bc"),
        ("lone \ud800 surrogate", "lone \ufffd surrogate"),
        ("pay\u200bpal \u202egnp.exe", "paypal gnp.exe"),
        ("hi\U000e0069\U000e0067nore", "hinore"),
        ("👍 €3.90 — „ok“", "👍 €3.90 — „ok“"),
    ],
)
def test_text_has_one_spelling_and_nothing_invisible(given_text: str, clean: str) -> None:
    assert normalise(given_text) == clean


@given(st.text(max_size=200))
def test_what_is_normal_stays_as_it_is(text: str) -> None:
    assert normalise(normalise(text)) == normalise(text)


def test_a_pile_of_accents_is_no_attack() -> None:
    for pile in ("\u05b1\u05b0", "\u0301\u0323", "\u0e38\u0301"):
        started = time.perf_counter()
        assert len(normalise("a" + pile * 300_000)) <= 40
        assert time.perf_counter() - started < 3


def test_a_long_rule_of_signs_is_no_pile_of_accents() -> None:
    assert normalise("─" * 200) == "─" * 200


# ---- sentences ----


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("Open it. Then close it.", ["Open it.", "Then close it."]),
        ("i tried. it failed", ["i tried.", "it failed"]),
        ("Use a sensor, e.g. the Drop, i.e. a puck.", ["Use a sensor, e.g. the Drop, i.e. a puck."]),
        ("Ask Dr. Who. She knows.", ["Ask Dr. Who.", "She knows."]),
        ("Version 1.2.3 is old. Get 1.2.4.", ["Version 1.2.3 is old.", "Get 1.2.4."]),
        ("See https://a.example/b.c?d=1. Then go.", ["See https://a.example/b.c?d=1.", "Then go."]),
        ("Wait ... it works. Hm… Yes.", ["Wait ... it works.", "Hm…", "Yes."]),
        ("Go to Settings > Misc. > Apps. Tap it.", ["Go to Settings > Misc. > Apps.", "Tap it."]),
        ("1. Open it. Tap.\n2. Wait", ["1. Open it.", "Tap.", "2. Wait"]),
        ("- one\n- two\n\n  three  ", ["- one", "- two", "three"]),
        ("It said “no.” Why? (Ask me.) Now!", ["It said “no.”", "Why?", "(Ask me.)", "Now!"]),
        ("Um 5 p.m. oder am 3. März. Dann z. B. morgen.", ["Um 5 p.m. oder am 3. März.", "Dann z. B. morgen."]),
        ("The answer is no. No. 5 is alive.", ["The answer is no.", "No. 5 is alive."]),
        ("J. R. Smith came.", ["J. R. Smith came."]),
        ("Tap Forgot password? on the page. Then wait.", ["Tap Forgot password? on the page.", "Then wait."]),
        ("Can i tap Save? and how much is it", ["Can i tap Save?", "and how much is it"]),
        ("Must I press the button? what then?", ["Must I press the button?", "what then?"]),
        ("今日は。明日。", ["今日は。", "明日。"]),
        (" \n\t\n", []),
    ],
)
def test_sentences_and_items_are_found(text: str, parts: list[str]) -> None:
    assert cut(text) == parts


@given(st.one_of(ANY, PROSE))
def test_sentences_cover_all_words_in_order_and_never_a_line_end(text: str) -> None:
    spans = sentences(text)
    assert all(
        start < end and text[start:end] == text[start:end].strip() and "\n" not in text[start:end]
        for start, end in spans
    )
    assert all(before[1] <= after[0] for before, after in itertools.pairwise(spans))
    assert "".join("".join(cut(text)).split()) == "".join(text.split())


# ---- own words ----

DISCLAIMER = (
    "This e-mail is confidential. If you are not the intended recipient, please delete it and notify the sender."
)


@pytest.mark.parametrize(
    ("message", "own"),
    [
        ("Hello,\n\nit leaks.\n\nKind regards,\nAna Sousa\nElm Street 5\n+31 30 555 01 90", "it leaks."),
        ("Hi there, my hub is red.\n\ngr. Wessel", "my hub is red."),
        (
            "Sehr geehrte Damen und Herren,\n\nes tropft.\n\nMit freundlichen Grüßen\nA. Brockhoff\nBrockhoff GbR",
            "es tropft.",
        ),
        ("Goedemiddag,\n\nhij lekt.\n\nVriendelijke groet,\nSjoerd Wijnia\n06 12 34 56 78", "hij lekt."),
        ("Bonjour Solène, ça fuit.\n\nCordialement,\nInès", "ça fuit."),
        ("Hola:\nno funciona.\nUn saludo,\nGuillermo", "no funciona."),
        ("It works!\n\nOn Tue, 11 Feb 2025 at 09:22, Desk <d@x.example> wrote:\n> Try this\n> now", "It works!"),
        ("It works!\n\nOn Tue, 11 Feb 2025 at 09:22, Desk\n<d@x.example> wrote:\n\nTry this\nnow", "It works!"),
        ("Danke!\n\nAm 11.02.2025 um 09:22 schrieb Desk:\n> Versuch", "Danke!"),
        ("Merci, ça marche.\n\nLe 11 février 2025 à 09:22, Desk a écrit :\n> essai", "Merci, ça marche."),
        ("> Is it on?\nYes.\n> Since when?\nMonday.", "Yes.\nMonday."),
        ("_\n\nwesselsaid\n\n_\n\n> Is it on?\n\nYes.", "Yes."),
        ("Still red.\n\n-----Original Message-----\nFrom: Desk\nDid you", "Still red."),
        ("Immer rot.\n\nVon: Desk\nGesendet: Montag\nAn: Ana\nBetreff: rot\n\nHaben Sie", "Immer rot."),
        ("Still red.\n-- \nAna Sousa\nHead of Red", "Still red."),
        ("Still red.\n\nSent from my iPhone", "Still red."),
        ("Rood.\nVerstuurd vanaf mijn iPad", "Rood."),
        ("👍\n\n> Is it on?", "👍"),
        ("Thanks, that was it", "Thanks, that was it"),
        ("Best option is the cable.", "Best option is the cable."),
        ("Hi-res pictures fail", "Hi-res pictures fail"),
        (
            "thanks\nbut the light is still red after the whole procedure",
            "thanks\nbut the light is still red after the whole procedure",
        ),
        ("On my phone it says:\nno hub", "On my phone it says:\nno hub"),
        ("Red.\n\nOn Mon, Mar 2, 2026 at 9:00 AM Desk Team <\ndesk@long.example> wrote:\n\n> Sorry", "Red."),
        ("Red.\n\nOn Mon, 2 Mar 2026 at 09:00, The Team of\nExample\n<d@x.example> wrote:\n> Sorry", "Red."),
        ("Red.\n\n" + "_" * 32 + "\nFrom: Desk\nSent: Monday\nTo: Ana\nSubject: red\n\nSorry", "Red."),
        ("Red.\n\nFrom: Desk <d@x.example>\nDate: Monday\nTo: Ana\nSubject: red\n\nSorry", "Red."),
        ("Red.\n\nFrom: Desk\nSubject: red\nDate: Monday\nTo: Ana\n\nSorry", "Red."),
        ("Red.\n\n2026-03-02 09:00 GMT+01:00 Desk <d@x.example>:\n> Sorry", "Red."),
        ("Red.\n\n2026-03-02 09:00 GMT+01:00 Desk <d@x.example>:\n\nSorry", "Red."),
        ("Red.\n\nIl giorno lun 2 mar 2026 alle ore 09:00 Desk <d@x.example> ha scritto:\n\n> Ci dispiace", "Red."),
        ("Red.\n\nEm seg., 2 de mar. de 2026 às 09:00, Desk <d@x.example> escreveu:\n\nLamentamos", "Red."),
        ("Red.\n\npon., 2 mar 2026 o 09:00 Desk <d@x.example> napisał(a):\n\n> Przepraszamy", "Red."),
        ("It was red.\nOn Monday 2 March at 9:00 it died.\nAna wrote:\n> off", "It was red.\nOn Monday 2 March at 9:00 it died."),
        ("From: Paris\nTo: Rome\nDate: 3 March\nis gone", "From: Paris\nTo: Rome\nDate: 3 March\nis gone"),
        ("Red.\n\n---\nAna Sousa\nHead of Red", "Red."),
        ("Red.\n\n________________\nAna Sousa\nHead of Red", "Red."),
        ("Red.\n---\nstill no water", "Red.\n---\nstill no water"),
        ("Red.\n--\nThe second one is red too.", "Red.\n--\nThe second one is red too."),
        ("Red.\n\nAna Sousa | Head of Red | ACME Bank plc | t: +44 20 7946 0958 | www.acme.example", "Red."),
        ("Red.\n\nAna Sousa\n+44 20 7946 0958", "Red."),
        ("Send it to:\n\nAna Sousa\n+44 20 7946 0958", "Send it to:\n\nAna Sousa\n+44 20 7946 0958"),
        ("Red.\n\nServer Error | https://a.example", "Red.\n\nServer Error | https://a.example"),
        (f"Red.\n\nRegards\nAna\n\n{DISCLAIMER}", "Red."),
        (f"Red.\n\n{DISCLAIMER}\n\nPlease consider the environment before printing.\n\nVirus-free. www.avast.com", "Red."),
        ("Red.\n\nCONFIDENTIAL: unauthorised use may lead to legal action.", "Red."),
        (f"Is this yours?\n\n{DISCLAIMER}\n\nI got it today.", f"Is this yours?\n\n{DISCLAIMER}\n\nI got it today."),
        ("Ugh.\n\nThis message is confidential, why did I get it?", "Ugh.\n\nThis message is confidential, why did I get it?"),
        ("Oh.\n\nNotice: sent to the addressee in error, it burns.", "Oh.\n\nNotice: sent to the addressee in error, it burns."),
        ("Oh.\n\nPrivacy notice: unauthorised people read the files.", "Oh.\n\nPrivacy notice: unauthorised people read the files."),
        ("Oh.\n\nCONFIDENTIALITY NOTICE: This message may contain privileged information. Unauthorized disclosure is prohibited.", "Oh."),
    ],
)  # fmt: skip
def test_only_the_writers_own_words_stay(message: str, own: str) -> None:
    assert own_words(message) == own


@pytest.mark.parametrize(
    "message", ["Hi Maud,", DISCLAIMER, "> all quoted", "Thank you!", "Sent from my iPhone", "Kind regards\nAna"]
)
def test_a_message_is_never_emptied(message: str) -> None:
    assert own_words(message) == message


@given(
    st.one_of(
        ANY,
        st.lists(st.sampled_from(["Hi Ana,", "> a", "it leaks", "Regards", "Ana", "-- ", "x wrote:", ""])).map(
            "\n".join
        ),
    )
)
def test_own_words_are_words_of_the_message(message: str) -> None:
    own = own_words(message)
    assert any(c.isalnum() for c in own) or not any(c.isalnum() for c in message)
    lines = {line.strip() for line in message.split("\n")}
    assert all(any(line.endswith(part.strip()) for line in lines) for part in own.split("\n"))


@pytest.mark.parametrize(
    "unit",
    [
        "a. ",
        ".",
        ". . ",
        "> x\n",
        "Hi\n",
        "On x\n",
        "Thanks,\nBob\n",
        "wrote ",
        "A ",
        " ",
        "From: x\n",
        "_\n",
        "Virus-free.\n\n",
        "\n",
    ],
)
def test_a_million_characters_are_read_in_linear_time(unit: str) -> None:
    text = unit * (300_000 // len(unit))
    started = time.perf_counter()
    sentences(text)
    own_words(text)
    not_own(text)
    assert time.perf_counter() - started < 5  # a quadratic one takes minutes


@pytest.mark.parametrize(
    ("text", "own"),
    [
        ("I do not see it. Regards, Ruth Adler", "I do not see it."),
        ("I do not see it! Kind regards Ruth", "I do not see it!"),
        ("Ich sehe es nicht. Viele Grüße, Jan", "Ich sehe es nicht."),
        ("Ik zie het niet. Met vriendelijke groet, Bas Mulder", "Ik zie het niet."),
        ("It works. Thanks, Ruth", "It works. Thanks, Ruth"),
        ("Please give her my best regards.", "Please give her my best regards."),
        (
            "I do not see it. Regards are not what I want, an answer is",
            "I do not see it. Regards are not what I want, an answer is",
        ),
        ("Regards, Ruth", "Regards, Ruth"),
    ],
)
def test_a_closing_behind_the_last_sentence_is_not_own(text: str, own: str) -> None:
    assert own_words(text) == own
