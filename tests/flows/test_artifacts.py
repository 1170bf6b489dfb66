"""What the Prefect UI shows of a stage, where that is more than its record."""

from __future__ import annotations

from charter import Verdict


def test_gates_are_told_as_passed_warned_and_failed() -> None:
    from flows.published import gates

    told = gates(
        Verdict(gate=gate, passed=passed, message="a number", level=level)
        for gate, passed, level in (
            ("minimum", True, "fail"), ("slices", False, "warn"), ("beat", False, "fail")
        )
    ).splitlines()  # fmt: skip
    assert told == [
        "- ✓ `minimum`: a number",
        "- ! **warning** `slices`: a number",
        "- ✗ **failed** `beat`: a number",
    ]


def test_a_stage_without_gates_has_no_list() -> None:
    from flows.published import gates

    assert gates(()) == ""
