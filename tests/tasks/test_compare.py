"""Champion against challenger: real bundles on rows that neither has seen, a tie keeps."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from benchmarks.promotion import promoted
from charter import Charter, Refusal
from serving import releases
from serving.bundle import Manifest, load
from serving.home import home, place, whereabouts
from tasks import history, lake
from tasks.compare import Promotion, compare
from tasks.metrics import paired
from tasks.package import Bundle
from tasks.quarantine import Quarantine
from tasks.split import Holdout, Split, Training, looks
from tasks.splitting import custody
from tests.serving.handmade import SIGNATURE, bundle

START = datetime(2026, 3, 1, tzinfo=UTC)
TIMED: dict[str, Any] = {"time": "time_hour"}


def _charter(**data: Any) -> Charter:
    return Charter.model_validate(
        {
            "name": "flights",
            "goal": {"target": {"column": "late"}},
            "data": {"source": {"kind": "csv", "path": "flights.csv"}, **data},
            "evaluation": {"metric": "log_loss", "split": {"by": "random"}},
        }
    )


def _rows(count: int, seed: int = 0, hours: float = 6.0) -> pa.Table:
    """Rows whose truth is what the graph with bias 0 says."""
    rng = np.random.default_rng(seed)
    wind, distance = rng.uniform(0, 40, count) - 20, rng.uniform(100, 4000, count)
    carrier = rng.choice(["UA", "B6", "EV"], count)
    odds = 0.1 * wind - 1e-4 * distance + (carrier == "B6")
    times = [START + timedelta(hours=hours * n) for n in range(count)]
    return pa.table(
        {
            "flight": pa.array(range(seed * 100_000, seed * 100_000 + count)),
            "distance": distance, "Wind (mph)": wind, "carrier": carrier,
            "time_hour": pa.array(times, pa.timestamp("us", "UTC")),
            "late": rng.random(count) < 1 / (1 + np.exp(-odds)),
        }
    )  # fmt: skip


def _split(rows: pa.Table) -> Split:
    where = "splits/flights/case"
    place(where).mkdir(parents=True, exist_ok=True)
    pq.write_table(rows, place(f"{where}/holdout.parquet"))
    answer = {"target": "late", "task": "binary", "classes": ("false", "true")}
    nothing = Quarantine(project="flights", where="", stage="split", fingerprint="", rows=0)
    return Split(
        training=Training(
            project="flights", where=f"{where}/training.parquet", rows=0, fingerprint="t" * 64,
            metric="log_loss", **answer,
        ),
        holdout=Holdout(
            project="flights", where=f"{where}/holdout.parquet", rows=rows.num_rows,
            seal=custody.seal(place(f"{where}/holdout.parquet")), **answer,
        ),
        rule="", unlabelled=nothing,
    )  # fmt: skip


def _champion(bias: float, **lineage: Any) -> int:
    folder = bundle(home() / "bundles" / f"champion{bias}", bias=bias)
    return _release(_with(folder, **lineage))


def _with(folder: Path, **lineage: Any) -> Path:
    manifest = Manifest.model_validate_json((folder / "manifest.json").read_bytes())
    changed = manifest.model_copy(update=lineage)
    (folder / "manifest.json").write_text(changed.model_dump_json())
    return folder


def _release(folder: Path) -> int:
    where = home() / "releases" / "flights"
    live = releases.live(where)
    number = releases.add(where, folder)
    moved = releases.publish(where, number, live.release if live else None)
    history.mirror(moved, "flights")
    return number


def _challenger(bias: float, **more: Any) -> Bundle:
    folder = bundle(home() / "bundles" / f"challenger{bias}", bias=bias, **more)
    return Bundle(
        project="flights", fingerprint=load(folder).manifest.fingerprint,
        where=whereabouts(folder), model_mb=0.1, parity=0.0, parity_rows=1, verdicts=(),
    )  # fmt: skip


def _seconds(days: float) -> float:
    return (START + timedelta(days=days)).timestamp()


@pytest.fixture(autouse=True)
def _root(root: Path) -> None:
    """A root of its own for every test."""


def test_the_first_model_is_promoted_without_a_comparison() -> None:
    found = compare(_charter(), _split(_rows(100)), _challenger(0.0))
    assert (found.outcome, found.champion, found.gain) == ("promoted", None, None)


@pytest.mark.parametrize("data", [TIMED, {}, {"key": ["flight"]}])
def test_a_better_challenger_wins_and_a_worse_one_does_not(data: dict[str, Any]) -> None:
    seen = lake.write("tables/flights/table", "flights", _rows(50, seed=9).to_reader(), "s" * 64)
    split = _split(_rows(600))
    lineage = {"until": _seconds(-1), "tables": {seen.where: seen.version}}
    _champion(2.0, **lineage)
    won = compare(_charter(**data), split, _challenger(0.1))
    assert won.outcome == "promoted", won.reason
    assert won.gain is not None
    assert won.gain.low > 0
    assert won.rows == 600
    assert "better by" in won.reason
    lost = compare(_charter(**data), split, _challenger(4.0))
    assert (lost.outcome, lost.champion) == ("kept", 1)
    assert "not better" in lost.reason
    assert "The champion stays" in place(lost.page).read_text()


def test_a_tie_keeps_the_champion() -> None:
    _champion(0.3, until=_seconds(-1))
    found = compare(_charter(**TIMED), _split(_rows(600)), _challenger(0.3 + 1e-9))
    assert found.outcome == "kept"


def test_only_rows_later_than_the_champions_count() -> None:
    _champion(2.0, until=_seconds(100))  # of 150 days
    found = compare(_charter(**TIMED), _split(_rows(600)), _challenger(0.0))
    assert found.rows == 600 - 100 * 4 - 1


def test_without_a_time_rows_of_the_champions_table_do_not_count() -> None:
    rows = _rows(600)
    turned = rows.slice(0, 400).set_column(5, "late", pa.array([True] * 400))
    seen = lake.write("tables/flights/table", "flights", turned.to_reader(), "s" * 64)
    _champion(2.0, tables={seen.where: seen.version})
    found = compare(_charter(), _split(rows), _challenger(0.0))
    assert found.rows == 200  # a row whose truth was corrected is the same row


@pytest.mark.parametrize(
    ("rows", "hours", "said"), [(30, 6.0, "only 30 rows"), (60, 0.05, "fewer than 6 days")]
)
def test_too_little_that_neither_has_seen_keeps_the_champion(
    rows: int, hours: float, said: str
) -> None:
    _champion(2.0, until=_seconds(-1))
    found = compare(_charter(**TIMED), _split(_rows(rows, hours=hours)), _challenger(0.0))
    assert (found.outcome, found.rows) == ("kept", rows)
    assert said in found.reason


def test_a_champion_of_another_question_is_not_compared() -> None:
    _champion(2.0, until=_seconds(-1))
    other = SIGNATURE.model_copy(update={"target": "cancelled"})
    found = compare(_charter(**TIMED), _split(_rows(600)), _challenger(0.0, signature=other))
    assert found.outcome == "kept"
    assert "perennial train" in found.reason


def test_what_was_rolled_back_is_not_promoted_again() -> None:
    _champion(2.0, until=_seconds(-1))
    split, challenger = _split(_rows(600)), _challenger(0.0)
    assert compare(_charter(**TIMED), split, challenger).outcome == "promoted"
    number = _release(place(challenger.where))
    note: releases.Note = {"project": "flights", "event": "rolled back", "asked": "complaints"}
    folder = home() / "releases" / "flights"
    history.mirror(releases.publish(folder, 1, number, {**note, "why": "back"}), "flights")
    again = compare(_charter(**TIMED), split, challenger)
    assert again.outcome == "kept"
    assert again.reason == "the challenger is release 2, which was rolled back (complaints)"


def test_a_changed_champion_is_refused() -> None:
    number = _champion(2.0, until=_seconds(-1))
    (home() / "releases/flights" / str(number) / "model.onnx").write_bytes(b"changed")
    with pytest.raises(Refusal, match="Take the folder from its release again"):
        compare(_charter(**TIMED), _split(_rows(600)), _challenger(0.0))


def test_asked_again_it_is_not_opened_again() -> None:
    _champion(2.0, until=_seconds(-1))
    split, challenger = _split(_rows(600)), _challenger(0.0)
    first = compare(_charter(**TIMED), split, challenger)
    assert compare(_charter(**TIMED), split, challenger) == first
    assert [look.by for look in looks(split.holdout)] == ["compare"]
    assert Promotion.model_validate(json.loads(first.model_dump_json())) == first


def test_days_that_belong_together_widen_the_interval() -> None:
    rng = np.random.default_rng(4)
    day = np.repeat(np.arange(8), 100)
    truth = rng.integers(0, 2, 800)
    mood = rng.normal(size=8)[day]
    ours = np.column_stack([1 - (p := 1 / (1 + np.exp(-mood * truth))), p])
    theirs = np.full((800, 2), 0.5)
    alone = paired("log_loss", truth, ours, theirs)
    together = paired("log_loss", truth, ours, theirs, blocks=day)
    assert together.value == alone.value
    assert together.high - together.low > 2 * (alone.high - alone.low)


def test_equal_models_are_rarely_promoted_and_better_ones_mostly() -> None:
    """A few of what `benchmarks/promotion.py` counts; seeded, so it never changes by chance."""
    assert sum(promoted("equal", True, seed) for seed in range(8)) <= 1
    assert sum(promoted("better", True, seed) for seed in range(4)) >= 3
