"""Rollback: the previous release is live at once, no request fails, a kill leaves no trace."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

import httpx
import pytest

from charter import Charter, Refusal
from serving import releases
from serving.home import home
from tasks import history, registry
from tasks.rollback import rollback
from tasks.service import served
from tests.serving.handmade import ROWS, bundle

CHARTER = Charter.model_validate(
    {
        "name": "flights",
        "goal": {"target": {"column": "late"}},
        "data": {"source": {"kind": "csv", "path": "flights.csv"}},
    }
)


@pytest.fixture
def folder(root: Path, tmp_path: Path) -> Path:
    """Three releases, the last one live."""
    where = home() / "releases" / "flights"
    previous = None
    for number in (1, 2, 3):
        added = releases.add(where, bundle(tmp_path / f"bundle{number}", bias=float(number)))
        note: releases.Note = {"project": "flights", "event": "promoted", "why": "better"}
        live = releases.publish(where, added, previous, note)
        history.mirror(live, "flights")
        previous = added
    return where


def _until(condition: Callable[[], bool], seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def _latest_is(answered: list[int], release: int) -> bool:
    return answered[-1] == release


def _live(folder: Path) -> int:
    live = releases.live(folder)
    assert live is not None
    return live.release


def test_each_rollback_goes_one_further_and_leaves_a_record(folder: Path) -> None:
    rolled = rollback(CHARTER, reason="complaints")
    assert (rolled.release, rolled.previous, rolled.asked) == (2, 3, "complaints")
    assert rollback(CHARTER).release == 1
    with pytest.raises(Refusal, match="Name one with --to"):
        rollback(CHARTER)
    assert rollback(CHARTER, to=3).previous == 1
    told = [(entry.event, entry.release, entry.previous) for entry in history.entries("flights")]
    assert told[3:] == [("rolled back", 2, 3), ("rolled back", 1, 2), ("rolled back", 3, 1)]


def test_a_release_by_number_is_brought_back_once(folder: Path) -> None:
    assert rollback(CHARTER, to=1).previous == 3
    assert rollback(CHARTER, to=1).release == 1
    assert len(history.entries("flights")) == 4
    with pytest.raises(Refusal, match="Name a release that is there"):
        rollback(CHARTER, to=9)


def test_a_broken_release_is_not_brought_back(folder: Path) -> None:
    (folder / "2" / "model.onnx").write_bytes(b"changed")
    with pytest.raises(Refusal, match="Take the folder from its release again"):
        rollback(CHARTER)
    assert _live(folder) == 3
    assert len(history.entries("flights")) == 3


@pytest.mark.parametrize(
    ("module", "name"), [(releases, "publish"), (registry, "reconcile"), (history, "mirror")]
)
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_killed_rollback_is_finished_and_not_done_twice(
    folder: Path, monkeypatch: pytest.MonkeyPatch, module: object, name: str, when: str
) -> None:
    real = getattr(module, name)

    def killed(*arguments: object) -> object:
        if when == "after":
            with suppress(LookupError):  # these releases are in no registry
                real(*arguments)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(module, name, killed)
        with pytest.raises(KeyboardInterrupt):
            rollback(CHARTER)
    told_before = len(history.entries("flights"))
    rolled = rollback(CHARTER)
    if told_before == 3:  # the killed one had not said that it was done
        assert (rolled.release, _live(folder)) == (2, 2)
        assert len(history.entries("flights")) == 4
    else:
        assert (rolled.release, _live(folder)) == (1, 1)


@pytest.mark.timeout(120)
def test_no_request_fails_while_releases_are_rolled_back(folder: Path) -> None:
    statuses: list[int] = []
    answered: list[int] = []
    over = threading.Event()

    def ask(url: str) -> None:
        with httpx.Client(base_url=url) as client:
            while not over.is_set():
                reply = client.post("/predict", json=ROWS[0])
                statuses.append(reply.status_code)
                answered.append(reply.json()["release"])

    with served(folder, "rollback under load") as service:
        clients = [
            threading.Thread(target=ask, args=(f"http://127.0.0.1:{service.port}",))
            for _ in range(4)
        ]
        for client in clients:
            client.start()
        _until(lambda: 3 in answered)
        for number in (2, 1):
            assert rollback(CHARTER).release == number
            _until(partial(_latest_is, answered, number))
        over.set()
        for client in clients:
            client.join()
    assert set(statuses) == {200}
    assert set(answered) == {1, 2, 3}
