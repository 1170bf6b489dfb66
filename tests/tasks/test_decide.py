"""A canary on real journal rows: promoted, withdrawn, or going on; killed anywhere, the same in the end."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest

from charter.deployment import Canary, Deployment
from serving import canary, releases
from serving.arms import Fared, Limits, broken
from serving.journal import Journal, Minute
from serving.journaling.minutes import EDGES
from serving.releases import Conflict
from serving.site.changes import changes
from tasks import history, registry
from tasks.decide import decide
from tasks.protection.suppressed import mark
from tasks.rollback import rollback
from tasks.trying.looks import Looks
from tests.tasks.tried import CANARY, SINCE, charter, releases_of, traffic

LATER = SINCE + timedelta(days=2)


@pytest.fixture(autouse=True)
def registry_(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """One real registry for all tests here, which takes seconds to make."""
    where = tmp_path_factory.getbasetemp() / "registry.db"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{where}")


def _state(folder: Path) -> tuple[int, int | None, int | None]:
    live = releases.live(folder)
    assert live is not None
    gone = live.withdrawn.canary.release if live.withdrawn else None
    return live.release, live.canary.release if live.canary else None, gone


def _told() -> list[tuple[str, int | None, int | None]]:
    return [(entry.event, entry.release, entry.canary) for entry in history.entries("flights")]


def test_a_better_canary_is_promoted_on_the_same_rows(root: Path, tmp_path: Path) -> None:
    folder = releases_of(tmp_path, 2.0, 0.0)
    traffic(600)
    found = decide(charter(), LATER)
    assert (found.outcome, found.live, found.labelled) == ("promoted", 2, 600), found.reason
    assert found.looks[0].gain.low > 0
    assert [arm.release for arm in found.arms] == [1, 2]
    assert sum(arm.answered for arm in found.arms) == 600
    assert [arm.value for arm in found.arms] == sorted([arm.value or 0 for arm in found.arms])[::-1]
    assert _state(folder) == (2, None, None)
    assert _told() == [("trained", 1, None), ("canary", 1, 2), ("promoted", 2, None)]
    last = history.entries("flights")[-1]
    assert (last.previous, last.rows, last.metric) == (1, 600, "log_loss")
    assert changes(folder)[0].headline == "A better model took over"
    assert changes(folder)[1].headline == "A new model is tried on a part of the requests"
    page = (root / found.page).read_text()
    assert "The canary takes over" in page
    assert "paired bootstrap" in page


def test_a_worse_one_is_withdrawn_and_not_tried_again(root: Path, tmp_path: Path) -> None:
    folder = releases_of(tmp_path, 0.0, 2.0)
    traffic(600)
    found = decide(charter(), LATER)
    assert (found.outcome, found.live) == ("withdrawn", 1)
    assert "is not better" in found.reason
    assert _state(folder) == (1, None, 2)
    assert _told()[-1] == ("withdrawn", 1, 2)
    withdrawn = history.withdrawn("flights", 2)
    assert withdrawn is not None
    assert withdrawn.why == found.reason
    assert decide(charter(), LATER).outcome == "none"


def test_a_tie_goes_on_until_the_time_is_over_and_then_keeps(root: Path, tmp_path: Path) -> None:
    folder = releases_of(tmp_path, 0.0, 0.01)
    traffic(600)
    found = decide(charter(), LATER)
    assert (found.outcome, found.live) == ("waiting", 1)
    assert "600 of 1,200 rows with their truth until the next look" in found.reason
    assert _state(folder) == (1, 2, None)
    over = decide(charter(most="3d"), SINCE + timedelta(days=3))
    assert over.outcome == "withdrawn"
    assert "a tie keeps what is live" in over.reason


def test_each_look_takes_twice_the_rows_and_half_the_luck(root: Path, tmp_path: Path) -> None:
    releases_of(tmp_path, 0.0, 0.01)
    traffic(99)
    assert decide(charter(), LATER).looks == ()
    traffic(101, seed=1)
    assert len(decide(charter(), LATER).looks) == 1
    assert len(decide(charter(), LATER).looks) == 1, "the same rows are not looked at twice"
    traffic(199, seed=2)
    assert len(decide(charter(), LATER).looks) == 1
    traffic(401, seed=3)
    found = decide(charter(), LATER)
    luck = [(1 - one.confidence) / 2 for one in found.looks]
    assert luck == pytest.approx([0.02, 0.01])
    assert sum(luck) < charter().runtime.false_promotion_rate


def test_too_few_rows_decide_nothing(root: Path, tmp_path: Path) -> None:
    folder = releases_of(tmp_path, 2.0, 0.0)
    traffic(600, labelled=0.1)
    found = decide(charter(), LATER)
    assert found.outcome == "waiting"
    assert "of 100 rows with their truth" in found.reason
    assert decide(charter(rows=50), LATER).outcome == "promoted", "deployment.canary.rows"
    assert _state(folder) == (2, None, None)


def test_what_is_broken_or_erased_is_withdrawn_at_once(root: Path, tmp_path: Path) -> None:
    folder = releases_of(tmp_path, 2.0, 0.0)
    (folder / "2" / "model.onnx").write_bytes(b"changed")
    assert "it is broken" in decide(charter(), LATER).reason
    assert _state(folder) == (1, None, 2)


def test_what_learned_from_an_erased_person_is_withdrawn(root: Path, tmp_path: Path) -> None:
    releases_of(tmp_path, 2.0, 0.0)
    mark("flights", {2})
    assert "a person who was erased" in decide(charter(), LATER).reason


@pytest.mark.parametrize(("failed", "slow"), [(20, False), (0, True), (0, False)])
def test_what_fails_or_is_slow_in_any_process_is_withdrawn(
    root: Path, tmp_path: Path, failed: int, slow: bool
) -> None:
    releases_of(tmp_path, 2.0, 2.01)
    minute = int(SINCE.timestamp() // 60)
    quick, late = [0] * (len(EDGES) + 1), [0] * (len(EDGES) + 1)
    quick[3] = late[-1] = 50
    journal = Journal("flights")
    for release, one in ((1, quick), (2, late if slow else quick)):
        bad = failed if release == 2 else 0
        journal.add_minutes([], [Minute(minute, f"{release} here:1", 50, 0, bad, tuple(one))])
    journal.close()
    found = decide(charter(), LATER)
    assert found.outcome == ("withdrawn" if failed or slow else "waiting")
    assert ("failed" in found.reason, "took longer" in found.reason) == (bool(failed), slow)


def test_the_charter_is_followed_while_it_runs(root: Path, tmp_path: Path) -> None:
    folder = releases_of(tmp_path, 2.0, 0.0)
    assert decide(charter(share=0.5), LATER).share == 0.5
    live = releases.live(folder)
    assert live is not None
    assert live.canary is not None
    assert live.canary.share == 0.5
    off = charter().model_copy(update={"deployment": charter().deployment.model_copy(update={"canary": 0.0})})  # fmt: skip
    assert decide(off, LATER).reason == "deployment.canary is off now"
    assert _state(folder) == (1, None, 2)


KILLED = [(Looks, "due"), (canary, "promote"), (registry, "reconcile"), (history, "mirror")]


@pytest.mark.parametrize(("module", "name"), KILLED)
@pytest.mark.parametrize("when", ["before", "after"])
def test_killed_anywhere_it_ends_the_same(
    root: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    module: object,
    name: str,
    when: str,
) -> None:
    folder = releases_of(tmp_path, 2.0, 0.0)
    traffic(600)
    history.mirror(_live(folder), "flights")
    real = getattr(module, name)

    def killed(*arguments: object) -> object:
        if when == "after":
            with suppress(LookupError):  # these releases are in no registry
                real(*arguments)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(module, name, killed)
        with pytest.raises(KeyboardInterrupt):
            decide(charter(), LATER)
    decide(charter(), LATER)
    assert _state(folder) == (2, None, None)
    assert _told() == [("trained", 1, None), ("canary", 1, 2), ("promoted", 2, None)]


def _live(folder: Path) -> releases.Live:
    live = releases.live(folder)
    assert live is not None
    return live


def test_a_rollback_takes_the_canary_away_and_only_the_next_one_goes_further(
    root: Path, tmp_path: Path
) -> None:
    folder = releases_of(tmp_path, 0.0, 1.0, 2.0)
    rolled = rollback(charter(), reason="complaints")
    assert (rolled.release, rolled.previous, rolled.asked) == (1, 2, "complaints")
    assert _state(folder) == (1, None, 2)
    canary.start(folder, 3, 1, 0.2, {})
    assert rollback(charter(), to=3).release == 3
    assert _state(folder) == (3, None, None)
    canary.start(folder, 2, 3, 0.2, {})
    assert rollback(charter(), to=1).release == 1
    assert _state(folder) == (1, None, 2)
    events = [event for event, _, _ in _told()]
    assert events == ["trained", "canary", "withdrawn", "canary", "rolled back", "canary", "rolled back", "withdrawn"]  # fmt: skip


def test_steps_are_taken_by_compare_and_swap(root: Path, tmp_path: Path) -> None:
    folder = releases_of(tmp_path, 0.0, 1.0, 2.0)
    again = canary.start(folder, 2, 1, 0.9, {})
    assert again.canary is not None
    assert again.canary.share == 0.2, "one that is tried goes on as it is"
    with pytest.raises(Conflict, match="starts from what is live then"):
        canary.start(folder, 3, 2, 0.1, {})
    other = canary.start(folder, 3, 1, 0.1, {})
    assert other.withdrawn is not None
    assert other.withdrawn.note["why"] == "release 3 is tried instead"
    with pytest.raises(Conflict, match="no longer tried"):
        canary.promote(folder, 2, 1, {})
    assert canary.withdraw(folder, 2, {}) == other, "what is not tried is not withdrawn"
    moved = releases.publish(folder, 2, 1)
    assert moved.withdrawn is not None
    assert moved.withdrawn.canary.release == 3


@pytest.mark.parametrize(
    ("ours", "theirs", "word"),
    [
        (Fared(3, 3, 0), Fared(), "failed"),
        (Fared(2, 2, 0), Fared(), ""),
        (Fared(1_000, 12, 0), Fared(9_000, 0, 0), ""),
        (Fared(1_000, 30, 0), Fared(9_000, 0, 0), "failed"),
        (Fared(1_000, 30, 0), Fared(9_000, 300, 0), ""),
        (Fared(10, 0, 8), Fared(90, 0, 1), "took longer"),
        (Fared(10, 0, 8), Fared(90, 0, 80), ""),
    ],
)
def test_it_goes_where_it_is_worse_than_the_limit_and_than_the_other(
    ours: Fared, theirs: Fared, word: str
) -> None:
    said = broken(ours, theirs, Limits(50.0, 0.01))
    assert word in said
    assert bool(said) == bool(word)


def test_a_number_is_enough_in_the_charter() -> None:
    words = charter().deployment.trial
    assert words is not None
    assert words.model_dump() == {**CANARY, "look": "0 * * * *"}
    short = Deployment.model_validate({"canary": 0.1}).trial
    assert short == Canary(share=0.1)
    assert Deployment().trial is None
