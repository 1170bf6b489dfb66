"""What the Prefect UI shows of a stage, where that is more than its record."""

from __future__ import annotations

from charter import Verdict


def test_gates_are_told_as_passed_warned_and_failed() -> None:
    from flows.artifacts import _gates

    told = _gates(
        Verdict(gate=gate, passed=passed, message=f"{gate} is a | b", level=level)
        for gate, passed, level in (
            ("minimum", True, "fail"), ("slices", False, "warn"), ("beat", False, "fail")
        )
    ).splitlines()  # fmt: skip
    assert told[2:] == [
        "| ✓ passed | `minimum` | minimum is a / b |",
        "| ! warning | `slices` | slices is a / b |",
        "| ✗ **failed** | `beat` | beat is a / b |",
    ]


def test_a_stage_without_gates_has_no_table() -> None:
    from flows.artifacts import _gates

    assert _gates(()) == ""
