"""What stands on the page, without a browser: the form, the words, the changes, the outcomes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from charter.charter import Charter
from charter.evaluation import METRICS
from serving.interval import wilson
from serving.journal import Journal, Truth
from serving.journaling import ids
from serving.journaling.stores import Record, SqliteStore
from serving.signature import Decision, Input, Signature
from serving.site.changes import changes
from serving.site.fields import fields
from serving.site.outcomes import LEAST, Outcomes, outcomes
from serving.site.words import certainty, meaning, outcome
from tests.serving.conftest import Flights
from tests.serving.handmade import SIGNATURE

THREE = Signature(
    project="hpc", target="class", task="multiclass", inputs=(), classes=("F", "L", "M"),
    say={"F": "fast", "L": "long"},
)  # fmt: skip
NUMBER = Signature(project="toy", target="minutes", task="regression", inputs=())


def test_the_charter_names_and_explains_the_fields() -> None:
    data = {"source": {"kind": "csv", "path": "x.csv"}, "columns": {"distance": {"label": "Miles", "help": "As the crow flies."}}}  # fmt: skip
    charter = Charter.model_validate(
        {"name": "x", "goal": {"target": {"column": "y"}}, "data": data}
    )
    told = json.loads(charter.model_dump_json())
    first, wind, holiday, moment, carrier = fields(SIGNATURE, told)
    assert (first.label, first.help, first.required) == ("Miles", "As the crow flies.", True)
    assert (wind.label, wind.help, wind.required) == ("Wind (mph)", "", False)
    assert [text for _, text in holiday.choices] == ["yes", "no"]
    assert (moment.control, moment.value, moment.hint) == ("moment", "2013-01-01T05:00", "UTC")
    assert (carrier.control, carrier.value) == ("choice", "UA")


@pytest.mark.parametrize("value", [1089.0, 40.712776123456789, 1234567890123.0, 0.1, 1e300])
def test_no_digit_of_an_example_is_lost(value: float) -> None:
    (one,) = fields(
        SIGNATURE.model_copy(update={"inputs": (Input(name="x", kind="number", example=value),)}),
        {},
    )
    assert float(one.value) == value
    assert not one.value.endswith(".0")


def test_many_known_texts_are_suggested_and_not_listed() -> None:
    levels = tuple(f"airport {i}" for i in range(13))
    inputs = (
        Input(name="dest", kind="text", levels=levels),
        Input(name="seen_at", kind="time", example="2013-01-31T23:30:00-05:00", low=0.0, high=86_400.0),
    )  # fmt: skip
    dest, seen = fields(SIGNATURE.model_copy(update={"inputs": inputs}), {})
    assert (dest.label, dest.control, len(dest.choices)) == ("Dest", "text", 13)
    assert dest.hint == "for example airport 0, airport 1, airport 2"
    assert seen.value == "2013-02-01T04:30"
    assert seen.hint == "UTC; learned from 1970-01-01 to 1970-01-02"


@pytest.mark.parametrize(
    ("signature", "label", "words"),
    [
        (SIGNATURE, "true", "late"), (SIGNATURE, "false", "not late"),
        (THREE, "F", "fast"), (THREE, "M", "M"),
        (SIGNATURE.model_copy(update={"classes": ("good", "bad")}), "bad", "bad"),
    ],
)  # fmt: skip
def test_what_has_happened_has_a_name(signature: Signature, label: str, words: str) -> None:
    assert outcome(signature, label) == words


@pytest.mark.parametrize(
    ("cost", "words"),
    [
        ({"miss": 4.0, "false_alarm": 1.0}, "19 % on, since a miss costs 4 times as much as a false"),
        ({"miss": 1.0, "false_alarm": 3.0}, "since a false alarm costs 3 times as much as a miss."),
        ({}, "“likely late” from a chance of 19 % on."),
    ],
)  # fmt: skip
def test_the_price_of_errors_explains_when_it_says_so(cost: dict[str, float], words: str) -> None:
    charter = {"goal": {"cost": cost}}
    (said,) = certainty(SIGNATURE, Decision(threshold=0.19), charter, {})
    assert words in said


def test_how_far_it_can_be_trusted_is_what_was_measured() -> None:
    judged: dict[str, Any] = {"calibration_error": 0.0233, "measures": []}
    assert "within 2.3 percentage points" in certainty(SIGNATURE, Decision(), {}, judged)[0]
    assert certainty(NUMBER, Decision(), {}, {"measures": [{"name": "mae", "value": 1.4496}]}) == [
        "On cases it had never seen, it was off by 1.45 on average."
    ]
    missed = {"goal": {"cost": {"missed": {"L": 5.0, "F": 1.0}}}}
    (said,) = certainty(THREE, Decision(weights=(1, 5, 1)), missed, {})
    assert said == "What it costs to miss an answer counts, too: long 5, each other one 1."


def test_every_measure_of_a_charter_has_a_meaning() -> None:
    assert not [name for names in METRICS.values() for name in names if not meaning(name)]


def _release(folder: Path, **papers: Any) -> None:
    folder.mkdir(parents=True)
    for name in ("manifest", "signature", "scorecard"):
        (folder / f"{name}.json").write_text(json.dumps(papers.get(name, {})))


def test_what_changed_is_read_off_the_releases(tmp_path: Path) -> None:
    def papers(depth: int, until: float, names: str, auc: float) -> dict[str, Any]:
        return {
            "manifest": {"family": "boosting", "params": {"depth": depth}, "until": until},
            "signature": {"inputs": [{"name": name} for name in names]},
            "scorecard": {"metric": "roc_auc", "measures": [{"name": "roc_auc", "value": auc}]},
        }

    _release(tmp_path / "1", **papers(6, 86_400.0, "ab", 0.7))
    _release(tmp_path / "2", **papers(4, 172_800.0, "bc", 0.75))
    lines = [
        {"event": "trained", "at": "2026-01-01", "release": 1},
        {"event": "promoted", "at": "2026-02-01", "why": "better", "release": 2, "previous": 1},
        {"event": "kept", "at": "2026-02-02", "now": "2013-04-01", "release": 2, "previous": 2},
    ]
    text = "\n".join(map(json.dumps, lines)) + "\n{half a line\n"
    (tmp_path / "history.jsonl").write_text(text)
    kept, promoted, first = changes(tmp_path)
    assert (kept.headline, kept.at, kept.differences) == (
        "A new model was not better",
        "2013-04-01",
        (),
    )
    assert (first.headline, first.release) == ("First release", 1)
    assert promoted.differences == (
        "settings: depth 6 → 4",
        "learned from rows up to 1970-01-03 (before: 1970-01-02)",
        "new inputs: c",
        "inputs left out: a",
        "roc_auc when it was judged: 0.75 (before, on other rows: 0.7)",
    )
    assert changes(tmp_path / "nowhere") == []


def _told(tmp_path: Path, pairs: Sequence[tuple[object, Truth]]) -> Journal:
    """A journal in which each answer has its truth, and one has none yet."""
    journal = Journal("toy", f"sqlite:///{tmp_path}/journal.db")
    named = [(ids.new(), said, truth) for said, truth in pairs]
    store = SqliteStore(f"{tmp_path}/journal.db", "process")
    said = [(name, json.dumps({"prediction": said})) for name, said, _ in named]
    said.append((ids.new(), json.dumps({"prediction": "true"})))
    store.insert([Record("toy", name, 0.0, 1, "{}", answer) for name, answer in said])
    store.close()
    journal.feedback([(name, truth) for name, _, truth in named], 1.0)
    return journal


def test_how_it_does_now_is_counted_from_what_happened(tmp_path: Path) -> None:
    pairs = [("true", "true")] * 10 + [("true", "false")] * 15
    pairs += [("false", "false")] * 60 + [("false", "true")] * 15
    found = outcomes(_told(tmp_path, pairs), SIGNATURE, {"miss": 2.0, "false_alarm": 1.0})
    assert (found.known, found.right, found.always) == (100, 0.7, 0.75)
    assert found.commonest == "likely on time"
    assert [(one.say, one.times, one.right) for one in found.said] == [
        ("likely late", 25, 10), ("likely on time", 75, 60),
    ]  # fmt: skip
    assert (found.low, found.high) == pytest.approx((0.6042, 0.7811), abs=1e-4)
    assert (found.cost, found.constant) == (0.45, 0.5)  # 15 misses and 15 alarms; 25 misses
    free = outcomes(Journal("toy", f"sqlite:///{tmp_path}/journal.db"), SIGNATURE, {})
    assert free.cost is None
    assert wilson(0, 20) == pytest.approx((0.0, 0.1611), abs=1e-4)


def test_numbers_are_off_and_few_say_nothing(tmp_path: Path) -> None:
    pairs = [(10.0, 12.0), (10.0, 6.0)] * (LEAST // 2)
    journal = _told(tmp_path, [*pairs, ("true", "true")])  # the task was another one before
    found = outcomes(journal, NUMBER, {})
    assert (found.known, found.off, found.spread) == (LEAST, 3.0, 3.0)
    assert outcomes(journal, SIGNATURE, {}) == Outcomes(known=1)
    (tmp_path / "few").mkdir()
    assert outcomes(_told(tmp_path / "few", [(1.0, 1.0)] * 3), NUMBER, {}) == Outcomes(known=3)


def test_the_page_asks_for_outcomes_and_changes(flights: Flights) -> None:
    assert flights.client.get("/model/outcomes").json()["least"] == LEAST
    newest = flights.client.get("/model/changes").json()[0]
    assert (newest["headline"], newest["release"]) == ("A better model took over", 2)


def test_its_files_are_asked_for_again_only_when_they_changed(flights: Flights) -> None:
    first = flights.client.get("/site/site.js")
    assert first.headers["content-type"].startswith("text/javascript")
    again = flights.client.get("/site/site.js", headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert flights.client.get("/site/..%2froutes.py").status_code == 404
    assert flights.client.get("/site/routes.py").status_code == 404
