"""`python -m serving --releases DIR`: serve the live release of one project."""

from __future__ import annotations

import argparse
import contextlib
import gc
import logging
import os
import signal
import socket
import sys
import threading
import time
from pathlib import Path

import uvicorn

from charter import Refusal
from serving.app import create_app
from serving.front import Front
from serving.journaling.book import Book


def main() -> int:
    """Serve until told to stop; 0 when stopped, 2 when the address cannot be had."""
    options = _options()
    logging.basicConfig(level="INFO", format="%(asctime)s %(levelname)s %(message)s")
    try:
        book = _book(options)
    except Refusal as refusal:
        print(refusal, file=sys.stderr)
        return 2
    try:
        listener = _listen(options.host, options.port)
    except OSError as error:
        print(_taken(options.host, options.port, error), file=sys.stderr)
        return 2
    port = listener.getsockname()[1]
    host = f"[{options.host}]" if ":" in options.host else options.host
    print(f"serving {options.releases} at http://{host}:{port}", flush=True)
    if options.port_file:
        _write(options.port_file, str(port))
    if options.parent:
        threading.Thread(target=_end_with, args=(options.parent,), daemon=True).start()
    return _serve(create_app(options.releases, book, options.simulated), listener)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m serving", description=__doc__)
    parser.add_argument("--releases", type=Path, required=True, help="the folder with live.json")
    parser.add_argument("--host", default="127.0.0.1", help="default: this machine only")
    parser.add_argument("--port", type=int, default=8080, help="0 takes a free one")
    parser.add_argument("--port-file", type=Path, help="a file to write the port to")
    parser.add_argument(
        "--journal", help="its address, or off; default: PERENNIAL_JOURNAL_URL, or SQLite at home"
    )
    parser.add_argument(
        "--durable", choices=["process", "power"], default="process",
        help="what an answered prediction survives: a killed process, or a loss of power too",
    )  # fmt: skip
    parser.add_argument(
        "--simulated", action="store_true", help="the header Perennial-Time says what time it is"
    )
    parser.add_argument("--parent", type=int, help="end when this process, the caller, ends")
    return parser.parse_args()


def _book(options: argparse.Namespace) -> Book | None:
    if options.journal == "off":
        return None
    return Book(options.releases.absolute().name, options.journal, options.durable)


def _listen(host: str, port: int) -> socket.socket:
    family, kind, protocol, _, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    listener = socket.socket(family, kind, protocol)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(address)
        listener.listen(2048)  # now, so that whoever reads the port file can connect
    except OSError:
        listener.close()
        raise
    return listener


def _taken(host: str, port: int, error: OSError) -> str:
    return (
        f"{host}:{port}: {error.strerror or error}, wanted an address to listen on. "
        "Choose another with --port, or stop the program that has it."
    )


def _serve(app: Front, listener: socket.socket) -> int:
    config = uvicorn.Config(
        app,
        loop="auto",
        http="httptools",
        log_level="warning",
        access_log=False,
        proxy_headers=False,  # nothing here asks who the client is
        server_header=False,
        timeout_graceful_shutdown=10,
    )
    gc.freeze()  # what the imports made stays; collecting it again would delay requests
    with contextlib.suppress(KeyboardInterrupt):
        uvicorn.Server(config).run(sockets=[listener])
    return 0


def _end_with(parent: int) -> None:
    """A caller that was killed cannot end us, so we look; a thread, as the loop may be busy."""
    while os.getppid() == parent:
        time.sleep(0.5)
    os.kill(os.getpid(), signal.SIGKILL)


def _write(path: Path, text: str) -> None:
    new = path.with_name(f".{path.name}.new")
    new.write_text(text)
    new.replace(path)


if __name__ == "__main__":
    sys.exit(main())
