"""What a reader of drafts stumbles over: half lists, lost headings, wrong versions, code out of shape, remains of the page."""

from __future__ import annotations

import pytest

from copilot.versions import headed, spoken
from tests.test_copilot_compose import article, text


def test_a_list_with_bullets_is_told_to_its_end_in_a_mail() -> None:
    items = "\n".join(f"- have the column number {n} with a name of its own, in letters" for n in range(1, 18))
    made = text(article(f"## Requirements\n\nThe file must:\n\n{items}"), message="What must the file have?")
    assert made.count("have the column number") == 17
    told = "\n".join(f"- {n} causes: look at the lamp. Then change the battery number {n}." for n in "ABCDEFGHIJ")
    made = text(article(f"## Lamp\n\nIt has many causes:\n\n{told}"), message="Why does the lamp fail?")
    assert made.count("causes: look") == made.count("Then change") == 10


def test_one_word_that_announces_what_follows_is_told() -> None:
    page = "## Restart\n\nWindows:\n\n1. Open the menu.\n2. Choose Restart.\n\nMac:\n\n1. Open the apple.\n2. Choose Restart."
    made = text(article(page), message="How do I restart the box?")
    assert "Windows:\n\n1. Open the menu." in made
    assert "Mac:\n\n1. Open the apple." in made


@pytest.mark.parametrize(
    "heading", ["In the web app", "On the phone", "For teams", "With a scanner", "Auf dem Telefon"]
)
def test_a_heading_that_says_where_or_for_whom_is_told(heading: str) -> None:
    made = text(article(f"## {heading}\n\nPress the picture, then press Invoices."), message="Where are my invoices?")
    assert f"{heading}:\nPress the picture" in made


def test_of_sections_for_versions_only_the_customers_is_told() -> None:
    four = article("## Version 4\n\n1. Close the app.\n2. Delete the cache.", start=10, fit=2.0)
    five = article("## Version 5\n\n1. Open Sync.\n2. Turn Sync off.", start=90, fit=2.1)
    assert "Open Sync" not in text(five, four, message="Sync fails in version 4.")
    assert "Delete the cache" in text(five, four, message="Sync fails in version 4.")
    assert "Delete the cache" not in text(five, four, message="Sync fails in version 5.2.")
    assert "Open Sync" in text(five, four, message="Sync fails in version 9.")  # the page has none for it
    assert "Open Sync" in text(five, four, message="Sync fails.")


@pytest.mark.parametrize(
    ("heading", "holds", "not_"),
    [
        ("Version 5", (5, 1), (4,)),
        ("Version 4 and later", (7,), (3,)),
        ("In v4.2+", (4, 3), (4, 1)),
        ("Versions 3 and 4", (4,), (5,)),
        ("Before version 6", (5,), (6,)),
        ("Version 3 oder älter", (2,), (4,)),
        ("Export your data (since version 4)", (5,), (3,)),
        ("Export from v4.2", (5, 1), (4, 1)),
        ("Export ab Version 4", (4, 3), (3,)),
        ("Export seit der Version 4", (5,), (3,)),
        ("Exporter depuis la version 4", (5,), (3,)),
        ("Exporteren vanaf versie 4", (5,), (3,)),
        ("Up to version 5", (3,), (6,)),
        ("Bis Version 5", (5,), (6,)),
        ("Jusqu’à la version 5", (3,), (6,)),
    ],
)
def test_a_heading_tells_for_which_versions_it_is(heading: str, holds: tuple[int, ...], not_: tuple[int, ...]) -> None:
    assert any(one.holds(holds) for one in headed(heading))
    assert not any(one.holds(not_) for one in headed(heading))


