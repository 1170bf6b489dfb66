"""What to read first, in sentences with numbers."""

from __future__ import annotations

from collections.abc import Iterator

from tasks.exploration.findings import Findings
from tasks.exploration.gaps import together
from tasks.exploration.suspects import measured
from tasks.pages import Fact
from tasks.pages.blocks import join, strong
from tasks.pages.figures import duration, moment, number, share
from tasks.splitting.assignment import SHARED

RARE = 0.05
SHIFT = 0.1


def headlines(found: Findings) -> list[str]:
    """The sentences, most urgent first; escaped where they name things of the data."""
    return [
        *_leaks(found),
        *_target(found),
        *_strongest(found),
        *_shared(found),
        *_codes(found),
        *_gaps(found),
        *_telling(found),
        *_repeats(found),
        *_redundant(found),
        *_changes(found),
        *_pauses(found),
        *_useless(found),
    ]


def target_fact(found: Findings) -> Fact:
    """The target in one number."""
    truth = found.truth
    known = found.rows - truth.missing
    if truth.task == "regression":
        target = found.target
        return Fact(f"Mean {truth.field.name}", number(target.mean), f"spread {number(target.std)}")
    if truth.task == "binary":
        name = "Positive rows" if truth.classes[1] == "true" else truth.classes[1]
        return Fact(f"{name}", share(truth.counts[1] / known), f"{number(truth.counts[1])} rows")
    top = max(range(len(truth.counts)), key=lambda at: truth.counts[at])
    return Fact(f"Most frequent: {truth.classes[top]}", share(truth.counts[top] / known), "")


def _leaks(found: Findings) -> Iterator[str]:
    names = [suspect.column for suspect in found.suspects]
    if names:
        plural = "looks" if len(names) == 1 else "look"
        yield join(
            [
                strong(f"{_listed(names)} {plural} known only with the target. "),
                "See the evidence below.",
            ]
        )


def _target(found: Findings) -> Iterator[str]:
    truth = found.truth
    known = found.rows - truth.missing
    if truth.task == "regression":
        quantiles = found.target.quantiles
        yield join(
            [
                strong(f"{truth.field.name} is {number(quantiles[3])} in the middle"),
                f", and between {number(quantiles[1])} and {number(quantiles[5])} in nine rows of ten.",
            ]
        )
    elif truth.task == "binary":
        rate = share(truth.counts[1] / known)
        yield join(
            [
                strong(f"{rate} of the rows are {truth.field.name} = {truth.classes[1]}"),
                f", {number(truth.counts[1])} of {number(known)}; always answering the larger class "
                f"is right in {share(max(truth.counts) / known)}.",
            ]
        )
    else:
        rarest = min(zip(truth.counts, truth.classes, strict=True))
        yield join(
            [
                strong(f"{len(truth.classes)} classes"),
                f", from {share(max(truth.counts) / known)} of the rows down to "
                f"{share(rarest[0] / known)} ({rarest[1]}, {number(rarest[0])} rows).",
            ]
        )


def _strongest(found: Findings) -> Iterator[str]:
    suspected = {suspect.column for suspect in found.suspects}
    open_to = [relation for relation in found.open if relation.column not in suspected][:3]
    if not open_to or open_to[0].strength < 0.005:
        yield strong("No column that may be used tells anything about the target alone.")
        return
    told = [f"{r.column} ({measured(found.truth, r)})" for r in open_to if r.strength >= 0.005]
    guess = "0" if found.truth.task == "regression" else "0.5"
    known = f"; {guess} would be guessing, 1 knowing."
    yield join([strong("What tells most alone: "), _listed(told), known])


