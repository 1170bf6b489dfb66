"""What the tests let a sandbox do; imports little, since each child imports it anew."""

from __future__ import annotations

import ctypes
import os
import signal
import time

from charter import Refusal


def load(number: int) -> dict[str, int]:
    return {"number": number, "calls": 0}


def count(state: dict[str, int], by: int) -> int:
    state["calls"] += by
    return state["number"] + state["calls"]


def pid(state: dict[str, int]) -> int:
    return os.getpid()


def threads(state: dict[str, int]) -> str:
    return os.environ["OMP_NUM_THREADS"]


def loop(state: dict[str, int]) -> None:
    while True:
        pass


def sleep_in_c(state: dict[str, int]) -> None:
    ctypes.PyDLL(None).sleep(60)  # PyDLL keeps the interpreter lock: nothing in Python can run


def eat(state: dict[str, int]) -> None:
    import numpy as np

    held = []
    while True:
        held.append(np.ones(2**20))  # 8 MiB
        time.sleep(0.001)


def ask_too_much(state: dict[str, int]) -> float:
    import numpy as np

    return float(np.ones((2**20, 2**20, 2**10)).sum())


def crash(state: dict[str, int]) -> None:
    os.kill(os.getpid(), signal.SIGSEGV)


def leave(state: dict[str, int]) -> None:
    print("the reason")
    os._exit(3)


def raise_error(state: dict[str, int]) -> None:
    raise ValueError("no such column\nand more")


def refuse(state: dict[str, int]) -> None:
    raise Refusal("data.source", "found nothing", "wanted rows", "Name another file.")


def unsendable(state: dict[str, int]) -> object:
    return lambda: None


def broken_load() -> None:
    raise ValueError("cannot read")
