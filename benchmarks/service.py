"""Requests per second: `mlflow models serve`, a bare ASGI echo, our service with the journal off and on.

    .venv/bin/python benchmarks/service.py [--rounds 3] [--seconds 5] [--ways echo off] [--postgres URL]

One boosted model of 200 trees on nine columns (numbers, a flag, texts), once as scikit-learn
pipeline under MLflow and once as our bundle. One-row requests over 16 connections (`tasks/sizing/load.py`); the server has
one core and the client another. All ways in turn in each round, since a machine changes its pace;
the shares are medians over rounds of what stood side by side. What a request costs of the core says
the same where the machine is busy with something else.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pyarrow as pa

from charter.tuning import FamilyName
from tasks.sizing.load import WARM, load

ROWS = 5_000
NUMBERS = ("distance", "wind", "rain", "hour", "age", "load")
WAYS = ("mlflow", "echo", "off", "process", "power")


def client(port: int, path: str, body: bytes, seconds: float) -> None:
    """Ask for so long and print requests per second and p99 in milliseconds as JSON."""
    import uvloop

    uvloop.install()
    found = load(port, [body], seconds, path=path)
    p99 = float(np.quantile(found.milliseconds, 0.99)) if found.milliseconds else float("nan")
    print(json.dumps([found.rate, p99]))


def rows() -> tuple[pa.Table, np.ndarray]:
    """Nine columns and a truth that hangs on most of them."""
    rng = np.random.default_rng(0)
    columns: dict[str, Any] = {name: rng.normal(size=ROWS) for name in NUMBERS}
    columns["holiday"] = rng.random(ROWS) < 0.2
    columns["carrier"] = rng.choice(["UA", "B6", "EV", "DL", "AA"], ROWS)
    columns["origin"] = rng.choice(["JFK", "LGA", "EWR"], ROWS)
    push = columns["distance"] * columns["wind"] + columns["holiday"] + (columns["origin"] == "JFK")
    return pa.table(columns), (push + rng.normal(size=ROWS) > 0.5).astype(np.int64)


def fitted(project: str, name: FamilyName, **more: Any) -> tuple[Any, Any, pa.Table]:
    """A pipeline of one family on the rows, its signature, and the rows."""
    from serving.signature import Input, Signature
    from tasks.engineer import Recipe
    from tasks.models import family
    from tasks.recipe.inputs import frame
    from tasks.recipe.pipeline import pipeline

    table, truth = rows()
    kinds = dict.fromkeys(NUMBERS, "number") | {"holiday": "flag"}
    inputs = tuple(Input(name=name, kind=kinds.get(name, "text")) for name in table.column_names)
    signature = Signature(
        project=project, target="late", task="binary", inputs=inputs, classes=("no", "yes")
    )
    recipe = Recipe(project=project, fingerprint="f", signature=signature, categories=20, page="")
    member = family(name)
    made = pipeline(recipe, member, "binary", {**member.start, **more})
    made.fit(frame(signature, table), truth)
    return made, signature, table


def make(folder: Path) -> bytes:
    """The model both ways, under `folder`; one row as JSON."""
    import mlflow.sklearn

    from serving import releases
    from tasks.recipe.inputs import frame

    made, signature, table = fitted("flights", "boosting", trees=200)
    made.set_params(model__n_jobs=1)
    mlflow.sklearn.save_model(
        made,
        folder / "mlflow",
        serialization_format="cloudpickle",
        pyfunc_predict_fn="predict_proba",
    )
    bundle(folder / "bundle", made, signature, table.slice(0, 5).to_pylist())
    releases.publish(folder / "flights", releases.add(folder / "flights", folder / "bundle"), None)
    first = {
        name: value.item() if hasattr(value, "item") else value
        for name, value in frame(signature, table).iloc[0].items()
    }
    (folder / "frame.json").write_text(json.dumps({"dataframe_records": [first]}))
    return json.dumps(table.slice(0, 1).to_pylist()[0]).encode()


def bundle(folder: Path, fitted: Any, signature: Any, some: list[dict[str, Any]]) -> None:
    """A bundle of this model, with golden rows."""
    from serving.bundle import MANIFEST, Manifest, sha256
    from serving.golden import Golden
    from serving.packing import pack_rows
    from serving.predictor import Predictor
    from serving.signature import Decision
    from tasks.graph import convert

    folder.mkdir()
    (folder / "model.onnx").write_bytes(convert(fitted, signature).SerializeToString())
    (folder / "signature.json").write_text(signature.model_dump_json())
    (folder / "decision.json").write_text(Decision(threshold=0.5).model_dump_json())

    def seal() -> None:
        names = [path.name for path in folder.iterdir() if path.name != MANIFEST]
        files = {name: sha256((folder / name).read_bytes()) for name in names}
        made = Manifest(
            project=signature.project, fingerprint="f" * 64, created=datetime.now(UTC), files=files
        )
        (folder / MANIFEST).write_text(made.model_dump_json())

    seal()
    found = Predictor(folder).predict(pack_rows(signature, some))
    assert found.probabilities is not None
    golden = Golden(
        rows=tuple(some), cases=("row",) * len(some), labels=tuple(found.labels or ()),
        probabilities=tuple(map(tuple, found.probabilities.tolist())),
    )  # fmt: skip
    (folder / "golden.json").write_text(golden.model_dump_json())
    seal()


def command(way: str, folder: Path, port: int, postgres: str | None) -> list[str]:
    if way == "mlflow":
        started = [str(Path(sys.executable).with_name("mlflow")), "models", "serve", "-m"]
        return [*started, str(folder / "mlflow"), "--env-manager", "local", "-p", str(port)]
    if way == "echo":
        echo = [sys.executable, "-m", "uvicorn", "benchmarks.echo:app", "--port", str(port)]
        return [*echo, "--http", "httptools", "--no-access-log", "--log-level", "warning"]
    journal, durable = f"sqlite:///{folder}/{way}/journal.db", way
    if way == "off":
        journal, durable = "off", "process"
    if way.startswith("postgres"):
        journal, durable = str(postgres), way.removeprefix("postgres-")
    serve = [sys.executable, "-m", "serving", "--releases", str(folder / "flights")]
    return [*serve, "--port", str(port), "--journal", journal, "--durable", durable]


def environment() -> dict[str, str]:
    """One thread for the model, and the scripts beside this Python, which MLflow starts by name."""
    scripts = str(Path(sys.executable).parent)
    path = os.pathsep.join([scripts, os.environ.get("PATH", "")])
    return {**os.environ, "OMP_NUM_THREADS": "1", "PATH": path}


@contextmanager
def server(arguments: list[str], port: int, path: str, body: bytes) -> Iterator[int]:
    """A server on the first core that answers; gone after the block with all its children."""
    core = min(os.sched_getaffinity(0))
    process = subprocess.Popen(
        ["taskset", "-c", str(core), *arguments], start_new_session=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment(),
    )  # fmt: skip
    try:
        _until_answered(process, port, path, body)
        yield process.pid
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, 9)
        process.wait()


def _until_answered(process: subprocess.Popen[bytes], port: int, path: str, body: bytes) -> None:
    import httpx

    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        assert process.poll() is None, "the server ended"
        try:
            reply = httpx.post(
                f"http://127.0.0.1:{port}{path}", content=body,
                headers={"content-type": "application/json"}, timeout=30,
            )  # fmt: skip
            if reply.status_code == 200:
                return
            assert reply.status_code == 503, reply.text
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    raise SystemExit("the server does not answer")


def measured(
    way: str, folder: Path, body: bytes, seconds: float, postgres: str | None
) -> tuple[float, float, float]:
    """Requests per second, p99 in milliseconds and the core's microseconds per request."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    path = "/invocations" if way == "mlflow" else "/predict"
    sent = folder / ("frame.json" if way == "mlflow" else "row.json")
    (folder / "row.json").write_bytes(body)
    with server(command(way, folder, port, postgres), port, path, sent.read_bytes()) as pid:
        core = max(os.sched_getaffinity(0))
        asked = [sys.executable, __file__, "--client", str(port), path, str(sent), str(seconds)]
        before = spent(pid)
        done = subprocess.run(
            ["taskset", "-c", str(core), *asked], stdout=subprocess.PIPE, check=True, timeout=300
        )
        used = spent(pid) - before
    rate, p99 = json.loads(done.stdout)
    return float(rate), float(p99), used * 1e6 / (rate * (seconds + WARM))


