"""Fetches ONNX Runtime for browsers from the npm registry, once for a root."""

from __future__ import annotations

import base64
import hashlib
import os
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path

from charter import Refusal
from serving.bundle import sha256
from serving.device.runtime import PIN, whole
from serving.home import home

SECONDS = 300.0  # that npm may take
QUIET = ("--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error")


def runtime() -> Path:
    """The folder with the pinned files, under the root; fetched where it is not there yet.

    Without npm or a network, the package may be laid there by hand, as `runtime/<package>.tgz`.
    """
    folder = home() / "runtime" / PIN.name
    if whole(folder):
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    laid = folder.with_name(f"{PIN.name}.tgz")
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".fetch-") as temporary:
        package = laid if laid.exists() else _fetched(Path(temporary), laid)
        _unpack(package, Path(temporary) / "new")
        _move(Path(temporary) / "new", folder)
    return folder


def lay(releases: Path) -> None:
    """Put the runtime beside a project's releases, where its service finds it; safe to repeat."""
    place = releases / PIN.name
    if whole(place):
        return
    new = releases / f".{PIN.name}.{os.getpid()}"
    shutil.rmtree(new, ignore_errors=True)
    shutil.copytree(runtime(), new)
    _move(new, place)


def _move(new: Path, place: Path) -> None:
    """Whoever comes first, the same files lie there afterwards."""
    shutil.rmtree(place, ignore_errors=True)
    try:
        new.rename(place)
    except OSError:
        if not whole(place):
            raise
        shutil.rmtree(new)


def _fetched(folder: Path, laid: Path) -> Path:
    npm = shutil.which("npm")
    if npm is None:
        raise _refusal("found no npm", laid)
    command = [
        npm,
        "pack",
        f"{PIN.package}@{PIN.version}",
        "--pack-destination",
        str(folder),
        *QUIET,
    ]
    try:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, check=False, timeout=SECONDS
        )
    except subprocess.TimeoutExpired:
        raise _refusal(f"found npm without an answer for {SECONDS:g} s", laid) from None
    package = folder / f"{PIN.name}.tgz"
    if done.returncode or not package.exists():
        said = done.stderr.strip().splitlines()
        raise _refusal(f"found npm failing: {said[0] if said else done.returncode}", laid)
    return package


def _unpack(package: Path, new: Path) -> None:
    found = "sha512-" + base64.b64encode(hashlib.sha512(package.read_bytes()).digest()).decode()
    if found != PIN.integrity:
        raise Refusal(
            str(package), f"found {found[:24]}…", f"wanted {PIN.integrity[:24]}…",
            f"This is not {PIN.name} as it was pinned; remove it, and look where it came from.",
        )  # fmt: skip
    new.mkdir()
    with tarfile.open(package) as archive:
        for name, wanted in PIN.files.items():
            member = archive.extractfile(f"package/dist/{name}")
            content = member.read() if member else b""
            assert sha256(content) == wanted, name  # the pins agree with each other
            (new / name).write_bytes(content)


def _refusal(found: str, laid: Path) -> Refusal:
    return Refusal(
        f"{PIN.name}, for devices", found, "wanted the package, since experience.surfaces names device",
        f"Install npm and let it reach a registry, or lay the package there: {laid}.",
    )  # fmt: skip
