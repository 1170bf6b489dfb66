"""Deploy: a blessed bundle goes live once, wherever the run before was killed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from charter import Charter, Refusal, Verdict
from charter.deployment import Deployment
from serving import canary, releases, signing
from serving.home import home, place, whereabouts
from serving.releases import Conflict
from serving.signature import Decision
from tasks import history, registry
from tasks.deploy import deploy
from tasks.evaluate import Measure, Scorecard
from tasks.package import Bundle
from tasks.rehearse import Blessing
from tasks.tune import Rung
from tests.serving.handmade import bundle

CHARTER = Charter.model_validate(
    {
        "name": "flights",
        "goal": {"target": {"column": "late"}},
        "data": {"source": {"kind": "csv", "path": "flights.csv"}},
    }
)
SCORECARD = Scorecard(
    project="flights", fingerprint="c" * 64, metric="roc_auc", family="linear",
    measures=(Measure(name="roc_auc", value=0.7, low=0.6, high=0.8),),
    ladder=(Rung(family="linear", params={"c": 1.0}, taken=True),), verdicts=(), looks=(),
    decision=Decision(threshold=0.4), page="", numbers="",
)  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def _home(tmp_path_factory: pytest.TempPathFactory) -> object:
    """One root for all tests, since MLflow takes seconds to make its tables."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PERENNIAL_HOME", str(tmp_path_factory.mktemp("root")))
        yield


def _packaged(name: str, bias: float) -> tuple[Bundle, Blessing]:
    folder = bundle(home() / "bundles" / name, bias=bias)
    fingerprint = json.loads((folder / "manifest.json").read_text())["fingerprint"]
    where = whereabouts(folder)
    made = Bundle(
        project="flights", fingerprint=fingerprint, where=where, model_mb=0.1, parity=0.0,
        parity_rows=1, verdicts=(Verdict(gate="parity", passed=True, message="equal"),),
    )  # fmt: skip
    blessing = Blessing(
        project="flights", bundle=where, fingerprint=fingerprint, requests=100, p50_ms=1.0,
        p99_ms=2.0, golden_rows=4, golden_difference=0.0,
        verdicts=(Verdict(gate="constraints.latency_p99_ms", passed=True, message="fast"),),
    )  # fmt: skip
    return made, blessing


def _live() -> int:
    live = releases.live(home() / "releases" / "flights")
    assert live is not None
    return live.release


def test_the_first_release_goes_live_and_again_changes_nothing() -> None:
    made, blessing = _packaged("first", 1.0)
    release = deploy(CHARTER, made, blessing, SCORECARD)
    assert (release.number, release.previous, release.where) == (1, None, "releases/flights/1")
    assert (place(release.where) / "model.onnx").is_file()
    before = (home() / "releases" / "flights" / "live.json").read_bytes()
    assert deploy(CHARTER, made, blessing, SCORECARD) == release
    assert (home() / "releases" / "flights" / "live.json").read_bytes() == before
    assert registry.champion("flights") == (release.registry_version, made.fingerprint)


@pytest.mark.parametrize(
    ("module", "name"),
    [(releases, "_copy"), (registry, "enter"), (releases, "publish"), (registry, "reconcile")],
)
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_killed_deploy_is_taken_up(
    monkeypatch: pytest.MonkeyPatch, module: object, name: str, when: str
) -> None:
    made, blessing = _packaged(f"{name}-{when}", _live() + 1.0)
    live = _live()
    real: Callable[..., object] = getattr(module, name)

    def killed(*arguments: object) -> object:
        if when == "after":
            real(*arguments)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(module, name, killed)
        with pytest.raises(KeyboardInterrupt):
            deploy(CHARTER, made, blessing, SCORECARD)
    release = deploy(CHARTER, made, blessing, SCORECARD)
    assert (release.number, release.previous) == (live + 1, live)
    assert _live() == live + 1
    assert releases.numbers(home() / "releases" / "flights") == tuple(range(1, live + 2))
    assert registry.champion("flights") == (release.registry_version, made.fingerprint)
    assert deploy(CHARTER, made, blessing, SCORECARD) == release


def test_an_older_bundle_goes_live_again_under_its_number() -> None:
    live = _live()
    folder = home() / "bundles" / "first"
    fingerprint = json.loads((folder / "manifest.json").read_text())["fingerprint"]
    made = Bundle(
        project="flights", fingerprint=fingerprint, where=whereabouts(folder), model_mb=0.1,
        parity=0.0, parity_rows=1, verdicts=(),
    )  # fmt: skip
    blessing = Blessing(
        project="flights", bundle=made.where, fingerprint=fingerprint, requests=1, p50_ms=1,
        p99_ms=1, golden_rows=1, golden_difference=0, verdicts=(),
    )  # fmt: skip
    release = deploy(CHARTER, made, blessing, SCORECARD)
    assert (release.number, release.previous) == (1, live)
    assert registry.champion("flights") == (release.registry_version, fingerprint)


