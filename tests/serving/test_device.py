"""The folder for a device: answers without a network, hands over once, and keeps itself up to date."""

from __future__ import annotations

import base64
import json
import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from charter import Charter
from serving import releases, signing
from serving.device import browser
from serving.journal import Journal
from serving.packing import BadRow, pack_rows
from serving.predictor import Predictor
from serving.signature import Signature
from serving.signing import PRIVATE, PUBLIC
from serving.watch import Watch
from tasks.equip import KIT, equip
from tasks.packaging.hostile import VALUES
from tasks.service import Service, served
from tests.serving.damage import DAMAGE
from tests.serving.handmade import ROWS, SIGNATURE, bundle

sys.path.insert(0, str(KIT))
from device import Broken, Device
from ed25519 import verify
from runner import Runner

CHARTER = Charter.model_validate(
    {
        "name": "flights",
        "goal": {"target": {"column": "late"}},
        "data": {"source": {"kind": "csv", "path": "flights.csv"}},
        "experience": {"surfaces": ["service", "device"]},
    }
)
LATER = (2, 0.2)
"""Number and bias of the release that comes later."""


@dataclass(frozen=True)
class House:
    """A service with its journal, and what makes releases for it."""

    folder: Path
    service: Service
    journal: Journal

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.service.port}"

    def release(self, number: int, bias: float, **faults: float) -> None:
        made = bundle(self.folder.parent / f"b{number}", bias, device=True, **faults)  # type: ignore[arg-type]
        assert releases.add(self.folder, made) == number
        signing.sign(self.folder / str(number))
        releases.publish(self.folder, number, number - 1 or None)

    def kit(self, folder: Path, service: str = "") -> Device:
        equip(CHARTER, folder, service or self.address)
        return Device(folder)


@pytest.fixture(scope="session")
def key() -> signing.Pair:
    return signing.generate()


