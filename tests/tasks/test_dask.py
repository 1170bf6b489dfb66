"""Trials on the workers of a real Dask cluster, and what happens to them where these misbehave."""

from __future__ import annotations

import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import pyarrow.parquet as pq
import pytest

import tasks.models
from charter import Charter, Refusal
from serving.home import place
from tasks.models import LADDER
from tasks.models.base import Family
from tasks.models.shelf import take
from tasks.tune import Study, tune
from tasks.tuning import reach
from tasks.tuning.folder import fingerprint
from tests.tasks import material, planted, workers
from tests.tasks.workers import LocalCluster

pytestmark = pytest.mark.timeout(600)  # three processes import scikit-learn before each first fit
MINUTES = 5.0  # the number of trials ends a search, and not a busy machine


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[LocalCluster]:
    with LocalCluster(tmp_path, workers=2) as started:
        yield started


def _charter(address: str | None, minutes: float = MINUTES, **tuning: Any) -> Charter:
    return material.charter(
        constraints={"train_minutes": minutes, "cluster": address},
        tuning={"families": ["dummy", "linear", "tree"], "prune": False} | tuning,
    )


def _tune(charter: Charter) -> Study:
    return tune(charter, material.training("binary", 400), material.recipe("binary"))


def _plant(monkeypatch: pytest.MonkeyPatch, *members: Family) -> None:
    names = {member.name: member for member in members}
    ladder = tuple(names.get(member.name, member) for member in LADDER)
    monkeypatch.setattr(tasks.models, "LADDER", ladder)


def _trials(study: Study) -> list[dict[str, Any]]:
    trials: list[dict[str, Any]] = pq.read_table(place(study.trials)).to_pylist()
    return trials


def _scores(study: Study) -> dict[tuple[str, str], float]:
    return {(one["family"], one["params"]): one["score"] for one in _trials(study)}


@pytest.mark.slow
@pytest.mark.parametrize("search", ["random", "grid", "bayesian"])
def test_a_cluster_finds_the_same(
    cluster: LocalCluster,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    search: Literal["random", "grid", "bayesian"],
) -> None:
    studies = []
    for name, address in (("here", None), ("there", cluster.address)):
        monkeypatch.setenv("PERENNIAL_HOME", str(tmp_path / name))
        studies.append(_tune(_charter(address, search=search, trials=8)))
    here, there = studies
    assert there.fingerprint == here.fingerprint
    assert there.family == here.family
    assert len(_trials(there)) == len(_trials(here))
    same = _scores(here).keys() & _scores(there).keys()
    assert all(_scores(here)[one] == _scores(there)[one] for one in same)
    if search != "bayesian":  # which asks what to try next by what has ended
        assert _scores(there) == _scores(here)
        assert there.params == here.params
    if search == "grid":  # every trial is told to run, and later how it ended
        assert _most_at_once() == 2
    assert hasattr(take(place(there.model)), "predict")
    assert here.hardware is not None
    assert here.hardware.cluster is None
    assert there.hardware is not None
    assert there.hardware.cluster is not None
    assert (there.hardware.cluster.workers, there.hardware.cluster.threads) == (2, 2)
    assert there.hardware.cluster.cores_used > 0
    assert "2 workers of a Dask cluster, 2 threads" in there.hardware.words
    assert "2 workers of a Dask cluster" in place("pages/toy/study.html").read_text()
    assert not cluster.fitting  # what was held on the workers is gone


@pytest.mark.slow
def test_a_fit_that_hangs_is_stopped_on_its_worker(
    root: Path, cluster: LocalCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    _plant(monkeypatch, planted.HangingForest(), planted.RaisingTree())
    families = ["dummy", "linear", "tree", "forest"]
    study = _tune(_charter(cluster.address, minutes=2.0, families=families))
    assert study.seconds <= 1.1 * 120
    assert study.family == "linear"
    why = {rung.family: rung.why for rung in study.ladder}
    assert "time was over" in why["forest"]
    assert "ValueError: cannot be fitted" in why["tree"]
    assert len(cluster.processes) == 2
    assert not cluster.fitting


@pytest.mark.slow
def test_a_fit_that_eats_memory_is_stopped_on_its_worker(
    root: Path, cluster: LocalCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    _plant(monkeypatch, planted.EatingForest())
    charter = _charter(cluster.address, families=["dummy", "forest"], trials=1)
    own = charter.constraints.model_copy(update={"memory_gb": 1.5})
    study = _tune(charter.model_copy(update={"constraints": own}))
    assert study.family == "dummy"
    assert "of 1.5 GiB" in next(one.why for one in study.ladder if one.family == "forest")
    assert study.peak_gb < 1.1 * 1.5


def _slow(address: str) -> Charter:
    """A dummy and a linear rung whose grid has six points, about a second each."""
    return _charter(address, search="grid", families=["dummy", "linear"])


def _states() -> list[int]:
    """What trials became, in the order of the journal: operation 6; 0 is running, 1 complete."""
    lines = [
        json.loads(line)
        for path in place("studies/toy").glob("*/journal.log")
        for line in path.read_text().splitlines(True)
        if line.endswith("\n")
    ]
    return [line["state"] for line in lines if line["op_code"] == 6]


def _complete() -> int:
    return _states().count(1)


def _most_at_once() -> int:
    return max(itertools.accumulate(1 if state == 0 else -1 for state in _states()))


SCRIPT = textwrap.dedent(
    """
    import sys
    from tests.tasks import test_dask as test
    test.run(sys.argv[1])
    """
)


def run(address: str) -> None:
    """Tune in this process, with a linear rung that takes a second a trial."""
    tasks.models.LADDER = tuple(
        planted.SlowLinear() if member.name == "linear" else member for member in LADDER
    )
    _tune(_slow(address))


@pytest.fixture
def searching(root: Path, cluster: LocalCluster) -> Iterator[subprocess.Popen[bytes]]:
    """A search in a process of its own, in the midst of the linear rung."""
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, cluster.address],
        cwd=workers.ROOT,
        env={**os.environ, "PERENNIAL_HOME": str(root), "PYTHONPATH": str(workers.ROOT)},
    )
    try:
        workers.until(lambda: _complete() >= 2)  # the dummy's, and one of the six
        yield process
    finally:
        process.kill()
        process.wait()


