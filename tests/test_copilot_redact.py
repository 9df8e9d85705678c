import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from copilot import finders, names
from copilot.domain import Conversation, Customer, Message
from copilot.finders import Rule, Traits, may
from copilot.personal import KINDS, ORDERS
from copilot.redact import PLACEHOLDER, redact

NAMES = ("Ana Sousa", "Maud", "Mark")
ODD = str.maketrans({"s": "ſ", "i": "ı", "k": "\u212a"})
"""Letters that a pattern blind to case takes for others."""
MORE = (
    "120 Main Plaza Apt 5",
    "I live at 12 Elm Row",
    "Thanks Maud,",
    "Kind regards\nana",
    "I am Ana Sousa, hello",
    "Ana Sousa <ana@example.com",
    "I spoke with Ana Sousa",
)


def kinds(text: str, orders: bool = False) -> list[str]:
    return [span.kind for span in redact(text, orders=orders).found]


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        ("Mail ana.sousa+x@mail.example.pt now", "Mail [email-1] now"),
        ("Mail ana (at) mail (dot) pt or ana at mail dot pt", "Mail [email-1] or [email-2]"),
        ("<müller@straße.example>", "<[email-1]>"),
        ("Call +31 30 555 01 90 (office).", "Call [phone-1] (office)."),
        ("Call +49 (0)441 5550173 or 0441 555 0173", "Call [phone-1] or [phone-2]"),
        ("06-12345678, 01.84.17.61.18, (541) 714-1388, 541-714-1388 x12", "[phone-1], [phone-2], [phone-3], [phone-4]"),
        ("Tel: 467 3395\nCall me on 699 956 915", "Tel: [phone-1]\nCall me on [phone-2]"),
        ("IBAN NL91 ABNA 0417 1643 00 NOW", "IBAN [iban-1] NOW"),
        ("my iban is gb42nawi04454264788619.", "my iban is [iban-1]."),
        ("Card 4111 1111 1111 1111, 4111-1111-1111-1111", "Card [card-1], [card-2]"),
        ("from 84.23.1.99 and 2001:db8:85a3::8a2e:370:7334", "from [ip-1] and [ip-2]"),
        ("my password is hunter2. Thanks", "my password is [secret-1]. Thanks"),
        ("Password: monkey\nPIN 1: no", "Password: [secret-1]\nPIN 1: no"),
        ("Passwort lautet „geheim99“", "Passwort lautet „[secret-1]“"),
        ("key sk_live_4eC39HqLyjWDarjtT1zdp7dc ok", "key [secret-1] ok"),
        ("Authorization: Bearer abc123def456", "Authorization: Bearer [secret-1]"),
        ("sum d41d8cd98f00b204e9800998ecf8427e", "sum [secret-1]"),
        ("born on 12 March 1984; DOB: 12/03/1984", "born on [birthdate-1]; DOB: [birthdate-2]"),
        ("geboren am 3.4.1990, née le 3 avril 1990", "geboren am [birthdate-1], née le [birthdate-2]"),
        ("see https://x.example/?mail=ana@x.pt.", "see [url-1]."),
        ("https://x.example/in?token=ab12cd34", "[url-1]"),
        ("https://x.example/reset/9f8a7b6c5d4e3f2a", "[url-1]"),
        ("my SSN: 460-89-9847", "my SSN: [id-1]"),
        ("Passport number XK1234567, passport no. is 123456789.", "Passport number [id-1], passport no. is [id-2]."),
        ("Ausweisnummer: L01X00T47", "Ausweisnummer: [id-1]"),
        ("NHS no 943 476 5919, NI number QQ 12 34 56 C", "NHS no [id-1], NI number [id-2]"),
        ("tax ID: 12 345 678 901; Steuernummer 12/345/67890", "tax ID: [id-1]; Steuernummer [id-2]"),
        ("sort code 20-00-00 account 55779911", "sort code [id-1] account [id-2]"),
        ("account no. 55779911, sort code: 200000", "account no. [id-1], sort code: [id-2]"),
        ("my bank account is 5577 9911 22", "my bank account is [id-1]"),
        ("marek.z＠example.org or ０７７００ ９００１２３", "[email-1] or [phone-1]"),
        ("from IBAN NL91\u00a0ABNA\u00a00417\u00a01643\u00a000", "from IBAN [iban-1]"),
        ("My username is marekz77, login: ana_s", "My username is [name-1], login: [name-2]"),
        ("C:\\Users\\jdoe\\AppData and /home/jdoe/.config", "C:\\Users\\[name-1]\\AppData and /home/[name-1]/.config"),
    ],
)
def test_personal_data_becomes_a_typed_placeholder(text: str, redacted: str) -> None:
    assert redact(text).text == redacted


