"""What a load costs: from measured loads to any load, and a real service under load."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from click.testing import CliRunner

from charter import Charter, Refusal
from flows.__main__ import size as command
from serving import releases
from serving.home import home
from tasks.service import served
from tasks.size import Sized, size
from tasks.sizing.load import Failed, load
from tasks.sizing.points import Point, busy, most
from tests.serving.handmade import ROWS, bundle

POINTS = (
    Point(rate=0, cores=0.01),
    Point(rate=100, p99_ms=2, cores=0.05),
    Point(rate=500, p99_ms=10, cores=0.21),
    Point(rate=900, p99_ms=50, cores=0.45),
)
CHARTER = Charter.model_validate(
    {
        "name": "flights",
        "goal": {"target": {"column": "late"}},
        "data": {"source": {"kind": "csv", "path": "flights.csv"}},
    }
)


@pytest.mark.parametrize(
    ("rate", "cores"), [(0, 0.01), (50, 0.03), (300, 0.13), (900, 0.45), (1_800, 0.90)]
)
def test_between_measured_loads_it_is_straight_and_beyond_as_the_last(
    rate: float, cores: float
) -> None:
    assert busy(POINTS, rate) == pytest.approx(cores)


@pytest.mark.parametrize(
    ("limit", "rate"), [(1, 0), (10, 500), (30, 700), (50, 850), (500, 850), (6, 300)]
)
def test_one_service_takes_what_keeps_the_limit_and_leaves_room(limit: float, rate: float) -> None:
    assert most(POINTS, 1_000, limit) == pytest.approx(rate)


def _released(folder: Path) -> None:
    where = home() / "releases" / "flights"
    releases.add(where, bundle(folder / "bundle"))
    releases.publish(where, 1, None)


def test_a_load_is_counted_from_when_it_was_due_and_a_refusal_ends_it(tmp_path: Path) -> None:
    where = tmp_path / "flights"
    releases.add(where, bundle(tmp_path / "bundle"))
    releases.publish(where, 1, None)
    with served(where, "test") as service:
        bodies = [json.dumps(row).encode() for row in ROWS]
        found = load(service.port, bodies, 1.0, rate=40.0, connections=2)
        assert 10 <= len(found.milliseconds) <= 90, "Poisson: 40 a second"
        assert min(found.milliseconds) > 0
        assert load(service.port, bodies, 0.3).rate > 40
        with pytest.raises(Failed, match="422"):
            load(service.port, [b'{"strange": 1}'], 0.3)


def test_what_cannot_be_measured_is_refused(root: Path, tmp_path: Path) -> None:
    with pytest.raises(Refusal, match="name one with --release"):
        size(CHARTER, 500)
    _released(tmp_path)
    with pytest.raises(Refusal, match="name one with --release"):
        size(CHARTER, 500, release=7)
    with pytest.raises(Refusal, match="Name the load"):
        size(CHARTER, 0)


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_the_command_measures_and_says_what_a_load_needs(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _released(tmp_path)
    file, out = tmp_path / "flights.yaml", tmp_path / "sized.json"
    file.write_text(
        "name: flights\ngoal: {target: {column: late}}\n"
        "data: {source: {kind: csv, path: flights.csv}}\nconstraints: {latency_p99_ms: 2000}\n"
    )
    ran = CliRunner().invoke(command, [str(file), "--rps", "100000", "--json", str(out)])
    assert ran.exit_code == 0, ran.output
    told = json.loads(out.read_text())
    assert told.pop("outcome") == "done"
    sized = Sized.model_validate(told)
    assert sized.replicas == math.ceil(100_000 / sized.most_rps) > 1
    assert sized.most_rps <= sized.saturated_rps
    assert sized.core_hours == pytest.approx(sized.cores / 100_000 * 1e6 / 3600)
    assert sized.memory_mb > 50 * sized.replicas
    assert len(sized.points) == 7
    none = size(CHARTER.model_copy(update={"constraints": CHARTER.constraints.model_copy(update={"latency_p99_ms": 1e-3})}), 100)  # fmt: skip
    assert none.replicas == 0
    assert not none.verdicts[0].passed
