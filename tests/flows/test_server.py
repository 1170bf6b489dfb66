"""Commands at work on one root share a server, and nobody's end takes it from the others."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from flows import server

USER = """
import sys
from flows.server import api
with api() as url:
    print(url, flush=True)
    sys.stdin.readline()
"""


@pytest.fixture(autouse=True)
def no_server_given(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PREFECT_API_URL", raising=False)


def _user() -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", USER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def _url(user: subprocess.Popen[str]) -> str:
    assert user.stdout is not None
    return user.stdout.readline().strip()


@pytest.mark.slow
def test_two_at_once_share_one_server_that_ends_with_the_last(root: Path) -> None:
    with _user() as first, _user() as second:
        urls = {_url(first), _url(second)}
        assert urls == {server.running()}
        process = psutil.Process(json.loads(server._note().read_text())["pid"])
        first.communicate("over\n", timeout=60)
        assert server.running() in urls
        second.kill()
        psutil.wait_procs([process], timeout=60)
        assert not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
        assert server.running() is None
    with server.api() as url:
        assert url not in urls
        assert server.running() == url
    assert server.running() is None


@pytest.mark.slow
def test_the_server_of_another_root_that_has_our_old_port_is_not_ours(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with server.api() as url:
        note = json.loads(server._note().read_text())
        monkeypatch.setenv("PERENNIAL_HOME", str(tmp_path / "other"))
        server._note().parent.mkdir(parents=True)
        with subprocess.Popen([sys.executable, "-c", ""]) as gone:
            gone.wait()
        server._note().write_text(json.dumps({**note, "pid": gone.pid}))
        assert server._answers(url)
        assert server.running() is None
        monkeypatch.setenv("PERENNIAL_HOME", str(root))
        assert server.running() == url