def test_a_deploy_that_somebody_overtakes_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    made, blessing = _packaged("overtaken", 20_001.0)
    other, _ = _packaged("overtaker", 20_002.0)
    folder = home() / "releases" / "flights"
    live = _live()
    real = registry.enter

    def overtaken(*arguments: object) -> object:
        releases.publish(folder, releases.add(folder, place(other.where)), live)
        return real(*arguments)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(registry, "enter", overtaken)
        with pytest.raises(Conflict, match="Run the deploy again"):
            deploy(CHARTER, made, blessing, SCORECARD)
    overtaker = _live()
    assert (
        place(other.where).joinpath("manifest.json").read_bytes()
        == (folder / str(overtaker) / "manifest.json").read_bytes()
    )
    assert deploy(CHARTER, made, blessing, SCORECARD).previous == overtaker


TRIED = CHARTER.model_copy(update={"deployment": Deployment(canary=0.1)})


def _tried() -> int | None:
    live = releases.live(home() / "releases" / "flights")
    return live.canary.release if live and live.canary else None


def test_with_a_canary_the_next_release_is_tried_first(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = _packaged("tried", 40_001.0), _packaged("tried instead", 40_002.0)
    champion = _live()
    release = deploy(TRIED, *first, SCORECARD)
    assert (release.share, release.previous, _live()) == (0.1, champion, champion)
    assert _tried() == release.number
    assert deploy(TRIED, *first, SCORECARD) == release, "again changes nothing"
    with registry._client() as client:
        alias = client.get_model_version_by_alias("flights", registry.CANARY)
    assert alias.tags[registry.BUNDLE] == first[0].fingerprint
    other = deploy(TRIED, *second, SCORECARD)
    assert _tried() == other.number
    assert [(one.event, one.canary) for one in history.entries("flights")[-3:]] == [
        ("canary", release.number), ("withdrawn", release.number), ("canary", other.number)
    ]  # fmt: skip
    monkeypatch.setattr("tasks.deploy.marked", lambda project: {champion})
    last = deploy(TRIED, *_packaged("at once", 40_003.0), SCORECARD)
    assert (last.share, last.number, _tried()) == (None, _live(), None)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("name", ["start", "tried", "mirror"])
def test_a_killed_start_of_a_canary_is_finished(
    monkeypatch: pytest.MonkeyPatch, name: str, when: str
) -> None:
    made = _packaged(f"killed {name} {when}", 41_000.0 + sum(f"{name} {when}".encode()))
    module = {"start": canary, "tried": registry, "mirror": history}[name]
    real = getattr(module, name)

    def killed(*arguments: object) -> object:
        if when == "after":
            real(*arguments)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(module, name, killed)
        with pytest.raises(KeyboardInterrupt):
            deploy(TRIED, *made, SCORECARD)
    release = deploy(TRIED, *made, SCORECARD)
    assert (release.share, _tried()) == (0.1, release.number)
    told = [one for one in history.entries("flights") if one.canary == release.number]
    assert [one.event for one in told] == ["canary"]


@pytest.mark.parametrize("fault", ["other bundle", "too slow", "no parity", "changed file"])
def test_what_is_not_blessed_is_refused(fault: str) -> None:
    made, blessing = _packaged(fault, 30_000.0 + len(fault))
    failed = (Verdict(gate="planted", passed=False, message="not fit"),)
    remedy = "Rehearse this bundle first"
    if fault == "other bundle":
        blessing = blessing.model_copy(update={"fingerprint": "f" * 64})
    elif fault == "too slow":
        blessing = blessing.model_copy(update={"verdicts": failed})
    elif fault == "no parity":
        made = made.model_copy(update={"verdicts": failed})
    else:
        Path(place(made.where) / "model.onnx").write_bytes(b"changed")
        remedy = "package the model anew"
    live, numbers = _live(), releases.numbers(home() / "releases" / "flights")
    with pytest.raises(Refusal, match=remedy):
        deploy(CHARTER, made, blessing, SCORECARD)
    assert (_live(), releases.numbers(home() / "releases" / "flights")) == (live, numbers)


def test_a_release_is_signed_before_it_goes_live(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(signing.PRIVATE, signing.generate().private)
    made, blessing = _packaged("signed", 9.0)
    release = deploy(CHARTER, made, blessing, SCORECARD)
    signing.verify(place(release.where))
    monkeypatch.setenv(signing.PRIVATE, signing.generate().private)
    with pytest.raises(Refusal, match="another key"):
        signing.verify(place(release.where))
    assert deploy(CHARTER, made, blessing, SCORECARD) == release  # signs it again
    signing.verify(place(release.where))
