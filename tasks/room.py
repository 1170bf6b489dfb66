"""A disk without room: told in words, whichever library was the one to hit it."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import ParamSpec, TypeVar

from charter import Refusal
from serving.home import home

P = ParamSpec("P")
R = TypeVar("R")

FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
SAID = ("no space left on device", "disk quota exceeded", "file too large", "disk is full")
"""What Arrow, DuckDB, deltalake and SQLite put into the texts of errors of their own."""


def is_full(error: BaseException) -> bool:
    """Whether the error, or one that led to it, says that there was no room to write."""
    seen: set[int] = set()
    cause: BaseException | None = error
    while cause is not None and id(cause) not in seen:
        seen.add(id(cause))
        text = str(cause).lower()
        if (isinstance(cause, OSError) and cause.errno in FULL) or any(one in text for one in SAID):
            return True
        cause = cause.__cause__ or cause.__context__
    return False


@contextmanager
def room() -> Iterator[None]:
    """A fault for want of room becomes a Refusal: to try again at once would not help.

    Every write is atomic, so what was there before is whole, and a run made again goes on.
    """
    try:
        yield
    except Refusal:
        raise
    except Exception as error:
        if not is_full(error):
            raise
        raise Refusal(
            str(home()),
            f"found no room to write ({_free()}; {type(error).__name__}: {str(error)[:200]})",
            "wanted room for what this run makes",
            "Make room (perennial tidy removes what nothing needs) and run it again: nothing that "
            "was there is lost.",
        ) from error


def in_room(stage: Callable[P, R]) -> Callable[P, R]:
    """The stage, with `room` around it; its types, name and docstring kept."""

    @wraps(stage)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        with room():
            return stage(*args, **kwargs)

    return call


def _free() -> str:
    folder = home()
    while not folder.exists():
        folder = folder.parent
    usage = shutil.disk_usage(folder)
    return f"{usage.free / 2**20:,.0f} MB of {usage.total / 2**20:,.0f} MB are free"