@pytest.mark.parametrize(
    "address",
    [
        "10 Downing Street, London SW1A 2AA",
        "350 Fifth Avenue, New York, NY 10118",
        "9 Tannery Close, Bristol BS3 0XX",
        "Musterstraße 5a, 10115 Berlin",
        "Am Alten Siel 9, 26121 Oldenburg",
        "Kastanjehof 12\n3981 BR Bunnik",
        "Lange Nieuwstraat 12-2, 3512 PH Utrecht",
        "12 rue de la Paix, 75002 Paris",
        "Calle Mayor 12, 28013 Madrid",
        "Wolvenstraat 88 bus 3, 2060 Antwerpen",
        "PO Box 1234",
    ],
)
def test_a_postal_address_goes_with_its_town(address: str) -> None:
    assert redact(f"Please send it to {address}.").text == "Please send it to [address-1]."


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        ("Hi Jayna, hello", "Hi [name-1], hello"),
        ("Dear Mr Jansen,\nhello", "Dear Mr [name-1],\nhello"),
        ("Beste Hanneke,", "Beste [name-1],"),
        ("Hallo Frau Krüger,", "Hallo Frau [name-1],"),
        ("it leaks\n\nKind regards,\nJohn van der Berg", "it leaks\n\nKind regards,\n[name-1]"),
        ("it leaks\n\nGroeten, Wessel", "it leaks\n\nGroeten, [name-1]"),
        ("my name is Inês Sousa and", "my name is [name-1] and"),
        ("hi, my name is jayna and", "hi, my name is [name-1] and"),
        ("This is John from Acme", "This is [name-1] from Acme"),
        ("Marion Ahlers, Musterstraße 5, 10115 Berlin", "[name-1], [address-1]"),
        ("Ring me back, Keith Sowerby.", "Ring me back, [name-1]."),
        ("it leaks. Regards, Marek Zielinski 07700 900123", "it leaks. Regards, [name-1] [phone-1]"),
        ("it leaks. Kind regards Marek Zielinski\nLeeds", "it leaks. Kind regards [name-1]\nLeeds"),
        ("it leaks. Cheers, Marek | marek@example.org", "it leaks. Cheers, [name-1] | [email-1]"),
        ("it leaks\n\nthx\nmarek zielinski", "it leaks\n\nthx\n[name-1]"),
        ("it leaks\n\nthx\nmarek zielinski\n07700 900123", "it leaks\n\nthx\n[name-1]\n[phone-1]"),
        ("Hier ist Jürgen Groß aus Köln", "Hier ist [name-1] aus Köln"),
        ("My wife Halina and our neighbour Piotr Nowak say so", "My wife [name-1] and our neighbour [name-2] say so"),
    ],
)
def test_a_name_is_found_where_a_name_stands(text: str, redacted: str) -> None:
    assert redact(text).text == redacted


def test_given_names_are_found_anywhere_as_whole_words() -> None:
    text = "ana sousa wrote; Sousa said, MAUD's hub. Maudlin Anatomy. Mark as read. Mark, look. I asked Mark twice."
    assert redact(text, NAMES).text == (
        "[name-1] wrote; [name-2] said, [name-3]'s hub. Maudlin Anatomy. Mark as read. [name-4], look. I asked [name-4] twice."
    )
    assert redact("Support and customer", ["Tarnbrook Support", "customer", "Al", ""]).found == ()


def test_a_given_name_that_is_a_thing_in_this_text_stays_a_thing() -> None:
    text = "My kettle leaks, sarah. KETTLE is my name. The kettles are fine, and Sarah Kettle is not."
    assert redact(text, ["Sarah Kettle"]).text == (
        "My kettle leaks, [name-1]. KETTLE is my name. The kettles are fine, and [name-2] is not."
    )


