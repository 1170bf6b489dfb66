"""Signed releases: what is not whole, or not signed with a trusted key, is not taken."""

from __future__ import annotations

from pathlib import Path

import pytest

from charter import Refusal
from flows.keys import make
from serving import releases, signing
from serving.signing import PRIVATE, PUBLIC, generate
from serving.watch import Watch
from tests.serving.damage import DAMAGE
from tests.serving.handmade import bundle


@pytest.fixture
def pair(monkeypatch: pytest.MonkeyPatch) -> signing.Pair:
    pair = generate()
    monkeypatch.setenv(PRIVATE, pair.private)
    monkeypatch.delenv(PUBLIC, raising=False)
    return pair


def _two(base: Path) -> Path:
    """Two signed releases, the first of them live."""
    folder = base / "flights"
    for number in (1, 2):
        releases.add(folder, bundle(base / str(number), bias=number / 10))
        assert signing.sign(folder / str(number))
    releases.publish(folder, 1, None)
    return folder


@pytest.mark.parametrize("name", DAMAGE)
def test_the_service_refuses_each_damage_and_goes_on_with_the_old_release(
    name: str, tmp_path: Path, pair: signing.Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = _two(tmp_path)
    monkeypatch.delenv(PRIVATE)
    monkeypatch.setenv(PUBLIC, pair.public)
    watch = Watch(folder)
    watch.look()
    assert watch.current is not None
    damage, said = DAMAGE[name]
    damage(folder / "2")
    releases.publish(folder, 2, 1)
    watch.look()
    assert watch.current.live.release == 1
    assert watch.refused is not None
    assert said in watch.refused.why


def test_what_is_whole_and_signed_is_taken(tmp_path: Path, pair: signing.Pair) -> None:
    watch = Watch(_two(tmp_path))
    releases.publish(watch.folder, 2, 1)
    watch.look()
    assert watch.current is not None
    assert watch.current.live.release == 2


def test_several_keys_are_trusted_while_one_is_replaced(
    tmp_path: Path, pair: signing.Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, new = _two(tmp_path), generate()
    monkeypatch.setenv(PUBLIC, new.public)
    with pytest.raises(Refusal, match="put the release back from a copy"):
        signing.verify(folder / "1")
    monkeypatch.setenv(PUBLIC, f"{new.public}, {pair.public}")
    signing.verify(folder / "1")


def test_without_a_key_nothing_is_signed_and_nothing_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(PRIVATE, raising=False)
    monkeypatch.delenv(PUBLIC, raising=False)
    folder = bundle(tmp_path / "bundle")
    assert not signing.sign(folder)
    signing.verify(folder)
    with pytest.raises(Refusal, match="perennial keys"):
        signing.need("for a test")


@pytest.mark.parametrize("name", [PRIVATE, PUBLIC])
def test_what_is_no_key_is_refused_and_not_shown(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(PUBLIC, raising=False)
    monkeypatch.setenv(name, "c2hvcnQ=")
    with pytest.raises(Refusal, match="32 bytes in base64") as refusal:
        signing.trusted()
    assert "c2hvcnQ" not in str(refusal.value)


def test_keys_are_written_for_their_owner_alone_and_never_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "perennial.key"
    said = make(file)
    assert file.stat().st_mode & 0o777 == 0o600
    monkeypatch.delenv(PUBLIC, raising=False)
    monkeypatch.setenv(PRIVATE, file.read_text())
    assert signing.trusted() == (said["public"],)
    assert file.read_text().strip() not in capsys.readouterr().err
    with pytest.raises(Refusal, match="Name another one"):
        make(file)