@pytest.fixture
def root(tmp_path: Path, key: signing.Pair, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PERENNIAL_HOME", str(tmp_path))
    monkeypatch.setenv(PRIVATE, key.private)
    monkeypatch.delenv(PUBLIC, raising=False)
    return tmp_path


@pytest.fixture
def house(root: Path) -> Iterator[House]:
    folder, url = root / "releases" / "flights", f"sqlite:///{root}/journal.db"
    made = bundle(root / "b1", device=True)
    signing.sign(folder / str(releases.add(folder, made)))
    releases.publish(folder, 1, None)
    with served(folder, "test", ("--journal", url)) as service:
        yield House(folder, service, Journal("flights", url))


@contextmanager
def offering(folder: Path, number: int) -> Iterator[str]:
    """A server that anybody may have put there: it offers a release as it lies there."""
    root = folder.parent / "offered"
    place = root / "device" / "release"
    place.mkdir(parents=True)
    manifest = releases.digest(folder)
    (place / "index.html").write_text(json.dumps({"release": number, "manifest": manifest}))
    (place / str(number)).symlink_to(folder)
    handler = partial(Quiet, directory=str(root))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        return


def _asked(journal: Journal) -> list[Any]:
    return [one for chunk in journal.window(0, 1e11) for one in chunk]


@pytest.mark.parametrize("task", ["binary", "regression"])
def test_the_runner_reads_and_answers_as_the_service_does(tmp_path: Path, task: str) -> None:
    classes = SIGNATURE.classes if task == "binary" else ()
    signature = Signature(**{**dict(SIGNATURE), "task": task, "classes": classes})
    folder = bundle(tmp_path / "bundle", signature=signature, device=True)
    runner, predictor = Runner(folder), Predictor(folder)
    values = [value for kind in VALUES.values() for value in kind.values()]
    values += [None, [], {}, "1_0", "nan", "inf", -1e40, 10**400, 1.0, 2.5, "2013-W05", "20130131T05", "05:00"]  # fmt: skip
    rows: list[dict[str, Any]] = [
        *ROWS,
        *[{**ROWS[1], one.name: value} for one in signature.inputs for value in values],
    ]
    taken = 0
    for row in [*rows, {}, {"distance": 1, "no such": 2}]:
        try:
            if row.keys() - {one.name for one in signature.inputs}:
                raise BadRow(0, "", "", "", "")
            wanted = predictor.predict(pack_rows(signature, [row]))
        except BadRow:
            with pytest.raises(ValueError, match=r"wanted|no such column"):
                runner.answer([row])
            continue
        (found,) = runner.answer([row])
        taken += 1
        if wanted.values is not None:
            assert found["prediction"] == pytest.approx(wanted.values[0], rel=1e-12)
            continue
        assert wanted.probabilities is not None
        assert list(found["probabilities"].values()) == pytest.approx(wanted.probabilities[0].tolist(), abs=1e-12)  # fmt: skip
        assert [found["prediction"]] == wanted.labels
    assert taken > 60


def test_a_signature_is_verified_as_rfc_8032_has_it() -> None:
    public = bytes.fromhex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c")
    signature = bytes.fromhex(
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
        "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
    )  # 7.1, test 2
    assert verify(public, b"\x72", signature)
    for at in range(64):
        changed = bytearray(signature)
        changed[at] ^= 0x40
        assert not verify(public, b"\x72", bytes(changed))
    assert not verify(public, b"\x73", signature)
    assert not verify(b"\xff" * 32, b"\x72", signature)
    assert not verify(public, b"\x72", signature[:63])
    for size in (0, 1, 300):
        private, content = Ed25519PrivateKey.generate(), bytes(size)
        other = private.public_key().public_bytes_raw()
        assert verify(other, content, private.sign(content))
        assert not verify(public, content, private.sign(content))


def test_what_gathered_offline_reaches_the_journal_once_and_in_order(
    house: House, tmp_path: Path
) -> None:
    device = house.kit(tmp_path / "kit")
    answers = [device.ask(row) for row in ROWS]
    device.tell(answers[0]["id"], "true")
    device.tell(answers[0]["id"], "false")  # it was a mistake
    device.tell(answers[1]["id"], "true")
    with (tmp_path / "kit" / "queue.jsonl").open("ab") as file:
        file.write(b'{"n": 8, "kind": "asked"')  # the power went
    device = Device(tmp_path / "kit")
    last = device.ask(ROWS[0])
    state = (tmp_path / "kit" / "state.json").read_bytes()
    queue = (tmp_path / "kit" / "queue.jsonl").read_bytes()
    assert device.deliver() == (8, [])
    assert device.deliver() == (0, [])
    (tmp_path / "kit" / "state.json").write_bytes(state)  # the service's answer got lost
    (tmp_path / "kit" / "queue.jsonl").write_bytes(queue)
    assert Device(tmp_path / "kit").deliver() == (8, [])
    seen = _asked(house.journal)
    assert [one.id for one in seen] == [one["id"] for one in (*answers, last)]
    assert [json.loads(one.row) for one in seen] == [*ROWS, ROWS[0]]
    assert [json.loads(one.answer) for one in seen] == [*answers, last]
    assert [one.truth for one in seen] == ["false", "true", None, None, None]
    counts = house.journal.counts()
    assert (counts.labelled, counts.duplicates, counts.contradictions) == (2, 0, 1)
    device.tell(last["id"], "true")
    assert device.deliver() == (1, [])


def test_what_the_service_does_not_take_is_kept_apart(house: House, tmp_path: Path) -> None:
    device = house.kit(tmp_path / "kit")
    answer = device.ask(ROWS[0])
    device.tell(answer["id"], "perhaps")
    assert device.deliver()[1] == [{"n": 2, "why": "one of false, true was wanted as truth"}]
    kept = (tmp_path / "kit" / "refused.jsonl").read_text()
    assert json.loads(kept)["truth"] == "perhaps"
    assert device.deliver() == (0, [])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"records": [{"n": 1}]}, "records.0"),
        ({"device": "me"}, "device"),
        ({"now": -1}, "now"),
        ({"records": 2 * [{"n": 1, "kind": "told", "id": f"{0:08}-0000-4000-8000-{0:012}", "truth": True, "at": 1}]}, "do not rise"),
    ],
)  # fmt: skip
def test_a_parcel_that_is_none_is_refused(flights: Any, change: dict[str, Any], said: str) -> None:
    parcel = {"device": f"{0:08}-0000-4000-8000-{0:012}", "now": 1.0, "records": [], **change}
    reply = flights.client.post("/device/records", json=parcel)
    assert reply.status_code == 422
    assert said in reply.json()["detail"][0]["found"]
    assert (
        flights.client.get("/device/release").status_code == 404
    )  # its release is not for devices