def test_a_section_since_a_version_is_told_to_who_has_a_later_one() -> None:
    export = article(
        "## Export your data (since version 4)\n\nOpen the File menu and choose Export.", start=10, fit=2.0
    )
    news = article("## What is new in version 5\n\nThe menu is blue.", start=90, fit=1.0)
    old = article("## Up to version 5\n\nPress the red button.", start=190, fit=2.0)
    three = article("## Version 3\n\nThe menu is red.", start=290, fit=1.0)
    assert "choose Export" in text(export, news, message="How do I export my data in version 5?")
    assert "red button" in text(old, three, message="How do I export my data in version 3?")


@pytest.mark.parametrize(
    "heading",
    [
        "Upgrade to version 5",
        "Upgrade from version 4 to version 5",
        "Auf Version 5 umsteigen",
        "Außer Version 5",
        "Newer than version 4",
        "Between version 3 and version 5",
        "Versions 3–5",
        "Von Version 3 bis 5",
    ],
)
def test_a_heading_that_leaves_its_versions_open_is_for_all(heading: str) -> None:
    assert headed(heading) == ()


def test_what_is_no_version_is_none() -> None:
    assert headed("Conversion 5 explained") == headed("5 versions") == ()
    assert spoken("I am on version 4, and v5.1 at work; 3 users") == ((4,), (5, 1))


def test_code_keeps_its_shape() -> None:
    page = "## Limits\n\nWait for the limit to end:\n\nif limit reached now:\n    wait for it()\ngo on then()"
    assert "if limit reached now:\n    wait for it()\ngo on then()" in text(article(page), message="What is the limit?")


@pytest.mark.parametrize(
    "line", ["Last updated: 3 March 2026", "Updated on 2026-03-03.", "Zuletzt aktualisiert am 3. März 2026"]
)
def test_the_day_of_a_pages_last_change_is_not_told(line: str) -> None:
    made = text(
        article(f"## Keep\n\nWe keep invoices for ten years.\n\n{line}"), message="How long do you keep invoices?"
    )
    assert "ten years" in made
    assert "2026" not in made


def test_a_sentence_about_an_update_stays() -> None:
    words = "Updated apps start in 2026 with a new look for everybody."
    assert words in text(article(f"## Look\n\nThe look changes. {words}"), message="When does the look change?")


BOLD = """## Install

Windows

Download the installer and run it.

macOS

Drag the app into Applications.

Linux (all)

- Unpack it.
- Run the script."""


def test_a_bold_line_names_what_follows_and_others_platforms_are_left_out() -> None:
    mac = text(article(BOLD), message="How do I install the app on my Mac?")
    assert "macOS:\nDrag the app into Applications." in mac
    assert not any(words in mac for words in ("Windows", "installer", "Linux", "Unpack"))
    linux = text(article(BOLD), message="How do I install the app on Ubuntu?")
    assert "Linux (all):\n- Unpack it." in linux
    assert "Drag" not in linux
    unknown = text(article(BOLD), message="How do I install the app?")
    assert "Windows:\nDownload the installer" in unknown
    assert "macOS:\nDrag the app" in unknown
    phone = text(article(BOLD), message="How do I install the app on my iPhone?")
    assert "Windows:" in phone  # no part of the page is for it


def test_a_page_that_begins_with_a_platforms_name_does_not_lose_it_as_its_summary() -> None:
    page = "Windows\n\nDownload the installer and run it.\n\nLinux\n\nsudo apt install it"
    source = article(page, start=0, end=len(page))
    assert "Windows:\nDownload the installer" in text(source, message="How do I install the app?")
    linux = text(source, message="How do I install the app on Linux?")
    assert "sudo apt install it" in linux
    assert "installer" not in linux


def test_paragraphs_without_a_full_stop_are_no_names_of_what_follows() -> None:
    page = "## Reset\n\nOpen the app\n\nClick Reset now\n\nThe lamp turns green\n\nWait for it."
    made = text(article(page), message="How do I reset the lamp?")
    assert "Open the app\n\nClick Reset now\n\nThe lamp turns green" in made.replace("green:", "green")
    assert "app:" not in made


