"""`prefect.yaml` says what the charters say, and works on a real server with a real worker."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from flows import deployments
from flows.server import api

HOUSE = Path(__file__).parents[2]


def test_the_committed_file_is_current(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(HOUSE)
    made = deployments.text(Path("configs").glob("*.yaml"))
    assert Path("prefect.yaml").read_text() == made, "run `make deployments`"


def test_each_schedule_of_the_charter_is_that_of_its_flow(project: Path) -> None:
    charter = project / "configs" / "berries.yaml"
    clocks = 'schedule: "0 4 1 * *", monitor: "*/10 * * * *", timezone: Europe/Berlin'
    told = f'runtime: {{{clocks}}}\nstorage: {{schedule: "0 3 * * 0"}}\n'
    charter.write_text(charter.read_text() + told)
    found = {
        made["entrypoint"]: made
        for made in yaml.safe_load(deployments.text([charter]))["deployments"]
    }
    assert set(found) == {f"flows.{flow}.{flow}" for flow in deployments.FLOWS if flow != "canary"}
    schedules = {flow: made["schedules"] for flow, made in found.items() if made["schedules"]}
    assert {flow: clock[0]["cron"] for flow, clock in schedules.items()} == {
        "flows.retrain.retrain": "0 4 1 * *",
        "flows.monitor.monitor": "*/10 * * * *",
        "flows.tidy.tidy": "0 3 * * 0",
    }
    assert {clock[0]["timezone"] for clock in schedules.values()} == {"Europe/Berlin"}
    assert schedules["flows.retrain.retrain"][0]["parameters"] == {"reason": "its schedule"}


def test_a_canary_is_looked_at_where_the_charter_has_one(project: Path) -> None:
    charter = project / "configs" / "berries.yaml"
    tried = 'canary: {share: 0.1, look: "*/5 * * * *"}, rehearsal_requests: 100'
    charter.write_text(charter.read_text().replace("rehearsal_requests: 100", tried))
    made = yaml.safe_load(deployments.text([charter]))["deployments"]
    assert len(made) == len(deployments.FLOWS)
    [clock] = [one["schedules"] for one in made if one["entrypoint"] == "flows.canary.canary"]
    assert clock[0]["cron"] == "*/5 * * * *"


def test_an_alarm_of_the_project_and_of_no_other_starts_its_retrain(project: Path) -> None:
    made = yaml.safe_load(deployments.text([project / "configs" / "berries.yaml"]))["deployments"]
    triggers = {one["entrypoint"]: one["triggers"] for one in made if one["triggers"]}
    assert list(triggers) == ["flows.retrain.retrain"]
    [trigger] = triggers["flows.retrain.retrain"]
    assert trigger["expect"] == ["perennial.alarm"]
    assert trigger["match"] == {"prefect.resource.id": "perennial.project.berries"}
    assert trigger["parameters"] == {"reason": "{{ event.payload.reason }}"}


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_deployment_runs_on_a_server_with_a_worker(project: Path, root: Path) -> None:
    (project / "prefect.yaml").write_text(deployments.text([Path("configs/berries.yaml")]))
    (root / "prefect").mkdir(parents=True)
    with api() as url:
        environment = {**os.environ, "PREFECT_API_URL": url, "PREFECT_HOME": str(root / "prefect")}

        def prefect(*arguments: str) -> str:
            command = [sys.executable, "-m", "prefect", "--no-prompt", *arguments]
            done = subprocess.run(
                command, env=environment, capture_output=True, text=True, timeout=400
            )
            assert done.returncode == 0, done.stdout + done.stderr
            return done.stdout

        prefect("work-pool", "create", "local", "--type", "process")
        prefect("deploy", "--all")
        worker = subprocess.Popen(
            [sys.executable, "-m", "prefect", "worker", "start", "--pool", "local"],
            env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            assert "train/berries" in prefect("deployment", "ls")
            prefect("deployment", "run", "train/berries", "--watch")
        finally:
            worker.terminate()
            worker.wait(timeout=60)
    assert (root / "releases" / "berries" / "live.json").exists()