def _finished(process: subprocess.Popen[bytes]) -> list[dict[str, Any]]:
    """The linear trials, once all points were tried, each to its end."""
    assert process.wait(240) == 0
    file = next(place("studies/toy").glob("*/study.json"))
    trials = _trials(Study.model_validate_json(file.read_bytes()))
    return [one for one in trials if one["family"] == "linear"]


@pytest.mark.slow
@pytest.mark.parametrize("what", ["worker", "nanny", "all"])
def test_a_worker_that_is_lost_takes_no_trial_with_it(
    searching: subprocess.Popen[bytes],
    cluster: LocalCluster,
    what: Literal["worker", "nanny", "all"],
) -> None:
    """The nanny starts another worker, the other worker goes on, or it all goes on here."""
    lost = cluster.fitting[:1] if what == "worker" else cluster.fitting
    if what == "worker":
        cluster.processes[0].send_signal(signal.SIGKILL)
    else:
        for nanny in cluster.nannies[: 1 if what == "nanny" else 2]:
            cluster.stop(nanny)
    trials = _finished(searching)
    assert [one["state"] for one in trials] == ["complete"] * 6
    assert len({one["params"] for one in trials}) == 6
    assert workers.gone(lost)


@pytest.mark.slow
def test_a_scheduler_that_is_lost_does_not_end_the_search(
    searching: subprocess.Popen[bytes], cluster: LocalCluster
) -> None:
    cluster.scheduler.send_signal(signal.SIGKILL)
    trials = _finished(searching)
    assert [one["state"] for one in trials] == ["complete"] * 6


@pytest.mark.slow
def test_a_worker_that_answers_no_more_costs_its_deadline(
    searching: subprocess.Popen[bytes], cluster: LocalCluster
) -> None:
    for one in [*cluster.nannies[:1], *workers.children(cluster.nannies[0])]:
        one.send_signal(signal.SIGSTOP)
    trials = _finished(searching)
    states = [one["state"] for one in trials]
    assert states.count("complete") >= 5
    assert all("did not answer in time" in one["why"] for one in trials if one["state"] == "failed")


@pytest.mark.slow
def test_a_search_that_is_killed_leaves_nothing_there_and_goes_on(
    searching: subprocess.Popen[bytes],
    cluster: LocalCluster,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fitting = cluster.fitting
    assert len(fitting) == 2
    searching.kill()
    searching.wait()
    before = _complete()
    assert workers.gone(fitting)
    monkeypatch.setattr(tasks.models, "LADDER", LADDER)  # puts the ladder back afterwards
    run(cluster.address)
    record = next(place("studies/toy").glob("*/study.json"))
    trials = _trials(Study.model_validate_json(record.read_bytes()))
    linear = [one for one in trials if one["family"] == "linear"]
    complete = [one["params"] for one in linear if one["state"] == "complete"]
    assert len(complete) == len(set(complete)) == 6
    assert 2 <= before < 7
    assert len(linear) - 6 == sum(one["why"] == "interrupted" for one in linear) <= 2


@pytest.mark.slow
def test_other_versions_are_refused(root: Path, cluster: LocalCluster, tmp_path: Path) -> None:
    for room in ("charter", "serving", "tasks"):
        shutil.copytree(workers.ROOT / room, tmp_path / "code" / room)
    (tmp_path / "code/tasks/keep.py").write_text("# not the same")
    cluster.add(tmp_path / "code")
    cluster.wait(3)
    with pytest.raises(Refusal, match=r"perennial .*, code .* \(here .*Install the same"):
        _tune(_charter(cluster.address))


@pytest.mark.slow
def test_a_cluster_without_workers_is_refused(root: Path, tmp_path: Path) -> None:
    refused = pytest.raises(Refusal, match=r"no worker at tcp://127.*dask worker tcp://127")
    with LocalCluster(tmp_path, workers=0) as started, refused:
        _tune(_charter(started.address))


def test_no_scheduler_is_refused_before_anything_is_done(root: Path) -> None:
    address = "tcp://127.0.0.1:9"
    with pytest.raises(Refusal, match=rf"no Dask scheduler at {address} \(.*refused.*Start it"):
        reach.reach(_charter(address))
    reach.reach(_charter(None))


def test_without_dask_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reach, "find_spec", lambda name: None)
    with pytest.raises(Refusal, match=r"Install perennial\[cluster\]"):
        reach.reach(_charter("tcp://127.0.0.1:9"))


def test_a_study_goes_on_wherever_its_trials_run(root: Path) -> None:
    given = material.training("binary", 40), material.recipe("binary")
    here, there = _charter(None), _charter("tls://elsewhere:8786")
    assert fingerprint(here, *given) == fingerprint(there, *given)


@pytest.mark.parametrize(
    "address", ["elsewhere:8786", "tcp://me:secret@elsewhere:8786", "tcp://elsewhere"]
)
def test_an_address_is_one_and_holds_no_secret(address: str) -> None:
    with pytest.raises(ValueError, match=r"constraints\.cluster"):
        _charter(address)
