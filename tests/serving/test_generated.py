"""Requests that schemathesis makes from the OpenAPI document: no fault, no answer that it does not tell."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from serving import releases
from tasks.service import served
from tests.serving.handmade import bundle

REQUESTS = 10_000
SCHEMATHESIS = Path(sys.executable).with_name("schemathesis")
CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,"
    "response_headers_conformance,response_schema_conformance"
)


def _answered(port: int) -> int:
    text = httpx.get(f"http://127.0.0.1:{port}/metrics").text
    families = text_string_to_metric_families(text)
    samples = [one for family in families for one in family.samples]
    return int(sum(one.value for one in samples if one.name == "perennial_requests_total"))


@pytest.mark.slow
@pytest.mark.timeout(1_800)
def test_no_generated_request_meets_a_fault(tmp_path: Path) -> None:
    releases.add(tmp_path / "flights", bundle(tmp_path / "bundle"))
    releases.publish(tmp_path / "flights", 1, None)
    journal = ("--journal", f"sqlite:///{tmp_path}/journal.db")
    with served(tmp_path / "flights", "test", journal) as service:
        seed = 0
        while _answered(service.port) < REQUESTS:
            seed += 1
            address = f"http://127.0.0.1:{service.port}/openapi.json"
            phases = "examples,coverage,fuzzing" if seed == 1 else "fuzzing"
            done = subprocess.run(
                [
                    SCHEMATHESIS, "run", address, "--checks", CHECKS, "--seed", str(seed),
                    "--phases", phases, "--max-examples", "250", "--no-color",
                    "--generation-database", "none", "--warnings", "off",
                ],
                cwd=tmp_path, capture_output=True, text=True, timeout=1_200,
            )  # fmt: skip
            assert done.returncode == 0, done.stdout[-5_000:]
        assert "Traceback" not in service.log.read_text()