def test_a_thread_teaches_the_names_of_its_people_by_its_fields_and_by_what_it_says() -> None:
    thread = Conversation(
        subject="Lamp red, Frame Large",
        customer=Customer(name="Maud"),
        messages=(
            Message(text="It is red, says Halina.\r\n\r\nRegards,\r\nMarek Zielin\u200bski\r\n-- \nLeeds"),
            Message(author="agent", text="Dear Mr Zielinski,\n\nhold the button.\n\nKind regards\nMaud Kessler"),
            Message(text="Hello Frame Pro, it did not help. In C:\\Users\\frame\\x\n\nthx\nmarek zielinski"),
        ),
    )
    assert names.of_thread(thread) == ["Maud", "Marek Zielinski", "Maud Kessler", "Zielinski"]


@pytest.mark.parametrize(
    "text",
    [
        "Thunderbird 115.6.0 (64-bit), build 20250606210711, version 1.8.1.24",
        "IMAP port 993, SMTP port 587 or 465, on 127.0.0.1, mask 255.255.255.0",
        "E04 and 0x80072EE2, error 450 4.4.316, HTTP 404",
        "on 01.02.2024 at 10:30, 2024-01-02 16:54:00 +0000, 12/31/2024",
        "€427.00, 1,234.56 USD, 99 %, 2 × €249 = €498",
        "C:\\Windows\\System32\\drivers, /usr/lib/x86_64-linux-gnu",
        "Settings > Homes > Members, then Rooms > Weir > Update now",
        "Drop 2 batch D2-2506, Weir 3.8.2, CR123A, 868 MHz, 24 V, ¾ inch, Windows 11",
        "The password is wrong. The password is not accepted, my password is saved. Password: normal",
        "password to authenticate, OAuth2 token is expired, use oauth2",
        "Hi there, hello everyone. Dear all, Dear support team, Hi Thunderbird,",
        "Thanks, it works. Kind regards\nTarnbrook Support",
        "https://support.example/en-US/kb/profiles-where-data#w_how-to and https://x.example/commit/d0b7e1c39f2a44556677889900aabbccddeeff00",
        "CVE-2024-12345, ISO-8859-1, KB-5034441, RFC-5322",
        "Crash ID: bp-0b980066-ac5a-4bdb-99d1-224810240210",
        "I'm using Windows, this is Firefox. My name is wrong.",
        "a card with 12 rows, 16 384 pixels, 4111 1111 1111 1112",
        "My passport expires on 12.05.2027, the tax is 19 %, sort code is wrong, NHS app 12, account 2 of 3",
        "It works. Thanks, Weir 3.8.2 is fine. Best Western\nCheers\nany ideas\n\nthanks\nplease advise",
        "my username is correct, Login: imap.mail.example, user name: required, login is slow",
        "My husband WFH, my wife has 10² m² and ¾ of it. Hier ist Fehler Nummer 5. Her dad is here",
    ],
)
def test_what_is_not_personal_stays(text: str) -> None:
    assert [span.text for span in redact(text).found] == []


def test_order_numbers_go_only_when_asked() -> None:
    text = "Order TB-251447, order #12345, Bestellnummer 99887766"
    assert redact(text).found == ()
    assert redact(text, orders=True).text == "Order [order-1], order [order-2], Bestellnummer [order-3]"


def test_placeholders_are_numbered_by_first_occurrence() -> None:
    assert redact("b@x.de a@x.de b@x.de 1.2.3.99").text == "[email-1] [email-2] [email-1] [ip-1]"


def test_a_placeholder_that_the_writer_typed_is_left_alone() -> None:
    redacted = redact("[email-1] is not ana@x.pt")
    assert redacted.text == "[email-1] is not [email-2]"
    assert redacted.restore("[email-1] [email-2] [email-3]") == "[email-1] ana@x.pt [email-3]"


