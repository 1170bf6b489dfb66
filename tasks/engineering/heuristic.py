"""Whether the charter's rules can be followed with the inputs that there are."""

from __future__ import annotations

from collections.abc import Iterator

from charter import Charter, Refusal
from charter.conflict import Conflict
from charter.heuristic import Heuristic, Test, spoken
from serving.signature import Input, Signature
from tasks.nearest import suggestion

WHERE = "charter.goal.heuristic"


def followed(charter: Charter, signature: Signature, dropped: dict[str, str]) -> Heuristic | None:
    """`goal.heuristic`, as it stands; a Refusal where it reads what is no input, compares what
    cannot be compared, or says what the target never is."""
    heuristic = charter.goal.heuristic
    if heuristic is None:
        return None
    for wrong in (*_reads(heuristic, signature, dropped), *_says(heuristic, signature)):
        raise Refusal(f"{WHERE}.{wrong.key}", f"found {wrong.found}", wrong.wanted, wrong.remedy)
    return heuristic


def _reads(
    heuristic: Heuristic, signature: Signature, dropped: dict[str, str]
) -> Iterator[Conflict]:
    inputs = {column.name: column for column in signature.inputs}
    for number, rule in enumerate(heuristic.rules):
        for test in rule.tests:
            key = f"rules[{number}].when.{test.column}"
            if test.column not in inputs:
                why = dropped.get(test.column, "the table has no such column")
                yield Conflict(
                    key, f"a rule on {test.column}, which is no input: {why}", "wanted an input",
                    suggestion(test.column, [*inputs]),
                )  # fmt: skip
                continue
            misfit = _misfit(test, inputs[test.column])
            if misfit:
                yield Conflict(key, *misfit)


def _misfit(test: Test, column: Input) -> tuple[str, str, str] | None:
    if test.sign == "missing":
        return None
    if column.kind == "time":
        return (
            f"a rule on the time {column.name}",
            "wanted a number, a flag or a text",
            "Add a column with the part of the calendar that counts.",
        )
    if column.kind == "text" and test.sign != "in":
        return (
            f"{test}, but {column.name} holds texts",
            "wanted values to be equal to",
            "List the values, or give the column the role number in data.columns.",
        )
    if column.kind != "text" and any(isinstance(one, str) for one in test.among):
        return (
            f"{test}, but {column.name} holds {column.kind}s",
            f"wanted a {column.kind}",
            "Compare with a number, as in '> 10', or give the column the role category.",
        )
    return None


def _says(heuristic: Heuristic, signature: Signature) -> Iterator[Conflict]:
    keys = [*(f"rules[{i}].then" for i in range(len(heuristic.rules))), "otherwise"]
    for key, answer in zip(keys, heuristic.answers, strict=True):
        if signature.task == "regression" and (isinstance(answer, bool | str)):
            yield Conflict(
                key, f"{spoken(answer)} where the target is a number", "wanted a number",
                "Say what a person would expect there.",
            )  # fmt: skip
        if signature.task != "regression" and spoken(answer) not in signature.classes:
            yield Conflict(
                key, f"{spoken(answer)}, which the target never is",
                f"wanted one of {', '.join(signature.classes)}", "Write it as the table does.",
            )  # fmt: skip
