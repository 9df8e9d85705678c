"""How much a model may say in a channel."""

from __future__ import annotations

from copilot.ground import Grounded
from copilot.room import RoomLeft


def said(text: str) -> Grounded:
    return Grounded(text, " ", "no_claim", ())


def test_a_channel_has_room_for_half_as_much_again_as_is_quoted() -> None:
    room = RoomLeft((4, 100))
    faults = [room.fault(said(f"Statement {number}.")) for number in range(8)]
    assert faults == [""] * 6 + ["the channel has no room for more"] * 2


def test_what_is_long_is_counted_by_its_characters_and_the_first_always_finds_room() -> None:
    room = RoomLeft((4, 100))
    assert room.fault(said("a" * 400)) == ""
    assert room.fault(said("b")) == "the channel has no room for more"


def test_without_a_budget_only_repetition_is_refused() -> None:
    room = RoomLeft(None)
    assert [room.fault(said("c" * 4_000 + str(number))) for number in range(50)] == [""] * 50
    assert room.fault(said("C" * 4_000 + "7")) == "it is said already"


def test_what_is_full_stays_full() -> None:
    room = RoomLeft((4, 100))
    assert room.fault(said("a" * 100)) == ""
    assert room.fault(said("b" * 100)) != ""
    assert room.fault(said("c")) != ""
