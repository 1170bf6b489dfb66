"""A PostgreSQL server of its own for the tests: Debian's, in a temporary folder, gone afterwards."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

from tests.debian import missing

CALM = ("fsync=off", "full_page_writes=off", "max_connections=100", "shared_buffers=64MB")


def binaries() -> Path | None:
    """Where Debian puts `initdb` and `postgres`."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    return found[-1].parent if found else None


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """The address of an empty database, on a server that lasts as long as the tests."""
    there = binaries()
    if there is None:
        missing("PostgreSQL is not installed: apt-get install postgresql")
    with tempfile.TemporaryDirectory(prefix="perennial-postgres-") as temporary:
        yield from _server(there, Path(temporary))


def database(url: str) -> str:
    """The address of a new, empty database on the server of `url`."""
    name = f"test_{uuid4().hex}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
    return f"{url.rsplit('/', 1)[0]}/{name}"


def _server(binaries: Path, room: Path) -> Iterator[str]:
    folder, log = room / "data", room / "log"
    log.touch()
    for path in (room, log):
        _hand_over(path)
    calm = [part for one in CALM for part in ("-c", one)]
    port = _free_port()
    _run(binaries / "initdb", "-D", folder, "-U", "perennial", "--auth=trust", "--no-sync")
    options = ["-h", "127.0.0.1", "-p", str(port), "-k", str(room), *calm]
    control = (binaries / "pg_ctl", "-D", folder, "-w")
    _run(*control, "-l", log, "-o", " ".join(options), "start")
    try:
        yield f"postgresql://perennial@127.0.0.1:{port}/postgres"
    finally:
        _run(*control, "-m", "immediate", "stop")


def _run(*command: object) -> None:
    """As `postgres` where we are root, since the server refuses to run as root."""
    prefix = ["runuser", "-u", _owner(), "--"] if os.geteuid() == 0 else []
    ended = subprocess.run(
        [*prefix, *map(str, command)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL, text=True, check=False, timeout=120, cwd="/",
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr


def _owner() -> str:
    try:
        return pwd.getpwnam("postgres").pw_name
    except KeyError:
        return "nobody"


def _hand_over(path: Path) -> None:
    if os.geteuid() == 0:
        shutil.chown(path, _owner())


def _free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