def test_a_service_that_trusts_no_key_offers_devices_nothing(
    root: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    folder = root / "releases" / "flights"
    signing.sign(folder / str(releases.add(folder, bundle(root / "b1", device=True))))
    releases.publish(folder, 1, None)
    watch = Watch(folder)
    watch.look()
    assert watch.current is not None
    assert browser.signed_for_devices(watch.current)
    assert not caplog.records
    monkeypatch.delenv(PRIVATE)
    watch = Watch(folder)
    watch.look()
    assert watch.current is not None
    assert not browser.signed_for_devices(watch.current)
    assert f"{PUBLIC} is not set: devices" in caplog.text


def _forged(**changed: Any) -> dict[str, Any]:
    name = changed.pop("id", f"{1:08}-0000-4000-8000-{1:012}")
    answer = {"id": name, "release": 1, "prediction": "true", "probabilities": {"true": 0.9, "false": 0.1}}  # fmt: skip
    return {"n": 1, "kind": "asked", "at": 1.0, "row": {"distance": 1}, "answer": answer | changed}


@pytest.mark.parametrize(
    ("record", "said"),
    [
        (_forged(release=9), "no release 9"),
        (_forged(prediction="perhaps"), "one of false, true"),
        (_forged(probabilities={"true": 2.0, "false": 0.1}), "the probability of each"),
        (_forged() | {"row": {"wind": 1}}, "distance"),
        (_forged() | {"row": {"distance": "far"}}, "Send a number"),
    ],
)
def test_what_no_device_of_ours_would_send_is_not_kept(
    flights: Any, record: dict[str, Any], said: str
) -> None:
    device = signing.generate().public.encode().hex()
    name = f"{device[:8]}-{device[8:12]}-4{device[13:16]}-8{device[17:20]}-{device[20:32]}"
    parcel = {"device": name, "now": 1.0, "records": [record]}
    taken = flights.client.post("/device/records", json=parcel).json()
    assert taken["taken"] == 1
    assert said in taken["refused"][0]["why"]


def test_a_clock_that_is_wrong_is_set_right(house: House, tmp_path: Path) -> None:
    device = house.kit(tmp_path / "kit")
    device.ask(ROWS[0])
    queued = json.loads((tmp_path / "kit" / "queue.jsonl").read_text())
    parcel = {
        "device": device.state["device"],
        "now": 5_000.0,
        "records": [queued | {"at": 4_000.0}],
    }
    httpx.post(f"{house.address}/device/records", json=parcel).raise_for_status()
    (seen,) = _asked(house.journal)
    assert seen.at == pytest.approx(queued["at"] - 1_000, abs=60)


def test_a_new_release_installs_itself_and_the_old_one_is_kept(
    house: House, tmp_path: Path
) -> None:
    device = house.kit(tmp_path / "kit")
    assert device.update() == 1
    house.release(*LATER)
    _until_live(house, 2)
    assert device.sync()["release"] == 2
    wanted = httpx.post(f"{house.address}/predict", json=ROWS[1]).json()
    assert device.ask(ROWS[1])["probabilities"] == pytest.approx(wanted["probabilities"])
    assert sorted(place.name for place in (tmp_path / "kit" / "releases").iterdir()) == ["1", "2"]
    model = tmp_path / "kit" / "releases" / "2" / "model.onnx"
    model.write_bytes(model.read_bytes()[:-9])
    again = Device(tmp_path / "kit")
    assert again.ask(ROWS[1])["release"] == 1
    assert again.sync()["release"] == 2  # fetched anew


def _until_live(house: House, number: int) -> None:
    while httpx.get(f"{house.address}/ready").json()["release"] != number:
        pass


def test_a_release_that_fails_its_own_test_is_not_taken(house: House, tmp_path: Path) -> None:
    device = house.kit(tmp_path / "kit")
    house.release(*LATER, proof_off=1e-4)
    _until_live(house, 2)
    assert device.sync()["release"] == 1
    (why,) = device.state["refused"].values()
    assert "when it was made" in why
    assert Device(tmp_path / "kit").sync()["release"] == 1
    assert device.ask(ROWS[0])["release"] == 1
    house.release(3, 0.3)
    _until_live(house, 3)
    assert Device(tmp_path / "kit").sync()["release"] == 3


@pytest.mark.parametrize("name", DAMAGE)
def test_each_damage_is_refused_and_the_old_release_answers_on(
    name: str, root: Path, tmp_path: Path
) -> None:
    folder = root / "releases" / "flights"
    for number in (1, 2):
        releases.add(folder, bundle(root / f"b{number}", number / 10, device=True))
        signing.sign(folder / str(number))
    releases.publish(folder, 1, None)
    DAMAGE[name][0](folder / "2")
    with offering(folder / "2", 2) as address:
        equip(CHARTER, tmp_path / "kit", address)
        device = Device(tmp_path / "kit")
        missing = name in ("unsigned", "no model")  # the server has no such file
        if missing:
            with pytest.raises(OSError, match="404"):
                device.update()
        else:
            assert device.update() == 1
            assert len(device.state["refused"]) == 1
    assert Device(tmp_path / "kit").ask(ROWS[0])["release"] == 1
    DAMAGE[name][0](tmp_path / "kit" / "releases" / "1")
    with pytest.raises(Broken):
        Device(tmp_path / "kit")  # there is none to go back to


def test_without_a_network_everything_is_kept(root: Path, tmp_path: Path) -> None:
    folder = root / "releases" / "flights"
    signing.sign(folder / str(releases.add(folder, bundle(root / "b1", device=True))))
    releases.publish(folder, 1, None)
    equip(CHARTER, tmp_path / "kit", "http://127.0.0.1:9")
    said = [_run(tmp_path / "kit", *words) for words in (("ask", json.dumps(ROWS[0])), ("sync",))]
    assert [one.returncode for one in said] == [0, 1]
    assert "what is queued is kept" in said[1].stderr
    name = json.loads(said[0].stdout)["id"]
    assert _run(tmp_path / "kit", "tell", name, "true").returncode == 0
    assert _run(tmp_path / "kit", "ask", '{"distance": "far"}').returncode == 2
    assert len((tmp_path / "kit" / "queue.jsonl").read_bytes().splitlines()) == 2


MEGABYTES = 512


def _run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """As on a small device: one core, 512 MB, nothing but the folder and two packages."""

    def limits() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (MEGABYTES * 2**20, MEGABYTES * 2**20))

    command = [sys.executable, str(folder / "device.py"), *words]
    return subprocess.run(
        command, preexec_fn=limits, capture_output=True, text=True, check=False, env={"PATH": ""}
    )


def test_the_folder_needs_nothing_else(root: Path, tmp_path: Path) -> None:
    folder = root / "releases" / "flights"
    signing.sign(folder / str(releases.add(folder, bundle(root / "b1", device=True))))
    releases.publish(folder, 1, None)
    equip(CHARTER, tmp_path / "kit", "http://127.0.0.1:9")
    code = (
        "import sys, device, pathlib; device.Device(pathlib.Path('.'));"
        "print(*sorted({name.partition('.')[0] for name in sys.modules} & {'serving', 'charter',"
        " 'pydantic', 'cryptography', 'sklearn', 'httpx', 'orjson'}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path / "kit",
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == ""
    assert (tmp_path / "kit" / "requirements.txt").read_text() == "onnxruntime\nnumpy\n"
    signed = base64.b64decode((tmp_path / "kit" / "releases" / "1" / "manifest.sig").read_bytes())
    assert len(signed) == 64