PIECES = st.sampled_from(
    ["ana@x.pt", "NL91ABNA0417164300", "Hi Maud,", "Maud", "[email-1]", "[name-2]", "+31 30 555 01 90", "Kind regards,\nAna Sousa",
     "Musterstraße 5, 10115 Berlin", "password is hunter2", "TB-123456", "word", "1.2.3.99", "\n\n", " ", "é", "👍", "https://x.de/?token=a1b2c3d4"]
)  # fmt: skip
TEXTS = st.one_of(
    st.text(max_size=200), st.lists(PIECES, max_size=12).map(" ".join), st.lists(PIECES, max_size=12).map("".join)
)


@given(TEXTS)
def test_restoring_gives_the_text_back(text: str) -> None:
    redacted = redact(text, NAMES, orders=True)
    assert redacted.restore(redacted.text) == text


@given(TEXTS)
def test_spans_say_what_stood_where(text: str) -> None:
    redacted = redact(text, NAMES, orders=True)
    for span in redacted.found:
        assert text[span.start : span.end] == span.text
        at = redacted.offset(span.start)
        assert redacted.text[at : at + len(span.placeholder)] == span.placeholder
        assert PLACEHOLDER.fullmatch(span.placeholder)
    assert redacted.offset(len(text)) == len(redacted.text)


@given(
    TEXTS, st.sampled_from(["ana@x.pt", "NL91ABNA0417164300", "4111 1111 1111 1111", "+31 30 555 01 90", "2.3.4.99"])
)
def test_no_text_before_it_hides_personal_data(text: str, canary: str) -> None:
    assert canary not in redact(f"{text}\n\n{canary}\n\n", NAMES).text.rstrip().split("\n\n")[-1]


@pytest.mark.parametrize(
    "unit",
    [
        "a@b.c ",
        "1 ",
        "1 Aa Aa ",
        "A.",
        "a-",
        "Am A 1\n",
        "Hi A ",
        "password is ",
        "+1 ",
        "AB12 ",
        "eyJ-",
        "::",
        "http://a?",
    ],
)
def test_long_texts_are_redacted_in_linear_time(unit: str) -> None:
    text = unit * (200_000 // len(unit))
    started = time.perf_counter()
    redact(text, NAMES, orders=True)
    assert time.perf_counter() - started < 8  # a quadratic rule takes minutes


def test_no_rule_is_left_out_that_would_have_found_something() -> None:
    lines = Path(__file__).read_text(encoding="utf-8").replace("\\n", "\n").replace('"', "\n")
    rules = [rule for _, rule in (*KINDS, *ORDERS)] + [*names.GREETED, *names.INTRODUCED]
    looked_for = set()
    for text in (lines, *lines.splitlines(), *MORE):
        for said in (text, text.upper(), text.swapcase(), text.translate(ODD)):
            traits = Traits.of(said)
            for number, rule in enumerate(rules):
                found = any(True for _ in rule(said))
                assert may(rule, traits) or not found, (number, said)
                looked_for |= {number} if found else set()
    assert len(looked_for) == len(rules), set(range(len(rules))) - looked_for


LETTERS = st.text("aAbBzZ sSßſẞkKKiIıİéÉµμΣσςﬁ-'’", max_size=12)


@given(st.lists(LETTERS, max_size=4), st.lists(LETTERS, max_size=4))
def test_names_that_are_not_in_a_text_are_not_looked_for_and_no_other_is_missed(
    people: list[str], texts: list[str]
) -> None:
    text = " ".join((*texts, *(name.upper() for name in people[:1]), *(name.lower() for name in people[1:2])))
    everything = Traits.of(text).low + "".join(
        Traits.of(name).low for name in (*people, *(" ".join(n.split()) for n in people))
    )
    found = list(names.given(people, text, Traits.of(text))(text))
    assert found == list(names.given(people, text, Traits(everything, 0))(text))


def test_no_pattern_is_made_of_names_that_a_text_does_not_have(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []

    def noted(pattern: str) -> Rule:
        made.append(pattern)
        return finders.rule(pattern)

    monkeypatch.setattr(names, "rule", noted)
    redact("hub", ["Ada Lovelace"])
    assert made == []
    redact("ada, the hub is red", ["Ada Lovelace"])
    assert len(made) == 1
    assert "Lovelace" not in made[0]
