"""A model on this device: answers without a network, and catches up when there is one.

    python device.py ask '{"distance": 100}'     the answer, and the id under which to tell the truth
    python device.py tell ID TRUTH               what really happened
    python device.py sync                        hands over what is queued, takes a new release

The folder holds `kit.json` (where the service is, which keys are trusted), `releases/`, and
`queue.jsonl`, which only grows until all of it was handed over. Needs onnxruntime and numpy alone.
"""

import base64
import fcntl
import hashlib
import json
import os
import shutil
import sys
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ed25519 import verify
from runner import Runner

FILES = ("manifest.json", "manifest.sig", "device.json", "model.onnx")
QUEUE, REFUSED = "queue.jsonl", "refused.jsonl"
GROUP = 200  # records that are handed over at once
SECONDS = 30.0  # that the service may take


class Broken(Exception):
    """A release that is not whole, not signed, or does not answer as it did when it was made."""


class Device:
    """One folder; any number of processes may use it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.kit = json.loads((folder / "kit.json").read_text("utf-8"))
        with self._lock():
            self.state = self._state()
            self.runner = self._start()

    def ask(self, row: dict[str, Any]) -> dict[str, Any]:
        """The answer to a row, durable in the queue before it is given."""
        answer = {"id": str(uuid.uuid4()), **self.runner.answer([row])[0]}
        answer["release"] = self.state["release"]
        self._queue({"kind": "asked", "row": row, "answer": answer})
        return answer

    def tell(self, name: str, truth: Any) -> None:
        """What really happened to what was asked under this id."""
        self._queue({"kind": "told", "id": name, "truth": truth})

    def sync(self) -> dict[str, Any]:
        """Hand over what is queued, then take a new release; OSError where there is no network."""
        handed, refused = self.deliver()
        return {"handed": handed, "refused": refused, "release": self.update()}

    def deliver(self) -> tuple[int, list[dict[str, Any]]]:
        """Hand over what is queued, once and in order: how many, and what the service refused.

        The service knows the last number that it took from this device, so an answer that got lost
        on its way back counts nothing twice.
        """
        refused: list[dict[str, Any]] = []
        with self._lock():
            waiting = [one for one in self._lines() if one["n"] > self._state()["delivered"]]
            for first in range(0, len(waiting), GROUP):
                some = waiting[first : first + GROUP]
                said = self._post(
                    {"device": self.state["device"], "now": time.time(), "records": some}
                )
                refused += said["refused"]
                self._note(said["refused"], some)
                self._keep(delivered=said["taken"])
            if waiting:
                self._write(self.folder / QUEUE, b"")
        return len(waiting), refused

    def update(self) -> int:
        """Take the release that the service offers, if it is whole, signed and passes its test.

        One that does not is not tried again; what answered before answers on. The release in use.
        """
        offered = json.loads(self._get("/device/release"))
        with self._lock():
            state = self._state()
            if offered["manifest"] in (state["manifest"], *state["refused"]):
                return int(state["release"])
            number, new = offered["release"], self.folder / "releases" / ".new"
            shutil.rmtree(new, ignore_errors=True)
            new.mkdir(parents=True)
            for name in FILES:
                self._write(new / name, self._get(f"/device/release/{number}/{name}"))
            try:
                runner = self._proven(new)
            except Broken as why:
                shutil.rmtree(new)
                self._keep(refused={**state["refused"], offered["manifest"]: str(why)})
                return int(state["release"])
            place = self.folder / "releases" / str(number)
            shutil.rmtree(place, ignore_errors=True)
            new.rename(place)
            self._keep(release=number, manifest=offered["manifest"], previous=state["release"])
            self.runner = runner
            self._clear()
        return int(number)

    def _start(self) -> Runner:
        """The release in use, or the one before it where that was damaged; `sync` fetches it anew."""
        try:
            return self._proven(self.folder / "releases" / str(self.state["release"]))
        except Broken as why:
            before = self.state["previous"]
            if before is None:
                raise
            place = self.folder / "releases" / str(before)
            runner = self._proven(place)
            manifest = hashlib.sha256((place / "manifest.json").read_bytes()).hexdigest()
            self._keep(release=before, manifest=manifest, previous=None)
            print(f"release {self.state['release']} again: {why}", file=sys.stderr)
            return runner

    def _proven(self, folder: Path) -> Runner:
        """The release, verified and with its own test passed."""
        try:
            manifest = (folder / "manifest.json").read_bytes()
            signature = base64.b64decode((folder / "manifest.sig").read_bytes().strip())
            if not any(
                verify(base64.b64decode(key), manifest, signature) for key in self.kit["keys"]
            ):
                raise Broken("its signature is not one of a trusted key")
            wanted = json.loads(manifest)["files"]
            for name in FILES[2:]:
                if hashlib.sha256((folder / name).read_bytes()).hexdigest() != wanted.get(name):
                    raise Broken(f"{name} is not as it was signed")
            runner = Runner(folder)
            self._test(runner)
        except Broken:
            raise
        except Exception as error:  # whatever is wrong with it, it is not used
            raise Broken(f"{type(error).__name__}: {error}") from error
        return runner

    def _test(self, runner: Runner) -> None:
        """Its answers to the rows that it brings along, against those of when it was made."""
        proof, classes = runner.paper["proof"], runner.paper["classes"]
        found = runner.answer(proof["rows"])
        if classes:
            wide = [share for one in found for share in one["probabilities"].values()]
            wanted = [share for shares in proof["probabilities"] for share in shares]
            sizes = [1.0] * len(wide)
        else:
            wide, wanted = [one["prediction"] for one in found], proof["values"]
            usual = sorted(map(abs, wanted))[len(wanted) // 2] or 1.0
            sizes = [max(abs(one), usual) for one in wanted]
        for one, other, size in zip(wide, wanted, sizes, strict=True):
            if not abs(one - other) <= runner.paper["tolerance"] * size:
                raise Broken(f"it answers {one:.6g} where it answered {other:.6g} when it was made")

    def _note(self, refused: list[dict[str, Any]], sent: list[dict[str, Any]]) -> None:
        """Keep what the service did not take, with its reason, where a person finds it."""
        records = {one["n"]: one for one in sent}
        with (self.folder / REFUSED).open("a", encoding="utf-8") as file:
            file.writelines(json.dumps({**records[one["n"]], **one}) + "\n" for one in refused)

    def _clear(self) -> None:
        kept = {str(self._state()[name]) for name in ("release", "previous")}
        for place in (self.folder / "releases").iterdir():
            if place.name not in kept:
                shutil.rmtree(place)

    def _state(self) -> dict[str, Any]:
        place = self.folder / "state.json"
        if not place.exists():
            first: dict[str, Any] = {
                "device": str(uuid.uuid4()),
                "previous": None,
                "delivered": 0,
                "refused": {},
            }
            first |= {name: self.kit[name] for name in ("release", "manifest")}
            self._write(place, json.dumps(first).encode())
        found: dict[str, Any] = json.loads(place.read_bytes())
        return found

    def _keep(self, **changed: Any) -> None:
        self.state = {**self._state(), **changed}
        self._write(self.folder / "state.json", json.dumps(self.state).encode())

    def _lines(self) -> list[dict[str, Any]]:
        """What the queue holds; half a line, which a loss of power leaves, was never acknowledged."""
        place = self.folder / QUEUE
        whole = place.read_bytes().split(b"\n")[:-1] if place.exists() else []
        return [json.loads(line) for line in whole]

    def _queue(self, record: dict[str, Any]) -> None:
        with self._lock(), (self.folder / QUEUE).open("a+b") as file:
            file.seek(0)
            *whole, half = file.read().split(b"\n")
            file.truncate(file.tell() - len(half))
            last = json.loads(whole[-1])["n"] if whole else self._state()["delivered"]
            line = json.dumps({"n": last + 1, "at": time.time(), **record})
            file.write(line.encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())

    def _write(self, place: Path, content: bytes) -> None:
        new = place.with_name(f".{place.name}.new")
        with new.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        new.replace(place)

    @contextmanager
    def _lock(self) -> Iterator[None]:
        with (self.folder / ".lock").open("a") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def _get(self, path: str) -> bytes:
        with urllib.request.urlopen(self.kit["service"] + path, timeout=SECONDS) as reply:
            content: bytes = reply.read()
            return content

    def _post(self, body: dict[str, Any]) -> Any:
        request = urllib.request.Request(
            self.kit["service"] + "/device/records", json.dumps(body).encode(),
            {"content-type": "application/json"},
        )  # fmt: skip
        with urllib.request.urlopen(request, timeout=SECONDS) as reply:
            return json.loads(reply.read())


def main(arguments: list[str]) -> int:
    """0 when done, 1 where there is no network, 2 where something is wrong with what was asked."""
    device = Device(Path(__file__).parent)
    try:
        match arguments:
            case ["ask", row]:
                print(json.dumps(device.ask(json.loads(row))))
            case ["tell", name, truth]:
                device.tell(name, truth)
            case ["sync"]:
                print(json.dumps(device.sync()))
            case _:
                print(__doc__, file=sys.stderr)
                return 2
    except ValueError as wrong:
        print(wrong, file=sys.stderr)
        return 2
    except OSError as error:
        print(f"no network, or no service ({error}); what is queued is kept", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
