"""The child process of `tasks/tuning/sandbox.py`: prepares once, then answers one call after another."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

from charter import Refusal

Message = tuple[str, Any]
"""`("answer", value)`, `("refusal", Refusal)`, `("memory", words)` or `("failure", words)`."""

_PR_SET_PDEATHSIG = 1


def main(calls: int, lifeline: int, parent: int) -> None:
    """Serve the calls that come through the file descriptor until the parent is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides what Ctrl-C stops
    _die_with(parent, lifeline)
    channel = Connection(calls)
    with contextlib.suppress(EOFError, ConnectionResetError, BrokenPipeError):
        kind, state = _run(*channel.recv())
        channel.send((kind, None if kind == "answer" else state))
        while kind == "answer":
            function, arguments = channel.recv()
            _send(channel, _run(function, (state, *arguments)))


def _die_with(parent: int, lifeline: int) -> None:
    """Leave no orphan: a signal from the kernel on Linux, the end of a pipe everywhere.

    The kernel's signal also stops a fit that holds the interpreter lock; the thread would wait.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)

    def watch() -> None:
        os.read(lifeline, 1)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _run(function: Callable[..., Any], arguments: tuple[Any, ...]) -> Message:
    try:
        return "answer", function(*arguments)
    except Refusal as refusal:
        return "refusal", refusal
    except MemoryError as error:
        return "memory", str(error) or "no memory was left"
    except Exception as error:
        traceback.print_exc()
        return "failure", _words(error)


def _send(channel: Connection, message: Message) -> None:
    try:
        channel.send(message)
    except (BrokenPipeError, ConnectionResetError):
        raise
    except Exception as error:  # an answer that cannot be pickled
        channel.send(("failure", _words(error)))


def _words(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0][:300]}" if lines else type(error).__name__
