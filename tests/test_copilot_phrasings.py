"""Phrasings that must give a code, and near misses that must not: written by others, from the descriptions alone, and never learned from."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest
import yaml

from copilot.critical import Critical, key_of, taught
from copilot.escalate import NOTED, Policy, escalate
from copilot.learn import read_arrays, write_arrays
from copilot.ports import Embedder
from copilot.query import search_text
from copilot.settings import DEFAULTS
from copilot.triage import Triager
from tests.conftest import asks

FILES = sorted((Path(__file__).parent / "phrasings").glob("*.yaml"))
THIRD = sorted((Path(__file__).parent / "phrasings" / "third").glob("*.yaml"))
FOURTH = sorted((Path(__file__).parent / "phrasings" / "fourth").glob("*.yaml"))
FIFTH = sorted((Path(__file__).parent / "phrasings" / "fifth").glob("*.yaml"))
SIXTH = sorted((Path(__file__).parent / "phrasings" / "sixth").glob("*.yaml"))
REQUESTS = Path(__file__).parent / "phrasings" / "requests" / "asks_for_person.yaml"
FLOORS = {
    "accessibility": 0.95, "asks_for_person": 0.9, "churn_threat": 0.8, "data_loss": 0.75, "legal_threat": 0.95, "minors": 0.9,
    "payment_dispute": 0.88, "personal_data": 0.95, "press": 0.95, "safety": 0.95, "security_incident": 0.9, "self_harm": 0.95,
}  # fmt: skip
"""Below what is found today; .95 is aimed at (docs/triage.md has the figures)."""
FOUND, FALSE = 0.92, 0.34
"""Most near misses that fire are only told, as notes that recommend nobody: those that count are fewer than COUNTED."""
COUNTED = 0.1
LEAST_COUNTED = 0.75


class Reader:
    """The shipped heads and policy."""

    def __init__(self, embedder: Embedder, models: Path) -> None:
        self.embedder, self.triager = embedder, Triager(embedder, DEFAULTS / "taxonomy.yaml", models)
        self.policy = Policy.load(DEFAULTS / "policy.yaml")
        self.codes = cache(self._codes)

    def _codes(self, text: str) -> dict[str, float]:
        """The codes with their weights."""
        asked = asks(text)
        triage = self.triager.read(asked, self.triager.encoded(search_text(asked)))
        return {reason.code: reason.weight for reason in escalate(self.policy, asked, triage, False, 150.0).reasons}


@pytest.fixture(scope="module")
def reader(embedder: Embedder, tmp_path_factory: pytest.TempPathFactory) -> Reader:
    return Reader(embedder, tmp_path_factory.mktemp("models"))


def phrasings(file: Path, kind: str) -> list[str]:
    """The listed ones of a kind, `fires` or `quiet`."""
    listed: list[str] = yaml.safe_load(file.read_text(encoding="utf-8"))[kind]
    return listed


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_phrasings_by_strangers_give_their_code(reader: Reader, file: Path) -> None:
    fires = phrasings(file, "fires")
    missed = [text for text in fires if file.stem not in reader.codes(text)]
    assert len(fires) >= 25
    assert 1 - len(missed) / len(fires) >= FLOORS[file.stem], missed


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Thinking of leaving the club. What will it set me back, and is it enough if I just stop it at my bank?", "self_harm"),
        ("I don't want to go on with the plan any more, please end it.", "self_harm"),
        ("If I put him on the top plan, what do I pay for the operation?", "asks_for_person"),
        ("Can you put him on the list for Thursday?", "asks_for_person"),
        ("The dog chewed on the battery cover, is it under warranty?", "safety"),
        ("My dog ate the treats, can I return the box?", "safety"),
    ],
)  # fmt: skip
def test_who_leaves_a_plan_or_writes_of_a_pet_is_no_emergency(reader: Reader, text: str, code: str) -> None:
    assert reader.codes(text).get(code, 0) <= NOTED


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("I don't want to go on any more, please end it.", "self_harm"),
        ("I can't go on with this any more.", "self_harm"),
        ("Put your manager on the phone.", "asks_for_person"),
        ("The dog ate half a bar of dark chocolate, she is shaking, what do I do", "safety"),
        ("I think my cat licked antifreeze in the garage", "safety"),
        ("My dog can't breathe properly, please help", "safety"),
        ("I know she is there. Put her on.", "asks_for_person"),
    ],
)
def test_the_same_words_of_a_person_count_and_so_does_an_animal_in_danger(reader: Reader, text: str, code: str) -> None:
    assert reader.codes(text).get(code, 0) > NOTED


def test_over_all_codes_most_are_found_and_few_near_misses_fire(reader: Reader) -> None:
    fires = [(file.stem, text) for file in FILES for text in phrasings(file, "fires")]
    quiet = [(file.stem, text) for file in FILES for text in phrasings(file, "quiet")]
    assert sum(code in reader.codes(text) for code, text in fires) / len(fires) >= FOUND
    assert sum(code in reader.codes(text) for code, text in quiet) / len(quiet) <= FALSE
    assert sum(reader.codes(text).get(code, 0) > NOTED for code, text in quiet) / len(quiet) <= COUNTED


def test_a_third_set_that_was_asked_once_is_found_too(reader: Reader) -> None:
    """Found was .977 of 300, each code at least .92; .31 of the near misses were told, .05 counted. Since chosen anew .983, .22 and .04."""
    fires = {file.stem: [file.stem in reader.codes(text) for text in phrasings(file, "fires")] for file in THIRD}
    assert fires.keys() == FLOORS.keys()
    assert min(sum(found) / len(found) for found in fires.values()) >= 0.9
    assert sum(map(sum, fires.values())) >= 0.96 * sum(map(len, fires.values()))
    quiet = [(file.stem, text) for file in THIRD for text in phrasings(file, "quiet")]
    assert sum(code in reader.codes(text) for code, text in quiet) / len(quiet) <= 0.34
    assert sum(reader.codes(text).get(code, 0) > NOTED for code, text in quiet) / len(quiet) <= 0.07


@pytest.mark.parametrize(("files", "told", "counted", "false"), [(FIFTH, 0.9, 0.62, 0.06), (SIXTH, 0.89, 0.6, 0.12)])
def test_two_more_sets_by_strangers(
    reader: Reader, files: list[Path], told: float, counted: float, false: float
) -> None:
    """Of the sixth, asked once when all was chosen, .91 were told and .63 counted, and .11 of the near misses counted.

    Then two chances were raised for the demo inbox: .62.
    """
    fires, quiet = (
        [reader.codes(text).get(file.stem, 0) for file in files for text in phrasings(file, kind)]
        for kind in ("fires", "quiet")
    )
    assert min(len(fires), len(quiet)) >= 299
    assert sum(one > 0 for one in fires) / len(fires) >= told
    assert sum(one > NOTED for one in fires) / len(fires) >= counted
    assert sum(one > 0 for one in quiet) / len(quiet) <= 0.29
    assert sum(one > NOTED for one in quiet) / len(quiet) <= false


def test_what_surely_reads_like_a_code_counts_and_hardly_a_near_miss_does(reader: Reader) -> None:
    """Of messages by one of two writers whose figures were in sight when the chances were chosen .78 counted, and none of the near misses."""
    fires = [(file.stem, text) for file in FOURTH for text in phrasings(file, "fires")]
    quiet = [(file.stem, text) for file in FOURTH for text in phrasings(file, "quiet")]
    assert min(len(fires), len(quiet)) >= 150
    assert sum(reader.codes(text).get(code, 0) > NOTED for code, text in fires) / len(fires) >= LEAST_COUNTED
    assert sum(reader.codes(text).get(code, 0) > NOTED for code, text in quiet) / len(quiet) <= 0.02


def test_explicit_requests_for_a_person_are_recommended_and_near_misses_are_not(reader: Reader) -> None:
    """Told and counted were all of 150, counted was none of the 150 near misses."""
    fires, quiet = phrasings(REQUESTS, "fires"), phrasings(REQUESTS, "quiet")
    missed = [text for text in fires if reader.codes(text).get("asks_for_person", 0) <= NOTED]
    false = [text for text in quiet if reader.codes(text).get("asks_for_person", 0) > NOTED]
    assert min(len(fires), len(quiet)) >= 150
    assert len(missed) <= 0.01 * len(fires), missed
    assert len(false) <= 0.01 * len(quiet), false


def test_the_shipped_heads_were_fitted_on_the_shipped_phrasings(embedder: Embedder) -> None:
    assert Critical.load(DEFAULTS / "critical.npz", key_of(embedder)) is not None


@pytest.mark.parametrize("lost", ["codes", "vector", "probe_look"])
def test_a_file_that_lacks_an_array_is_no_weights(tmp_path: Path, embedder: Embedder, lost: str) -> None:
    key = key_of(embedder)
    arrays = read_arrays(DEFAULTS / "critical.npz", key)
    assert arrays is not None
    write_arrays(tmp_path / "critical.npz", **{name: array for name, array in arrays.items() if name != lost})
    assert Critical.load(tmp_path / "critical.npz", key) is None


def test_nothing_was_learned_from_them() -> None:
    known = {one.text for one in taught()}
    assert not known & {
        text
        for file in (*FILES, *THIRD, *FOURTH, *FIFTH, *SIXTH, REQUESTS)
        for kind in ("fires", "quiet")
        for text in phrasings(file, kind)
    }


@pytest.mark.parametrize(
    "text", ["Your refund was credited, thanks.", "Your cashback was credited", "Interest was credited."]
)
def test_money_that_came_in_is_no_dispute(reader: Reader, text: str) -> None:
    assert reader.codes(text).get("payment_dispute", 0) <= NOTED


def test_money_that_came_in_wrongly_may_be_one(reader: Reader) -> None:
    assert reader.codes("My refund was credited twice, please take one back.")["payment_dispute"] > NOTED


def test_every_code_has_phrasings_that_teach_it_and_as_many_that_test_it() -> None:
    assert {file.stem for file in FILES} == {one.code for one in taught() if one.code}
    assert set(FLOORS) == {file.stem for file in FILES}


def test_a_code_that_the_policy_does_not_read_is_given_by_words_alone(reader: Reader) -> None:
    by_words = Policy(reader.policy.threshold, reader.policy.rules)
    asked = asks("With hands like mine, all knuckles and no grip, your new childproof caps are cruel.")
    triage = reader.triager.read(asked, reader.triager.encoded(search_text(asked)))
    both, words = (escalate(one, asked, triage, False, 150.0) for one in (reader.policy, by_words))
    assert "accessibility" in {one.code for one in both.reasons}
    threat = escalate(by_words, asks("My lawyer will sue you. Let me talk to a person."), triage, False, 150.0)
    assert {"legal_threat", "asks_for_person"} <= {one.code for one in threat.reasons}
    assert {one.code for one in words.reasons} < {one.code for one in both.reasons}


def test_a_reason_that_was_read_quotes_the_message(reader: Reader) -> None:
    text = "Hello there. Light blue on white, and with my glaucoma I can't make out a thing on your bills. Regards, Ana"
    asked = asks(text)
    triage = reader.triager.read(asked, reader.triager.encoded(search_text(asked)))
    for reason in triage.reads_like:
        assert text[reason.start : reason.end] == reason.quote
    assert "accessibility" in {reason.code for reason in triage.reads_like}
