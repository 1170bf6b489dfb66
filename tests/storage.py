"""S3-compatible storage on loopback, with a way to it that can be made to fail."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal

import pytest
from pyarrow import fs

BUCKET = "rows"
REGION = "us-east-1"
Fault = Literal["busy", "cut", "denied"] | None
"""503, a body that ends too early, 403; None lets a request pass."""


@dataclass
class Storage:
    """`s3://rows`, empty; the environment leads to it through a proxy."""

    files: fs.S3FileSystem
    """Past the proxy."""
    direct: str
    """The address of the storage itself."""
    faults: list[Fault] = field(default_factory=list)
    """What becomes of the next requests that read, one after the other."""
    asked: list[str] = field(default_factory=list)
    """Method and path of each request."""

    def put(self, key: str, content: bytes) -> str:
        with self.files.open_output_stream(f"{BUCKET}/{key}", compression=None) as stream:
            stream.write(content)
        return f"s3://{BUCKET}/{key}"

    def put_as_named(self, key: str) -> None:
        """An empty object whose key other clients would tidy up."""
        import boto3

        client = boto3.client("s3", endpoint_url=self.direct, region_name=REGION)
        client.put_object(Bucket=BUCKET, Key=key, Body=b"")


@pytest.fixture(scope="session")
def moto() -> Iterator[tuple[str, int]]:
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    yield server.get_host_and_port()
    server.stop()


@pytest.fixture
def storage(moto: tuple[str, int], monkeypatch: pytest.MonkeyPatch) -> Iterator[Storage]:
    host, port = moto
    for name, value in {
        "AWS_ACCESS_KEY_ID": "someone",
        "AWS_SECRET_ACCESS_KEY": "anything",
        "AWS_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
    }.items():
        monkeypatch.setenv(name, value)
    files = fs.S3FileSystem(
        endpoint_override=f"{host}:{port}",
        scheme="http",
        region=REGION,
        allow_bucket_creation=True,
        allow_bucket_deletion=True,
        request_timeout=60,  # the machine is shared with other tests
    )
    files.create_dir(BUCKET)
    storage = Storage(files, f"http://{host}:{port}")
    with _proxy(storage, host, port) as address:
        monkeypatch.setenv("AWS_ENDPOINT_URL", address)
        yield storage
    files.delete_dir(BUCKET)


@contextmanager
def _proxy(storage: Storage, host: str, port: int) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _forward(self) -> None:
            if "transfer-encoding" in self.headers:
                return self._answer(411, {}, b"")  # uploads go past this proxy
            sent = self.rfile.read(int(self.headers.get("content-length", 0)))
            storage.asked.append(f"{self.command} {self.path}")
            reads = self.command in ("GET", "HEAD")
            fault = storage.faults.pop(0) if storage.faults and reads else None
            if fault == "busy":
                return self._answer(503, {}, b"<Error><Code>SlowDown</Code></Error>")
            if fault == "denied":
                return self._answer(403, {}, b"<Error><Code>AccessDenied</Code></Error>")
            upstream = http.client.HTTPConnection(host, port)
            upstream.request(self.command, self.path, sent, dict(self.headers))
            answer = upstream.getresponse()
            content = answer.read()
            self._answer(answer.status, dict(answer.headers), content, cut=fault == "cut")
            upstream.close()
            return None

        do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = _forward  # noqa: N815

        def _answer(
            self, status: int, headers: dict[str, str], content: bytes, cut: bool = False
        ) -> None:
            self.send_response(status)
            given = {name.lower(): value for name, value in headers.items()}
            for name in ("date", "server", "connection", "transfer-encoding"):
                given.pop(name, None)
            for name, value in ({"content-length": str(len(content))} | given).items():
                self.send_header(name, value)
            self.end_headers()
            if self.command == "HEAD":
                return
            self.wfile.write(content[: len(content) // 2] if cut else content)
            if cut:
                self.close_connection = True

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
