"""The monitor compares groups at run time, where the truth is known and rows say who they are."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import orjson
import pytest

from charter import Charter
from charter.fairness import Fairness
from serving import bundle, releases
from serving.home import home, place
from serving.journal import Seen
from tasks.auditing.groups import Axis
from tasks.auditing.treatment import Treatment
from tasks.monitor import Watched, monitor
from tasks.monitoring.groups import treated
from tasks.monitoring.window import Question, _answered
from tests.tasks import packaged, watched
from tests.tasks.watched import NOW, answer, week

FAIR = {"sensitive": ["kind"], "metric": "equalised_odds", "limit": 0.15, "support": 40}


@pytest.fixture
def project(root: Path, monkeypatch: pytest.MonkeyPatch) -> Charter:
    """A live release whose scorecard knows the groups of `kind`, which is an input here."""
    monkeypatch.setattr(packaged, "PARTS", ("hour", "weekday"))
    made = packaged.case(
        "binary", "linear", 3_000, runtime={"label_wait": "7d"},
        data={"source": {"kind": "csv", "path": "small.csv"}, "time": "at"},
        evaluation={"split": {"by": "time", "holdout": "28d"}},
        fairness={**FAIR, "at_prediction": True},
    )  # fmt: skip
    known = Treatment(
        metric="equalised_odds", rows=0, disparities=(), groups=(), quality={}, constant={},
        axes=(Axis(column="kind"),),
    )  # fmt: skip
    card = made.scorecard.model_copy(update={"fairness": known})
    packed = replace(made, scorecard=card).package()
    folder = home() / "releases" / made.charter.name
    releases.publish(folder, releases.add(folder, place(packed.where)), None)
    watched._backdate(folder)
    return made.charter


def looked(charter: Charter) -> tuple[Watched, bool]:
    found = monitor(charter, NOW)
    return found, next(one.passed for one in found.verdicts if one.gate == "fairness.limit")


def test_groups_that_are_treated_apart_raise_an_alarm(project: Charter) -> None:
    table = week(3_000)
    found, passed = looked(project)
    assert found.groups is None  # nothing is known yet
    assert passed
    answer(project, table, labelled=0.9)
    found, _ = looked(project)
    assert found.groups is not None
    assert {one.value for one in found.groups.groups} == {"West", "missing", "north", "south", "é"}
    assert found.groups.disparities[0].unjudged == ()
    assert "Groups of kind" in place(found.page).read_text()
    apart = found.groups.disparities[0].figure
    strict = project.model_copy(
        update={"fairness": project.fairness.model_copy(update={"limit": apart.low / 2})}
    )
    wide = project.model_copy(
        update={"fairness": project.fairness.model_copy(update={"limit": apart.high})}
    )
    alarmed, passed = looked(strict)
    assert not passed
    assert [alarm.about for alarm in alarmed.alarms if alarm.gate == "fairness.limit"] == [
        ("kind",)
    ]
    assert "groups of kind are" in alarmed.reason
    assert looked(wide)[1]
    shutil.rmtree(home(), ignore_errors=True)


def test_who_sends_null_is_watched_and_who_says_nothing_is_not(project: Charter) -> None:
    live = releases.live(home() / "releases" / project.name)
    assert live is not None
    artifact = bundle.load(home() / "releases" / project.name / str(live.release))
    said = orjson.dumps({"probabilities": {"no": 0.4, "yes": 0.6}}).decode()
    rows = ['{"guest": "a"}', '{"guest": null}', '{"guest": ""}', "{}"] * 20
    seen = [Seen(str(at), 0.0, 1, row, said, "yes") for at, row in enumerate(rows)]
    asked = Question(artifact, 1, None, 0.0, 1.0, 0.0, ("guest",))
    words = project.model_copy(update={"fairness": Fairness(sensitive=("guest",), support=10)})
    found = treated(words, artifact, (Axis(column="guest"),), _answered(asked, seen))
    assert found is not None
    assert {one.value: one.rows for one in found.groups} == {"a": 20, "missing": 40}


def test_without_sensitive_columns_nothing_is_said(project: Charter) -> None:
    plain = project.model_copy(update={"fairness": type(project.fairness)()})
    assert not [one for one in monitor(plain, NOW).verdicts if one.gate.startswith("fairness")]
