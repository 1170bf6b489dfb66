"""One folder for a device: the live release, what answers with it, and what keeps it up to date."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from charter import Charter, Frozen, Refusal
from serving import releases, signing
from serving.device.paper import FILES, PAPER
from serving.home import home

KIT = Path(signing.__file__).parent / "device" / "kit"
NEEDS = "onnxruntime\nnumpy\n"


class Kit(Frozen):
    """What was written."""

    project: str
    folder: str
    release: int
    service: str
    keys: tuple[str, ...]
    """Public keys, in base64, that the device trusts from now on."""
    megabytes: float


def equip(charter: Charter, output: Path, service: str) -> Kit:
    """Write the folder; `service` is where the device finds new releases and hands over its records.

    The folder may be copied to any number of devices: each takes a name of its own when it first
    runs. A folder that is there is not touched, since it may hold what was not handed over yet.
    """
    live = releases.live(home() / "releases" / charter.name)
    if live is None:
        raise _refusal(charter, "found no live release")
    source = home() / "releases" / charter.name / str(live.release)
    signing.need_trusted("which the device would trust")
    signing.verify(source)
    if not (source / PAPER).exists():
        raise _refusal(charter, f"found that release {live.release} is not for devices")
    if output.exists():
        raise Refusal(
            str(output), "found a folder of this name", "wanted none", "Name another with --output."
        )
    write(output, source, live, service.rstrip("/"))
    size = sum(path.stat().st_size for path in output.rglob("*") if path.is_file())
    return Kit(
        project=charter.name, folder=str(output), release=live.release, service=service,
        keys=signing.trusted(), megabytes=round(size / 1e6, 3),
    )  # fmt: skip


def write(output: Path, source: Path, live: releases.Live, service: str) -> None:
    """Put the folder together from a release in `source`; whole or not at all."""
    draft = output.with_name(f".{output.name}.new")
    shutil.rmtree(draft, ignore_errors=True)
    place = draft / "releases" / str(live.release)
    place.mkdir(parents=True)
    for name in FILES:
        shutil.copyfile(source / name, place / name)
    for path in KIT.glob("*.py"):
        if path.name != "__init__.py":
            shutil.copyfile(path, draft / path.name)
    (draft / "requirements.txt").write_text(NEEDS)
    kit = {
        "service": service, "keys": signing.trusted(),
        "release": live.release, "manifest": live.manifest,
    }  # fmt: skip
    (draft / "kit.json").write_text(json.dumps(kit, indent=1) + "\n")
    draft.rename(output)


def _refusal(charter: Charter, found: str) -> Refusal:
    return Refusal(
        f"releases/{charter.name}", found, "wanted a signed release for devices",
        "Name device in experience.surfaces, make keys with `perennial keys`, and train again.",
    )  # fmt: skip