def _gaps(found: Findings) -> Iterator[str]:
    used = [c for c in found.columns if c.name not in found.aside and c.field != found.truth.field]
    gappy = [c for c in used if c.missing > RARE * found.rows]
    if gappy:
        ordered = sorted(gappy, key=lambda column: -column.missing)
        told = [f"{c.name} ({share(c.missing / found.rows)})" for c in ordered[:4]]
        yield join([strong("Many values are missing in "), _listed(told, len(ordered)), "."])
    groups = [set(group) - set(found.aside) for group in together(found.overlaps)]
    for names in sorted((group for group in groups if len(group) > 1), key=len)[::-1][:2]:
        group = sorted(names)
        yield join([_listed(group[:5], len(group)), " are missing in the same rows."])


def _shared(found: Findings) -> Iterator[str]:
    twins = found.twins
    if twins.shared_share >= SHARED:
        yield join(
            [strong(f"{share(twins.shared_share)} of the rows held out have a twin among the training rows"),
             f", {number(twins.shared)} of {number(twins.held)}: the scorecard may flatter the model."]
        )  # fmt: skip


def _codes(found: Findings) -> Iterator[str]:
    for far in [far for far in found.outliers if far.code is not None][:2]:
        yield join(
            [strong(f"{far.column} is {number(far.code)} in {number(far.code_rows)} rows"),
             ", far from all other values: a code for a missing one?"]
        )  # fmt: skip


def _telling(found: Findings) -> Iterator[str]:
    clear = [told for told in found.telling if told.clear and told.rows >= RARE * found.rows]
    shown = share if found.truth.classes else number
    for told in clear[:1]:
        yield join(
            [strong(f"That {told.column} is missing tells something: "),
             f"{told.of} {'in ' if found.truth.classes else ''}{shown(told.missing)} there, "
             f"{shown(told.present)} where it is known."]
        )  # fmt: skip


def _repeats(found: Findings) -> Iterator[str]:
    twins = found.twins
    if twins.repeats:
        yield join(
            [strong(f"{number(twins.repeats)} rows repeat an earlier one"), " in every value."]
        )
    if twins.differing >= RARE * twins.rows:
        yield join(
            [strong(f"{share(twins.differing / twins.rows)} of the rows have a twin with another {found.truth.field.name}"),
             ": no model that sees only these columns can be right about all of them."]
        )  # fmt: skip


def _pauses(found: Findings) -> Iterator[str]:
    if found.pauses is None or not found.pauses.longest:
        return
    longest, count = found.pauses.longest[0], len(found.pauses.longest)
    more = f", the longest of {number(count)} pauses" if count > 1 else ""
    yield join(
        [strong(f"No row for {duration(longest.seconds)}"),
         f" from {moment(longest.start)} on{more}; usual are at most {duration(found.pauses.usual)}."]
    )  # fmt: skip


def _redundant(found: Findings) -> Iterator[str]:
    aside = {*found.aside, found.truth.field.name}
    pairs = [pair for pair in found.associations.redundant if not aside & {pair.one, pair.other}]
    if pairs:
        told = [f"{p.one} and {p.other} ({p.value:.2f})" for p in pairs[:3]]
        yield join([strong("Nearly the same information: "), _listed(told, len(pairs), "; "), "."])


def _changes(found: Findings) -> Iterator[str]:
    if found.courses is None:
        return
    changed = [course for course in found.courses.columns if course.change >= SHIFT]
    for course in [course for course in changed if course.column not in found.aside][:2]:
        yield join([strong(f"{course.column} changes on {course.when}: "), f"{course.told}."])


def _useless(found: Findings) -> Iterator[str]:
    constant = [column.name for column in found.columns if column.distinct < 2]
    names = [name for name in constant if name not in found.aside]
    if names:
        plural = "never changes" if len(names) == 1 else "never change"
        yield join([strong(_listed(names[:6], len(names))), f" {plural} and can tell nothing."])


def _listed(names: list[str], of: int | None = None, between: str = ", ") -> str:
    more = (of or len(names)) - len(names)
    if more > 0:
        return between.join(names) + f" and {number(more)} more"
    if len(names) > 1 and between == ", ":
        return ", ".join(names[:-1]) + f" and {names[-1]}"
    return between.join(names)
