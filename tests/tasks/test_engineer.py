"""Inputs chosen with reasons, leaks refused, worth measured on training rows only."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from charter import Charter, Refusal
from serving.home import place
from serving.packing import pack_rows
from serving.signature import Input, Signature
from tasks import lake
from tasks.engineer import Recipe, engineer
from tasks.engineering.almanac import covered
from tasks.engineering.heuristic import followed
from tasks.engineering.probe import Sample
from tasks.engineering.redundancy import pca_trial
from tasks.engineering.values import follows
from tasks.explore import Profile, Suspect, explore
from tasks.split import Split, split

N = 1200
KNOWN = {
    "known_later": ["landed"],
    "columns": {"notes": {"role": "text"}, "desk": {"role": "ignore"}},
}


def trips() -> pa.Table:
    """A trip every hour for 50 days; heavy and bad weather make it late."""
    random = np.random.default_rng(5)
    moments = [datetime(2013, 1, 1, tzinfo=UTC) + timedelta(hours=i) for i in range(N)]
    weight, weather = random.normal(50, 9, N), random.choice(["sun", "rain", "snow"], N)
    late = 0.2 * (weight - 50) + 2.0 * (weather == "snow") + random.normal(0, 1, N) > 1
    return pa.table(
        {
            "at": moments,
            "weight": np.r_[weight[:-1], 9e6],  # the last row is held out
            "pounds": np.r_[weight[:-1], 9e6],
            "weather": weather,
            "noise": random.normal(0, 1, N),
            "urgent": random.random(N) < 0.5,
            "year": np.full(N, 2013.0),
            "counter": np.arange(N) // 3 * 2.0,
            "gone": pa.array([None] * (N - 1) + [1.0]),
            "tag": [f"T{i}" for i in random.integers(0, 10**9, N)],
            "place": [f"P{i}" for i in random.integers(0, 1100, N)],
            "notes": [f"the box {i} was red" for i in range(N)],
            "desk": random.integers(0, 4, N),
            "landed": late + random.normal(0, 0.05, N),
            "spare": random.normal(0, 1, N),
            "late": late,
        }
    )


def charter(**sections: Any) -> Charter:
    return Charter.model_validate(
        {
            "name": "trips",
            "goal": {"target": {"column": "late"}},
            "experience": {"say": {"true": "likely late"}},
            "evaluation": {"split": {"by": "time", "holdout": "10d"}},
            "features": {"drop": ["spare"]},
            **sections,
            "data": {"source": {"kind": "csv", "path": "t.csv"}, "time": "at", **KNOWN,
                     **sections.get("data", {})},
        }
    )  # fmt: skip


RULES = {"rules": [{"when": {"weather": ["snow"], "weight": "> 50"}, "then": True}],
         "otherwise": False}  # fmt: skip


@pytest.mark.parametrize(
    ("heuristic", "wanted"),
    [
        (RULES, ""),
        ({**RULES, "otherwise": "maybe"}, "otherwise: found maybe.*wanted one of false, true"),
        (RULES | {"rules": [{"when": {"wether": "snow"}, "then": True}]}, "Did you mean weather?"),
        (RULES | {"rules": [{"when": {"spare": "> 1"}, "then": True}]}, r"features\.drop"),
        (RULES | {"rules": [{"when": {"weather": "> 1"}, "then": True}]}, "weather holds texts"),
        (RULES | {"rules": [{"when": {"weight": "heavy"}, "then": True}]}, "weight holds numbers"),
        (RULES | {"rules": [{"when": {"at": 2013}, "then": True}]}, "part of the calendar"),
    ],
)
def test_the_rules_of_the_charter_are_followed_or_refused(
    heuristic: dict[str, Any], wanted: str
) -> None:
    words = charter(goal={"target": {"column": "late"}, "heuristic": heuristic})
    inputs = (
        Input(name="weight", kind="number"), Input(name="weather", kind="text"),
        Input(name="at", kind="time"),
    )  # fmt: skip
    signature = Signature(
        project="trips", target="late", task="binary", inputs=inputs, classes=("false", "true")
    )
    dropped = {"spare": "not to be used (features.drop)"}
    if not wanted:
        assert followed(words, signature, dropped) == words.goal.heuristic
        return
    with pytest.raises(Refusal, match=wanted):
        followed(words, signature, dropped)


def stages(words: Charter, table: pa.Table | None = None) -> tuple[Profile, Split]:
    rows = trips() if table is None else table
    mark = hashlib.sha256(str(rows).encode()).hexdigest()[:8]
    landed = lake.write(f"tables/trips/{mark}", "trips", rows.to_reader(), mark)
    profile = explore(words, landed)
    return profile, split(words, landed, profile)


@pytest.fixture(autouse=True, scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with pytest.MonkeyPatch.context() as patch:
        root = tmp_path_factory.mktemp("home")
        patch.setenv("PERENNIAL_HOME", str(root))
        yield root


@pytest.fixture(scope="module")
def made(home: Path) -> Recipe:
    profile, both = stages(charter())
    return engineer(charter(), both.training, profile)


def test_every_column_is_an_input_or_has_a_reason(made: Recipe) -> None:
    why = {column.column: column.why for column in made.dropped}
    inputs = [column.name for column in made.signature.inputs]
    assert inputs == ["at", "weight", "weather", "noise", "urgent"]
    assert {*inputs, *why, "late"} == set(trips().column_names)
    for column, words in {
        "pounds": "the same as weight", "year": "the same in every training row",
        "counter": "only moves one way as time goes on", "gone": "missing in every training row",
        "tag": "names single things", "place": "nearly every value stands alone",
        "notes": "free text is not used yet", "desk": "to be ignored",
        "landed": "known only after", "spare": "features.drop",
    }.items():  # fmt: skip
        assert words in why[column]


def test_what_privacy_keeps_from_the_model() -> None:
    words = charter(
        privacy={
            "purpose": "planning", "identifiers": ["place"], "never_input": ["weather"],
            "consent": {"column": "urgent"},
        }
    )  # fmt: skip
    profile, both = stages(words)
    assert profile.column("place").role == "identifier"
    recipe = engineer(words, both.training, profile)
    why = {column.column: column.why for column in recipe.dropped}
    assert {column.name for column in recipe.signature.inputs} == {"at", "weight", "noise"}
    assert "privacy.never_input" in why["weather"]
    assert "privacy.identifiers" in why["place"]
    assert "privacy.consent" in why["urgent"]
    assert recipe.signature.hashed == ("place",)


def test_the_signature_says_what_training_rows_show(made: Recipe) -> None:
    signature = made.signature
    kinds = {column.name: column.kind for column in signature.inputs}
    assert kinds == {
        "at": "time", "weight": "number", "weather": "text", "noise": "number", "urgent": "flag",
    }  # fmt: skip
    weight, weather = signature.inputs[1], signature.inputs[2]
    assert weight.high is not None
    assert weight.high < 100, "the holdout's largest weight is not known here"
    assert set(weather.levels) == {"sun", "rain", "snow"}
    assert signature.classes == ("false", "true")
    assert signature.say == {"true": "likely late"}
    packed = pack_rows(signature, [{c.name: c.example for c in signature.inputs}], extra="refuse")
    assert np.isfinite(packed.numbers).all()


def test_times_give_only_the_parts_that_came_round(made: Recipe) -> None:
    assert made.calendar == ("at",)
    assert made.parts == {"at": ("hour", "weekday")}


def test_impact_finds_what_matters(made: Recipe) -> None:
    impact = {one.column: one for one in made.impact}
    assert set(impact) == {column.name for column in made.signature.inputs}
    assert [one.column for one in made.impact[:2]] == ["weight", "weather"]
    assert impact["weather"].low > 0
    assert impact["noise"].low < 0.02
    verdict = next(verdict for verdict in made.verdicts if verdict.gate == "features")
    assert verdict.passed
    assert verdict.numbers["weight"] == impact["weight"].mean


def test_inputs_that_tell_nothing_are_warned_of() -> None:
    random = np.random.default_rng(0)
    empty = {"noise": random.normal(0, 1, N), "other": random.normal(0, 1, N)}
    table = pa.table({"at": trips()["at"], **empty, "late": random.random(N) < 0.4})
    words = charter(data={"known_later": [], "columns": {}}, features={})
    profile, both = stages(words, table)
    found = engineer(words, both.training, profile)
    verdict = next(verdict for verdict in found.verdicts if verdict.gate == "features")
    assert not verdict.passed
    assert verdict.level == "warn"


def test_the_page_stands_alone(made: Recipe) -> None:
    profile, both = stages(charter())
    assert engineer(charter(), both.training, profile) == made  # written anew if another came
    html = place(made.page).read_text()
    for words in ("Feature impact", "Left out", "free text is not used yet", "Not tried: 0 of 2"):
        assert words in html
    assert "http://" not in html.replace("http://www.w3.org", "")
    assert "https://" not in html


def test_again_is_the_same_and_cheap(made: Recipe, monkeypatch: pytest.MonkeyPatch) -> None:
    profile, both = stages(charter())
    with monkeypatch.context() as patch:
        patch.setattr("tasks.engineer._made", lambda *_: pytest.fail("made again"))
        assert engineer(charter(), both.training, profile) == made
    for note in place("recipes/trips").iterdir():
        note.unlink()
    assert engineer(charter(), both.training, profile) == made
    other = charter(features={"drop": ["spare", "noise"]})
    profile, both = stages(other)
    assert engineer(other, both.training, profile).fingerprint != made.fingerprint


def test_a_leak_is_refused_and_both_ways_out_work() -> None:
    forgotten = charter(data={"known_later": []})
    profile, both = stages(forgotten)
    with pytest.raises(Refusal) as caught:
        engineer(forgotten, both.training, profile)
    assert caught.value.where == "charter.data.known_later"
    assert "[landed]" in caught.value.found
    assert "AUC" in caught.value.found
    assert "list in data.known_later" in caught.value.remedy
    assert "vouch in data.known_before" in caught.value.remedy
    for key in ("known_later", "known_before"):
        words = charter(data={"known_later": [], key: ["landed"]})
        profile, both = stages(words)
        inputs = [c.name for c in engineer(words, both.training, profile).signature.inputs]
        assert ("landed" in inputs) == (key == "known_before")


def test_each_suspect_is_named_once_more_than_one() -> None:
    words = charter()
    profile, both = stages(words)
    suspects = [
        Suspect(column=name, evidence=f"{name} is odd.", strength=0.9)
        for name in ("weight", "noise", "notes")  # notes is no candidate
    ]
    found = {"suspects": tuple(suspects), "fingerprint": "another"}
    with pytest.raises(
        Refusal,
        match=r"2 columns.*\[weight\] weight is odd. \[noise\] noise is odd\..*Two ways out",
    ):
        engineer(words, both.training, profile.model_copy(update=found))


def test_no_input_at_all_is_refused() -> None:
    table = trips().select(["at", "year", "late"])
    words = charter(data={"known_later": [], "columns": {"at": {"role": "ignore"}}}, features={})
    profile, both = stages(words, table)
    with pytest.raises(Refusal, match=r"no column that can be an input: at: .*features\.drop"):
        engineer(words, both.training, profile)


def test_declared_roles_overrule_guesses() -> None:
    columns = {**KNOWN["columns"], "counter": {"role": "number"}, "place": {"role": "category"}}  # type: ignore[dict-item]
    words = charter(data={"columns": columns})
    profile, both = stages(words)
    inputs = {c.name: c for c in engineer(words, both.training, profile).signature.inputs}
    assert inputs["counter"].kind == "number"
    assert len(inputs["place"].levels) == 200


def test_the_group_of_the_split_is_no_input() -> None:
    table = trips().set_column(12, "desk", pa.array([f"D{i % 40}" for i in range(N)]))
    columns = {"notes": {"role": "text"}, "desk": {"role": "category"}}
    words = charter(
        data={"columns": columns}, evaluation={"split": {"by": "group", "column": "desk"}}
    )
    profile, both = stages(words, table)
    why = {c.column: c.why for c in engineer(words, both.training, profile).dropped}
    assert "groups of the split" in why["desk"]
    assert "counter" not in why, "moving with time is no fault where the split is not by time"


def test_a_part_has_to_come_round_three_times() -> None:
    def every(days: float, step: float = 1 / 24) -> tuple[str, ...]:
        return covered(np.arange(0, days, step) * 86_400 + 1.3e9)

    assert every(2.5) == ()
    assert every(4) == ("hour",)
    assert every(30) == ("hour", "weekday")
    assert every(100) == ("hour", "weekday", "day")
    assert every(1200) == ("hour", "weekday", "day", "yearday")
    midnights = np.arange(100.0) * 86_400
    assert covered(midnights) == ("weekday", "day")
    assert covered(np.array([np.nan])) == ()


def test_what_follows_the_time() -> None:
    times = np.repeat(np.arange(50.0), 4)
    random = np.random.default_rng(0)
    assert follows(times * 3 + random.random(200), times)
    assert follows(-times, times)
    assert follows(np.floor(times / 25), times)
    assert not follows(times % 10, times)
    assert not follows(times + random.normal(0, 5, 200), times)
    assert not follows(np.full(200, np.nan), times)


def linear_case(
    columns: dict[str, np.ndarray], truth: np.ndarray, count: int = 4
) -> tuple[Recipe, Sample]:
    inputs = tuple(Input(name=name, kind="number") for name in columns)
    signature = Signature(project="t", target="y", task="regression", inputs=inputs)
    recipe = Recipe(project="t", fingerprint="f", signature=signature, categories=9, page="p")
    cuts = np.linspace(len(truth) // 2, len(truth), count + 1).astype(int)
    folds = [(np.arange(a), np.arange(a, b)) for a, b in pairwise(cuts)]
    return recipe, Sample(pd.DataFrame(columns), truth, folds, "rmse", np.ones(2), 0)


def test_components_are_kept_where_they_pay() -> None:
    random = np.random.default_rng(0)
    hidden = random.normal(0, 1, 300)
    columns = {f"x{i}": hidden + random.normal(0, 0.4, 300) for i in range(140)}
    recipe, rows = linear_case(columns, hidden + random.normal(0, 0.5, 300))
    trial = pca_trial("auto", recipe, rows)
    assert trial.kept
    assert trial.components < 140
    assert "Kept: they pay." in trial.explanation


def test_components_are_not_kept_where_they_lose_the_pattern() -> None:
    random = np.random.default_rng(0)
    hidden, small = random.normal(0, 1, 400), random.normal(0, 0.05, (5, 400))
    columns = {f"x{i}": hidden + small[i] for i in range(5)}
    recipe, rows = linear_case(columns, 20 * (small[0] - small[1]))
    trial = pca_trial("auto", recipe, rows)
    assert not trial.kept
    assert trial.columns == ("x0", "x1", "x2", "x3", "x4")
    assert "Not kept: they cost." in trial.explanation
    again = pca_trial("auto", *linear_case(columns, random.normal(0, 1, 400)))
    assert not again.kept
    few = pca_trial("auto", *linear_case(columns, 20 * (small[0] - small[1]), count=1))
    assert "too few to judge by" in few.explanation


def test_components_are_not_tried_without_need() -> None:
    random = np.random.default_rng(0)
    columns = {f"x{i}": random.normal(0, 1, 100) for i in range(6)}
    columns["same"] = np.ones(100)
    recipe, rows = linear_case(columns, random.normal(0, 1, 100))
    assert "Not tried: 0 of 7" in pca_trial("auto", recipe, rows).explanation
    assert "features.pca is never" in pca_trial("never", recipe, rows).explanation
