"""A refusal is not tried again and leaves no stack trace; a fault is tried again."""

from __future__ import annotations

import errno
import logging

import pytest

from charter import Refusal
from charter.frozen import Frozen
from flows.refusals import WithoutTrace

pytestmark = pytest.mark.usefixtures("prefect")


class Done(Frozen):
    tries: int


@pytest.mark.parametrize(
    ("raised", "said"),
    [
        (Refusal("here", "found sand", "wanted soil", "Dig elsewhere."), "Dig elsewhere"),
        (OSError(errno.ENOSPC, "No space left on device"), "Make room"),
    ],
)
def test_a_refusal_is_raised_once(
    raised: Exception, said: str, caplog: pytest.LogCaptureFixture
) -> None:
    from prefect import flow

    from flows.steps import step

    tries: list[int] = []

    def refuse() -> Done:
        tries.append(1)
        raise raised

    lifted = step(refuse, retries=3, resume=False)

    @flow
    def once() -> Done:
        return lifted()

    with pytest.raises(Refusal, match=said):
        once()
    assert len(tries) == 1
    assert "Traceback" not in caplog.text


def test_a_fault_is_forgiven(monkeypatch: pytest.MonkeyPatch) -> None:
    from prefect import flow

    from flows import steps

    monkeypatch.setattr(steps, "exponential_backoff", lambda backoff_factor: [0.01] * 3)
    monkeypatch.setattr(steps, "headline", lambda record: "done")
    tries: list[int] = []

    def shaky() -> Done:
        tries.append(1)
        if len(tries) < 3:
            raise OSError("the disk is away")
        return Done(tries=len(tries))

    lifted = steps.step(shaky, retries=3, resume=False)

    @flow
    def once() -> Done:
        return lifted()

    assert once() == Done(tries=3)


def test_only_refusals_lose_their_trace() -> None:
    def record(raised: Exception) -> logging.LogRecord:
        info = (type(raised), raised, None)
        return logging.LogRecord("x", logging.ERROR, "f", 1, "Encountered", (), info)

    refused = record(Refusal("here", "found", "wanted", "Do."))
    fault = record(OSError("disk"))
    assert WithoutTrace().filter(refused)
    assert WithoutTrace().filter(fault)
    assert refused.exc_info is None
    assert "Do." in refused.getMessage()
    assert fault.exc_info is not None
