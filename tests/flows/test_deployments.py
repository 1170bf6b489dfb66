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


def test_the_schedule_of_the_charter_is_that_of_its_training(project: Path) -> None:
    charter = project / "configs" / "berries.yaml"
    charter.write_text(
        charter.read_text() + 'runtime: {schedule: "0 4 1 * *", timezone: Europe/Berlin}\n'
    )
    made = yaml.safe_load(deployments.text([charter]))["deployments"]
    assert [found["entrypoint"] for found in made] == [
        "flows/train.py:train",
        "flows/score.py:score",
    ]
    assert made[0]["schedules"][0]["cron"] == "0 4 1 * *"
    assert made[0]["schedules"][0]["timezone"] == "Europe/Berlin"
    assert made[1]["schedules"] == []


def test_no_file_of_flows_hides_a_package() -> None:
    """`flows/x.py:x` puts the folder first on the path, where it would hide a package."""
    code = (
        "import importlib.util, sys; from pathlib import Path; "
        "print([p.stem for p in Path('flows').glob('[a-z]*.py') if importlib.util.find_spec(p.stem)])"
    )
    command = [sys.executable, "-P", "-c", code]
    done = subprocess.run(command, cwd=HOUSE, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_deployment_runs_on_a_server_with_a_worker(project: Path, root: Path) -> None:
    (project / "flows").symlink_to(HOUSE / "flows")
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
