"""The one door to MLflow: experiments, model versions, and the alias of what is live."""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from charter import Frozen
from serving.home import home
from tasks.registration import loadable

if TYPE_CHECKING:
    from mlflow import MlflowClient

CHAMPION = "champion"
CANARY = "canary"
BUNDLE = "perennial.bundle"
RELEASE = "perennial.release"


class Entry(Frozen):
    """What the registry keeps of one bundle."""

    run: str
    version: str


def enter(
    project: str,
    fingerprint: str,
    params: dict[str, str],
    metrics: dict[str, float],
    papers: Path,
) -> Entry:
    """Log the bundle as one run and one model version; the same fingerprint is found again.

    `papers` is the folder of the bundle: the ONNX model and all that belongs to it, no pickle.
    """
    with _client() as client:
        known = _version(client, project, fingerprint)
        if known is not None:
            return Entry(run=known.run_id, version=str(known.version))
        run = _run(client, project, fingerprint)
        for name, value in params.items():
            client.log_param(run, name, value[:500])
        for name, number in metrics.items():
            client.log_metric(run, name, number)
        with loadable(papers) as folder:
            client.log_artifacts(run, str(folder), "bundle")
        client.set_terminated(run)
        return Entry(run=run, version=_register(client, project, fingerprint, run))


def reconcile(project: str, fingerprint: str, release: int) -> str:
    """Let the alias `champion` name the version of the live bundle; gives the version."""
    with _client() as client:
        number = str(_known(client, project, fingerprint).version)
        client.set_model_version_tag(project, number, RELEASE, str(release))
        client.set_registered_model_alias(project, CHAMPION, number)
        return number


def tried(project: str, fingerprint: str | None, release: int | None) -> str | None:
    """Let the alias `canary` name the bundle that is tried; with None there is no such alias."""
    with _client() as client:
        if fingerprint is None:
            client.delete_registered_model_alias(project, CANARY)
            return None
        number = str(_known(client, project, fingerprint).version)
        client.set_model_version_tag(project, number, RELEASE, str(release))
        client.set_registered_model_alias(project, CANARY, number)
        return number


def judge(
    project: str, fingerprint: str, tags: Mapping[str, str], metrics: Mapping[str, float]
) -> str:
    """Say on the bundle's version what became of it; gives the version."""
    with _client() as client:
        known = _known(client, project, fingerprint)
        for name, text in tags.items():
            client.set_model_version_tag(project, str(known.version), f"perennial.{name}", text)
        for name, number in metrics.items():
            client.log_metric(known.run_id, name, number)
        return str(known.version)


def version(project: str, fingerprint: str) -> str | None:
    """The version of the bundle; None where it was never entered."""
    with _client() as client:
        known = _version(client, project, fingerprint)
        return None if known is None else str(known.version)


def champion(project: str) -> tuple[str, str]:
    """Version and bundle fingerprint that the alias names."""
    with _client() as client:
        found = client.get_model_version_by_alias(project, CHAMPION)
        return str(found.version), str(found.tags[BUNDLE])


@contextmanager
def _client() -> Iterator[MlflowClient]:
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    with warnings.catch_warnings():
        # MLflow warns of its own and its libraries' ways, which nobody here can change.
        warnings.simplefilter("ignore")
        from mlflow import MlflowClient

        for chatty in ("mlflow", "mlflow.store.db.utils", "alembic"):
            logging.getLogger(chatty).setLevel(logging.ERROR)
        yield MlflowClient(tracking_uri=_address(), registry_uri=_address())


def _address() -> str:
    """MLFLOW_TRACKING_URI, or SQLite in the root."""
    given = os.environ.get("MLFLOW_TRACKING_URI")
    if given:
        return given
    (home() / "mlflow").mkdir(parents=True, exist_ok=True)
    return f"sqlite:///{home()}/mlflow/mlflow.db"


def _run(client: MlflowClient, project: str, fingerprint: str) -> str:
    """A run for the bundle; one that a kill left unfinished is taken up again."""
    experiment = _experiment(client, project)
    found = client.search_runs([experiment], f"tags.`{BUNDLE}` = '{fingerprint}'", max_results=1)
    if found:
        return str(found[0].info.run_id)
    tags = {BUNDLE: fingerprint, "mlflow.runName": f"{project}-{fingerprint[:8]}"}
    return str(client.create_run(experiment, tags=tags).info.run_id)


def _experiment(client: MlflowClient, project: str) -> str:
    found = client.get_experiment_by_name(project)
    if found is not None:
        return str(found.experiment_id)
    place = home() / "mlflow" / "artifacts" / project
    local = _address().startswith("sqlite:")
    return str(client.create_experiment(project, place.as_uri() if local else None))


def _register(client: MlflowClient, project: str, fingerprint: str, run: str) -> str:
    from mlflow.exceptions import MlflowException

    try:
        client.create_registered_model(project)
    except MlflowException as known:
        if known.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
    source = f"{client.get_run(run).info.artifact_uri}/bundle"
    made = client.create_model_version(project, source, run, tags={BUNDLE: fingerprint})
    return str(made.version)


def _known(client: MlflowClient, project: str, fingerprint: str) -> Any:
    known = _version(client, project, fingerprint)
    if known is None:
        raise LookupError(f"{project}: bundle {fingerprint[:12]} is not in the registry")
    return known


def _version(client: MlflowClient, project: str, fingerprint: str) -> Any:
    query = f"name = '{project}' and tags.`{BUNDLE}` = '{fingerprint}'"
    return next(iter(client.search_model_versions(query, max_results=1)), None)