def spent(pid: int) -> float:
    """Seconds of the core that a process and its children have used."""
    whole = psutil.Process(pid)
    times = [one.cpu_times() for one in (whole, *whole.children(recursive=True))]
    return float(sum(one.user + one.system for one in times))


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--seconds", type=float, default=5.0)
    options.add_argument("--postgres", help="the address of a database, to measure it too")
    options.add_argument("--ways", nargs="+", choices=WAYS, default=WAYS)
    options.add_argument("--client", nargs=4, help=argparse.SUPPRESS)
    asked = options.parse_args()
    if asked.client:
        port, path, file, seconds = asked.client
        client(int(port), path, Path(file).read_bytes(), float(seconds))
        return
    ways = tuple(asked.ways) + (("postgres-process", "postgres-power") if asked.postgres else ())
    found: dict[str, list[float]] = {way: [] for way in ways}
    per_core: dict[str, list[float]] = {way: [] for way in ways}
    with tempfile.TemporaryDirectory(dir=os.environ.get("PERENNIAL_BENCH", None)) as temporary:
        body = make(Path(temporary))
        for number in range(asked.rounds):
            for way in ways:
                rate, p99, cost = measured(
                    way, Path(temporary), body, asked.seconds, asked.postgres
                )
                found[way].append(rate)
                per_core[way].append(1e6 / cost)
                print(
                    f"round {number + 1}, {way}: {rate:,.0f}/s, p99 {p99:.2f} ms, {cost:.0f} µs of the core",
                    flush=True,
                )
    for way in ways:
        for against in [one for one in ("mlflow", "echo", "off") if one in ways]:
            _tell(way, against, found, "")
            _tell(way, against, per_core, " by time of the core")


def _tell(way: str, against: str, found: dict[str, list[float]], by: str) -> None:
    shares = [a / b for a, b in zip(found[way], found[against], strict=True)]
    middle = statistics.median(shares)
    print(f"{way} / {against}{by}: {middle:.2f} ({min(shares):.2f} to {max(shares):.2f})")


if __name__ == "__main__":
    main()