def test_items_for_other_platforms_are_left_out_and_steps_stay() -> None:
    page = (
        "## Remove\n\n1. Close the app. Windows may ask for it.\n2. Remove it:\n  - Windows: Use the settings.\n"
        "  - On a Mac, drag it to the Bin. Empty the Bin.\n  - Linux – use apt.\n3. Windows, Mac: Start again.\n"
    )
    mac = text(article(page), message="How do I remove the app from my Mac?")
    assert "drag it to the Bin. Empty the Bin." in mac
    assert "3. Windows, Mac: Start again." in mac
    assert "Windows may ask" in mac
    assert not any(words in mac for words in ("settings", "apt"))
    assert "use apt" in text(article(page), message="How do I remove the app?")


@pytest.mark.parametrize(
    ("first", "second", "told"),
    [
        ("- Windows, Linux and macOS: choose Export.", "- macOS: allow the disk.", True),
        ("- On a PC, Mac or Linux computer: run it.", "- Mac users: allow the disk.", True),
        ("- Windows, macOS und Linux: choose Export.", "- macOS: allow the disk.", True),
        ("- Windows, and also Linux, choose Export.", "- macOS: allow the disk.", False),
        ("- Open windows, tabs and dialogs: close them.", "- Mac: allow the disk.", True),
        ("Not on Windows:\n\nPress Command and D.", "On macOS:\n\nAllow the disk.", True),
        ("Außer Windows:\n\nPress Command and D.", "On macOS:\n\nAllow the disk.", True),
        ("Close all other windows:\n\n1. Open the list.", "On a Mac:\n\n1. Allow the disk.", True),
        ("On Windows:\n\n1. Open the list.", "On a Mac:\n\n1. Allow the disk.", False),
    ],
)
def test_what_is_for_the_customers_platform_among_others_is_told(first: str, second: str, told: bool) -> None:
    gap = "\n" if second.startswith("-") else "\n\n"
    made = text(article(f"## Export\n\n{first}{gap}{second}"), message="How do I export my data on my Mac?")
    assert (first in made) is told
    assert second in made


@pytest.mark.parametrize(
    ("closing", "told"),
    [
        ("Warning: the export deletes older files.", True),
        ("The export may take an hour and must not be interrupted.", True),
        ("Do not switch the device off.", True),
        ("Then press Return.", False),
        ("Choose a folder.", False),
        ("Klicken Sie auf den Ordner.", False),
        ("1. Choose a folder.", False),
    ],
)
def test_what_closes_a_page_behind_its_platforms_is_for_all(closing: str, told: bool) -> None:
    page = f"## Export\n\nOn Windows\n\nPress Ctrl and E.\n\nOn macOS\n\nPress Command and E.\n\n{closing}"
    windows = text(article(page), message="How do I export on Windows?")
    assert "Ctrl" in windows
    assert "Command" not in windows
    assert (closing in windows) is told
    assert closing in text(article(page), message="How do I export on my Mac?")


def test_in_a_chat_a_ban_is_not_left_out_behind_what_it_belongs_to() -> None:
    page = "## E-3\n\nThe certificate is not trusted. The scanner reads it. Add our site to its list. Don't turn the scanner off."
    made = text(article(page), message="The scanner says that the certificate is not trusted", channel="chat")
    assert "Add our site to its list. Don't turn the scanner off." in made


def test_in_a_chat_a_ban_among_steps_is_a_sentence_of_its_own() -> None:
    page = "## Reset the scanner\n\n1. Hold the button.\n2. Wait for the light.\n3. Do not let go before it blinks.\n4. Close the lid."
    made = text(article(page), message="How do I reset the scanner?", channel="chat")
    assert "Hold the button; Wait for the light. Do not let go before it blinks; Close the lid." in made


def test_nobody_is_sent_to_the_support_that_is_replying() -> None:
    page = "## Missing\n\nThe access to the bank has expired. None of this helped? Then contact us and name the bank."
    made = text(article(page), message="Transactions of my bank are missing")
    assert "expired" in made
    assert not any(words in made for words in ("helped", "contact us"))
